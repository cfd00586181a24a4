"""Which class of one map is which of another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rsclass.core.types import Float


def match_centers(centers: Float, earlier: Float, scale: Float) -> NDArray[np.intp]:
    """Pair classes with those of an earlier model, so that the total distance is least.

    Parameters
    ----------
    centers, earlier : float64 arrays (classes, bands)
        In physical units; their numbers of classes may differ.
    scale : float64 array (bands,)
        Spread of each band, to measure distances by.

    Returns
    -------
    int array (classes,)
        Index of the earlier class, -1 for a class without partner (Kuhn 1955, Naval Research
        Logistics Quarterly 2, doi:10.1002/nav.3800020109).
    """
    from scipy.optimize import linear_sum_assignment

    difference = (centers[:, None, :] - earlier[None, :, :]) / scale
    cost = (difference**2).sum(axis=2)
    ours, theirs = linear_sum_assignment(cost)
    partner = np.full(len(centers), -1, dtype=np.intp)
    partner[ours] = theirs
    return partner
