"""Decision trees, several of which vote or are added up."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rsclass.core.kernels import RUN, compiled
from rsclass.core.types import Float, Labels, Mask

LEAF = -1


@dataclass(frozen=True)
class Trees:
    """Trees whose leaves hold numbers that are added up to one score for each class.

    Parameters
    ----------
    roots : int32 array (trees,)
        First node of each tree.
    feature : int32 array (nodes,)
        Band that a node asks for; -1 at a leaf.
    threshold : float32 or float64 array (nodes,)
        Values up to it go left. Where it is float32, so are the values that are compared to it.
    left, right : int32 arrays (nodes,)
        The next node; at a leaf, ``left`` is its row in ``value``.
    value : float64 array (leaves, numbers)
    first : int32 array (trees,)
        The score that the first number of a tree's leaves is added to.
    baseline : float64 array (scores,)
        What the scores begin with.
    kind : str
        ``votes``: scores over the number of trees are memberships. ``logits``: scores are their
        logarithms up to a constant; a single score is that of the second of two classes.
    """

    roots: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: NDArray[Any]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: Float
    first: NDArray[np.int32]
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
            self.left,
            self.right,
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
        return {
            "roots": self.roots,
            "feature": self.feature,
            "threshold": self.threshold,
            "left": self.left,
            "right": self.right,
            "value": self.value,
            "first": self.first,
            "baseline": self.baseline,
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]], kind: str) -> Self:
        """Of what :meth:`to_arrays` gave.

        Raises
        ------
        ValueError
            They are no trees: a node leads nowhere, or back.
        """
        names = ("roots", "feature", "threshold", "left", "right", "value", "first", "baseline")
        parts: dict[str, Any] = {name: arrays[name] for name in names}
        found = cls(**parts, kind=kind)
        found._check()
        return found

    def _check(self) -> None:
        n = len(self.feature)
        columns = (self.threshold, self.left, self.right)
        if n == 0 or any(column.shape != (n,) for column in columns) or self.value.ndim != 2:
            raise ValueError("the trees are damaged")
        place = np.arange(n)
        inner = self.feature >= 0
        leads_on = [(place < child) & (child < n) for child in (self.left, self.right)]
        sound = np.where(
            inner,
            leads_on[0] & leads_on[1],
            (self.left >= 0) & (self.left < len(self.value)),
        )
        numbers = self.value.shape[1]
        if (
            self.kind not in ("votes", "logits")
            or not sound.all()
            or not ((self.roots >= 0) & (self.roots < n)).all()
            or not ((self.first >= 0) & (self.first + numbers <= len(self.baseline))).all()
            or len(self.first) != len(self.roots)
        ):
            raise ValueError("the trees are damaged")


@compiled
def _add_up(
    values: NDArray[Any],
    valid: Mask,
    gain: Float,
    offset: Float,
    roots: NDArray[np.int32],
    feature: NDArray[np.int32],
    threshold: NDArray[Any],
    left: NDArray[np.int32],
    right: NDArray[np.int32],
    value: Float,
    first: NDArray[np.int32],
    baseline: Float,
    scores: Float,
) -> None:
    n_bands, n_pixels = values.shape
    # The type of the thresholds.
    z = np.empty((RUN, n_bands), threshold.dtype)
    for start in range(0, n_pixels, RUN):
        n = min(RUN, n_pixels - start)
        for b in range(n_bands):
            for i in range(n):
                z[i, b] = values[b, start + i] * gain[b] + offset[b]
        for s in range(len(baseline)):
            for i in range(n):
                scores[s, start + i] = baseline[s] if valid[start + i] else np.nan
        for t in range(len(roots)):
            for i in range(n):
                if not valid[start + i]:
                    continue
                node = roots[t]
                while feature[node] >= 0:
                    goes_left = z[i, feature[node]] <= threshold[node]
                    node = left[node] if goes_left else right[node]
                for c in range(value.shape[1]):
                    scores[first[t] + c, start + i] += value[left[node], c]


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
