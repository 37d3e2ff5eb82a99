"""Hints from the layer names of a loaded Keras model: its innermost layers, and the preprocessing it was trained with."""

from dataclasses import dataclass
from typing import Any

from models.cards.card import Colour, Scaling
from models.graph.network_input import NonKerasNetwork


@dataclass(frozen=True)
class ExpectedPreprocessing:
    """The preprocessing that a model seems to expect, and the reason."""

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


def preprocessing_by_backbone(model: Any) -> ExpectedPreprocessing:
    """The usual preprocessing of the backbone that the layers are named after; else 0..1."""
    inner = (
        sorted(model.leaves) if isinstance(model, NonKerasNetwork) else [layer.name for layer in model._flatten_layers(include_self=False)]
    )
    names = " ".join([model.name, *inner]).lower()
    for backbone, (scaling, colour) in _BY_BACKBONE.items():
        if backbone in names:
            return ExpectedPreprocessing(scaling, colour, f"its layers are called after {backbone}, which was trained so")
    if {"expanded_conv_project", "out_relu"} <= set(names.split()):
        return ExpectedPreprocessing("-1..1", "rgb", "its layers are those of MobileNetV2, which was trained so")
    return ExpectedPreprocessing("0..1", "rgb", "nothing in the model says otherwise")
