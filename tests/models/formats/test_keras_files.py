"""Files of every Keras: .keras of Keras 2, unpacked folders, classes that many files bring along, and a person's own code."""

import json
import shutil
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from errors import UserError
from models.formats import custom_objects
from models.formats.format_registry import check_model_file, open_model
from models.formats.model_hub import choose_model_files
from models.loading import find_model_file

FACTOR = 3.0
"""Of the Lambda layer below, as its author's file defines it too."""

PICTURES = np.random.default_rng(0).random((2, 8, 8, 3), np.float32)


def network(kit: Any, *inner: Any, nested: bool = False) -> Any:
    """A small network of Keras 2 or 3 with these layers in it; its statistics and weights are random."""
    kit.utils.set_random_seed(1)
    picture = kit.layers.Input((8, 8, 3))
    x = kit.layers.Conv2D(4, 3, padding="same")(picture)
    for layer in inner:
        x = layer(x)
    x = kit.layers.BatchNormalization()(x)
    body = kit.Model(picture, x, name="body")
    if nested:
        outer = kit.layers.Input((8, 8, 3))
        flipped = kit.Sequential([kit.layers.RandomFlip(), kit.layers.RandomRotation(0.1)], name="augment")(outer)
        x, picture = body(flipped, training=False), outer
    model = kit.Model(picture, kit.layers.Dense(3)(kit.layers.GlobalAveragePooling2D()(x)))
    model.set_weights([np.random.default_rng(i).random(w.shape, np.float32) + 0.1 for i, w in enumerate(model.get_weights())])
    return model


def save(model: Any, path: Path) -> None:
    """As model.save, without the warning that .h5 is old."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model.save(path)


def as_tensorflow(path: Path, modules: str, version: str, group: str = "layers") -> None:
    """Renames what tf_keras writes to what that version of TensorFlow wrote."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    text = parts["config.json"].decode().replace('"tf_keras.src.engine', f'"{modules}').replace('"tf_keras.src', '"keras.src')
    parts["config.json"] = text.replace('"tf_keras', '"keras').encode()
    parts["metadata.json"] = json.dumps({"keras_version": version, "date_saved": "2023-09-01@10:00:00"}).encode()
    with h5py.File.in_memory(parts["model.weights.h5"]) as file:
        if group != "layers":
            rename_groups(file, group)
        file.flush()
        parts["model.weights.h5"] = file.id.get_file_image()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def rename_groups(group: Any, name: str) -> None:
    for key in list(group):
        if isinstance(group[key], h5py.Group):
            rename_groups(group[key], name)
    if "layers" in group:
        group.move("layers", name)


@pytest.mark.parametrize(
    ("modules", "version", "group"),
    [("keras.src.engine", "2.13.1", "layers"), ("keras.engine", "2.12.0", "_layer_checkpoint_dependencies")],
)
@pytest.mark.parametrize("nested", [False, True])
def test_a_keras_file_of_keras_2_answers_as_the_network_that_was_saved(
    tmp_path: Path, modules: str, version: str, group: str, nested: bool
) -> None:
    model = network(tf_keras, tf_keras.layers.ReLU(6.0), nested=nested)
    model.save(tmp_path / "net.keras")
    as_tensorflow(tmp_path / "net.keras", modules, version, group)
    check_model_file(tmp_path / "net.keras")
    opened = open_model(tmp_path / "net.keras")
    np.testing.assert_allclose(opened(PICTURES, training=False), model(PICTURES, training=False), rtol=1e-5)
    assert [layer.name for layer in opened.layers] == [layer.name for layer in model.layers]


def test_the_folder_that_keras_3_writes_for_the_hub(tmp_path: Path) -> None:
    model, folder = network(keras), tmp_path / "net"
    keras.saving.save_model(model, folder, zipped=False)
    (folder / "README.md").write_text("words")
    assert [find_model_file(path) for path in (folder, folder / "model.weights.h5")] == [folder] * 2
    check_model_file(folder)
    np.testing.assert_allclose(open_model(folder)(PICTURES, training=False), model(PICTURES, training=False), rtol=1e-5)
    listed = ["README.md", "config.json", "metadata.json", "model.weights.h5"]
    assert choose_model_files(listed, "r") == (".", listed[1:])
    assert choose_model_files(["model.json", "model.weights.h5"], "r")[0] == "model.weights.h5", "weights and architecture apart"


@pytest.mark.parametrize(
    ("file", "words"),
    [("config.json", "cannot be read"), ("model.weights.h5", "damaged or truncated weights")],
)
def test_a_hostile_folder_of_keras_3(tmp_path: Path, file: str, words: str) -> None:
    keras.saving.save_model(network(keras), tmp_path / "net", zipped=False)
    (tmp_path / "net" / file).write_bytes(b"\x89HDF{")
    with pytest.raises(UserError, match=words):
        check_model_file(tmp_path / "net")
    (tmp_path / "net" / file).unlink()
    (tmp_path / "net" / file).symlink_to("/etc/passwd")
    with pytest.raises(UserError, match="a link or no plain file"):
        check_model_file(tmp_path / "net")


