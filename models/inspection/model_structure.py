"""The structure of a model as plain values, which the sandboxed worker sends and the parent process validates."""

from dataclasses import dataclass
from typing import Any

from models.sandbox.ipc import ProtocolError

_MOST, _LONGEST, _LARGEST = 10_000, 500, 10**9


@dataclass(frozen=True)
class ModelTensorShape:
    """An input or the output. shape: None for a side that is not fixed."""

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
    """What an input undergoes before its first convolution: each channel c becomes slope * c + offset.

    reverses_channels: whether blue comes first.
    """

    slope: tuple[float, ...]
    offset: tuple[float, ...]
    reverses_channels: bool

    def to_json(self) -> dict[str, Any]:
        return {"slope": self.slope, "offset": self.offset, "backwards": self.reverses_channels}


@dataclass(frozen=True)
class ModelStructure:
    """final_activation: "softmax", "sigmoid" or "" where none is found. input_transforms: the distinct ones.

    receptive_fields: layer -> (height, width) in pixels, None where a cell sees everything. flattened: whether a dense layer has weights
    of its own for every cell of a grid. single_cell_convolutions: those whose grid is one cell. dead_channels: layer -> share of channels
    that are constant over all cells and images. non_finite_weights: weights -> share of numbers that are not finite. runtime_kind: how
    the model is run, where that is not as a graph.
    """

    inputs: tuple[ModelTensorShape, ...]
    output: ModelTensorShape
    final_activation: str = ""
    input_transforms: tuple[InputTransform, ...] = ()
    receptive_fields: tuple[tuple[str, tuple[int, int] | None], ...] = ()
    flattened: bool = False
    single_cell_convolutions: tuple[str, ...] = ()
    dead_channels: tuple[tuple[str, float], ...] = ()
    non_finite_weights: tuple[tuple[str, float], ...] = ()
    runtime_kind: str = ""

    def to_json(self) -> dict[str, Any]:
        """What `parse_model_structure` reads."""
        return {
            "inputs": [each.to_json() for each in self.inputs],
            "output": self.output.to_json(),
            "ending": self.final_activation,
            "inner": [each.to_json() for each in self.input_transforms],
            "fields": self.receptive_fields,
            "flattened": self.flattened,
            "single": self.single_cell_convolutions,
            "dead": self.dead_channels,
            "broken": self.non_finite_weights,
            "kind": self.runtime_kind,
        }


def parse_model_structure(raw: Any) -> ModelStructure:
    """Validates what an untrusted process sent. Raises ProtocolError."""
    try:
        return ModelStructure(
            tuple(_tensor_spec(each) for each in _list(raw["inputs"])),
            _tensor_spec(raw["output"]),
            _text(raw["ending"]),
            tuple(_input_transform(each) for each in _list(raw["inner"])),
            tuple((_text(name), None if field is None else _pair(field)) for name, field in _list(raw["fields"])),
            _boolean(raw["flattened"]),
            tuple(_text(name) for name in _list(raw["single"])),
            tuple((_text(name), _share(share)) for name, share in _list(raw["dead"])),
            tuple((_text(name), _share(share)) for name, share in _list(raw["broken"])),
            _text(raw["kind"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ProtocolError("an examination without form") from error


def _list(values: Any) -> list[Any]:
    if not isinstance(values, list) or len(values) > _MOST:
        raise ValueError("list")
    return values


def _tensor_spec(raw: Any) -> ModelTensorShape:
    return ModelTensorShape(
        _text(raw["name"]), tuple(None if side is None else _integer(side) for side in _list(raw["shape"])), _text(raw["dtype"])
    )


def _input_transform(raw: Any) -> InputTransform:
    slope, offset = _numbers(raw["slope"]), _numbers(raw["offset"])
    if len(slope) not in (1, 3) or len(offset) != len(slope):
        raise ValueError("colours")
    return InputTransform(slope, offset, _boolean(raw["backwards"]))


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST or not value.isprintable():
        raise ValueError("words")
    return value


def _integer(value: Any) -> int:
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
    return tuple(_number(value) for value in _list(values))


def _pair(values: Any) -> tuple[int, int]:
    height, width = _list(values)
    return _integer(height), _integer(width)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("truth")
    return value
