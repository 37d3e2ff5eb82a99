"""Deletes a picture's pixels in the order of a map, or puts them in, and follows the class's probability: a faithful map moves it early."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from explainers.baselines import NARROW
from explainers.case import Case
from explainers.grid import enlarge, grid_cells
from explainers.protocol import Floats

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
COPIES = 20
TIE = 1e-4
"""Areas, and mean probabilities, that differ by less are taken as equal: a probability that stays at 1 or at 0 ranks nothing."""
CANNOT = "Cannot be told: the class's probability is the same whichever pixels go first."
SOURCE = "Petsiuk, Das & Saenko 2018, arXiv:1806.07421, sec. 4"


@dataclass(frozen=True)
class Plan:
    """What is drawn. steps: the picture is changed in so many equal parts. randoms: orders drawn by chance, for comparison."""

    kinds: tuple[Kind, ...] = ("deletion", "insertion")
    substrates: tuple[str, ...] = ("mean colour", "blur")
    steps: int = 28
    randoms: int = 3

    def cost(self, maps: int) -> int:
        """Evaluations at most for so many maps and the random orders; equal masks are asked once."""
        return (maps + self.randoms) * (self.steps - 1) * len(self.kinds) * len(self.substrates) + len(set(FILL.values())) + 1

    def displaced_cost(self) -> int:
        """Evaluations at most for the displaced copies of one map."""
        return COPIES * (self.steps - 1) * len(self.kinds) * len(self.substrates)


@dataclass(frozen=True)
class Curve:
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
        return area_under(self.probabilities[:, self.target])

    def to_json(self) -> dict[str, Any]:
        """curve: the target's probabilities (steps + 1,)."""
        curve = self.probabilities[:, self.target]
        return {"method": self.title, "kind": self.kind, "substrate": self.substrate, "area": self.area, "curve": curve}


@dataclass(frozen=True)
class DisplacementTest:
    """Better than `better` of `copies` displaced copies of the same map, as good as `ties`: what the map's places add to its texture."""

    title: str
    kind: Kind
    substrate: str
    area: float
    better: int
    copies: int
    ties: int = 0

    @property
    def told(self) -> bool:
        """Whether the copies' areas differ from the map's at all, for at least half of them."""
        return 2 * self.ties <= self.copies

    @property
    def share(self) -> float:
        """The part of the copies that the map beats, a tie counting half."""
        return (self.better + self.ties / 2) / self.copies

    def to_json(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "kind": self.kind,
            "substrate": self.substrate,
            "area": self.area,
            "better": self.better,
            "copies": self.copies,
            "ties": self.ties,
            "told": self.told,
            "share": self.share if self.told else None,
        }


def inconclusive_reason(curve: Curve, drawn: Iterable[Curve]) -> str:
    """Why the curve says nothing, where every random order of its kind and substrate gives the same area; else empty."""
    areas = [each.area for each in drawn if each.random and (each.kind, each.substrate) == (curve.kind, curve.substrate)]
    return CANNOT if areas and all(abs(area - curve.area) < TIE for area in areas) else ""


def area_under(values: Floats) -> float:
    """By trapezia over equal steps; the whole way has length 1."""
    s = values.astype(np.float64)
    return float((s.sum() - s[0] / 2 - s[-1] / 2) / (len(s) - 1))


def curves(case: Case, maps: Mapping[str, Floats], plan: Plan = Plan()) -> Iterator[list[Curve]]:
    """For each substrate and kind the curves of all maps, and of random orders, asked together in full batches. Raises Stopped.

    maps: title -> (h, w), higher is more important.
    """
    orders = {title: order(values, case.size, case.seed) for title, values in maps.items()}
    drawn = {f"{RANDOM} {number + 1}": random_order(case.size, case.seed + number) for number in range(plan.randoms)}
    for substrate, kind in product(plan.substrates, plan.kinds):
        found = _curves(case, {**orders, **drawn}, kind, substrate, plan.steps)
        yield [replace(curve, random=curve.title in drawn) for curve in found]