def of_class(kit: Any, name: str, call: Callable[[Any, Any], Any], package: str = "", **config: Any) -> Any:
    """A layer of a class of that name, as another package defines it."""

    def get_config(self: Any) -> dict[str, Any]:
        return {**kit.layers.Layer.get_config(self), **config}

    made = type(name, (kit.layers.Layer,), {"call": call, "get_config": get_config})
    return (kit.saving.register_keras_serializable(package)(made) if package else made)()


FORMULAS: dict[str, tuple[str, Callable[[Any, Any], Any], str, dict[str, Any]]] = {
    "drop path": ("DropPath", lambda self, x: x + 0.0, "", {"rate": 0.3}),
    "drop connect": ("DropConnect", lambda self, x: x + 0.0, "", {"drop_connect_rate": 0.2}),
    "depth of one": ("StochasticDepth", lambda self, x: x + 0.0, "", {"drop_path_rate": 0.2}),
    "swish": ("Swish", lambda self, x: x * tf.sigmoid(x), "", {}),
    "hard swish": ("HSwish", lambda self, x: x * tf.nn.relu6(x + 3) / 6, "", {}),
    "hard sigmoid": ("HSigmoid", lambda self, x: tf.nn.relu6(x + 3) / 6, "", {}),
    "mish": ("Mish", lambda self, x: x * tf.tanh(tf.math.softplus(x)), "", {}),
    "relu 6": ("ReLU6", lambda self, x: tf.nn.relu6(x), "", {}),
}
"""Each class with its formula in TensorFlow's own operations, and a configuration as its package writes it."""


@pytest.mark.parametrize("kit", [keras, tf_keras], ids=["keras 3", "keras 2"])
def test_known_classes_compute_what_their_sources_say(tmp_path: Path, kit: Any) -> None:
    layers = [of_class(kit, name, call, package, **config) for name, call, package, config in FORMULAS.values()]
    model = network(kit, *layers)
    path = tmp_path / ("net.keras" if kit is keras else "net.h5")
    save(model, path)
    check_model_file(path)
    np.testing.assert_allclose(open_model(path)(PICTURES, training=False), model(PICTURES, training=False), rtol=1e-5)


def test_classes_of_keras_2_packages(tmp_path: Path) -> None:
    """EfficientNet's dropout, group normalisation and stochastic depth of tensorflow-addons, and activations by name."""

    class FixedDropout(tf_keras.layers.Dropout):  # type: ignore[misc]
        pass

    class Groups(tf_keras.layers.Layer):  # type: ignore[misc]
        def build(self, shape: Any) -> None:
            self.gamma, self.beta = (self.add_weight(name=name, shape=(shape[-1],)) for name in ("gamma", "beta"))

        def call(self, x: Any) -> Any:
            parts = tf.reshape(x, (-1, 8, 8, 2, 2))
            mean, variance = tf.nn.moments(parts, (1, 2, 4), keepdims=True)
            return tf.reshape((parts - mean) / tf.sqrt(variance + 1e-3), tf.shape(x)) * self.gamma + self.beta

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "groups": 2, "axis": -1, "epsilon": 1e-3, "center": True, "scale": True}

    class Depth(tf_keras.layers.Layer):  # type: ignore[misc]
        def call(self, pair: Any) -> Any:
            return pair[0] + 0.8 * pair[1]

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "survival_probability": 0.8}

    Groups.__name__, Depth.__name__ = "GroupNormalization", "StochasticDepth"
    groups, depth = (tf_keras.saving.register_keras_serializable("Addons")(each)() for each in (Groups, Depth))

    @tf_keras.saving.register_keras_serializable("Addons")
    def mish(x: Any) -> Any:
        return x * tf.tanh(tf.math.softplus(x))

    model = network(
        tf_keras, FixedDropout(0.2, noise_shape=(None, 1, 1, 1)), groups, tf_keras.layers.Activation(mish), lambda x: depth([x, x])
    )
    save(model, tmp_path / "net.h5")
    for name in ("Addons>GroupNormalization", "Addons>StochasticDepth", "Addons>mish"):
        tf_keras.utils.get_custom_objects().pop(name)
    with h5py.File(tmp_path / "net.h5", "r+") as file:  # as TensorFlow wrote it until 2.12
        config = json.loads(file.attrs["model_config"])
        (layer,) = [each["config"] for each in config["config"]["layers"] if each["class_name"] == "Activation"]
        layer["activation"] = "Addons>mish"
        file.attrs["model_config"] = json.dumps(config)
    check_model_file(tmp_path / "net.h5")
    np.testing.assert_allclose(open_model(tmp_path / "net.h5")(PICTURES, training=False), model(PICTURES, training=False), rtol=1e-4)


