"""Changes what should move a map, and what should not, and looks whether it does: weights drawn anew, another class, faint noise."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from errors import UserError
from explainers.blank import diagnosed
from explainers.case import Case
from explainers.measures.agreement import Grid, on_common_grid
from explainers.method import Method
from explainers.protocol import Score

Light = Literal["green", "amber", "red", "not asked"]
SOURCE = "Adebayo et al. 2018, arXiv:1810.03292"
SEED = 0
NO_MAP = "The method gives no map."


@dataclass(frozen=True)
class Check:
    """One question. similarity: Spearman correlation of the map before and after, over the cells of the common grid, signs kept.

    stays: whether a good map stays. green, amber: at most so much similarity (at least, where it should stay). why: where they come from.
    """

    name: str
    stays: bool
    green: float
    amber: float
    why: str

    def light(self, similarity: float) -> Light:
        """Red where neither bound is kept."""
        kept = [similarity >= bound if self.stays else similarity <= bound for bound in (self.green, self.amber)]
        return "green" if kept[0] else "amber" if kept[1] else "red"


_HABIT = (
    "unrelated maps of one network reach .5 by a shared habit of the centre alone; above .8 the map hardly depends on what was learnt there"
)
WEIGHTS = {
    depth: Check(name, False, 0.5, 0.8, _HABIT)
    for depth, name in (
        ("head", "the head's weights drawn anew"),
        ("last block", "the last block's weights drawn anew"),
        ("everything", "all weights drawn anew"),
    )
}
CLASS = Check(
    "another class",
    False,
    0.7,
    0.95,
    "classes that look alike share evidence; above .95 the map says nothing of the class that was asked for",
)
NOISE = Check(
    "noise of one level in 255", True, 0.9, 0.7, "what cannot be seen should not move the map; .7 is where a map counts as converged"
)


@dataclass(frozen=True)
class Finding:
    """One method's answer to one check. similarity is None and the light "not asked" where it could not be put; reason says why."""

    title: str
    check: Check
    similarity: float | None
    light: Light
    reason: str


@dataclass(frozen=True)
class _Seen:
    """A signed map on the common grid, and why it shows no evidence, if so."""

    grid: Grid
    blank: str


Map = _Seen | None


def cost(case: Case, methods: Sequence[Method]) -> int:
    """Evaluations at most: every method five times more, and once itself where it is not known."""
    alone = sum(method.cost(case) for method in methods if method.family != "surrogate")
    return 6 * (alone + sum(method.cost(case) for method in methods if method.family == "surrogate"))


def findings(case: Case, methods: Sequence[Method]) -> Iterator[Finding]:
    """Every check of every method, a check at a time, so that methods share evaluations within it. Raises Stopped."""
    before = {method: _map(case, method) for method in methods}
    for check, changed, reason in _changes(case):
        for method, own in before.items():
            yield _finding(method, check, own, None if changed is None else _map(changed, method), reason)


def similarity(a: Grid, b: Grid) -> float:
    """Spearman's correlation over all cells; 0 where one map is the same everywhere."""
    ranks = [rankdata(grid, axis=None) for grid in (a, b)]
    return 0.0 if min(float(np.ptp(rank)) for rank in ranks) == 0 else float(np.corrcoef(*ranks)[0, 1])


def other_class(case: Case) -> Score | None:
    """The same score for the likeliest class that the case's own does not speak of; None without one."""
    spoken = {case.score.target, getattr(case.score, "rather_than", None) if getattr(case.score, "kind", "") == "contrast" else None}
    likely = [int(number) for number in np.argsort(-case.image_logits, kind="stable") if int(number) not in spoken]
    score: Any = case.score
    return replace(score, target=likely[0]) if likely else None


def faint_noise(image: NDArray[np.float32], seed: int = SEED) -> NDArray[np.float32]:
    """(H, W, 3): every value one level of 255 up, down or as it was."""
    steps = np.random.default_rng(seed).integers(-1, 2, image.shape)
    return np.asarray(np.clip(image + steps / 255, 0, 1), np.float32)


def _finding(method: Method, check: Check, own: Map, after: Map, reason: str) -> Finding:
    """A map that shows no evidence cannot be asked: that nothing moves it, or everything, says nothing."""
    if own is None or own.blank or after is None:
        return Finding(method.title, check, None, "not asked", reason or (own.blank if own else "") or NO_MAP)
    value = similarity(own.grid, after.grid)
    return Finding(method.title, check, value, check.light(value), check.why)


def _changes(case: Case) -> Iterator[tuple[Check, Case | None, str]]:
    for depth, check in WEIGHTS.items():
        try:
            yield check, case.beside(classifier=case.classifier.randomised(depth, SEED)), ""  # type: ignore[arg-type]
        except UserError as error:
            yield check, None, str(error)
    score = other_class(case)
    yield CLASS, case.retarget(score) if score else None, "" if score else "There is no class that the score does not speak of."
    yield NOISE, case.beside(faint_noise(case.image)), ""


def _map(case: Case, method: Method) -> Map:
    try:
        *_, last = method(case)
    except UserError:
        return None
    found = diagnosed(method, last, case)
    return _Seen(on_common_grid(found, case.size), found.blank)
