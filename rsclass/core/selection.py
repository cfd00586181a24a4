"""Reference places drawn from a map block by block, whatever the blocks.

Every pixel has a key made of its place and the seed (:func:`rsclass.core.sampling.place_keys`). The
places drawn in a stratum are those of its smallest keys, which is a simple random sample without
replacement and needs no more memory than the places kept.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsclass.core.sampling import place_keys
from rsclass.core.types import Float, Labels, Mask, Window

__all__ = ["Places", "SmallestKeys", "SystematicGrid", "thin"]

_KEYS = 2.0**64


@dataclass(frozen=True)
class Places:
    """Pixels that were drawn.

    Parameters
    ----------
    rows, cols : int64 arrays (places,)
    strata : int32 array (places,)
        Position of the stratum.
    values : int64 array (places,)
        What the map shows there.
    keys : uint64 array (places,)
        By which they were drawn; their order is random.
    """

    rows: NDArray[np.int64]
    cols: NDArray[np.int64]
    strata: Labels
    values: NDArray[np.int64]
    keys: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def none(cls) -> Places:
        """No place."""
        whole = np.zeros(0, dtype=np.int64)
        return cls(whole, whole, whole.astype(np.int32), whole, whole.astype(np.uint64))

    def take(self, chosen: NDArray[np.integer] | Mask) -> Places:
        """Some of them."""
        return Places(
            self.rows[chosen],
            self.cols[chosen],
            self.strata[chosen],
            self.values[chosen],
            self.keys[chosen],
        )

    def joined(self, other: Places) -> Places:
        """These and others."""
        pairs = [
            (getattr(self, name), getattr(other, name))
            for name in ("rows", "cols", "strata", "values", "keys")
        ]
        return Places(*map(np.concatenate, pairs))

    def in_random_order(self) -> Places:
        """Sorted by key, which tells nothing of place or stratum."""
        return self.take(np.argsort(self.keys, kind="stable"))


def _found(
    window: Window, strata: Labels, values: NDArray[np.integer], chosen: Mask, seed: int
) -> Places:
    rows, cols = np.nonzero(chosen)
    places = rows + window.row, cols + window.col
    return Places(
        *places,
        strata[chosen].astype(np.int32),
        values[chosen].astype(np.int64),
        place_keys(*places, seed),
    )


class SmallestKeys:
    """The places of the smallest keys of each stratum.

    Parameters
    ----------
    wanted : int array (strata,)
        How many of each.
    seed : int
    """

    def __init__(self, wanted: NDArray[np.int64], seed: int) -> None:
        self.wanted = wanted
        self.seed = seed
        self.places = Places.none()
        # Keys below which a pixel of a stratum may still be among the smallest; the last entry is
        # for pixels of no stratum.
        self._limit = np.full(len(wanted) + 1, np.iinfo(np.uint64).max, dtype=np.uint64)
        self._limit[np.append(wanted, 0) == 0] = 0

    def candidates(self, window: Window, strata: Labels, values: NDArray[np.integer]) -> Places:
        """Places of a block that may be among those drawn.

        Parameters
        ----------
        window : Window
        strata : int32 array (height, width)
            Position of the stratum, -1 for pixels of none.
        values : int array (height, width)
            What the map shows.
        """
        rows = np.arange(window.row, window.row_end)[:, None]
        cols = np.arange(window.col, window.col_end)[None, :]
        # Other threads may lower the limits meanwhile; too many candidates do no harm.
        chosen = place_keys(rows, cols, self.seed) < self._limit[strata]
        return _found(window, strata, values, chosen, self.seed)

    def add(self, found: Places) -> None:
        """Take the candidates of a block."""
        if not len(found):
            return
        places = self.places.joined(found)
        order = np.lexsort((places.keys, places.strata))
        counts = np.bincount(places.strata, minlength=len(self.wanted))
        first = np.cumsum(counts) - counts
        rank = np.empty(len(places), dtype=np.int64)
        rank[order] = np.arange(len(places)) - first[places.strata[order]]
        self.places = places.take(rank < self.wanted[places.strata])
        limit = self._limit.copy()
        for h in np.flatnonzero((counts >= self.wanted) & (self.wanted > 0)):
            limit[h] = self.places.keys[self.places.strata == h].max()
        self._limit = limit


class SystematicGrid:
    """Places on a square grid of pixels with a random start.

    Parameters
    ----------
    n : int
        Places wanted; about as many are found.
    n_valid : int
        Pixels that can be drawn.
    seed : int
    """

    def __init__(self, n: int, n_valid: int, seed: int) -> None:
        self.step = max(math.sqrt(n_valid / n), 1.0)
        self.seed = seed
        start = place_keys(np.array([0, 1]), np.array([0, 1]), seed).astype(np.float64) / _KEYS
        self._start = start * self.step
        self.places = Places.none()

    def candidates(self, window: Window, strata: Labels, values: NDArray[np.integer]) -> Places:
        """Places of a block; parameters as for :meth:`SmallestKeys.candidates`."""
        on_row = self._on_grid(window.row, window.height, self._start[0])
        on_col = self._on_grid(window.col, window.width, self._start[1])
        chosen = on_row[:, None] & on_col[None, :] & (strata >= 0)
        return _found(window, strata, values, chosen, self.seed)

    def add(self, found: Places) -> None:
        """Take the places of a block."""
        self.places = self.places.joined(found)

    def _on_grid(self, first: int, count: int, start: float) -> Mask:
        """Which of ``count`` rows or columns a line of the grid falls into."""
        edges = np.arange(first, first + count + 1, dtype=np.float64)
        lines = np.ceil((edges - start) / self.step)
        on: Mask = lines[1:] > lines[:-1]
        return on


def thin(
    places: Places, x: Float, y: Float, distance: float, wanted: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Choose places that keep a distance from each other.

    The stratum that lacks most of its places comes next, and of its places the one of the smallest
    key that is not nearer than ``distance`` to any that was chosen before.

    Parameters
    ----------
    x, y : float64 arrays (places,)
        In the unit of ``distance``.
    distance : float
        Positive.
    wanted : int array (strata,)

    Returns
    -------
    int64 array
        Positions of those chosen; fewer than wanted where no more fit.
    """
    room = _Room(x, y, distance)
    by_key = np.lexsort((places.keys, places.strata))
    queues = [iter(by_key[places.strata[by_key] == h].tolist()) for h in range(len(wanted))]
    turns = [(0.0, h) for h in range(len(wanted)) if wanted[h]]
    chosen: list[int] = []
    while turns:
        done, h = heapq.heappop(turns)
        place = next((i for i in queues[h] if room.fits(i)), None)
        if place is None:
            continue
        room.take(place)
        chosen.append(place)
        done += 1 / float(wanted[h])
        if done < 1 - 1e-9:
            heapq.heappush(turns, (done, h))
    return np.array(chosen, dtype=np.int64)


class _Room:
    """Which places are far enough from those taken: a grid of cells as wide as the distance."""

    def __init__(self, x: Float, y: Float, distance: float) -> None:
        self.x, self.y, self.distance = x, y, distance
        self._taken: dict[tuple[int, int], list[int]] = defaultdict(list)

    def _cell(self, i: int) -> tuple[int, int]:
        return int(self.x[i] // self.distance), int(self.y[i] // self.distance)

    def fits(self, i: int) -> bool:
        row, col = self._cell(i)
        near = (
            j
            for r in (row - 1, row, row + 1)
            for c in (col - 1, col, col + 1)
            for j in self._taken.get((r, c), ())
        )
        x, y = self.x, self.y
        return all(math.hypot(x[i] - x[j], y[i] - y[j]) >= self.distance for j in near)

    def take(self, i: int) -> None:
        self._taken[self._cell(i)].append(i)
