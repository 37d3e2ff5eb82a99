"""Figures of merit against values worked by hand and against scikit-learn, their intervals, and the command."""

import json
from pathlib import Path

import numpy as np
import pytest
import sklearn.metrics
from PIL import Image
from scipy.special import expit

from errors import UserError
from models.cards.card import Card, ClassLabel
from models.cards.metadata import NumberField
from models.classifiers.classifier_builder import build_classifier
from models.datasets import splits
from models.datasets.layouts import read_picture_collection
from models.datasets.picture_collection import CollectionRow
from models.datasets.synthetic.glass_box import NAMES, draw_colour_patches
from models.evaluate import main
from models.evaluation.calibration import apply_temperature, expected_calibration_error, fit_temperature, logits_from_probabilities
from models.evaluation.classification_metrics import (
    BY_CLASS,
    OVERALL,
    IntervalEstimate,
    basic_bootstrap_interval,
    bootstrap_metrics,
    compute_classification_metrics,
    percentile_intervals,
)
from models.evaluation.classifier_evaluation import assess_logits, card_with_results, evaluate_classifier, reliability_bins
from models.evaluation.evaluation_records import EvaluationData, EvaluationSettings
from models.evaluation.predictions import predict_collection

QUICK = EvaluationSettings(resamples=60)


def data(targets: list[int], groups: list[str] | None = None) -> EvaluationData:
    names = groups or [""] * len(targets)
    rows = tuple(
        CollectionRow(Path(f"folder/{i}.png"), target, group) for i, (target, group) in enumerate(zip(targets, names, strict=True))
    )
    return EvaluationData("toys", rows, "all pictures", "drawn by the test", "CC0-1.0")


def test_figures_by_hand() -> None:
    """Three classes; answers 0 0 1 | 1 1 | 2 0 to truths 0 0 0 | 1 1 | 2 2."""
    told = np.array([[8, 1, 1], [6, 3, 1], [2, 7, 1], [1, 8, 1], [3, 6, 1], [2, 1, 7], [5, 1, 4]], np.float32) / 10
    found = compute_classification_metrics(told, np.array([0, 0, 0, 1, 1, 2, 2]))
    values = dict(zip(OVERALL, found.overall, strict=True))
    assert values["accuracy"] == pytest.approx(5 / 7)
    assert values["balanced accuracy"] == pytest.approx((2 / 3 + 1 + 1 / 2) / 3)
    assert values["macro F1"] == pytest.approx((2 / 3 + 4 / 5 + 2 / 3) / 3)
    by_class = dict(zip(BY_CLASS, found.by_class, strict=True))
    assert by_class["precision"] == pytest.approx([2 / 3, 2 / 3, 1])
    assert by_class["recall"] == pytest.approx([2 / 3, 1, 1 / 2])
    # class 0: .8 .6 .2 against .1 .3 .2 .5: 4 + 4 + (1 + a tie's half) of 12; class 1: .8 .6 against .1 .3 .7 .1 .1: 5 + 4 of 10
    assert by_class["AUC"] == pytest.approx([9.5 / 12, 9 / 10, 1])
    assert values["macro AUC"] == pytest.approx((9.5 / 12 + 9 / 10 + 1) / 3)
    assert found.confusion == pytest.approx(np.array([[2 / 3, 1 / 3, 0], [0, 1, 0], [1 / 2, 0, 1 / 2]]))


@pytest.mark.parametrize("classes", [2, 5])
def test_figures_are_those_of_scikit_learn(classes: int) -> None:
    rng = np.random.default_rng(classes)
    targets = rng.integers(classes, size=400)
    told = apply_temperature(
        np.round(rng.normal(0, 1, (400, classes)) + 1.2 * np.eye(classes)[targets], 1), 1.0
    )  # rounded, so that scores tie
    found, answers = compute_classification_metrics(told, targets), told.argmax(1)
    scores = sklearn.metrics.precision_recall_fscore_support(targets, answers)
    assert found.by_class[:3] == pytest.approx(np.array(scores[:3]))
    areas = [sklearn.metrics.roc_auc_score(targets == label, told[:, label]) for label in range(classes)]
    assert found.by_class[3] == pytest.approx(areas)
    assert found.overall[0] == pytest.approx(sklearn.metrics.accuracy_score(targets, answers))
    assert found.overall[1] == pytest.approx(sklearn.metrics.balanced_accuracy_score(targets, answers))
    assert found.overall[2] == pytest.approx(sklearn.metrics.f1_score(targets, answers, average="macro"))
    assert found.confusion == pytest.approx(sklearn.metrics.confusion_matrix(targets, answers, normalize="true"))