def ranks(case: Case, title: str, values: Floats, plan: Plan = Plan()) -> Iterator[DisplacementTest]:
    """The map against 20 copies of itself, shifted and flipped; `plan.displaced_cost()` evaluations at most. Raises Stopped."""
    full = enlarge(values, case.size)
    copies = displaced(full, COPIES, case.seed)
    orders = {str(number): order(each, case.size, case.seed) for number, each in enumerate([full, *copies])}
    for substrate, kind in product(plan.substrates, plan.kinds):
        own, *others = (curve.area for curve in _curves(case, orders, kind, substrate, plan.steps))
        gains = [other - own if kind == "deletion" else own - other for other in others]
        better, ties = sum(gain >= TIE for gain in gains), sum(abs(gain) < TIE for gain in gains)
        yield DisplacementTest(title, kind, substrate, area=own, better=better, copies=len(others), ties=ties)


def order(values: Floats, size: tuple[int, int], seed: int) -> Order:
    """(H * W,) pixels from the most to the least important; pixels that tie come in a random order, drawn anew for no map."""
    full = enlarge(values, size).ravel()
    shuffled = np.random.default_rng(seed).permutation(full.size)
    return np.asarray(shuffled[np.argsort(-full[shuffled], kind="stable")])


def random_order(size: tuple[int, int], seed: int) -> Order:
    """The cells of the common grid by chance, pixels of a cell together: single random pixels would be noise rather than places."""
    cells = grid_cells(size)
    drawn = np.random.default_rng(seed).random((cells, cells)).astype(np.float32)
    rows, columns = (np.arange(side) * cells // side for side in size)
    return order(drawn[rows[:, None], columns], size, seed)


def displaced(full: Floats, count: int, seed: int) -> list[Floats]:
    """Copies of a map (H, W), flipped or not, and shifted round the edges by at least an eighth of a side in some direction."""
    rng = np.random.default_rng(seed)
    copies = []
    for _ in range(count):
        face = full[:: rng.choice([1, -1]), :: rng.choice([1, -1])]
        shift = [int(rng.integers(side // 8, side - side // 8 + 1)) for side in full.shape]
        copies.append(np.ascontiguousarray(np.roll(face, shift, (0, 1))))
    return copies


def shown_after(pixels: Order, size: tuple[int, int], step: int, steps: int, kind: Kind) -> Floats:
    """(H, W) mask of 0 and 1 after `step` of `steps` equal parts of the pixels were deleted or inserted."""
    mask = np.full(pixels.size, kind == "deletion", np.float32)
    mask[pixels[: round(step * pixels.size / steps)]] = kind == "insertion"
    return mask.reshape(size)


def _curves(case: Case, orders: Mapping[str, Order], kind: Kind, substrate: str, steps: int) -> list[Curve]:
    fill = FILL[kind, substrate]
    places: dict[bytes, tuple[Order, int]] = {}
    keys = [_named(places, pixels, step, (case.size, steps, kind)) for pixels in orders.values() for step in range(1, steps)]
    logits = case.recall(keys, lambda key: shown_after(places[key][0], case.size, places[key][1], steps, kind), fill)
    picture, bare = case.image_logits, case.fill_logits(fill)
    ends = (picture, bare) if kind == "deletion" else (bare, picture)
    inner = logits.reshape(len(orders), steps - 1, -1)
    rows = [case.probabilities(np.concatenate([ends[:1], each, ends[1:]])) for each in inner]
    return [Curve(title, kind, substrate, case.score.target, row) for title, row in zip(orders, rows, strict=True)]


def _named(places: dict[bytes, tuple[Order, int]], pixels: Order, step: int, how: tuple[tuple[int, int], int, Kind]) -> bytes:
    """A name for the mask, the same for equal masks, whoever made them."""
    size, steps, kind = how
    mask = shown_after(pixels, size, step, steps, kind)
    name = hashlib.blake2b(np.packbits(mask.astype(bool)).tobytes(), digest_size=16).digest()
    places.setdefault(name, (pixels, step))
    return name
