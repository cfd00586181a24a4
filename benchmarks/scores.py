"""How well classes without names fit a land cover that is known."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.contingency import (
    adjusted_rand,
    best_pairing,
    normalized_mutual_information,
    purity,
)

__all__ = ["Scores", "scores", "t_interval"]


@dataclass(frozen=True)
class Scores:
    """All from 0 to 1, but the adjusted Rand index, which chance may bring below 0.

    Parameters
    ----------
    pairing : float
        Accuracy when every class stands for one land cover, as well as can be (Hungarian method).
    majority : float
        Accuracy when every class stands for the commonest land cover in it.
    nmi : float
        Mutual information by the mean of the two entropies.
    ari : float
        Adjusted Rand index.
    classes : int
        Found among the labelled pixels.
    """

    pairing: float
    majority: float
    nmi: float
    ari: float
    classes: int

    @property
    def q(self) -> float:
        """Mean of majority accuracy, mutual information and adjusted Rand index."""
        return (self.majority + self.nmi + self.ari) / 3

    def fields(self) -> dict[str, Any]:
        """The scores by name, with q."""
        return asdict(self) | {"q": self.q}


def scores(labels: NDArray[np.integer], truth: NDArray[np.integer]) -> Scores:
    """Score the pixels whose land cover is known (> 0); those without a class count as a class."""
    known = truth > 0
    _, row = np.unique(truth[known], return_inverse=True)
    _, column = np.unique(labels[known], return_inverse=True)
    shape = (int(row.max()) + 1, int(column.max()) + 1)
    table = np.bincount(row * shape[1] + column, minlength=shape[0] * shape[1]).reshape(shape)
    return Scores(
        best_pairing(table).overall,
        purity(table),
        normalized_mutual_information(table),
        adjusted_rand(table),
        shape[1],
    )


def t_interval(differences: NDArray[np.floating]) -> tuple[float, float]:
    """The mean, and half of the width of its 95 % interval by Student's t; NaN for one value."""
    from scipy.stats import t

    n = len(differences)
    if n < 2:
        return float(differences.mean()), float("nan")
    half = t.ppf(0.975, n - 1) * differences.std(ddof=1) / np.sqrt(n)
    return float(differences.mean()), float(half)
