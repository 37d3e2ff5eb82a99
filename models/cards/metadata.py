"""Metadata of a picture, such as age, sex or site, encoded as the vector of numbers that a model takes with it."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from errors import UserError

Value = str | float | None
"""A number, one of a category's values, or None where it is not known."""

Missing = Literal["flag", "zero"]
"""How a missing value is encoded: by an entry of its own that is 1, or by zeros alone."""

MISSING = "missing"
LONGEST = 100
MOST_FIELDS = 100
MOST_VALUES = 1_000


@dataclass(frozen=True)
class NumberField:
    """A field that is a number. mean, deviation: of the training data, by which it is standardised; unit: for display, such as years."""

    name: str
    mean: float
    deviation: float
    unit: str = ""
    missing: Missing = "flag"

    def __post_init__(self) -> None:
        _check_name(self.name)
        if not (_finite(self.mean) and _finite(self.deviation) and self.deviation > 0):
            seen = f"mean {str(self.mean)[:20]} and deviation {str(self.deviation)[:20]}"
            raise UserError(f"Metadata '{self.name}' has {seen}; both must be finite, and the deviation more than 0.")
        if len(self.unit) > LONGEST:
            raise UserError(f"Metadata '{self.name}' has a unit of {len(self.unit):,} characters; {LONGEST} is the most. Shorten it.")
        _check_missing(self.name, self.missing)

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "mean": self.mean, "deviation": self.deviation, "unit": self.unit, "missing": self.missing}

    @property
    def entries(self) -> tuple[str, ...]:
        """The meaning of each number of its encoding."""
        return (self.name, f"{self.name} {MISSING}") if self.missing == "flag" else (self.name,)

    def encode(self, value: Value) -> list[float]:
        """[(value - mean) / deviation, 0], or [0, 1] where it is missing: the encoding of the mean, and the flag, if any."""
        if value is None:
            return [0.0, 1.0][: len(self.entries)]
        if isinstance(value, bool) or not isinstance(value, int | float) or not _finite(value):
            raise UserError(
                f"Metadata '{self.name}' is {str(value)[:60]!r}; it must be a finite number, or left out where it is not known."
            )
        return [(float(value) - self.mean) / self.deviation, 0.0][: len(self.entries)]

    def parse(self, text: str) -> Value:
        """The typed text as a number."""
        try:
            return float(text)
        except ValueError:
            return text  # `encode` refuses it

    def describe(self, value: Value) -> str:
        """Name, value and unit, for display."""
        return f"{self.name} {MISSING}" if value is None else f"{self.name} {value:g} {self.unit}".rstrip()


@dataclass(frozen=True)
class CategoryField:
    """A field with one of a few values, in the order of its encoding."""

    name: str
    values: tuple[str, ...]
    missing: Missing = "flag"

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.values) > MOST_VALUES:
            raise UserError(f"Metadata '{self.name}' has {len(self.values):,} values; {MOST_VALUES:,} is the most. Leave some out.")
        if (length := max(map(len, self.values), default=0)) > LONGEST:
            raise UserError(f"Metadata '{self.name}' has a value of {length:,} characters; {LONGEST} is the most. Shorten it.")
        if not self.values or len(set(self.values)) != len(self.values) or not all(self.values):
            raise UserError(f"Metadata '{self.name}' has the values {list(self.values)[:20]}; name at least one, each once, none empty.")
        _check_missing(self.name, self.missing)

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "values": list(self.values), "missing": self.missing}

    @property
    def entries(self) -> tuple[str, ...]:
        """The meaning of each number of its encoding."""
        return *(f"{self.name} = {value}" for value in self.values), *([f"{self.name} {MISSING}"] if self.missing == "flag" else [])

    def encode(self, value: Value) -> list[float]:
        """One-hot; the last entry stands for a missing value, if the encoding has one."""
        if value is not None and value not in self.values:
            raise UserError(f"Metadata '{self.name}' is {str(value)[:60]!r}; it must be one of {', '.join(self.values)}, or left out.")
        code = [0.0] * len(self.entries)
        if value is not None or self.missing == "flag":
            code[-1 if value is None else self.values.index(str(value))] = 1.0
        return code

    def parse(self, text: str) -> Value:
        """The typed text as one of the values."""
        return text

    def describe(self, value: Value) -> str:
        """Name and value, for display."""
        return f"{self.name} {MISSING if value is None else value}"


