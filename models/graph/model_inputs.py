"""Which inputs a Keras model has, and what each receives: the picture at the right size, or a part of the encoded metadata."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import tensorflow as tf

from errors import UserError
from models.cards.card import Card
from models.cards.metadata import metadata_encoding_names
from models.graph.preprocessing import preprocess_images

Layout = Literal["last", "first", "plane", "flat"]
_LEAST_SIDE = 8
"""Pixels of a picture's side below which numbers without channels are not taken for a picture."""


@dataclass(frozen=True)
class PictureInput:
    """An input that takes pictures. size: (H, W) in pixels, None where the model takes any. of_bytes: whether its numbers are 0..255.

    layout: how the model takes them: (n, H, W, channels), channels first, as one plane (n, H, W), or as numbers in a row.
    """

    name: str
    size: tuple[int | None, int | None]
    channels: int
    layout: Layout = "last"
    of_bytes: bool = False

    @property
    def shape(self) -> tuple[int | None, ...]:
        """As the model takes it."""
        if self.layout == "flat":
            return None, (self.size[0] or 0) * (self.size[1] or 0) * self.channels
        if self.layout == "plane":
            return None, *self.size
        return (None, self.channels, *self.size) if self.layout == "first" else (None, *self.size, self.channels)

    def arrange(self, pictures: tf.Tensor) -> tf.Tensor:
        """(n, H, W, channels) -> the same numbers as the model takes them."""
        if self.layout == "first":
            return tf.transpose(pictures, (0, 3, 1, 2))
        if self.layout == "flat":
            return tf.reshape(pictures, (-1, self.shape[1]))
        return pictures[..., 0] if self.layout == "plane" else pictures

    @property
    def note(self) -> str:
        """What is assumed of it; empty where its shape says all."""
        if self.layout != "flat":
            return ""
        kind = "grey" if self.channels == 1 else "colour"
        return f"Its input of {self.shape[1]} numbers is taken for a {kind} picture of {self.size[0]} x {self.size[1]} pixels, row by row."

    def __str__(self) -> str:
        return f"'{self.name}' of {self.size[0]} x {self.size[1]} pixels"


@dataclass(frozen=True)
class VectorModelInput:
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

    order: tuple[PictureInput | VectorModelInput, ...]
    structure: Any

    @property
    def pictures(self) -> tuple[PictureInput, ...]:
        return tuple(each for each in self.order if isinstance(each, PictureInput))

    @property
    def vectors(self) -> tuple[VectorModelInput, ...]:
        return tuple(each for each in self.order if isinstance(each, VectorModelInput))

    @property
    def largest(self) -> PictureInput:
        """The picture input with most pixels; inputs of a fixed size come before those that take any."""
        return max(self.pictures, key=lambda each: (each.size[0] or 0) * (each.size[1] or 0))

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of a model with more than one input."""
        assumed = tuple(each.note for each in self.pictures if each.note)
        if len(self.pictures) < 2:
            return assumed
        shown = ", ".join(map(str, self.pictures))
        return (
            *assumed,
            f"Each of its {len(self.pictures)} picture inputs is given the same picture, {shown}, "
            "unless a second one is given (--second-picture), which gets a map too.",
        )

    def prepare(self, images: tf.Tensor, card: Card, second: tf.Tensor | None = None, takes: tf.Tensor | None = None) -> list[tf.Tensor]:
        """(n, H, W, 3) RGB 0..1 -> one tensor per picture input.

        second: (H, W, 3), another picture. takes: (picture inputs,), 1 for those that take the images, 0 for those that take the second.
        """
        shown = [images] * len(self.pictures)
        if second is not None and takes is not None:
            shown = [share * images + (1 - share) * second for share in tf.unstack(takes)]
        made = []
        for each, seen in zip(self.pictures, shown, strict=True):
            coloured = replace(card, colour="grey") if each.channels == 1 else card
            made.append(preprocess_images(_resize(seen, card.size, _size_in(each, card)), coloured, each.channels))
        return made

    def pack(self, prepared: Sequence[tf.Tensor], metadata: tf.Tensor | None) -> Any:
        """The argument of the model's call. metadata: (m,), the encoded metadata, divided among the vector inputs in order."""
        arranged = [each.arrange(pictures) for each, pictures in zip(self.pictures, prepared, strict=True)]
        if len(self.order) == 1:
            return arranged[0]
        pictures = iter(arranged)
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
        wanted, given = sum(each.length for each in self.vectors), len(metadata_encoding_names(card.metadata))
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
    if len(found) == 1 and isinstance(found[0], VectorModelInput):
        found = (_as_picture(found[0]),)
    if not any(isinstance(each, PictureInput) for each in found):
        raise UserError(f"{name} takes {_join(found)}; a picture has shape (None, height, width, 3).")
    return ModelInputStructure(found, structure)


