"""Sorts a layer's channels into groups that light up alike, so that one masked picture can stand for a whole group."""

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from explainers.classifier_protocol import LayerFeatures
from explainers.explanation_case import Case

Group = tuple[int, ...]
"""Indices of a layer's channels, in order."""


def cluster_channels(case: Case, features: LayerFeatures, count: int) -> list[Group]:
    """At most `count` groups of the channels that are not constant, by Ward's method on the maps scaled to 0..1.

    The groups are nested: fewer are unions of more. They do not depend on the score, so other classes share their evaluations.
    On MobileNetV2 and six photographs 32 groups gave all 720 to 1,060 channels' Score-CAM at a Spearman of .999 (16: .998);
    the 32 channels with the largest weights gave .982, k-means .999, NMF .88.
    """
    scaled = scale_activation_channels(features)
    live = np.flatnonzero(scaled.any(1))
    if count >= len(live):
        return [(int(channel),) for channel in live]
    tree = case.remember(("channel tree", features.layer), lambda: linkage(scaled[live], "ward"))
    labels = fcluster(tree, count, "maxclust")
    return [tuple(live[labels == label].tolist()) for label in np.unique(labels)]


def within_group_variation(features: LayerFeatures, groups: list[Group]) -> float:
    """What is lost where a group's mean stands for its channels: the sum of squares of the scaled maps' differences from it."""
    scaled = scale_activation_channels(features)
    return float(sum(np.square(scaled[list(group)] - scaled[list(group)].mean(0)).sum() for group in groups if len(group) > 1))


def scale_activation_channels(features: LayerFeatures) -> NDArray[np.float64]:
    """(k, cells): each channel's map scaled to 0..1; a constant one is 0 everywhere."""
    flat = features.maps.reshape(-1, features.maps.shape[-1]).T.astype(np.float64)
    low, span = flat.min(1, keepdims=True), np.ptp(flat, axis=1, keepdims=True)
    return np.asarray(np.divide(flat - low, span, out=np.zeros_like(flat), where=span > 0))
