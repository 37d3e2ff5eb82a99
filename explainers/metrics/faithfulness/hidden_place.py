"""Hides one place of the picture and evaluates again, beside equally large places elsewhere: does the answer follow the place?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from explainers.baselines import BaselineFill
from explainers.explanation_case import Case
from explainers.grid import Grid
from explainers.method_runner import MethodResult
from explainers.metric import Family, Metric
from explainers.metrics.agreement.consensus import CONSENSUS, consensus_map
from explainers.metrics.agreement.similarity import MapEvidence, evidence_on_grid
from explainers.metrics.faithfulness.road import impute_pixels

Mask = NDArray[np.bool_]

CONTROLS = 20
"""Other places: with 20, a place that counts more than each of them does so by chance in 1 of 21 cases, p = .048."""
PORTION = 0.10
"""The strongest place of a map: this share of the picture's cells."""
OVERLAP = 0.10
"""Most of a control's area that may lie on the place itself."""
MATERIAL = 0.10
"""Least fall of the class's probability that counts as a change of the answer, where the likeliest class stays."""
INPAINTING = "inpainting"
"""Hidden pixels imputed from their surroundings, as ROAD imputes them."""
COMPARED = (str(BaselineFill.BLUR), str(BaselineFill.MEAN_COLOUR), INPAINTING)
"""What hides a place, where ways of hiding are compared: they can disagree."""
EVIDENCE = "Hidden place"
SOURCE = "Zeiler & Fergus 2014, arXiv:1311.2901, sec. 4.2 (hiding); Rong et al. 2022, arXiv:2202.00449, sec. 4 (inpainting)"


class HiddenPlaceOutcome(StrEnum):
    """What hiding a place showed; the values stand in the manifest."""

    FOLLOWS = "the answer follows"
    STAYS = "the answer stays"
    NO_MORE = "no more than elsewhere"


@dataclass(frozen=True)
class HiddenPlaceResult:
    """One place hidden in one way. Falls are of the case's score, in its units; probabilities are of the explained class.

    title: whose place it is. fill: what hides it. area: its share of the picture. before, after: probability of the class without and with
    the place hidden. answer: number of the likeliest class then. answer_before: without. fall: how far the score falls.
    others: the same falls for the other places; others_after: the class's probability with each of them hidden.
    rounding: a fall that differs from another by less does not differ.
    """

    title: str
    fill: str
    area: float
    before: float
    after: float
    answer_before: int
    answer: int
    fall: float
    others: tuple[float, ...]
    others_after: tuple[float, ...]
    rounding: float = 0.0

    @property
    def more_than(self) -> int:
        """Of how many other places the hiding costs less of the score."""
        return sum(self.fall > other + self.rounding for other in self.others)

    @property
    def p(self) -> float:
        """Chance that a place picked without knowledge would rank so high among the others."""
        return (1 + len(self.others) - self.more_than) / (1 + len(self.others))

    @property
    def outcome(self) -> HiddenPlaceOutcome:
        """Follows: more than every other place, and the likeliest class changes or the class loses a tenth of all probability or more."""
        if self.more_than < len(self.others):
            return HiddenPlaceOutcome.NO_MORE
        changed = self.answer != self.answer_before or self.before - self.after >= MATERIAL
        return HiddenPlaceOutcome.FOLLOWS if changed else HiddenPlaceOutcome.STAYS

    def to_json(self) -> dict[str, Any]:
        """others: the middle and the ends of what hiding the other places costs."""
        falls, left = np.asarray(self.others), np.asarray(self.others_after)
        return {
            "title": self.title,
            "fill": self.fill,
            "area": self.area,
            "before": self.before,
            "after": self.after,
            "answer_before": self.answer_before,
            "answer": self.answer,
            "fall": self.fall,
            "more_than": self.more_than,
            "others": len(self.others),
            "p": self.p,
            "outcome": self.outcome,
            "others_fall": [float(falls.min()), float(np.median(falls)), float(falls.max())],
            "others_after": [float(left.min()), float(np.median(left)), float(left.max())],
        }