@dataclass(frozen=True)
class _Leaf:
    name: str
    shape: tuple[int | None, ...]
    kind: str
    of_bytes: bool = False


def _structure(model: Any, name: str) -> Any:
    """Structure of leaves, from the model's symbolic inputs; a subclassed model has none, but stores the shapes it was built with."""
    if getattr(model, "inputs", None):
        nested = model.input if len(model.inputs) > 1 else model.inputs
        return tf.nest.map_structure(_leaf, nested)
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


def _leaf(given: Any) -> _Leaf:
    kind = tf.as_dtype(given.dtype)
    return _Leaf(given.name.split(":")[0], tuple(given.shape), kind.name, getattr(given, "of_bytes", False) or kind == tf.uint8)


def _leaves(shapes: Any, name: str) -> Any:
    if isinstance(shapes, dict):
        return {key: _leaves(shape, str(key)) for key, shape in shapes.items()}
    if all(side is None or isinstance(side, int) for side in shapes):
        return _Leaf(name, (None, *shapes[1:]), "float32")
    return [_leaves(shape, f"{name} {number}") for number, shape in enumerate(shapes)]


def _input(leaf: _Leaf, name: str) -> PictureInput | VectorModelInput:
    shape = leaf.shape
    if len(shape) == 4 and shape[3] in (1, 3):
        return PictureInput(leaf.name, (shape[1], shape[2]), shape[3], of_bytes=leaf.of_bytes)
    if len(shape) == 4 and shape[1] in (1, 3):
        return PictureInput(leaf.name, (shape[2], shape[3]), shape[1], "first", leaf.of_bytes)
    if len(shape) == 3 and min(shape[1] or 0, shape[2] or 0) >= _LEAST_SIDE:
        return PictureInput(leaf.name, (shape[1], shape[2]), 1, "plane", leaf.of_bytes)
    if len(shape) == 4:
        raise UserError(f"{name} takes input of shape {shape}, {shape[3]} channels last; a picture has 3 of them, or 1 for grey.")
    if len(shape) == 2 and shape[1] and leaf.kind in ("float16", "bfloat16", "float32", "float64"):
        return VectorModelInput(leaf.name, shape[1])
    taken = f"input '{leaf.name}' of shape {shape}" + ("" if leaf.kind.startswith("float") else f" and kind {leaf.kind}")
    raise UserError(f"{name} takes {taken}; a picture has shape (None, height, width, 3), metadata (None, numbers).")


def _as_picture(given: VectorModelInput) -> PictureInput | VectorModelInput:
    """A model's only input, of so many numbers as a square picture has, grey or in colour; else what it was."""
    for channels in (1, 3):
        side = math.isqrt(given.length // channels)
        if side >= _LEAST_SIDE and side * side * channels == given.length:
            return PictureInput(given.name, (side, side), channels, "flat")
    return given


def _size_in(each: PictureInput, card: Card) -> tuple[int, int]:
    return each.size[0] or card.size[0], each.size[1] or card.size[1]


def _resize(images: tf.Tensor, size: tuple[int, int], wanted: tuple[int, int]) -> tf.Tensor:
    """Bilinear; antialiased when downscaling."""
    return images if size == wanted else tf.image.resize(images, wanted, antialias=True)


def _join(inputs: Sequence[PictureInput | VectorModelInput]) -> str:
    return " and ".join(f"input {each}" for each in inputs)
