"""Another engine's logits are TensorFlow's, for every kind of classifier; where it cannot give them it stays off and says why."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from errors import UserError
from models.cards.card import Card, ClassLabel
from models.cards.metadata import NumberField
from models.classifiers.base_classifier import BaseClassifier
from models.classifiers.classifier_builder import build_classifier
from models.classifiers.ensemble import EnsembleClassifier
from models.classifiers.keras_classifier import KerasClassifier
from models.classifiers.sandboxed_classifier import SandboxedClassifier
from models.classifiers.score import Score
from models.graph.engine import openvino_network
from models.graph.engine.check import check_engine_outputs, check_pictures, is_engine_faster
from models.graph.engine.choice import EngineRefused, InferenceEngine
from models.graph.engine.threads import _quota
from models.loading import load_classifier
from tests.models.classifiers.test_forward_only import onnx_model

SIDE = 16


def small(ending: str, units: int) -> keras.Model:
    """Depthwise and plain convolutions, a branch, and batch normalisation that moves what it sees."""
    keras.utils.set_random_seed(3)
    picture = keras.Input((SIDE, SIDE, 3))
    x = layers.Conv2D(6, 3, padding="same", activation="relu")(layers.Rescaling(2.0, -1.0)(picture))
    x = layers.BatchNormalization(moving_mean_initializer="random_normal", beta_initializer="random_normal")(x)
    x = layers.Concatenate()([x, layers.DepthwiseConv2D(3, padding="same", activation="relu6")(x)])
    return keras.Model(picture, layers.Dense(units, activation=ending)(layers.GlobalAveragePooling2D()(x)))


def card(head: Any, classes: int, **fields: Any) -> Card:
    return Card("small", tuple(ClassLabel(f"class {i}") for i in range(classes)), (SIDE, SIDE), head=head, **fields)


def classifier(head: Any = "softmax") -> KerasClassifier:
    """With a softmax, one sigmoid, several, or logits."""
    ending = {"softmax": "softmax", "sigmoid": "sigmoid", "multi-label": "sigmoid", "logits": None}[head]
    model = small(ending, 1 if head == "sigmoid" else 3)
    return build_classifier(model, card(head, 2 if head == "sigmoid" else 3), Path("small.keras"))


@pytest.fixture(scope="module")
def plain() -> KerasClassifier:
    return classifier()


@pytest.fixture(scope="module")
def compiled(plain: KerasClassifier) -> KerasClassifier:
    return plain.with_engine(InferenceEngine.OPENVINO)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(5).random(shape, np.float32)


def assert_same(ours: BaseClassifier[Any], theirs: BaseClassifier[Any]) -> None:
    """The same logits for batches of several sizes, whole and masked."""
    size = (*theirs.size, 3)
    image, fill = noise(2, *size)
    for count in (1, 2, 5):
        images, masks = noise(count, *size), noise(count, 4, 3)
        assert ours.outputs(images) == pytest.approx(theirs.outputs(images), abs=2e-5)
        assert ours.masked(image, masks, fill) == pytest.approx(theirs.masked(image, masks, fill), abs=2e-5)


@pytest.mark.parametrize("head", ["sigmoid", "multi-label", "logits"])
def test_every_head(head: str) -> None:
    theirs = classifier(head)
    ours = theirs.with_engine(InferenceEngine.OPENVINO)
    assert (ours.engine.engine, ours.engine.remark) == (InferenceEngine.OPENVINO, "")
    assert_same(ours, theirs)


def test_a_softmax_and_what_stays_with_tensorflow(plain: KerasClassifier, compiled: KerasClassifier) -> None:
    assert compiled.engine.engine is InferenceEngine.OPENVINO
    assert compiled.engine.version == openvino_network.openvino_version()
    assert_same(compiled, plain)
    images, score = noise(2, SIDE, SIDE, 3), Score(1)
    assert np.array_equal(compiled.gradients(images, score), plain.gradients(images, score))
    features = [each.features(images[0], each.default_layers, score)[0].gradients for each in (compiled, plain)]
    assert np.array_equal(*features)
    again = compiled.randomised("everything", 1)
    assert again.engine.engine is InferenceEngine.TENSORFLOW
    assert np.array_equal(again.outputs(images), plain.randomised("everything", 1).outputs(images))


def test_an_answer_does_not_depend_on_its_batch(compiled: KerasClassifier) -> None:
    images = noise(7, SIDE, SIDE, 3)
    assert np.array_equal(compiled.outputs(images), np.concatenate([compiled.outputs(each[None]) for each in images]))


def test_no_classifier_changes_its_engine(plain: KerasClassifier, compiled: KerasClassifier) -> None:
    """A case keeps its classifier, so that no map rests on two engines."""
    assert plain.engine.engine is InferenceEngine.TENSORFLOW
    assert compiled.with_engine(InferenceEngine.OPENVINO) is compiled
    back = compiled.with_engine(InferenceEngine.TENSORFLOW)
    assert (back.engine.engine, compiled.engine.engine) == (InferenceEngine.TENSORFLOW, InferenceEngine.OPENVINO)


def test_metadata_reach_the_network() -> None:
    keras.utils.set_random_seed(4)
    picture, age = keras.Input((SIDE, SIDE, 3)), keras.Input((2,))
    joined = layers.Concatenate()([layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(picture)), age])
    model = keras.Model([picture, age], layers.Dense(3, activation="softmax")(joined))
    theirs = build_classifier(model, card("softmax", 3, metadata=(NumberField("age", 50, 20),)), Path("small.keras"))
    ours = theirs.with_engine(InferenceEngine.OPENVINO)
    assert ours.engine.engine is InferenceEngine.OPENVINO
    assert_same(ours, theirs)
    old = ours.with_metadata({"age": 90.0})
    assert old.engine.engine is InferenceEngine.OPENVINO
    assert_same(old, theirs.with_metadata({"age": 90.0}))
    assert not np.allclose(old.outputs(noise(1, SIDE, SIDE, 3)), ours.outputs(noise(1, SIDE, SIDE, 3)))


@pytest.mark.parametrize("batch", [1, "N"])
def test_an_onnx_model(tmp_path: Path, batch: int | str) -> None:
    onnx_model(tmp_path / "net.onnx", True, batch)
    theirs: Any = load_classifier(tmp_path / "net.onnx")
    ours = theirs.with_engine(InferenceEngine.OPENVINO)
    assert (theirs.engine.engine, ours.engine.engine, ours.engine.remark) == (InferenceEngine.ONNXRUNTIME, InferenceEngine.OPENVINO, "")
    assert_same(ours, theirs)
    refused = theirs.with_engine(InferenceEngine.TENSORFLOW)
    assert refused.engine.engine is InferenceEngine.ONNXRUNTIME
    assert refused.engine.remark == "TensorFlow does not evaluate ONNX models; ONNX Runtime does."


def test_an_ensemble_takes_it_member_by_member(plain: KerasClassifier, tmp_path: Path) -> None:
    theirs = EnsembleClassifier("both", [plain, plain])
    ours = theirs.with_engine(InferenceEngine.OPENVINO)
    assert ours.engine.engine is InferenceEngine.OPENVINO
    assert_same(ours, theirs)
    mixed = EnsembleClassifier("both", [plain.with_engine(InferenceEngine.OPENVINO), plain])
    assert mixed.engine.engine is InferenceEngine.TENSORFLOW
    assert mixed.engine.remark.count("OpenVINO") == 1


def test_a_tensor_that_the_models_code_made_beforehand() -> None:
    pattern = tf.constant(noise(SIDE, SIDE, 3))  # captured, as the positions of a vision transformer are
    picture = keras.Input((SIDE, SIDE, 3))
    x = layers.Lambda(lambda x: x * pattern, output_shape=(SIDE, SIDE, 3))(picture)
    model = keras.Model(picture, layers.Dense(3)(layers.GlobalAveragePooling2D()(x)))
    theirs = build_classifier(model, card("logits", 3), Path("small.keras"))
    ours = theirs.with_engine(InferenceEngine.OPENVINO)
    assert ours.engine.engine is InferenceEngine.OPENVINO
    assert_same(ours, theirs)


def test_operations_that_it_does_not_know() -> None:
    keras.utils.set_random_seed(4)
    picture = keras.Input((SIDE, SIDE, 3))
    x = layers.Lambda(lambda x: tf.math.bessel_i0e(x), output_shape=(3,))(layers.GlobalAveragePooling2D()(picture))
    theirs = build_classifier(keras.Model(picture, layers.Dense(3)(x)), card("logits", 3), Path("small.keras"))
    ours = theirs.with_engine(InferenceEngine.OPENVINO)
    assert ours.engine.engine is InferenceEngine.TENSORFLOW
    assert ours.engine.remark.startswith("OpenVINO cannot read this model (")
    assert "Bessel" in ours.engine.remark
    assert_same(ours, theirs)


def test_where_it_is_not_installed(plain: KerasClassifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino_network, "openvino_version", lambda: "")
    assert plain.with_engine(InferenceEngine.AUTO).engine.remark == openvino_network.INSTALL
    assert "pip install" in openvino_network.INSTALL


def test_onnx_runtime_is_for_onnx_models(plain: KerasClassifier) -> None:
    assert "ONNX models alone" in plain.with_engine(InferenceEngine.ONNXRUNTIME).engine.remark


class Other(KerasClassifier):
    """Its other engine evaluates other weights."""

    def _compiled_by(self, engine: InferenceEngine) -> KerasClassifier:
        return self.randomised("everything", 1)


def test_other_answers_keep_it_off(plain: KerasClassifier) -> None:
    other = Other(plain.trace, plain.card)
    refused = other.with_engine(InferenceEngine.OPENVINO)
    assert refused.engine.engine is InferenceEngine.TENSORFLOW
    assert "differ by" in refused.engine.remark
    assert np.array_equal(refused.outputs(noise(1, SIDE, SIDE, 3)), plain.outputs(noise(1, SIDE, SIDE, 3)))


def test_the_comparison_itself() -> None:
    logits = np.random.default_rng(1).normal(size=(8, 3)).astype(np.float32)
    near = logits * np.float32(1 + 5e-5)
    check_engine_outputs("It", lambda _: logits, lambda _: near, (4, 4))
    far = logits.copy()
    far[7, 2] += 3.2e-4 * np.abs(logits[7]).max()
    with pytest.raises(EngineRefused, match=r"It stays off: .* differ by 0\.00032 of their size; 0\.0001 is allowed"):
        check_engine_outputs("It", lambda _: logits, lambda _: far, (4, 4))
    tied, turned = np.array([[1, 1 - 1e-5, 0]] * 8), np.array([[1 - 1e-5, 1, 0]] * 8)
    with pytest.raises(EngineRefused, match="another first class"):
        check_engine_outputs("It", lambda _: tied, lambda _: turned, (4, 4))
    with pytest.raises(EngineRefused, match="no logits"):
        check_engine_outputs("It", lambda _: logits, lambda _: logits * np.float32("nan"), (4, 4))


def test_the_pictures_of_the_comparison_differ() -> None:
    pictures = check_pictures((12, 9))
    assert (pictures.shape, pictures.dtype) == ((8, 12, 9, 3), np.float32)
    assert pictures.min() >= 0
    assert pictures.max() <= 1
    assert len({each.tobytes() for each in pictures}) == 8


def test_the_faster_one_is_found() -> None:
    calls: list[int] = []

    def slow(pictures: np.ndarray) -> np.ndarray:
        calls.append(sum(range(1_000_000)))
        return pictures

    assert is_engine_faster(slow, lambda pictures: pictures, (4, 4))
    assert not is_engine_faster(lambda pictures: pictures, slow, (4, 4))
    assert len(calls) == 6


def test_openvino_does_not_report_its_use(compiled: KerasClassifier) -> None:
    assert sys.modules["openvino_telemetry"] is None


@pytest.mark.parametrize(("text", "cores"), [("150000 100000", 2), ("max 100000", 1 << 16), ("", 1 << 16)])
def test_a_share_of_the_time_counts_as_cores(tmp_path: Path, text: str, cores: int) -> None:
    (tmp_path / "cpu.max").write_text(text)
    assert _quota(tmp_path / "cpu.max") == cores
    assert _quota(tmp_path / "none") == 1 << 16


def test_in_a_process_of_its_own(plain: KerasClassifier, tmp_path: Path) -> None:
    small("softmax", 3).save(tmp_path / "small.keras")
    guarded: Any = load_classifier(tmp_path / "small.keras", trust=False)
    assert isinstance(guarded, SandboxedClassifier)
    try:
        assert guarded.engine.engine is InferenceEngine.TENSORFLOW
        ours = guarded.with_engine(InferenceEngine.OPENVINO)
        assert (ours.engine.engine, ours.engine.remark) == (InferenceEngine.OPENVINO, "")
        assert_same(ours, plain)
        assert np.array_equal(guarded.outputs(noise(1, SIDE, SIDE, 3)), plain.outputs(noise(1, SIDE, SIDE, 3)))
        assert (
            guarded.with_engine(InferenceEngine.ONNXRUNTIME).engine.remark == plain.with_engine(InferenceEngine.ONNXRUNTIME).engine.remark
        )
        os.kill(guarded.pid, signal.SIGKILL)
        with pytest.raises(UserError):
            ours.outputs(noise(1, SIDE, SIDE, 3))
        assert_same(ours, plain)  # the new process compiles it again
    finally:
        guarded.close()
