"""Models with more than one input: metadata beside the picture, the same picture several times, and what cannot be understood."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from errors import UserError
from models.cards.card import Card, ClassLabel
from models.cards.metadata import CategoryField, NumberField
from models.classifiers.classifier_builder import build_classifier
from models.classifiers.keras_classifier import KerasClassifier
from models.classifiers.score import Score

FIELDS = (NumberField("age", 50.0, 10.0, "years"), CategoryField("sex", ("female", "male")))
LABELS = (ClassLabel("a"), ClassLabel("b"), ClassLabel("c"))


def pooled(picture: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return layers.GlobalAveragePooling2D()(layers.Conv2D(6, 3, strides=2, activation="tanh", name=name)(picture))


def beside(nested: Callable[[dict], object] = list) -> keras.Model:
    """A picture and a vector of 5, that meet before a hidden layer, so that one changes what the other's gradients are."""
    inputs = {"picture": keras.Input((16, 16, 3), name="picture"), "about": keras.Input((5,), name="about")}
    both = layers.Concatenate()([pooled(inputs["picture"], "last"), layers.Dense(4, activation="tanh", name="told")(inputs["about"])])
    answer = layers.Dense(3, activation="softmax")(layers.Dense(8, activation="tanh")(both))
    return keras.Model(inputs if nested is dict else nested(inputs.values()), answer)


def card(size: tuple[int, int] = (16, 16), fields=FIELDS) -> Card:
    return Card("both", LABELS, size, metadata=fields)


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(5)
    return beside()


@pytest.fixture(scope="module")
def served(model: keras.Model) -> KerasClassifier:
    return build_classifier(model, card(), Path("both.keras"))


def pictures(count: int, side: int = 16) -> np.ndarray:
    return np.random.default_rng(0).random((count, side, side, 3), np.float32)


@pytest.mark.parametrize(
    ("values", "code", "words"),
    [
        ({}, [0, 1, 0, 0, 1], "age missing, sex missing"),
        ({"age": 70.0, "sex": "male"}, [2, 0, 0, 1, 0], "age 70 years, sex male"),
    ],
)
def test_the_model_receives_the_metadata(model, served, values, code, words) -> None:
    with_values, images = served.with_metadata(values), pictures(3)
    expected = np.asarray(model([images, np.repeat(np.float32([code]), 3, axis=0)], training=False))
    assert with_values.probabilities(with_values.outputs(images)) == pytest.approx(expected, abs=1e-6)
    halves = np.full((1, 16, 16), 0.5, np.float32)
    assert with_values.masked(images[0], halves, images[1]) == pytest.approx(with_values.outputs((images[:1] + images[1:2]) / 2), abs=1e-5)
    assert with_values.metadata_text == words
    assert with_values.metadata == values


def test_all_metadata_is_missing_by_default(served) -> None:
    assert served.metadata_text == "age missing, sex missing"
    assert np.array_equal(served.outputs(pictures(2)), served.with_metadata({}).outputs(pictures(2)))


def test_other_values_share_the_trace_and_every_function(served) -> None:
    images, score = pictures(2), Score(1)
    served.outputs(images), served.gradients(images, score)
    functions = len(served._trace._cache)
    for age in (20.0, 30.0, 40.0):
        with_values = served.with_metadata({"age": age})
        with_values.outputs(images), with_values.gradients(images, score)
    assert len(served._trace._cache) == functions
    assert served.traces == 1


@pytest.mark.parametrize("score", [Score(1), Score(2, "probability")])
def test_gradients_are_those_at_the_values_given(score) -> None:
    """Against finite differences in float64, and other than those at other values."""
    keras.utils.set_random_seed(6)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        fine = build_classifier(beside(), card(), Path("fine.keras")).with_metadata({"age": 80.0, "sex": "female"})
    finally:
        keras.config.set_dtype_policy(policy)
    images = np.round(pictures(1) * 200 + 20) / np.float32(256)
    gradient, step = fine.gradients(images, score), np.float32(2.0**-16)
    direction = np.sign(gradient) * np.random.default_rng(1).choice([1, 1, 1, -1], images.shape).astype(np.float32) * step
    ahead, behind = (fine.values(fine.outputs(images + sign * direction), score)[0] for sign in (1, -1))
    assert ahead - behind == pytest.approx(2 * (gradient * direction).sum(dtype=np.float64), rel=2e-3)
    assert not np.allclose(gradient, fine.with_metadata({}).gradients(images, score), rtol=1e-2)


def test_drawn_anew_it_is_told_the_same(served) -> None:
    drawn = served.with_metadata({"age": 20.0}).randomised("head", seed=1)
    assert drawn.metadata_text == "age 20 years, sex missing"
    assert not np.allclose(drawn.outputs(pictures(1)), served.randomised("head", seed=1).outputs(pictures(1)))


@pytest.mark.parametrize("nested", [list, tuple, dict])
def test_inputs_are_given_in_the_model_s_own_structure(nested, tmp_path: Path) -> None:
    made = beside(nested)
    made.save(tmp_path / "m.keras")
    card().write(tmp_path / "m.json")
    from models.loading import load_classifier

    images, vector = pictures(2), np.repeat(np.float32([[0, 1, 0, 0, 1]]), 2, axis=0)
    raw = made({"picture": images, "about": vector} if nested is dict else nested([images, vector]), training=False)
    found = load_classifier(tmp_path / "m.keras")
    assert found.probabilities(found.outputs(images)) == pytest.approx(np.asarray(raw), abs=1e-6)


