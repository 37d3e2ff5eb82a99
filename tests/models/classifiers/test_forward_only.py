"""TFLite and ONNX models answer pictures as what they were made from; what they cannot give they refuse with the reason."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import onnx
import pytest
import tensorflow as tf
from keras import layers
from onnx import TensorProto, helper, numpy_helper

from errors import UserError
from explainers.classifier_protocol import Classifier as Asked
from models.cards.card import Card, CardNote, ClassLabel
from models.classifiers.classifier_builder import build_classifier
from models.classifiers.forward_only import ForwardOnlyClassifier
from models.classifiers.score import Score
from models.export.format_writers import ExportSource, _write_int8, _write_tflite
from models.loading import load_classifier


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(6).random(shape, np.float32)


def small() -> keras.Model:
    keras.utils.set_random_seed(2)
    picture = keras.Input((16, 16, 3), name="picture")
    x = layers.Conv2D(6, 3, strides=2, activation="relu")(picture)
    return keras.Model(picture, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(x)))


def quantised(model: keras.Model, path: Path) -> None:
    """With whole numbers at both ends, as a microcontroller takes them."""
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([picture[None]] for picture in noise(24, 16, 16, 3))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    path.write_bytes(converter.convert())


def onnx_model(path: Path, first: bool, batch: int | str = "N", head: bool = True) -> Callable[[np.ndarray], np.ndarray]:
    """A file of a mean over each colour and a matrix, and the same in numpy. first: whether channels come first."""
    matrix = np.random.default_rng(7).normal(size=(3, 4)).astype(np.float32)
    shape = [batch, 3, 12, 10] if first else [batch, 12, 10, 3]
    axes = numpy_helper.from_array(np.array([2, 3] if first else [1, 2], np.int64), "axes")
    nodes = [
        helper.make_node("ReduceMean", ["picture", "axes"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "matrix"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["answer"]),
    ]
    output = "answer" if head else "logits"
    graph = helper.make_graph(
        nodes if head else nodes[:2],
        "small",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, [batch, 4])],
        [axes, numpy_helper.from_array(matrix, "matrix")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)

    def logits(images: np.ndarray) -> np.ndarray:
        return images.mean(axis=(1, 2)) @ matrix

    return logits


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return small()


@pytest.fixture(scope="module")
def tflite(tmp_path_factory: pytest.TempPathFactory, model: keras.Model) -> Path:
    return _write_tflite(ExportSource(model, "net", ("picture",), None), tmp_path_factory.mktemp("lite"))


def test_tflite_answers_as_its_original(tflite: Path, model: keras.Model) -> None:
    mine: Asked = load_classifier(tflite)
    theirs = build_classifier(model, None, tflite)
    images, masks, fill = noise(5, 16, 16, 3), noise(7, 4, 4), noise(16, 16, 3)
    assert isinstance(mine, ForwardOnlyClassifier)
    assert mine.forward_only
    for logits, expected in (
        (mine.outputs(images), theirs.outputs(images)),
        (mine.masked(images[0], masks, fill), theirs.masked(images[0], masks, fill)),
    ):
        assert mine.probabilities(logits) == pytest.approx(theirs.probabilities(expected), abs=1e-5)
    assert mine.outputs(images[:0]).shape == (0, 3)
    assert mine._network.together


def test_what_it_cannot_give_it_refuses_with_the_reason(tflite: Path) -> None:
    mine, images = load_classifier(tflite), noise(1, 16, 16, 3)
    for ask, words in (
        (lambda: mine.gradients(images, Score(0)), "has no gradients; use a method that only hides parts"),
        (lambda: mine.features(images[0], (), Score(0)), "has no layers"),
        (lambda: mine.randomised("head", 0), "has no weights"),
    ):
        with pytest.raises(UserError, match=f"is run from TFLite, which answers pictures but {words}"):
            ask()


@pytest.mark.filterwarnings("ignore:Statistics for quantized inputs were expected:UserWarning")
@pytest.mark.parametrize("whole", [False, True])
def test_tflite_in_int8(tmp_path: Path, model: keras.Model, whole: bool) -> None:
    path = tmp_path / "net.tflite"
    if whole:
        quantised(model, path)
    else:
        _write_int8(ExportSource(model, "net", ("picture",), {"picture": noise(24, 16, 16, 3)}), tmp_path)
    mine, images = load_classifier(path), noise(4, 16, 16, 3)
    expected = np.asarray(model(images))
    assert mine.card.head == "softmax"
    assert mine.probabilities(mine.outputs(images)) == pytest.approx(expected, abs=0.05)
    if whole:
        assert "quantised input" in mine.card.notes[0]


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("batch", [1, "N"])
def test_onnx(tmp_path: Path, first: bool, batch: int | str) -> None:
    logits = onnx_model(tmp_path / "net.onnx", first, batch)
    (tmp_path / "labels.txt").write_text("a\nb\nc\nd\n")
    mine, images = load_classifier(tmp_path), noise(3, 12, 10, 3)
    assert (mine.size, mine.labels, mine.card.head) == ((12, 10), ("a", "b", "c", "d"), "softmax")
    assert mine._network.together is (batch == "N")
    expected = logits(images)
    assert mine.outputs(images) == pytest.approx(expected - np.log(np.exp(expected).sum(1, keepdims=True)), abs=1e-5)
    masks, fill = np.array([[[1.0]], [[0.0]]], np.float32), noise(12, 10, 3)
    hidden = mine.probabilities(mine.masked(images[0], masks, fill))
    assert hidden == pytest.approx(mine.probabilities(mine.outputs(np.stack([images[0], fill]))), abs=1e-5)


@pytest.mark.parametrize(
    ("told", "labels"),
    [
        ("{0: 'cat', 1: 'dog', 2: 'owl', 3: 'elk'}", ("cat", "dog", "owl", "elk")),
        ('["cat", "dog", "owl", "elk"]', ("cat", "dog", "owl", "elk")),
        ('{"0": "cat", "1": "dog", "2": "owl", "3": "elk"}', ("cat", "dog", "owl", "elk")),
        ("{0: ' cat', 1: 'dog\\n', 2: 'o\\nwl', 3: '\\x1b[2Jelk'}", ("cat", "dog", "o?wl", "?[2Jelk")),
        ("{[]: 'a'}", ("class 0", "class 1", "class 2", "class 3")),
        ("{0: 'cat', 1: 'dog'}", ("class 0", "class 1", "class 2", "class 3")),
        ("{1: 'cat', 2: 'dog', 3: 'owl', 4: 'elk'}", ("class 0", "class 1", "class 2", "class 3")),
        ("__import__('os').getcwd()", ("class 0", "class 1", "class 2", "class 3")),
    ],
)
def test_the_classes_that_an_onnx_file_names_itself(tmp_path: Path, told: str, labels: tuple[str, ...]) -> None:
    onnx_model(tmp_path / "net.onnx", first=True)
    model = onnx.load(tmp_path / "net.onnx")
    helper.set_model_props(model, {"names": told})
    onnx.save(model, tmp_path / "net.onnx")
    mine = load_classifier(tmp_path / "net.onnx")
    assert mine.labels == labels
    assert (CardNote.NAMED_IN_FILE in mine.card.notes) is (labels[0] == "cat")
    (tmp_path / "labels.txt").write_text("a\nb\nc\nd\n")
    beside = labels if labels[0] == "cat" else ("a", "b", "c", "d")
    assert load_classifier(tmp_path / "net.onnx").labels == beside, "names in the file come before those beside it"


def test_the_labels_inside_a_tflite_file(tmp_path: Path, tflite: Path, model: keras.Model) -> None:
    """TensorFlow's metadata writer appends them as a zip archive."""
    path = tmp_path / "net.tflite"
    path.write_bytes(tflite.read_bytes())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("probability-labels.txt", "".join(f"kind {number}\n" for number in range(model.output_shape[-1])))
    assert load_classifier(path).labels[:2] == ("kind 0", "kind 1")


