"""Partition SHAP halves the picture, then the halves that matter, and shares the score out along the way, down to fine cells."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from explainers.explanation_case import Case
from explainers.method import Attribution, Method, ParameterRange
from explainers.perturbation.segment_maps import evaluation_milestones

FIRST = 64


@dataclass(frozen=True)
class PartitionSHAP(Method):
    """Owen values of a tree of rectangles: each split shares a rectangle's credit between its halves, over both orders; score per pixel.

    The `shap` package's PartitionExplainer evaluates the rectangle with the most credit first, until the budget is spent; a rectangle not
    split by then is credited evenly. The sum is v(everything) - v(nothing), exactly. Differs from `shap.maskers.Image`: cells instead of
    pixels and the case's fill.
    """

    title = "Partition SHAP"
    revision = 1
    family = "surrogate"
    signed = True
    asks = "outputs"
    resolution = "pixels"
    source = "Owen 1977; `shap` package, PartitionExplainer (Lundberg)"
    formula = "Owen values of rectangles halved again and again, shown as credit / area"
    about = (
        "The picture is cut in two, and each half is credited with what showing it adds. "
        "The half that matters most is cut again, and so on, so that the map is fine where the evidence is and coarse elsewhere."
    )
    fails = (
        "Cuts are straight and in fixed places, so evidence that a cut divides is shared between both sides. "
        "Within a small budget large parts of the picture keep one even colour."
    )

    cells: Annotated[int, ParameterRange(4, 64, 4, "finest cells along the picture's longer side")] = 32

    def __call__(self, case: Case) -> Iterator[Attribution]:
        tree = RectangleTree(case.size, self.cells)
        budget = case.budget // 2 * 2  # the two halves of a rectangle are evaluated together
        for evaluations in (FIRST, *evaluation_milestones(FIRST, budget)) if budget > FIRST else (budget,):
            credit, asked = _explained(case, tree, evaluations)
            finished = asked < evaluations - 2
            spent = evaluations == budget and not finished
            remark = f"{asked:,} questions asked; the budget left rectangles uncut." if spent else f"{asked:,} questions asked."
            yield Attribution(np.asarray((credit / tree.areas)[tree.labels], np.float32), converged=finished, remark=remark)
            if finished:
                return

    def cost(self, case: Case) -> int:
        return case.budget


class RectangleTree:
    """Cells of near-equal sides, and the tree that halves the picture's longer side again and again until they are left.

    labels: (H, W) cell of each pixel. areas: (cells,) pixels of each. clustering: (cells - 1, 4) as scipy writes hierarchies: the two
    children, a distance, the number of cells below.
    """

    def __init__(self, size: tuple[int, int], along: int) -> None:
        longest = max(size)
        self.shape = tuple(min(side, max(1, round(along * side / longest))) for side in size)
        rows, columns = (np.arange(side) * cells // side for side, cells in zip(size, self.shape, strict=True))
        self.labels = rows[:, None] * self.shape[1] + columns[None, :]
        self.areas = np.bincount(self.labels.ravel()).astype(np.float64)
        self._rows: list[list[float]] = []
        self._split(0, self.shape[0], 0, self.shape[1])
        self.clustering = np.array(self._rows, np.float64).reshape(-1, 4)

    def _split(self, top: int, bottom: int, left: int, right: int) -> int:
        """Adds the rectangle's halves, then the rectangle itself; returns its number."""
        height, width = bottom - top, right - left
        if height * width == 1:
            return top * self.shape[1] + left
        if height >= width:
            middle = top + height // 2
            parts = self._split(top, middle, left, right), self._split(middle, bottom, left, right)
        else:
            middle = left + width // 2
            parts = self._split(top, bottom, left, middle), self._split(top, bottom, middle, right)
        self._rows.append([*parts, 1.0, height * width])
        return self.shape[0] * self.shape[1] + len(self._rows) - 1


def import_shap() -> Any:
    """The `shap` package; importing it warns of matplotlib's future, which is not ours to fix."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import shap
    return shap


def _explained(case: Case, tree: RectangleTree, evaluations: int) -> tuple[NDArray[np.float64], int]:
    """(cells,) credits, and how many masks were evaluated. A larger number of evaluations begins with the masks of a smaller."""

    class Masker:
        """Hands the masks on as they are: the case hides and shows."""

        shape = (1, len(tree.areas))
        clustering = tree.clustering

        def __call__(self, mask: NDArray[np.bool_], row: Any) -> tuple[NDArray[np.bool_]]:
            return (mask.reshape(1, -1),)

    def mask_of(key: tuple[str, tuple[int, ...], bytes]) -> NDArray[np.float32]:
        shown = np.unpackbits(np.frombuffer(key[2], np.uint8))[: len(tree.areas)]
        return np.asarray(shown[tree.labels], np.float32)

    def model(masks: NDArray[np.bool_]) -> NDArray[np.float64]:
        masks = np.atleast_2d(masks)
        keys = [("rectangles", tree.shape, np.packbits(mask).tobytes()) for mask in masks]
        between = np.ptp(masks.astype(int), axis=1) == 1
        with ties.given_back():
            logits = np.where(masks.min(1)[:, None], case.image_logits, case.baseline_logits)
            if between.any():
                logits[between] = case.recall([key for key, asked in zip(keys, between, strict=True) if asked], mask_of)
        return case.values(logits)

    explainer, ties = import_shap().explainers.Partition(model, Masker()), _Ties(case.seed)
    with ties:
        answer = explainer(np.zeros((1, len(tree.areas))), max_evals=evaluations, batch_size=8, silent=True)
    return np.asarray(answer.values[0], np.float64), int(explainer.last_eval_count) + 2


class _Ties:
    """numpy's global generator, with which `shap` breaks ties between rectangles: ours while it works, and restored while a model runs.

    One thread at a time has it, and each goes on with its own numbers, so what is drawn depends on the seed alone.
    """

    _taken = Lock()

    def __init__(self, seed: int) -> None:
        self._own = np.random.RandomState(seed).get_state()

    def __enter__(self) -> None:
        self._taken.acquire()
        self._before = np.random.get_state()  # noqa: NPY002
        np.random.set_state(self._own)  # noqa: NPY002

    def __exit__(self, *_: object) -> None:
        self._own = np.random.get_state()  # noqa: NPY002
        np.random.set_state(self._before)  # noqa: NPY002
        self._taken.release()

    @contextmanager
    def given_back(self) -> Iterator[None]:
        """After the block the generator is in its former state."""
        self.__exit__()
        try:
            yield
        finally:
            self.__enter__()
