"""How good a classifier is on pictures whose class is known: figures with intervals, curves, calibration, and its worst mistakes.

`evaluate` asks the classifier, `judged` takes logits that are there already, `write` makes evaluation.json and evaluation.html.
"""

from models.evaluation.evaluation import Evaluation, Material, Settings
from models.evaluation.judging import evaluate, judged, on_card
from models.evaluation.writing import write

__all__ = ["Evaluation", "Material", "Settings", "evaluate", "judged", "on_card", "write"]
