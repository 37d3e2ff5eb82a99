"""ImageNet classifiers by name, through keras.applications, downloaded on first use."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from errors import UserError
from models.cards.card import Card, Colour, Scaling, unique_labels
from models.formats.imagenet_weights import NETWORK, ImagenetWeights
from models.sandbox.checks.safe_text import error_reason

if TYPE_CHECKING:
    from models.classifiers.keras_classifier import KerasClassifier

IMAGENET = "imagenet:"
CLASSES = Path(__file__).with_name("imagenet_classes.txt")
"""The names of the 1,000 classes in the network's order: those of Keras' imagenet_class_index.json, with spaces."""


@dataclass(frozen=True)
class PublishedNetwork:
    """A published network: side of the input in pixels, scaling and colour; top-1 accuracy; licence of its weights.

    Accuracies: keras.io/api/applications. Licences of the original weights: the Keras documentation.
    """

    side: int
    scaling: Scaling
    colour: Colour
    accuracy: float
    licence: str


NETWORKS = {
    "MobileNetV2": PublishedNetwork(224, "-1..1", "rgb", 0.713, "Apache-2.0"),
    "ResNet50": PublishedNetwork(224, "caffe", "bgr", 0.749, "MIT"),
    "VGG16": PublishedNetwork(224, "caffe", "bgr", 0.713, "CC BY 4.0"),
    "DenseNet169": PublishedNetwork(224, "imagenet", "rgb", 0.762, "BSD-3-Clause"),
    "InceptionV3": PublishedNetwork(299, "-1..1", "rgb", 0.779, "Apache-2.0"),
    "Xception": PublishedNetwork(299, "-1..1", "rgb", 0.790, "MIT"),
    "EfficientNetB0": PublishedNetwork(224, "0..255", "rgb", 0.771, "Apache-2.0"),
}


def check_imagenet_name(name: str) -> None:
    """UserError where it is none of NETWORKS."""
    if name not in NETWORKS:
        raise UserError(f"There is no ImageNet classifier '{name[:60]}' here; choose one of {', '.join(NETWORKS)}.")


def load_imagenet(name: str) -> "KerasClassifier":
    """One of NETWORKS with ImageNet weights. UserError for an unknown name, and where the weights cannot be downloaded."""
    from models.classifiers.classifier_builder import build_classifier

    check_imagenet_name(name)
    return build_classifier(_download(name), _card(name), Path(f"imagenet:{name}"))


def imagenet_labels() -> list[str]:
    """The names of the 1,000 classes; two names stand for two classes each."""
    return CLASSES.read_text(encoding="utf-8").splitlines()


def _download(name: str) -> Any:
    """The network. But for MobileNetV2, Keras caches downloads in its own folder and prints a progress bar."""
    import keras

    weights = str(ImagenetWeights().fetch()) if name == NETWORK else "imagenet"
    try:
        return getattr(keras.applications, name)(weights=weights)
    except Exception as error:  # errors of the network, the file system or a changed file
        raise UserError(
            f"The weights of imagenet:{name} could not be downloaded ({error_reason(error)}). "
            "Connect to the network once, they are then kept; or give --model the path of a model file."
        ) from error


def _card(name: str) -> Card:
    published = NETWORKS[name]
    return Card(
        name=f"{name} (ImageNet)",
        labels=unique_labels(imagenet_labels()),
        size=(published.side, published.side),
        colour=published.colour,
        scaling=published.scaling,
        fit="crop",
        licence=published.licence,
        data="ImageNet ILSVRC 2012",
        made_by="keras.applications",
        measured_on="ImageNet validation, as published at keras.io/api/applications",
        accuracy=published.accuracy,
    )
