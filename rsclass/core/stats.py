"""Signatures: how many pixels a class has, and how they lie in spectral space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core import kernels
from rsclass.core.exact import Sum
from rsclass.core.types import Band, Block, Float, Labels

LARGEST_COVARIANCE = 2**23
"""Above this many numbers (classes x bands x bands) only variances are kept."""


@dataclass(frozen=True)
class ClassStats:
    """The signatures of all classes of a map.

    Parameters
    ----------
    bands : tuple of Band
    count : int64 array (classes,)
        Pixels.
    mean : float64 array (classes, bands)
        In physical units; NaN for a class without pixels.
    covariance : float64 array (classes, bands, bands)
        With divisor n - 1, in squared physical units; NaN for fewer than two pixels.
    """

    bands: tuple[Band, ...]
    count: NDArray[np.int64]
    mean: Float
    covariance: Float

    @property
    def std(self) -> Float:
        """Standard deviation (classes, bands) in physical units."""
        variance: Float = np.diagonal(self.covariance, axis1=1, axis2=2)
        return np.sqrt(variance)


@dataclass(frozen=True)
class ClassTally:
    """What is added up over blocks to form :class:`ClassStats`.

    Parameters
    ----------
    count : int64 array (classes,)
    sums : Sum (classes, bands)
        Of stored values minus ``origin``.
    products : Sum (classes, bands, bands) or (classes, bands)
        Of the same, for each pair of bands (upper triangle) or each band.
    """

    count: NDArray[np.int64]
    sums: Sum
    products: Sum

    def __add__(self, other: ClassTally) -> ClassTally:
        return ClassTally(
            self.count + other.count, self.sums + other.sums, self.products + other.products
        )

    @classmethod
    def of(cls, block: Block, labels: Labels, n_classes: int, origin: Float) -> ClassTally:
        """The tally of one canonical block.

        Parameters
        ----------
        labels : int32 array (height, width)
            From 0; below 0 left out.
        origin : float64 array (bands,)
            A stored value near the middle of each band; only floating-point scenes use it.
        """
        values = block.flat
        integer = is_exact(values.dtype)
        kind = np.int64 if integer else np.float64
        start = np.zeros(block.n_bands, dtype=kind) if integer else origin
        count = np.zeros(n_classes, dtype=np.int64)
        sums = np.zeros((n_classes, block.n_bands), dtype=kind)
        flat = np.ascontiguousarray(labels).reshape(-1)
        full = n_classes * block.n_bands**2 <= LARGEST_COVARIANCE
        products = np.zeros((*sums.shape, block.n_bands) if full else sums.shape, dtype=kind)
        if full and integer:
            kernels.exact_scatter_tally(values, flat, count, sums, products)
        else:
            tally = kernels.scatter_tally if full else kernels.variance_tally
            tally(values, flat, start, count, sums, products)
        return cls(count, Sum(sums), Sum(products))

    def finish(self, bands: tuple[Band, ...], origin: Float) -> ClassStats:
        """Means and covariances in physical units."""
        gain = np.array([b.gain for b in bands])
        offset = np.array([b.offset for b in bands])
        n_classes, n_bands = len(self.count), len(bands)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = self.sums.as_float() / self.count[:, None]
            products = self.products.as_float()
            ratio = (1.0 / (self.count - 1).astype(np.float64)) * np.where(
                self.count > 1, 1.0, np.nan
            )
            n = self.count.astype(np.float64)
            if products.ndim == 3:
                upper = (products - n[:, None, None] * mean[:, :, None] * mean[:, None, :]) * ratio[
                    :, None, None
                ]
                upper = np.triu(upper)
                covariance = upper + np.transpose(np.triu(upper, 1), (0, 2, 1))
            else:
                variance = (products - n[:, None] * mean**2) * ratio[:, None]
                covariance = np.full((n_classes, n_bands, n_bands), np.nan)
                covariance[:, np.arange(n_bands), np.arange(n_bands)] = variance
        diagonal = np.arange(n_bands)
        covariance[:, diagonal, diagonal] = np.maximum(covariance[:, diagonal, diagonal], 0.0)
        covariance *= gain[:, None] * gain[None, :]
        start = np.zeros(n_bands) if self.sums.exact else origin
        return ClassStats(bands, self.count, (mean + start) * gain + offset, covariance)


def tally_bytes(n_classes: int, n_bands: int) -> int:
    """Memory of one :class:`ClassTally`."""
    numbers = n_classes * n_bands**2
    # Two limbs each.
    return 16 * (numbers if numbers <= LARGEST_COVARIANCE else n_classes * n_bands)


def is_exact(dtype: np.dtype[Any]) -> bool:
    """Whether sums over pixels of this type are formed in whole numbers: up to 16 bits."""
    return dtype.kind in "iu" and dtype.itemsize <= 2
