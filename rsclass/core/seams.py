"""Patches that reach over the borders of tiles, put together without holding the scene."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsclass.core.patches import Patches, unite_pairs
from rsclass.core.types import Window

__all__ = ["OpenPatches", "Seams", "open_labels", "open_patches"]


@dataclass(frozen=True, slots=True)
class OpenPatches:
    """Those patches of a tile that may go on in the next.

    Parameters
    ----------
    window : Window
        The tile.
    value : uint16 array (patches,)
    weight : int64 array (patches,)
        Of their pixels inside the tile.
    top, bottom, left, right : int32 arrays
        Patch of each pixel along the sides of the tile; -1 where there is none.
    """

    window: Window
    value: NDArray[np.uint16]
    weight: NDArray[np.int64]
    top: NDArray[np.int32]
    bottom: NDArray[np.int32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]


def open_labels(
    labels: NDArray[np.int32], window: Window, height: int, width: int
) -> NDArray[np.int32]:
    """Patches at those sides of a tile that are not the edge of the scene, sorted."""
    sides = [
        side
        for side, inner in (
            (labels[0], window.row > 0),
            (labels[-1], window.row_end < height),
            (labels[:, 0], window.col > 0),
            (labels[:, -1], window.col_end < width),
        )
        if inner
    ]
    found = np.unique(np.concatenate(sides)) if sides else np.empty(0, np.int32)
    return found[found >= 0]


def open_patches(patches: Patches, window: Window, height: int, width: int) -> OpenPatches:
    """The open patches of a tile of a scene of ``height`` x ``width`` pixels."""
    labels = patches.labels
    chosen = open_labels(labels, window, height, width)
    place = np.full(len(patches) + 1, -1, np.int32)  # label -1 finds the last entry
    place[chosen] = np.arange(len(chosen))
    return OpenPatches(
        window,
        patches.value[chosen],
        patches.weight[chosen],
        place[labels[0]],
        place[labels[-1]],
        place[labels[:, 0]],
        place[labels[:, -1]],
    )


class Seams:
    """Puts the open patches of tiles together; the tiles come row by row.

    Held are a few numbers for each open patch, and one row and one column of pixels.

    Parameters
    ----------
    width : int
        Of the scene, in pixels.
    diagonal : bool
        Pixels that touch at a corner are connected too.
    """

    def __init__(self, width: int, diagonal: bool) -> None:
        self._reach = (-1, 0, 1) if diagonal else (0,)
        self._above = np.full(width, -1, np.int64)
        self._current = np.full(width, -1, np.int64)
        self._left = np.empty(0, np.int64)
        self._row = 0
        self._n_nodes = 0
        self.first: list[int] = []
        self._value: list[NDArray[np.uint16]] = []
        self._weight: list[NDArray[np.int64]] = []
        self._touching: list[NDArray[np.int64]] = []

    def add(self, tile: OpenPatches) -> None:
        """Take the next tile."""
        window = tile.window
        if window.row != self._row:
            self._above, self._current = self._current, np.full_like(self._current, -1)
            self._row = window.row
        first = self._n_nodes
        self.first.append(first)
        self._n_nodes += len(tile.value)
        self._value.append(tile.value)
        self._weight.append(tile.weight)
        if window.row > 0:
            columns = np.arange(window.col, window.col_end)
            self._touch(_numbered(tile.top, first), self._above, columns)
        if window.col > 0:
            rows = np.arange(window.height)
            self._touch(_numbered(tile.left, first), self._left, rows)
        self._current[window.col : window.col_end] = _numbered(tile.bottom, first)
        self._left = _numbered(tile.right, first)

    def _touch(
        self, own: NDArray[np.int64], others: NDArray[np.int64], at: NDArray[np.intp]
    ) -> None:
        """Note which nodes of two lines of pixels touch."""
        for shift in self._reach:
            beside = at + shift
            inside = (beside >= 0) & (beside < len(others))
            pairs = np.stack([own[inside], others[beside[inside]]], axis=1)
            pairs = pairs[(pairs >= 0).all(axis=1)]
            if len(pairs):
                self._touching.append(np.unique(pairs, axis=0))

    def join(
        self,
    ) -> tuple[NDArray[np.int64], NDArray[np.uint16], NDArray[np.int64], NDArray[np.int64]]:
        """Put together what belongs together, after the last tile.

        Returns
        -------
        whole : int64 array (nodes,)
            Patch of the scene that each open patch is a part of; nodes in the order of the tiles,
            those of the i-th tile from ``first[i]`` on.
        value : uint16 array (patches,)
        weight : int64 array (patches,)
        pairs : int64 array (pairs, 2)
            Patches that touch each other across a seam.
        """
        values = np.concatenate([*self._value, np.empty(0, np.uint16)])
        weights = np.concatenate([*self._weight, np.empty(0, np.int64)])
        touching = np.concatenate([*self._touching, np.empty((0, 2), np.int64)])
        same = values[touching[:, 0]] == values[touching[:, 1]]
        roots = unite_pairs(self._n_nodes, touching[same])
        chosen, whole = np.unique(roots, return_inverse=True)
        weight = np.zeros(len(chosen), np.int64)
        np.add.at(weight, whole, weights)
        pairs = np.unique(np.sort(whole[touching[~same]], axis=1), axis=0)
        return whole, values[chosen], weight, pairs


def _numbered(line: NDArray[np.int32], first: int) -> NDArray[np.int64]:
    return np.where(line >= 0, line.astype(np.int64) + first, -1)
