"""The stored answer is the one that this code gives for these weights; it is refused for any others."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.maintenance.cached_answer import compute_first_page_answer, write_cached_answer
from app.service import cached_answer
from app.service.cached_answer import FILE, read_cached_answer
from app.service.request import ExplanationState
from explainers.methods.occlusion import Occlusion


@pytest.fixture(scope="module")
def fresh() -> ExplanationState:
    return compute_first_page_answer()


def test_the_stored_answer_is_what_the_code_gives_now(fresh: ExplanationState) -> None:
    stored = read_cached_answer()
    assert stored is not None, "classifier, picture or methods have changed: run python -m app.maintenance.cached_answer"
    assert stored.stored
    assert stored.results.keys() == fresh.results.keys()
    np.testing.assert_allclose(stored.probabilities, fresh.probabilities, atol=1e-3)
    for name, result in fresh.results.items():
        now, then = result.attribution, stored.results[name].attribution
        assert now is not None
        assert then is not None
        far = np.abs(now.values - then.values).max() / np.abs(now.values).max()
        assert far < 0.05, f"{name} gives another map now ({far:.2f} of its strongest value): run python -m app.maintenance.cached_answer"


def test_it_is_read_back_as_it_was_written(fresh: ExplanationState, tmp_path: Path) -> None:
    write_cached_answer(fresh, tmp_path / "answer.npz")
    again = read_cached_answer(tmp_path / "answer.npz")
    assert again is not None
    assert again.evaluations == fresh.evaluations
    np.testing.assert_array_equal(again.image, fresh.image)
    for name, result in fresh.results.items():
        assert again.results[name].attribution is not None
        np.testing.assert_array_equal(again.results[name].attribution.values, result.attribution.values)  # type: ignore[union-attr]


def test_it_is_refused_for_other_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = cached_answer.Card.read
    monkeypatch.setattr(cached_answer.Card, "read", lambda path: replace(genuine(path), sha256="0" * 64))
    assert read_cached_answer(FILE) is None


def test_it_is_refused_when_a_method_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_cached_answer(FILE) is not None
    monkeypatch.setattr(Occlusion, "revision", Occlusion.revision + 1)
    assert read_cached_answer(FILE) is None
