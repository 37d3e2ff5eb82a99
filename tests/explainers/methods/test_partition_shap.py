"""Partition SHAP's credits are Owen values over a tree of rectangles, add up exactly, and sharpen where the evidence is."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from explainers.explanation_case import Case, ExplanationSettings
from explainers.methods.partition_shap import PartitionSHAP, RectangleTree
from tests.explainers.coalition_games import Game, cell_classifier
from tests.explainers.toy_classifiers import Toy, ToyScore, detectors, picture


def white_case(game: Game, grid: tuple[int, int], budget: int = 1000) -> Case:
    toy = cell_classifier([game, game], grid, cell=2)
    return Case(toy, np.ones((*toy.size, 3), np.float32), ToyScore(0), ExplanationSettings(fill="black", budget=budget))


def test_the_tree_halves_the_longer_side_down_to_cells() -> None:
    tree = RectangleTree((4, 8), 4)
    assert tree.shape == (2, 4)
    assert tree.areas.tolist() == [4.0] * 8
    assert tree.clustering[-1].tolist() == [10, 13, 1, 8], "the whole: left half and right half, eight cells"
    assert tree.clustering[0].tolist() == [0, 1, 1, 2], "a square is cut into an upper and a lower half first"


def test_a_straight_line_is_shared_out_cell_by_cell() -> None:
    game = Game(16, {(i,): float(i - 4) for i in range(16)})
    last = list(PartitionSHAP(cells=4)(white_case(game, (4, 4))))[-1]
    np.testing.assert_allclose(last.values[::2, ::2].ravel() * 4, [i - 4 for i in range(16)], atol=1e-5)
    assert last.converged


def test_an_interaction_by_hand() -> None:
    """v = 1 when cells 0, 1 and 3 of four in a row show: each half takes 1/2; 0 and 1 share theirs, 3 keeps its own."""
    last = list(PartitionSHAP(cells=4)(white_case(Game(4, {(0, 1, 3): 1.0}), (1, 4))))[-1]
    np.testing.assert_allclose(last.values[0, ::2] * 4, [0.25, 0.25, 0, 0.5], atol=1e-6)


def test_every_map_adds_up_and_asks_within_the_budget() -> None:
    toy = detectors()
    case = Case(toy, picture(toy.size), ToyScore(1, "centred"), ExplanationSettings(budget=200))
    maps = list(PartitionSHAP()(case))
    assert len(maps) == 3
    for attribution in maps:
        change = case.image_value - float(case.values(case.baseline_logits)[0])
        assert attribution.values.sum(dtype=np.float64) == pytest.approx(change, abs=1e-5)
    assert case.evaluations <= 200
    assert not maps[-1].converged
    assert maps[-1].remark == "200 questions asked; the budget left rectangles uncut."


def test_it_cuts_finest_where_the_evidence_is() -> None:
    toy = Toy((64, 64), lambda images: np.stack([images[:, 8:16, 40:48].mean((1, 2, 3)), 0 * images[:, 0, 0, 0]], 1), lambda image: image)
    case = Case(toy, np.ones((64, 64, 3), np.float32), ToyScore(0), ExplanationSettings(fill="black", budget=300))
    values = list(PartitionSHAP()(case))[-1].values
    assert values[8:16, 40:48].sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(values[:, :32], 0, atol=1e-7)


def test_the_same_seed_gives_the_same_map_and_the_global_generator_is_left_alone() -> None:
    toy = detectors()
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    maps = [
        list(PartitionSHAP()(Case(toy, picture(toy.size), ToyScore(1, "centred"), ExplanationSettings(budget=100))))[-1].values
        for _ in range(2)
    ]
    np.testing.assert_array_equal(*maps)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_threads_draw_each_for_itself_and_leave_the_global_generator_as_it_was() -> None:
    """Eight at once, with models that wait, so that one begins before another has ended. All rectangles but single cells weigh the same."""
    board = (np.indices((16, 16)) // 4).sum(0) % 2

    def slow(images: np.ndarray) -> np.ndarray:
        time.sleep(0.001)
        return np.stack([images.mean(-1).reshape(len(images), -1) @ board.ravel(), images[:, 0, 0, 0]], 1)

    def explained(seed: int) -> np.ndarray:
        image = np.ones((16, 16, 3), np.float32)
        case = Case(Toy((16, 16), slow, lambda image: image), image, ToyScore(0), ExplanationSettings(fill="black", budget=101, seed=seed))
        return list(PartitionSHAP(cells=4)(case))[-1].values

    alone = [explained(seed) for seed in range(8)]
    before = np.random.get_state()  # noqa: NPY002
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(explained, range(8)))
    after = np.random.get_state()  # noqa: NPY002
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(after[1], before[1])
    assert after[2:] == before[2:]
    assert any((one != alone[0]).any() for one in alone[1:]), "ties are broken by the seed"


def test_while_the_model_is_evaluated_the_global_generator_is_the_callers() -> None:
    np.random.seed(5)  # noqa: NPY002
    before, seen = np.random.get_state()[1].copy(), []  # noqa: NPY002

    def logits(images: np.ndarray) -> np.ndarray:
        seen.append((np.random.get_state()[1] == before).all())  # noqa: NPY002
        return np.stack([images.mean((1, 2, 3)), images[:, 0, 0, 0]], 1)

    list(PartitionSHAP()(Case(Toy((16, 16), logits, lambda image: image), picture((16, 16)), ToyScore(0), ExplanationSettings(budget=64))))
    assert len(seen) > 2
    assert all(seen)


def test_an_error_in_the_model_gives_the_generator_back() -> None:
    def logits(images: np.ndarray) -> np.ndarray:
        if len(images) > 1:
            raise ValueError("broken")
        return np.ones((len(images), 2))

    case = Case(Toy((16, 16), logits, lambda image: image), picture((16, 16)), ToyScore(0), ExplanationSettings(budget=64))
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    with pytest.raises(ValueError, match="broken"):
        list(PartitionSHAP()(case))
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
