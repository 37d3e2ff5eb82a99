"""A card describes a classifier: its input, its output, where it came from and its measured accuracy."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, get_args

from errors import UserError
from models.cards.metadata import Field, read_metadata_fields
from plain_files import read_plain_text

Head = Literal["softmax", "sigmoid", "multi-label", "logits", "number"]
Colour = Literal["rgb", "bgr", "grey"]
Scaling = Literal["0..1", "-1..1", "0..255", "imagenet", "caffe", "per-picture"]
Fit = Literal["letterbox", "crop", "stretch"]

LARGEST_SIDE = 2048
LONGEST_NAME = 200
LONGEST_TEXT = 2_000  # of a note, a description, a licence, ...
MOST_CLASSES = 10_000
MOST_LAYERS = 100
MOST_NOTES = 100

_CHOICES: dict[str, tuple[str, ...]] = {
    "head": get_args(Head),
    "colour": get_args(Colour),
    "scaling": get_args(Scaling),
    "fit": get_args(Fit),
}


_LONGEST = {"name": LONGEST_NAME} | dict.fromkeys(("licence", "data", "made_by", "measured_on", "sha256", "unit", "output"), LONGEST_TEXT)
"""Characters of a card's texts."""


class CardNote(StrEnum):
    """Notes that the program itself writes on a card and recognises later by their first words.

    ASSUMED_SCALING: the scaling assumed for a model without a card. OWN_PROCESS: how an untrusted model's process is confined.
    SCALES_ITSELF: the scaling that the model itself takes back, which is known. NAMED_IN_FILE: the classes' names come from the model's
    file. NAMED_BY, NAMES_NOT_USED: the file next to the model that names the classes, and one that could not be used.
    """

    ASSUMED_SCALING = "No card: input scaling"
    SCALES_ITSELF = "No card, but the model shows how its input is scaled:"
    OWN_PROCESS = "It runs in a process of its own"
    NAMED_IN_FILE = "Its classes are named in the file itself."
    NAMED_BY = "Its classes are named by"
    NAMES_NOT_USED = "Not used for the names of its classes:"

    def begins(self, note: str) -> bool:
        return note.startswith(self)


def is_scaling_note(note: str) -> bool:
    """Whether the note says where a card that was inferred has its scaling from."""
    return CardNote.ASSUMED_SCALING.begins(note) or CardNote.SCALES_ITSELF.begins(note)


@dataclass(frozen=True)
class ClassLabel:
    """A class: its name, and one sentence that says what it stands for."""

    name: str
    description: str = ""

    def to_json(self) -> dict[str, str]:
        return {"name": self.name, "description": self.description}


