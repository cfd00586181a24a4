"""Decision trees, several of which vote or are added up."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rsclass.core.compiling import compiled
from rsclass.core.kernels import RUN
from rsclass.core.types import Float, Labels, Mask

TOGETHER = 16
"""Pixels that walk down a tree side by side, so that none waits for the memory of another."""


@dataclass(frozen=True)
class Trees:
    """Trees whose leaves hold numbers that are added up to one score for each class.

    Parameters
    ----------
    roots : uint32 array (trees,)
        First node of each tree. Numbers without a sign save compiled loops a look at the sign.
    feature : uint32 array (nodes,)
        Band that a node asks for; 0 at a leaf.
    threshold : float32 or float64 array (nodes,)
        Values up to it go to ``below``, others to the node after that; infinity at a leaf. Where it
        is float32, so are the values that are compared to it.
    below : uint32 array (nodes,)
        The next node; a leaf leads to itself.
    row : uint32 array (nodes,)
        Row of a leaf in ``value``; 0 at other nodes.
    value : float64 array (leaves, numbers)
    first : uint32 array (trees,)
        The score that the first number of a tree's leaves is added to.
    baseline : float64 array (scores,)
        What the scores begin with.
    kind : str
        ``votes``: scores over the number of trees are memberships. ``logits``: scores are their
        logarithms up to a constant; a single score is that of the second of two classes.
    """

    roots: NDArray[np.uint32]
    feature: NDArray[np.uint32]
    threshold: NDArray[Any]
    below: NDArray[np.uint32]
    row: NDArray[np.uint32]
    value: Float
    first: NDArray[np.uint32]
    baseline: Float
    kind: str

    @property
    def n_classes(self) -> int:
        """How many classes they tell apart."""
        n = len(self.baseline)
        return 2 if n == 1 else n

    @property
    def n_bands(self) -> int:
        """How many bands they need."""
        return int(self.feature.max()) + 1

    def label(
        self, values: NDArray[Any], valid: Mask, gain: Float, offset: Float, *, shares: bool
    ) -> tuple[Labels, Float | None]:
        """The class of every pixel.

        Parameters
        ----------
        values : array (bands, pixels)
            As stored; ``stored * gain + offset`` is physical.
        valid : bool array (pixels,)
        gain, offset : float64 arrays (bands,)
        shares : bool
            Whether memberships are wanted.

        Returns
        -------
        labels : int32 array (pixels,)
            -1 at invalid pixels.
        memberships : float64 array (classes, pixels) or None
            NaN at invalid pixels.
        """
        scores = np.empty((len(self.baseline), values.shape[1]))
        _add_up(
            values,
            valid,
            gain,
            offset,
            self.roots,
            self.feature,
            self.threshold,
            self.below,
            self.row,
            self.value,
            self.first,
            self.baseline,
            scores,
        )
        if self.kind == "votes":
            scores /= len(self.roots)
        elif len(scores) == 1:
            scores = np.concatenate([np.where(np.isnan(scores), np.nan, 0.0), scores])
        labels = np.where(valid, scores.argmax(axis=0), -1).astype(np.int32)
        if not shares:
            return labels, None
        if self.kind == "logits":
            _softmax(scores)
        return labels, scores

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """What a model file holds of them."""
        return {name: getattr(self, name) for name in _ARRAYS}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]], kind: str) -> Self:
        """Of what :meth:`to_arrays` gave.

        Raises
        ------
        ValueError
            They are no trees: a node leads nowhere, or back.
        """
        parts: dict[str, Any] = {name: arrays[name] for name in _ARRAYS}
        found = cls(**parts, kind=kind)
        found._check()
        return found

    def _check(self) -> None:
        n = len(self.feature)
        columns = (self.threshold, self.below, self.row)
        numbers = (self.roots, self.feature, self.below, self.row, self.first)
        if (
            n == 0
            or any(column.shape != (n,) for column in columns)
            or any(column.dtype != np.uint32 for column in numbers)
            or self.value.ndim != 2
        ):
            raise ValueError("the trees are damaged")
        place = np.arange(n)
        below = self.below.astype(np.int64)
        sound = np.where(
            below == place,
            (self.row < len(self.value)) & (self.threshold == np.inf),
            (below > place) & (below + 1 < n),
        )
        last = self.first.astype(np.int64) + self.value.shape[1]
        if (
            self.kind not in ("votes", "logits")
            or not sound.all()
            or not (self.roots < n).all()
            or not (last <= len(self.baseline)).all()
            or len(self.first) != len(self.roots)
        ):
            raise ValueError("the trees are damaged")


_ARRAYS = ("roots", "feature", "threshold", "below", "row", "value", "first", "baseline")


@compiled
def _add_up(
    values: NDArray[Any],
    valid: Mask,
    gain: Float,
    offset: Float,
    roots: NDArray[np.uint32],
    feature: NDArray[np.uint32],
    threshold: NDArray[Any],
    below: NDArray[np.uint32],
    row: NDArray[np.uint32],
    value: Float,
    first: NDArray[np.uint32],
    baseline: Float,
    scores: Float,
) -> None:
    n_bands, n_pixels = values.shape
    n_numbers = value.shape[1]
    # The type of the thresholds.
    z = np.zeros((RUN, n_bands), threshold.dtype)
    total = np.empty((RUN, len(baseline)))
    node = np.empty(TOGETHER, np.uint32)
    for start in range(0, n_pixels, RUN):
        n = min(RUN, n_pixels - start)
        for b in range(n_bands):
            for i in range(n):
                z[i, b] = values[b, start + i] * gain[b] + offset[b]
        for i in range(n):
            for s in range(len(baseline)):
                total[i, s] = baseline[s]
        for t in range(len(roots)):
            for begin in range(0, n, TOGETHER):
                for i in range(TOGETHER):
                    node[i] = roots[t]
                walking = True
                while walking:
                    walking = False
                    for i in range(TOGETHER):
                        at = node[i]
                        beyond = z[begin + i, feature[at]] > threshold[at]
                        to = below[at] + np.uint32(beyond)
                        walking |= to != at
                        node[i] = to
                for i in range(min(TOGETHER, n - begin)):
                    leaf = row[node[i]]
                    for c in range(n_numbers):
                        total[begin + i, first[t] + c] += value[leaf, c]
        for s in range(len(baseline)):
            for i in range(n):
                scores[s, start + i] = total[i, s] if valid[start + i] else np.nan


@compiled
def _softmax(scores: Float) -> None:
    """Logarithms of shares, up to a constant, into the shares."""
    n_classes, n_pixels = scores.shape
    for i in range(n_pixels):
        highest = scores[0, i]
        for k in range(1, n_classes):
            highest = max(highest, scores[k, i])
        total = 0.0
        for k in range(n_classes):
            scores[k, i] = math.exp(scores[k, i] - highest)
            total += scores[k, i]
        for k in range(n_classes):
            scores[k, i] /= total
