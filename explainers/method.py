"""A method evaluates a classifier on changed pictures and combines the answers into a map."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, get_args, get_type_hints

import numpy as np
from numpy.typing import NDArray

from errors import UserError
from explainers.explanation_case import Case

Family = Literal["CAM", "surrogate", "occlusion", "gradient"]
Resolution = Literal["layer", "segments", "windows", "pixels"]


@dataclass(frozen=True)
class ParameterRange:
    """The bounds of a parameter: slider, command-line flag, refusal and documentation in one."""

    low: float
    high: float
    step: float
    help: str


@dataclass(frozen=True)
class ParameterChoice:
    """A parameter that takes one of a few words."""

    options: tuple[str, ...]
    help: str


@dataclass(frozen=True)
class Attribution:
    """One reading of a method's map, on the method's own grid.

    values: (h, w) float32; signed where the method is, never negative where it is not, in units of the score.
    signed: (h, w) the map before rectifying, for an unsigned method that has one. halves: two readings from disjoint
    evaluations, for reliability. uncertainty: the largest standard error over the map's range, or the method's own
    convergence figure; None where the method is deterministic and exact, or nothing is known yet.
    more_helps: False where the map has not converged and further evaluations would not change that.
    remark: what the budget left undone, in words.
    blank: why there is no positive evidence and what to do about it; empty where there is some. branches: where several layers are
    added up, each one's name and its signed map (h, w) on its own grid. caveat: what has to be known of the layers to read the map.
    """

    values: NDArray[np.float32]
    signed: NDArray[np.float32] | None = None
    halves: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None
    uncertainty: float | None = None
    converged: bool = True
    more_helps: bool = True
    remark: str = ""
    blank: str = ""
    branches: tuple[tuple[str, NDArray[np.float32]], ...] = ()
    caveat: str = ""


@dataclass(frozen=True)
class Method(ABC):
    """Parameters as fields, called with a case, yields ever better maps. Subclasses are frozen dataclasses too.

    revision: raised by one whenever a map changes that the method gives with its default parameters at some preset, so that stored maps of
    an earlier one are not taken for today's. asks: what it evaluates. resolution: how fine its maps are of themselves.
    source: paper and section. formula: as text. about: two sentences for a newcomer. fails: where it is known to mislead. pooled: its
    evaluations are those of the case's pool, which all pooled methods share.
    """

    title: ClassVar[str]
    revision: ClassVar[int]
    family: ClassVar[Family]
    signed: ClassVar[bool]
    asks: ClassVar[Literal["outputs", "gradients", "features"]]
    resolution: ClassVar[Resolution]
    source: ClassVar[str]
    formula: ClassVar[str]
    about: ClassVar[str]
    fails: ClassVar[str]
    pooled: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        """TypeError for a method without a family: agreement is tested between families, so that one must not be guessed."""
        super().__init_subclass__()
        if getattr(cls, "family", None) not in get_args(Family):
            raise TypeError(f"{cls.__name__} declares no family; it must be one of {', '.join(get_args(Family))}.")

    @abstractmethod
    def __call__(self, case: Case) -> Iterator[Attribution]: ...

    @abstractmethod
    def cost(self, case: Case) -> int:
        """Evaluations at most if nothing is shared; known before the method starts."""

    def __post_init__(self) -> None:
        for name, bounds in self.parameters().items():
            value = getattr(self, name)
            if isinstance(bounds, ParameterRange) and not bounds.low <= value <= bounds.high:
                raise UserError(f"{self.title}: {name} is {value}; it must lie from {bounds.low:g} to {bounds.high:g}.")
            if isinstance(bounds, ParameterChoice) and value not in bounds.options:
                raise UserError(f"{self.title}: {name} is {value!r}; it must be one of {', '.join(bounds.options)}.")

    @classmethod
    def parameters(cls) -> dict[str, ParameterRange | ParameterChoice]:
        """The fields that a person may set, with their bounds, in order."""
        hints = get_type_hints(cls, include_extras=True)
        found: dict[str, Any] = {}
        for field in fields(cls):
            for note in getattr(hints[field.name], "__metadata__", ()):
                if isinstance(note, ParameterRange | ParameterChoice):
                    found[field.name] = note
        return found

    def parameter_values(self) -> dict[str, Any]:
        """Name -> value of what a person may set, in order; the names are those of the command line's `--set` and of every JSON."""
        return {name: getattr(self, name) for name in self.parameters()}
