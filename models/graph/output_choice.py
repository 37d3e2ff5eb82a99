"""Which of a model's outputs is explained: the one that was chosen, or the first that is a row of numbers per picture."""

from collections.abc import Sequence
from dataclasses import dataclass

from errors import UserError
from models.graph.output_shape import classes_in_output_shape
from models.sandbox.checks.safe_text import printable_text


@dataclass(frozen=True)
class ModelOutputChoice:
    """names: of the outputs that are rows of numbers, in the model's order; number: the chosen one's among all outputs."""

    names: tuple[str, ...]
    name: str
    number: int

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of a model with several outputs."""
        if len(self.names) < 2:
            return ()
        return (f"It gives {len(self.names)} answers, {', '.join(self.names)}: '{self.name}' is explained. --head chooses another.",)


def choose_output(names: Sequence[str], shapes: Sequence[Sequence[int | None]], wanted: str, model: str) -> ModelOutputChoice:
    """names, shapes: of all outputs, pictures first. wanted: a name, or "" for the first that fits. UserError where none does."""
    names = [printable_text(name, 100) for name in names]
    fitting = [number for number, shape in enumerate(shapes) if _is_row(shape, model)]
    if not fitting:
        classes_in_output_shape(shapes[0], model)
    known = tuple(names[number] for number in fitting)
    if wanted and wanted not in known:
        raise UserError(f"{model} has no answer '{wanted[:60]}' to explain; choose one of {', '.join(known)}.")
    number = next(each for each in fitting if not wanted or names[each] == wanted)
    return ModelOutputChoice(known, names[number], number)


def _is_row(shape: Sequence[int | None], model: str) -> bool:
    try:
        classes_in_output_shape(shape, model)
    except UserError:
        return False
    return True
