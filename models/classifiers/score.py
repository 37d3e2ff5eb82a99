"""A score is the scalar that explanations attribute; this module defines each kind for each head."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from errors import UserError
from models.cards.card import Head

Kind = Literal["centred", "logit", "probability", "contrast"]


@dataclass(frozen=True)
class Score:
    """Class `target`'s centred logit (the default), raw logit, probability, or its contrast with class `rather_than`.

    Centred: z_t - mean_j z_j, which equals log p_t - mean_j log p_j, does not saturate and sums to 0 over the classes.
    Contrast: z_t - z_r; with a single sigmoid z_t, which already is the log odds of the one class against the other.
    With sigmoid heads every unit is independent, so its own logit serves where a softmax's would be centred; with a
    single sigmoid the two classes' logits are z and -z.
    """

    target: int
    kind: Kind = "centred"
    rather_than: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise UserError(f"The score {self.kind!r} is unknown; choose one of {', '.join(get_args(Kind))}.")
        if (self.kind == "contrast") != (self.rather_than is not None):
            raise UserError("A contrast needs a second class ('rather than'), and no other score takes one.")
        if self.rather_than == self.target:
            raise UserError(f"Class {self.target} cannot be explained rather than itself; choose two different classes.")

    @classmethod
    def of(cls, target: int, rather_than: int | None = None) -> "Score":
        """The centred logit of a class, or its contrast with a second one."""
        return cls(target) if rather_than is None else cls(target, "contrast", rather_than)

    def to_json(self) -> dict[str, Any]:
        return {"target": self.target, "kind": self.kind, "rather_than": self.rather_than}

    def check(self, labels: tuple[str, ...]) -> None:
        """UserError where a class does not exist."""
        for number in (self.target, self.rather_than):
            if number is not None and not 0 <= number < len(labels):
                raise UserError(f"There is no class {number}; the classes are 0 ({labels[0]}) to {len(labels) - 1} ({labels[-1]}).")

    def weights(self, classes: int, head: Head) -> NDArray[np.float32]:
        """(classes,): the score is the sum of these times the logits, or times the probabilities for kind "probability"."""
        weights = np.zeros(classes, np.float32)
        weights[self.target] = 1
        if self.kind == "centred" and head in ("softmax", "logits"):
            weights -= np.float32(1 / classes)
        if self.rather_than is not None and head != "sigmoid":
            weights[self.rather_than] = -1
        return weights
