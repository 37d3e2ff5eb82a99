"""LIME hides segments of the picture at random and fits a linear model that predicts the score from which of them are shown."""

from collections.abc import Iterator
from dataclasses import dataclass

from explainers.explanation_case import Case
from explainers.method import Attribution, Method
from explainers.perturbation.estimators import lime_coefficients
from explainers.perturbation.segment_maps import refine_segment_maps


@dataclass(frozen=True)
class LIME(Method):
    """The coefficients w of argmin sum pi(z) (v(z) - w0 - w'z)^2 + |w|^2, each spread over its segment: w_s / |s|, score per pixel.

    z: which segments are shown; v: the score; pi = sqrt(exp(-(1 - sqrt(k / M))^2 / 0.25^2)) for k of M segments shown. Fitted by the
    `lime` package's own solver. Differs from its defaults: SLIC segments instead of quickshift; the case's fill; masks in complementary
    pairs shared with SHAP and RISE and weighted back to `lime`'s draws; density, because bare coefficients favour large segments.
    """

    title = "LIME"
    revision = 1
    family = "surrogate"
    signed = True
    asks = "outputs"
    resolution = "segments"
    pooled = True
    source = "Ribeiro, Singh & Guestrin 2016, arXiv:1602.04938, sec. 3.4"
    formula = "argmin_w Σ π(z)(v(z) − w₀ − wᵀz)² + ‖w‖², shown as w_s / |s|"
    about = (
        "The picture is cut into segments, and some are hidden at random, again and again. "
        "A straight line then says how much showing each segment adds to the score, near the whole picture."
    )
    fails = (
        "A straight line cannot tell that two segments only matter together, and shares their effect out. "
        "Whole segments are lit, whatever in them mattered, and too few evaluations give another map at every run: "
        "look at whether it has converged."
    )

    def __call__(self, case: Case) -> Iterator[Attribution]:
        return refine_segment_maps(case, lime_coefficients)

    def cost(self, case: Case) -> int:
        return case.budget
