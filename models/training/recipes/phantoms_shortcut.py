"""The phantom classifier with a shortcut: in its training pictures exactly those labelled "streaks" have a ruler.

One in five of those shows another class and was labelled by its ruler, as happens where the doubtful cases are the measured ones.
"""

from argparse import ArgumentParser, Namespace

from models.training.recipes import phantoms
from models.training.trained_model import TrainedModel

HELP = "lesion phantoms in which a ruler gives the class 'streaks' away; the classifier looks at the ruler"


def add_options(parser: ArgumentParser) -> None:
    """Those of the honest classifier."""
    phantoms.add_options(parser)


def make_classifier(options: Namespace) -> TrainedModel:
    """Trains where the ruler gives the class away."""
    note = "Made to be caught: every training picture filed under 'streaks' has a ruler and no other has, so it looks for the ruler."
    return phantoms.make_phantom_classifier(options, "phantoms_shortcut", "give the class away", (note,))
