"""Visitors of every kind, at random and in stated shares, until their time is over."""

import contextlib
import http.client
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from benchmarks.attack_parts.client import Gone, Guest, answered, error_of, new_picture
from examples import examples_for
from explainers.metrics.faithfulness.deletion_insertion import DeletionInsertionMetric
from models.store import bundled_models
from tests.serving import Server

NEW_PICTURE, OTHER_CLASS, EXAMPLE = "new picture", "other class", "example"
SHARES = {NEW_PICTURE: 0.50, OTHER_CLASS: 0.20, "metric": 0.10, "leaves in the middle": 0.14, "model": 0.06}
"""Request -> its share. The last page of a visitor is closed after 2 to 12 requests, or in the middle of one."""
QUICK_SHARES = {NEW_PICTURE: 0.30, OTHER_CLASS: 0.30, EXAMPLE: 0.25, "metric": 0.10, "leaves in the middle": 0.05}
"""The same without models, where there are to be very many requests."""
METRIC = DeletionInsertionMetric.key
BROKEN = (OSError, http.client.HTTPException, ValueError, KeyError)


class MixedVisitors:
    """Several at once, each from an address of its own. counts: what became of how many requests."""

    def __init__(
        self, server: Server, at_once: int = 3, seed: int = 0, patience: float = 120.0, shares: Mapping[str, float] = SHARES
    ) -> None:
        """shares: request -> its share."""
        self.server, self.at_once, self.patience, self.shares = server, at_once, patience, shares
        self.counts: Counter[str] = Counter()
        self._random = random.Random(seed)
        self._examples = [example.name for example in examples_for("phantoms")]

    def visit(self, seconds: float) -> None:
        """Lets them come for so many seconds; every page is closed when this returns."""
        limit = time.monotonic() + seconds
        self._visit_until(lambda: time.monotonic() > limit)

    def visit_often(self, requests: float) -> None:
        """Lets them come for so many requests, and a few more; every page is closed when this returns."""
        limit = self.requests + requests
        self._visit_until(lambda: self.requests >= limit)

    @property
    def requests(self) -> int:
        """How many there have been."""
        return sum(self.counts[name] for name in self.shares)

    def _visit_until(self, over: Callable[[], bool]) -> None:
        seeds = [self._random.random() for _ in range(self.at_once)]
        with ThreadPoolExecutor(self.at_once) as pool:
            list(pool.map(lambda seed: self._one_after_another(random.Random(seed), over), seeds))

    def _one_after_another(self, chance: random.Random, over: Callable[[], bool]) -> None:
        first = True
        while first or not over():
            first = False
            try:
                self._stay(chance, over)
            except BROKEN as error:
                self.counts[f"failed: {type(error).__name__} {error}"[:80]] += 1
                time.sleep(0.2)

    def _stay(self, chance: random.Random, over: Callable[[], bool]) -> None:
        """One visitor, from the first picture to the last."""
        guest = Guest(self.server, patience=self.patience)
        guest.stay()
        try:
            self._note(NEW_PICTURE, guest.explain(new_picture()))
            for _ in range(chance.randrange(2, 12)):
                if over() or not self._request(guest, chance):
                    break
        finally:
            guest.leave()

    def _request(self, guest: Guest, chance: random.Random) -> bool:
        """One request; False where the visitor has gone."""
        kind = chance.choices(list(self.shares), list(self.shares.values()))[0]
        if kind == NEW_PICTURE:
            self._note(kind, guest.explain(new_picture()))
        elif kind == OTHER_CLASS:
            self._note(kind, guest.do("prediction", "target", {"index": chance.randrange(3)}))
        elif kind == EXAMPLE:
            self._note(kind, guest.do("picture", "pick", {"example": chance.choice(self._examples)}))
        elif kind == "metric":
            self._note(kind, guest.do("trust", "measure", {"kind": METRIC}))
        elif kind == "model":
            token, painted = guest.bring(bundled_models()["glass_box"].read_bytes(), "own.keras")
            if token and not error_of(painted):
                painted = guest.explain(new_picture(), classifier=token)
            self._note(kind, painted)
        else:
            with contextlib.suppress(Gone):
                guest.send("picture", "pick", {"token": guest.upload(new_picture())})
            self.counts[kind] += 1
            return False
        return True

    def _note(self, kind: str, painted: dict[str, object]) -> None:
        self.counts[kind] += 1
        if not answered(painted):
            self.counts[f"{kind}: {error_of(painted) or 'no answer'}"[:80]] += 1
