"""Pictures whose evidence is known, for any classifier: mosaics, planted patches, and masks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from explainers.classifier_protocol import Classifier, Floats
from explainers.metrics.localisation.grid_pointing_game import confident_pictures, mosaics_of_pictures

Mask = NDArray[np.bool_]
Confident = Mapping[int, Sequence[tuple[float, int]]]
"""Class -> the pictures that are confidently given it, as (probability, number), the surest first."""

PATCH = 3 / 8
"""Side of a planted patch, as a share of the picture's."""
STEPS = 6
"""Places of a patch along a side: an eighth apart."""
DECISIVE = 0.5
"""Least probability of the donor's class with its patch planted; without the patch it is at most 1 less the host's own."""
LEAST = 0.1
"""Most probability of the donor's class in the host before."""
SUREST = 10
TRIES = 4
"""Hosts and donors tried for each planted case that is wanted."""


class EvidenceKind(StrEnum):
    """Where a case's evidence is known from; the values stand in the card."""

    GRID = "grid game"
    PLANTED = "planted evidence"
    MASK = "masks"


@dataclass(frozen=True)
class KnownEvidenceCase:
    """image: (H, W, 3). target: the class whose evidence lies in `evidence` (H, W). key: its name, the same in every run."""

    key: str
    kind: EvidenceKind
    image: Floats
    target: int
    evidence: Mask


def grid_game_cases(pictures: Sequence[Floats], confident: Confident, count: int, seed: int = 0) -> Iterator[KnownEvidenceCase]:
    """Parts of 2 x 2 mosaics of confident pictures, each part whose class no other part has; none with fewer than two classes."""
    if len(confident) < 2:
        return
    found = (
        KnownEvidenceCase(f"grid {number}.{part}", EvidenceKind.GRID, mosaic.image, mosaic.targets[part], mosaic.part(part))
        for number, mosaic in enumerate(mosaics_of_pictures(pictures, confident, 2, count, seed))
        for part in mosaic.unique_parts
    )
    yield from islice(found, count)


def planted_patch_cases(
    classifier: Classifier, pictures: Sequence[Floats], confident: Confident, count: int, seed: int = 0
) -> Iterator[KnownEvidenceCase]:
    """The decisive patch of a confident picture pasted into one of another class, which then is given the first one's class.

    The patch is the one of 36 that gives the donor's class the largest probability in the place drawn for it: 36 evaluations a try. Pairs
    that no patch turns are left out, so that a classifier which goes by the whole picture may have no case.
    """
    rng, made = np.random.default_rng(seed), 0
    if len(confident) < 2:
        return
    for number in range(TRIES * count):
        if made >= count:
            return
        donor_class, host_class = (int(target) for target in rng.choice(sorted(confident), 2, replace=False))
        donor, host = (
            pictures[confident[each][int(rng.integers(min(SUREST, len(confident[each]))))][1]] for each in (donor_class, host_class)
        )
        found = _planted(classifier, donor, host, donor_class, int(rng.integers(STEPS**2)))
        if found is not None:
            made += 1
            yield KnownEvidenceCase(f"planted {number}", EvidenceKind.PLANTED, found[0], donor_class, found[1])


def mask_evidence_cases(
    pictures: Sequence[Floats], confident: Confident, masks: Mapping[int, Mask], count: int, classes: Sequence[int] = ()
) -> Iterator[KnownEvidenceCase]:
    """Confident pictures with a mask, by turns of their classes. masks: number of the picture -> (H, W). classes: not of these."""
    by_class = [
        [(target, number) for _, number in confident[target] if number in masks] for target in sorted(confident) if target not in classes
    ]
    turns = (each[turn] for turn in range(max(map(len, by_class), default=0)) for each in by_class if turn < len(each))
    for target, number in islice(turns, count):
        yield KnownEvidenceCase(f"mask {number}", EvidenceKind.MASK, pictures[number], target, masks[number])


def iterate_known_evidence_cases(
    classifier: Classifier, pictures: Sequence[Floats], masks: Mapping[int, Mask], count: int, seed: int = 0
) -> Iterator[KnownEvidenceCase]:
    """About `count` cases in all, as many of each kind as there can be."""
    confident = confident_pictures(classifier, pictures)
    each = -(-count // (3 if masks else 2))
    yield from grid_game_cases(pictures, confident, each, seed)
    yield from planted_patch_cases(classifier, pictures, confident, each, seed)
    yield from mask_evidence_cases(pictures, confident, masks, each)


def _planted(classifier: Classifier, donor: Floats, host: Floats, target: int, place: int) -> tuple[Floats, Mask] | None:
    """The host with the donor's decisive patch at one of 36 places, and where it lies; None where no patch is decisive."""
    size = host.shape[:2]
    evidence = _window(place, size)
    pasted = []
    for number in range(STEPS**2):
        image = host.copy()
        image[evidence] = donor[_window(number, size)]
        pasted.append(image)
    answers = classifier.probabilities(classifier.outputs(np.stack([host, *pasted])))[:, target]
    best = int(answers[1:].argmax())
    return (pasted[best], evidence) if answers[0] <= LEAST and answers[1 + best] >= DECISIVE else None


def _window(number: int, size: tuple[int, ...]) -> Mask:
    """(H, W): the patch at one of 36 places, row by row; all have the same shape."""
    mask = np.zeros(size, bool)
    spans = []
    for place, side in zip(divmod(number, STEPS), size, strict=True):
        length = round(PATCH * side)
        start = round(place * (side - length) / (STEPS - 1))
        spans.append(slice(start, start + length))
    mask[spans[0], spans[1]] = True
    return mask
