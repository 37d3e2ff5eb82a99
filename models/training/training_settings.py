"""How a classifier is trained: how fast, with which loss, what balances rare classes, and in which stages."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from errors import UserError

Schedule = Literal["cosine", "plateau"]
Loss = Literal["cross-entropy", "focal"]
Balance = Literal["weights", "sampling", "logits", "none"]

_CHOICES = {"schedule": get_args(Schedule), "loss": get_args(Loss), "balance": get_args(Balance)}


@dataclass(frozen=True)
class TrainingStage:
    """So many epochs at one rate. open_layers: the last so many layers with weights learn, the others are frozen; None: all learn."""

    epochs: int
    rate: float
    open_layers: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.epochs <= 1000:
            raise UserError(f"A stage of training has {self.epochs} epochs; give 1 to 1000.")
        if not (math.isfinite(self.rate) and 0 < self.rate <= 1):
            raise UserError(f"--rate is {self.rate}; give a learning rate above 0 and at most 1.")


@dataclass(frozen=True)
class TrainingSettings:
    """schedule: how the rate falls within a stage. patience: epochs without a better validation loss after which a stage ends.

    balance: rare classes count more in the loss ("weights"), are sampled more often ("sampling"), or the loss is adjusted by `shares`, the
    class frequencies ("logits"). average: decay of the running mean of the weights that is evaluated and saved instead of the last ones, or
    0 for none. focus: the focal loss's exponent.
    """

    schedule: Schedule = "cosine"
    loss: Loss = "cross-entropy"
    balance: Balance = "weights"
    batch: int = 32
    patience: int = 8
    average: float = 0.0
    focus: float = 2.0
    seed: int = 0
    shares: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise UserError(f"--{name} is {getattr(self, name)!r}; choose one of {', '.join(choices)}.")
        ranges = {"batch": (1, 1024), "patience": (1, 1000), "average": (0, 0.9999), "focus": (0, 10), "seed": (0, 2**31 - 1)}
        for name, (least, most) in ranges.items():
            if not least <= getattr(self, name) <= most:
                raise UserError(f"--{name} is {getattr(self, name)}; give a number from {least} to {most}.")