def test_a_vector_that_no_card_explains_is_refused(model) -> None:
    with pytest.raises(UserError, match=r"takes input 'about' of shape \(None, 5\) beside the picture, and no card says what they are"):
        build_classifier(model, None, Path("both.keras"))
    with pytest.raises(UserError, match=r"encodes as 2 numbers, but both.keras takes input 'about' of shape \(None, 5\)"):
        build_classifier(model, card(fields=FIELDS[:1]), Path("both.keras"))
    picture = keras.Input((16, 16, 3))
    single = keras.Model(picture, layers.Dense(3, activation="softmax")(pooled(picture, "last")))
    with pytest.raises(UserError, match=r"encodes as 5 numbers, but one.keras takes none"):
        build_classifier(single, card(), Path("one.keras"))


def test_several_vectors_are_parts_of_the_code_in_order() -> None:
    picture, age, sex = keras.Input((16, 16, 3)), keras.Input((2,), name="age"), keras.Input((3,), name="sex")
    both = layers.Concatenate()([sex, pooled(picture, "last"), age])
    made = keras.Model([picture, age, sex], layers.Dense(3, activation="softmax")(both))
    told = build_classifier(made, card(), Path("m.keras")).with_metadata({"age": 40.0, "sex": "male"})
    raw = made([pictures(1), np.float32([[-1, 0]]), np.float32([[0, 1, 0]])], training=False)
    assert told.probabilities(told.outputs(pictures(1))) == pytest.approx(np.asarray(raw), abs=1e-6)


def twice(first: tuple[int, int, int], second: tuple[int, int, int]) -> keras.Model:
    one, other = keras.Input(first, name="one"), keras.Input(second, name="other")
    both = layers.Concatenate()([pooled(one, "last_one"), pooled(other, "last_other")])
    return keras.Model([one, other], layers.Dense(3, activation="softmax")(both))


def test_two_picture_inputs_take_the_same_picture_each_at_its_size() -> None:
    model = twice((8, 8, 1), (16, 16, 3))
    served = build_classifier(model, None, Path("m.keras"))
    assert served.size == (16, 16)
    assert (
        "Each of its 2 picture inputs is given the same picture, 'one' of 8 x 8 pixels, 'other' of 16 x 16 pixels, unless"
        in served.card.notes[-1]
    )
    images = pictures(2)
    halve = np.zeros((8, 16))  # bilinear at half the size, smoothed: a triangle over two of the smaller pixels
    for row in range(8):
        weights = {2 * row + offset: weight for offset, weight in zip((-1, 0, 1, 2), (1, 3, 3, 1), strict=True)}
        inside = {place: weight for place, weight in weights.items() if 0 <= place < 16}
        for place, weight in inside.items():
            halve[row, place] = weight / sum(inside.values())
    small = np.einsum("rh,nhwc,qw->nrqc", halve, images @ np.float32([0.299, 0.587, 0.114]).reshape(3, 1), halve)
    raw = np.asarray(model([small.astype(np.float32), images], training=False))
    assert served.card.colour == "rgb"
    assert served.probabilities(served.outputs(images)) == pytest.approx(raw, abs=1e-5)
    assert {layer.name: layer.grid for layer in served.default_layers} == {"last_one": (3, 3), "last_other": (7, 7)}


@pytest.mark.parametrize(
    ("shape", "kind", "refusal"),
    [
        ((7, 2), "float32", r"takes input 'odd' of shape \(None, 7, 2\)"),
        ((None,), "float32", r"takes input 'odd' of shape \(None, None\)"),
        ((4,), "int32", r"takes input 'odd' of shape \(None, 4\) and kind int32"),
        ((16, 16, 5), "float32", "5 channels last"),
    ],
)
def test_an_input_that_is_neither_is_named(shape, kind, refusal) -> None:
    picture, odd = keras.Input((16, 16, 3), name="picture"), keras.Input(shape, dtype=kind, name="odd")
    flat = layers.Lambda(lambda x: keras.ops.cast(keras.ops.sum(x, axis=range(1, len(x.shape)), keepdims=True), "float32"), (1,))(odd)
    both = layers.Concatenate()([pooled(picture, "last"), layers.Reshape((1,))(flat)])
    made = keras.Model([picture, odd], layers.Dense(3, activation="softmax")(both))
    with pytest.raises(UserError, match=refusal):
        build_classifier(made, None, Path("m.keras"))


def test_a_model_without_a_picture_is_refused() -> None:
    numbers = keras.Input((5,), name="numbers")
    with pytest.raises(UserError, match=r"m.keras takes input 'numbers' of shape \(None, 5\); a picture has shape"):
        build_classifier(keras.Model(numbers, layers.Dense(3, activation="softmax")(numbers)), None, Path("m.keras"))


@keras.saving.register_keras_serializable("tests")
class Subclassed(keras.Model):
    """Takes a dictionary and has no symbolic inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.last = layers.Conv2D(4, 3, activation="relu", name="last")
        self.head = layers.Dense(3, activation="softmax")

    def call(self, inputs, training=False):
        seen = keras.ops.mean(self.last(inputs["picture"]), axis=(1, 2))
        return self.head(keras.ops.concatenate([seen, inputs["about"]], axis=-1))


def test_a_subclassed_model_s_inputs_are_those_that_it_was_built_with() -> None:
    model = Subclassed()
    vector = np.float32([[0, 1, 0, 0, 1]])
    raw = np.asarray(model({"picture": pictures(1), "about": vector}))
    served = build_classifier(model, card(), Path("m.keras"))
    assert served.probabilities(served.outputs(pictures(1))) == pytest.approx(raw, abs=1e-6)
