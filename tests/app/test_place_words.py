"""Places in words, by hand."""

import numpy as np
import pytest

from app.place_words import edge_words, place_words


def place(*boxes: tuple[int, int, int, int], size: tuple[int, int] = (60, 90)) -> np.ndarray:
    """boxes: top, left, height, width."""
    mask = np.zeros(size, bool)
    for top, left, height, width in boxes:
        mask[top : top + height, left : left + width] = True
    return mask


@pytest.mark.parametrize(
    ("boxes", "words"),
    [
        ([(50, 10, 10, 70)], "the lower edge"),
        ([(0, 10, 8, 70)], "the upper edge"),
        ([(10, 0, 40, 12)], "the left edge"),
        ([(5, 80, 50, 10)], "the right edge"),
        ([(0, 0, 10, 12)], "the upper left corner"),
        ([(52, 80, 8, 10)], "the lower right corner"),
        ([(25, 40, 10, 10)], "the centre"),
        ([(12, 18, 8, 10)], "the upper left"),
        ([(22, 62, 10, 10)], "the middle right"),
        ([(12, 18, 8, 10), (40, 62, 8, 10)], "several places"),
        ([(12, 18, 8, 10), (40, 62, 2, 2)], "the upper left"),
    ],
)
def test_places(boxes: list[tuple[int, int, int, int]], words: str) -> None:
    assert place_words(place(*boxes)) == words
    assert edge_words(place(*boxes)) == (words if "edge" in words or "corner" in words else "")


def test_a_blob_that_only_touches_the_rim_lies_along_no_edge() -> None:
    assert edge_words(place((42, 40, 18, 18))) == ""
    assert edge_words(np.zeros((5, 5), bool)) == ""
