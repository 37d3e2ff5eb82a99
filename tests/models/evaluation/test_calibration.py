"""Confidence against what happened, worked by hand."""

import numpy as np
import pytest
from scipy.special import log_softmax

from models.evaluation.calibration import apply_temperature, expected_calibration_error, fit_temperature


def test_calibration_error_by_hand() -> None:
    """Ten answers at .8 of which six are right, ten at .55 of which all are: (.2 + .45) / 2."""
    probabilities = np.array([[0.8, 0.2]] * 10 + [[0.55, 0.45]] * 10, np.float32)
    targets = np.array([0] * 6 + [1] * 4 + [0] * 10)
    assert expected_calibration_error(probabilities, targets) == pytest.approx((0.2 + 0.45) / 2, abs=1e-6)


def test_full_confidence_falls_into_the_last_bin() -> None:
    assert expected_calibration_error(np.array([[1.0, 0.0]], np.float32), np.array([0])) == 0


def test_the_temperature_that_made_the_answers_is_found() -> None:
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 1.5, (20_000, 3))
    targets = np.array(
        [
            rng.choice(3, p=p)
            for p in apply_temperature(honest, 1.0).astype(float) / apply_temperature(honest, 1.0).astype(float).sum(1)[:, None]
        ]
    )
    assert fit_temperature(honest * 2.5, targets) == pytest.approx(2.5, rel=0.05)
    assert (
        expected_calibration_error(apply_temperature(honest * 2.5, 2.5), targets)
        < 0.01
        < expected_calibration_error(apply_temperature(honest * 2.5, 1.0), targets)
    )


def test_never_wrong_does_not_mean_certain() -> None:
    """99 of 99 right with two classes and equal margins: the likeliest confidence is (99 + 1) / (99 + 2)."""
    logits = np.tile([3.0, 0.0], (99, 1))
    temperature = fit_temperature(logits, np.zeros(99, np.int64))
    assert apply_temperature(logits, temperature)[0, 0] == pytest.approx(100 / 101, abs=1e-4)


def test_tempering_keeps_the_answer_and_the_sum() -> None:
    logits = np.random.default_rng(1).normal(0, 3, (50, 4)).astype(np.float32)
    assert np.array_equal(apply_temperature(logits, 2.0).argmax(1), logits.argmax(1))
    assert np.allclose(apply_temperature(logits, 2.0).sum(1), 1)
    assert np.allclose(np.log(apply_temperature(logits, 1.0)), log_softmax(logits, axis=1), atol=1e-4)