def test_a_class_without_pictures_decides_nothing() -> None:
    found = compute_classification_metrics(np.array([[0.5, 0.3, 0.2], [0.2, 0.6, 0.2]], np.float32), np.array([0, 1]))
    assert np.isnan(found.by_class[:, 2]).all()
    assert np.isnan(found.confusion[2]).all()
    assert found.overall[:4] == pytest.approx([1, 1, 1, 1])
    evaluation = assess_logits(np.zeros((2, 3), np.float32), Card("toy", tuple(map(ClassLabel, "abc")), (8, 8)), data([0, 0]), QUICK)
    assert evaluation.overall["macro AUC"].value is None
    assert evaluation.classes[2].figures["recall"].low is None


def test_the_interval_of_an_accuracy_is_the_binomials() -> None:
    """600 independent answers, 80 % right: the standard error is sqrt(.8 * .2 / 600) = .0163, so 95 % lies within .032."""
    targets = np.zeros(600, np.int64)
    logits = np.where(np.arange(600)[:, None] % 5 == 0, [0.0, 2.0], [2.0, 0.0]).astype(np.float32)
    found = assess_logits(
        logits, Card("toy", (ClassLabel("a"), ClassLabel("b")), (8, 8)), data(targets.tolist()), EvaluationSettings(2000)
    ).overall["accuracy"]
    assert found.value == pytest.approx(0.8)
    assert (found.low, found.high) == (pytest.approx(0.768, abs=0.004), pytest.approx(0.832, abs=0.004))


def test_pictures_of_one_lesion_are_drawn_together() -> None:
    """The same 600 answers in 24 groups that are wholly right or wholly wrong are 24 answers: the interval is 5 times as wide."""
    right = np.repeat(np.arange(24) % 5 != 0, 25)
    told = np.where(right[:, None], [0.9, 0.1], [0.1, 0.9]).astype(np.float32)
    targets, groups = np.zeros(600, np.int64), np.repeat([f"lesion {i}" for i in range(24)], 25)
    spread = {}
    for name, given in (("grouped", groups), ("alone", np.arange(600).astype(str))):
        spread[name] = np.std([each.overall[0] for each in bootstrap_metrics(told, targets, given, 800, 0)])
    assert spread["grouped"] / spread["alone"] == pytest.approx(5, rel=0.15)


def test_the_bounds_of_the_calibration_error_hold_the_truth_where_percentiles_do_not() -> None:
    """Of a classifier that is half as sure again as it may be, on 312 pictures; the truth is that of 500,000 pictures."""
    rng = np.random.default_rng(0)

    def drawn(count: int) -> tuple[np.ndarray, np.ndarray]:
        logit = rng.normal(0.8, 1.5, count)
        share = expit(1.5 * logit)
        return np.stack([1 - share, share], 1).astype(np.float32), (rng.random(count) < expit(logit)).astype(np.int64)

    truth = expected_calibration_error(*drawn(500_000))
    held = {"percentiles": 0, "reflected": 0}
    for _ in range(80):
        told, targets = drawn(312)
        places = rng.integers(312, size=(150, 312))
        again = [np.array([expected_calibration_error(told[place], targets[place])]) for place in places]
        [figure] = percentile_intervals(np.array([expected_calibration_error(told, targets)]), again, 0.95)
        for name, bounds in (("percentiles", figure), ("reflected", basic_bootstrap_interval(figure))):
            held[name] += (bounds.low or 0) <= truth <= (bounds.high or 0)
    assert held["percentiles"] < 0.75 * 80 < 0.82 * 80 < held["reflected"]


def test_reflected_bounds_by_hand() -> None:
    assert basic_bootstrap_interval(IntervalEstimate(0.25, 0.125, 0.625)) == IntervalEstimate(0.25, 0, 0.375)
    assert basic_bootstrap_interval(IntervalEstimate(0.5, 0.375, 0.75)) == IntervalEstimate(0.5, 0.25, 0.625)
    assert basic_bootstrap_interval(IntervalEstimate(0.5, None, None)) == IntervalEstimate(0.5, None, None)


def test_the_seed_decides() -> None:
    rng = np.random.default_rng(0)
    logits, rows, card = (
        rng.normal(0, 1, (60, 2)).astype(np.float32),
        data([0, 1] * 30),
        Card("toy", (ClassLabel("a"), ClassLabel("b")), (8, 8)),
    )
    assert assess_logits(logits, card, rows, QUICK) == assess_logits(logits, card, rows, QUICK)
    assert assess_logits(logits, card, rows, QUICK).overall != assess_logits(logits, card, rows, EvaluationSettings(60, seed=1)).overall


