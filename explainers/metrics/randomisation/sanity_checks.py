"""Changes what should move a map, and what should not, and checks whether it does: re-initialised weights, another class, faint noise."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from errors import UserError
from explainers.blank_maps import mark_blank_attribution
from explainers.classifier_protocol import Score
from explainers.explanation_case import PRESETS, Case
from explainers.grid import Grid, attribution_on_common_grid
from explainers.method import Method
from explainers.method_runner import MethodResult
from explainers.metric import Family, Metric

Light = Literal["green", "amber", "red", "not asked"]
SOURCE = "Adebayo et al. 2018, arXiv:1810.03292"
SEED = 0
BUDGET = PRESETS["Fast"]
NO_MAP = "The method gives no map."


@dataclass(frozen=True)
class SanityCheck:
    """One question. similarity: Spearman correlation of the map before and after, over the cells of the common grid, signs kept.

    stays: whether a good map stays. green, amber: at most so much similarity (at least, where it should stay). why: where they come from.
    draws: so often the change is drawn. Of several the median of |similarity| counts: maps of one picture often lie on one axis, and on
    which side of it a re-initialised network puts them is chance.
    """

    name: str
    stays: bool
    green: float
    amber: float
    why: str
    draws: int = 1

    def light(self, similarity: float) -> Light:
        """Red where neither bound is kept."""
        kept = [similarity >= bound if self.stays else similarity <= bound for bound in (self.green, self.amber)]
        return "green" if kept[0] else "amber" if kept[1] else "red"


DRAWS = 3
WEIGHTS = {
    "head": SanityCheck(
        name="the head's weights drawn anew",
        stays=False,
        green=0.5,
        amber=1.0,
        why="above .5 the layers before the head fix where the map lies, and the head little but its sign; that is no fault of the method",
        draws=DRAWS,
    ),
    "last block": SanityCheck(
        name="the last block's weights drawn anew",
        stays=False,
        green=0.5,
        amber=1.0,
        why="above .5 the layers before the last block fix where the map lies; that is no fault of the method",
        draws=DRAWS,
    ),
    "everything": SanityCheck(
        name="all weights drawn anew",
        stays=False,
        green=0.5,
        amber=0.8,
        why="unrelated maps of one network reach .5 by a shared habit of the centre alone; "
        "above .8 the map hardly depends on what was learnt",
        draws=DRAWS,
    ),
}
CLASS = SanityCheck(
    name="another class",
    stays=False,
    green=0.7,
    amber=0.95,
    why="classes that look alike share evidence; above .95 the map says nothing of the class that was asked for",
)
NOISE = SanityCheck(
    name="noise of one level in 255",
    stays=True,
    green=0.9,
    amber=0.7,
    why="what cannot be seen should not move the map; .7 is where a map counts as converged",
)
CHECKS = (*WEIGHTS.values(), CLASS, NOISE)


@dataclass(frozen=True)
class SanityCheckResult:
    """One method's answer to one check. similarity is None and the light "not asked" where it could not run; reason says why.

    similarities: of each draw, signs kept.
    """

    title: str
    check: SanityCheck
    similarity: float | None
    light: Light
    reason: str
    similarities: tuple[float, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "check": self.check.name,
            "similarity": self.similarity,
            "light": self.light,
            "reason": self.reason,
            "drawn": self.similarities,
        }


@dataclass(frozen=True)
class SanityChecksMetric(Metric[SanityCheckResult]):
    """Five checks of each method, each by the similarity of its maps before and after a change."""

    title = "Sanity checks"
    key = "sanity"
    family: ClassVar[Family] = "randomisation"
    reruns = True
    evidence = "Sanity"
    source = SOURCE
    formula = (
        "Spearman's correlation of the map before and after the head, the last block or all weights are re-initialised (three times, by "
        "the median of its absolute value), for another class, and under noise, where the map should stay"
    )
    description = (
        "A map that stays the same when the network has forgotten what it learnt cannot explain what it learnt. "
        "Nor can one that stays the same for another class."
    )
    button = "Sanity checks"
    question = "Does the map change when the network's weights are drawn anew, or for another class? Does it stay under noise?"

    def __call__(self, case: Case, results: Sequence[MethodResult]) -> Iterator[SanityCheckResult]:
        yield from run_sanity_checks(case, [result.method for result in results])

    def cost(self, case: Case, results: Sequence[MethodResult]) -> int:
        return max_evaluations_of_sanity_checks(case, [result.method for result in results])

    def complete(self, findings: Sequence[SanityCheckResult], results: Sequence[MethodResult]) -> bool:
        return len(findings) >= len(results) * len(CHECKS)


@dataclass(frozen=True)
class _GridMap:
    """A signed map on the common grid, and why it shows no evidence, if so."""

    grid: Grid
    blank: str


Map = _GridMap | None


def max_evaluations_of_sanity_checks(case: Case, methods: Sequence[Method]) -> int:
    """Evaluations at most: every method once as it is and once for each change, all with a budget of 120."""
    return (1 + sum(check.draws for check in CHECKS)) * sum(method.cost(_with_small_budget(case)) for method in methods)


def run_sanity_checks(case: Case, methods: Sequence[Method]) -> Iterator[SanityCheckResult]:
    """Every check of every method, a check at a time, so that methods share evaluations within it. Raises Stopped.

    All maps, those of the unchanged network too, are made again with a budget of 120: the checks need a dozen of each method.
    """
    cheap = _with_small_budget(case)
    before = {method: _map(cheap, method) for method in methods}
    for check in CHECKS:
        after, reason = _after(cheap, check, methods)
        for method, own in before.items():
            yield _result(method, check, own, (after[method], reason))


def map_rank_correlation(a: Grid, b: Grid) -> float:
    """Spearman's correlation over all cells; 0 where one map is the same everywhere."""
    ranks = [rankdata(grid, axis=None) for grid in (a, b)]
    return 0.0 if min(float(np.ptp(rank)) for rank in ranks) == 0 else float(np.corrcoef(*ranks)[0, 1])


