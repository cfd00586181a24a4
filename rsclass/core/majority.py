"""The majority filter: every pixel takes the class that most of its neighbors have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.kernels import compiled
from rsclass.errors import UsageError

__all__ = ["Majority"]

_LARGEST = 201


@dataclass(frozen=True, slots=True)
class Majority:
    """A majority filter on class values.

    A pixel takes the class with the most votes in a window around it. If its own class is among
    the winners it stays, else the lowest value of the winners wins. Value 0 is nodata: it never
    votes and never changes. Beyond the edge of the scene nobody votes.

    Parameters
    ----------
    size : int
        Side of the window in pixels: odd, 3 to 201.
    circular : bool
        Only pixels whose centers are at most ``(size - 1) / 2`` pixels away vote.
    center_weight : int
        Votes of the pixel itself.
    min_share : float
        Share of all votes, 0 to 1, that the winner needs; with less, the pixel stays.
    protected : tuple of int
        Values of classes whose pixels stay as they are. They do vote, so others may join them.

    Raises
    ------
    UsageError
        A parameter is outside of its range.
    """

    size: int
    circular: bool = False
    center_weight: int = 1
    min_share: float = 0.0
    protected: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.size % 2 == 0 or not 3 <= self.size <= _LARGEST:
            raise UsageError(
                f"the window of the majority filter is {self.size} pixels wide; choose an odd "
                f"number from 3 to {_LARGEST}."
            )
        if self.center_weight < 1:
            raise UsageError(f"the center weight is {self.center_weight}; it must be 1 or more.")
        if not 0 <= self.min_share <= 1:
            raise UsageError(f"the minimum majority is {self.min_share:g}; it is a share, 0 to 1.")

    @property
    def halo(self) -> int:
        """How far the window reaches, in pixels."""
        return self.size // 2

    @property
    def reach(self) -> NDArray[np.int64]:
        """Half width of each row of the window, from top to bottom."""
        rows = np.arange(-self.halo, self.halo + 1)
        if not self.circular:
            return np.full(self.size, self.halo)
        return np.floor(np.sqrt(self.halo**2 - rows**2)).astype(np.int64)

    def apply(self, values: NDArray[Any], core: tuple[slice, slice]) -> NDArray[Any]:
        """Filter the part ``core`` of an image.

        Parameters
        ----------
        values : uint8 or uint16 array (height, width)
            Class values; 0 is nodata.
        core : tuple of 2 slices (rows, columns)
            The part to filter; what lies around it votes.

        Returns
        -------
        array of the shape of the part, of the type of ``values``
        """
        rows, cols = (part.indices(n) for part, n in zip(core, values.shape, strict=True))
        present = np.flatnonzero(np.bincount(values.ravel(), minlength=1))
        classes = present[present > 0]
        out = values[core].copy()
        if len(classes) < 2:
            return out
        index = np.full(int(present[-1]) + 1, -1, dtype=np.int32)
        index[classes] = np.arange(len(classes))
        _majority(
            index[values],
            rows[0],
            cols[0],
            self.reach,
            self.center_weight,
            self.min_share,
            np.isin(classes, self.protected),
            classes.astype(values.dtype),
            out,
        )
        return out


@compiled
def _majority(
    index: NDArray[np.int32],
    top: int,
    left: int,
    reach: NDArray[np.int64],
    center_weight: int,
    min_share: float,
    protected: NDArray[np.bool_],
    classes: NDArray[Any],
    out: NDArray[Any],
) -> None:
    """Slide the window along each row; votes are added at its right and taken away at its left."""
    height, width = index.shape
    halo = len(reach) // 2
    votes = np.zeros(len(classes), np.int64)
    for r in range(top, top + out.shape[0]):
        first, last = max(r - halo, 0), min(r + halo, height - 1)
        votes[:] = 0
        total = 0
        for y in range(first, last + 1):
            wide = reach[y - r + halo]
            for x in range(max(left - wide, 0), min(left + wide, width - 1) + 1):
                if index[y, x] >= 0:
                    votes[index[y, x]] += 1
                    total += 1
        for c in range(left, left + out.shape[1]):
            if c > left:
                for y in range(first, last + 1):
                    wide = reach[y - r + halo]
                    gone, new = c - 1 - wide, c + wide
                    if gone >= 0 and index[y, gone] >= 0:
                        votes[index[y, gone]] -= 1
                        total -= 1
                    if new < width and index[y, new] >= 0:
                        votes[index[y, new]] += 1
                        total += 1
            own = index[r, c]
            if own < 0 or protected[own] or votes[own] == total:
                continue
            best, most = own, votes[own] + center_weight - 1
            for k in range(len(votes)):
                if votes[k] > most:
                    best, most = k, votes[k]
            if best != own and most >= min_share * (total + center_weight - 1):
                out[r - top, c - left] = classes[best]
