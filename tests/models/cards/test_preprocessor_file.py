"""preprocessor_config.json beside an ONNX file as Optimum exports it: symbolic sizes, two outputs, and the range of its pictures."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from models.cards.preprocessor_file import read_preprocessor_file
from models.loading import load_classifier

IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}


@pytest.mark.parametrize(
    ("said", "size", "scaling"),
    [
        ({**IMAGENET, "size": {"height": 64, "width": 48}}, (64, 48), "imagenet"),
        ({**IMAGENET, "do_normalize": True, "size": {"shortest_edge": 256}, "do_center_crop": True, "crop_size": 32}, (32, 32), "imagenet"),
        ({"image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711]}, None, None),
        ({"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "size": 24}, (24, 24), "-1..1"),
        ({"do_normalize": False, "size": {"shortest_edge": 40}}, (40, 40), "0..1"),
        ({"do_rescale": False, "do_normalize": False}, None, "0..255"),
    ],
)
def test_what_the_file_says(tmp_path: Path, said: dict[str, Any], size: Any, scaling: str | None) -> None:
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(said))
    found = read_preprocessor_file(tmp_path / "model.onnx")
    assert found is not None
    assert (found.size, found.scaling) == (size, scaling)
    assert bool(found.note) == (scaling is None)


@pytest.mark.parametrize("content", ["[]", "{", '{"image_mean": 3}', '{"image_mean": [1], "image_std": [2, 3]}', "\u0000"])
def test_a_file_that_cannot_be_used_is_noted(tmp_path: Path, content: str) -> None:
    assert read_preprocessor_file(tmp_path / "model.onnx") is None
    (tmp_path / "preprocessor_config.json").write_text(content)
    found = read_preprocessor_file(tmp_path / "model.onnx")
    assert found is not None
    assert found.note
    assert found.scaling is None


def test_an_export_of_optimum(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    kernel, dense = (rng.normal(size=shape).astype(np.float32) for shape in ((4, 3, 3, 3), (4, 2)))
    nodes = [
        helper.make_node("Conv", ["pixel_values", "kernel"], ["features"]),
        helper.make_node("GlobalAveragePool", ["features"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "dense"], ["logits"]),
    ]
    symbolic = ["batch_size", "num_channels", "height", "width"]
    given = helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, symbolic)
    outputs = [
        helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch_size", 4, "h", "w"]),
        helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch_size", 2]),
    ]
    weights = [numpy_helper.from_array(kernel, "kernel"), numpy_helper.from_array(dense, "dense")]
    graph = helper.make_graph(nodes, "net", [given], outputs, weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), tmp_path / "model.onnx")
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({**IMAGENET, "size": {"height": 10, "width": 12}}))
    image = rng.random((10, 12, 3), np.float32)
    served = load_classifier(tmp_path / "model.onnx", trust=False)
    try:
        assert (served.size, served.card.scaling, len(served.labels)) == ((10, 12), "imagenet", 2)
        assert any("preprocessor_config.json beside it says so" in note for note in served.card.notes)
        ready = (image - IMAGENET["image_mean"]) / IMAGENET["image_std"]
        windows = np.lib.stride_tricks.sliding_window_view(ready, (3, 3), (0, 1))
        logits = np.einsum("hwcij,kcij->hwk", windows, kernel).mean((0, 1)) @ dense
        np.testing.assert_allclose(served.outputs(image[None])[0], logits, rtol=1e-3)
    finally:
        served.close()
