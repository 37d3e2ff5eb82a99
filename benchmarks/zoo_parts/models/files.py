"""Writes a model in each format, as the tool that people use writes it."""

import json
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from benchmarks.zoo_parts.models import keras_2, shapes, topologies
from benchmarks.zoo_parts.models.forward import Plain, onnx_file, tflite
from benchmarks.zoo_parts.models.random_weights import scale_random_weights
from benchmarks.zoo_parts.models.zoo_model import WrittenFiles, written_files
from models.cards.card import Card, ClassLabel
from models.cards.metadata import CategoryField, NumberField

Build = Callable[[], Any]


def as_keras(build: Build, folder: Path) -> WrittenFiles:
    """One .keras file."""
    build().save(folder / "net.keras")
    return written_files(folder / "net.keras")


def as_h5(build: Build, folder: Path) -> WrittenFiles:
    """One .h5 file, of either Keras."""
    return written_files(keras_2.saved(build(), folder / "net.h5"))


def apart(build: Build, folder: Path) -> WrittenFiles:
    """Weights in one file, the architecture in another."""
    model = build()
    model.save_weights(str(folder / "net.weights.h5"))
    (folder / "model.json").write_text(model.to_json(), encoding="utf-8")
    return written_files(folder)


def exported(build: Build, folder: Path) -> WrittenFiles:
    """What Keras 3 exports for serving."""
    build().export(str(folder / "net"), verbose=False)
    return written_files(folder / "net")


def graph(build: Build, folder: Path) -> WrittenFiles:
    """The folder that Keras 2 saves by default."""
    return written_files(keras_2.saved(build(), folder / "net"))


def teachable_machine(build: Build, folder: Path) -> WrittenFiles:
    """keras_model.h5 and labels.txt."""
    path = keras_2.saved(build(), folder / "keras_model.h5")
    (folder / "labels.txt").write_text("0 normal\n1 pneumonia\n", encoding="utf-8")
    return written_files(folder, path)


def teachable_machine_zip(build: Build, folder: Path) -> WrittenFiles:
    """The archive that is downloaded; packages are given what is in it."""
    path = teachable_machine(build, folder).theirs
    with zipfile.ZipFile(folder / "converted_keras.zip", "w") as archive:
        for name in (path.name, "labels.txt"):
            archive.write(folder / name, name)
    return written_files(folder / "converted_keras.zip", path)


WRITERS: dict[str, Callable[[Build, Path], WrittenFiles]] = {
    "Keras 3 .keras": as_keras,
    "Keras 3 .h5": as_h5,
    "Keras 2 .h5": as_h5,
    "Keras 3 weights + JSON": apart,
    "Keras 2 weights + JSON": apart,
    "Keras 3 SavedModel": exported,
    "Keras 2 SavedModel": graph,
    "Teachable Machine folder": teachable_machine,
    "Teachable Machine zip": teachable_machine_zip,
}


def _images(build: Build, seed: int = 3) -> Any:
    keras.utils.set_random_seed(seed)
    return scale_random_weights(build())


def with_metadata(folder: Path) -> WrittenFiles:
    """With a card that describes the five numbers."""
    path = folder / "net.keras"
    _images(shapes.beside_metadata).save(path)
    fields = (NumberField("age", 50.0, 10.0, "years"), CategoryField("sex", ("female", "male")))
    Card("net", tuple(map(ClassLabel, "abc")), (24, 24), metadata=fields).write(path.with_suffix(".json"))
    return written_files(path)


def ensemble(folder: Path) -> WrittenFiles:
    """A list of two files."""
    for seed in (3, 4):
        _images(shapes.oblong, seed).save(folder / f"{seed}.keras")
    (folder / "ensemble.json").write_text(json.dumps({"members": ["3.keras", "4.keras"]}), encoding="utf-8")
    return written_files(folder / "ensemble.json")


def mean_of_two(folder: Path) -> WrittenFiles:
    """An ensemble in one model: the mean of two softmaxes."""
    keras.utils.set_random_seed(3)
    members = [scale_random_weights(each) for each in shapes.two_heads()]
    mean = keras.layers.Average()([each.output for each in members])
    keras.Model(members[0].inputs, mean).save(folder / "net.keras")
    return written_files(folder / "net.keras")


def quantised(folder: Path) -> WrittenFiles:
    """Keras quantises its dense layers to int8."""
    model = _images(topologies.flatten_head)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # which layers stay as they are
        model.quantize("int8")
    model.save(folder / "net.keras")
    return written_files(folder / "net.keras")


def plain_tensorflow(folder: Path) -> WrittenFiles:
    """A tf.Module."""
    tf.saved_model.save(Plain(), str(folder / "net"))
    return written_files(folder / "net")


def lite(kind: str, folder: Path) -> WrittenFiles:
    """kind: as `forward.tflite` takes it."""
    return written_files(tflite(_images(topologies.flat), folder, kind))


def open_exchange(kind: str, folder: Path) -> WrittenFiles:
    """kind: "channels_last" or "channels_first"."""
    return written_files(onnx_file(folder / "net.onnx", kind == "channels_first"))


def on_the_hub(build: Build, folder: Path) -> WrittenFiles:
    """The file that the server on this machine offers."""
    return written_files("hf://zoo/net", as_keras(build, folder).theirs)
