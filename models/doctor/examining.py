"""Examines one model by its file and by what it answers to pictures; one that is not trusted stays in a process of its own."""

from collections.abc import Sequence
from pathlib import Path

from errors import UserError
from models.doctor.report import Finding, Report
from models.doctor.seen import Seen
from models.loading import load

__all__ = ["Seen", "examine"]


def examine(name: str | Path, pictures: Sequence[Seen] = (), trust: bool = True, labels: Sequence[str] = ()) -> Report:
    """What there is to say of the model at a path or of a name, as `models.loading.load` takes them.

    A model that cannot be opened is a report with a finding of level "refused". labels: what the model's classes are called, in their
    order, where that is known better than its own files know it; UserError where their number is not the model's.
    """
    try:
        served = load(name, trust)
    except UserError as error:
        return Report(str(name), (Finding("file", str(error), "It was opened.", "refused"),))
    return Report(served.card.name, (), card=served.card, pictures=len(pictures))
