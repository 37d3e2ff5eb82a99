"""How far two maps still agree once what both share with controls is taken out: maps that know the picture and not the decision."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from explainers.grid import Grid

Values = NDArray[np.float64]

DEVIATIONS = 2.33
"""What has to remain, in standard errors of a correlation of so many independent cells."""
KEPT = 0.5
"""A control without which less than this share of the correlation remains is named."""


class PartialAgreement:
    """Of the maps (G, G) of one picture, controls and maps by name; what is taken out of a map is computed once for all its pairs."""

    def __init__(self, maps: Mapping[str, Grid], controls: Mapping[str, Grid]) -> None:
        self._controls = controls
        self._free = max(1, next(iter(maps.values())).size - 2 - 2 * len(controls)) if maps else 1
        sets = [(), tuple(controls), *((name,) for name in controls)]
        self._left = {names: _left(maps, [controls[name] for name in names]) for names in sets}

    def explanations(self, first: str, second: str) -> tuple[str, ...]:
        """The controls that explain the agreement of two maps; empty where enough remains once all of them are taken out.

        Enough is 2.33 / sqrt(d), d the cells less the controls' two parameters each: .31 of 64 cells, .17 of 196. Named are those that
        take away half of the correlation by themselves, or else the one that takes away most.
        """
        if not self._controls or self.correlation(first, second, tuple(self._controls)) >= DEVIATIONS / self._free**0.5:
            return ()
        whole = self.correlation(first, second)
        single = {name: self.correlation(first, second, (name,)) for name in self._controls}
        return tuple(name for name, left in single.items() if left < KEPT * whole) or (min(single, key=lambda name: single[name]),)

    def correlation(self, first: str, second: str, controls: tuple[str, ...] = ()) -> float:
        """Spearman's correlation of two maps once the controls' ranks, and their squares, are taken out of both maps' ranks.

        The squares are for maps that follow a control otherwise than in a straight line, as a product with noise does. 0 where a map is
        wholly explained or the same everywhere. controls: none, one, or all.
        """
        left = self._left[controls]
        return float(left[first] @ left[second])


def _left(maps: Mapping[str, Grid], controls: Sequence[Grid]) -> dict[str, Values]:
    """What the controls do not explain of each map's ranks, (C,) of length 1; 0 where they explain all."""
    ranks = [_ranks(control) for control in controls]
    columns = [np.ones(next(iter(maps.values())).size)] if maps else []
    basis = np.stack([*columns, *ranks, *(rank**2 for rank in ranks)], axis=1) if maps else np.zeros((0, 0))
    values = np.stack([_ranks(grid) for grid in maps.values()], axis=1) if maps else np.zeros((0, 0))
    fitted, *_ = np.linalg.lstsq(basis, values, rcond=None) if maps else (basis,)
    residuals = values - basis @ fitted
    lengths = np.linalg.norm(residuals, axis=0)
    directions = np.divide(residuals, lengths, out=np.zeros_like(residuals), where=lengths > 1e-6)
    return dict(zip(maps, directions.T, strict=True))


def _ranks(grid: Grid) -> Values:
    """(C,) from -1 to 1, ties sharing theirs."""
    return np.asarray(2 * (rankdata(grid) - 1) / max(1, grid.size - 1) - 1)
