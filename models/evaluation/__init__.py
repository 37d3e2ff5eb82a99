"""How good a classifier is on pictures whose class is known: figures with intervals, curves, calibration, and its worst mistakes.

`evaluate` asks the classifier, `judged` takes logits that are there already, `write` makes evaluation.json and evaluation.html.
"""

from models.evaluation.assessment import evaluate, judged, on_card
from models.evaluation.records import Evaluation, EvaluationData, Settings
from models.evaluation.writer import write

__all__ = ["Evaluation", "EvaluationData", "Settings", "evaluate", "judged", "on_card", "write"]
