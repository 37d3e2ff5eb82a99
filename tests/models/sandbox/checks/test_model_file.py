"""The look at a stranger's model file: ordinary ones pass, hostile ones are refused by what was found, and nothing of them runs."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from benchmarks.zoo_parts.models import topologies
from errors import UserError
from models.formats.format_registry import check_model_file
from models.loading import load_classifier
from models.sandbox.checks import allowed_names
from models.sandbox.checks.model_config import check_config_for_code, check_model_config
from models.sandbox.checks.saved_model_ops import check_saved_model_operations
from models.store import bundled_models
from tests.data import data_folder
from tests.models import hostile_files

ORDINARY = (topologies.flat, topologies.nested, topologies.nested_twice, topologies.efficientnet, topologies.convnext, topologies.grey)


@pytest.mark.parametrize("name", bundled_models())
def test_a_bundled_classifier_passes(name: str) -> None:
    check_model_file(bundled_models()[name])


def test_real_files_pass(data: Path) -> None:
    files = [file for file in (data_folder() / "models").rglob("*") if file.suffix in (".h5", ".keras")]
    assert len(files) >= 4
    for file in files:
        check_model_file(file)


def preprocessing_in_operations() -> keras.Model:
    picture = keras.Input((32, 32, 3))
    return keras.Model(picture, layers.Flatten()(keras.applications.mobilenet_v2.preprocess_input(picture)))


def half_precision() -> keras.Model:
    return keras.Sequential([keras.Input((8, 8, 3)), layers.Dense(2, dtype="mixed_float16", kernel_regularizer="l2")])


@pytest.mark.parametrize("build", [preprocessing_in_operations, half_precision, *ORDINARY])
def test_ordinary_architectures_pass(build: Callable[[], keras.Model]) -> None:
    check_model_config(json.dumps(keras.saving.serialize_keras_object(build())), "m.keras")


def test_every_layer_of_keras_is_either_allowed_or_refused_for_a_reason() -> None:
    found = {name for name in dir(layers) if isinstance(getattr(layers, name), type)}
    without_use = {"Layer", "InputSpec", "Hashing", "HashedCrossing", "MaxNumBoundingBoxes"}
    assert found - allowed_names.CLASSES == (set(allowed_names.CARRIES_CODE) & found) | without_use
    assert not set(allowed_names.CARRIES_CODE) & allowed_names.CLASSES_OF_KERAS_2


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (hostile_files.many_members, "has 103 members"),
        (hostile_files.zip_bomb, "as only a zip bomb is"),
        (hostile_files.path_out, "a path out of the archive"),
        (hostile_files.link, "holds a link"),
        (hostile_files.twice, "'config.json' twice"),
        (hostile_files.oversize, "unpacks to 3.0 GB"),
        (hostile_files.asset, "a file of its own, 'assets/words.txt'"),
        (hostile_files.deep, "more than 200 deep"),
        (hostile_files.large_number, "the number 1000000000000000000"),
    ],
)
def test_an_archive_that_no_model_is(made: Callable[[Path], Path], words: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"^m.keras .*{words}"):
        check_model_file(made(tmp_path / "m.keras"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (hostile_files.external_link, "points to other data at '/stolen'"),
        (hostile_files.soft_link, "points to other data at '/loop'"),
        (hostile_files.external_data, "'/stolen' in another file"),
        (hostile_files.virtual_data, "'/stolen' in another file"),
        (hostile_files.shape_bomb, "says that '/bomb' has 4000 MB"),
        (hostile_files.objects, "no plain numbers"),
    ],
)
def test_weights_that_no_model_has(change: Callable, words: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"^m.keras .*{words}"):
        check_model_file(hostile_files.with_weights(tmp_path / "m.keras", change))


def test_weights_that_contain_themselves_end(tmp_path: Path) -> None:
    check_model_file(hostile_files.with_weights(tmp_path / "m.keras", hostile_files.group_in_itself))


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        ({"class_name": "Lambda"}, "a Lambda layer, which is code"),
        ({"class_name": "__lambda__", "config": {"value": "4wEAAAA="}}, "which is code"),
        ({"config": {"activation": {"class_name": "__lambda__", "config": {"value": "4w=="}}}}, "which is code"),
        ({"class_name": "system", "module": "os", "config": {"command": "true"}}, "'system' of the module 'os'"),
        ({"class_name": "function", "module": "os", "config": "system", "registered_name": "system"}, "of the module 'os'"),
        ({"class_name": "function", "module": "builtins", "config": "eval", "registered_name": "function"}, "the function 'eval'"),
        ({"class_name": "get_file", "module": "keras.utils", "config": {"origin": "http://x"}}, "module 'keras.utils'"),
        ({"class_name": "enable_unsafe_deserialization", "module": "keras.config"}, "module 'keras.config'"),
        ({"class_name": "load_model", "module": "keras.models"}, "the class 'load_model'"),
        ({"class_name": "Map", "module": "keras.src.ops.core"}, "the class 'Map'"),
        ({"class_name": "TFSMLayer"}, "a TFSMLayer, a second model"),
        ({"class_name": "TorchModuleWrapper"}, "a pickled PyTorch module"),
        ({"class_name": "JaxLayer"}, "a JaxLayer"),
        ({"class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}}, "whose word list"),
        ({"class_name": "Dense", "registered_name": "evil>Dense"}, "the class 'evil>Dense'"),
        ({"class_name": "Mine", "module": None, "registered_name": "mine>Mine"}, "the class 'mine>Mine'"),
        ({"class_name": ["a"]}, "which is no name"),
        ({"class_name": "\x1b[2J" * 400, "module": "keras.layers"}, r"the class '\?\[2J"),
    ],
)
def test_a_configuration_that_names_what_is_no_layer(layer: dict, words: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=words) as refused:
        check_model_file(hostile_files.with_layer(tmp_path / "m.keras", **layer))
    assert str(refused.value).startswith("m.keras ")
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 250


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        ({"class_name": "Lambda", "config": {}}, "a Lambda layer"),
        ({"class_name": "TFOpLambda", "config": {"function": "io.write_file"}}, r"TensorFlow's 'io\.write_file'"),
        ({"class_name": "SlicingOpLambda", "config": {"function": "io.write_file"}}, r"TensorFlow's 'io\.write_file'"),
        ({"class_name": "TFOpLambda", "config": {"function": "py_function"}}, "TensorFlow's 'py_function'"),
        ({"class_name": "Custom>Thing", "config": {}}, "the class 'Custom>Thing'"),
    ],
)
def test_a_keras_2_file_is_looked_at_too(layer: dict, words: str, tmp_path: Path) -> None:
    path = hostile_files.keras_2(tmp_path / "m.h5", {"class_name": "Sequential", "config": {"layers": [layer]}})
    with pytest.raises(UserError, match=words):
        check_model_file(path)


@pytest.mark.parametrize("kind", ["ClassMethod", "InstanceMethod", "InstanceProperty", "TensorFlowOpLayer"])
def test_a_layer_that_calls_by_name_is_refused_even_where_a_model_is_trusted(kind: str, tmp_path: Path) -> None:
    layer = {"class_name": kind, "config": {"name": "a", "cls_ref": "io", "method_name": "write_file"}}
    config = {"class_name": "Sequential", "config": {"layers": [layer]}}
    words = f"an? {kind}, which calls whatever of TensorFlow it names"
    with pytest.raises(UserError, match=words):
        check_config_for_code(json.dumps(config), "m.h5")
    with pytest.raises(UserError, match=words):
        load_classifier(hostile_files.keras_2(tmp_path / "m.h5", config))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n<!DOCTYPE html><html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer"),
        (b"\x80\x04\x95", "a pickle"),
        (b'{"error": "gone"}', "is JSON"),
        (b"PK\x03\x04rubbish", "damaged or truncated"),
        (b"\x89HDF\r\n\x1a\nrubbish", "damaged or truncated"),
        (b"RIFF....", "it begins with 'RIFF"),
    ],
)
def test_what_is_no_model_says_what_it_is(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "m.keras").write_bytes(content)
    with pytest.raises(UserError, match=words):
        check_model_file(tmp_path / "m.keras")


@pytest.mark.parametrize("share", [0.1, 0.6, 0.99])
def test_a_truncated_file(share: float, tmp_path: Path) -> None:
    content = hostile_files.GOOD.read_bytes()
    (tmp_path / "m.keras").write_bytes(content[: int(share * len(content))])
    with pytest.raises(UserError, match="damaged or truncated"):
        check_model_file(tmp_path / "m.keras")


def test_live_code_in_a_layer_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    mark = tmp_path / "it ran"
    path = live_code(tmp_path / "m.keras", mark)
    keras.saving.load_model(path, safe_mode=False)
    assert mark.exists(), "the payload is dead, so that refusing it shows nothing"
    mark.unlink()
    with pytest.raises(UserError, match=r"m\.keras holds a Lambda layer, which is code that would run here"):
        load_classifier(path, trust=False)
    assert not mark.exists()
    assert sorted(os.listdir(tmp_path)) == ["m.keras"]


def live_code(path: Path, mark: Path) -> Path:
    """A .keras file with a Lambda layer whose bytecode writes `mark` as soon as the model is called."""
    source = f"lambda x: (__import__('pathlib').Path({str(mark)!r}).write_text('ran'), x)[1]"
    model = keras.Sequential([keras.Input((8, 8, 3)), layers.Lambda(eval(source)), layers.GlobalAveragePooling2D()])
    model.save(path)
    mark.unlink(missing_ok=True)
    return path


class Reads(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None, 8, 8, 3])])
    def serve(self, pictures: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(pictures, [1, 2]) + tf.cast(tf.strings.length(tf.io.read_file("/etc/passwd")), tf.float32)


class Restores(tf.Module):
    """Hides a saver's operation in what answers."""

    @tf.function(input_signature=[tf.TensorSpec([None, 8, 8, 3])])
    def serve(self, pictures: tf.Tensor) -> tf.Tensor:
        return (
            tf.reduce_mean(pictures, [1, 2])
            + tf.raw_ops.RestoreV2(prefix="/x", tensor_names=["a"], shape_and_slices=[""], dtypes=[tf.float32])[0]
        )


