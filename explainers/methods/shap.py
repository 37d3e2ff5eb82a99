"""SHAP shares the score out among the segments of a picture, so that the shares add up to exactly what showing the picture changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from explainers.explanation_case import Case
from explainers.method import Attribution, Method, ParameterChoice
from explainers.perturbation.estimators import kernel_shap_values, leave_one_out_residuals, surrogate_shap_values
from explainers.perturbation.segment_maps import refine_segment_maps

ESTIMATORS = {"surrogate": surrogate_shap_values, "regression": kernel_shap_values}


@dataclass(frozen=True)
class SHAP(Method):
    """The Shapley value of each segment, spread over it: phi_s / |s|, score per pixel. sum phi = v(everything) - v(nothing), exactly.

    phi_s is the mean of v(S + s) - v(S) over the orders in which segments can be shown. Two estimators, which agree where every
    combination is evaluated: "regression" is Kernel SHAP, least squares with weights 1 / (C(M,k) k (M - k)) with efficiency as constraint;
    "surrogate" fits a smooth function of which segments are shown and takes its Shapley values exactly. On photographs the second needs
    a fraction of the evaluations for the same agreement between runs, so it is the default. Where the game is not smooth (the same
    evidence in many segments, any of which is enough) it is biased: a map whose surrogate predicts under half of the variance of
    answers left out is called not converged, and its uncertainty rests on what was missed. Beyond 2,048 answers it is fitted in blocks.
    """

    title = "SHAP"
    revision = 1
    family = "surrogate"
    signed = True
    asks = "outputs"
    resolution = "segments"
    pooled = True
    source = "Lundberg & Lee 2017, arXiv:1705.07874, theorem 2; constraint as in Covert & Lee 2021, arXiv:2012.01536"
    formula = "φ_s = mean over orders of v(S ∪ s) − v(S), shown as φ_s / |s|"
    about = (
        "Segments of the picture are shown one after the other, in every order, "
        "and each is credited with how the score changes when it appears. "
        "The credits add up to exactly the difference between the whole picture and none of it."
    )
    fails = (
        "Most of the pictures it asks about are patchworks that no camera took, and the model's answers to those count as much as any. "
        "Where the same evidence is there many times, the shares are far off. "
        "It often needs more evaluations than the budget has: look at whether it has converged."
    )

    estimator: Annotated[str, ParameterChoice(tuple(ESTIMATORS), "how Shapley values are estimated from the answers")] = "surrogate"

    def __call__(self, case: Case) -> Iterator[Attribution]:
        residuals = leave_one_out_residuals if self.estimator == "surrogate" else None
        return refine_segment_maps(case, ESTIMATORS[self.estimator], left_out=residuals)

    def cost(self, case: Case) -> int:
        return case.budget
