"""What can be seen of a model from inside, as plain values that cross the border between two processes and are checked on arrival."""

from dataclasses import dataclass
from typing import Any

from models.sandbox.ipc import ProtocolError

_MOST, _LONGEST, _LARGEST = 10_000, 500, 10**9


@dataclass(frozen=True)
class TensorSpec:
    """An input or the output. shape: None for what is open."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str

    def __str__(self) -> str:
        sides = ", ".join("None" if side is None else str(side) for side in self.shape)
        return f"'{self.name}' ({sides}) {self.dtype}"

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "shape": self.shape, "dtype": self.dtype}


@dataclass(frozen=True)
class InputTransform:
    """What lies between an input and its first convolution, where each colour c becomes slope * c + offset; backwards: blue comes first."""

    slope: tuple[float, ...]
    offset: tuple[float, ...]
    backwards: bool

    def to_json(self) -> dict[str, Any]:
        return {"slope": self.slope, "offset": self.offset, "backwards": self.backwards}


@dataclass(frozen=True)
class ModelStructure:
    """ending: "softmax", "sigmoid" or "" where nothing is seen. inner: one for each different beginning.

    fields: layer -> (height, width) in pixels, None where a cell sees everything. flattened: whether cells go into a dense layer place by
    place. single: convolutions whose grid is one cell. dead: layer -> share of channels that give one number in every cell of every
    picture. broken: weights -> share of numbers that are not finite. kind: how it is run, where that is not as a graph.
    """

    inputs: tuple[TensorSpec, ...]
    output: TensorSpec
    ending: str = ""
    inner: tuple[InputTransform, ...] = ()
    fields: tuple[tuple[str, tuple[int, int] | None], ...] = ()
    flattened: bool = False
    single: tuple[str, ...] = ()
    dead: tuple[tuple[str, float], ...] = ()
    broken: tuple[tuple[str, float], ...] = ()
    kind: str = ""

    def to_json(self) -> dict[str, Any]:
        """What `told` reads."""
        return {
            "inputs": [each.to_json() for each in self.inputs],
            "output": self.output.to_json(),
            "ending": self.ending,
            "inner": [each.to_json() for each in self.inner],
            "fields": self.fields,
            "flattened": self.flattened,
            "single": self.single,
            "dead": self.dead,
            "broken": self.broken,
            "kind": self.kind,
        }


def parse_structure(raw: Any) -> ModelStructure:
    """What another process says, believed only as far as it has this form. Raises BrokenAgreement."""
    try:
        return ModelStructure(
            tuple(_slot(each) for each in _few(raw["inputs"])),
            _slot(raw["output"]),
            _words(raw["ending"]),
            tuple(_inner(each) for each in _few(raw["inner"])),
            tuple((_words(name), None if field is None else _pair(field)) for name, field in _few(raw["fields"])),
            _truth(raw["flattened"]),
            tuple(_words(name) for name in _few(raw["single"])),
            tuple((_words(name), _share(share)) for name, share in _few(raw["dead"])),
            tuple((_words(name), _share(share)) for name, share in _few(raw["broken"])),
            _words(raw["kind"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ProtocolError("an examination without form") from error


def _few(values: Any) -> list[Any]:
    if not isinstance(values, list) or len(values) > _MOST:
        raise ValueError("list")
    return values


def _slot(raw: Any) -> TensorSpec:
    return TensorSpec(
        _words(raw["name"]), tuple(None if side is None else _whole(side) for side in _few(raw["shape"])), _words(raw["dtype"])
    )


def _inner(raw: Any) -> InputTransform:
    slope, offset = _numbers(raw["slope"]), _numbers(raw["offset"])
    if len(slope) not in (1, 3) or len(offset) != len(slope):
        raise ValueError("colours")
    return InputTransform(slope, offset, _truth(raw["backwards"]))


def _words(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST or not value.isprintable():
        raise ValueError("words")
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST:
        raise ValueError("whole number")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
        raise ValueError("number")
    return float(value)


def _share(value: Any) -> float:
    share = _number(value)
    if not 0 <= share <= 1:
        raise ValueError("share")
    return share


def _numbers(values: Any) -> tuple[float, ...]:
    return tuple(_number(value) for value in _few(values))


def _pair(values: Any) -> tuple[int, int]:
    height, width = _few(values)
    return _whole(height), _whole(width)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("truth")
    return value