@dataclass(frozen=True)
class Card:
    """What a classifier is. Stored as JSON next to the weights: `phantoms.keras` has `phantoms.json`.

    size: (H, W) in pixels that the model takes. colour, scaling: what the model expects of its input; the classifier
    converts RGB 0..1 to it inside its compiled function. fit: how a picture of another shape is brought to `size`.
    head: what the model's last layer outputs; "number" is a measured quantity, in `unit`, instead of classes. output: which output is
    explained where the model gives several; empty for the first. layers: names of the spatial layers for the CAM family; empty means
    the last of each branch. metadata: what the model takes with the picture. temperature: divides the logits for a calibrated
    confidence; 1 where none was fitted.
    accuracy and calibration_error: shares from 0 to 1 on `measured_on`, or None where they were not measured.
    """

    name: str
    labels: tuple[ClassLabel, ...]
    size: tuple[int, int]
    colour: Colour = "rgb"
    scaling: Scaling = "0..1"
    fit: Fit = "letterbox"
    head: Head = "softmax"
    unit: str = ""
    output: str = ""
    layers: tuple[str, ...] = ()
    metadata: tuple[Field, ...] = ()
    licence: str = "unknown"
    data: str = "unknown"
    made_by: str = ""
    measured_on: str = ""
    accuracy: float | None = None
    calibration_error: float | None = None
    temperature: float = 1.0
    sha256: str = ""
    inferred: bool = False
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise UserError(f"Card field '{name}' is {getattr(self, name)!r}; it must be one of {', '.join(choices)}.")
        if not 1 <= min(self.size) <= max(self.size) <= LARGEST_SIDE:
            raise UserError(f"Card field 'size' is {list(self.size)}; height and width must lie from 1 to {LARGEST_SIDE} pixels.")
        self._check_texts()
        self._check_labels()
        if not 0.01 <= self.temperature <= 100:
            raise UserError(f"Card field 'temperature' is {self.temperature}; it must lie from 0.01 to 100.")
        for name in ("accuracy", "calibration_error"):
            share = getattr(self, name)
            if share is not None and not 0 <= share <= 1:
                raise UserError(f"Card field '{name}' is {share}; it must be a share from 0 to 1.")

    def _check_texts(self) -> None:
        for name, most in _LONGEST.items():
            if (length := len(getattr(self, name))) > most:
                raise UserError(f"Card field '{name}' has {length:,} characters; {most:,} is the most. Shorten it.")
        for name, most in (("layers", MOST_LAYERS), ("notes", MOST_NOTES)):
            texts = getattr(self, name)
            if len(texts) > most:
                raise UserError(f"Card field '{name}' has {len(texts):,} entries; {most} is the most. Leave some out.")
            if (length := max(map(len, texts), default=0)) > LONGEST_TEXT:
                raise UserError(f"Card field '{name}' has an entry of {length:,} characters; {LONGEST_TEXT:,} is the most. Shorten it.")

    def _check_labels(self) -> None:
        check_class_count(len(self.labels), "Card field 'labels'")
        names = [label.name for label in self.labels]
        if len(names) < (1 if self.head == "number" else 2):
            raise UserError(f"Card field 'labels' has {len(names)} entry; a classifier tells at least 2 classes apart.")
        if self.head == "sigmoid" and len(names) != 2:
            raise UserError(f"Card field 'labels' has {len(names)} entries; a single sigmoid tells 2 classes apart.")
        seen: set[str] = set()
        for number, name in enumerate(names):
            if not name.strip() or len(name) > LONGEST_NAME:
                raise UserError(f"Card field 'labels': class {number} has a name of {len(name)} characters; give 1 to {LONGEST_NAME}.")
            if name in seen:
                raise UserError(f"Card field 'labels': two classes are called '{name}'; give each a name of its own.")
            seen.add(name)
            if (length := len(self.labels[number].description)) > LONGEST_TEXT:
                raise UserError(
                    f"Card field 'labels': the description of class {number} has {length:,} characters; {LONGEST_TEXT:,} is the most."
                )

    @classmethod
    def read(cls, path: Path) -> "Card":
        """The card at `path`; UserError names the field that is wrong."""
        try:
            raw = json.loads(read_plain_text(path))
        except (OSError, ValueError, RecursionError) as error:
            reason = str(error)[:120]
            raise UserError(f"The card {path.name} cannot be read as JSON ({reason}); fix it or delete it to have one inferred.") from error
        if not isinstance(raw, dict):
            raise UserError(f"The card {path.name} holds a {type(raw).__name__}; it must be a JSON object with the card's fields.")
        try:
            return cls.of(raw)
        except UserError as error:
            raise UserError(f"{path.name}: {error}") from error

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "Card":
        """The card with these fields, as parsed from JSON; UserError names the one that is wrong."""
        return cls(**_fields(raw))

    def to_json(self) -> dict[str, Any]:
        """The fields as stored in a card file; `of` restores an equal card."""
        return {
            "name": self.name,
            "labels": [label.to_json() for label in self.labels],
            "size": list(self.size),
            "colour": self.colour,
            "scaling": self.scaling,
            "fit": self.fit,
            "head": self.head,
            **{name: value for name, value in (("unit", self.unit), ("output", self.output)) if value},
            "layers": list(self.layers),
            "metadata": [field.to_json() for field in self.metadata],
            "licence": self.licence,
            "data": self.data,
            "made_by": self.made_by,
            "measured_on": self.measured_on,
            "accuracy": self.accuracy,
            "calibration_error": self.calibration_error,
            "temperature": self.temperature,
            "sha256": self.sha256,
            "inferred": self.inferred,
            "notes": list(self.notes),
        }

    def to_text(self) -> str:
        """The text of its file."""
        return json.dumps(self.to_json(), indent=2, ensure_ascii=False) + "\n"

    def write(self, path: Path) -> None:
        """Writes the card as JSON, from which `read` restores an equal one."""
        path.write_text(self.to_text(), encoding="utf-8")


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal, read piecewise."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unique_labels(names: Sequence[str]) -> tuple[ClassLabel, ...]:
    """Labels with these names; a repeated name (ImageNet has two cranes) gets its class number appended."""
    first: dict[str, int] = {}
    return tuple(ClassLabel(f"{name} (class {i})" if first.setdefault(name, i) != i else name) for i, name in enumerate(names))


