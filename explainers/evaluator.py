"""Evaluates a classifier batch by batch: counts evaluations, halves the batch when memory runs out, stops on request."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import islice
from threading import Event
from typing import TypeVar

import numpy as np

from errors import UserError
from explainers.classifier_protocol import Floats

Pictures = Floats | Iterable[Floats]
"""An array (n, ...), or an iterable of single pictures or masks, or of arrays (m, ...): made batch by batch, never all at once."""

OUT_OF_MEMORY = "The model ran out of memory with one picture at a time; close other programs or use a smaller model."
T = TypeVar("T")


class EvaluationStopped(Exception):  # noqa: N818 - nothing went wrong
    """`stop` was called: nothing more is evaluated."""


class EvaluationCounter:
    """How many evaluations each caller spent. `caller` is the current one.

    evaluations: forward passes. backward: those among them that were differentiated too. reuses: caller -> cached key -> evaluations
    behind it that another caller spent. on_batch: called after every batch, with its number of pictures.
    """

    def __init__(self) -> None:
        self.caller: Hashable = None
        self.evaluations: Counter[Hashable] = Counter()
        self.backward: Counter[Hashable] = Counter()
        self.reuses: dict[Hashable, dict[Hashable, int]] = {}
        self.on_batch: Callable[[int], object] = lambda pictures: None

    def charge(self, pictures: int, backward: bool) -> None:
        """The caller spent evaluations on so many pictures."""
        self.evaluations[self.caller] += pictures
        self.backward[self.caller] += pictures if backward else 0
        self.on_batch(pictures)

    def reuse(self, key: Hashable, pictures: int) -> None:
        """The caller reuses so many evaluations under `key` that another spent; of several calls the largest number counts."""
        own = self.reuses.setdefault(self.caller, {})
        own[key] = max(own.get(key, 0), pictures)

    def reused(self, caller: Hashable) -> int:
        """Evaluations that `caller` reused and others spent."""
        return sum(self.reuses.get(caller, {}).values())


class Evaluator:
    """Passes every evaluation to the classifier, one batch at a time."""

    def __init__(self, batch: int) -> None:
        self.batch = batch
        self.stopped = Event()
        self.counter = EvaluationCounter()

    def fork(self) -> "Evaluator":
        """Another evaluator with the same counter and a stop of its own."""
        other = Evaluator(self.batch)
        other.counter = self.counter
        return other

    def evaluate(self, pictures: Pictures, function: Callable[[Floats], Floats], rank: int, backward: bool = False) -> Iterator[Floats]:
        """Results of `function`, batch by batch, in order. rank: dimensions of one picture or mask. Raises Stopped, UserError."""
        for batch in self._batches(pictures, rank):
            yield from self._evaluate(batch, function, backward)

    def evaluate_once(self, function: Callable[[], T]) -> T:
        """The result of a function of one picture, forward and backward. Raises Stopped, UserError."""
        if self.stopped.is_set():
            raise EvaluationStopped
        try:
            answer = function()
        except MemoryError as error:
            raise UserError(OUT_OF_MEMORY) from error
        self.counter.charge(1, backward=True)
        return answer

    def _evaluate(self, batch: Floats, function: Callable[[Floats], Floats], backward: bool) -> Iterator[Floats]:
        if self.stopped.is_set():
            raise EvaluationStopped
        try:
            answer = function(batch)
        except MemoryError as error:
            if len(batch) == 1:
                raise UserError(OUT_OF_MEMORY) from error
            self.batch = min(self.batch, (len(batch) + 1) // 2)
        else:
            self.counter.charge(len(batch), backward)
            yield answer
            return
        half = (len(batch) + 1) // 2
        yield from self._evaluate(batch[:half], function, backward)
        yield from self._evaluate(batch[half:], function, backward)

    def _batches(self, pictures: Pictures, rank: int) -> Iterator[Floats]:
        if isinstance(pictures, np.ndarray) and pictures.ndim == rank + 1:
            start = 0
            while start < len(pictures):
                stop = start + self.batch
                yield np.asarray(pictures[start:stop], np.float32)
                start = stop
            return
        singles = _singles(pictures, rank)
        while batch := list(islice(singles, self.batch)):
            yield np.stack(batch).astype(np.float32, copy=False)


def _singles(pictures: Pictures, rank: int) -> Iterator[Floats]:
    for part in pictures:
        if part.ndim == rank:
            yield part
        else:
            yield from part
