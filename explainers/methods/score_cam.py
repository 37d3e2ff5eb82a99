"""Score-CAM shows the model only what a channel lights up, and weights the channel by the score that is left."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from explainers.cam.channel_groups import Group, cluster_channels, scale_activation_channels, within_group_variation
from explainers.cam.class_map import class_activation_map
from explainers.classifier_protocol import Floats, LayerFeatures
from explainers.explanation_case import Case
from explainers.grid import enlarge_map
from explainers.method import Attribution, Method, ParameterChoice, ParameterRange
from explainers.perturbation.convergence import extrapolate_final_agreement, has_converged

CASE, PAPER = "score over the fill", "probability on black"
FIRST = 8
OTHERS = 2
"""Evaluations besides the groups': the features, and the fill alone."""
GROUPS = {"Fast": 16, "Balanced": 32, "Thorough": 64}
"""Preset -> groups of channels of the last map."""


@dataclass(frozen=True)
class ScoreCAM(Method):
    """ReLU(sum_k a_k A_k), a_k = max(0, S(x shown through H_k) - S(nothing shown)), H_k = A_k enlarged and scaled to 0..1.

    S is the case's score and what is not shown is the case's fill, so that all methods explain one thing; the paper's
    probability on black is a choice. (The authors' code leaves the second term out and hardly depends on the class then.)
    Channels that light up alike form a group, which is shown once through the mean of its scaled maps. With as many groups as channels,
    and probability on black, the result is the paper's but for two things: channels that lower the score weigh 0, not less, and
    constant channels are left out. Branches are added up as in Grad-CAM.
    Converged: the map of every channel is expected to have the same ranks at a correlation of .95, judged by how far they moved from the
    first groups to the last and by how much the channels within the groups still vary (`extrapolate_final_agreement`); 1 less it is the
    uncertainty, of ranks and not of values.
    """

    title = "Score-CAM"
    revision = 1
    family = "CAM"
    signed = False
    asks = "features"
    resolution = "layer"
    source = "Wang et al. 2020, arXiv:1910.01279, def. 3 and eq. 6"
    formula = "ReLU(Σₖ aₖ Aₖ), aₖ = max(0, S(x through Hₖ) − S(nothing shown))"
    about = (
        "Like Grad-CAM, it adds up what the last spatial layer saw, but without gradients: "
        "to weigh a pattern, it shows the model only the places where the pattern was seen and notes how far the score rises."
    )
    fails = (
        "Channels show large soft patches, so its maps are broad and resemble one another for different classes. "
        "A pattern that matters only together with another gets little, and one that lowers the score gets nothing."
    )

    groups: Annotated[int, ParameterRange(0, 4096, 8, "groups of channels that are shown; 0 takes the preset's 16, 32 or 64")] = 0
    weight: Annotated[str, ParameterChoice((CASE, PAPER), "what a channel's weight is read from, and what hides the rest")] = CASE

    def __call__(self, case: Case) -> Iterator[Attribution]:
        before: tuple[NDArray[np.float32], float] | None = None
        for count in self._counts(case, self._last(case)):
            share = max(1, count // len(case.features()))
            found = class_activation_map(case, partial(self._signed, case, count=share))
            lost = sum(within_group_variation(layer, cluster_channels(case, layer, share)) for layer in case.features())
            now = (found.values if found.signed is None else found.signed, lost)
            agreement = 1.0 if not lost else extrapolate_final_agreement(before, now) if before else None
            converged = agreement is not None and has_converged(agreement)
            uncertainty = None if not lost or agreement is None else 1 - agreement
            yield replace(found, uncertainty=uncertainty, converged=converged, remark=self._remark(case, count, lost, agreement))
            before = now

    def cost(self, case: Case) -> int:
        return sum(self._counts(case, self._last(case))) + OTHERS

    def _remark(self, case: Case, count: int, lost: float, agreement: float | None) -> str:
        """What the map rests on, and where it has not converged, what of it is known."""
        if not lost:
            return ""
        rests = f"{count} groups stand for {sum(layer.maps.shape[-1] for layer in case.features())} channels"
        if agreement is None:
            return f"Not converged: {rests}, and there is no map of fewer to compare with."
        if has_converged(agreement):
            return f"{rests}."
        return f"Not converged: {rests}, whose map is expected to have its ranks at a correlation of {agreement:.2f}; raise groups."

    def _last(self, case: Case) -> int:
        """Groups of the last map, of all branches together; at least one a branch."""
        return max(min(self.groups or GROUPS[case.preset], case.budget - OTHERS), len(case.layers))

    def _counts(self, case: Case, last: int) -> list[int]:
        """Groups of each map: a few first, where the budget allows them in addition to the last."""
        first = max(FIRST, len(case.layers))
        return [first, last] if first < last <= case.budget - OTHERS - first else [last]

    def _signed(self, case: Case, layer: LayerFeatures, count: int) -> NDArray[np.float64]:
        """(h, w): each group's weight times the sum of its channels."""
        total = np.zeros(layer.maps.shape[:2])
        sorted_out = cluster_channels(case, layer, count)
        for group, weight in zip(sorted_out, self._weights(case, layer, sorted_out), strict=True):
            total += weight * layer.maps[..., group].sum(-1, dtype=np.float64)
        return total

    def _weights(self, case: Case, layer: LayerFeatures, shown: list[Group]) -> NDArray[np.float64]:
        if not shown:
            return np.zeros(0)
        fill = "black" if self.weight == PAPER else case.fill
        scaled = scale_activation_channels(layer)
        mask_of = partial(_mask, case, layer, scaled)
        logits = case.recall([(layer.layer, group) for group in shown], lambda key: mask_of(key[1]), fill)
        nothing = case.fill_logits(fill)
        if self.weight == PAPER:
            kept, without = (case.probabilities(answers)[:, case.score.target].astype(np.float64) for answers in (logits, nothing))
        else:
            kept, without = case.values(logits), case.values(nothing)
        risen = np.maximum(kept - without, 0)
        return risen if risen.max() > case.rounding else np.zeros(len(shown))


def _mask(case: Case, layer: LayerFeatures, scaled: NDArray[np.float64], group: Group) -> Floats:
    """(H, W): the group's mean map, enlarged and scaled to 0..1."""
    shown = enlarge_map(scaled[list(group)].mean(0).reshape(layer.maps.shape[:2]).astype(np.float32), case.size)
    return np.asarray((shown - shown.min()) / max(float(np.ptp(shown)), 1e-12), np.float32)
