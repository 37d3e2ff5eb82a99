"""The one resize and the exact area sum, by hand."""

import numpy as np
import pytest

from explainers.grid import enlarge_map, grid_cells_per_side, sum_into_cells, sum_map_onto_grid


def test_enlarging_is_half_pixel_bilinear():
    values = np.array([[0, 4], [8, 12]], np.float32)
    row = [0, 1, 3, 4]
    np.testing.assert_allclose(enlarge_map(values, (2, 4)), [row, [8 + v for v in row]])
    np.testing.assert_allclose(enlarge_map(values, (4, 2))[:, 0], [0, 2, 6, 8])


def test_enlarging_by_a_fraction_agrees_with_its_definition():
    values = np.random.default_rng(0).random((7, 5)).astype(np.float32)
    enlarged = enlarge_map(values, (100, 64))
    y, x = (37 + 0.5) * 7 / 100 - 0.5, (50 + 0.5) * 5 / 64 - 0.5
    (t, i), (u, j) = np.modf(y), np.modf(x)
    i, j = int(i), int(j)
    top = (1 - u) * values[i, j] + u * values[i, j + 1]
    bottom = (1 - u) * values[i + 1, j] + u * values[i + 1, j + 1]
    assert enlarged[37, 50] == pytest.approx((1 - t) * top + t * bottom, abs=1e-6)


def test_the_same_size_is_the_same_map():
    values = np.random.default_rng(0).random((9, 9)).astype(np.float32)
    assert enlarge_map(values, (9, 9)) is values


def test_area_sum_cuts_pixels_by_their_share():
    np.testing.assert_allclose(sum_into_cells(np.array([[2.0, 4.0, 6.0]] * 3), 2), [[6, 12], [6, 12]])
    summed = sum_into_cells(np.arange(3.0)[None].repeat(2, 0), 2)  # columns 0, 1, 2 in halves: 0 + 1/2, 1/2 + 2
    np.testing.assert_allclose(summed, [[0.5, 2.5], [0.5, 2.5]])


@pytest.mark.parametrize(("size", "cells"), [((64, 64), 7), ((224, 224), 14), ((299, 299), 16), ((100, 150), 9)])
def test_area_sum_keeps_the_sum_and_the_sign(size, cells):
    values = np.random.default_rng(0).normal(size=size)
    assert sum_into_cells(values, cells).sum() == pytest.approx(values.sum(), abs=1e-9)
    assert sum_into_cells(np.ones(size), cells) == pytest.approx(size[0] * size[1] / cells**2)


@pytest.mark.parametrize(("side", "cells"), [(224, 14), (64, 7), (128, 8), (256, 16), (512, 16), (299, 16), (150, 9)])
def test_cells_are_of_16_pixels_and_7_to_16_a_side(side, cells):
    assert grid_cells_per_side((side, side)) == cells


def test_a_coarse_map_is_enlarged_before_it_is_summed():
    values = np.random.default_rng(0).random((7, 7)).astype(np.float32)
    np.testing.assert_allclose(sum_map_onto_grid(values, (224, 224)), sum_into_cells(enlarge_map(values, (224, 224)), 14))
