"""Lays a classifier's own confident pictures side by side and explains one of them: does the map light that part?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np

from errors import UserError
from explainers.classifier_protocol import Classifier, Floats
from explainers.explanation_case import Case
from explainers.method_runner import MethodResult
from explainers.metric import Family, Metric
from explainers.metrics.localisation.evidence_overlap import energy_inside_mask

SOURCE = "Zhang et al. 2018 (pointing game); Rao, Böhle & Schiele 2022, arXiv:2205.10435 (grid pointing game)"
CONFIDENT = 0.5
"""Least probability of a picture that enters a mosaic."""
BATCH = 32
"""Pictures evaluated at once."""


@dataclass(frozen=True)
class GridGameMosaic:
    """image: (H, W, 3) of n x n pictures, each made smaller. targets: the class in each part, row by row."""

    image: Floats
    targets: tuple[int, ...]
    side: int

    @property
    def chance(self) -> float:
        """1 / n^2: what a map that knows nothing has in each part."""
        return 1 / self.side**2

    @property
    def unique_parts(self) -> tuple[int, ...]:
        """Numbers of the parts that can be explained: those whose class is in no other part."""
        return tuple(number for number, target in enumerate(self.targets) if self.targets.count(target) == 1)

    def part(self, number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """(H, W): True in the part of that number, row by row."""
        row, column = divmod(number, self.side)
        rows, columns = (np.arange(length) * self.side // length for length in self.image.shape[:2])
        return np.asarray((rows == row)[:, None] & (columns == column))


@dataclass(frozen=True)
class GridPointingScore:
    """The share of one map's positive part that lies in its class's part; None for a map without positive evidence."""

    title: str
    share: float | None

    def to_json(self) -> dict[str, Any]:
        return {"title": self.title, "share": self.share}


@dataclass(frozen=True)
class GridPointingGameMetric(Metric[GridPointingScore]):
    """The share of each map that lies in its class's part of a mosaic. part: its number, row by row."""

    mosaic: GridGameMosaic
    part: int

    title = "Grid pointing game"
    key = "grid_pointing_game"
    family: ClassVar[Family] = "localisation"
    on_request = False
    on_page = False
    source = SOURCE
    formula = "the share of the map that lies in the mosaic's part of its class; chance is 1 / n²"
    description = (
        "The classifier's own surest pictures are laid side by side. A map for one of them should light that one and leave the others dark."
    )

    def __call__(self, case: Case, results: Sequence[MethodResult]) -> Iterator[GridPointingScore]:
        for result in results:
            found = result.attribution
            if found is not None:
                yield GridPointingScore(
                    result.method.title, None if found.blank else share_in_mosaic_part(found.values, self.mosaic, self.part)
                )

    def cost(self, case: Case, results: Sequence[MethodResult]) -> int:
        return 0


def build_mosaics(
    classifier: Classifier, pictures: Sequence[Floats], side: int = 2, count: int = 20, seed: int = 0
) -> list[GridGameMosaic]:
    """Mosaics of n x n pictures that the classifier is surest of, each part another class. UserError where fewer than two are met.

    With fewer classes than parts one class stands in one part alone and the others fill the rest by turns.
    pictures: (H, W, 3) as the classifier's `fit` makes them; each is evaluated once.
    """
    found = confident_pictures(classifier, pictures)
    if len(found) < 2:
        raise UserError(
            f"A mosaic needs pictures of two classes or more that the classifier gives {CONFIDENT:.0%}; of these {len(pictures)} "
            f"it does so for {len(found)} classes. Give more pictures, of several classes."
        )
    return mosaics_of_pictures(pictures, found, side, count, seed)


def confident_pictures(classifier: Classifier, pictures: Sequence[Floats]) -> dict[int, list[tuple[float, int]]]:
    """Class -> the pictures that are given it with at least `CONFIDENT`, as (probability, number), the surest first."""
    found: dict[int, list[tuple[float, int]]] = {}
    for start in range(0, len(pictures), BATCH):
        probabilities = classifier.probabilities(classifier.outputs(np.stack(pictures[start : start + BATCH])))
        for number, each in enumerate(probabilities, start):
            if each.max() >= CONFIDENT:
                found.setdefault(int(each.argmax()), []).append((float(each.max()), number))
    return {target: sorted(each, reverse=True) for target, each in found.items()}


def mosaics_of_pictures(
    pictures: Sequence[Floats], found: Mapping[int, Sequence[tuple[float, int]]], side: int, count: int, seed: int
) -> list[GridGameMosaic]:
    """The same of pictures whose classes are known: `found` is what `confident_pictures` gave."""
    rng = np.random.default_rng(seed)
    return [_mosaic(pictures, found, side, rng) for _ in range(count)]


def share_in_mosaic_part(values: Floats, mosaic: GridGameMosaic, number: int) -> float | None:
    """The share of the positive part of a map (h, w) for that part's class that lies in the part; None for a map without one."""
    return energy_inside_mask(values, mosaic.part(number))


def _mosaic(
    pictures: Sequence[Floats], found: Mapping[int, Sequence[tuple[float, int]]], side: int, rng: np.random.Generator
) -> GridGameMosaic:
    """Classes by chance; of each one of its ten surest pictures."""
    alone, *others = (int(target) for target in rng.permutation(list(found))[: side**2])
    targets = tuple(int(target) for target in rng.permutation([alone, *(others[n % len(others)] for n in range(side**2 - 1))]))
    chosen = [pictures[rng.choice([number for _, number in found[target][:10]])] for target in targets]
    image = np.zeros_like(chosen[0])
    edges = [[-(-length * place // side) for place in range(side + 1)] for length in image.shape[:2]]
    for number, picture in enumerate(chosen):
        row, column = divmod(number, side)
        down, right = slice(edges[0][row], edges[0][row + 1]), slice(edges[1][column], edges[1][column + 1])
        size = (right.stop - right.start, down.stop - down.start)
        image[down, right] = np.clip(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), 0, 1)
    return GridGameMosaic(image, targets, side)
