"""A network run by an external runtime: pictures in, numbers out, without layers or gradients."""

import copy
import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from errors import UserError
from image_batches import IMAGE_BYTES
from models.cards.card import LARGEST_SIDE, check_class_count
from models.graph.engine.choice import EngineRefused, InferenceEngine, InferenceEngineState
from models.graph.engine.threads import thread_count
from models.graph.network_input import NetworkInput, NonKerasNetwork
from models.graph.output_choice import choose_output
from models.graph.output_shape import classes_in_output_shape

Array = NDArray[Any]
Floats = NDArray[np.float32]
LARGEST_INPUT = LARGEST_SIDE * LARGEST_SIDE * 3 + 10_000
"""Numbers: of the largest picture, and of what is taken beside it."""
OPEN_SIDE = 224
"""Pixels of a side that a file leaves open, in the trials that show what it takes and gives."""


class RuntimeNetwork(NonKerasNetwork):
    """kind: the format, in words. units: numbers per picture of the chosen output. step: the smallest difference between two of them,
    0 where they are not quantised. choice: which of the outputs that is. scaling: the card's word for its input range, where its
    quantisation determines it; else "". classes: their names from the file, if it has them."""

    kind: ClassVar[str]
    classes: tuple[str, ...] = ()

    def __init__(
        self, name: str, inputs: list[NetworkInput], outputs: Sequence[tuple[str, float]] = (("output", 0.0),), scaling: str = ""
    ) -> None:
        """outputs: the name and the step of each."""
        super().__init__(name, inputs)
        self._outputs, self.scaling = tuple(outputs), scaling
        self.together = False
        self._numbers = sum(math.prod(self._shape(port)) for port in inputs)
        if self._numbers > LARGEST_INPUT:
            raise UserError(
                f"{name} takes {self._numbers:,} numbers per picture; {LARGEST_INPUT:,} is the most, as in {LARGEST_SIDE} x {LARGEST_SIDE} "
                "pixels. Export it for smaller pictures."
            )
        self._two = [np.stack([np.zeros(self._shape(port), np.float32), np.ones(self._shape(port), np.float32)]) for port in inputs]
        first = self.run([each[:1] for each in self._two])
        self._shapes = [np.shape(each) if np.ndim(each) > 1 else (1, np.size(each)) for each in first]
        self._choose("")

    def chosen(self, output: str) -> Self:
        """The same network with that output chosen. UserError where it is none that a classifier gives."""
        made = copy.copy(self)
        made._choose(output)
        return made

    def _choose(self, output: str) -> None:
        self.choice = choose_output([name for name, _ in self._outputs], self._shapes, output, self.name)
        self.step = self._outputs[self.choice.number][1]
        self.together = False
        singly = self.evaluate(self._two)
        self.units = singly.shape[1]
        check_class_count(self.units, self.name)
        self.together = 2 * 4 * self._numbers <= IMAGE_BYTES and self._agrees(self._two, singly)

    @property
    def engine(self) -> InferenceEngineState:
        """What runs it, for a format that has no other choice."""
        return InferenceEngineState(InferenceEngine.OWN, thread_count(), "")

    def compiled_by(self, engine: InferenceEngine) -> "RuntimeNetwork":
        """The same network run by that engine. Raises EngineRefused, MemoryError."""
        raise EngineRefused(f"{engine.label} does not evaluate {self.kind} models; {self.engine.engine.label} does.")

    @abstractmethod
    def run(self, arrays: Sequence[Array]) -> Sequence[Array]:
        """(n, ...) for each input, in order -> the outputs, as numbers, in order."""

    def _chosen_rows(self, arrays: Sequence[Array]) -> Array:
        return np.asarray(self.rows(np.asarray(self.run(arrays)[self.choice.number]), len(arrays[0])), np.float32)

    def evaluate(self, arrays: Sequence[Floats]) -> Floats:
        """(n, ...) for each input, in order -> (n, units): as one batch, or one picture at a time where the file allows only one."""
        count = len(arrays[0])
        if not count:
            return np.zeros((0, self.units), np.float32)
        if self.together:
            return self._chosen_rows(arrays)
        return np.concatenate([self._chosen_rows([each[i : i + 1] for each in arrays]) for i in range(count)])

    def _agrees(self, two: list[Floats], singly: Floats) -> bool:
        try:
            both = self._chosen_rows(two)
        except Exception:  # a graph with batch size 1 may fail with any error of its runtime
            return False
        return both.shape == singly.shape and np.allclose(both, singly, atol=1e-3 + self.step, equal_nan=True)

    def rows(self, answer: Array, count: int) -> Array:
        """What the file answered to `count` pictures as (count, units). UserError where it has not a row per picture."""
        if count == 1 and answer.ndim < 2:  # no axis for pictures
            return answer.reshape(1, -1)
        if answer.ndim < 1 or answer.shape[0] != count:
            seen = f"numbers of shape {answer.shape} for {count} picture{'s' * (count != 1)}"
            raise UserError(f"{self.name} gives {seen}; a classifier gives a row of numbers per picture. Export it again.")
        return answer.reshape(count, classes_in_output_shape(answer.shape, self.name))

    @staticmethod
    def _shape(port: NetworkInput) -> tuple[int, ...]:
        return tuple(side or OPEN_SIDE for side in port.shape[1:])