def check_class_count(count: int, of_what: str) -> None:
    """UserError where these are more classes than are taken here."""
    if count > MOST_CLASSES:
        raise UserError(f"{of_what} has {count:,} classes; {MOST_CLASSES:,} is the most. Take a model of fewer classes.")


def _fields(raw: Mapping[str, Any]) -> dict[str, Any]:
    for name in raw:
        if name not in _READERS:
            raise UserError(f"Card field '{str(name)[:60]}' is unknown; the fields are {', '.join(_READERS)}.")
    for name in _REQUIRED:
        if name not in raw:
            raise UserError(f"Card field '{name}' is missing; add it.")
    return {name: _READERS[name](name, value) for name, value in raw.items()}


def _wrong(name: str, value: object, wanted: str) -> UserError:
    return UserError(f"Card field '{name}' is {_begin(value)}; it must be {wanted}.")


def _begin(value: object) -> str:
    """How a value begins, without writing out a long one."""
    short = value[:80] if isinstance(value, str | list) else dict(list(value.items())[:8]) if isinstance(value, dict) else value
    return json.dumps(short)[:80]


def _string(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong(name, value, "a string")
    return value


def _strings(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _wrong(name, value, "a list of strings")
    return tuple(_string(name, entry) for entry in value)


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(name, value, "a number")
    try:
        return float(value)
    except OverflowError as error:
        raise UserError(f"Card field '{name}' is a number of {len(str(value))} digits; give a smaller one.") from error


def _optional_number(name: str, value: object) -> float | None:
    return None if value is None else _number(name, value)


def _truth(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _wrong(name, value, "true or false")
    return value


def _size(name: str, value: object) -> tuple[int, int]:
    if isinstance(value, list) and len(value) == 2 and all(isinstance(side, int) and not isinstance(side, bool) for side in value):
        return value[0], value[1]
    raise _wrong(name, value, "two positive whole numbers, height and width")


def _labels(name: str, value: object) -> tuple[ClassLabel, ...]:
    if not isinstance(value, list):
        raise _wrong(name, value, "a list of labels")
    check_class_count(len(value), f"Card field '{name}'")
    return tuple(_label(name, entry) for entry in value)


def _label(name: str, value: object) -> ClassLabel:
    if isinstance(value, str):
        return ClassLabel(value)
    if isinstance(value, dict) and set(value) <= {"name", "description"} and "name" in value:
        return ClassLabel(_string(f"{name}.name", value["name"]), _string(f"{name}.description", value.get("description", "")))
    raise _wrong(name, value, "a name, or an object with 'name' and 'description'")


_READERS: dict[str, Any] = {
    "name": _string,
    "labels": _labels,
    "size": _size,
    "colour": _string,
    "scaling": _string,
    "fit": _string,
    "head": _string,
    "unit": _string,
    "output": _string,
    "layers": _strings,
    "metadata": lambda _, value: read_metadata_fields(value),
    "licence": _string,
    "data": _string,
    "made_by": _string,
    "measured_on": _string,
    "accuracy": _optional_number,
    "calibration_error": _optional_number,
    "temperature": _number,
    "sha256": _string,
    "inferred": _truth,
    "notes": _strings,
}
_REQUIRED = ("name", "labels", "size")
