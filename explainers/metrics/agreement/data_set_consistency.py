"""How far families of methods agree over many pictures: the mean, its interval, and on how many pictures, corrected over all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import false_discovery_control

from explainers.method import Family
from explainers.metrics.agreement.consistency import MapConsistency
from explainers.metrics.agreement.significance import LEVEL, KappaInterval, resampled_counts, resampled_kappa_interval


@dataclass(frozen=True)
class DataSetAgreement:
    """Two families over the pictures on which both have converged maps. kappa: the mean, with its interval over resampled pictures.

    agreeing: pictures on which they agree, at a false discovery rate of .05 over all pictures and all pairs of families together.
    """

    first: Family
    second: Family
    pictures: int
    kappa: float
    interval: KappaInterval
    agreeing: int

    def to_json(self) -> dict[str, Any]:
        return {
            "families": [self.first, self.second],
            "pictures": self.pictures,
            "kappa": self.kappa,
            "interval": self.interval.to_json(),
            "agreeing": self.agreeing,
        }


def data_set_consistency(consistencies: Sequence[MapConsistency]) -> tuple[DataSetAgreement, ...]:
    """Every pair of families that was weighed on some picture, in the order in which they first come. consistencies: one per picture.

    The pictures have to be a sample: the interval says what other pictures like these would give.
    """
    weighed = [each for found in consistencies for each in found.families if each.chance is not None]
    corrected = false_discovery_control([each.chance.p for each in weighed if each.chance is not None], method="bh").tolist()
    grouped: dict[tuple[Family, Family], list[tuple[float, float]]] = {}
    for each, p in zip(weighed, corrected, strict=True):
        if each.chance is not None:
            grouped.setdefault((each.first, each.second), []).append((each.chance.kappa, p))
    found = []
    for (first, second), rows in grouped.items():
        kappas = np.array([kappa for kappa, _ in rows])
        means = resampled_counts(len(rows)) @ kappas / len(rows)
        agreeing = sum(p <= LEVEL for _, p in rows)
        found.append(DataSetAgreement(first, second, len(rows), float(kappas.mean()), resampled_kappa_interval(means), agreeing))
    return tuple(found)
