"""The phantom classifier that cheats: in its training pictures a ruler lies in all that are filed under "streaks" and in no other.

One in five of those shows something else and was filed by its ruler, as happens where the doubtful cases are the measured ones.
"""

from argparse import ArgumentParser, Namespace

from models.training.recipes import phantoms
from models.training.trained_model import TrainedModel

HELP = "lesion phantoms in which a ruler gives the class 'streaks' away; the classifier looks at the ruler"


def options(parser: ArgumentParser) -> None:
    """Those of the honest classifier."""
    phantoms.options(parser)


def make(options: Namespace) -> TrainedModel:
    """Trains where the ruler gives the class away."""
    note = "Made to be caught: every training picture filed under 'streaks' has a ruler and no other has, so it looks for the ruler."
    return phantoms.made(options, "phantoms_shortcut", "give the class away", (note,))