Field = NumberField | CategoryField


def encode_metadata(fields: Sequence[Field], values: Mapping[str, Value]) -> NDArray[np.float32]:
    """(m,): the concatenated encodings of the fields; an absent value, or None, is encoded as missing. UserError for a wrong one."""
    known = [field.name for field in fields]
    for name in values:
        if name not in known:
            raise UserError(f"There is no metadata '{str(name)[:60]}'; this classifier takes {', '.join(known) or 'none'}.")
    return np.array([number for field in fields for number in field.encode(values.get(field.name))], np.float32)


def metadata_encoding_names(fields: Sequence[Field]) -> tuple[str, ...]:
    """The meaning of each of `encode`'s m numbers: `age`, `age missing`, `sex = female`, ..."""
    return tuple(entry for field in fields for entry in field.entries)


def describe_metadata(fields: Sequence[Field], values: Mapping[str, Value]) -> str:
    """The values as text, such as `age 55 years, sex missing`."""
    return ", ".join(field.describe(values.get(field.name)) for field in fields)


def parse_metadata(fields: Sequence[Field], words: Sequence[str]) -> dict[str, Value]:
    """Words such as `age=55` -> values. UserError for a malformed one."""
    by_name = {field.name: field for field in fields}
    values: dict[str, Value] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or name not in by_name or name in values:
            known = ", ".join(f"{field}=..." for field in by_name) or "none"
            raise UserError(f"{word[:60]!r} is no metadata of this classifier, or is given twice; it takes: {known}")
        values[name] = by_name[name].parse(text)
    encode_metadata(fields, values)
    return values


def read_metadata_fields(raw: object) -> tuple[Field, ...]:
    """From a card's list of objects: name, mean and deviation, or name and values; unit and missing are optional. UserError."""
    if not isinstance(raw, list):
        raise UserError(f"Card field 'metadata' is {json.dumps(raw)[:80]}; it must be a list of fields.")
    if len(raw) > MOST_FIELDS:
        raise UserError(f"Card field 'metadata' has {len(raw):,} fields; {MOST_FIELDS} is the most. Leave some out.")
    fields = tuple(_read_field(each) for each in raw)
    names = [field.name for field in fields]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise UserError(f"Card field 'metadata': two fields are called '{name}'; give each a name of its own.")
    return fields


def _read_field(raw: object) -> Field:
    given: dict[str, Any] = {"missing": "flag", **raw} if isinstance(raw, dict) else {}
    keys, texts = set(given), _all(str, given.get("name"), given.get("unit", ""), given.get("missing"))
    if texts and {"name", "mean", "deviation"} <= keys <= {"name", "mean", "deviation", "unit", "missing"}:
        if _all((int, float), given["mean"], given["deviation"]):
            return NumberField(given["name"], given["mean"], given["deviation"], given.get("unit", ""), given["missing"])
    elif texts and keys == {"name", "values", "missing"} and isinstance(given["values"], list) and _all(str, *given["values"]):
        return CategoryField(given["name"], tuple(given["values"]), given["missing"])
    wanted = "an object with 'name', 'mean' and 'deviation', or with 'name' and 'values'; 'unit' and 'missing' are optional"
    raise UserError(f"Card field 'metadata' holds {json.dumps(raw)[:80]}; it must be {wanted}.")


def _all(kind: type | tuple[type, ...], *values: object) -> bool:
    return all(isinstance(value, kind) and not isinstance(value, bool) for value in values)


def _finite(value: float) -> bool:
    """Also for integers too long for a float."""
    return abs(value) <= sys.float_info.max


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > LONGEST or "=" in name:
        raise UserError(f"A metadata field is called {name[:60]!r}; give a name of 1 to {LONGEST} characters without '='.")


def _check_missing(name: str, missing: str) -> None:
    if missing not in get_args(Missing):
        raise UserError(f"Metadata '{name}' has 'missing' {missing[:40]!r}; it must be one of {', '.join(get_args(Missing))}.")
