"""Which inputs a Keras model has, and what each receives: the picture at the right size, or a part of the encoded metadata."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from errors import UserError
from models.cards.card import Card
from models.cards.metadata import encoding_entry_names
from models.graph.preprocessing import preprocess_images


@dataclass(frozen=True)
class PictureInput:
    """An input (n, H, W, channels). size: (H, W) in pixels, None where the model takes any."""

    name: str
    size: tuple[int | None, int | None]
    channels: int

    @property
    def shape(self) -> tuple[int | None, ...]:
        return (None, *self.size, self.channels)

    def __str__(self) -> str:
        return f"'{self.name}' of {self.size[0]} x {self.size[1]} pixels"


@dataclass(frozen=True)
class VectorInput:
    """An input (n, length)."""

    name: str
    length: int

    @property
    def shape(self) -> tuple[int | None, ...]:
        return None, self.length

    def __str__(self) -> str:
        return f"'{self.name}' of shape (None, {self.length})"


@dataclass(frozen=True)
class ModelInputStructure:
    """A model's inputs in order, and the nested structure of its call's argument, whose leaves they replace."""

    order: tuple[PictureInput | VectorInput, ...]
    structure: Any

    @property
    def pictures(self) -> tuple[PictureInput, ...]:
        return tuple(each for each in self.order if isinstance(each, PictureInput))

    @property
    def vectors(self) -> tuple[VectorInput, ...]:
        return tuple(each for each in self.order if isinstance(each, VectorInput))

    @property
    def largest(self) -> PictureInput:
        """The picture input with most pixels; inputs of a fixed size come before those that take any."""
        return max(self.pictures, key=lambda each: (each.size[0] or 0) * (each.size[1] or 0))

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of a model with more than one input."""
        if len(self.pictures) < 2:
            return ()
        return (f"Each of its {len(self.pictures)} picture inputs is given the same picture: {', '.join(map(str, self.pictures))}.",)

    def prepare(self, images: tf.Tensor, card: Card) -> list[tf.Tensor]:
        """(n, H, W, 3) RGB 0..1 -> one tensor per picture input; equal inputs share one."""
        made: dict[tuple[tuple[int, int], int], tf.Tensor] = {}
        for size, channels in (keys := [(_size_in(each, card), each.channels) for each in self.pictures]):
            if (size, channels) not in made:
                seen = replace(card, colour="grey") if channels == 1 else card
                made[size, channels] = preprocess_images(_resize(images, card.size, size), seen, channels)
        return [made[key] for key in keys]

    def pack(self, prepared: Sequence[tf.Tensor], metadata: tf.Tensor | None) -> Any:
        """The argument of the model's call. metadata: (m,), the encoded metadata, divided among the vector inputs in order."""
        if len(self.order) == 1:
            return prepared[0]
        pictures = iter(prepared)
        lengths = [each.length for each in self.vectors]
        parts = iter(tf.split(metadata, lengths) if lengths else ())
        count = tf.shape(prepared[0])[0]
        given = [next(pictures) if isinstance(each, PictureInput) else tf.tile(next(parts)[None], [count, 1]) for each in self.order]
        return tf.nest.pack_sequence_as(self.structure, given)

    def check_card(self, card: Card, name: str) -> None:
        """UserError where the card's size or colour does not match the model."""
        height, width = self.largest.size
        if (height or card.size[0], width or card.size[1]) != card.size:
            raise UserError(
                f"The card says pictures of {card.size[0]} x {card.size[1]}, but {name} takes {height} x {width}; fix the card's 'size'."
            )
        if self.largest.channels == 1 and card.colour != "grey":
            raise UserError(f"The card says colour '{card.colour}', but {name} takes one channel; fix the card's 'colour' to 'grey'.")

    def check_metadata(self, card: Card, name: str) -> None:
        """UserError where the card's metadata does not match the model."""
        wanted, given = sum(each.length for each in self.vectors), len(encoding_entry_names(card.metadata))
        if wanted and not given:
            raise UserError(
                f"{name} takes {_join(self.vectors)} beside the picture, and no card says what they are; say so in its card's 'metadata'."
            )
        if wanted != given:
            taken = _join(self.vectors) or "none"
            raise UserError(f"The card's 'metadata' encodes as {given} numbers, but {name} takes {taken}; fix the card's 'metadata'.")


def read_model_inputs(model: Any, name: str) -> ModelInputStructure:
    """The inputs of a Keras model (2 or 3). UserError names those that are neither a picture nor a vector of numbers."""
    structure = _structure(model, name)
    found = tuple(_input(leaf, name) for leaf in tf.nest.flatten(structure))
    if not any(isinstance(each, PictureInput) for each in found):
        raise UserError(f"{name} takes {_join(found)}; a picture has shape (None, height, width, 3).")
    return ModelInputStructure(found, structure)


@dataclass(frozen=True)
class _Leaf:
    name: str
    shape: tuple[int | None, ...]
    kind: str


def _structure(model: Any, name: str) -> Any:
    """Structure of leaves, from the model's symbolic inputs; a subclassed model has none, but stores the shapes it was built with."""
    if getattr(model, "inputs", None):
        nested = model.input if len(model.inputs) > 1 else model.inputs
        return tf.nest.map_structure(lambda x: _Leaf(x.name.split(":")[0], tuple(x.shape), tf.as_dtype(x.dtype).name), nested)
    built = (model.get_build_config() or {}) if hasattr(model, "get_build_config") else {}
    arguments = built.get("shapes_dict") or {}
    if len(arguments) > 1:
        raise UserError(
            f"{name} takes its inputs as {len(arguments)} arguments, {', '.join(arguments)}; rebuild it to take one list of them."
        )
    shapes = built.get("input_shape") or next(iter(arguments.values()), None)
    if not shapes:
        raise UserError(f"{name} was saved without an input shape; call the model on one picture before saving it.")
    return _leaves(shapes, "input")


def _leaves(shapes: Any, name: str) -> Any:
    if isinstance(shapes, dict):
        return {key: _leaves(shape, str(key)) for key, shape in shapes.items()}
    if all(side is None or isinstance(side, int) for side in shapes):
        return _Leaf(name, (None, *shapes[1:]), "float32")
    return [_leaves(shape, f"{name} {number}") for number, shape in enumerate(shapes)]


def _input(leaf: _Leaf, name: str) -> PictureInput | VectorInput:
    shape = leaf.shape
    if len(shape) == 4 and shape[3] in (1, 3):
        return PictureInput(leaf.name, (shape[1], shape[2]), shape[3])
    if len(shape) == 4:
        raise UserError(f"{name} takes input of shape {shape}, {shape[3]} channels last; a picture has 3 of them, or 1 for grey.")
    if len(shape) == 2 and shape[1] and leaf.kind in ("float16", "bfloat16", "float32", "float64"):
        return VectorInput(leaf.name, shape[1])
    taken = f"input '{leaf.name}' of shape {shape}" + ("" if leaf.kind.startswith("float") else f" and kind {leaf.kind}")
    raise UserError(f"{name} takes {taken}; a picture has shape (None, height, width, 3), metadata (None, numbers).")


def _size_in(each: PictureInput, card: Card) -> tuple[int, int]:
    return each.size[0] or card.size[0], each.size[1] or card.size[1]


def _resize(images: tf.Tensor, size: tuple[int, int], wanted: tuple[int, int]) -> tf.Tensor:
    """Bilinear; antialiased when downscaling."""
    return images if size == wanted else tf.image.resize(images, wanted, antialias=True)


def _join(inputs: Sequence[PictureInput | VectorInput]) -> str:
    return " and ".join(f"input {each}" for each in inputs)
