"""How clusters fit a reference whose classes they have no names of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.confusion import known
from rsclass.core.contingency import (
    adjusted_rand,
    best_pairing,
    normalized_mutual_information,
    purity,
)

__all__ = ["ClusterFit"]


@dataclass(frozen=True)
class ClusterFit:
    """Scores of a cross-tabulation of reference classes and clusters.

    Parameters
    ----------
    table : int64 array (reference classes, clusters)
        Units.
    labels, clusters : tuple of str
        Names of rows and columns.
    values : tuple of int
        Of the clusters in the map.
    """

    table: NDArray[np.int64]
    labels: tuple[str, ...]
    clusters: tuple[str, ...]
    values: tuple[int, ...]

    @property
    def scores(self) -> dict[str, float]:
        """Normalized mutual information, adjusted Rand index, purity and best pairing."""
        return {
            "nmi": normalized_mutual_information(self.table),
            "ari": adjusted_rand(self.table),
            "purity": purity(self.table),
            "paired": best_pairing(self.table).overall,
        }

    @property
    def pairs(self) -> list[tuple[int, str, str | None]]:
        """Value and name of each cluster, and the reference class it is paired with."""
        partner = best_pairing(self.table).partner.tolist()
        return [
            (value, name, self.labels[row] if row >= 0 else None)
            for value, name, row in zip(self.values, self.clusters, partner, strict=True)
        ]

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {
            **{name: known(score) for name, score in self.scores.items()},
            "pairing": [
                {"value": value, "name": name, "reference": label}
                for value, name, label in self.pairs
            ],
            "table": {
                "rows": "reference",
                "columns": "map",
                "reference": list(self.labels),
                "map": list(self.clusters),
                "units": self.table.tolist(),
            },
        }
