"""Learning rates and early stopping, as functions of the training so far, so that a resumed run recomputes them."""

import math
from collections.abc import Sequence

FLOOR = 0.01
WAIT = 3
FACTOR = 0.3


def cosine_learning_rate(done: float, rate: float) -> float:
    """rate * (FLOOR + (1 - FLOOR) (1 + cos(pi done)) / 2), done: the share of the stage's steps taken; arXiv:1608.03983, eq. 5."""
    return rate * (FLOOR + (1 - FLOOR) * (1 + math.cos(math.pi * done)) / 2)


def plateau_learning_rate(losses: Sequence[float], rate: float) -> float:
    """`rate` times FACTOR for each time that WAIT epochs in a row brought no loss below the previous minimum."""
    least, waited = math.inf, 0
    for loss in losses:
        least, waited = (loss, 0) if loss < least else (least, waited + 1)
        if waited == WAIT:
            rate, waited = rate * FACTOR, 0
    return rate


def should_stop_early(losses: Sequence[float], patience: int) -> bool:
    """Whether the last `patience` losses are all no lower than the least before them."""
    return len(losses) > patience and min(losses[-patience:]) >= min(losses[:-patience])
