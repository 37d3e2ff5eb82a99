"""RISE lights the segments of a picture whose being shown goes with a higher score, over many random masks."""

from collections.abc import Iterator
from dataclasses import dataclass

from explainers.explanation_case import Case
from explainers.method import Attribution, Method
from explainers.perturbation.estimators import rise_values
from explainers.perturbation.segment_maps import refine_segment_maps


@dataclass(frozen=True)
class RISE(Method):
    """E[v | s shown] - E[v] when every segment is shown with chance 1/2, spread over the segment: score per pixel; half the Banzhaf value.

    Estimated as half the coefficient of a least squares in which every combination counts the same, which has the same limit as the
    paper's mean of masks and less noise. Differs from the paper: the case's segments instead of a shifted grid of blurred cells, so that
    its evaluations are LIME's and SHAP's, and the mean taken off, so that it is signed.
    """

    title = "RISE"
    revision = 1
    family = "surrogate"
    signed = True
    asks = "outputs"
    resolution = "segments"
    pooled = True
    source = "Petsiuk, Das & Saenko 2018, arXiv:1806.07421, eq. 6"
    formula = "(E[v | s shown] − E[v]) / |s|"
    about = (
        "The model sees the picture through many random masks. "
        "A place is lit when the score was higher, on average, in those pictures in which the place could be seen."
    )
    fails = (
        "Half the picture is hidden at all times, so what counts only when nearly all of it is there goes unseen. "
        "Whole segments are lit, whatever in them mattered."
    )

    def __call__(self, case: Case) -> Iterator[Attribution]:
        return refine_segment_maps(case, rise_values, frame_factor=0.5)

    def cost(self, case: Case) -> int:
        return case.budget