def test_reliability_bins_by_hand() -> None:
    told = np.array([[0.95, 0.05]] * 4 + [[0.44, 0.56]] * 2, np.float32)
    low, high = reliability_bins(told, np.array([0, 0, 0, 1, 1, 1]), bins=10)
    assert (low.low, low.high, low.pictures, low.accuracy) == (0.5, 0.6, 2, 1)
    assert (high.pictures, high.accuracy) == (4, 0.75)
    assert high.confidence == pytest.approx(0.95)


def test_each_picture_is_asked_with_its_own_metadata(tmp_path: Path) -> None:
    """The network's second logit is (age - 50) / 10, or 0 where the age is missing; the picture says nothing."""
    import keras

    picture, beside = keras.Input((8, 8, 3), name="picture"), keras.Input((2,), name="about")
    flat = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(1, 3, kernel_initializer="zeros")(picture))
    dense = keras.layers.Dense(2, activation="softmax", kernel_initializer=lambda shape, dtype: np.array([[0, 0], [0, 1], [0, 0]], "f"))
    network = keras.Model([picture, beside], dense(keras.layers.Concatenate()([flat, beside])))
    card = Card("ages", (ClassLabel("young"), ClassLabel("old")), (8, 8), metadata=(NumberField("age", 50, 10),))
    served = build_classifier(network, card, tmp_path / "ages.keras")
    ages, rows = (20.0, 70.0, None), []
    for number, age in enumerate(ages):
        Image.new("RGB", (12, 12)).save(tmp_path / f"{number}.png")
        rows.append(CollectionRow(tmp_path / f"{number}.png", int(age == 70), "", metadata=(("age", age), ("sex", "female"))))
    logits = predict_collection(served, rows, "asking")
    assert logits[:, 1] - logits[:, 0] == pytest.approx([-3, 2, 0], abs=1e-5)
    found = evaluate_classifier(served, EvaluationData("ages", tuple(rows), "all", "the test", "CC0-1.0"), QUICK)
    assert found.overall["accuracy"].value == 1


def test_mistakes_are_the_surest_first() -> None:
    logits = np.log(np.array([[0.9, 0.1], [0.3, 0.7], [0.2, 0.8], [0.1, 0.9]], np.float32))
    evaluation = assess_logits(logits, Card("toy", (ClassLabel("cat"), ClassLabel("dog")), (8, 8)), data([0, 0, 0, 1]), QUICK)
    assert [each.path.name for each in evaluation.mistakes] == ["2.png", "1.png"]
    first = evaluation.mistakes[0]
    assert (first.truth, first.answer) == ("cat", "dog")
    assert (first.confidence, first.truth_probability) == (pytest.approx(0.8), pytest.approx(0.2))
    assert evaluation.confusion == ((1, 2), (0, 1))


def test_a_sigmoids_temperature_is_that_of_the_softmax_over_its_halves() -> None:
    rng = np.random.default_rng(2)
    z = rng.normal(0.5, 2, 3000)
    targets = (rng.random(3000) < expit(z)).astype(np.int64)
    logits = np.stack([-z, z], 1).astype(np.float32)
    found = fit_temperature(3 * logits, targets, "sigmoid")
    assert found == pytest.approx(3, rel=0.08)
    assert found == pytest.approx(fit_temperature(1.5 * logits, targets), rel=1e-4)


@pytest.mark.parametrize("head", ["softmax", "sigmoid"])
def test_the_temperature_lowers_the_calibration_error_of_a_toy_that_is_too_sure(head: str) -> None:
    rng = np.random.default_rng(5)
    z = rng.normal(0, 1.5, 4000)
    targets = (rng.random(4000) < expit(z)).astype(np.int64)
    logits = 4 * np.stack([-z, z], 1).astype(np.float32) / (2 if head == "softmax" else 1)
    fitted, held_out = slice(2000), slice(2000, 4000)
    temperature = fit_temperature(logits[fitted], targets[fitted], head)
    before, after = (
        expected_calibration_error(apply_temperature(logits[held_out], T, head), targets[held_out]) for T in (1.0, temperature)
    )
    assert after < 0.03 < 0.1 < before
    card = Card("toy", (ClassLabel("a"), ClassLabel("b")), (8, 8), head=head, temperature=temperature)
    found = assess_logits(logits[held_out], card, data(targets[held_out].tolist()), QUICK).overall
    assert found["calibration error"].value == pytest.approx(after)
    assert found["calibration error before temperature"].value == pytest.approx(before)


def test_units_that_speak_for_themselves_share_one_temperature() -> None:
    rng = np.random.default_rng(7)
    z = rng.normal(0, 2, (3000, 3))
    truth = (rng.random(z.shape) < expit(z)).astype(np.int64)
    assert fit_temperature(2.5 * z, truth, "multi-label") == pytest.approx(2.5, rel=0.08)
    one = rng.integers(3, size=50)
    assert fit_temperature(z[:50], one, "multi-label") == fit_temperature(z[:50], np.eye(3, dtype=np.int64)[one], "multi-label")


