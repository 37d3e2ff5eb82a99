"""TensorFlow.js: what tf.js and Teachable Machine write opens and answers as its Keras model; hostile and damaged files do not."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf_keras

from errors import UserError
from models.formats.format_registry import check_model_file, open_model
from models.loading import find_model_file, load_classifier

PICTURES = np.random.default_rng(0).random((2, 8, 8, 3), np.float32)


def teachable() -> Any:
    """A network in a network with a head, as Teachable Machine puts them together."""
    tf_keras.utils.set_random_seed(0)
    picture = tf_keras.layers.Input((8, 8, 3))
    x = tf_keras.layers.ReLU(6.0)(tf_keras.layers.BatchNormalization(name="bn")(tf_keras.layers.Conv2D(4, 3, name="Conv1")(picture)))
    body = tf_keras.Sequential([tf_keras.Model(picture, x, name="model1"), tf_keras.layers.GlobalAveragePooling2D()], name="sequential_1")
    ends = [
        tf_keras.layers.Dense(5, activation="relu", input_shape=(4,), name="dense_Dense1"),
        tf_keras.layers.Dense(2, activation="softmax"),
    ]
    model = tf_keras.Sequential([body, tf_keras.Sequential(ends, name="sequential_3")])
    model.build((None, 8, 8, 3))
    model.set_weights([np.random.default_rng(i).random(w.shape, np.float32) for i, w in enumerate(model.get_weights())])
    return model


def files_of(model: Any, packed: bool = False) -> dict[str, bytes]:
    """As TensorFlow.js writes the model, its weights whole or packed into bytes; nothing of its converter is at hand here."""
    config = plain(json.loads(model.to_json()))
    topology = {
        "class_name": config["class_name"],
        "config": config["config"],
        "keras_version": "tfjs-layers 1.3.1",
        "backend": "tensor_flow.js",
    }
    specs, content = [], b""
    for variable, value in zip(model.weights, model.get_weights(), strict=True):
        spec: dict[str, Any] = {"name": variable.name.split(":")[0], "shape": list(value.shape), "dtype": "float32"}
        if packed:
            low, scale = float(value.min()), float(np.ptp(value) / 255) or 1.0
            spec["quantization"] = {"dtype": "uint8", "scale": scale, "min": low}
            value = np.rint((value - low) / scale).astype(np.uint8)
        specs.append(spec)
        content += value.tobytes()
    halves = {"group1-shard1of2.bin": content[:100], "group1-shard2of2.bin": content[100:]}
    text = json.dumps({"modelTopology": topology, "weightsManifest": [{"paths": list(halves), "weights": specs}]})
    return {"model.json": text.encode(), **halves, "metadata.json": b'{"labels": ["cat", "dog"]}'}


def plain(part: Any) -> Any:
    """A configuration as TensorFlow.js writes it: classes without their modules, and Model for Functional."""
    if isinstance(part, dict):
        kept = {key: plain(value) for key, value in part.items() if key not in ("module", "registered_name", "build_config")}
        return {**kept, "class_name": "Model"} if kept.get("class_name") == "Functional" else kept
    return [plain(each) for each in part] if isinstance(part, list) else part


def written(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_and_an_archive_answer_as_the_keras_model(tmp_path: Path, packed: bool) -> None:
    model = teachable()
    folder = written(tmp_path / "net", files_of(model, packed))
    archive = tmp_path / "tm-my-image-model.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name, content in files_of(model, packed).items():
            file.writestr(name, content)
    assert [find_model_file(path) for path in (folder, folder / "model.json")] == [folder] * 2
    for path in (folder, archive):
        check_model_file(path)
        np.testing.assert_allclose(open_model(path)(PICTURES), model(PICTURES), rtol=0.05 if packed else 1e-5)


def test_it_runs_in_a_process_of_its_own(tmp_path: Path) -> None:
    model = teachable()
    served = load_classifier(written(tmp_path / "net", files_of(model)), trust=False)
    try:
        np.testing.assert_allclose(served.predict(PICTURES[0]), model(PICTURES[:1])[0], rtol=1e-4)
        assert served.layers[-1].grid == (6, 6)
    finally:
        served.close()


def changed(files: dict[str, bytes], change: Any) -> dict[str, bytes]:
    raw = json.loads(files["model.json"])
    change(raw)
    return {**files, "model.json": json.dumps(raw).encode()}


def as_graph(raw: dict[str, Any]) -> None:
    raw["modelTopology"] = {"node": [], "library": {}}


def out_of_the_folder(raw: dict[str, Any]) -> None:
    raw["weightsManifest"][0]["paths"] = ["../../etc/passwd"]


def with_code(raw: dict[str, Any]) -> None:
    raw["modelTopology"]["config"]["layers"].append({"class_name": "Lambda", "config": {"function": ["4wA=", None, None]}})


def too_large(raw: dict[str, Any]) -> None:
    raw["weightsManifest"][0]["weights"][0]["shape"] = [2**30, 2**10]


def longer(raw: dict[str, Any]) -> None:
    raw["weightsManifest"][0]["weights"][0]["shape"][0] += 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (as_graph, "is a graph of TensorFlow.js.*press Export Model.*Keras"),
        (out_of_the_folder, "damaged model.json"),
        (with_code, "holds a Lambda layer"),
        (too_large, "GB of weights"),
        (longer, "but its files have"),
    ],
)
def test_what_does_not_open(tmp_path: Path, change: Any, words: str) -> None:
    folder = written(tmp_path / "net", changed(files_of(teachable()), change))
    with pytest.raises(UserError, match=words):  # noqa: PT012 - the check or the reader
        check_model_file(folder)
        open_model(folder)
