"""Backbones: the networks that turn a picture into a grid of features, before a head turns the features into classes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from errors import UserError
from models.cards.card import Card, Colour, Scaling
from models.formats.imagenet import NETWORKS
from models.sandbox.checks.safe_text import error_reason

if TYPE_CHECKING:
    import keras

SMALL_NETWORKS = ("small_cnn", "small_vit")
NAMES = (*NETWORKS, *SMALL_NETWORKS)
MOMENTUM = 0.9
SMALL_SIDE, USUAL_SIDE = 128, 224
Size = tuple[int, int]
LEAST_SIDE = {"InceptionV3": 75, "Xception": 71}
WEIGHTS = ("random", "imagenet")


@dataclass(frozen=True)
class Backbone:
    """picture: the input (n, H, W, channels); maps: (n, h, w, k). scaling, colour: the preprocessing of the input, for the card."""

    picture: "keras.KerasTensor"
    maps: Any
    scaling: Scaling
    colour: Colour
    origin: str


def default_input_side(name: str) -> int:
    """Height and width, in pixels, at which the network of that name was published; 224 for a file or another."""
    return NETWORKS[name].side if name in NETWORKS else SMALL_SIDE if name in SMALL_NETWORKS else USUAL_SIDE


def default_backbone_weights(name: str) -> str:
    """ImageNet's for a network that was published with them."""
    return "random" if name in SMALL_NETWORKS else "imagenet"


def build_backbone(name: str, size: Size, weights: str = "random", colour: Colour = "rgb") -> Backbone:
    """The network of that name, or of a model file, without its head, for pictures of size (H, W) in pixels.

    weights: "random" or "imagenet". colour: "grey" gives the small networks one channel. UserError for what there is not.
    """
    if name in SMALL_NETWORKS:
        return _small(name, size, weights, colour)
    if name in NETWORKS:
        return _published(name, size, weights)
    path = Path(name)
    if not path.exists():
        raise UserError(f"There is no backbone '{name}'; choose one of {', '.join(NAMES)}, or the path of a Keras model file.")
    return _backbone_from_file(path, size)


def _small(name: str, size: Size, weights: str, colour: Colour) -> Backbone:
    import keras

    from models.training.networks.small_networks import small_residual_network, small_vision_transformer

    if weights != "random":
        raise UserError(f"There are no '{weights}' weights of {name}; train it from --weights random.")
    if size[0] % 16 or size[1] % 16 or min(size) < 32:
        raise UserError(f"--size is {size[0]} x {size[1]}; {name} takes multiples of 16, at least 32.")
    build: Callable[[Any], Any] = small_residual_network if name == "small_cnn" else small_vision_transformer
    picture = keras.Input((*size, 1 if colour == "grey" else 3), name="picture")
    return Backbone(picture, build(picture), "per-picture" if colour == "grey" else "0..1", colour, f"{name}, random weights")


def _published(name: str, size: Size, weights: str) -> Backbone:
    import keras

    if weights not in WEIGHTS:
        raise UserError(f"--weights is '{weights}'; choose one of {', '.join(WEIGHTS)}.")
    if min(size) < LEAST_SIDE.get(name, 32):
        raise UserError(f"--size is {size[0]} x {size[1]}; {name} takes at least {LEAST_SIDE.get(name, 32)} pixels each way.")
    network = NETWORKS[name]
    picture = keras.Input((*size, 3), name="picture")
    build = getattr(keras.applications, name)
    try:
        made = build(include_top=False, weights=None if weights == "random" else weights, input_tensor=picture)
    except Exception as error:  # whatever the network, the file system or a changed file brings up
        raise UserError(
            f"The ImageNet weights of {name} could not be downloaded ({error_reason(error)}); "
            "connect to the network once, train from --weights random, or give --backbone the path of a model file."
        ) from error
    if weights == "random":
        _lower_norm_momentum(made)
    origin = f"{name}, {'random' if weights == 'random' else 'ImageNet'} weights"
    return Backbone(picture, made.output, network.scaling, network.colour, origin)


def _lower_norm_momentum(model: Any) -> None:
    """Lets batch normalisation adapt within hundreds of steps: some networks were published with a momentum for millions."""
    import keras

    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = min(layer.momentum, MOMENTUM)


def _backbone_from_file(path: Path, size: Size) -> Backbone:
    """A Keras 3 model less what comes after its last grid of features. Its scaling is its card's, or its namesake's."""
    import keras

    from models.formats.format_registry import open_keras_model
    from models.graph.keras_hints import preprocessing_by_backbone
    from models.loading import find_model_file

    file = find_model_file(path)
    model = open_keras_model(file)
    if not isinstance(model, keras.Model) or not getattr(model, "inputs", None) or len(model.inputs) != 1:
        raise UserError(f"{file} is no Keras 3 model of one picture with layers that can be taken apart; give another backbone.")
    model = _resized(model, size)
    grids = [layer for layer in model.layers if _is_grid(layer)]
    if not grids:
        raise UserError(f"{file} has no layer whose answer is a grid of features; give another backbone.")
    card_file = file.with_suffix(".json")
    expected = Card.read(card_file) if card_file.exists() else preprocessing_by_backbone(model)
    return Backbone(model.inputs[0], grids[-1].output, expected.scaling, expected.colour, f"weights of {file.parent.name}/{file.name}")


def _is_grid(layer: Any) -> bool:
    shape: tuple[Any, ...] = getattr(getattr(layer, "output", None), "shape", ())
    return len(shape) == 4 and shape[1] is not None and shape[1] > 1 and type(layer).__name__ != "InputLayer"


def _resized(model: Any, size: Size) -> Any:
    """The same layers with the same weights, for pictures of another size."""
    if tuple(model.inputs[0].shape[1:3]) == size:
        return model
    config = model.get_config()
    first = next(each for each in config["layers"] if each["class_name"] == "InputLayer")
    shape = first["config"].get("batch_shape") or first["config"]["batch_input_shape"]
    first["config"]["batch_shape"] = (None, *size, shape[3])
    try:
        made = type(model).from_config(config)
        made.set_weights(model.get_weights())
    except Exception as error:
        raise UserError(
            f"The backbone takes {shape[1]} x {shape[2]} pixels and cannot be brought to {size[0]} x {size[1]}; "
            f"give --size {shape[1]} {shape[2]}."
        ) from error
    return made
