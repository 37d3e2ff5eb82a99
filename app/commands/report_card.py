"""Writes a classifier's report card: which methods find evidence that is known, on this classifier."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from app.map_library import list_picture_files
from app.masks import load_region_mask
from app.model_files import report_card_path
from app.options import ReportCardOptions
from app.report_cards import ReportCardPlan, measure_report_card
from errors import UserError
from explainers.explanation_case import ExplanationSettings
from explainers.report_card.known_evidence_cases import Mask
from explainers.report_card.report_card_file import CHANCE, LEAST_CASES, FoundCount, ReportCard
from models.images.decoder import decode_picture
from models.loading import load_classifier
from models.output.markdown import markdown_table

if TYPE_CHECKING:
    from models.loading import Served


def make_report_card(options: ReportCardOptions) -> int:
    """Writes the card beside the model; 0, or 1 where some picture or mask could not be read. UserError where there is no case.

    Continues where it was interrupted.
    """
    files = list_picture_files(options.pictures)
    classifier = load_classifier(options.model, options.trust)
    path = options.out or report_card_path(options.model)
    pictures, masks, failed = _read(files, options.masks, classifier)
    settings = ExplanationSettings(preset=options.preset, seed=options.seed)
    card: ReportCard | None = None
    with tqdm(total=options.cases, desc=path.name, unit=" cases", disable=options.quiet or None) as bar:
        for so_far in measure_report_card(classifier, options.model, ReportCardPlan(pictures, masks, options.cases, settings), path):
            card = so_far
            bar.update(min(1, bar.total - bar.n))
    if card is not None and not options.quiet:
        print(report_card_table(card))
        if not card.conclusive:
            print(f"Only {len(card.outcomes)} cases: fewer than {LEAST_CASES} say nothing of a method. Give more pictures.")
        print(f"Written to {path}.")
    return int(failed)


def report_card_table(card: ReportCard) -> str:
    """A Markdown table: a line for each method, then the consensus and what needs no explanation."""
    kinds = list(card.kinds)
    head = ["map", "found the evidence", "95 % interval", *(f"{kind} ({card.kinds[kind]})" for kind in kinds), "reliability", "two fills"]
    by_kind = {kind: {each.title: each for each in (*card.tallies(kind), *card.baselines(kind))} for kind in kinds}
    rows = [_row(each, [by_kind[kind][each.title] for kind in kinds], card) for each in (*card.tallies(), *card.baselines())]
    chance = [CHANCE, f"{card.chance():.2f}", "", *(f"{card.chance(kind):.2f}" for kind in kinds), "", ""]
    return markdown_table(head, [*rows, chance])


def _row(tally: FoundCount, by_kind: Sequence[FoundCount], card: ReportCard) -> list[str]:
    reliability, fills = card.reliability(tally.title), card.between_fills(tally.title)
    return [
        tally.title,
        f"{tally.found} of {tally.cases}",
        f"{tally.low:.2f} to {tally.high:.2f}",
        *(f"{each.share:.2f}" for each in by_kind),
        "" if reliability is None else f"{reliability:.2f}",
        "" if fills is None else f"{fills:.2f}",
    ]


def _read(files: Sequence[Path], folder: Path | None, classifier: "Served") -> tuple[list[NDArray[np.float32]], dict[int, Mask], bool]:
    """The fitted pictures, the masks of those that have one, and whether something could not be read."""
    pictures: list[NDArray[np.float32]] = []
    masks: dict[int, Mask] = {}
    failed = False
    for file in files:
        try:
            pixels = decode_picture(file.read_bytes())
        except (UserError, OSError) as error:
            print(f"{file}: {error}", file=sys.stderr)
            failed = True
            continue
        pictures.append(classifier.fit(pixels))
        if folder is not None:
            try:
                masks[len(pictures) - 1] = load_region_mask(folder, file, pixels.shape[:2], classifier.fit).inside
            except UserError:
                continue  # a picture without a mask serves the other cases
    return pictures, masks, failed
