"""The sieve: patches that are too small go to the nearest patch that is large enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.grid import TileGrid
from rsclass.core.patches import (
    UNREACHED,
    Neighbors,
    Patches,
    find_patches,
    neighbors_in,
    settle,
)
from rsclass.core.seams import OpenPatches, Seams, open_labels, open_patches
from rsclass.core.types import Window
from rsclass.errors import UsageError

__all__ = ["Finding", "Sieve", "Sieving", "Standing"]


@dataclass(frozen=True, slots=True)
class Sieve:
    """The rule by which small patches vanish.

    A patch is a connected set of pixels of one class. A small patch takes the class of the largest
    large patch that it touches, as in GDAL's ``gdal_sieve``. If it touches small ones only, it
    goes with the large patch that is the fewest patches away, of several with the largest, of
    several of the same size with the one of the lowest class value. So no small patch is left but
    in islands amid nodata or protected patches where all are small; these stay as they are.

    Parameters
    ----------
    smallest : int
        Least weight of a patch that stays; see :class:`~rsclass.core.ground.Ground`.
    diagonal : bool
        Pixels that touch at a corner are connected too (8 neighbors instead of 4).
    protected : tuple of int
        Values of classes whose patches stay, however small. Small protected patches attract nobody.

    Raises
    ------
    UsageError
        ``smallest`` is less than 1.
    """

    smallest: int
    diagonal: bool = False
    protected: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.smallest < 1:
            raise UsageError(f"the smallest patch is {self.smallest} pixels; it must be 1 or more.")

    def receptive(self, value: NDArray[np.uint16], weight: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which patches are small and may change."""
        receptive: NDArray[np.bool_] = weight < self.smallest
        receptive &= ~np.isin(value, self.protected)
        return receptive


