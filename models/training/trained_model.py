"""What a recipe makes: a classifier, its card, and how it came about."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.cards.card import Card
from models.datasets.splits import Split

if TYPE_CHECKING:
    import keras

    from models.evaluation.records import EvaluationData


@dataclass(frozen=True)
class TrainingOutcome:
    """What a classifier of real pictures leaves behind. test: what to judge it by, if there is any; history: each epoch's figures."""

    divided: Split
    test: "EvaluationData | None"
    history: list[dict[str, float]]


@dataclass(frozen=True)
class TrainedModel:
    """A classifier, and its card without the weights' sha256, which only the saved file has. learnt: only of real pictures."""

    model: "keras.Model"
    card: Card
    learnt: TrainingOutcome | None = None