@pytest.mark.parametrize(("module", "operation"), [(Reads, "ReadFile"), (Restores, "RestoreV2")])
def test_a_saved_model_that_reaches_files(module: type[tf.Module], operation: str, tmp_path: Path) -> None:
    made = module()
    tf.saved_model.save(made, str(tmp_path / "m"), signatures=made.serve)
    with pytest.raises(UserError, match=f"^m uses TensorFlow's operation '{operation}'"):
        check_saved_model_operations(tmp_path / "m")


def of_many_kinds() -> keras.Model:
    picture = keras.Input((16, 16, 3))
    x = layers.Resizing(12, 12)(layers.Rescaling(1 / 255)(picture))
    x = layers.SeparableConv2D(8, 3, activation="gelu", padding="same")(layers.ZeroPadding2D()(x))
    x = layers.LayerNormalization()(layers.MaxPooling2D()(layers.PReLU()(x)))
    x = layers.Conv2DTranspose(8, 3, activation="hard_swish")(layers.UpSampling2D(interpolation="bilinear")(x))
    tokens = layers.Reshape((-1, 8))(x)
    x = layers.GlobalAveragePooling1D()(layers.MultiHeadAttention(2, 4)(tokens, tokens))
    return keras.Model(picture, layers.Dense(3, activation="softmax")(layers.Dropout(0.5)(x)))


