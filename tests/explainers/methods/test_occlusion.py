"""Occlusion of linear scores by hand, windows at the border, coarse to fine, and what the budget leaves undone."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from benchmarks.known_evidence.phantoms import decisive_phantoms
from errors import UserError
from explainers.explanation_case import Case, ExplanationSettings
from explainers.grid import sum_map_onto_grid
from explainers.methods.occlusion import ENOUGH_AGREEMENT, Occlusion
from explainers.perturbation.convergence import predict_final_agreement
from explainers.perturbation.occlusion_windows import (
    NOISE,
    fit_smooth_evidence,
    mean_over_covering_windows,
    score_drops_of_windows,
    sliding_windows,
    smoothness_kernel,
    window_coverage,
    window_positions,
    windows_in_pixels,
)
from models.classifiers.score import Score
from models.loading import load_classifier
from tests.explainers.toy_classifiers import Toy, ToyScore, detectors, picture

SIZE = (32, 32)
W = np.random.default_rng(0).normal(size=(3, *SIZE, 3)) / 100
LINEAR = Toy(SIZE, lambda x: np.tensordot(x, W, ([1, 2, 3], [1, 2, 3])), lambda x: W, classes=3)
IMAGE = picture(SIZE)


def evidence(case):
    """(H, W): what each pixel adds to the score when it is shown instead of the fill."""
    return (W[case.score.target] * (IMAGE - case.fill_image)).sum(-1)


def test_windows_reach_the_border():
    assert window_positions(10, 4, 3) == [0, 3, 6]
    assert window_positions(11, 4, 3) == [0, 3, 6, 7]
    assert window_positions(4, 8, 2) == [0]


def test_windows_of_a_grid_cover_every_pixel():
    assert sliding_windows(4, 3, 1) == [(0, 0, 3, 3), (0, 1, 3, 4), (1, 0, 4, 3), (1, 1, 4, 4)]
    for step in (1, 2):
        windows = windows_in_pixels(sliding_windows(7, 3, step), 7, (33, 50))
        assert (mean_over_covering_windows(windows, np.ones(len(windows)), (33, 50)) == 1).all()


def test_smooth_evidence_is_the_minimum_that_it_says():
    """By the normal equations of |A m - f|^2 / s + m' K^-1 m, instead of the kernel's."""
    windows, found = sliding_windows(7, 3, 1), np.random.default_rng(0).normal(size=25)
    cover, like = window_coverage(windows, 7), smoothness_kernel(7)
    noise = NOISE * max(row @ like @ row for row in cover)
    expected = np.linalg.solve(cover.T @ cover / noise + np.linalg.inv(like), cover.T @ found / noise)
    np.testing.assert_allclose(fit_smooth_evidence(windows, found, 7).ravel(), expected, atol=1e-10)


def test_smooth_evidence_peaks_where_all_falling_windows_meet():
    windows = [*sliding_windows(14, 6, 2), *sliding_windows(14, 3, 1)]
    found = np.array([float(top <= 4 < bottom and left <= 9 < right) for top, left, bottom, right in windows])
    values = fit_smooth_evidence(windows, found, 14)
    assert np.unravel_index(values.argmax(), values.shape) == (4, 9)
    assert not fit_smooth_evidence(windows, 0 * found, 14).any()


def test_mean_over_cover_by_hand():
    windows = [(0, 0, 2, 2), (1, 1, 3, 3)]
    expected = [[1, 1, 0], [1, 2, 3], [0, 3, 3]]
    np.testing.assert_allclose(mean_over_covering_windows(windows, np.array([1.0, 3.0]), (3, 3)), expected)


def test_fixed_windows_on_a_linear_score():
    case = Case(LINEAR, IMAGE, ToyScore(0))
    found = list(Occlusion(search="fixed windows", window=12, stride=8)(case))[-1]
    starts = [0, 8, 16, 20]
    total, count = np.zeros(SIZE), np.zeros(SIZE)
    for top in starts:
        for left in starts:
            total[top : top + 12, left : left + 12] += evidence(case)[top : top + 12, left : left + 12].sum()
            count[top : top + 12, left : left + 12] += 1
    np.testing.assert_allclose(found.values, total / count, atol=1e-5)
    assert case.evaluations == 16 + 1


def test_a_linear_score_by_hand():
    """The map of a linear score follows from the evidence in each window alone."""
    case = Case(LINEAR, IMAGE, ToyScore(1), ExplanationSettings(preset="Balanced"))
    maps = list(Occlusion()(case))
    assert [len(found.values) for found in maps] == [28] * 4
    windows = [(4 * top, 4 * left, 4 * top + 12, 4 * left + 12) for top in range(5) for left in range(5)]
    hidden = [evidence(case)[top:bottom, left:right].sum() for top, left, bottom, right in windows_in_pixels(windows, 28, SIZE)]
    np.testing.assert_allclose(maps[0].values, fit_smooth_evidence(windows, np.array(hidden), 28), atol=1e-6)
    assert case.evaluations == 1 + 25 + 50 + 50 + 44 == Occlusion().cost(case)


def test_what_equals_the_fill_gets_nothing_but_what_windows_across_its_border_blur_into_it():
    image = picture(SIZE)
    image[:, :16] = 0
    case = Case(LINEAR, image, ToyScore(0), ExplanationSettings(fill="black"))
    values = list(Occlusion()(case))[-1].values
    assert score_drops_of_windows(case, [(0, 0, 32, 16)])[0] == 0
    assert np.abs(values[:, :10]).mean() < 0.1 * np.abs(values[:, 14:]).mean()


def test_smaller_windows_go_where_the_large_ones_tell_most():
    case = Case(detectors(), picture(detectors().size), ToyScore(0), ExplanationSettings(preset="Fast"))
    maps = list(Occlusion()(case))
    assert case.evaluations == 1 + 25 + 50
    asked = {key for key in case._answers[case.fill] if len(key) == 4}
    small = [abs(maps[0].values[2 * r : 2 * r + 6, 2 * c : 2 * c + 6].sum(dtype=np.float64)) for r, c in np.ndindex(12, 12)]
    windows = windows_in_pixels([(2 * r, 2 * c, 2 * r + 6, 2 * c + 6) for r, c in np.ndindex(12, 12)], 28, case.size)
    chosen = np.array([window in asked for window in windows])
    assert chosen.sum() == 50
    assert np.array(small)[chosen].min() >= np.array(small)[~chosen].max()


def test_maps_of_centred_logits_cancel_where_the_same_windows_were_asked():
    case = Case(LINEAR, IMAGE, ToyScore(0, "centred"), ExplanationSettings(budget=26))
    total, spent = np.zeros((28, 28)), []
    for target in range(3):
        total += list(Occlusion()(case.with_score(ToyScore(target, "centred"))))[-1].values
        spent.append(case.evaluations)
    np.testing.assert_allclose(total, 0, atol=1e-5)
    assert spent == [26] * 3


def test_two_classes_that_mirror_each_other_have_mirrored_maps():
    mirrored = Toy(SIZE, lambda x: _sigmoid_pair(x), lambda x: None)
    case = Case(mirrored, IMAGE, ToyScore(0), ExplanationSettings(preset="Fast"))
    first = list(Occlusion()(case))[-1].values
    other = list(Occlusion()(case.with_score(ToyScore(1))))[-1].values
    np.testing.assert_allclose(first, -other, atol=1e-6)
    assert case.evaluations == 76


def _sigmoid_pair(x):
    z = np.tensordot(x, W[0], ([1, 2, 3], [0, 1, 2]))
    return np.stack([-z, z], 1)


@pytest.mark.parametrize("budget", [20, 26, 27, 31, 40, 75])
def test_a_budget_that_cuts_a_step_short_is_kept_and_never_claims_to_have_converged(budget):
    flat = Toy((28, 28), lambda x: np.ones((len(x), 2)), lambda x: None)  # nothing to be found, so that the figure alone would claim it
    for model in (detectors(), flat):
        case = Case(model, picture(model.size), ToyScore(0), ExplanationSettings(preset="Fast", budget=budget))
        maps = list(Occlusion()(case))
        assert case.evaluations == budget == Occlusion().cost(case)
        assert not any(found.converged for found in maps)
        assert all(found.remark for found in maps)
        assert maps[-1].uncertainty >= 0
    paid = {20: 10, 26: 0, 27: 1, 31: 5, 40: 14, 75: 49}[budget]
    assert maps[-1].remark == (f"Not converged: the budget paid {paid} of the 50 windows of this step." if paid else maps[0].remark)


def test_a_map_that_few_windows_cannot_settle_says_so():
    rng = np.random.default_rng(0)
    restless = Toy((28, 28), lambda x: rng.normal(size=(len(x), 2)), lambda x: None)
    *_, found = Occlusion()(Case(restless, picture((28, 28)), ToyScore(0), ExplanationSettings(preset="Fast")))
    assert not found.converged
    assert found.remark.startswith("Not converged: a map of every window is expected to correlate with it at 0.")
    assert found.uncertainty > 1 - ENOUGH_AGREEMENT
    constant = Toy((28, 28), lambda x: np.ones((len(x), 2)), lambda x: None)
    *_, found = Occlusion()(Case(constant, picture((28, 28)), ToyScore(0)))
    assert found.converged
    assert found.uncertainty == 0
    assert not found.values.any()


def test_the_predicted_agreement_is_that_of_maps_drawn_from_the_kernel():
    """Evidence drawn as the kernel has it and noise as the map allows: what some windows predict is what comes with the others."""
    every = [*sliding_windows(7, 3, 1), *sliding_windows(14, 3, 1)]
    every = [tuple(2 * side for side in window) for window in every[:25]] + every[25:]
    cover, like = window_coverage(every, 14), smoothness_kernel(14)
    noise = NOISE * (cover @ like @ cover.T).diagonal().max()
    root = np.linalg.cholesky(like + 1e-9 * np.eye(len(like)))
    rng = np.random.default_rng(0)
    for count in (25, 80, len(every)):
        rows = [*range(25), *(25 + rng.permutation(len(every) - 25)[: count - 25])]
        some, told, true = [every[row] for row in rows], [], []
        for _ in range(80):
            hidden = cover @ (root @ rng.normal(size=len(like))) + np.sqrt(noise) * rng.normal(size=len(every))
            maps = fit_smooth_evidence(some, hidden[rows], 14), fit_smooth_evidence(every, hidden, 14)
            told.append(predict_final_agreement(some, 3 * hidden[rows], every, 14))  # whatever the units of the score
            true.append(np.corrcoef(*(values.ravel() for values in maps))[0, 1])
        assert np.mean(told) == pytest.approx(np.mean(true), abs=0.03)
    assert told == pytest.approx(np.ones(80), abs=1e-6)


def test_what_is_claimed_of_phantoms_is_right():
    """Converged: its ranks are Thorough's. Five phantoms; Fast's large cells cannot be, Balanced's are."""
    classifier, right = load_classifier("phantoms"), []
    for picture_ in decisive_phantoms(classifier, 5):
        thorough, *others = (
            list(Occlusion()(Case(classifier, picture_.image, Score(picture_.target), ExplanationSettings(preset=preset))))[-1]
            for preset in ("Thorough", "Fast", "Balanced")
        )
        wanted = sum_map_onto_grid(thorough.values, classifier.size).ravel()
        for found in others:
            reached = spearmanr(sum_map_onto_grid(found.values, classifier.size).ravel(), wanted).statistic
            assert not found.converged or reached > 0.9
            right.append(found.converged == (reached >= ENOUGH_AGREEMENT))
        assert [found.converged for found in others] == [False, True]
    assert sum(right) >= 8


def test_a_stride_that_the_budget_cannot_pay_is_widened_and_reported():
    case = Case(LINEAR, IMAGE, ToyScore(0), ExplanationSettings(budget=20))
    found = list(Occlusion(search="fixed windows", window=16, stride=2)(case))[-1]
    assert case.evaluations <= 20
    assert "Windows every" in found.remark
    assert not found.converged


def test_a_stride_beyond_the_window_is_refused():
    with pytest.raises(UserError, match="stride is 64"):
        Occlusion(window=32, stride=64)


@pytest.mark.parametrize("size", [(8, 8), (30, 41)])
def test_pictures_of_any_size(size):
    weights = np.ones((2, *size, 3))
    model = Toy(size, lambda x: np.tensordot(x, weights, ([1, 2, 3], [1, 2, 3])), lambda x: weights)
    found = list(Occlusion()(Case(model, picture(size), ToyScore(0))))[-1]
    assert len(found.values) == (7 if size == (8, 8) else 28)
    assert np.isfinite(found.values).all()
