"""Occlusion of linear scores by hand, windows at the border, coarse to fine, and what the budget leaves undone."""

import numpy as np
import pytest

from errors import UserError
from explainers.case import Case, Settings
from explainers.methods.occlusion import Occlusion
from explainers.windows import blocks, falls, mean_over_cover, positions
from tests.explainers.toys import Toy, ToyScore, detectors, picture

SIZE = (32, 32)
W = np.random.default_rng(0).normal(size=(3, *SIZE, 3)) / 100
LINEAR = Toy(SIZE, lambda x: np.tensordot(x, W, ([1, 2, 3], [1, 2, 3])), lambda x: W, classes=3)
IMAGE = picture(SIZE)


def evidence(case):
    """(H, W): what each pixel adds to the score when it is shown instead of the fill."""
    return (W[case.score.target] * (IMAGE - case.fill_image)).sum(-1)


def test_windows_reach_the_border():
    assert positions(10, 4, 3) == [0, 3, 6]
    assert positions(11, 4, 3) == [0, 3, 6, 7]
    assert positions(4, 8, 2) == [0]


def test_blocks_cover_the_picture_once():
    cover = np.zeros((33, 50))
    for top, left, bottom, right in blocks(4, (33, 50)):
        cover[top:bottom, left:right] += 1
    assert (cover == 1).all()


def test_mean_over_cover_by_hand():
    windows = [(0, 0, 2, 2), (1, 1, 3, 3)]
    expected = [[1, 1, 0], [1, 2, 3], [0, 3, 3]]
    np.testing.assert_allclose(mean_over_cover(windows, np.array([1.0, 3.0]), (3, 3)), expected)


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


def test_all_levels_on_a_linear_score_are_the_mean_of_the_block_means():
    case = Case(LINEAR, IMAGE, ToyScore(1), Settings(preset="Thorough"))
    maps = list(Occlusion()(case))
    assert [len(found.values) for found in maps] == [4, 8, 16]
    levels = [evidence(case).reshape(n, 32 // n, n, 32 // n).sum((1, 3)) * n**2 / 256 for n in (4, 8, 16)]
    expected = sum(np.kron(level, np.ones((16 // len(level),) * 2)) for level in levels) / 3
    np.testing.assert_allclose(maps[-1].values, expected, atol=1e-5)
    assert maps[-1].values.sum() == pytest.approx(evidence(case).sum(), abs=1e-4)
    assert case.evaluations == 1 + 16 + 64 + 256
    assert maps[-1].converged


def test_only_the_largest_falls_are_split():
    case = Case(LINEAR, IMAGE, ToyScore(0), Settings(preset="Fast"))
    maps = list(Occlusion()(case))
    first = falls(case, blocks(4, SIZE))
    split = np.argsort(-np.abs(first))[:6]
    values = maps[-1].values
    assert len(values) == 8
    for block in range(16):
        row, column = divmod(block, 4)
        inside = values[2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        assert (np.ptp(inside) > 0) == (block in split)
        assert inside.sum() == pytest.approx(first[block] / 4, abs=1e-5)  # falls per 1/256: a linear score's fall stays whole
    assert case.evaluations == 17 + 24


def test_maps_of_centred_logits_cancel_and_cost_other_classes_nothing():
    case = Case(LINEAR, IMAGE, ToyScore(0, "centred"), Settings(preset="Thorough"))
    total, spent = np.zeros((16, 16)), []
    for target in range(3):
        total += list(Occlusion()(case.retarget(ToyScore(target, "centred"))))[-1].values
        spent.append(case.evaluations)
    np.testing.assert_allclose(total, 0, atol=1e-5)
    assert spent == [337] * 3


def test_two_classes_that_mirror_each_other_have_mirrored_maps():
    mirrored = Toy(SIZE, lambda x: _sigmoid_pair(x), lambda x: None)
    case = Case(mirrored, IMAGE, ToyScore(0), Settings(preset="Fast"))
    first = list(Occlusion()(case))[-1].values
    other = list(Occlusion()(case.retarget(ToyScore(1))))[-1].values
    np.testing.assert_allclose(first, -other, atol=1e-6)
    assert case.evaluations == 41


def _sigmoid_pair(x):
    z = np.tensordot(x, W[0], ([1, 2, 3], [0, 1, 2]))
    return np.stack([-z, z], 1)


def test_a_block_that_the_budget_leaves_is_told_of():
    case = Case(detectors(), picture(detectors().size), ToyScore(0), Settings(budget=20))
    found = list(Occlusion()(case))[-1]
    assert case.evaluations == 17
    assert not found.converged
    assert "were not looked into further" in found.remark


def test_a_stride_that_the_budget_cannot_pay_is_widened_and_told():
    case = Case(LINEAR, IMAGE, ToyScore(0), Settings(budget=20))
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
    assert len(found.values) == (8 if size == (8, 8) else 16)
    assert np.isfinite(found.values).all()
