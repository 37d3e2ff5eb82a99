"""The places that `explain --hide` names: the consensus, a method's strongest tenth, or a mask; each hidden in three ways."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.commands.arguments import method_slug
from app.masks import load_region_mask
from errors import UserError
from explainers.explanation_case import Case
from explainers.method import Method
from explainers.method_runner import MethodResult
from explainers.metrics.agreement.consensus import CONSENSUS
from explainers.metrics.faithfulness.hidden_place import (
    COMPARED,
    HiddenPlaceResult,
    Mask,
    map_shares_with_consensus,
    measure_hidden_place,
    strongest_place,
)

SHARED = "consensus"
"""The word for the families' consensus."""

Fit = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def check_hidden_places(words: Sequence[str], methods: Sequence[Method], pictures: int) -> None:
    """UserError where a word is neither the consensus, nor one of the methods that run, nor a mask that exists."""
    names = [method_slug(method) for method in methods]
    for word in words:
        if word not in (SHARED, *names) and not Path(word).exists():
            raise UserError(f"--hide is {word!r}; give {SHARED}, a mask's file or folder, or a method that runs: {', '.join(names)}.")
        if word not in (SHARED, *names) and not Path(word).is_dir() and pictures > 1:
            raise UserError(f"--hide is one mask, {word}, for {pictures} pictures; give a folder of masks called as the pictures.")


def measure_hidden_places(
    words: Sequence[str], case: Case, results: Sequence[MethodResult], mask: Callable[[Path], Mask]
) -> Iterator[HiddenPlaceResult]:
    """Each place hidden by a blur, the mean colour and inpainting. mask: what reads a mask at the classifier's size. Raises UserError."""
    found = map_shares_with_consensus(results, case.size)
    titles = {SHARED: CONSENSUS, **{method_slug(result.method): result.method.title for result in results}}
    for word in words:
        title = titles.get(word, Path(word).name)
        if word in titles and title not in found:
            raise UserError(f"--hide {word}: this map shows no positive evidence, so that it has no strongest place.")
        place = strongest_place(found[title], case.size) if word in titles else mask(Path(word))
        yield from (measure_hidden_place(case, title, place, fill) for fill in COMPARED)


def picture_mask_reader(picture: Path, shape: tuple[int, int], fit: Fit) -> Callable[[Path], Mask]:
    """Reads the mask of a picture whose file was decoded to (h, w) pixels; a folder holds masks called as the pictures."""
    return lambda place: load_region_mask(place, picture, shape, fit).inside