@dataclass(frozen=True, slots=True)
class Standing:
    """Where patches stand: their master, as far as it is known.

    Parameters
    ----------
    level : int32 array (patches,)
        Steps from the master; 0 for large patches, which are their own.
    size : int64 array (patches,)
        Weight of the master.
    value : uint16 array (patches,)
        Class of the master, of the patch itself where there is none.
    """

    level: NDArray[np.int32]
    size: NDArray[np.int64]
    value: NDArray[np.uint16]

    @classmethod
    def at_first(
        cls, rule: Sieve, value: NDArray[np.uint16], weight: NDArray[np.int64]
    ) -> Standing:
        """Before anybody was asked."""
        large = weight >= rule.smallest
        return cls(
            np.where(large, 0, UNREACHED).astype(np.int32),
            np.where(large, weight, 0),
            value.copy(),
        )

    def copy(self) -> Standing:
        """Another that can be changed on its own."""
        return Standing(self.level.copy(), self.size.copy(), self.value.copy())

    def __getitem__(self, chosen: Any) -> Standing:
        return Standing(self.level[chosen], self.size[chosen], self.value[chosen])

    def differs(self, other: Standing) -> NDArray[np.bool_]:
        """Where two are not the same."""
        differs: NDArray[np.bool_] = self.level != other.level
        differs |= (self.size != other.size) | (self.value != other.value)
        return differs

    def improve(self, at: NDArray[np.int64], other: Standing) -> None:
        """Take over from ``other`` what is better than that of the patches ``at``."""
        own = self[at]
        better = (other.level < own.level) | (
            (other.level == own.level)
            & ((other.size > own.size) | ((other.size == own.size) & (other.value < own.value)))
        )
        for mine, theirs in (
            (self.level, other.level),
            (self.size, other.size),
            (self.value, other.value),
        ):
            mine[at[better]] = theirs[better]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a tile has found out of the patches that reach over its sides.

    Parameters
    ----------
    at : int64 array (patches,)
        Which patches of the scene.
    standing : Standing
        Theirs.
    """

    at: NDArray[np.int64]
    standing: Standing


class Sieving:
    """A sieve on its way over a scene that is held tile by tile.

    :meth:`survey` every tile and :meth:`add` what it gives, in the order of the grid;
    :meth:`join`; while there are :attr:`pending` tiles, :meth:`solve` them and :meth:`spread` all
    that they give; then solve each tile once more for its new values. What comes out does not
    depend on the grid: masters are shortest paths, and every tile is asked again until nothing
    that crosses its sides changes any more.

    Parameters
    ----------
    rule : Sieve
    grid : TileGrid
    weights : int64 array (height of the scene,)
        What a pixel of each row counts.
    """

    def __init__(self, rule: Sieve, grid: TileGrid, weights: NDArray[np.int64]) -> None:
        self.rule, self.grid, self.weights = rule, grid, weights
        self._seams = Seams(grid.width, rule.diagonal)
        self.pending: list[int] = []

    def survey(self, window: Window, values: NDArray[Any]) -> OpenPatches:
        """What the other tiles must know of a tile."""
        return open_patches(
            self._patches(window, values), window, self.grid.height, self.grid.width
        )

    def add(self, tile: OpenPatches) -> None:
        """Take the survey of the next tile."""
        self._seams.add(tile)

    def join(self) -> None:
        """Put together the patches that reach over tiles, after the last survey."""
        self._whole, value, self._weight, pairs = self._seams.join()
        self._first = np.array([*self._seams.first, len(self._whole)])
        del self._seams
        self._class = value
        self._receptive = self.rule.receptive(value, self._weight)
        self._standing = Standing.at_first(self.rule, value, self._weight)
        self._across = Neighbors.of_pairs(pairs, len(value), self._receptive)
        self._settle()
        self.pending = [
            i for i in range(len(self.grid)) if self._receptive[self._crossing(i)].any()
        ]

    def solve(self, tile: int, values: NDArray[Any]) -> tuple[NDArray[Any], Finding]:
        """Let the patches of a tile find their masters, from what is known of the other tiles.

        Parameters
        ----------
        tile : int
            Its place in the grid.
        values : array (height, width)

        Returns
        -------
        array (height, width)
            New values.
        Finding
            For the other tiles.
        """
        window = self.grid.window(*divmod(tile, self.grid.cols))
        patches = self._patches(window, values)
        chosen = open_labels(patches.labels, window, self.grid.height, self.grid.width)
        # Parts of one patch of the scene are one node.
        at, part_of = np.unique(self._crossing(tile), return_inverse=True)
        is_open = np.zeros(len(patches), np.bool_)
        is_open[chosen] = True
        inner = np.flatnonzero(~is_open)
        node = np.empty(len(patches), np.int32)
        node[inner] = np.arange(len(inner))
        node[chosen] = len(inner) + part_of
        value = np.concatenate([patches.value[inner], self._class[at]])
        weight = np.concatenate([patches.weight[inner], self._weight[at]])
        receptive = self.rule.receptive(value, weight)
        standing = Standing.at_first(self.rule, value, weight)
        standing.improve(np.arange(len(inner), len(value)), self._standing[at])
        neighbors = neighbors_in(patches.labels, node, receptive, self.rule.diagonal)
        settle(standing.level, standing.size, standing.value, neighbors)
        new = np.append(standing.value[node], 0).astype(values.dtype)
        # A copy, so that what is kept of a tile does not keep all of its patches.
        return new[patches.labels], Finding(at, standing[len(inner) :].copy())

    def spread(self, found: dict[int, Finding]) -> None:
        """Let all tiles know what some have found; decides which are :attr:`pending`.

        Parameters
        ----------
        found : dict of int to Finding
            By place in the grid.
        """
        before = self._standing.copy()
        for finding in found.values():
            self._standing.improve(finding.at, finding.standing)
        self._settle()
        changed = self._standing.differs(before)
        self.pending = []
        for i in range(len(self.grid)):
            if i in found:
                news = self._standing[found[i].at].differs(found[i].standing)
            else:
                news = changed[self._crossing(i)]
            if news.any():
                self.pending.append(i)

    def _patches(self, window: Window, values: NDArray[Any]) -> Patches:
        weights = self.weights[window.row : window.row_end]
        return find_patches(values, weights, self.rule.diagonal)

    def _crossing(self, tile: int) -> NDArray[np.int64]:
        """Patches of the scene that the open patches of a tile are parts of."""
        return self._whole[self._first[tile] : self._first[tile + 1]]

    def _settle(self) -> None:
        known = self._standing
        settle(known.level, known.size, known.value, self._across)
