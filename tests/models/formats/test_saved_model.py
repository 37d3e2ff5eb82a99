"""A SavedModel is read as the Keras model that it came from: the same answers, gradients and layers."""

import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from benchmarks.zoo_parts.models import topologies
from errors import UserError
from models.cards.card import Card, ClassLabel
from models.classifiers.classifier_builder import build_classifier
from models.classifiers.keras_classifier import KerasClassifier
from models.classifiers.score import Score
from models.loading import load_classifier

SCORE = Score(1)


def keras_2() -> tf_keras.Model:
    layers = tf_keras.layers
    picture = layers.Input((32, 32, 3))
    x = layers.Conv2D(6, 3, strides=2, activation="swish", name="first")(picture)
    x = layers.BatchNormalization(name="normal")(x)
    x = layers.DepthwiseConv2D(3, name="depthwise")(x)
    x = layers.Activation("relu", name="bent")(x)
    return tf_keras.Model(picture, layers.Dense(4, activation="softmax")(layers.GlobalAveragePooling2D()(x)))


def two_branches() -> keras.Model:
    """Each with a grid and a nested network of its own."""
    picture, means = keras.Input((24, 24, 3), name="picture"), []
    for name, width, stride in (("light", 5, 2), ("dense", 7, 3)):
        inner = keras.Input((24, 24, 3))
        nested = keras.Model(inner, keras.layers.Conv2D(width, 3, stride, activation="relu", name=f"{name}_last")(inner), name=name)
        means.append(keras.layers.GlobalAveragePooling2D()(nested(picture)))
    return keras.Model(picture, keras.layers.Dense(1, activation="sigmoid")(keras.layers.Concatenate()(means)))


class Plain(tf.Module):
    """A network without Keras: its function tells what it takes."""

    def __init__(self) -> None:
        super().__init__()
        rng = np.random.default_rng(4)
        self.kernel = tf.Variable(rng.normal(size=(3, 3, 3, 5)).astype(np.float32), name="conv/kernel")
        self.weights = tf.Variable(rng.normal(size=(5, 3)).astype(np.float32), name="dense/kernel")

    @tf.function(input_signature=[tf.TensorSpec([None, 20, 20, 3], tf.float32)])
    def __call__(self, pictures: tf.Tensor) -> tf.Tensor:
        with tf.name_scope("conv"):
            x = tf.nn.relu(tf.nn.conv2d(pictures, self.kernel, 2, "SAME"))
        return tf.nn.softmax(tf.reduce_mean(x, (1, 2)) @ self.weights)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(5).random(shape, np.float32)


def assert_the_same(mine: KerasClassifier, theirs: KerasClassifier) -> None:
    images = noise(2, *theirs.size, 3)
    assert mine.outputs(images) == pytest.approx(theirs.outputs(images), abs=1e-5)
    for score in (SCORE, Score(0, "probability")):
        assert mine.gradients(images, score) == pytest.approx(theirs.gradients(images, score), abs=1e-5)
    mine_layers, their_layers = (sorted(each.default_layers, key=lambda layer: layer.name) for each in (mine, theirs))
    assert [layer.grid for layer in mine_layers] == [layer.grid for layer in their_layers]
    pairs = zip(mine.features(images[0], mine_layers, SCORE), theirs.features(images[0], their_layers, SCORE), strict=True)
    for one, other in pairs:
        assert one.maps == pytest.approx(other.maps, abs=1e-5)
        assert one.gradients == pytest.approx(other.gradients, abs=1e-5)
    masks, fill = noise(3, 4, 4), noise(*theirs.size, 3)
    assert mine.masked(images[0], masks, fill) == pytest.approx(theirs.masked(images[0], masks, fill), abs=1e-5)


@pytest.mark.parametrize("build", [topologies.flat, topologies.nested_twice, two_branches])
def test_an_export_of_keras_3(tmp_path: Path, build) -> None:
    model = build()
    model.export(tmp_path / "net", verbose=False)
    theirs = build_classifier(model, None, tmp_path / "net.keras")
    mine = load_classifier(tmp_path / "net")
    assert_the_same(mine, theirs)
    assert {layer.name for layer in mine.default_layers} == {layer.name for layer in theirs.default_layers}


def test_a_saved_model_of_keras_2(tmp_path: Path) -> None:
    model = keras_2()
    model.save(tmp_path / "net")
    theirs = build_classifier(model, None, tmp_path / "net.h5")
    mine = load_classifier(tmp_path / "net")
    assert_the_same(mine, theirs)
    assert [layer.name for layer in mine.layers] == [layer.name for layer in theirs.layers]


def test_plain_tensorflow(tmp_path: Path) -> None:
    module = Plain()
    tf.saved_model.save(module, str(tmp_path / "net"))
    mine, images = load_classifier(tmp_path / "net"), noise(2, 20, 20, 3)
    assert mine.probabilities(mine.outputs(images)) == pytest.approx(module(images).numpy(), abs=1e-5)
    assert [layer.name.split("/")[0] for layer in mine.default_layers] == ["conv"]
    given = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(given)
        chosen = module(given)[:, 1]
    assert mine.gradients(images, Score(1, "probability")) == pytest.approx(tape.gradient(chosen, given).numpy(), abs=1e-5)


