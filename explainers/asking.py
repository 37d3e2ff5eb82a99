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


class Ledger:
    """Who put how many pictures through the model. `asker` is whoever is asking now.

    evaluations: pictures put forward. backward: those among them that were differentiated too. borrowed: for each asker
    and each thing remembered, the pictures behind it that another had paid for. told: called after every batch, with its pictures.
    """

    def __init__(self) -> None:
        self.asker: Hashable = None
        self.evaluations: Counter[Hashable] = Counter()
        self.backward: Counter[Hashable] = Counter()
        self.borrowed: dict[Hashable, dict[Hashable, int]] = {}
        self.told: Callable[[int], object] = lambda pictures: None

    def pay(self, pictures: int, backward: bool) -> None:
        """The asker put `pictures` through the model."""
        self.evaluations[self.asker] += pictures
        self.backward[self.asker] += pictures if backward else 0
        self.told(pictures)

    def borrow(self, key: Hashable, pictures: int) -> None:
        """The asker now rests on `pictures` answers under `key` that another paid for; told again, the larger number holds."""
        own = self.borrowed.setdefault(self.asker, {})
        own[key] = max(own.get(key, 0), pictures)

    def shared(self, asker: Hashable) -> int:
        """Pictures that `asker` used and others had paid for."""
        return sum(self.borrowed.get(asker, {}).values())


class Desk:
    """Where every question to the classifier passes: one batch at a time."""

    def __init__(self, batch: int) -> None:
        self.batch = batch
        self.stopped = Event()
        self.ledger = Ledger()

    def beside(self) -> "Desk":
        """Another desk with the same ledger, which is stopped by itself alone."""
        other = Desk(self.batch)
        other.ledger = self.ledger
        return other

    def ask(self, pictures: Pictures, question: Callable[[Floats], Floats], rank: int, backward: bool = False) -> Iterator[Floats]:
        """Answers to `question`, batch by batch, in order. rank: dimensions of one picture or mask. Raises Stopped, UserError."""
        for batch in self._batches(pictures, rank):
            yield from self._answer(batch, question, backward)

    def once(self, question: Callable[[], T]) -> T:
        """The answer to a question about one picture, forward and backward. Raises Stopped, UserError."""
        if self.stopped.is_set():
            raise Stopped
        try:
            answer = question()
        except MemoryError as error:
            raise UserError(OUT_OF_MEMORY) from error
        self.ledger.pay(1, backward=True)
        return answer

    def _answer(self, batch: Floats, question: Callable[[Floats], Floats], backward: bool) -> Iterator[Floats]:
        if self.stopped.is_set():
            raise Stopped
        try:
            answer = question(batch)
        except MemoryError as error:
            if len(batch) == 1:
                raise UserError(OUT_OF_MEMORY) from error
            self.batch = min(self.batch, (len(batch) + 1) // 2)
        else:
            self.ledger.pay(len(batch), backward)
            yield answer
            return
        half = (len(batch) + 1) // 2
        yield from self._answer(batch[:half], question, backward)
        yield from self._answer(batch[half:], question, backward)

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
