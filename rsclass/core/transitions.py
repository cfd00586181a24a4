"""How many pixels went from which class of one map to which class of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsclass.core.types import Labels

__all__ = ["Transitions"]

_BASE = 65_536
_MOST_COUNTERS = 2**20


@dataclass(frozen=True, eq=False)
class Transitions:
    """Pixels by pair of values, sorted by the value before and then the value after.

    Parameters
    ----------
    before, after : int64 arrays (pairs,)
        Values from 0 (no class) to 65,535; only pairs that occur.
    pixels : int64 array (pairs,)
        How many, or what they weigh together.
    """

    before: NDArray[np.int64]
    after: NDArray[np.int64]
    pixels: NDArray[np.int64]

    @classmethod
    def of(
        cls, before: Labels, after: Labels, weights: NDArray[np.int64] | None = None
    ) -> Transitions:
        """Count the pairs of two arrays of the same shape.

        Parameters
        ----------
        before, after : int arrays (height, width)
        weights : int64 array (height,), optional
            What a pixel of each row counts instead of 1.
        """
        if weights is not None:
            return _by_rows(before, after, weights)
        top_before, top_after = int(before.max(initial=0)) + 1, int(after.max(initial=0)) + 1
        keys = before.astype(np.int64).ravel() * top_after + after.ravel()
        if top_before * top_after <= _MOST_COUNTERS:
            counted = np.bincount(keys)
            found = np.flatnonzero(counted)
            pixels = counted[found]
        else:
            found, pixels = np.unique(keys, return_counts=True)
        return cls(found // top_after, found % top_after, pixels.astype(np.int64))

    def __add__(self, other: Transitions) -> Transitions:
        keys = np.concatenate([t.before * _BASE + t.after for t in (self, other)])
        found, place = np.unique(keys, return_inverse=True)
        pixels = np.zeros(len(found), dtype=np.int64)
        np.add.at(pixels, place, np.concatenate([self.pixels, other.pixels]))
        return Transitions(found // _BASE, found % _BASE, pixels)

    def __len__(self) -> int:
        return len(self.pixels)

    def counts_before(self, values: Sequence[int]) -> NDArray[np.int64]:
        """Pixels (values,) that had each of ``values``."""
        return _counts(self.before, self.pixels, values)

    def counts_after(self, values: Sequence[int]) -> NDArray[np.int64]:
        """Pixels (values,) that have each of ``values`` now."""
        return _counts(self.after, self.pixels, values)

    @property
    def moved(self) -> int:
        """Pixels whose value is another than before."""
        return int(self.pixels[self.before != self.after].sum())

    @property
    def whole(self) -> bool:
        """Whether all pixels of a value went the same way."""
        return len(np.unique(self.before)) == len(self.before)

    def to_rows(self) -> list[dict[str, int]]:
        """One ``{"from", "to", "pixels"}`` for each pair."""
        return [
            {"from": int(before), "to": int(after), "pixels": int(pixels)}
            for before, after, pixels in zip(self.before, self.after, self.pixels, strict=True)
        ]


def _by_rows(before: Labels, after: Labels, weights: NDArray[np.int64]) -> Transitions:
    """Rows of one weight are counted together, and then multiplied."""
    total = Transitions.of(before[:0], after[:0])
    starts = np.flatnonzero(np.diff(weights, prepend=weights[0] - 1))
    for start, end in zip(starts, [*starts[1:], len(weights)], strict=True):
        rows = Transitions.of(before[start:end], after[start:end])
        total += Transitions(rows.before, rows.after, rows.pixels * weights[start])
    return total


def _counts(
    own: NDArray[np.int64], pixels: NDArray[np.int64], values: Sequence[int]
) -> NDArray[np.int64]:
    total = np.zeros(_BASE, dtype=np.int64)
    np.add.at(total, own, pixels)
    return total[np.asarray(values, dtype=np.int64)]
