"""Deletes a picture's pixels in the order of a map, or puts them in, and follows the class's probability: a faithful map moves it early."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from explainers.baselines import NARROW
from explainers.classifier_protocol import Floats
from explainers.explanation_case import Case
from explainers.grid import enlarge_map, grid_cells_per_side
from explainers.method_runner import MethodResult, maps_with_positive_evidence
from explainers.metric import Family, Metric

Kind = Literal["deletion", "insertion"]
Order = NDArray[np.intp]
FILL = {
    ("deletion", "mean colour"): "mean colour",
    ("insertion", "mean colour"): "mean colour",
    ("deletion", "blur"): "blur",
    ("insertion", "blur"): NARROW,
}
"""(kind, substrate) -> the case's fill that stands where the picture is not."""
RANDOM = "random order"
TIE = 1e-4
"""Areas, and mean probabilities, that differ by less are taken as equal: a probability that stays at 1 or at 0 ranks nothing."""
INCONCLUSIVE = "Cannot be told: the class's probability is the same whichever pixels go first."
SOURCE = "Petsiuk, Das & Saenko 2018, arXiv:1806.07421, sec. 4"


@dataclass(frozen=True)
class DeletionPlan:
    """What is drawn. steps: the picture is changed in so many equal parts. randoms: orders drawn by chance, for comparison."""

    kinds: tuple[Kind, ...] = ("deletion", "insertion")
    substrates: tuple[str, ...] = ("mean colour", "blur")
    steps: int = 28
    randoms: int = 3

    def cost(self, maps: int) -> int:
        """Evaluations at most for so many maps and the random orders; equal masks are evaluated once."""
        return (maps + self.randoms) * self.cost_per_order() + self.ends()

    def ends(self) -> int:
        """Evaluations of the picture itself and of what stands in its place."""
        return 1 + len({FILL[kind, substrate] for kind in self.kinds for substrate in self.substrates})

    def cost_per_order(self) -> int:
        """Evaluations at most for one further order of the pixels."""
        return (self.steps - 1) * len(self.kinds) * len(self.substrates)


@dataclass(frozen=True)
class DeletionCurve:
    """probabilities: (steps + 1, classes), from the untouched picture (deletion) or the bare substrate (insertion) to the other.

    random: whether the order is one drawn by chance and no map's.
    """

    title: str
    kind: Kind
    substrate: str
    target: int
    probabilities: Floats
    random: bool = False

    @property
    def area(self) -> float:
        """(sum s_i - s_0 / 2 - s_n / 2) / n for the target's probability s: low is good for deletion, high for insertion."""
        return area_under_curve(self.probabilities[:, self.target])

    def to_json(self) -> dict[str, Any]:
        """curve: the target's probabilities (steps + 1,)."""
        curve = self.probabilities[:, self.target]
        return {"method": self.title, "kind": self.kind, "substrate": self.substrate, "area": self.area, "curve": curve}


@dataclass(frozen=True)
class DeletionInsertionMetric(Metric[DeletionCurve]):
    """Curves of every map and of three random orders, deleted and inserted over the mean colour and over a blur."""

    plan: DeletionPlan = DeletionPlan()

    title = "Deletion, insertion"
    key = "curves"
    section = "faithfulness"
    family: ClassVar[Family] = "faithfulness"
    evidence = "Faithfulness"
    source = SOURCE
    formula = (
        "area under the class's probability as pixels disappear or appear in the map's order, over the mean colour and over a blur, "
        "beside random orders"
    )
    description = (
        "The strongest places are taken away step by step, or put in. "
        "Where the map is right about the classifier the probability falls, or rises, early."
    )
    button = "Delete and insert"
    question = "Takes the strongest places away step by step, or puts them in, and follows the answer: the slider below."

    def __call__(self, case: Case, results: Sequence[MethodResult]) -> Iterator[DeletionCurve]:
        for found in measure_deletion_curves(case, maps_with_positive_evidence(results), self.plan):
            yield from found

    def cost(self, case: Case, results: Sequence[MethodResult]) -> int:
        return self.plan.cost(len(maps_with_positive_evidence(results)))

    def complete(self, findings: Sequence[DeletionCurve], results: Sequence[MethodResult]) -> bool:
        orders = len(maps_with_positive_evidence(results)) + self.plan.randoms
        return len(findings) >= orders * len(self.plan.kinds) * len(self.plan.substrates)

    def to_json(self, findings: Sequence[DeletionCurve]) -> dict[str, Any]:
        return {"curves": [each.to_json() for each in findings]}


