"""Parses and validates the sandboxed worker's description of its model."""

from dataclasses import dataclass, replace
from typing import Any

from models.cards.card import Card, CardNote
from models.graph.engine.choice import InferenceEngine, InferenceEngineState
from models.graph.grid_layer import GridLayer
from models.sandbox.checks.safe_text import printable_text
from models.sandbox.confinement import SandboxProtection
from models.sandbox.ipc import ProtocolError

_MOST_OUTPUTS = 1_000
_MOST_LAYERS, _LONGEST_NAME, _LARGEST_SIDE, _MOST_NUMBERS, _MOST_THREADS = 10_000, 500, 65_536, 2**28, 4096


@dataclass(frozen=True)
class WorkerDescription:
    """The description of a model by its process."""

    card: Card
    layers: tuple[GridLayer, ...]
    from_probabilities: bool
    forward_only: bool
    heads: tuple[str, ...]
    picture_inputs: tuple[str, ...]
    protection: SandboxProtection
    engine: InferenceEngineState


def parse_worker_description(head: dict[str, Any]) -> WorkerDescription:
    """Raises UserError or ProtocolError where the description is malformed."""
    try:
        card = Card.of(head["card"])
        layers = tuple(_layer(*each) for each in head["layers"][:_MOST_LAYERS])
        protection = SandboxProtection(int(head["landlock"]), bool(head["filtered"]))
        card = replace(card, notes=(*card.notes, f"{CardNote.OWN_PROCESS}: {protection}."))
        flags = (bool(head["from_probabilities"]), bool(head["forward_only"]))
        names = _names(head["heads"]), _names(head["picture_inputs"])
        return WorkerDescription(card, layers, *flags, *names, protection, parse_engine_choice(head["engine"]))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ProtocolError("a description without form") from error


def parse_engine_choice(fields: Any) -> InferenceEngineState:
    """What the process says that evaluates its forward passes. ProtocolError where it is malformed."""
    try:
        version, remark = (printable_text(fields[name], most) for name, most in (("version", 40), ("remark", 400)))
        return InferenceEngineState(InferenceEngine(fields["name"]), min(max(int(fields["threads"]), 1), _MOST_THREADS), version, remark)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ProtocolError("an engine without form") from error


def _names(names: Any) -> tuple[str, ...]:
    if not isinstance(names, list) or len(names) > _MOST_OUTPUTS or not all(isinstance(each, str) for each in names):
        raise ValueError("names")
    return tuple(printable_text(each, 100) for each in names)


def _layer(
    name: object, grid: Any, channels: object, branch: object, last: object, patches: object = False, pictures: Any = ()
) -> GridLayer:
    numbers = [*grid, channels, branch, *pictures]
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME or len(grid) != 2 or not name.isprintable():
        raise ValueError("name")
    if (
        not all(isinstance(each, int) and 0 <= each <= _LARGEST_SIDE for each in numbers)
        or numbers[0] * numbers[1] * numbers[2] > _MOST_NUMBERS
    ):
        raise ValueError("size")
    return GridLayer(name, (grid[0], grid[1]), numbers[2], numbers[3], bool(last), patches=bool(patches), pictures=tuple(pictures))
