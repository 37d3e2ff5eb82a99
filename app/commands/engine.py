"""The engine of a command: chosen before its first map, so that all its maps rest on one."""

import sys
from typing import TYPE_CHECKING

from models.graph.engine.choice import InferenceEngine

if TYPE_CHECKING:
    from models.loading import Served

WORTHWHILE = 3e7
"""Pixels to evaluate, about 600 pictures of 224 x 224, from which compiling an engine takes less time than it saves."""


def with_chosen_engine(classifier: "Served", engine: str, evaluations: float = float("inf")) -> "Served":
    """The classifier with that engine; one that was named and stays off is reported. evaluations: that the command makes, about.

    "auto" leaves a classifier of few evaluations as it is; the number decides, not the clock, so that the same command does the same again.
    """
    choice = InferenceEngine(engine)
    height, width = classifier.size
    if choice is InferenceEngine.AUTO and evaluations * height * width < WORTHWHILE:
        return classifier
    made = classifier.with_engine(choice)
    if made.engine.remark and choice is not InferenceEngine.AUTO:
        print(made.engine.remark, file=sys.stderr)
    return made
