"""How many classes a scene has, as far as indices can tell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core import kernels
from rsclass.core.lloyd import best_of, lloyd, nearest, plus_plus
from rsclass.core.types import Float
from rsclass.errors import UsageError

MOST_PIXELS = 10_000
MOST_BANDS = 10
"""Of more bands fewer pixels are used: the work grows with pixels x pixels x bands."""

GAP_PIXELS = 2_000
REFERENCES = 5
RESTARTS = 4


@dataclass(frozen=True)
class Choice:
    """A number of classes and what speaks for it.

    Parameters
    ----------
    best : int
        Classes.
    evidence : list of dict
        One for each candidate: ``n_classes``, ``inertia``, ``silhouette``, ``davies_bouldin``,
        ``calinski_harabasz``, ``gap``, ``gap_se``, ``elbow`` (whether it is the elbow of the
        inertia) and ``mean_rank``, by which the choice was made.
    reason : str
        One sentence.
    """

    best: int
    evidence: list[dict[str, Any]]
    reason: str


def choose_n_classes(table: Float, candidates: Iterable[int], seed: int) -> Choice:
    """Choose the number of classes with which K-means fits a sample of pixels best.

    Candidates are ranked by silhouette (highest first), Davies-Bouldin index (lowest) and
    Calinski-Harabasz index (highest). The best mean rank wins; of several the fewest classes.
    Gap statistic and elbow are shown as further evidence and have no vote: the gap is measured
    on at most 2,000 pixels against 5 uniform sets, the others on at most 10,000, fewer where
    there are more than ten bands. Indices are a guide: land cover is rarely a set of separated
    balls.

    Parameters
    ----------
    table : float64 array (pixels, bands)
        In engine space.
    candidates : iterable of int
        Each 2 or more. Those above the number of different pixels are left out.
    seed : int

    Returns
    -------
    Choice

    Raises
    ------
    UsageError
        There is no candidate of 2 or more.

    References
    ----------
    Rousseeuw 1987, doi:10.1016/0377-0427(87)90125-7. Davies and Bouldin 1979,
    doi:10.1109/TPAMI.1979.4766909. Calinski and Harabasz 1974, doi:10.1080/03610927408827101.
    Tibshirani, Walther and Hastie 2001, doi:10.1111/1467-9868.00293.
    """
    wanted = sorted({int(k) for k in candidates})
    if not wanted or wanted[0] < 2:
        raise UsageError(f"classes can be chosen from numbers of 2 or more, not from {wanted}.")
    most = int(MOST_PIXELS * min(1.0, MOST_BANDS / table.shape[1]) ** 0.5)
    table = _at_most(table, most, seed)
    fits = [Fit.of(table, k, seed) for k in wanted if k < len(table)]
    fits = [fit for fit, k in zip(fits, wanted, strict=False) if fit.n_classes == k]
    if not fits:
        return Choice(wanted[0], [], "The sample has too few different spectra to choose from.")
    silhouette = silhouettes(table, [fit.labels for fit in fits])
    bouldin = np.array([davies_bouldin(table, fit) for fit in fits])
    harabasz = np.array([calinski_harabasz(table, fit) for fit in fits])
    rank = (_ranks(-silhouette) + _ranks(bouldin) + _ranks(-harabasz)) / 3
    gaps = gap_statistics(_at_most(table, GAP_PIXELS, seed), [f.n_classes for f in fits], seed)
    elbow = _elbow([fit.n_classes for fit in fits], [fit.inertia for fit in fits])
    evidence = [
        {
            "n_classes": fit.n_classes,
            "inertia": fit.inertia,
            "silhouette": float(silhouette[i]),
            "davies_bouldin": float(bouldin[i]),
            # Infinite when every class is a single spectrum; that is no number in JSON.
            "calinski_harabasz": float(harabasz[i]) if np.isfinite(harabasz[i]) else None,
            "gap": gaps[i][0],
            "gap_se": gaps[i][1],
            "elbow": i == elbow,
            "mean_rank": float(rank[i]),
        }
        for i, fit in enumerate(fits)
    ]
    # Candidates ascend, so the first of the best has the fewest classes.
    chosen = int(rank.argmin())
    best = fits[chosen].n_classes
    reason = (
        f"{best} classes have the best mean rank ({rank[chosen]:.1f} among {len(fits)} "
        f"candidates): silhouette {silhouette[chosen]:.3f}, Davies-Bouldin {bouldin[chosen]:.3f}, "
        f"Calinski-Harabasz {harabasz[chosen]:.0f}."
    )
    return Choice(best, evidence, reason)


@dataclass(frozen=True)
class Fit:
    """A K-means clustering of a table.

    Parameters
    ----------
    centers : float64 array (classes, bands)
    labels : int32 array (pixels,)
    inertia : float
    """

    centers: Float
    labels: NDArray[np.int32]
    inertia: float

    @property
    def n_classes(self) -> int:
        """Classes that have pixels."""
        return len(np.unique(self.labels))

    @classmethod
    def of(cls, table: Float, n_classes: int, seed: int) -> Fit:
        """The best of several runs."""
        centers = best_of(table, n_classes, seed, RESTARTS)
        labels, distance2 = nearest(table, centers)
        return cls(centers, labels, float(distance2.sum()))


def silhouettes(table: Float, labelings: Sequence[NDArray[np.int32]]) -> Float:
    """Mean silhouette of the pixels of a table (pixels, bands) under each labeling."""
    n_classes = max(int(labels.max()) for labels in labelings) + 1
    counts = np.array([np.bincount(labels, minlength=n_classes) for labels in labelings])
    sums = np.zeros(len(labelings))
    kernels.silhouettes(np.ascontiguousarray(table.T), np.array(labelings), counts, sums)
    result: Float = sums / len(table)
    return result


def davies_bouldin(table: Float, fit: Fit) -> float:
    """Mean over classes of the largest (s_i + s_j) / d_ij; s: mean distance to the own mean."""
    count, means = _means(table, fit)
    own = np.sqrt(((table - means[fit.labels]) ** 2).sum(axis=1))
    spread = np.bincount(fit.labels, own, len(means)) / count
    gaps = np.sqrt(((means[:, None, :] - means[None]) ** 2).sum(axis=2))
    np.fill_diagonal(gaps, np.inf)
    return float(((spread[:, None] + spread[None]) / gaps).max(axis=1).mean())


def calinski_harabasz(table: Float, fit: Fit) -> float:
    """Sum of squares between classes over that within them, each by its degrees of freedom."""
    count, means = _means(table, fit)
    n, k = len(table), len(means)
    between = float((count * ((means - table.mean(axis=0)) ** 2).sum(axis=1)).sum())
    within = float(((table - means[fit.labels]) ** 2).sum())
    return between * (n - k) / (within * (k - 1)) if within > 0 else float("inf")


def gap_statistics(
    table: Float, candidates: Sequence[int], seed: int
) -> list[tuple[float | None, float | None]]:
    """Gap and its standard error for each candidate; None where a clustering is perfect.

    The reference sets are uniform over the box of the table (Tibshirani et al. 2001, variant a).
    """
    rng = np.random.default_rng(seed)
    low, high = table.min(axis=0), table.max(axis=0)
    uniform = [low + (high - low) * rng.random(table.shape) for _ in range(REFERENCES)]
    found: list[tuple[float | None, float | None]] = []
    for k in candidates:
        own = _inertia(table, k, seed)
        expected = np.array([_inertia(reference, k, seed) for reference in uniform])
        if own > 0 and (expected > 0).all():
            logs = np.log(expected)
            error = float(logs.std()) * np.sqrt(1 + 1 / REFERENCES)
            found.append((float(logs.mean() - np.log(own)), float(error)))
        else:
            found.append((None, None))
    return found


def _inertia(table: Float, n_classes: int, seed: int) -> float:
    start = plus_plus(table, n_classes, np.random.default_rng(seed))
    return lloyd(table, start, max_iter=25)[2]


def _means(table: Float, fit: Fit) -> tuple[NDArray[np.int64], Float]:
    count = np.bincount(fit.labels, minlength=len(fit.centers))
    sums = [np.bincount(fit.labels, column, len(fit.centers)) for column in table.T]
    means: Float = np.stack(sums, axis=1) / count[:, None]
    return count, means


def _elbow(n_classes: Sequence[int], inertia: Sequence[float]) -> int | None:
    """Index of the point farthest below the chord of the curve; None for fewer than three."""
    if len(inertia) < 3:
        return None
    ends = [n_classes[0], n_classes[-1]], [inertia[0], inertia[-1]]
    return int((np.interp(n_classes, *ends) - inertia).argmax())


def _ranks(values: Float) -> Float:
    """Ranks from 1, the smallest first; equal values share the best of their ranks."""
    below: Float = np.searchsorted(np.sort(values), values).astype(np.float64)
    return below + 1.0


def _at_most(table: Float, n: int, seed: int) -> Float:
    if len(table) <= n:
        return table
    return table[np.sort(np.random.default_rng(seed).choice(len(table), n, replace=False))]
