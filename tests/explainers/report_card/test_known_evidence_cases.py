"""Cases of known evidence: what is planted is what decides, by a classifier that counts coloured pixels."""

import numpy as np
import pytest

from explainers.metrics.localisation.grid_pointing_game import confident_pictures
from explainers.report_card.known_evidence_cases import (
    EvidenceKind,
    grid_game_cases,
    iterate_known_evidence_cases,
    mask_evidence_cases,
    planted_patch_cases,
)
from tests.explainers.toy_classifiers import Toy

SIZE = (64, 48)


def colours(threshold: float = 0.02) -> Toy:
    """Class c of 3: 200 x the share of pixels of pure channel c beyond a threshold; so a patch of one colour decides, wherever it lies."""

    def logits_of(images: np.ndarray) -> np.ndarray:
        pure = np.stack([(images[..., c] > 0.9) & (images.sum(-1) < 1.2) for c in range(3)], axis=-1)
        return 200 * np.maximum(pure.mean((1, 2)) - threshold, 0)

    return Toy(SIZE, logits_of, lambda image: np.zeros((3, *SIZE, 3)), classes=3)


def pictures(sizes: dict[int, int]) -> list[np.ndarray]:
    """Four of each class: a block of the class's colour at its own place. sizes: class -> side of its block."""
    found = []
    for channel, side in sizes.items():
        for number in range(4):
            image = np.full((*SIZE, 3), 0.3, np.float32)
            down, right = (5 + 11 * number) % (SIZE[0] - side), (3 + 7 * number) % (SIZE[1] - side)
            image[down : down + side, right : right + side] = np.eye(3)[channel]
            found.append(image)
    return found


def test_the_surest_pictures_come_first() -> None:
    classifier, shown = colours(), pictures({0: 14, 2: 12})
    found = confident_pictures(classifier, [*shown, np.full((*SIZE, 3), 0.3, np.float32)])
    assert sorted(found) == [0, 2]
    assert sorted(number for each in found.values() for _, number in each) == list(range(8)), "the even picture is of no class"
    assert all(each == sorted(each, reverse=True) for each in found.values())


def test_what_is_planted_decides_and_lies_where_it_is_said_to() -> None:
    """The patch holds more of its colour than the host has left of its own."""
    classifier = colours()
    shown = pictures({0: 18, 1: 18, 2: 18})
    confident = confident_pictures(classifier, shown)
    found = list(planted_patch_cases(classifier, shown, confident, 6))
    assert found
    for case in found:
        assert case.kind == EvidenceKind.PLANTED
        answer = classifier.probabilities(classifier.outputs(case.image[None]))[0]
        assert answer[case.target] >= 0.5
        pure = (case.image[..., case.target] > 0.9) & (case.image.sum(-1) < 1.2)
        assert pure.any()
        assert case.evidence[pure].all(), "all of the class's evidence lies in the patch"
        without = case.image.copy()
        without[case.evidence] = 0.3
        assert classifier.probabilities(classifier.outputs(without[None]))[0, case.target] < 0.4
        assert case.evidence.sum() == 24 * 18
    assert len({case.key for case in found}) == len(found)
    again = list(planted_patch_cases(classifier, shown, confident, 6))
    assert [case.key for case in again] == [case.key for case in found]
    assert all((a.image == b.image).all() for a, b in zip(again, found, strict=True))


def test_a_classifier_that_no_patch_turns_has_no_planted_case() -> None:
    """One that counts far more than a patch can hold."""
    classifier = colours(threshold=0.25)
    shown = []
    for channel in (0, 1):
        image = np.full((*SIZE, 3), 0.3, np.float32)
        image[: SIZE[0] // 2] = np.eye(3)[channel]
        shown.append(image)
    confident = confident_pictures(classifier, shown)
    assert sorted(confident) == [0, 1]
    assert list(planted_patch_cases(classifier, shown, confident, 3)) == []


def test_the_grid_and_the_masks() -> None:
    classifier, shown = colours(), pictures({0: 14, 1: 14, 2: 14})
    confident = confident_pictures(classifier, shown)
    grid = list(grid_game_cases(shown, confident, 5))
    assert len(grid) == 5
    for case in grid:
        pure = (case.image[..., case.target] > 0.9) & (case.image.sum(-1) < 1.2)
        assert case.evidence[pure].all()
        assert case.evidence.mean() == pytest.approx(0.25)
    masks = {number: np.ones(SIZE, bool) for number in (0, 1, 5)}
    masked = list(mask_evidence_cases(shown, confident, masks, 10))
    assert sorted(case.key for case in masked) == ["mask 0", "mask 1", "mask 5"]
    assert [case.target for case in masked][:2] == [0, 1], "by turns of the classes"
    kinds = [case.kind for case in iterate_known_evidence_cases(classifier, shown, masks, 9)]
    assert [kinds.count(kind) for kind in EvidenceKind] == [3, 3, 3]
    assert [case.kind for case in iterate_known_evidence_cases(classifier, shown[:4], masks, 9)] == [
        EvidenceKind.MASK,
        EvidenceKind.MASK,
    ], "one class has no mosaic"
