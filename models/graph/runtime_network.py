"""A network run by an external runtime: pictures in, numbers out, without layers or gradients."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from errors import UserError
from image_batches import IMAGE_BYTES
from models.cards.card import LARGEST_SIDE, check_class_count
from models.graph.engine.choice import Engine, EngineRefused, EngineState
from models.graph.engine.threads import thread_count
from models.graph.network_input import NetworkInput, NonKerasNetwork
from models.graph.output_shape import row_length

Array = NDArray[Any]
Floats = NDArray[np.float32]
LARGEST_INPUT = LARGEST_SIDE * LARGEST_SIDE * 3 + 10_000
"""Numbers: of the largest picture, and of what is taken beside it."""


class RuntimeNetwork(NonKerasNetwork):
    """kind: the format, in words. units: outputs per picture. step: the smallest difference between two outputs, 0 where
    they are not quantised. scaling: the card's word for its input range, where its quantisation determines it; else "".
    classes: their names from the file, if it has them."""

    kind: ClassVar[str]
    classes: tuple[str, ...] = ()

    def __init__(self, name: str, inputs: list[NetworkInput], step: float = 0.0, scaling: str = "") -> None:
        super().__init__(name, inputs)
        self.step, self.scaling = step, scaling
        self.together = False
        numbers = sum(math.prod(self._shape(port)) for port in inputs)
        if numbers > LARGEST_INPUT:
            raise UserError(
                f"{name} takes {numbers:,} numbers per picture; {LARGEST_INPUT:,} is the most, as in {LARGEST_SIDE} x {LARGEST_SIDE} "
                "pixels. Export it for smaller pictures."
            )
        two = [np.stack([np.zeros(self._shape(port), np.float32), np.ones(self._shape(port), np.float32)]) for port in inputs]
        singly = self.evaluate(two)
        self.units = singly.shape[1]
        check_class_count(self.units, name)
        self.together = 2 * 4 * numbers <= IMAGE_BYTES and self._agrees(two, singly)

    @property
    def engine(self) -> EngineState:
        """What runs it, for a format that has no other choice."""
        return EngineState(Engine.OWN, thread_count(), "")

    def compiled_by(self, engine: Engine) -> "RuntimeNetwork":
        """The same network run by that engine. Raises EngineRefused, MemoryError."""
        raise EngineRefused(f"{engine.label} does not evaluate {self.kind} models; {self.engine.engine.label} does.")

    @abstractmethod
    def run(self, arrays: Sequence[Array]) -> Array:
        """(n, ...) for each input, in order -> (n, units)."""

    def evaluate(self, arrays: Sequence[Floats]) -> Floats:
        """(n, ...) for each input, in order -> (n, units): as one batch, or one picture at a time where the file allows only one."""
        count = len(arrays[0])
        if not count:
            return np.zeros((0, self.units), np.float32)
        if self.together:
            return np.asarray(self.run(arrays), np.float32)
        return np.concatenate([np.asarray(self.run([each[i : i + 1] for each in arrays]), np.float32) for i in range(count)])

    def _agrees(self, two: list[Floats], singly: Floats) -> bool:
        try:
            both = np.asarray(self.run(two), np.float32)
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
        return answer.reshape(count, row_length(answer.shape, self.name))

    @staticmethod
    def _shape(port: NetworkInput) -> tuple[int, ...]:
        return tuple(side or 64 for side in port.shape[1:])
