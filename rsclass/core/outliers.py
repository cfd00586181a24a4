"""Training pixels and features that do not look like the rest of their class.

Within a class of n normal pixels in B bands, the squared Mahalanobis distance d2 of each to their
own mean and covariance follows ``(n - 1)^2 / n Beta(B / 2, (n - B - 1) / 2)`` (Gnanadesikan and
Kettenring 1972, Biometrics 28, doi:10.2307/2528963), and that of a further pixel follows
``(n^2 - 1) B / (n (n - B)) F(B, n - B)`` (Hotelling 1931, doi:10.1214/aoms/1177732979). Both tend
to the chi-square distribution of B degrees of freedom as n grows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, fdtri

from rsclass.core.covariance import invertible
from rsclass.core.signatures import class_stats
from rsclass.core.stats import ClassStats
from rsclass.core.training import TrainingSet
from rsclass.core.types import Band, Float, Mask

__all__ = ["ALONE", "RARE", "Apart", "Outliers", "find_outliers"]

RARE = 0.001
"""Share of a normal class's own pixels that lie beyond the limit."""

ALONE = 0.5
"""Share of a feature's pixels beyond the limit from which it is told."""

_NEGLIGIBLE = 0.01  # share of a class below which a feature does not shape its statistics


@dataclass(frozen=True, slots=True)
class Apart:
    """A feature most of whose pixels are unlike the rest of its class.

    Parameters
    ----------
    feature : int
        Its number in the training set.
    of_class, like : int
        Its class, and the class under whose normal distribution its pixels are likeliest.
    share : float
        Of its pixels, those beyond the limit for further pixels of the class.
    """

    feature: int
    of_class: int
    like: int
    share: float


@dataclass(frozen=True)
class Outliers:
    """What is unlike the rest of its class.

    Parameters
    ----------
    pixels : bool array (pixels,)
        Beyond the limit for pixels of their own class.
    features : tuple of Apart
        Those first that are more like another class, then by share.
    untested : tuple of int
        Classes with too few pixels for a test.
    """

    pixels: Mask
    features: tuple[Apart, ...]
    untested: tuple[int, ...]


def find_outliers(training: TrainingSet) -> Outliers:
    """Test every pixel and every feature against its class.

    A feature is compared with the class without it, so that a mislabelled one cannot hide behind
    its own weight.
    """
    bands = tuple(Band(str(b)) for b in range(training.values.shape[1]))
    whole = class_stats(training.values, training.classes, training.n_classes, bands)
    normals = [
        _normal(int(n), mean, covariance)
        for n, mean, covariance in zip(whole.count, whole.mean, whole.covariance, strict=True)
    ]
    odd: Mask = np.zeros(len(training), np.bool_)
    found: list[Apart] = []
    for number, normal in enumerate(normals):
        if normal is None:
            continue
        mine = np.flatnonzero(training.classes == number)
        squared = normal.squared(training.values[mine])
        odd[mine] = squared > normal.own_limit
        beyond = squared > normal.further_limit
        order = np.argsort(training.features[mine], kind="stable")
        starts = np.flatnonzero(np.diff(training.features[mine][order], prepend=-1))
        for at in np.split(order, starts[1:]):
            rest, share = normal, float(beyond[at].mean())
            pixels = training.values[mine[at]]
            if len(at) >= _NEGLIGIBLE * normal.n:
                candidate = _without(whole, number, class_stats(pixels, _all_alike(at), 1, bands))
                if candidate is None:
                    continue
                rest = candidate
                share = float((rest.squared(pixels) > rest.further_limit).mean())
            if share > ALONE:
                others = [*normals[:number], rest, *normals[number + 1 :]]
                feature = int(training.features[mine[at[0]]])
                found.append(Apart(feature, number, _likeliest(pixels, others), share))
    untested = tuple(i for i, normal in enumerate(normals) if normal is None)
    found.sort(key=lambda apart: (apart.like == apart.of_class, -apart.share, apart.feature))
    return Outliers(odd, tuple(found), untested)


@dataclass(frozen=True)
class _Normal:
    """A normal distribution that was estimated from ``n`` pixels."""

    n: int
    bands: NDArray[np.intp]
    mean: Float
    lower: Float
    scale: Float

    def squared(self, table: Float) -> Float:
        """Squared Mahalanobis distance (pixels,)."""
        white = np.linalg.solve(self.lower, (table[:, self.bands] / self.scale - self.mean).T)
        result: Float = (white**2).sum(axis=0)
        return result

    def likelihood(self, table: Float) -> float:
        """Logarithm of the likelihood of all pixels, but for a constant."""
        size = float(np.log(np.diagonal(self.lower) * self.scale).sum())
        return float(-0.5 * self.squared(table).sum() - size * len(table))

    @property
    def own_limit(self) -> float:
        """Beyond which RARE of the pixels lie that it was estimated from."""
        n, b = self.n, len(self.bands)
        return float((n - 1) ** 2 / n * betaincinv(b / 2, (n - b - 1) / 2, 1 - RARE))

    @property
    def further_limit(self) -> float:
        """Beyond which RARE of further pixels lie."""
        n, b = self.n, len(self.bands)
        return float((n * n - 1) * b / (n * (n - b)) * fdtri(b, n - b, 1 - RARE))


def _normal(n: int, mean: Float, covariance: Float) -> _Normal | None:
    """None for a class whose pixels do not fill its bands, or do not vary."""
    if n <= mean.shape[0] + 1:
        return None
    found = invertible(mean[None], covariance[None], np.array([n]), ("",))
    if len(found.bands) == 0:
        return None
    lower = np.linalg.cholesky(found.covariance[0])
    return _Normal(n, found.bands, found.mean[0], lower, found.scale)


def _without(whole: ClassStats, number: int, part: ClassStats) -> _Normal | None:
    """A class without the pixels of one feature."""
    n, n_part = int(whole.count[number]), int(part.count[0])
    rest = n - n_part
    if rest < 2:
        return None
    apart = part.mean[0] - whole.mean[number]
    inner = (n_part - 1) * part.covariance[0] if n_part > 1 else 0.0
    scatter = (
        (n - 1) * whole.covariance[number] - inner - n * n_part / rest * np.outer(apart, apart)
    )
    return _normal(rest, whole.mean[number] - n_part / rest * apart, scatter / (rest - 1))


def _all_alike(at: NDArray[np.intp]) -> NDArray[np.int32]:
    return np.zeros(len(at), np.int32)


def _likeliest(pixels: Float, normals: Sequence[_Normal | None]) -> int:
    likelihood = [-np.inf if one is None else one.likelihood(pixels) for one in normals]
    return int(np.argmax(likelihood))
