"""What the maps of all families of methods have in common."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from explainers.grid import Grid
from explainers.method import Family
from explainers.metrics.agreement.similarity import MapEvidence, strongest_cells

CONSENSUS = "consensus of the families"
"""The title under which it stands among the maps."""
FLOOR = 0.0001
"""What a cell without evidence counts for in the consensus, as a share of an even map's cell.

The floor only keeps a logarithm finite: what no family lights should hold next to nothing. All cells together hold this much of a map, so
with 0.1, another usual choice, up to a tenth of the consensus lies where no map points. `benchmarks.measures` prints what either gives.
"""


def mean_share_by_family(found: Sequence[MapEvidence]) -> dict[Family, Grid]:
    """Each family's mean positive share, over its members that have one."""
    members: dict[Family, list[Grid]] = {}
    for each in found:
        if each.share is not None:
            members.setdefault(each.family, []).append(each.share)
    return {family: np.asarray(np.mean(shares, axis=0)) for family, shares in members.items()}


def consensus_map(found: Sequence[MapEvidence], least: float = FLOOR) -> Grid | None:
    """(G, G) that sums to 1: exp(mean over families of their methods' mean log(P + least / G^2)), normalised; None without evidence.

    All means are geometric, those within a family too: a blurred map among sharp ones does not spread what the family says.
    """
    families: dict[Family, list[Grid]] = {}
    for each in found:
        if each.share is not None:
            families.setdefault(each.family, []).append(np.log(each.share + least / each.share.size))
    if not families:
        return None
    product = np.exp(np.mean([np.mean(members, axis=0) for members in families.values()], axis=0))
    return np.asarray(product / product.sum())


def count_family_votes(found: Sequence[MapEvidence], portion: float = 0.10) -> NDArray[np.int64]:
    """(G, G): how many families have the cell among their strongest tenth; a cell that ties for the last places counts from 1/2 on."""
    chosen = [strongest_cells(share, portion) >= 0.5 for share in mean_share_by_family(found).values()]
    return np.sum(chosen, axis=0, dtype=np.int64) if chosen else np.zeros((0, 0), np.int64)


def mean_across_family_pairs(values: dict[tuple[str, str], float], families: dict[str, Family]) -> float | None:
    """The mean over pairs of families of the mean of their methods' pairs: methods with one limit do not count twice. None without pairs.

    values: (title, title) -> agreement. families: title -> family. Pairs within a family are left out.
    """
    grouped: dict[frozenset[str], list[float]] = {}
    for (first, second), value in values.items():
        if families[first] != families[second]:
            grouped.setdefault(frozenset((families[first], families[second])), []).append(value)
    return float(np.mean([np.mean(group) for group in grouped.values()])) if grouped else None
