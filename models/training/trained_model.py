"""What a recipe makes: a classifier, its card, and how it came about."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.cards.card import Card
from models.datasets.splits import DataSplit

if TYPE_CHECKING:
    import keras

    from models.evaluation.evaluation_records import EvaluationData


@dataclass(frozen=True)
class TrainingOutcome:
    """How a classifier of real pictures was trained. test: the data to evaluate it on, if any; history: each epoch's figures."""

    split: DataSplit
    test: "EvaluationData | None"
    history: list[dict[str, float]]


@dataclass(frozen=True)
class TrainedModel:
    """A classifier, and its card without the weights' sha256, which only the saved file has. outcome: only for real pictures."""

    model: "keras.Model"
    card: Card
    outcome: TrainingOutcome | None = None