def test_onnx_that_ends_in_logits_and_has_a_card(tmp_path: Path) -> None:
    logits = onnx_model(tmp_path / "net.onnx", first=True, head=False)
    Card("net", tuple(map(ClassLabel, "abcd")), (12, 10), scaling="-1..1", colour="bgr", head="logits").write(tmp_path / "net.json")
    mine, images = load_classifier(tmp_path), noise(2, 12, 10, 3)
    assert mine.outputs(images) == pytest.approx(logits(images[..., ::-1] * 2 - 1), abs=1e-5)


def test_a_card_of_another_model(tmp_path: Path) -> None:
    onnx_model(tmp_path / "net.onnx", first=True)
    Card("net", tuple(map(ClassLabel, "abc")), (12, 10)).write(tmp_path / "net.json")
    with pytest.raises(UserError, match=r"3 labels .* gives 4 numbers"):
        load_classifier(tmp_path)


def test_weights_in_another_file_are_not_read(tmp_path: Path) -> None:
    onnx_model(tmp_path / "net.onnx", first=True)
    onnx.save(
        onnx.load(tmp_path / "net.onnx"), tmp_path / "apart.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0
    )
    with pytest.raises(UserError, match="keeps its weights in another file"):
        load_classifier(tmp_path / "apart.onnx")


@pytest.mark.parametrize("name", ["net.onnx", "net.tflite"])
def test_a_damaged_file(tmp_path: Path, tflite: Path, name: str) -> None:
    onnx_model(tmp_path / "net.onnx", first=True)
    content = (tmp_path / "net.onnx").read_bytes() if name == "net.onnx" else tflite.read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match=f"{name} .*(could not be opened|damaged|cannot be run)"):
        load_classifier(tmp_path / name, trust=False)


def test_it_answers_from_a_process_of_its_own(tmp_path: Path) -> None:
    onnx_model(tmp_path / "net.onnx", first=True)
    direct, guarded, images = load_classifier(tmp_path), load_classifier(tmp_path, trust=False), noise(2, 12, 10, 3)
    try:
        assert guarded.forward_only
        assert guarded.outputs(images) == pytest.approx(direct.outputs(images), abs=1e-6)
        with pytest.raises(UserError, match="is run from ONNX"):
            guarded.gradients(images, Score(0))
        with pytest.raises(UserError, match="is run from ONNX, which answers pictures but has no layers"):
            guarded.features(images[0], guarded.default_layers, Score(0))
    finally:
        guarded.close()
