"""How well classes that share no names with the reference fit it: scores of a cross-tabulation.

Clusters carry numbers, not meanings; these scores ask only which pixels go together. A table has
one row for each reference class and one column for each cluster.

References
----------
Strehl, A., Ghosh, J. (2002), Journal of Machine Learning Research 3, 583-617: normalized mutual
information, here divided by the mean of the two entropies as scikit-learn does.
Hubert, L., Arabie, P. (1985), Journal of Classification 2, 193-218, doi:10.1007/BF01908075: the
adjusted Rand index.
Kuhn, H. W. (1955), Naval Research Logistics Quarterly 2, 83-97, doi:10.1002/nav.3800020109: the
best one-to-one pairing.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rsclass.core.confusion import ratio
from rsclass.core.types import Float

__all__ = ["Pairing", "adjusted_rand", "best_pairing", "normalized_mutual_information", "purity"]

Table = NDArray[np.int64]


class Pairing(NamedTuple):
    """Each cluster with one reference class at most, so that most units agree.

    Parameters
    ----------
    partner : int array (clusters,)
        Row of the reference class; -1 for a cluster left over.
    overall : float
        Share of the units that agree.
    """

    partner: NDArray[np.intp]
    overall: float


def normalized_mutual_information(table: Table) -> float:
    """What clusters and reference tell of each other, 0 to 1.

    The mutual information divided by the arithmetic mean of the two entropies; 1 where both have
    one class only, NaN for an empty table.
    """
    total = float(table.sum())
    if not total:
        return math.nan
    joint = table / total
    rows, cols = joint.sum(axis=1), joint.sum(axis=0)
    mean = (_entropy(rows) + _entropy(cols)) / 2
    if not mean:
        return 1.0
    chance = np.outer(rows, cols)
    seen = joint > 0
    mutual = float((joint[seen] * np.log(joint[seen] / chance[seen])).sum())
    return min(max(mutual / mean, 0.0), 1.0)


def adjusted_rand(table: Table) -> float:
    """Agreement over all pairs of units, corrected for chance: 1 is complete, 0 is chance.

    NaN for fewer than two units.
    """
    cells, rows, cols = (
        # Whole numbers of Python: pairs of pixels do not fit into 64 bits.
        sum(n * (n - 1) // 2 for n in counts.ravel().tolist())
        for counts in (table, table.sum(axis=1), table.sum(axis=0))
    )
    n = int(table.sum())
    pairs = n * (n - 1) // 2
    if not pairs:
        return math.nan
    # All terms times 2 * pairs, to stay in whole numbers.
    over, under = 2 * (cells * pairs - rows * cols), (rows + cols) * pairs - 2 * rows * cols
    return over / under if under else 1.0


def purity(table: Table) -> float:
    """Share of the units that lie in the commonest reference class of their cluster."""
    return float(ratio(table.max(axis=0, initial=0).sum(), table.sum()))


def best_pairing(table: Table) -> Pairing:
    """Which cluster is which reference class, one to one, so that most units agree."""
    from scipy.optimize import linear_sum_assignment

    rows, cols = linear_sum_assignment(-table.astype(np.float64))
    partner = np.full(table.shape[1], -1, dtype=np.intp)
    met = table[rows, cols] > 0
    partner[cols[met]] = rows[met]
    return Pairing(partner, float(ratio(table[rows, cols].sum(), table.sum())))


def _entropy(shares: Float) -> float:
    present = shares[shares > 0]
    return -float((present * np.log(present)).sum())
