"""Paints one number for each segment over the picture, ever better as the pool of answers grows, and says how far to trust it."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from explainers.explanation_case import Case
from explainers.method import Attribution
from explainers.perturbation.blas_threads import limit_blas_to_one_thread
from explainers.perturbation.coalition_weights import Vector
from explainers.perturbation.coalitions import CoalitionSample, shared_coalition_pool
from explainers.perturbation.estimators import ROWS, first_frame_memory_estimate
from explainers.superpixels import segment_areas

Estimate = Callable[[CoalitionSample, Vector], Vector]
"""(a sample, the score of each of its rows) -> one number for each segment."""

BLOCKS = 8
ENOUGH = 0.05
"""Largest standard error of a segment, as a share of the map's range, of a converged map."""
FIRST_STEP = 128
LEAST_EXPLAINED = 0.5
"""Share of the answers' variance that a smooth game must predict of answers it was not given, or its values are not trusted."""
ROWS_A_SEGMENT = 4
"""Evaluations for each segment below which a smooth game that predicts badly has had too few to learn from."""
IN_BLOCKS = f"The smooth surrogate was fitted to {ROWS:,} answers at a time."
ALL_EQUAL = "Every segment counts exactly the same."
SURROGATE_FAILS = (
    "Not converged: the segments act together in a way that SHAP's smooth surrogate does not follow, "
    "as where the same evidence is there many times. Choose the estimator 'regression', or compare LIME."
)
FIRST_FRAME = "The first frame only: each segment shown alone and hidden alone."


def refine_segment_maps(
    case: Case, estimate: Estimate, frame_factor: float = 1.0, left_out: Estimate | None = None
) -> Iterator[Attribution]:
    """Ever better maps: the first frame's, then those of a pool that doubles until the budget is spent.

    Converged: the largest standard error of a segment's density is under 5 % of the densities' range. The last segment of a "top k" may
    tie with the next: the whole map is shown, and for two equal segments no budget would suffice.
    A converged map says so but does not end the sampling early: maps of all classes and of all methods on the pool rest on the same
    answers, so another target costs nothing and the maps of all classes add up.
    frame_factor: what the first frame's estimate is multiplied by, where `estimate` tends to a multiple of it.
    left_out: (a sample, its scores) -> each score less what `estimate`'s own model predicts of it from the others, where it rests on one.
    """
    pool = shared_coalition_pool(case)
    if pool.has_frame and pool.first < min(case.budget, pool.limit):
        sample = pool.grow(pool.first, case)
        densities = first_frame_memory_estimate(sample, case.values(sample.logits)) * frame_factor / segment_areas(case.segments)
        yield Attribution(_paint(case, densities), converged=False, remark=FIRST_FRAME)
    for evaluations in evaluation_milestones(pool.first if pool.has_frame else 2, min(case.budget, pool.limit)):
        yield _reading(case, pool.grow(evaluations, case), estimate, left_out)


def evaluation_milestones(first: int, budget: int) -> list[int]:
    """Evaluations at which a map is drawn: 128, 256, 512... beyond the first frame, and the budget."""
    doublings = [FIRST_STEP * 2**i for i in range(20)]
    return [step for step in doublings if first < step < budget] + [budget]


def jackknife_standard_errors(sample: CoalitionSample, values: Vector, estimate: Estimate, seed: int) -> Vector:
    """(M,) by the jackknife over blocks of drawn pairs: how much the estimate moves when a block is left out.

    The first frame stays: every run evaluates the same, so it is no source of chance. Where nothing was drawn the blocks are of the frame.
    """
    groups = sample.groups(BLOCKS, seed)
    drawn = [group[~sample.enumerated[2 + 2 * group]] for group in groups]
    blocks = drawn if all(len(block) for block in drawn) else groups
    left = [_without(sample, values, estimate, block) for block in blocks]
    return np.asarray(np.std(left, axis=0) * np.sqrt(len(left) - 1))


def split_half_estimates(sample: CoalitionSample, values: Vector, estimate: Estimate, seed: int) -> tuple[Vector, Vector]:
    """Two estimates from disjoint halves of the pairs; only what shows nothing and everything serves both."""
    first, second = (estimate(sample.keep(pairs), values[sample.rows(pairs)]) for pairs in sample.groups(2, seed))
    return first, second


def _without(sample: CoalitionSample, values: Vector, estimate: Estimate, block: NDArray[np.intp]) -> Vector:
    pairs = np.setdiff1d(np.arange(sample.pairs), block)
    return estimate(sample.keep(pairs), values[sample.rows(pairs)])


def _reading(case: Case, sample: CoalitionSample, estimate: Estimate, left_out: Estimate | None) -> Attribution:
    values, areas_ = case.values(sample.logits), segment_areas(case.segments)
    densities = estimate(sample, values) / areas_
    painted = _paint(case, densities)
    if sample.complete:
        return Attribution(painted, uncertainty=0.0, remark="Exact: every combination of segments was asked.")
    with limit_blas_to_one_thread():
        error = jackknife_standard_errors(sample, values, estimate, case.seed) / areas_
        first, second = (_paint(case, half / areas_) for half in split_half_estimates(sample, values, estimate, case.seed))
        missed = left_out(sample, values)[2:] if left_out else np.zeros(len(values) - 2)
    spread = float(np.ptp(densities))
    if spread == 0:
        unsure = float(error.any())
        return Attribution(painted, halves=(first, second), uncertainty=unsure, converged=False, more_helps=False, remark=ALL_EQUAL)
    ratio = float(error.max()) / spread
    predicted = 1 - np.square(missed).sum() / max(len(missed) * values[2:].var(), 1e-300)
    if predicted < LEAST_EXPLAINED:
        ratio = max(ratio, float((_surrogate_model_error(sample, missed) / areas_).max()) / spread)
        few = ROWS_A_SEGMENT * sample.parts - len(values)
        helps = few >= 0
        remark = _not_converged(max(evaluations_until_convergence(len(values), ratio), few)) if helps else SURROGATE_FAILS
        return Attribution(painted, halves=(first, second), uncertainty=ratio, converged=False, more_helps=helps, remark=remark)
    converged = ratio < ENOUGH
    remark = "" if converged else _not_converged(evaluations_until_convergence(len(values), ratio))
    if left_out and len(values) > ROWS:
        remark = f"{remark} {IN_BLOCKS}".lstrip()
    return Attribution(painted, halves=(first, second), uncertainty=ratio, converged=converged, remark=remark)


def _not_converged(missing: int) -> str:
    return f"Not converged: about {missing:,} more evaluations."


def _surrogate_model_error(sample: CoalitionSample, missed: Vector) -> float:
    """The error of a Shapley value whose smooth game misses answers by `missed` (n - 2,): root mean square of each size, averaged, times
    sqrt(2 / M), because the value is a mean over M sizes of differences of two answers."""
    sizes = sample.masks[2:].sum(1).astype(int)
    squares, rows = np.bincount(sizes, missed**2), np.bincount(sizes)
    return float(np.sqrt(squares[rows > 0] / rows[rows > 0]).mean() * np.sqrt(2 / sample.parts))


def evaluations_until_convergence(evaluations: int, ratio: float) -> int:
    """Evaluations that are missing until the error has fallen enough, with one significant digit; the error falls with their root."""
    missing = max(evaluations * ((ratio / ENOUGH) ** 2 - 1), 1)
    digit = 10 ** int(np.log10(missing))
    return int(np.ceil(missing / digit) * digit)


def _paint(case: Case, densities: Vector) -> NDArray[np.float32]:
    return np.asarray(densities[case.segments], np.float32)