@pytest.mark.parametrize("build", [topologies.flat, of_many_kinds])
def test_an_exported_classifier_passes(build: Callable[[], keras.Model], tmp_path: Path) -> None:
    build().export(tmp_path / "m", verbose=False)
    check_saved_model_operations(tmp_path / "m")
    (tmp_path / "m" / "saved_model.pb").write_bytes(b"\x0a\xff")
    with pytest.raises(UserError, match="damaged"):
        check_saved_model_operations(tmp_path / "m")


def one_text_often(file: h5py.File) -> None:
    file.attrs["layer_names"] = ["x" * 1_000_000] * 20


def long_numbers(file: h5py.File) -> None:
    file.attrs["model_config"] = ["{}"] * 100


def compound(file: h5py.File) -> None:
    file.attrs["x"] = np.zeros(3, [("a", "f4"), ("b", "f4")])


def many_attributes(file: h5py.File) -> None:
    for number in range(1001):
        file["/"].attrs[f"a{number}"] = 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (one_text_often, "20 MB of attributes"),
        (long_numbers, "100 texts in 'model_config'"),
        (compound, "neither numbers nor texts"),
        (many_attributes, "1,001 attributes"),
    ],
)
def test_attributes_that_no_model_has(change: Callable, words: str, tmp_path: Path) -> None:
    hostile_files.with_weights(tmp_path / "m.keras", change)
    with pytest.raises(UserError, match=f"^m.keras .*{words}"):
        check_model_file(tmp_path / "m.keras")
    with h5py.File(tmp_path / "m.h5", "w") as file:
        change(file)
    with pytest.raises(UserError, match=f"^m.h5 .*{words}"):
        check_model_file(tmp_path / "m.h5")


@pytest.mark.parametrize("suffix", [".h5", ".keras", ".zip"])
def test_a_file_of_two_kinds_is_refused(suffix: str, tmp_path: Path) -> None:
    inner, path = hostile_files.keras_2(tmp_path / "inner.h5", {}).read_bytes(), tmp_path / f"m{suffix}"
    archive = hostile_files.GOOD.read_bytes()
    block = b"PK\x03\x04" + bytes(508)
    for content in (inner + archive, block + inner, b"PK\x00\x00" + bytes(508) + inner + archive, block + inner + archive):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"^m\."):
            check_model_file(path)


def test_an_archive_that_lies_of_what_it_packs_is_refused(tmp_path: Path) -> None:
    path = hostile_files.zip_bomb(tmp_path / "m.keras")
    content = bytearray(path.read_bytes())
    where = 0
    while (where := content.find(b"PK\x01\x02", where)) >= 0:
        if int.from_bytes(content[where + 24 : where + 28], "little") == 30_000_000:
            content[where + 20 : where + 24] = (29_000_000).to_bytes(4, "little")
        where += 4
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"members take 29\.\d MB, but has"):
        check_model_file(path)