def inconclusive_curve_reason(curve: DeletionCurve, drawn: Iterable[DeletionCurve]) -> str:
    """Why the curve says nothing, where every random order of its kind and substrate gives the same area; else empty."""
    areas = [each.area for each in drawn if each.random and (each.kind, each.substrate) == (curve.kind, curve.substrate)]
    return INCONCLUSIVE if areas and all(abs(area - curve.area) < TIE for area in areas) else ""


def area_under_curve(values: Floats) -> float:
    """By trapezia over equal steps; the whole way has length 1."""
    s = values.astype(np.float64)
    return float((s.sum() - s[0] / 2 - s[-1] / 2) / (len(s) - 1))


def measure_deletion_curves(case: Case, maps: Mapping[str, Floats], plan: DeletionPlan = DeletionPlan()) -> Iterator[list[DeletionCurve]]:
    """For each substrate and kind the curves of all maps, and of random orders, evaluated together in full batches. Raises Stopped.

    maps: title -> (h, w), higher is more important.
    """
    orders = {title: pixels_by_importance(values, case.size, case.seed) for title, values in maps.items()}
    drawn = {f"{RANDOM} {number + 1}": random_pixel_order(case.size, case.seed + number) for number in range(plan.randoms)}
    for substrate, kind in product(plan.substrates, plan.kinds):
        found = curves_of_pixel_orders(case, {**orders, **drawn}, kind, substrate, plan.steps)
        yield [replace(curve, random=curve.title in drawn) for curve in found]


def pixels_by_importance(values: Floats, size: tuple[int, int], seed: int) -> Order:
    """(H * W,) pixels from the most to the least important; pixels that tie come in a random order, the same for all maps."""
    full = enlarge_map(values, size).ravel()
    shuffled = np.random.default_rng(seed).permutation(full.size)
    return np.asarray(shuffled[np.argsort(-full[shuffled], kind="stable")])


def random_pixel_order(size: tuple[int, int], seed: int) -> Order:
    """The cells of the common grid by chance, pixels of a cell together: single random pixels would be noise rather than places."""
    cells = grid_cells_per_side(size)
    drawn = np.random.default_rng(seed).random((cells, cells)).astype(np.float32)
    rows, columns = (np.arange(side) * cells // side for side in size)
    return pixels_by_importance(drawn[rows[:, None], columns], size, seed)


def deletion_step_per_pixel(values: Floats, size: tuple[int, int], seed: int, steps: int) -> NDArray[np.uint8]:
    """(H, W): after which of the `steps` each pixel has gone, in the order in which `measure_deletion_curves` takes the map's pixels."""
    pixels = pixels_by_importance(values, size, seed)
    found = np.empty(pixels.size, np.uint8)
    edges = [round(step * pixels.size / steps) for step in range(steps + 1)]
    for step in range(1, steps + 1):
        found[pixels[edges[step - 1] : edges[step]]] = step
    return found.reshape(size)


def visible_pixel_mask(pixels: Order, size: tuple[int, int], step: int, steps: int, kind: Kind) -> Floats:
    """(H, W) mask of 0 and 1 after `step` of `steps` equal parts of the pixels were deleted or inserted."""
    mask = np.full(pixels.size, kind == "deletion", np.float32)
    mask[pixels[: round(step * pixels.size / steps)]] = kind == "insertion"
    return mask.reshape(size)


def curves_of_pixel_orders(case: Case, orders: Mapping[str, Order], kind: Kind, substrate: str, steps: int) -> list[DeletionCurve]:
    """One curve for each order, by title; equal masks are evaluated once. Raises Stopped."""
    fill = FILL[kind, substrate]
    places: dict[bytes, tuple[Order, int]] = {}
    keys = [_named(places, pixels, step, (case.size, steps, kind)) for pixels in orders.values() for step in range(1, steps)]
    logits = case.recall(keys, lambda key: visible_pixel_mask(places[key][0], case.size, places[key][1], steps, kind), fill)
    picture, bare = case.image_logits, case.fill_logits(fill)
    ends = (picture, bare) if kind == "deletion" else (bare, picture)
    inner = logits.reshape(len(orders), steps - 1, -1)
    rows = [case.probabilities(np.concatenate([ends[:1], each, ends[1:]])) for each in inner]
    return [DeletionCurve(title, kind, substrate, case.score.target, row) for title, row in zip(orders, rows, strict=True)]


def _named(places: dict[bytes, tuple[Order, int]], pixels: Order, step: int, how: tuple[tuple[int, int], int, Kind]) -> bytes:
    """A name for the mask, the same for equal masks of all maps."""
    size, steps, kind = how
    mask = visible_pixel_mask(pixels, size, step, steps, kind)
    name = hashlib.blake2b(np.packbits(mask.astype(bool)).tobytes(), digest_size=16).digest()
    places.setdefault(name, (pixels, step))
    return name
