"""Puts pictures to a classifier batch by batch: counts them, halves the batch when memory runs out, stops when told."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import islice
from threading import Event
from typing import TypeVar

import numpy as np

from errors import UserError
from explainers.protocol import Floats

Pictures = Floats | Iterable[Floats]
"""An array (n, ...), or an iterable of single pictures or masks, or of arrays (m, ...): made batch by batch, never all at once."""

OUT_OF_MEMORY = "The model ran out of memory with one picture at a time; close other programs or use a smaller model."
T = TypeVar("T")


class Stopped(Exception):  # noqa: N818 - nothing went wrong
    """Somebody called `stop`: no further picture goes through the model."""


class EvaluationCounter:
    """Who put how many pictures through the model. `caller` is whoever is asking now.

    evaluations: pictures put forward. backward: those among them that were differentiated too. reuses: for each caller
    and each thing remembered, the pictures behind it that another had paid for. on_batch: called after every batch, with its pictures.
    """

    def __init__(self) -> None:
        self.caller: Hashable = None
        self.evaluations: Counter[Hashable] = Counter()
        self.backward: Counter[Hashable] = Counter()
        self.reuses: dict[Hashable, dict[Hashable, int]] = {}
        self.on_batch: Callable[[int], object] = lambda pictures: None

    def charge(self, pictures: int, backward: bool) -> None:
        """The caller put `pictures` through the model."""
        self.evaluations[self.caller] += pictures
        self.backward[self.caller] += pictures if backward else 0
        self.on_batch(pictures)

    def reuse(self, key: Hashable, pictures: int) -> None:
        """The caller now rests on `pictures` answers under `key` that another paid for; told again, the larger number holds."""
        own = self.reuses.setdefault(self.caller, {})
        own[key] = max(own.get(key, 0), pictures)

    def reused(self, caller: Hashable) -> int:
        """Pictures that `caller` used and others had paid for."""
        return sum(self.reuses.get(caller, {}).values())


class Evaluator:
    """Where every question to the classifier passes: one batch at a time."""

    def __init__(self, batch: int) -> None:
        self.batch = batch
        self.stopped = Event()
        self.counter = EvaluationCounter()

    def fork(self) -> "Evaluator":
        """Another desk with the same counter, which is stopped by itself alone."""
        other = Evaluator(self.batch)
        other.counter = self.counter
        return other

    def evaluate(self, pictures: Pictures, question: Callable[[Floats], Floats], rank: int, backward: bool = False) -> Iterator[Floats]:
        """Answers to `question`, batch by batch, in order. rank: dimensions of one picture or mask. Raises Stopped, UserError."""
        for batch in self._batches(pictures, rank):
            yield from self._evaluate(batch, question, backward)

    def evaluate_once(self, question: Callable[[], T]) -> T:
        """The answer to a question about one picture, forward and backward. Raises Stopped, UserError."""
        if self.stopped.is_set():
            raise Stopped
        try:
            answer = question()
        except MemoryError as error:
            raise UserError(OUT_OF_MEMORY) from error
        self.counter.charge(1, backward=True)
        return answer

    def _evaluate(self, batch: Floats, question: Callable[[Floats], Floats], backward: bool) -> Iterator[Floats]:
        if self.stopped.is_set():
            raise Stopped
        try:
            answer = question(batch)
        except MemoryError as error:
            if len(batch) == 1:
                raise UserError(OUT_OF_MEMORY) from error
            self.batch = min(self.batch, (len(batch) + 1) // 2)
        else:
            self.counter.charge(len(batch), backward)
            yield answer
            return
        half = (len(batch) + 1) // 2
        yield from self._evaluate(batch[:half], question, backward)
        yield from self._evaluate(batch[half:], question, backward)

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
