"""How well classes can be told apart, from their Gaussian signatures.

With means m, covariances S and ``dm = m1 - m2``:

===============  ================================================================================
measure          formula
===============  ================================================================================
euclid           ``|dm|``, physical units
angle            angle between m1 and m2, degrees (Kruse et al. 1993, Remote Sensing of
                 Environment 44, doi:10.1016/0034-4257(93)90013-N)
mahalanobis      ``sqrt(dm' P^-1 dm)`` with ``P = (S1 + S2) / 2``
bhattacharyya    ``B = dm' P^-1 dm / 8 + ln(|P| / sqrt(|S1| |S2|)) / 2`` (Bhattacharyya 1943,
                 Bulletin of the Calcutta Mathematical Society 35)
jm               Jeffries-Matusita distance ``2 (1 - e^-B)``, 0 to 2: the convention of Richards
                 and Jia (Remote Sensing Digital Image Analysis, doi:10.1007/3-540-29711-1)
jm-root          ``sqrt(2 (1 - e^-B))``, 0 to 1.414: the other convention of the same name
divergence       ``D = dm' (S1^-1 + S2^-1) dm / 2 + tr(S1^-1 S2 + S2^-1 S1 - 2 I) / 2`` (Swain
                 and Davis 1978, Remote Sensing: The Quantitative Approach)
td               transformed divergence ``2 (1 - e^(-D/8))``, 0 to 2
===============  ================================================================================

Where the covariances are equal, D = 8 B and the transformed divergence is the Jeffries-Matusita
distance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsclass.core.cholesky import factor, inverse, log_determinant
from rsclass.core.covariance import Invertible, invertible
from rsclass.core.types import Float

__all__ = ["Separability", "confusion_bounds", "jeffries_matusita", "separability"]


@dataclass(frozen=True, slots=True)
class Separability:
    """Every measure between all classes.

    Parameters
    ----------
    tables : dict of str to float64 array (classes, classes)
        By the keys of :data:`rsclass.core.measures.MEASURES`; symmetric, 0 on the diagonal, NaN
        where unknown.
    notes : tuple of str
        Classes whose covariance had to be changed or is unknown.
    """

    tables: dict[str, Float]
    notes: tuple[str, ...]


def separability(
    mean: Float, covariance: Float, count: NDArray[np.int64], names: Sequence[str]
) -> Separability:
    """Every measure of :data:`rsclass.core.measures.MEASURES` between all classes.

    Parameters
    ----------
    mean : float64 array (classes, bands)
        Physical units; NaN for a class without pixels.
    covariance : float64 array (classes, bands, bands)
        Divisor n - 1; NaN where unknown. See :func:`rsclass.core.covariance.invertible` for what is
        done where one is nearly singular.
    count : int64 array (classes,)
        Pixels.
    names : sequence of str
        Of the classes, for the notes.
    """
    mean = np.asarray(mean, np.float64)
    gaussians = invertible(mean, covariance, count, names)
    squared, logarithm, divergence = _by_covariance(gaussians)
    bhattacharyya = np.maximum(squared / 8 + logarithm / 2, 0.0)
    jm = _jeffries_matusita(bhattacharyya)
    tables = {
        "jm": jm,
        "jm-root": np.sqrt(jm),
        "bhattacharyya": bhattacharyya,
        "td": -2 * np.expm1(-divergence / 8),
        "divergence": divergence,
        "mahalanobis": np.sqrt(squared),
        "euclid": _pairs(mean, _distance),
        "angle": _pairs(mean, _angle),
    }
    return Separability(tables, gaussians.notes)


def jeffries_matusita(mean: Float, covariance: Float) -> Float:
    """The measure ``jm`` alone, summed in one fixed order: what a model holds may hang on it.

    Parameters
    ----------
    mean : float64 array (classes, bands)
    covariance : float64 array (classes, bands, bands)
        None of them nearly singular; see :func:`rsclass.core.signatures.regular`.

    Returns
    -------
    float64 array (classes, classes)

    Raises
    ------
    ValueError
        A covariance is nearly singular.
    """
    size = [log_determinant(_factored(one)) for one in covariance]
    bhattacharyya = np.zeros((len(mean), len(mean)))
    for i in range(len(mean)):
        for j in range(i):
            lower = _factored((covariance[i] + covariance[j]) / 2)
            white = (inverse(lower) * (mean[i] - mean[j])).sum(axis=1)
            logarithm = log_determinant(lower) - (size[i] + size[j]) / 2
            distance = float((white**2).sum()) / 8 + logarithm / 2
            bhattacharyya[i, j] = bhattacharyya[j, i] = max(distance, 0.0)
    return _jeffries_matusita(bhattacharyya)


def _jeffries_matusita(bhattacharyya: Float) -> Float:
    distance: Float = -2 * np.expm1(-bhattacharyya)
    return distance


def _factored(covariance: Float) -> Float:
    lower = factor(covariance)
    if lower is None:
        raise ValueError("a covariance is nearly singular")
    return lower


def confusion_bounds(bhattacharyya: float) -> tuple[float, float]:
    """Least and greatest share of pixels that the best classifier confuses, both classes alike.

    Of two equally frequent classes: ``(1 - sqrt(1 - e^-2B)) / 2`` and ``e^-B / 2`` (Kailath 1967,
    IEEE Transactions on Communication Technology 15, doi:10.1109/TCOM.1967.1089532).
    """
    overlap = float(np.exp(-bhattacharyya))
    return (1 - (1 - overlap**2) ** 0.5) / 2, overlap / 2


def _by_covariance(gaussians: Invertible) -> tuple[Float, Float, Float]:
    """Squared Mahalanobis distance, log-determinant ratio and divergence between all classes."""
    n = len(gaussians.mean)
    tables = np.full((3, n, n), np.nan)
    tables[:, np.arange(n), np.arange(n)] = np.where(gaussians.known, 0.0, np.nan)
    known = np.flatnonzero(gaussians.known)
    mean, covariance = gaussians.mean[known], gaussians.covariance[known]
    size = _log_determinant(covariance)
    inverse: Float = np.linalg.inv(covariance).astype(np.float64)
    for i in range(len(known) - 1):
        rest = slice(i + 1, None)
        apart = mean[rest] - mean[i]
        between = (covariance[rest] + covariance[i]) / 2
        white = np.linalg.solve(between, apart[:, :, None])[:, :, 0]
        squared = np.maximum((apart * white).sum(axis=1), 0.0)
        logarithm = _log_determinant(between) - (size[rest] + size[i]) / 2
        both = inverse[rest] + inverse[i]
        spread = _trace(inverse[i][None], covariance[rest]) + _trace(inverse[rest], covariance[i])
        far = np.einsum("kb,kbc,kc->k", apart, both, apart)
        divergence = np.maximum((far + spread) / 2 - mean.shape[1], 0.0)
        for table, values in zip(tables, (squared, logarithm, divergence), strict=True):
            table[known[i], known[rest]] = table[known[rest], known[i]] = values
    return tables[0], tables[1], tables[2]


def _log_determinant(covariance: Float) -> Float:
    """Of every matrix."""
    diagonal = np.diagonal(np.linalg.cholesky(covariance), axis1=1, axis2=2)
    total: Float = 2 * np.log(diagonal).sum(axis=1)
    return total


def _trace(one: Float, other: Float) -> Float:
    """Of the product of symmetric matrices."""
    total: Float = (one * other).sum(axis=(1, 2))
    return total


def _pairs(mean: Float, measure: Callable[[Float, Float], Float]) -> Float:
    table = np.zeros((len(mean), len(mean)))
    for i in range(len(mean)):
        table[i, i + 1 :] = table[i + 1 :, i] = measure(mean[i + 1 :], mean[i])
        table[i, i] = 0.0 if np.isfinite(mean[i]).all() else np.nan
    return table


def _distance(means: Float, mean: Float) -> Float:
    result: Float = np.sqrt(((means - mean) ** 2).sum(axis=1))
    return result


def _angle(means: Float, mean: Float) -> Float:
    """In degrees; from the half angle, which keeps its digits where directions almost agree."""
    with np.errstate(invalid="ignore", divide="ignore"):
        one = means / np.sqrt((means**2).sum(axis=1))[:, None]
        other = mean / np.sqrt((mean**2).sum())
        sine = np.sqrt(((one - other) ** 2).sum(axis=1)) / 2
    result: Float = np.degrees(2 * np.arcsin(np.minimum(sine, 1.0)))
    return result
