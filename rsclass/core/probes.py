"""How much of a reference frozen features of pixels tell: probes that learn on top of them.

The evaluation of Chen, Pu, Xie, Yang, Guo, Lin 2020 (arXiv:2006.11480) for pixels in place of
photographs: a linear classifier on the features of each layer, the nearest neighbors in them, and
prototypes, the means of a few examples of each class (Snell, Swersky, Zemel 2017, Prototypical
Networks for Few-shot Learning, NeurIPS, arXiv:1703.05175). Pixels beside each other share what a
network sees of them, so those that teach and those that are judged lie apart.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from rsclass.core.types import Float

__all__ = ["Fold", "Probes", "Score", "apart", "cluster_table", "probe_features"]

Places = NDArray[np.int64]
Classes = NDArray[np.int32]

_ITERATIONS = 300
_PENALTY = 1.0  # inverse strength of the L2 penalty, on features of variance 1


@dataclass(frozen=True, slots=True)
class Fold:
    """Pixels that teach, and pixels that are judged."""

    taught: Places
    judged: Places


@dataclass(frozen=True, slots=True)
class Score:
    """How right a probe is.

    Parameters
    ----------
    accuracy : float
        Share of the judged pixels of all folds whose class it finds; the mean over the draws.
    recall : float
        Mean over the classes of the share of their pixels that it finds.
    deviation : float
        Standard deviation of the accuracy over the folds, or over folds and draws.
    """

    accuracy: float
    recall: float
    deviation: float


@dataclass(frozen=True, slots=True)
class Probes:
    """Which probes there are.

    Parameters
    ----------
    neighbors : int
        That vote.
    shots : sequence of int
        Pixels of each class of which a prototype is the mean.
    draws : int
        How often these pixels are drawn in each fold.
    seed : int
    """

    neighbors: int = 5
    shots: Sequence[int] = (1, 5, 10)
    draws: int = 5
    seed: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """``linear``, ``neighbors``, and ``shots_<n>`` for each number of shots."""
        return ("linear", "neighbors", *(f"shots_{n}" for n in self.shots))


def apart(rows: Places, cols: Places, fold_of: Places, reach: int) -> list[Fold]:
    """The folds without the teaching pixels that lie within ``reach`` of a judged one.

    A fold of which none is left that could teach is left out.

    Parameters
    ----------
    rows, cols, fold_of : int64 arrays (pixels,)
    reach : int
        Rows and columns at most by which two pixels may see the same surroundings.
    """
    places = np.stack([rows, cols], axis=1)
    folds = []
    for number in range(int(fold_of.max(initial=-1)) + 1):
        judged, others = np.flatnonzero(fold_of == number), np.flatnonzero(fold_of != number)
        if len(judged) == 0 or len(others) == 0:
            continue
        near, _ = KDTree(places[judged]).query(
            places[others], p=np.inf, distance_upper_bound=reach + 0.5
        )
        taught = others[np.isinf(near)]
        if len(taught):
            folds.append(Fold(taught, judged))
    return folds


def probe_features(
    features: NDArray[np.floating], classes: Classes, folds: Sequence[Fold], probes: Probes
) -> dict[str, Score]:
    """The score of every probe on features of pixels, by the names of ``probes``.

    In each fold features are scaled to mean 0 and variance 1 over the teaching pixels. Judged
    pixels of classes that teach nothing there do not count.

    Parameters
    ----------
    features : array (pixels, dimensions)
    classes : int32 array (pixels,)
        From 0.
    folds : sequence of Fold
    """
    outcomes: dict[str, list[_Outcome]] = {name: [] for name in probes.names}
    for number, fold in enumerate(folds):
        y = classes[fold.taught]
        judged = fold.judged[np.isin(classes[fold.judged], np.unique(y))]
        X, Z = _scaled(features, fold.taught, judged)
        truth = classes[judged]
        outcomes["linear"].append(_Outcome(truth, _linear(X, y, Z)))
        neighbors = min(probes.neighbors, len(y))
        model = KNeighborsClassifier(neighbors, algorithm="brute").fit(X, y)
        outcomes["neighbors"].append(_Outcome(truth, model.predict(Z)))
        rng = np.random.default_rng([probes.seed, number])
        for shots in probes.shots:
            outcomes[f"shots_{shots}"] += [
                _Outcome(truth, _by_prototypes(X, y, Z, shots, rng)) for _ in range(probes.draws)
            ]
    return {name: _score(found) for name, found in outcomes.items()}


@dataclass(frozen=True, slots=True)
class _Outcome:
    truth: Classes
    found: Classes


def _scaled(features: NDArray[np.floating], taught: Places, judged: Places) -> tuple[Float, Float]:
    X, Z = (features[places].astype(np.float64) for places in (taught, judged))
    mean, spread = X.mean(axis=0), X.std(axis=0)
    spread[spread <= 1e-9 * np.abs(mean)] = np.inf
    return (X - mean) / spread, (Z - mean) / spread


def _linear(X: Float, y: Classes, Z: Float) -> Classes:
    """Multinomial logistic regression."""
    present = np.unique(y)
    if len(present) == 1:
        return np.full(len(Z), present[0], dtype=np.int32)
    model = LogisticRegression(C=_PENALTY, max_iter=_ITERATIONS)
    with warnings.catch_warnings():
        # Where steps end the search, the rest of the way is worth less than a pixel or two.
        warnings.simplefilter("ignore", ConvergenceWarning)
        found: Classes = model.fit(X, y).predict(Z)
    return found


def _by_prototypes(X: Float, y: Classes, Z: Float, shots: int, rng: np.random.Generator) -> Classes:
    """The class of the nearest mean of a few pixels; a smaller class gives all it has."""
    present = np.unique(y)
    means = np.empty((len(present), X.shape[1]))
    for place, number in enumerate(present):
        members = np.flatnonzero(y == number)
        drawn = rng.choice(members, size=min(shots, len(members)), replace=False)
        means[place] = X[drawn].mean(axis=0)
    distance = (means**2).sum(axis=1) - 2 * Z @ means.T
    found: Classes = present[distance.argmin(axis=1)]
    return found


def _score(outcomes: Sequence[_Outcome]) -> Score:
    told = [outcome for outcome in outcomes if len(outcome.truth)]
    if not told:
        return Score(float("nan"), float("nan"), float("nan"))
    truth = np.concatenate([outcome.truth for outcome in told])
    right = np.concatenate([outcome.truth == outcome.found for outcome in told])
    recalls = [right[truth == number].mean() for number in np.unique(truth)]
    each = [float((outcome.truth == outcome.found).mean()) for outcome in told]
    return Score(float(right.mean()), float(np.mean(recalls)), float(np.std(each)))


def cluster_table(
    classes: Classes, found: NDArray[np.integer], n: int, clusters: int
) -> NDArray[np.int64]:
    """Pixels (n, clusters) of each class in each cluster; those without a cluster are left out."""
    known = found >= 0
    keys = classes[known].astype(np.int64) * clusters + found[known]
    return np.bincount(keys, minlength=n * clusters).reshape(n, clusters).astype(np.int64)