def test_a_known_name_of_another_module_is_not_imported(tmp_path: Path) -> None:
    """A class that Keras has itself is only Keras': its name lends nothing to a module of somebody else."""
    network(keras, keras.layers.GroupNormalization(2)).save(tmp_path / "net.keras")
    with zipfile.ZipFile(tmp_path / "net.keras") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    (layer,) = [each for each in config["config"]["layers"] if each["class_name"] == "GroupNormalization"]
    layer |= {"module": "os", "registered_name": "GroupNormalization"}
    with zipfile.ZipFile(tmp_path / "net.keras", "w") as archive:
        for name, content in {**parts, "config.json": json.dumps(config)}.items():
            archive.writestr(name, content)
    with pytest.raises(UserError, match="'os', which is no part of Keras"):
        check_model_file(tmp_path / "net.keras")


def test_a_network_of_tensorflow_hub_is_named_with_the_way_out(tmp_path: Path) -> None:
    save(network(tf_keras, of_class(tf_keras, "KerasLayer", lambda self, x: x, handle="https://tfhub.dev/x")), tmp_path / "net.h5")
    with pytest.raises(UserError, match=r"KerasLayer, a network of TensorFlow Hub .*tf\.saved_model\.save"):
        check_model_file(tmp_path / "net.h5")


@pytest.fixture
def own_code(tmp_path: Path) -> Iterator[Path]:
    """A file that defines a layer of its own, registered, and a name that a Lambda layer uses."""
    path = tmp_path / "mine.py"
    path.write_text(
        "import keras\n\nFACTOR = 3.0\n\n@keras.saving.register_keras_serializable('thesis')\nclass Twice(keras.layers.Layer):\n"
        "    def call(self, x):\n        return 2.0 * x\n"
    )
    custom_objects.register_custom_objects(path)
    yield path
    custom_objects._files.clear()
    custom_objects._waiting.clear()
    custom_objects._names.clear()


def test_a_persons_own_layer_and_lambda_open_with_their_code(tmp_path: Path, own_code: Path) -> None:
    twice = of_class(keras, "Twice", lambda self, x: 2.0 * x, "thesis")
    model = network(keras, twice)
    model.save(tmp_path / "net.keras")
    older = network(tf_keras, tf_keras.layers.Lambda(lambda x: FACTOR * tf.nn.relu(x)))
    save(older, tmp_path / "net.h5")
    keras.saving.get_custom_objects().pop("thesis>Twice")
    np.testing.assert_allclose(open_model(tmp_path / "net.keras")(PICTURES), model(PICTURES), rtol=1e-5)
    np.testing.assert_allclose(open_model(tmp_path / "net.h5")(PICTURES), older(PICTURES), rtol=1e-5)


def test_a_classifier_of_keras_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opens where KerasHub is installed; elsewhere the sentence says what to install, and its tokenizers are refused everywhere."""
    hub = pytest.importorskip("keras_hub").models
    body = hub.ViTBackbone(image_shape=(32, 32, 3), patch_size=(16, 16), num_layers=1, num_heads=2, hidden_dim=8, mlp_dim=8)
    model = hub.ViTImageClassifier(backbone=body, num_classes=3)
    model.save(tmp_path / "net.keras")
    check_model_file(tmp_path / "net.keras")
    pictures = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    np.testing.assert_allclose(open_model(tmp_path / "net.keras")(pictures), model(pictures), rtol=1e-5)
    monkeypatch.setattr("models.sandbox.checks.model_config.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"KerasHub's 'ViTImageClassifier', which is not installed here; run pip install keras-hub"):
        check_model_file(tmp_path / "net.keras")


@pytest.mark.parametrize(
    ("module", "kind"), [("keras_hub.src.models.bert.bert_tokenizer", "BertTokenizer"), ("keras_hub.src.utils.x", "F")]
)
def test_what_no_image_classifier_needs_of_keras_hub(tmp_path: Path, module: str, kind: str) -> None:
    with zipfile.ZipFile(tmp_path / "net.keras", "w") as archive:
        archive.writestr(
            "config.json", json.dumps({"module": module, "class_name": kind, "config": {}, "registered_name": f"keras_hub>{kind}"})
        )
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))
        archive.writestr("model.weights.h5", b"")
    with pytest.raises(UserError, match=r"which no image classifier needs|no part of Keras"):
        check_model_file(tmp_path / "net.keras")


@pytest.mark.parametrize("kit", [keras, tf_keras], ids=["keras 3", "keras 2"])
def test_tensorflows_own_softmax_as_an_activation(tmp_path: Path, kit: Any) -> None:
    """As tutorials write it: activation=tf.nn.softmax, which is kept by its name in TensorFlow."""
    model = network(kit, kit.layers.Dense(3, activation=tf.nn.softmax), kit.layers.Dense(3, activation=tf.nn.relu))
    model.save(tmp_path / "net.keras")
    check_model_file(tmp_path / "net.keras")
    np.testing.assert_allclose(open_model(tmp_path / "net.keras")(PICTURES, training=False), model(PICTURES, training=False), rtol=1e-5)


def test_a_saved_model_without_its_weights_is_refused_without_a_path(tmp_path: Path) -> None:
    network(keras).export(str(tmp_path / "net"), verbose=False)
    shutil.rmtree(tmp_path / "net" / "variables")
    with pytest.raises(UserError, match="is its folder whole") as refused:
        open_model(tmp_path / "net")
    assert str(tmp_path) not in str(refused.value)
