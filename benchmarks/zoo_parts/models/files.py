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
from benchmarks.zoo_parts.models.zoo_model import Written, written
from models.cards.card import Card, Label
from models.cards.metadata import Category, Number

Build = Callable[[], Any]


def as_keras(build: Build, folder: Path) -> Written:
    """One .keras file."""
    build().save(folder / "net.keras")
    return written(folder / "net.keras")


def as_h5(build: Build, folder: Path) -> Written:
    """One .h5 file, of either Keras."""
    return written(keras_2.saved(build(), folder / "net.h5"))


def apart(build: Build, folder: Path) -> Written:
    """Weights in one file, the architecture in another."""
    model = build()
    model.save_weights(str(folder / "net.weights.h5"))
    (folder / "model.json").write_text(model.to_json(), encoding="utf-8")
    return written(folder)


def exported(build: Build, folder: Path) -> Written:
    """What Keras 3 exports for serving."""
    build().export(str(folder / "net"), verbose=False)
    return written(folder / "net")


def graph(build: Build, folder: Path) -> Written:
    """The folder that Keras 2 saves by default."""
    return written(keras_2.saved(build(), folder / "net"))


def teachable_machine(build: Build, folder: Path) -> Written:
    """keras_model.h5 and labels.txt."""
    path = keras_2.saved(build(), folder / "keras_model.h5")
    (folder / "labels.txt").write_text("0 normal\n1 pneumonia\n", encoding="utf-8")
    return written(folder, path)


def teachable_machine_zip(build: Build, folder: Path) -> Written:
    """The archive that is downloaded; packages are given what is in it."""
    path = teachable_machine(build, folder).theirs
    with zipfile.ZipFile(folder / "converted_keras.zip", "w") as archive:
        for name in (path.name, "labels.txt"):
            archive.write(folder / name, name)
    return written(folder / "converted_keras.zip", path)


WRITERS: dict[str, Callable[[Build, Path], Written]] = {
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


def _drawn(build: Build, seed: int = 3) -> Any:
    keras.utils.set_random_seed(seed)
    return scale_random_weights(build())


def with_metadata(folder: Path) -> Written:
    """A card beside it says what the five numbers are."""
    path = folder / "net.keras"
    _drawn(shapes.beside_metadata).save(path)
    fields = (Number("age", 50.0, 10.0, "years"), Category("sex", ("female", "male")))
    Card("net", tuple(map(Label, "abc")), (24, 24), metadata=fields).write(path.with_suffix(".json"))
    return written(path)


def ensemble(folder: Path) -> Written:
    """A list of two files."""
    for seed in (3, 4):
        _drawn(shapes.oblong, seed).save(folder / f"{seed}.keras")
    (folder / "ensemble.json").write_text(json.dumps({"members": ["3.keras", "4.keras"]}), encoding="utf-8")
    return written(folder / "ensemble.json")


def mean_of_two(folder: Path) -> Written:
    """An ensemble in one model: the mean of two softmaxes."""
    keras.utils.set_random_seed(3)
    members = [scale_random_weights(each) for each in shapes.two_heads()]
    mean = keras.layers.Average()([each.output for each in members])
    keras.Model(members[0].inputs, mean).save(folder / "net.keras")
    return written(folder / "net.keras")


def quantised(folder: Path) -> Written:
    """Keras quantises its dense layers to int8."""
    model = _drawn(topologies.flatten_head)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # which layers stay as they are
        model.quantize("int8")
    model.save(folder / "net.keras")
    return written(folder / "net.keras")


def plain_tensorflow(folder: Path) -> Written:
    """A tf.Module."""
    tf.saved_model.save(Plain(), str(folder / "net"))
    return written(folder / "net")


def lite(kind: str, folder: Path) -> Written:
    """kind: as `forward.tflite` takes it."""
    return written(tflite(_drawn(topologies.flat), folder, kind))


def open_exchange(kind: str, folder: Path) -> Written:
    """kind: "channels_last" or "channels_first"."""
    return written(onnx_file(folder / "net.onnx", kind == "channels_first"))


def on_the_hub(build: Build, folder: Path) -> Written:
    """The file that the server on this machine offers."""
    return written("hf://zoo/net", as_keras(build, folder).theirs)
