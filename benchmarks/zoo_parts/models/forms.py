"""Files of the kinds that people bring and that are no plain classifier in a plain file: other pictures, answers and containers."""

import functools
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import tensorflow as tf
import tf_keras
from keras import layers
from onnx import TensorProto, helper, numpy_helper

from benchmarks.zoo_parts.models.random_weights import scale_random_weights
from benchmarks.zoo_parts.models.zoo_model import WrittenFiles, ZooModel, written_files

SIDE = 32
Scaling = Any


def _network(shape: tuple[int, ...], *before: Any, kit: Any = keras, dtype: str = "float32", scaling: Scaling = "0..1") -> Any:
    """Two convolutions behind the layers `before`, and a softmax."""
    kit.utils.set_random_seed(3)
    picture = kit.layers.Input(shape, dtype=dtype)
    x = picture
    for layer in before:
        x = layer(x)
    for filters in (8, 12):
        x = kit.layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu")(x)
    model = kit.Model(picture, kit.layers.Dense(3, activation="softmax")(kit.layers.GlobalAveragePooling2D()(x)))
    return scale_random_weights(model, scaling) if kit is keras and dtype == "float32" and len(shape) == 3 and shape[2] == 3 else model


def _heads(ends: Callable[[Any], Any]) -> Any:
    """One body with the outputs that `ends` makes."""
    keras.utils.set_random_seed(3)
    picture = keras.Input((SIDE, SIDE, 3))
    x = layers.Conv2D(12, 3, strides=2, activation="relu")(layers.Conv2D(8, 3, activation="relu")(picture))
    return keras.Model(picture, ends(layers.GlobalAveragePooling2D()(x)))


def two_answers() -> Any:
    """A dictionary of two classifications."""
    return _heads(lambda x: {"age": layers.Dense(5, activation="softmax")(x), "sex": layers.Dense(1, activation="sigmoid")(x)})


def one_number() -> Any:
    """A regression."""
    return _heads(lambda x: layers.Dense(1)(x))


FORMS: dict[str, Callable[[], Any]] = {
    "two_answers": two_answers,
    "one_number": one_number,
    "plane": lambda: _network((SIDE, SIDE), layers.Reshape((SIDE, SIDE, 1))),
    "row_of_numbers": lambda: _network((784,), layers.Reshape((28, 28, 1))),
    "channels_come_first": lambda: _network((3, SIDE, SIDE), layers.Permute((2, 3, 1))),
    "whole_numbers": lambda: _network((SIDE, SIDE, 3), layers.Rescaling(1 / 255), dtype="uint8"),
}


def as_keras(build: Callable[[], Any], folder: Path) -> WrittenFiles:
    """One .keras file."""
    build().save(folder / "net.keras")
    return written_files(folder / "net.keras")


def as_folder(folder: Path) -> WrittenFiles:
    """As model.save("hf://...") writes it."""
    keras.saving.save_model(_network((SIDE, SIDE, 3)), folder / "net", zipped=False)
    return written_files(folder / "net")


def keras_2_archive(folder: Path) -> WrittenFiles:
    """As TensorFlow 2.13 wrote .keras files, rebuilt from the format."""
    path = folder / "net.keras"
    _network((SIDE, SIDE, 3), tf_keras.layers.Rescaling(1 / 255), kit=tf_keras).save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["config.json"] = parts["config.json"].replace(b'"tf_keras', b'"keras')
    parts["metadata.json"] = json.dumps({"keras_version": "2.13.1"}).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return written_files(path)


