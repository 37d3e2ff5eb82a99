"""The zoo: every topology, format, backbone, head and kind of number, in rows of name, format and how the file is made."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from benchmarks.zoo_parts.models import files, keras_2, offline_hub, shapes, topologies, transformers
from benchmarks.zoo_parts.models.backbones import SCALING, network, two_branches
from benchmarks.zoo_parts.models.forms import form_entries
from benchmarks.zoo_parts.models.random_weights import scale_random_weights
from benchmarks.zoo_parts.models.zoo_model import WrittenFiles, ZooModel, written_files
from models.cards.card import Scaling
from tests.data import data_folder

Build = Callable[[], Any]

TOPOLOGIES: tuple[Build, ...] = (
    topologies.flat,
    topologies.sequential,
    topologies.nested_twice,
    topologies.flatten_head,
    topologies.ends_in_logits,
    topologies.multi_label,
    topologies.without_a_grid,
    topologies.grey,
    transformers.hybrid,
    shapes.small_vit,
    shapes.siamese,
    shapes.two_pictures,
    shapes.u_shaped,
    shapes.tiny,
    shapes.oblong,
    shapes.of_any_size,
    shapes.one_sigmoid,
    shapes.two_units,
    shapes.in_sixteen_bits,
    shapes.in_bfloat16,
    shapes.channels_first,
    shapes.normalisation_inside,
    shapes.squeeze_and_excite,
    shapes.leaky_and_separable,
)
FOR_BYTES: tuple[Build, ...] = (shapes.rescaling_inside, shapes.preprocessing_traced)
WITH_CODE: tuple[Build, ...] = (topologies.subclassed, topologies.as_function, transformers.with_class_token, transformers.flattened)
"""Their own code is part of them: a .keras file does not hold it, a SavedModel holds its graph."""


def build_seeded(build: Build, scaling: Scaling = "0..1") -> Any:
    """The network as drawn by seed 3, enlivened."""
    keras.utils.set_random_seed(3)
    return scale_random_weights(build(), scaling)


def _entry(build: Build, kind: str, scaling: Scaling = "0..1", name: str = "", differentiable: bool = True) -> ZooModel:
    write = functools.partial(files.WRITERS[kind], functools.partial(build_seeded, build, scaling))
    return ZooModel(name or build.__name__, kind, write, differentiable=differentiable)


def zoo_models() -> tuple[ZooModel, ...]:
    """All specimens; those made by other people only where the data folder is."""
    nested = _entry(topologies.nested, "Keras 3 .keras", "-1..1")
    made = [
        *(_entry(build, "Keras 3 .keras") for build in TOPOLOGIES),
        *(_entry(build, "Keras 3 .keras", "0..255") for build in FOR_BYTES),
        nested,
        _entry(two_branches, "Keras 3 .keras", "-1..1"),
        *(_entry(network(name), "Keras 3 .keras", scaling) for name, scaling in SCALING.items()),
        ZooModel("beside_metadata", "Keras 3 .keras", files.with_metadata),
        ZooModel("mean_of_two", "Keras 3 .keras", files.mean_of_two),
        ZooModel("two_members", "ensemble of .keras", files.ensemble),
        ZooModel("int8_dense", "Keras 3 .keras", files.quantised, differentiable=False),
        *(_entry(build, "Keras 3 SavedModel") for build in WITH_CODE),
        _entry(topologies.efficientnet, "Keras 3 SavedModel", "0..255"),
        _entry(topologies.flat, "Keras 3 .h5", name="flat_h5"),
        _entry(topologies.nested, "Keras 3 .h5", "-1..1", name="nested_h5"),
        _entry(topologies.flat, "Keras 3 weights + JSON", name="flat_apart"),
        _entry(keras_2.plain, "Keras 2 .h5"),
        _entry(keras_2.sequential, "Keras 2 .h5", name="tutorial"),
        _entry(keras_2.transfer, "Keras 2 .h5", "-1..1"),
        _entry(keras_2.two_branches, "Keras 2 .h5", name="two_branches_2"),
        _entry(keras_2.plain, "Keras 2 weights + JSON", name="plain_apart"),
        _entry(keras_2.plain, "Keras 2 SavedModel", name="plain_graph"),
        _entry(keras_2.teachable_machine, "Teachable Machine folder", "-1..1"),
        _entry(keras_2.teachable_machine, "Teachable Machine zip", "-1..1", name="teachable_machine_zip"),
        ZooModel("plain_tensorflow", "SavedModel of plain TensorFlow", files.plain_tensorflow),
        *(ZooModel(f"tflite_{kind}", "TFLite", functools.partial(files.lite, kind)) for kind in ("float", "inner", "whole")),
        *(ZooModel(f"onnx_{name}", "ONNX", functools.partial(files.open_exchange, name)) for name in ("channels_last", "channels_first")),
        ZooModel(
            "from_the_hub", "hf://", functools.partial(files.on_the_hub, functools.partial(build_seeded, topologies.flat)), offline_hub.hub
        ),
        ZooModel("imagenet_mobilenet", "imagenet:", offline_hub.mobilenet, offline_hub.downloads),
    ]
    return (*made, *form_entries(), *_other_entries())


def _other_entries() -> list[ZooModel]:
    """Genuine files: two of Teachable Machine, a network of a tutorial, and MobileNetV2 with its ImageNet weights."""
    folder = data_folder() / "models"
    rows = {
        "teachable_machine_chest_xray": ("keras_model.h5", "Teachable Machine folder"),
        "teachable_machine_pneumonia": ("pneumonia_classifier.h5", "Teachable Machine folder"),
        "chest_xray_cnn": ("chest_xray.h5", "Keras 2 .h5"),
        "imagenet_mobilenet_v2": ("model.keras", "Keras 3 .keras"),
    }
    found = [(folder / name / file, kind) for name, (file, kind) in rows.items()]
    return [ZooModel(f"real: {p.parent.name}", kind, functools.partial(_is_present, p)) for p, kind in found if p.exists()]


def _is_present(path: Path, _: Path) -> WrittenFiles:
    return written_files(path.parent, path)