@dataclass(frozen=True)
class HiddenConsensusMetric(Metric[HiddenPlaceResult]):
    """The strongest tenth of the families' consensus, hidden by the case's fill."""

    title = "Hidden place"
    key = "hidden"
    family: ClassVar[Family] = "faithfulness"
    on_request = False
    evidence = EVIDENCE
    seconds_at_most = 2.0
    source = SOURCE
    formula = "fall of the score with the consensus's strongest tenth hidden, and its rank among 20 displaced places of the same shape"
    description = (
        "Where all kinds of method point is hidden, and the classifier is evaluated again. "
        "If the answer rests on that place it falls further than with other places hidden."
    )
    button = "Hide the shared place"
    question = "Hides the place that all kinds of method share and evaluates again, beside 20 equally large places."

    def __call__(self, case: Case, results: Sequence[MethodResult]) -> Iterator[HiddenPlaceResult]:
        share = consensus_of_results(results, case.size)
        if share is not None:
            yield measure_hidden_place(case, CONSENSUS, strongest_place(share, case.size))

    def cost(self, case: Case, results: Sequence[MethodResult]) -> int:
        return evaluations_of_hidden_places(1)

    def complete(self, findings: Sequence[HiddenPlaceResult], results: Sequence[MethodResult]) -> bool:
        return bool(findings)

    def sentences(self, title: str, findings: Sequence[HiddenPlaceResult]) -> list[str]:
        return [hidden_place_sentence(each) for each in findings if each.title == title]


@dataclass(frozen=True)
class HiddenPlacesMetric(Metric[HiddenPlaceResult]):
    """The strongest tenth of the consensus and of every map, each hidden by a blur, the mean colour and inpainting."""

    title = "Hidden places"
    key = "hidden_each"
    family: ClassVar[Family] = "faithfulness"
    evidence = EVIDENCE
    source = SOURCE
    formula = "the same for the strongest tenth of each map, hidden by a blur, the mean colour and inpainting"
    description = (
        "Each map's strongest place is hidden in three ways, which can disagree. "
        "A map whose place the answer does not follow is no account of this answer."
    )
    button = "Hide each map's place"
    question = "Hides the strongest tenth of each map, and the place that all share, in three ways, beside 20 equally large places each."

    def __call__(self, case: Case, results: Sequence[MethodResult]) -> Iterator[HiddenPlaceResult]:
        for title, share in map_shares_with_consensus(results, case.size).items():
            place = strongest_place(share, case.size)
            for fill in COMPARED:
                yield measure_hidden_place(case, title, place, fill)

    def cost(self, case: Case, results: Sequence[MethodResult]) -> int:
        return evaluations_of_hidden_places(len(map_shares_with_consensus(results, case.size)) * len(COMPARED))

    def complete(self, findings: Sequence[HiddenPlaceResult], results: Sequence[MethodResult]) -> bool:
        return len(findings) >= len(COMPARED) * (1 + sum(_has_map(result) for result in results))

    def sentences(self, title: str, findings: Sequence[HiddenPlaceResult]) -> list[str]:
        return [hidden_place_sentence(each) for each in findings if each.title == title]


def evaluations_of_hidden_places(places: int) -> int:
    """Evaluations at most for so many places, each hidden in one way; the picture itself is one more."""
    return 1 + places * (1 + CONTROLS)


