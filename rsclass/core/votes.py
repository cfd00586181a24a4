"""What a reference says of the clusters of a map: the commonest label of each, and how surely."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsclass.core.contingency import best_pairing

__all__ = ["Vote", "surely", "votes"]

_QUANTILE = 1.2815515655446004
"""Of the normal distribution at 90 %."""

_TOLD = 3
_FEW_PIXELS = 5


@dataclass(frozen=True, slots=True)
class Vote:
    """What a reference says of one cluster.

    Parameters
    ----------
    label : str or None
        The commonest one; None where the reference does not meet the cluster.
    confidence : float
        See :func:`surely`.
    purity : float
        Share of the cluster's reference pixels that have the label; NaN without any.
    pixels, witnesses : int
        Reference pixels of the cluster, and the independent features or patches that they come
        from.
    partner : str or None
        Label of the one-to-one pairing under which most pixels agree.
    evidence : tuple of str
        Sentences without their points.
    """

    label: str | None
    confidence: float
    purity: float
    pixels: int
    witnesses: int
    partner: str | None
    evidence: tuple[str, ...]


def surely(share: float, witnesses: int) -> float:
    """A share that is exceeded with 90 % confidence, from so many independent witnesses.

    The lower bound of Wilson (1927), Journal of the American Statistical Association 22,
    doi:10.1080/01621459.1927.10502953; 0 without a witness.
    """
    if witnesses == 0:
        return 0.0
    z2 = _QUANTILE**2
    middle = share + z2 / (2 * witnesses)
    half = _QUANTILE * math.sqrt((share * (1 - share) + z2 / (4 * witnesses)) / witnesses)
    return max(0.0, (middle - half) / (1 + z2 / witnesses))


def votes(
    table: NDArray[np.int64],
    witnesses: NDArray[np.int64],
    labels: Sequence[str],
    witness: tuple[str, str],
) -> list[Vote]:
    """One vote for each cluster.

    Parameters
    ----------
    table : int64 array (labels, clusters)
        Pixels.
    witnesses : int64 array (clusters,)
        Independent features that have pixels in the cluster: neighboring pixels of one polygon, or
        of one patch of a raster, say the same, and count as one witness.
    labels : sequence of str
    witness : (str, str)
        What one and several are called: ``("feature", "features")``.
    """
    pairing = best_pairing(table)
    found = []
    for cluster, (counts, n) in enumerate(zip(table.T, witnesses.tolist(), strict=True)):
        total = int(counts.sum())
        partner = int(pairing.partner[cluster])
        paired = labels[partner] if partner >= 0 else None
        if total == 0:
            none = ("the reference has no pixel in it",)
            found.append(Vote(None, 0.0, math.nan, 0, 0, paired, none))
            continue
        order = np.argsort(-counts, kind="stable")
        label, purity = labels[order[0]], float(counts[order[0]]) / total
        parts = [f"{labels[i]} {counts[i] / total:.0%}" for i in order[:_TOLD] if counts[i]]
        evidence = [
            f"{', '.join(parts)} of {total:,} reference pixel{'' if total == 1 else 's'}"
            f" from {n:,} {witness[n != 1]}"
        ]
        if total < _FEW_PIXELS:
            evidence.append(f"fewer than {_FEW_PIXELS} reference pixels speak for it")
        if paired is not None and paired != label:
            evidence.append(f"paired one to one it would be {paired}")
        found.append(Vote(label, surely(purity, n), purity, total, n, paired, tuple(evidence)))
    return found
