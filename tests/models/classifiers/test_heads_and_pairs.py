"""Models with several answers, with two pictures, and with one number: chosen, held and read, here and in a process of their own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from errors import UserError
from models.cards.card import Card, ClassLabel
from models.classifiers.classifier_builder import build_classifier
from models.classifiers.forward_only import build_forward_only_classifier
from models.classifiers.score import Score
from models.formats.saved_model import SAVED_MODEL
from models.formats.tflite import TFLITE
from models.graph.engine.choice import InferenceEngine, InferenceEngineState
from models.graph.network_input import NetworkInput
from models.graph.runtime_network import RuntimeNetwork
from models.loading import load_classifier

SIDE = 12
IMAGE = np.random.default_rng(0).random((SIDE, SIDE, 3), np.float32)
OTHER = np.random.default_rng(1).random((SIDE, SIDE, 3), np.float32)


def two_heads() -> Any:
    """Five classes and a sigmoid, behind a grid that is no answer of a classifier."""
    keras.utils.set_random_seed(0)
    picture = keras.Input((SIDE, SIDE, 3))
    grid = layers.Conv2D(4, 3, activation="relu", name="last")(picture)
    x = layers.GlobalAveragePooling2D()(grid)
    ends = {"age": layers.Dense(5, activation="softmax")(x), "sex": layers.Dense(1, activation="sigmoid")(x), "a_grid": grid}
    return keras.Model(picture, ends)


def siamese() -> Any:
    """The distance of two pictures by one network."""
    keras.utils.set_random_seed(0)
    inner = [layers.Conv2D(4, 3, activation="relu", name="last"), layers.GlobalAveragePooling2D(), layers.Dense(3)]
    base = keras.Sequential([keras.Input((SIDE, SIDE, 3)), *inner], name="embed")
    left, right = keras.Input((SIDE, SIDE, 3), name="left"), keras.Input((SIDE, SIDE, 3), name="right")
    return keras.Model([left, right], layers.Dense(1, activation="sigmoid")(ops.abs(base(left) - base(right))))


def regression() -> Any:
    """One number without an activation."""
    keras.utils.set_random_seed(0)
    inner = [layers.Conv2D(4, 3, activation="relu", name="last"), layers.GlobalAveragePooling2D(), layers.Dense(1)]
    return keras.Sequential([keras.Input((SIDE, SIDE, 3)), *inner])


def against_differences(served: Any, score: Score) -> None:
    """d score / d image along its own direction, by central differences."""
    gradient = served.gradients(IMAGE[None], score)[0]
    step = 0.02 * np.sign(gradient)
    high, low = served.values(served.outputs(np.stack([IMAGE + step, IMAGE - step])), score)
    np.testing.assert_allclose((high - low) / 2, (gradient * step).sum(), rtol=0.05)
    assert np.abs(gradient).max() > 0


def test_the_first_classifying_head_is_explained_and_another_can_be_chosen() -> None:
    model = two_heads()
    served = build_classifier(model, None, Path("net.keras"))
    truth = model(IMAGE[None])
    assert (served.heads, served.card.output, len(served.labels)) == (("age", "sex"), "age", 5)
    assert any("2 answers, age, sex: 'age' is explained" in note for note in served.card.notes)
    np.testing.assert_allclose(served.predict(IMAGE), truth["age"][0], rtol=1e-5)
    other = served.with_head("sex")
    assert (other.card.output, other.card.head, other.heads) == ("sex", "sigmoid", ("age", "sex"))
    np.testing.assert_allclose(other.predict(IMAGE)[1], truth["sex"][0, 0], rtol=1e-5)
    against_differences(served, Score(3))
    against_differences(other, Score(1))
    with pytest.raises(UserError, match="no head 'race' to choose; it has age, sex"):
        served.with_head("race")
    with pytest.raises(UserError, match="it gives one answer"):
        build_classifier(regression(), None, Path("net.keras")).with_head("age")


def test_a_card_chooses_the_head() -> None:
    card = Card("net", (ClassLabel("no"), ClassLabel("yes")), (SIDE, SIDE), head="sigmoid", output="sex")
    served = build_classifier(two_heads(), card, Path("net.keras"))
    assert served.labels == ("no", "yes")
    assert served.with_head("age").card.labels[0].name == "class 0"
    with pytest.raises(UserError, match="no answer 'race' to explain; choose one of age, sex"):
        build_classifier(two_heads(), Card("net", card.labels, card.size, output="race"), Path("net.keras"))


def test_other_formats_choose_alike(tmp_path: Path) -> None:
    model = two_heads()
    truth = model(IMAGE[None])
    model.export(str(tmp_path / "net"), verbose=False)
    graph = build_classifier(SAVED_MODEL.open(tmp_path / "net"), None, tmp_path / "net").with_head("sex")
    np.testing.assert_allclose(graph.predict(IMAGE)[1], truth["sex"][0, 0], rtol=1e-5)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "net"))
    (tmp_path / "net.tflite").write_bytes(converter.convert())
    lite = build_forward_only_classifier(TFLITE.open(tmp_path / "net.tflite"), None, tmp_path / "net.tflite")
    found = [lite.with_head(name).predict(IMAGE) for name in lite.heads]
    wanted = {5: truth["age"][0], 2: [1 - truth["sex"][0, 0], truth["sex"][0, 0]]}
    assert sorted(len(each) for each in found) == [2, 5]
    for each in found:
        np.testing.assert_allclose(each, wanted[len(each)], atol=1e-5)


def test_each_of_two_pictures_gets_a_map_while_the_other_is_held() -> None:
    model = siamese()
    served = build_classifier(model, None, Path("net.keras"))
    assert served.picture_inputs == ("left", "right")
    truth = model([IMAGE[None], OTHER[None]])[0, 0]
    left, right = served.with_second_picture(OTHER, 0), served.with_second_picture(IMAGE, 1)
    np.testing.assert_allclose([left.predict(IMAGE)[1], right.predict(OTHER)[1]], truth, rtol=1e-5)
    np.testing.assert_allclose(served.predict(IMAGE)[1], model([IMAGE[None], IMAGE[None]])[0, 0], rtol=1e-5)
    against_differences(left, Score(1))
    assert [layer.name for layer in left.layers] == ["embed/last"]
    assert [layer.name for layer in right.layers] == ["embed/last (use 2)"]
    (answer,) = left.features(IMAGE, left.default_layers, Score(1))
    np.testing.assert_allclose(answer.maps, model.get_layer("embed").layers[0](IMAGE[None])[0], atol=1e-5)
    half = np.zeros((1, 1, 2), np.float32)
    half[..., 0] = 1
    shown = tf.image.resize(half[..., None], (SIDE, SIDE)).numpy()[0] * IMAGE
    masked = left.masked(IMAGE, half, np.zeros_like(IMAGE))
    np.testing.assert_allclose(masked, left.outputs(shown[None]), atol=1e-5)
    with pytest.raises(UserError, match="takes one picture; leave out the second"):
        build_classifier(regression(), None, Path("net.keras")).with_second_picture(OTHER)


class Difference(RuntimeNetwork):
    """The mean of the first picture less that of the second."""

    kind = "test"

    def __init__(self) -> None:
        super().__init__("net", [NetworkInput(name, (None, SIDE, SIDE, 3)) for name in ("left", "right")], [("out", 0.0)])

    @property
    def engine(self) -> InferenceEngineState:
        return InferenceEngineState(InferenceEngine.TFLITE, 1, "0")

    def run(self, arrays: Sequence[Any]) -> list[Any]:
        left, right = (each.mean((1, 2, 3)) for each in arrays)
        return [100 * np.stack([left - right], axis=1)]


def test_a_runtime_takes_a_second_picture() -> None:
    served = build_forward_only_classifier(Difference(), None, Path("net.onnx"))
    pair = served.with_second_picture(OTHER, 0)
    np.testing.assert_allclose(pair.raw(IMAGE[None])[0, 0], 100 * (IMAGE.mean() - OTHER.mean()), rtol=1e-4)


def test_one_number_is_a_measured_quantity() -> None:
    model = regression()
    served = build_classifier(model, None, Path("net.keras"))
    assert (served.card.head, served.labels) == ("number", ("value",))
    assert any("taken for a measured quantity" in note for note in served.card.notes)
    value = model(IMAGE[None])[0, 0]
    np.testing.assert_allclose(served.predict(IMAGE), [value], rtol=1e-5)
    np.testing.assert_allclose(served.values(served.outputs(IMAGE[None]), Score(0)), [value], rtol=1e-5)
    against_differences(served, Score(0))
    years = build_classifier(model, Card("net", (ClassLabel("age"),), (SIDE, SIDE), head="number", unit="years"), Path("net.keras"))
    assert Card.of(years.card.to_json()) == years.card


def test_a_process_of_its_own_chooses_alike(tmp_path: Path) -> None:
    """Heads, second pictures and their layers, through the sandbox."""
    two_heads().save(tmp_path / "heads.keras")
    siamese().save(tmp_path / "pair.keras")
    for file, vary in (
        ("heads.keras", lambda each: each.with_head("sex")),
        ("pair.keras", lambda each: each.with_second_picture(OTHER, 1)),
    ):
        here, apart = load_classifier(tmp_path / file), load_classifier(tmp_path / file, trust=False)
        try:
            ours, theirs = vary(here), vary(apart)
            assert theirs.labels == ours.labels
            assert [each.name for each in theirs.layers] == [each.name for each in ours.layers]
            np.testing.assert_allclose(theirs.predict(IMAGE), ours.predict(IMAGE), rtol=1e-5)
            np.testing.assert_allclose(theirs.gradients(IMAGE[None], Score(1)), ours.gradients(IMAGE[None], Score(1)), atol=1e-6)
            (mine,), (their,) = (each.features(IMAGE, each.default_layers, Score(1)) for each in (ours, theirs))
            np.testing.assert_allclose(their.gradients, mine.gradients, atol=1e-6)
        finally:
            apart.close()
