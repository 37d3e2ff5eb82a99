"""An ensemble answers with the mean of its members' logits, in every question; what cannot be one ensemble is refused."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from errors import UserError
from explainers.explanation_case import Case, ExplanationSettings
from explainers.method_runner import run_methods
from explainers.methods.grad_cam import GradCAM
from explainers.methods.hirescam import HiResCAM
from explainers.methods.integrated_gradients import IntegratedGradients
from models.cards.card import Card, ClassLabel, Head, Scaling
from models.cards.metadata import NumberField
from models.classifiers.classifier_builder import build_classifier
from models.classifiers.ensemble import EnsembleClassifier
from models.classifiers.keras_classifier import KerasClassifier
from models.classifiers.score import Score
from models.loading import load_classifier

LABELS = (ClassLabel("a"), ClassLabel("b"), ClassLabel("c"))


def network(side: int, units: int = 3, activation: str = "softmax") -> keras.Model:
    picture = keras.Input((side, side, 3))
    maps = layers.Conv2D(5, 3, strides=2, padding="same", activation="tanh", name="last")(picture)
    return keras.Model(picture, layers.Dense(units, activation=activation)(layers.GlobalAveragePooling2D()(maps)))


def member(name: str, side: int, seed: int, temperature: float = 1.0, scaling: Scaling = "0..1") -> KerasClassifier:
    """In float64, so that a finite difference tells a wrong gradient from a rounded one."""
    keras.utils.set_random_seed(seed)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        model = network(side)
    finally:
        keras.config.set_dtype_policy(policy)
    card = Card(name, LABELS, (side, side), scaling=scaling, temperature=temperature, fit="stretch")
    return build_classifier(model, card, Path(f"{name}.keras"))


@pytest.fixture(scope="module")
def alike() -> EnsembleClassifier:
    return EnsembleClassifier("alike", [member("one", 16, 1), member("two", 16, 2, scaling="-1..1")])


@pytest.fixture(scope="module")
def unlike() -> EnsembleClassifier:
    """Of different sizes, of which the smaller one's does not divide the larger one's."""
    return EnsembleClassifier("unlike", [member("small", 10, 3, temperature=2.0), member("large", 16, 4)])


@pytest.fixture(params=["alike", "unlike"])
def served(request: pytest.FixtureRequest) -> EnsembleClassifier:
    return request.getfixturevalue(request.param)


def pictures(count: int, side: int = 16) -> np.ndarray:
    return np.random.default_rng(0).integers(16, 240, (count, side, side, 3)).astype(np.float32) / 256


def test_its_probabilities_are_the_geometric_mean_of_the_members(alike) -> None:
    images = pictures(3)
    own = [each.classifier.probabilities(each.classifier.outputs(images)) for each in alike.members]
    product = np.sqrt(own[0] * own[1])
    assert alike.probabilities(alike.outputs(images)) == pytest.approx(product / product.sum(axis=1, keepdims=True))
    assert alike.predict(images[0]) == pytest.approx(alike.probabilities(alike.outputs(images))[0])


def test_each_member_sees_its_size_and_counts_by_its_temperature(unlike) -> None:
    import cv2

    images = pictures(2)
    small, large = (each.classifier for each in unlike.members)
    shrunk = np.stack([cv2.resize(image, (10, 10), interpolation=cv2.INTER_AREA) for image in images])
    assert unlike.size == (16, 16)
    assert unlike.outputs(images) == pytest.approx((small.outputs(shrunk) / 2 + large.outputs(images)) / 2, abs=1e-6)
    masks = np.random.default_rng(1).random((3, 4, 4), np.float32)
    fills = np.full_like(images[0], 0.5)
    expected = small.masked(shrunk[0], masks, fills[:10, :10]) / 2 + large.masked(images[0], masks, fills)
    assert unlike.masked(images[0], masks, fills) == pytest.approx(expected / 2, abs=1e-6)


@pytest.mark.parametrize("score", [Score(1), Score(0, "logit"), Score(2, "contrast", 0), Score(1, "probability")])
def test_gradients_equal_finite_differences(served, score) -> None:
    images = pictures(2)
    gradients = served.gradients(images, score)
    direction = np.sign(gradients) * np.random.default_rng(1).choice([1, 1, 1, -1], images.shape).astype(np.float32) * 2.0**-9
    ahead, behind = (served.values(served.outputs((images + sign * direction).astype(np.float32)), score) for sign in (1, -1))
    assert ahead - behind == pytest.approx(2 * (gradients * direction).sum(axis=(1, 2, 3), dtype=np.float64), rel=5e-3)


def test_maps_of_members_of_one_size_have_the_ensemble_s_as_their_mean(alike) -> None:
    image, score, settings = pictures(1)[0], Score(1), ExplanationSettings(budget=16, fill="black")
    for method in (GradCAM(), HiResCAM(), IntegratedGradients(points=8)):
        (*_, whole) = run_methods(Case(alike, image, score, settings), [method])
        assert not whole.error
        parts = []
        for each in alike.members:
            (*_, part) = run_methods(Case(each.classifier, image, score, settings), [method])
            parts.append(part.attribution.values if part.attribution.signed is None else part.attribution.signed)
        found = whole.attribution.values if whole.attribution.signed is None else whole.attribution.signed
        np.testing.assert_allclose(found, np.mean(parts, axis=0), atol=2e-6, err_msg=method.title)


def test_layers_are_named_after_their_member(unlike) -> None:
    assert [(layer.name, layer.grid, layer.branch) for layer in unlike.default_layers] == [
        ("small/last", (5, 5), 0),
        ("large/last", (8, 8), 1),
    ]
    (only,) = Case(unlike, pictures(1)[0], Score(0), ExplanationSettings(layers=("large/last",))).features()
    own = unlike.members[1].classifier.features(pictures(1)[0], unlike.members[1].classifier.default_layers, Score(0))[0]
    assert only.layer == "large/last"
    np.testing.assert_allclose(only.gradients, own.gradients / 2, rtol=1e-5)


def test_feature_gradients_of_a_probability_are_the_chain_rule_s(alike) -> None:
    image, score = pictures(1)[0], Score(1, "probability")
    p = alike.probabilities(alike.outputs(image[None]))[0].astype(np.float64)
    found = alike.features(image, alike.default_layers, score)
    for answer, each in zip(found, alike.members, strict=True):
        own = each.classifier
        slopes = [own.features(image, own.default_layers, Score(c, "logit"))[0].gradients for c in range(3)]
        expected = p[1] * (slopes[1] - sum(p[c] * slopes[c] for c in range(3))) / 2
        np.testing.assert_allclose(answer.gradients, expected, rtol=1e-4, atol=1e-9)


def test_drawn_anew_every_member_is(alike) -> None:
    drawn = alike.randomised("head", seed=1)
    assert isinstance(drawn, EnsembleClassifier)
    assert not np.allclose(drawn.outputs(pictures(1)), alike.outputs(pictures(1)))
    assert drawn.outputs(pictures(1)) == pytest.approx(alike.randomised("head", seed=1).outputs(pictures(1)))


def test_it_says_what_it_is(unlike) -> None:
    assert "the mean of theirs, each divided by its temperature" in unlike.card.notes[0]
    assert unlike.card.temperature == 1
    assert unlike.metadata_text == ""
    assert unlike.traces == 1


def sigmoid(name: str, labels: tuple[str, ...] = ("no", "yes"), seed: int = 0) -> KerasClassifier:
    keras.utils.set_random_seed(seed)
    card = Card(name, tuple(map(ClassLabel, labels)), (8, 8), head="sigmoid")
    return build_classifier(network(8, 1, "sigmoid"), card, Path(f"{name}.keras"))


def test_of_sigmoids_the_log_odds_are_averaged() -> None:
    both = EnsembleClassifier("both", [sigmoid("x", seed=1), sigmoid("y", seed=2)])
    image = pictures(1, 8)
    odds = [
        np.log(p[0, 1] / p[0, 0])
        for each in both.members
        if (p := each.classifier.probabilities(each.classifier.outputs(image))) is not None
    ]
    assert both.predict(image[0])[1] == pytest.approx(1 / (1 + np.exp(-np.mean(odds))), abs=1e-6)
    step = np.float32(2**-5)
    score = Score(1, "probability")
    ahead, behind = (both.values(both.outputs(image + sign * step), score)[0] for sign in (1, -1))
    assert ahead - behind == pytest.approx(2 * step * both.gradients(image, score).sum(), rel=1e-2)


@pytest.mark.parametrize(
    ("second", "refusal"),
    [
        (("yes", "no"), "they stand in another order"),
        (("no", "maybe"), "such as 'yes' and 'maybe'"),
    ],
)
def test_other_classes_are_refused(second, refusal) -> None:
    with pytest.raises(UserError, match=f"x and y cannot be one ensemble: their classes differ, {refusal}"):
        EnsembleClassifier("both", [sigmoid("x"), sigmoid("y", second)])


def test_other_heads_and_single_members_are_refused() -> None:
    head: Head = "softmax"
    soft = build_classifier(network(8, 2), Card("y", (ClassLabel("no"), ClassLabel("yes")), (8, 8), head=head), Path("y.keras"))
    with pytest.raises(UserError, match="their heads are 'sigmoid' and 'softmax'"):
        EnsembleClassifier("both", [sigmoid("x"), soft])
    with pytest.raises(UserError, match="has 1 member; it needs at least 2"):
        EnsembleClassifier("alone", [soft])


def test_a_member_is_told_the_metadata_that_it_takes(alike) -> None:
    picture, about = keras.Input((16, 16, 3)), keras.Input((2,))
    both = layers.Concatenate()([layers.GlobalAveragePooling2D()(picture), about])
    model = keras.Model([picture, about], layers.Dense(3, activation="softmax")(both))
    told = build_classifier(model, Card("told", LABELS, (16, 16), metadata=(NumberField("age", 50, 10),)), Path("told.keras"))
    mixed = EnsembleClassifier("mixed", [told, alike.members[0].classifier])
    assert mixed.metadata_text == "age missing"
    older = mixed.with_metadata({"age": 70.0})
    assert older.metadata_text == "age 70"
    image = pictures(1)
    expected = (told.with_metadata({"age": 70.0}).outputs(image) + alike.members[0].classifier.outputs(image)) / 2
    assert older.outputs(image) == pytest.approx(expected, abs=1e-6)
    with pytest.raises(UserError, match="no metadata 'sex'"):
        mixed.with_metadata({"sex": "male"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, side in (("a", 8), ("b", 12)):
        network(side).save(tmp_path / f"{name}.keras")
        Card(name, LABELS, (side, side)).write(tmp_path / f"{name}.json")
    (tmp_path / "ensemble.json").write_text(json.dumps({"name": "both", "members": ["a.keras", "b.keras"]}))
    return tmp_path


def test_a_file_or_its_folder_lists_the_members(folder: Path) -> None:
    for path in (folder, folder / "ensemble.json"):
        found = load_classifier(path)
        assert isinstance(found, EnsembleClassifier)
        assert (found.card.name, found.size) == ("both", (12, 12))
        assert [each.name for each in found.members] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("{", "cannot be read as JSON"),
        ('{"labels": ["a"]}', "lists no members"),
        ('{"members": ["a.keras"]}', "must be a list of 2 to 16"),
        ('{"members": ["a.keras", 3]}', "must be a list of 2 to 16"),
        ('{"members": ["a.keras", "c.keras"]}', "no file or folder"),
        ('{"members": ["a.keras", "ensemble.json"]}', "ensemble.json is no Keras model"),
    ],
)
def test_a_list_that_is_none_is_refused(folder: Path, text: str, refusal: str) -> None:
    (folder / "ensemble.json").write_text(text)
    with pytest.raises(UserError, match=refusal):
        load_classifier(folder)
