"""Support vector machines: one for each pair of classes, each with one vote."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rsclass.core.compiling import compiled
from rsclass.core.scaling import Scaling
from rsclass.core.types import Float, Labels, Mask

STEEPNESS = 2.0
"""How fast a pair's membership changes over its margin: 0.88 where the margin ends."""

_RUN = 64


@dataclass(frozen=True)
class Machines:
    """Machines with the kernel ``exp(-gamma |x - v|^2)``, one for each pair of classes.

    Parameters
    ----------
    scaling : Scaling
        From physical values to those of the vectors.
    vectors : float64 array (vectors, bands)
        Support vectors, class after class.
    start : int64 array (classes + 1,)
        First vector of every class, and their number.
    weights : float64 array (classes - 1, vectors)
        Of a vector of class i against class j: row ``j - 1`` for i < j, row ``j`` for i > j.
    bias : float64 array (pairs,)
        In the order (0, 1), (0, 2), ..., (1, 2), ...; a positive sum is a vote for the first.
    gamma : float
    """

    scaling: Scaling
    vectors: Float
    start: NDArray[np.int64]
    weights: Float
    bias: Float
    gamma: float

    @property
    def n_classes(self) -> int:
        """How many classes they tell apart."""
        return len(self.start) - 1

    @property
    def n_bands(self) -> int:
        """How many bands they need."""
        return int(self.vectors.shape[1])

    def label(
        self, values: NDArray[Any], valid: Mask, gain: Float, offset: Float, *, shares: bool
    ) -> tuple[Labels, Float | None]:
        """The class of every pixel: that with the most votes, the lowest in a tie.

        Memberships come from the pairs' own ones, ``p = 1 / (1 + exp(-2 f))`` of the decision f,
        by ``1 / (sum_j 1 / p_ij - (classes - 2))``, brought to a sum of 1 (Price et al. 1994,
        Neural Information Processing Systems 7). They are not calibrated. Where the largest is not
        that of the class with the most votes, these two trade places.

        Parameters, Returns
        -------------------
        As of :meth:`rsclass.core.trees.Trees.label`.
        """
        n_pixels = values.shape[1]
        labels = np.empty(n_pixels, np.int32)
        membership = np.empty((self.n_classes if shares else 0, n_pixels))
        _vote(
            values,
            valid,
            gain,
            offset,
            self.scaling.center,
            self.scaling.scale,
            self.vectors,
            self.start,
            self.weights,
            self.bias,
            self.gamma,
            labels,
            membership,
        )
        return labels, membership if shares else None

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """What a model file holds of them."""
        return {
            "center": self.scaling.center,
            "scale": self.scaling.scale,
            "vectors": self.vectors,
            "start": self.start,
            "weights": self.weights,
            "bias": self.bias,
            "gamma": np.array([self.gamma]),
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]], kind: str) -> Self:
        """Of what :meth:`to_arrays` gave.

        Raises
        ------
        ValueError
            They do not fit together.
        """
        scaling = Scaling(kind, arrays["center"], arrays["scale"])
        names = ("vectors", "start", "weights", "bias")
        parts: dict[str, Any] = {name: arrays[name] for name in names}
        found = cls(scaling, **parts, gamma=float(arrays["gamma"][0]))
        n = found.n_classes
        if (
            found.weights.shape != (n - 1, len(found.vectors))
            or len(found.bias) != n * (n - 1) // 2
            or found.start[0] != 0
            or found.start[-1] != len(found.vectors)
            or (np.diff(found.start) < 0).any()
            or found.vectors.shape[1:] != scaling.center.shape
            or scaling.scale.shape != scaling.center.shape
        ):
            raise ValueError("the support vectors are damaged")
        return found


@compiled
def _vote(
    values: NDArray[Any],
    valid: Mask,
    gain: Float,
    offset: Float,
    center: Float,
    scale: Float,
    vectors: Float,
    start: NDArray[np.int64],
    weights: Float,
    bias: Float,
    gamma: float,
    labels: Labels,
    membership: Float,
) -> None:
    n_bands, n_pixels = values.shape
    n_vectors, n_classes = len(vectors), len(start) - 1
    z = np.zeros((n_bands, _RUN))
    near = np.empty((n_vectors, _RUN))
    decision = np.empty(_RUN)
    votes = np.empty((n_classes, _RUN), np.int32)
    inverse = np.empty((n_classes, _RUN))
    for at in range(0, n_pixels, _RUN):
        n = min(_RUN, n_pixels - at)
        for b in range(n_bands):
            for i in range(n):
                physical = values[b, at + i] * gain[b] + offset[b]
                z[b, i] = (physical - center[b]) / scale[b]
        for v in range(n_vectors):
            # Over whole runs: a library of vector functions may round the rest in another way.
            for i in range(_RUN):
                near[v, i] = 0.0
            for b in range(n_bands):
                m = vectors[v, b]
                for i in range(_RUN):
                    apart = z[b, i] - m
                    near[v, i] += apart * apart
            for i in range(_RUN):
                near[v, i] = math.exp(-gamma * near[v, i])
        votes[:] = 0
        inverse[:] = 0.0
        pair = 0
        for a in range(n_classes):
            for c in range(a + 1, n_classes):
                for i in range(n):
                    decision[i] = bias[pair]
                for v in range(start[a], start[a + 1]):
                    w = weights[c - 1, v]
                    for i in range(n):
                        decision[i] += w * near[v, i]
                for v in range(start[c], start[c + 1]):
                    w = weights[a, v]
                    for i in range(n):
                        decision[i] += w * near[v, i]
                for i in range(n):
                    if decision[i] > 0.0:
                        votes[a, i] += 1
                    else:
                        votes[c, i] += 1
                if len(membership) > 0:
                    for i in range(n):
                        # 1 / p of both classes of the pair.
                        odds = math.exp(-STEEPNESS * min(max(decision[i], -100.0), 100.0))
                        inverse[a, i] += 1.0 + odds
                        inverse[c, i] += 1.0 + 1.0 / odds
                pair += 1
        for i in range(n):
            if not valid[at + i]:
                labels[at + i] = -1
                for k in range(len(membership)):
                    membership[k, at + i] = np.nan
                continue
            best = 0
            for k in range(1, n_classes):
                if votes[k, i] > votes[best, i]:
                    best = k
            labels[at + i] = best
            if len(membership) == 0:
                continue
            total = 0.0
            largest = 0
            for k in range(n_classes):
                membership[k, at + i] = 1.0 / (inverse[k, i] - (n_classes - 2))
                total += membership[k, at + i]
                if membership[k, at + i] > membership[largest, at + i]:
                    largest = k
            for k in range(n_classes):
                membership[k, at + i] /= total
            own = membership[best, at + i]
            membership[best, at + i] = membership[largest, at + i]
            membership[largest, at + i] = own
