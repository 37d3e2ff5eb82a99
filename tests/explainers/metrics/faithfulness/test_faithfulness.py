"""ROAD, average drop, infidelity and sensitivity, by hand and against dense linear algebra."""

import numpy as np
import pytest

from explainers.explanation_case import Case, ExplanationSettings
from explainers.methods.grad_cam import GradCAM
from explainers.methods.occlusion import Occlusion
from explainers.metrics.faithfulness import average_drop, infidelity, road
from explainers.metrics.robustness import max_sensitivity
from tests.explainers.toy_classifiers import ToyScore, detectors, picture


def toy_case(**settings) -> Case:
    toy = detectors(grid=(4, 5), cell=8)
    return Case(toy, picture(toy.size), ToyScore(0, "centred"), ExplanationSettings(preset="Fast", **settings))


def maps(case: Case, count: int = 3) -> dict[str, np.ndarray]:
    found = {f"map {n}": np.random.default_rng(n).normal(size=case.size).astype(np.float32) for n in range(count)}
    for values in found.values():
        values.flags.writeable = False
    return found


def dense(image: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Every hidden pixel the weighted mean of those of its eight neighbours that lie in the picture, by a dense solve."""
    height, width = hidden.shape
    matrix, known = np.eye(height * width), np.zeros((height * width, 3))
    for row in range(height):
        for column in range(width):
            here = row * width + column
            if not hidden[row, column]:
                known[here] = image[row, column]
                continue
            beside = [(r, c) for r in (row - 1, row, row + 1) for c in (column - 1, column, column + 1) if (r, c) != (row, column)]
            beside = [(r, c) for r, c in beside if 0 <= r < height and 0 <= c < width]
            weights = [1 / 6 if row == r or column == c else 1 / 12 for r, c in beside]
            for (r, c), weight in zip(beside, weights, strict=True):
                matrix[here, r * width + c] -= weight / sum(weights)
    return np.linalg.solve(matrix, known).reshape(height, width, 3)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_imputation_is_the_dense_solution(share, monkeypatch) -> None:
    monkeypatch.setattr(road, "NOISE", 0)
    image = np.random.default_rng(1).random((9, 7, 3)).astype(np.float32)
    hidden = np.random.default_rng(2).random((9, 7)) < share
    np.testing.assert_allclose(road.impute_pixels(image, hidden, 0), dense(image, hidden), atol=1e-5)


def test_imputation_leaves_what_is_shown_and_adds_noise_to_the_rest() -> None:
    image = np.full((64, 64, 3), 0.5, np.float32)
    hidden = np.zeros((64, 64), bool)
    hidden[8:56, 8:56] = True
    found = road.impute_pixels(image, hidden, 0)
    assert (found[~hidden] == 0.5).all()
    assert found[hidden].std() == pytest.approx(0.01, rel=0.05)
    assert (road.impute_pixels(image, hidden & False, 0) == image).all()


def test_the_weights_sum_to_one() -> None:
    assert sum(weight for *_, weight in road.NEIGHBOURS) == pytest.approx(1)


def test_road_prefers_the_map_to_its_opposite_and_costs_what_it_says() -> None:
    case = toy_case()
    truth = Occlusion()(case)
    *_, last = truth
    before = case.evaluations
    for_it, against = road.road_scores(case, {"map": last.values, "opposite": -last.values})
    assert case.evaluations - before == road.evaluations_of_road(2) == 28
    assert for_it.value > 0 > against.value
    assert for_it.value == pytest.approx((for_it.least - for_it.most) / 2)
    again = road.road_scores(case, {"scaled": last.values * 5})[0]
    assert (again.least, again.most) == (for_it.least, for_it.most)


def test_drop_and_increase_by_hand() -> None:
    found = [
        average_drop.AverageDropScore("m", 0.8, 0.4),
        average_drop.AverageDropScore("m", 0.5, 0.6),
        average_drop.AverageDropScore("m", 0.5, 0.5),
    ]
    assert [each.drop for each in found] == pytest.approx([0.5, 0, 0])
    assert [each.increase for each in found] == [False, True, False]


def test_drop_shows_the_map_over_its_maximum() -> None:
    case = toy_case()
    values = np.array([[2.0, -1], [1, 0]], np.float32)
    assert average_drop.soft_mask_of_map(values, (2, 2)).tolist() == [[1, 0], [0.5, 0]]
    everything, black = np.ones(case.size, np.float32), average_drop.average_drops(case, {"a": np.ones((2, 2), np.float32) * 3}, "black")[0]
    assert black.shown == pytest.approx(black.whole, abs=1e-6)
    found = average_drop.average_drops(case, {**maps(case), "nothing": -everything})
    assert [each.title for each in found] == ["map 0", "map 1", "map 2"]
    assert average_drop.average_drops(case, {"map 0": maps(case)["map 0"] * 9})[0].shown == pytest.approx(found[0].shown, abs=1e-6)


def test_infidelity_by_hand() -> None:
    falls = np.array([1.0, 2, 3])
    assert infidelity.unexplained_variance(falls * 7, falls) == pytest.approx(0)
    assert infidelity.unexplained_variance(-falls, falls) == 1
    assert infidelity.unexplained_variance(np.zeros(3), falls) == 1
    assert infidelity.unexplained_variance(np.array([1.0, 0, 0]), falls) == pytest.approx(1 - 1 / 14)
    assert infidelity.unexplained_variance(falls, np.zeros(3)) is None
    assert infidelity.predicted_score_drops(np.array([[1.0, 2], [3, 4]]), np.array([[[1.0, 0], [0, 1]]])).tolist() == [5]


def test_the_exact_evidence_of_the_glass_box_foretells_every_fall() -> None:
    """With a fill in which the detectors are silent, what a patch hides is what the score loses."""
    from models.classifiers.score import Score
    from models.datasets.synthetic.glass_box import NAMES, draw_colour_patches, exact_pixel_evidence
    from models.loading import load_classifier

    found = draw_colour_patches(5, "red")
    case = Case(load_classifier("glass_box"), found.image, Score(NAMES.index("red"), "logit"), ExplanationSettings(fill="blur"))
    target = case.score.target
    truth = (exact_pixel_evidence(case.image) - exact_pixel_evidence(case.fill_image))[..., target].astype(np.float32)
    exact, noise = infidelity.measure_infidelity(case, {"truth": truth, "noise": np.random.default_rng(0).normal(size=case.size)})
    assert exact.value < 1e-4
    assert noise.value > 0.5


def test_infidelity_asks_once_for_all_maps() -> None:
    case = toy_case()
    infidelity.measure_infidelity(case, maps(case, 1))
    before = case.evaluations
    assert len(infidelity.measure_infidelity(case, maps(case, 5))) == 5
    assert case.evaluations == before


def test_sensitivity_by_hand() -> None:
    own = np.array([3.0, 4])
    assert max_sensitivity.largest_relative_change(own, [own, np.array([3.0, 5]), np.array([5.0, 4])]) == pytest.approx(2 / 5)
    assert max_sensitivity.largest_relative_change(own * 0, [own]) is None


def test_sensitivity_of_a_linear_model_is_small_and_its_cost_kept() -> None:
    case = toy_case()
    before, limit = case.evaluations, max_sensitivity.max_evaluations_of_sensitivity(case, [GradCAM()])
    (found,) = max_sensitivity.max_sensitivities(case, [GradCAM()])
    assert 0 < found.value < 0.1
    assert case.evaluations - before == limit == 5
    assert np.abs(max_sensitivity.add_uniform_noise(case.image, 1) - case.image).max() <= max_sensitivity.RADIUS + 1e-6