def score_for_other_class(case: Case) -> Score | None:
    """The same score for the likeliest class that the case's own does not speak of; None without one."""
    spoken = {case.score.target, getattr(case.score, "rather_than", None) if getattr(case.score, "kind", "") == "contrast" else None}
    likely = [int(number) for number in np.argsort(-case.image_logits, kind="stable") if int(number) not in spoken]
    score: Any = case.score
    return replace(score, target=likely[0]) if likely else None


def add_faint_noise(image: NDArray[np.float32], seed: int = SEED) -> NDArray[np.float32]:
    """(H, W, 3): every value one level of 255 up, down or as it was."""
    steps = np.random.default_rng(seed).integers(-1, 2, image.shape)
    return np.asarray(np.clip(image + steps / 255, 0, 1), np.float32)


def _result(method: Method, check: SanityCheck, own: Map, changed: tuple[list[_GridMap], str]) -> SanityCheckResult:
    """A map that shows no evidence cannot be checked: that nothing moves it, or everything, says nothing."""
    after, reason = changed
    if own is None or own.blank or not after:
        return SanityCheckResult(method.title, check, None, "not asked", reason or (own.blank if own else "") or NO_MAP)
    drawn = tuple(map_rank_correlation(own.grid, each.grid) for each in after)
    value = float(np.median(np.abs(drawn))) if check.draws > 1 else drawn[0]
    return SanityCheckResult(method.title, check, value, check.light(value), check.why, drawn)


def _after(case: Case, check: SanityCheck, methods: Sequence[Method]) -> tuple[dict[Method, list[_GridMap]], str]:
    """Each method's maps after each draw of the change; why there are none."""
    found: dict[Method, list[_GridMap]] = {method: [] for method in methods}
    try:
        for changed in _changed(case, check):
            for method, maps in found.items():
                maps.extend(seen for seen in [_map(changed, method)] if seen is not None)
    except UserError as error:
        return {method: [] for method in methods}, str(error)
    return found, ""


def _changed(case: Case, check: SanityCheck) -> Iterator[Case]:
    """The case after each draw of the change, one at a time, for each may hold a network. UserError where it cannot be changed."""
    if check is NOISE:
        yield case.variant(add_faint_noise(case.image))
    elif check is CLASS:
        score = score_for_other_class(case)
        if score is None:
            raise UserError("There is no class that the score does not speak of.")
        yield case.with_score(score)
    else:
        depth: Any = next(depth for depth, each in WEIGHTS.items() if each is check)
        for number in range(check.draws):
            yield case.variant(classifier=case.classifier.randomised(depth, SEED + number))


def _with_small_budget(case: Case) -> Case:
    return case.with_budget(min(case.budget, BUDGET))


def _map(case: Case, method: Method) -> Map:
    try:
        *_, last = method(case)
    except UserError:
        return None
    found = mark_blank_attribution(method, last, case)
    return _GridMap(attribution_on_common_grid(found, case.size), found.blank)
