"""Files that only answer: TFLite, ONNX; and plain TensorFlow's SavedModel, which gives gradients too."""

import shutil
import warnings
from pathlib import Path

import keras
import numpy as np
import onnx
import tensorflow as tf
from onnx import TensorProto, helper, numpy_helper

from benchmarks.zoo_parts.models.random_images import random_images
from models.export.format_writers import FORMATS, ExportSource

SIDE = 24


def tflite(model: keras.Model, folder: Path, kind: str) -> Path:
    """kind: "float", "inner" (int8 within, float at both ends) or "whole" (int8 from input to output)."""
    size = model.input_shape[1:3]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that statistics for quantised inputs were expected: they are drawn just here
        if kind != "whole":
            source = ExportSource(model, "net", ("picture",), {"picture": random_images(size)})
            return FORMATS["tflite" if kind == "float" else "tflite-int8"].write(source, folder)
        model.export(str(folder / "between"), verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(folder / "between"))
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([picture[None]] for picture in random_images(size))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
        (folder / "net.tflite").write_bytes(converter.convert())
    shutil.rmtree(folder / "between")
    return folder / "net.tflite"


def onnx_file(path: Path, first: bool) -> Path:
    """A convolution, a mean over each channel and a softmax. first: whether channels come first."""
    rng = np.random.default_rng(3)
    kernel, matrix = rng.normal(size=(8, 3, 3, 3)).astype(np.float32), rng.normal(size=(8, 3)).astype(np.float32) * 2
    shape: list[str | int | None] = ["N", 3, SIDE, SIDE] if first else ["N", SIDE, SIDE, 3]
    turned = [] if first else [helper.make_node("Transpose", ["picture"], ["turned"], perm=[0, 3, 1, 2])]
    nodes = [
        *turned,
        helper.make_node("Conv", ["picture" if first else "turned", "kernel"], ["maps"], strides=[2, 2]),
        helper.make_node("Relu", ["maps"], ["bent"]),
        helper.make_node("ReduceMean", ["bent", "axes"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "matrix"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["answer"]),
    ]
    held: dict[str, np.ndarray] = {"kernel": kernel, "matrix": matrix, "axes": np.array([2, 3], np.int64)}
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, ["N", 3])],
        [numpy_helper.from_array(values, name) for name, values in held.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    return path


class Plain(tf.Module):
    """A network without Keras."""

    def __init__(self) -> None:
        super().__init__()
        rng = np.random.default_rng(4)
        self.kernel = tf.Variable(rng.normal(size=(3, 3, 3, 8)).astype(np.float32), name="conv/kernel")
        self.weights = tf.Variable(rng.normal(size=(8, 3)).astype(np.float32) * 2, name="dense/kernel")

    @tf.function(input_signature=[tf.TensorSpec([None, SIDE, SIDE, 3], tf.float32)])
    def __call__(self, pictures: tf.Tensor) -> tf.Tensor:
        """(n, H, W, 3) -> probabilities (n, 3)."""
        with tf.name_scope("conv"):
            x = tf.nn.relu(tf.nn.conv2d(pictures, self.kernel, 2, "SAME"))
        return tf.nn.softmax(tf.reduce_mean(x, (1, 2)) @ self.weights)
