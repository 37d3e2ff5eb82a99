"""Area under the receiver operating characteristic, for many columns of scores at once.

`sklearn.metrics.roc_auc_score` takes one column and raises where a class is absent; evaluations and inspections compute hundreds of
resamples of every class.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata


def roc_auc(scores: NDArray[Any], positive: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(n, k) scores and which of them are positive -> (k,); NaN where a column has no positive or no negative row.

    The share of pairs of a positive and a negative row that are ranked correctly, ties counting a half: Mann and Whitney's statistic
    over its maximum; Hanley & McNeil 1982.
    """
    count = positive.sum(0)
    pairs = count * (len(positive) - count)
    correct = (rankdata(scores, axis=0) * positive).sum(0) - count * (count + 1) / 2
    return np.where(pairs > 0, correct / np.maximum(pairs, 1), np.nan)
