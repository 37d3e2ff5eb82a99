"""Pictures whose evidence is known, four sets of them, each with the classifier's report card made from other cases."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from app.maintenance.bundled_map_libraries import draw_synthetic_picture
from app.masks import fit_mask_to_input
from app.report_cards import ReportCardPlan, measure_report_card
from benchmarks.known_evidence.phantoms import decisive_phantoms
from benchmarks.known_evidence.rows import NEAR
from benchmarks.shared.data import MODEL, PHOTOGRAPHS, required_data
from errors import UserError
from explainers.metrics.localisation.evidence_overlap import dilate_mask
from explainers.metrics.localisation.grid_pointing_game import confident_pictures
from explainers.report_card.known_evidence_cases import EvidenceKind, KnownEvidenceCase, grid_game_cases
from explainers.report_card.report_card_file import ReportCard
from models.datasets.synthetic import glass_box
from models.images.decoder import decode_picture
from models.loading import load_classifier

COLUMNS = ("picture", "left", "top", "width", "height")
FIRST_SEED = 400_000
"""Of glass boxes that no card, recipe or other benchmark uses."""
DRAWN = 40
"""Pictures that a synthetic classifier's card is made from."""
PHANTOMS, GLASS_BOXES, GRID, BOXES = "phantoms", "glass boxes", "grid game", "boxes"


@dataclass(frozen=True)
class Question:
    """A case with known evidence. picture: what it is a picture of; intervals are over different ones."""

    case: KnownEvidenceCase
    picture: str


@dataclass(frozen=True)
class PictureSet:
    """name: as in the tables. card: of the same classifier, from other cases."""

    name: str
    classifier: Any
    card: ReportCard
    questions: list[Question]


def phantom_set(count: int, cases: int, kept: Path) -> PictureSet:
    """Decisive phantoms: the evidence is what the answer goes by, and a map is right within 8 px of it."""
    classifier: Any = load_classifier("phantoms")
    card = _card(classifier, "phantoms", _drawn("phantoms"), cases, kept)
    questions = []
    for picture in decisive_phantoms(classifier, count):
        near = dilate_mask(picture.evidence, NEAR * len(picture.evidence))
        key = str(picture.seed)
        questions.append(Question(KnownEvidenceCase(key, EvidenceKind.MASK, picture.image, picture.target, near), key))
    return PictureSet(PHANTOMS, classifier, card, questions)


def glass_box_set(count: int, cases: int, kept: Path) -> PictureSet:
    """Glass boxes, whose evidence follows from a formula."""
    classifier: Any = load_classifier("glass_box")
    card = _card(classifier, "glass_box", _drawn("glass_box"), cases, kept)
    questions = []
    for seed in range(FIRST_SEED, FIRST_SEED + count):
        picture = glass_box.draw_colour_patches(seed, glass_box.NAMES[seed % len(glass_box.NAMES)])
        case = KnownEvidenceCase(str(seed), EvidenceKind.MASK, picture.image, glass_box.NAMES.index(picture.label), picture.evidence)
        questions.append(Question(case, str(seed)))
    return PictureSet(GLASS_BOXES, classifier, card, questions)


def grid_set(count: int, cases: int, kept: Path) -> PictureSet:
    """The grid game of MobileNetV2 on photographs, of which there are few; its card is of planted patches alone."""
    classifier: Any = load_classifier(str(required_data(*MODEL)))
    pictures = [classifier.fit(decode_picture(file.read_bytes())) for file in sorted(required_data(PHOTOGRAPHS).glob("*.jpg"))]
    card = _card(classifier, "imagenet_mobilenet_v2", pictures, cases, kept, but=EvidenceKind.GRID)
    confident = confident_pictures(classifier, pictures)
    return PictureSet(
        GRID, classifier, card, [Question(case, str(case.target)) for case in grid_game_cases(pictures, confident, count, seed=1)]
    )


def box_set(file: Path, model: str, count: int, cases: int, kept: Path) -> PictureSet:
    """Pictures with a box that holds what they show, of the class that the classifier gives them."""
    classifier: Any = load_classifier(model)
    boxed = list(islice(read_boxes(file, classifier), count))
    pictures = [image for image, _, _ in boxed]
    confident = confident_pictures(classifier, pictures)
    targets = {number: target for target, found in confident.items() for _, number in found}
    questions = [
        Question(KnownEvidenceCase(name, EvidenceKind.MASK, image, targets[number], inside), name)
        for number, (image, inside, name) in enumerate(boxed)
        if number in targets
    ]
    return PictureSet(BOXES, classifier, _card(classifier, "boxes", pictures, cases, kept), questions)


def read_boxes(file: Path, classifier: Any) -> Iterator[tuple[np.ndarray, np.ndarray, str]]:
    """The fitted picture, its box (H, W) at the classifier's size, and its name. Paths are relative to the file. UserError."""
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines)
            rows, columns = list(reader), set(reader.fieldnames or ())
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--boxes is {file}, which cannot be read as CSV; its columns are {', '.join(COLUMNS)}.") from error
    if not set(COLUMNS) <= columns:
        raise UserError(f"--boxes is {file}, which has not the columns {', '.join(COLUMNS)}.")
    for row in rows:
        pixels = decode_picture((file.parent / row["picture"]).read_bytes())
        left, top, width, height = (round(float(row[name])) for name in COLUMNS[1:])
        mask = np.zeros(pixels.shape[:2], bool)
        mask[max(0, top) : top + height, max(0, left) : left + width] = True
        yield classifier.fit(pixels), fit_mask_to_input(mask, pixels.shape[:2], classifier.fit, row["picture"]), row["picture"]


def _drawn(name: str) -> list[np.ndarray]:
    return [draw_synthetic_picture(name, number).astype(np.float32) / 255 for number in range(DRAWN)]


def _card(classifier: Any, name: str, pictures: list[np.ndarray], cases: int, kept: Path, but: EvidenceKind | None = None) -> ReportCard:
    *_, card = measure_report_card(classifier, name, ReportCardPlan(pictures, {}, cases), kept / f"{name}.report_card.json")
    return replace(card, outcomes=tuple(each for each in card.outcomes if each.kind != but))
