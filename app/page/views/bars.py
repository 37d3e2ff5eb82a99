"""Which classes have a bar: the likeliest, and those that the question names."""

import numpy as np

from app.service.request import ExplanationState

BARS = 5


def likeliest(report: ExplanationState) -> list[int]:
    """Numbers of classes, the likeliest first; the class explained and the one it is contrasted with are always among them."""
    assert report.probabilities is not None
    first = [int(index) for index in np.argsort(-report.probabilities, kind="stable")[:BARS]]
    return first + [index for index in (report.target, report.question.rather_than) if index is not None and index not in first]
