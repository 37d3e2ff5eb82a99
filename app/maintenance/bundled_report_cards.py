"""Makes the bundled classifiers' report cards again: `python -m app.maintenance.bundled_report_cards [NAME ...]`.

Needed whenever a bundled classifier or a method changes. The card of chest_xray, which learnt from real pictures, is made of its test
pictures by `python -m app report-card --model chest_xray --pictures FOLDER`.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from app.commands.report_card import report_card_table
from app.maintenance.bundled_map_libraries import CLASSIFIERS, FIRST_SEED, draw_synthetic_picture
from app.model_files import report_card_path
from app.report_cards import ReportCardPlan, measure_report_card
from errors import UserError
from explainers.report_card.report_card_file import ReportCard
from models.datasets.synthetic import glass_box
from models.datasets.synthetic.phantoms import draw_phantom, phantom_without_evidence
from models.loading import load_classifier

if TYPE_CHECKING:
    from models.loading import Served

PICTURES = 80
Mask = NDArray[np.bool_]


def main(arguments: Sequence[str] | None = None) -> int:
    """Makes the named cards again; 0, or 2 after invalid arguments."""
    parser = argparse.ArgumentParser("python -m app.maintenance.bundled_report_cards", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"bundled classifiers ({', '.join(CLASSIFIERS)}); all where none is named")
    parser.add_argument("--cases", type=int, default=100, metavar="N", help="cases of known evidence (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    for name in chosen.names or CLASSIFIERS:
        if name not in CLASSIFIERS:
            print(f"The card of {name!r} cannot be made of drawings; there are {', '.join(CLASSIFIERS)}.", file=sys.stderr)
            return 2
        try:
            print(report_card_table(make_report_card_of(name, chosen.cases)), flush=True)
        except UserError as mistake:
            print(mistake, file=sys.stderr)
            return 2
    return 0


def make_report_card_of(name: str, cases: int, out: Path | None = None) -> ReportCard:
    """Draws the pictures and replaces the card at `out`, or the one next to the weights."""
    classifier = load_classifier(name)
    pictures = [np.asarray(draw_synthetic_picture(name, number) / 255, np.float32) for number in range(PICTURES)]
    drawn = {number: mask for number in range(PICTURES) if (mask := known_evidence_of_picture(name, number, classifier)) is not None}
    plan = ReportCardPlan(pictures, drawn, cases)
    cards: list[ReportCard] = list(
        tqdm(measure_report_card(classifier, name, plan, out or report_card_path(name)), total=cases, desc=name, disable=None)
    )
    return cards[-1]


def known_evidence_of_picture(name: str, number: int, classifier: "Served") -> Mask | None:
    """(H, W): what the classifier goes by in the picture of that number; None where that is not known.

    On a phantom it is known where the class changes once the evidence is taken away. What goes by a ruler goes by nothing that is drawn
    as evidence.
    """
    seed, label = FIRST_SEED + number, number % 4
    if name == "glass_box":
        return glass_box.draw_colour_patches(seed, glass_box.NAMES[label]).evidence
    if name != "phantoms" or label == 0:
        return None
    drawn = draw_phantom(seed, label)
    answer, without = classifier.outputs(np.stack([drawn.image, phantom_without_evidence(drawn).image])).argmax(axis=1)
    return drawn.evidence if answer == drawn.target and without != drawn.target else None


if __name__ == "__main__":
    sys.exit(main())
