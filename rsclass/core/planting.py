"""Trees of another library brought into one set of arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.trees import Trees
from rsclass.core.types import Float


class Planting:
    """Trees on the way to one set of arrays."""

    def __init__(self) -> None:
        self._n_nodes = self._n_leaves = 0
        self._columns: list[list[NDArray[Any]]] = [[], [], [], []]
        self._value: list[Float] = []
        self._roots: list[int] = []
        self._first: list[int] = []

    def add(
        self,
        leaf: NDArray[np.bool_],
        feature: NDArray[Any],
        threshold: NDArray[Any],
        left: NDArray[Any],
        right: NDArray[Any],
        value: Float,
        first: int = 0,
    ) -> None:
        """Add one tree, whose node 0 is the root.

        Parameters
        ----------
        leaf : bool array (nodes,)
        feature, threshold, left, right : arrays (nodes,)
            Of nodes that are no leaves: a value up to the threshold goes left.
        value : float64 array (nodes, numbers)
            Of leaves.
        first : int
            The score that the first number is added to.
        """
        order, below = _by_level(leaf, left, right)
        ends = leaf[order]
        rows = self._n_leaves + np.cumsum(ends) - 1
        kind = threshold.dtype
        columns = (
            np.where(ends, 0, feature[order]).astype(np.uint32),
            np.where(ends, np.inf, threshold[order]).astype(kind),
            (below + self._n_nodes).astype(np.uint32),
            np.where(ends, rows, 0).astype(np.uint32),
        )
        for collected, column in zip(self._columns, columns, strict=True):
            collected.append(column)
        self._value.append(np.asarray(value[order][ends], np.float64))
        self._roots.append(self._n_nodes)
        self._first.append(first)
        self._n_nodes += len(order)
        self._n_leaves += int(ends.sum())

    def trees(self, baseline: Float, kind: str) -> Trees:
        """The trees that were added; see :class:`Trees`."""
        feature, threshold, below, row = (np.concatenate(column) for column in self._columns)
        return Trees(
            np.array(self._roots, np.uint32),
            feature,
            threshold,
            below,
            row,
            np.concatenate(self._value),
            np.array(self._first, np.uint32),
            baseline,
            kind,
        )


def _by_level(
    leaf: NDArray[np.bool_], left: NDArray[Any], right: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Nodes level by level with siblings side by side, and where each leads in that order."""
    level = np.zeros(1, np.int64)
    order, below = [level], []
    known = 1
    while len(level):
        inner = ~leaf[level]
        ahead = known + 2 * (np.cumsum(inner) - 1)
        place = known - len(level) + np.arange(len(level))
        below.append(np.where(inner, ahead, place))
        parents = level[inner]
        level = np.stack([left[parents], right[parents]], axis=1).reshape(-1).astype(np.int64)
        order.append(level)
        known += len(level)
    return np.concatenate(order), np.concatenate(below)