@pytest.mark.parametrize("head", ["softmax", "sigmoid", "multi-label"])
def test_logits_of_probabilities_give_them_back(head: str) -> None:
    share = np.linspace(0.02, 0.98, 9, dtype=np.float32)
    told = np.stack([1 - share, share], 1)
    assert apply_temperature(logits_from_probabilities(told, head), 1.0, head) == pytest.approx(told, abs=1e-6)
    assert np.isfinite(logits_from_probabilities(np.array([[0.0, 1.0]], np.float32), head)).all()


def test_the_card_gets_what_was_measured() -> None:
    card = Card("toy", (ClassLabel("a"), ClassLabel("b")), (8, 8))
    logits = np.array([[1, 0], [1, 0], [0, 1], [1, 0]], np.float32)
    measured = card_with_results(card, assess_logits(logits, card, data([0, 0, 1, 1]), QUICK))
    assert (measured.accuracy, measured.measured_on) == (0.75, "4 pictures of toys, all pictures")
    assert measured.calibration_error == pytest.approx(abs(0.75 - expit(1)), abs=1e-4)


def test_logits_of_other_classes_are_refused() -> None:
    with pytest.raises(UserError, match="tells 2 classes apart; toys has pictures of class 2"):
        assess_logits(np.zeros((1, 2), np.float32), Card("toy", (ClassLabel("a"), ClassLabel("b")), (8, 8)), data([2]), QUICK)
    with pytest.raises(UserError, match=r"have shape \(1, 3\); \(1, 2\) is needed"):
        assess_logits(np.zeros((1, 3), np.float32), Card("toy", (ClassLabel("a"), ClassLabel("b")), (8, 8)), data([1]), QUICK)


@pytest.fixture(scope="module")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of the glass box in folders named otherwise than it counts, one of them filed wrongly."""
    folder = tmp_path_factory.mktemp("colours")
    for number, name in enumerate(NAMES):
        below = folder / name.upper()
        below.mkdir()
        for i in range(4):
            shown = NAMES[(number + 1) % 4] if (number, i) == (2, 0) else name
            pixels = np.rint(draw_colour_patches(500 + 10 * number + i, shown, 64).image * 255).astype(np.uint8)
            Image.fromarray(pixels).save(below / f"{i}.png")
    return folder


def test_the_command_judges_a_bundled_classifier(colours: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--model", "glass_box", "--data", str(colours), "--out", str(tmp_path / "out"), "--resamples", "50"]
    assert main(asked) == 0
    assert "accuracy: 0.938" in capsys.readouterr().out
    told = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert told["overall"]["accuracy"]["value"] == 15 / 16
    assert told["labels"] == list(NAMES)
    assert [sum(row) for row in told["confusion"]] == [4, 4, 4, 4]
    wrong = NAMES[2]
    assert [(each["path"], each["truth"]) for each in told["mistakes"]] == [(f"{wrong.upper()}/0.png", wrong)]
    assert told["material"]["part"] == "all pictures"
    assert str(colours) not in (tmp_path / "out" / "evaluation.json").read_text()


def test_the_command_takes_the_test_part_of_a_split(colours: Path, tmp_path: Path) -> None:
    collection = read_picture_collection("folder", colours)
    divided = splits.split_collection(collection, (0.5, 0.0, 0.5), 0)
    splits.write_split(divided, tmp_path / "split.csv")
    asked = ["--model", "glass_box", "--data", str(colours), "--out", str(tmp_path), "--resamples", "50"]
    assert main([*asked, "--split", str(tmp_path / "split.csv")]) == 0
    told = json.loads((tmp_path / "evaluation.json").read_text())
    assert told["material"]["rows"] == len(divided.test) == 8
    assert told["material"]["part"] == "test part of split.csv"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (["--model", "phantoms"], "which the classifier does not tell; it tells plain, blue veil"),
        (["--resamples", "3"], "--resamples is 3"),
        (["--layout", "horses"], "There is no layout 'horses'"),
    ],
)
def test_mistakes_in_what_was_asked(
    changes: list[str], words: str, colours: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--model", "glass_box", "--data", str(colours), "--out", str(tmp_path / "out"), *changes]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_picture_that_cannot_be_read_is_named(colours: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in NAMES[:2]:
        (tmp_path / "data" / name).mkdir(parents=True)
        (tmp_path / "data" / name / "1.png").write_bytes((colours / name.upper() / "1.png").read_bytes())
    (tmp_path / "data" / NAMES[0] / "2.png").write_text("rubbish")
    assert main(["--model", "glass_box", "--data", str(tmp_path / "data"), "--out", str(tmp_path / "out")]) == 2
    assert "2.png: This file is not a picture" in capsys.readouterr().err