def served_by_tensorflow(kind: str, folder: Path) -> WrittenFiles:
    """kind: "uint8" or "encoded", what the signature takes."""
    module = tf.Module()
    module.model = _network((SIDE, SIDE, 3), layers.Rescaling(1 / 255), scaling="0..255")
    module.kept = module.model.variables

    def one(file: Any) -> Any:
        return tf.ensure_shape(tf.image.resize(tf.io.decode_jpeg(file, channels=3), (SIDE, SIDE)), (SIDE, SIDE, 3))

    def serve(given: Any) -> Any:
        images = tf.cast(given, tf.float32) if kind == "uint8" else tf.map_fn(one, given, fn_output_signature=tf.float32)
        return {"scores": module.model(images, training=False)}

    taken = tf.TensorSpec([None, SIDE, SIDE, 3], tf.uint8) if kind == "uint8" else tf.TensorSpec([None], tf.string)
    module.serve = tf.function(serve, input_signature=[taken])
    tf.saved_model.save(module, str(folder / "net"), signatures={"serving_default": module.serve})
    return written_files(folder / "net")


def exported_heads(folder: Path) -> WrittenFiles:
    """Two answers as a SavedModel."""
    two_answers().export(str(folder / "net"), verbose=False)
    return written_files(folder / "net")


def tensorflow_js(folder: Path) -> WrittenFiles:
    """Model and weights as TensorFlow.js writes them, rebuilt from the format."""
    model = _network((SIDE, SIDE, 3), kit=tf_keras)
    config = _plain(json.loads(model.to_json()))
    specs = [{"name": v.name.split(":")[0], "shape": list(v.shape), "dtype": "float32"} for v in model.weights]
    text = {"modelTopology": config, "weightsManifest": [{"paths": ["weights.bin"], "weights": specs}]}
    with zipfile.ZipFile(folder / "tm-my-image-model.zip", "w") as archive:
        archive.writestr("model.json", json.dumps(text))
        archive.writestr("weights.bin", b"".join(value.tobytes() for value in model.get_weights()))
    return written_files(folder / "tm-my-image-model.zip")


def _plain(part: Any) -> Any:
    if isinstance(part, dict):
        return {key: _plain(value) for key, value in part.items() if key not in ("module", "registered_name", "build_config")}
    return [_plain(each) for each in part] if isinstance(part, list) else part


def symbolic_onnx(folder: Path) -> WrittenFiles:
    """As Optimum exports: every side has a name, and there is a second output."""
    rng = np.random.default_rng(3)
    kernel, dense = (rng.normal(size=shape).astype(np.float32) for shape in ((8, 3, 3, 3), (8, 3)))
    nodes = [
        helper.make_node("Conv", ["pixel_values", "kernel"], ["wide"]),
        helper.make_node("Relu", ["wide"], ["features"]),
        helper.make_node("GlobalAveragePool", ["features"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "dense"], ["logits"]),
    ]
    shapes: dict[str, list[str | int | None]] = {"pixel_values": ["n", "c", "h", "w"], "logits": ["n", 3], "features": ["n", 8, "a", "b"]}
    values = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()}
    weights = [numpy_helper.from_array(kernel, "kernel"), numpy_helper.from_array(dense, "dense")]
    graph = helper.make_graph(nodes, "net", [values["pixel_values"]], [values["features"], values["logits"]], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), folder / "model.onnx")
    (folder / "preprocessor_config.json").write_text(json.dumps({"do_normalize": False, "size": SIDE}), encoding="utf-8")
    return written_files(folder / "model.onnx")


def form_entries() -> tuple[ZooModel, ...]:
    """The rows of the catalogue."""
    return (
        *(ZooModel(name, "Keras 3 .keras", functools.partial(as_keras, build)) for name, build in FORMS.items()),
        ZooModel("unpacked", "Keras 3 folder", as_folder),
        ZooModel("of_tensorflow_2_13", "Keras 2 .keras", keras_2_archive),
        ZooModel("two_answers_graph", "Keras 3 SavedModel", exported_heads),
        *(ZooModel(f"serves_{kind}", "SavedModel", functools.partial(served_by_tensorflow, kind)) for kind in ("uint8", "encoded")),
        ZooModel("in_a_browser", "TensorFlow.js zip", tensorflow_js),
        ZooModel("symbolic", "ONNX", symbolic_onnx),
    )
