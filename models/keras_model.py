"""Looks at a loaded Keras model from outside: its input, the names of its innermost layers, signs of what it was trained on."""

from dataclasses import dataclass
from typing import Any

from errors import UserError
from models.card import Colour, Scaling


@dataclass(frozen=True)
class Expected:
    """What a model seems to expect of its input, and how that is known."""

    scaling: Scaling
    colour: Colour
    because: str


_BY_BACKBONE: dict[str, tuple[Scaling, Colour]] = {
    "resnet50v2": ("-1..1", "rgb"),
    "resnet101v2": ("-1..1", "rgb"),
    "resnet152v2": ("-1..1", "rgb"),
    "mobilenet": ("-1..1", "rgb"),
    "inception": ("-1..1", "rgb"),
    "xception": ("-1..1", "rgb"),
    "nasnet": ("-1..1", "rgb"),
    "densenet": ("imagenet", "rgb"),
    "resnet": ("caffe", "bgr"),
    "vgg": ("caffe", "bgr"),
}


def innermost_layers(model: Any) -> list[Any]:
    """The layers, at any depth, that hold no others."""
    layers = list(model._flatten_layers(include_self=False))
    return [layer for layer in layers if not list(layer._flatten_layers(include_self=False))]


def image_input(model: Any, name: str) -> tuple[int | None, int | None, int]:
    """(H, W, channels) of the model's one image input; H and W are None where the model takes any size."""
    shapes = _input_shapes(model, name)
    if len(shapes) != 1:
        raise UserError(f"{name} has {len(shapes)} inputs, of shapes {_listed(shapes)}; a classifier here takes one picture.")
    shape = shapes[0]
    if len(shape) != 4:
        raise UserError(f"{name} takes input of shape {shape}; a picture has shape (None, height, width, 3).")
    if shape[3] not in (1, 3):
        raise UserError(f"{name} takes input of shape {shape}, {shape[3]} channels last; a picture has 3 of them, or 1 for grey.")
    return shape[1], shape[2], shape[3]


def expected_by_name(model: Any) -> Expected:
    """The usual preprocessing of the backbone that the layers are called after; else 0..1."""
    names = " ".join(layer.name.lower() for layer in [model, *model._flatten_layers(include_self=False)])
    for backbone, (scaling, colour) in _BY_BACKBONE.items():
        if backbone in names:
            return Expected(scaling, colour, f"its layers are called after {backbone}, which was trained so")
    if {"expanded_conv_project", "out_relu"} <= set(names.split()):
        return Expected("-1..1", "rgb", "its layers are those of MobileNetV2, which was trained so")
    return Expected("0..1", "rgb", "nothing in the model says otherwise")


def _input_shapes(model: Any, name: str) -> list[tuple[int | None, ...]]:
    """From the model's symbolic inputs; a subclassed model has none, but remembers the shape that it was built with."""
    if getattr(model, "inputs", None):
        return [tuple(tensor.shape) for tensor in model.inputs]
    built = (model.get_build_config() or {}) if hasattr(model, "get_build_config") else {}
    shape = built.get("input_shape") or next(iter((built.get("shapes_dict") or {}).values()), None)
    if not shape:
        raise UserError(f"{name} was saved without an input shape; call the model on one picture before saving it.")
    return [(None, *shape[1:])]


def _listed(shapes: list[tuple[int | None, ...]]) -> str:
    return " and ".join(map(str, shapes))