def measure_hidden_place(case: Case, title: str, place: Mask, fill: str = "") -> HiddenPlaceResult:
    """The place (H, W) hidden, beside 20 of the same shape elsewhere; 21 evaluations. fill: the case's where it is empty. Raises Stopped.

    ValueError for a place without a pixel.
    """
    if not place.any():
        raise ValueError("there is no place to hide")
    fill = fill or case.fill
    places = [place, *displaced_place_copies(place, CONTROLS, case.seed)]
    if fill == INPAINTING:
        logits = case.outputs(impute_pixels(case.image, each, case.seed) for each in places)
    else:
        logits = case.masked(((~each).astype(np.float32) for each in places), fill)
    target, picture = case.score.target, case.image_logits
    falls = case.image_value - case.values(logits)
    left = case.probabilities(logits)[:, target].astype(np.float64)
    return HiddenPlaceResult(
        title=title,
        fill=fill,
        area=float(place.mean()),
        before=float(case.probabilities(picture)[0, target]),
        after=float(left[0]),
        answer_before=int(picture.argmax()),
        answer=int(logits[0].argmax()),
        fall=float(falls[0]),
        others=tuple(map(float, falls[1:])),
        others_after=tuple(map(float, left[1:])),
        rounding=case.rounding,
    )


def map_shares_with_consensus(results: Sequence[MethodResult], size: tuple[int, int]) -> dict[str, Grid]:
    """Title -> (G, G) positive share: the consensus first, where any map has evidence, then each map that has some."""
    found = _found(results, size)
    common = consensus_map(found)
    own = {each.title: each.share for each in found if each.share is not None}
    return {} if common is None else {CONSENSUS: common, **own}


def consensus_of_results(results: Sequence[MethodResult], size: tuple[int, int]) -> Grid | None:
    """(G, G) the consensus of all families; None where no map has evidence."""
    return consensus_map(_found(results, size))


def strongest_place(share: Grid, size: tuple[int, int], portion: float = PORTION) -> Mask:
    """(H, W): the strongest `portion` of a map's cells (G, G), as pixels of the picture; cells without evidence never belong.

    Of cells that tie, as within one segment, those count first whose neighbours are stronger, so that the place stays in one piece.
    """
    wanted = max(1, round(portion * share.size))
    around = cv2.GaussianBlur(share.astype(np.float64), (0, 0), 1.0, borderType=cv2.BORDER_CONSTANT)
    order = np.lexsort((-around.ravel(), -share.ravel()))
    chosen = np.zeros(share.size, bool)
    chosen[order[:wanted]] = True
    cells = (chosen & (share.ravel() > 0)).reshape(share.shape)
    rows, columns = (np.arange(side) * len(share) // side for side in size)
    return np.asarray(cells[rows[:, None], columns])


def displaced_place_copies(place: Mask, count: int, seed: int) -> list[Mask]:
    """(H, W) each: the place shifted round the edges, flipped or not, drawn among those that lie at most a tenth on the place itself.

    Where a large place leaves no such shift, those that lie on it least. All have the place's number of pixels.
    """
    rng = np.random.default_rng(seed)
    faces = [place[::down, ::right] for down in (1, -1) for right in (1, -1)]
    spectrum = np.fft.rfft2(place)
    common = np.stack([np.fft.irfft2(spectrum * np.conj(np.fft.rfft2(face)), s=place.shape) for face in faces])
    most = max(OVERLAP * place.sum(), np.partition(common, count, axis=None)[count]) + 0.5
    allowed = np.flatnonzero(common <= most)
    drawn = rng.choice(allowed, count, replace=False)
    found = []
    for number in drawn:
        face, down, right = np.unravel_index(number, common.shape)
        found.append(np.roll(faces[face], (int(down), int(right)), (0, 1)))
    return found


def hidden_place_sentence(found: HiddenPlaceResult) -> str:
    """What hiding the place did, in one sentence with its numbers."""
    return (
        f"Hidden by {found.fill}: {100 * found.before:.0f} % becomes {100 * found.after:.0f} %, "
        f"further down than with {found.more_than} of {len(found.others)} other places hidden; {found.outcome}."
    )


def _found(results: Sequence[MethodResult], size: tuple[int, int]) -> list[MapEvidence]:
    return [each for result in results if (each := evidence_on_grid(result, size)) is not None]


def _has_map(result: MethodResult) -> bool:
    return result.attribution is not None and not result.attribution.blank
