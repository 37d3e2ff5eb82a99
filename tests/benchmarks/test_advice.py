"""What following the advice is worth: choices, intervals and the verdict, by hand; and boxes read from a file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks.advice.choices import Row, always, at_random, best_fixed, best_of_all, by_advice, halves, interval
from benchmarks.advice.picture_sets import read_boxes
from benchmarks.advice.verdict import chosen_weight, passes, verdict_table, verdicts
from errors import UserError
from explainers.metrics.agreement.consensus import CONSENSUS


def rows(count: int, worth: dict[str, float], falls: dict[str, float], shares: dict[str, float]) -> list[Row]:
    rng = np.random.default_rng(0)
    return [
        Row(f"{n}", f"{n:03}", {title: value + rng.uniform(0, 0.01) for title, value in worth.items()}, falls, shares) for n in range(count)
    ]


GOOD = rows(20, {"A": 0.8, "B": 0.4, CONSENSUS: 0.6}, {"A": 1.0, "B": 2.0, CONSENSUS: 0.0}, {"A": 0.9, "B": 0.5, CONSENSUS: 0.7})
BAD = rows(20, {"A": 0.4, "B": 0.8, CONSENSUS: 0.6}, {"A": 1.0, "B": 2.0, CONSENSUS: 0.0}, {"A": 0.9, "B": 0.5, CONSENSUS: 0.7})


def test_choices_by_hand() -> None:
    row = Row("k", "p", {"A": 0.8, "B": 0.4, CONSENSUS: 0.7}, {"A": 1.0, "B": 2.0}, {"A": 0.9, "B": 0.5, CONSENSUS: 1.0})
    assert at_random(row) == pytest.approx(0.6), "among the methods alone"
    assert best_of_all(row) == 0.8
    assert always(CONSENSUS)(row) == 0.7
    assert by_advice(0.0)(row) == 0.8
    assert by_advice(1.0)(row) == 0.4
    assert by_advice(0.0)(Row("k", "p", {"A": 0.0}, {}, {"A": 1.0})) == 0.0
    assert best_fixed(GOOD) == "A"
    assert Row.from_json(row.to_json()) == row


def test_pictures_stay_in_one_half_and_are_what_is_resampled() -> None:
    found = [Row(f"{n}", f"picture {n // 5}", {"A": float(n // 5)}, {}, {}) for n in range(20)]
    first, second = halves(found)
    assert {row.picture for row in first} == {"picture 0", "picture 2"}
    assert {row.picture for row in second} == {"picture 1", "picture 3"}
    mean, low, high = interval(found, always("A"))
    assert mean == 1.5
    assert (low, high) == (pytest.approx(0.5, abs=0.26), pytest.approx(2.5, abs=0.26)), "four pictures, not twenty rows"


def test_the_verdict_fails_where_one_set_fails_or_is_missing() -> None:
    both = {"one": GOOD, "two": GOOD}
    assert chosen_weight(both) == 0.0, "of equal weights the smallest"
    assert passes(verdicts(both, 0.0), ("one", "two"))
    assert not passes(verdicts(both, 0.0), ("one", "two", "three"))
    mixed = {"one": GOOD, "two": BAD}
    assert not passes(verdicts(mixed, 0.0), ("one", "two"))
    good, bad = verdicts(mixed, 0.0)
    assert (good.beats, good.holds, good.fixed) == (True, True, "A")
    assert (bad.beats, bad.holds, bad.fixed) == (False, False, "B")
    assert chosen_weight({"two": BAD}) == 1.0, "what the hiding says is right there"
    assert verdict_table(mixed, [good, bad]).count("\n") == 3


class Fitting:
    """Makes a picture 10 x 10."""

    def fit(self, pixels: np.ndarray) -> np.ndarray:
        return np.asarray(Image.fromarray(np.round(pixels * 255).astype(np.uint8)).resize((10, 10)), np.float32) / 255


def test_boxes_are_read_and_fitted(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((40, 20, 3), np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "boxes.csv").write_text("picture,left,top,width,height\na.png,0,0,10,20\n", encoding="utf-8")
    classifier: Any = Fitting()
    ((image, inside, name),) = read_boxes(tmp_path / "boxes.csv", classifier)
    assert image.shape == (10, 10, 3)
    assert name == "a.png"
    assert inside[:4, :4].all()
    assert not inside[6:].any()
    assert not inside[:, 6:].any()
    for text in ("nothing", "picture,left\na.png,1\n"):
        (tmp_path / "boxes.csv").write_text(text, encoding="utf-8")
        with pytest.raises(UserError, match="columns"):
            list(read_boxes(tmp_path / "boxes.csv", classifier))
    with pytest.raises(UserError, match="cannot be read"):
        list(read_boxes(tmp_path / "none.csv", classifier))