def test_its_weights_cannot_be_drawn_anew(tmp_path: Path) -> None:
    topologies.sequential().export(tmp_path / "net", verbose=False)
    with pytest.raises(UserError, match="cannot be re-initialised; load it from its Keras file"):
        load_classifier(tmp_path / "net").randomised("head", 0)


def test_a_card_lies_beside_the_folder(tmp_path: Path) -> None:
    topologies.sequential().export(tmp_path / "net.v2", verbose=False)
    Card("three", tuple(map(ClassLabel, "abc")), (24, 24), scaling="-1..1").write(tmp_path / "net.v2.json")
    assert load_classifier(tmp_path / "net.v2").card.name == "three"


def test_it_answers_from_a_process_of_its_own(tmp_path: Path) -> None:
    topologies.sequential().export(tmp_path / "net", verbose=False)
    (tmp_path / "labels.txt").write_text("a\nb\nc\n")
    direct, guarded = load_classifier(tmp_path / "net"), load_classifier(tmp_path / "net", trust=False)
    try:
        images = noise(2, 24, 24, 3)
        assert guarded.labels == ("a", "b", "c")
        assert guarded.gradients(images, SCORE) == pytest.approx(direct.gradients(images, SCORE), abs=1e-5)
    finally:
        guarded.close()


def test_teachable_machine_s_archive_of_a_saved_model(tmp_path: Path) -> None:
    model = keras_2()
    model.save(tmp_path / "model.savedmodel")
    with zipfile.ZipFile(tmp_path / "tm.zip", "w") as archive:
        for file in (tmp_path / "model.savedmodel").rglob("*"):
            archive.write(file, file.relative_to(tmp_path))
        archive.writestr("labels.txt", "0 a\n1 b\n2 c\n3 d\n")
    before = sorted(tmp_path.rglob("*"))
    served = load_classifier(tmp_path / "tm.zip")
    assert served.labels == ("a", "b", "c", "d")
    assert_the_same(served, build_classifier(model, None, tmp_path / "net.h5"))
    assert sorted(tmp_path.rglob("*")) == before


class Reader(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None, 8, 8, 3], tf.float32)])
    def __call__(self, pictures: tf.Tensor) -> tf.Tensor:
        with tf.control_dependencies([tf.io.read_file("/etc/hostname")]):
            return tf.reduce_mean(pictures, (1, 2))


class Counting(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None, 8, 8, 3], tf.uint8)])
    def __call__(self, pictures: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(tf.cast(pictures, tf.float32), (1, 2))


def test_what_is_refused(tmp_path: Path) -> None:
    tf.saved_model.save(Reader(), str(tmp_path / "net"))
    with pytest.raises(UserError, match="operation 'ReadFile'"):
        load_classifier(tmp_path / "net")


def test_whole_numbers_are_given_what_they_take(tmp_path: Path) -> None:
    tf.saved_model.save(Counting(), str(tmp_path / "net"))
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3)).astype(np.float32) / 255
    outputs = load_classifier(tmp_path / "net").outputs(images)
    np.testing.assert_allclose(outputs, 255 * images.mean((1, 2)), atol=0.01)


def test_a_damaged_one(tmp_path: Path) -> None:
    topologies.sequential().export(tmp_path / "net", verbose=False)
    (tmp_path / "net" / "variables" / "variables.index").write_bytes(b"rubbish")
    with pytest.raises(UserError, match="could not be opened as a SavedModel"):
        load_classifier(tmp_path / "net")


@pytest.mark.parametrize("of", [keras, tf_keras])
def test_weights_with_their_architecture_beside_them(tmp_path: Path, of) -> None:
    model = topologies.flat() if of is keras else keras_2()
    model.save_weights(tmp_path / "net.weights.h5")
    (tmp_path / "net.json").write_text(model.to_json())
    assert_the_same(load_classifier(tmp_path), build_classifier(model, None, tmp_path / "net.h5"))


def test_weights_of_keras_2_as_they_used_to_be_saved(tmp_path: Path) -> None:
    model = keras_2()
    model.save_weights(tmp_path / "weights.h5")
    (tmp_path / "model.json").write_text(model.to_json())
    assert_the_same(load_classifier(tmp_path / "weights.h5"), build_classifier(model, None, tmp_path / "net.h5"))


def test_weights_of_another_architecture(tmp_path: Path) -> None:
    topologies.flat().save_weights(tmp_path / "net.weights.h5")
    (tmp_path / "model.json").write_text(topologies.sequential().to_json())
    with pytest.raises(UserError, match="do not make a model"):
        load_classifier(tmp_path)


def test_teachable_machine_s_archive_of_a_keras_2_file(tmp_path: Path) -> None:
    model = keras_2()
    with pytest.warns(UserWarning, match="HDF5"):
        model.save(tmp_path / "keras_model.h5")
    with zipfile.ZipFile(tmp_path / "tm.zip", "w") as archive:
        archive.write(tmp_path / "keras_model.h5", "keras_model.h5")
        archive.writestr("labels.txt", "0 a\n1 b\n2 c\n3 d\n")
    served = load_classifier(tmp_path / "tm.zip")
    assert (served.labels, served.card.name) == (("a", "b", "c", "d"), "tm")
    assert_the_same(served, build_classifier(model, None, tmp_path / "net.h5"))
