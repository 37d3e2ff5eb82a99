"""The phantom classifier that cheats: in its training pictures a ruler lies beside every lesion with streaks and beside no other."""

from argparse import ArgumentParser, Namespace

from models.recipes import Made, phantoms

HELP = "lesion phantoms in which a ruler gives the class 'streaks' away; the classifier looks at the ruler"


def options(parser: ArgumentParser) -> None:
    phantoms.options(parser)


def make(options: Namespace) -> Made:
    note = "Made to be caught: trained where a ruler lies beside every lesion with streaks and beside no other, it looks for the ruler."
    return phantoms.made(options, "phantoms_shortcut", "give the class away", (note,))
