"""From physical values to the numbers a network takes, and back to what an illumination does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core import kernels
from rsclass.core.components import covariance, principal_axes
from rsclass.core.types import Block, Float, Sample

__all__ = ["WIDEST", "Scaling"]

_REACH = 4.0  # scaled values are cut here: one 2-98 % range beyond the mean
WIDEST = 12  # more bands than this are projected to as many components


@dataclass(frozen=True, slots=True)
class Scaling:
    """A fixed linear map from physical values to network inputs.

    An input is ``projection @ clip((x - center) / scale, -4, 4)``.

    Parameters
    ----------
    center, scale : float64 arrays (bands,)
        Mean of the values cut at their 2 and 98 % percentiles; a quarter of the range between
        them. The scale of a constant band is infinite, so that its inputs are 0.
    projection : float64 array (channels, bands) or None
        Orthogonal rows: principal components of scenes of more than 12 bands.
    """

    center: Float
    scale: Float
    projection: Float | None = None

    @property
    def channels(self) -> int:
        """Inputs of a pixel."""
        return len(self.center if self.projection is None else self.projection)

    @property
    def constant(self) -> NDArray[np.int64]:
        """Indices of the bands that hold one value only."""
        return np.flatnonzero(~np.isfinite(self.scale))

    @classmethod
    def of_sample(cls, sample: Sample) -> Scaling:
        """The scaling that suits the pixels of ``sample``."""
        X = sample.values
        low, high = np.percentile(X, [2, 98], axis=0)
        center = np.clip(X, low, high).mean(axis=0)
        spread = np.where(high > low, (high - low) / 4, X.std(axis=0))
        varies = X.max(axis=0) > X.min(axis=0)
        scale = np.where(varies & (spread > 0), spread, np.inf)
        if X.shape[1] <= WIDEST:
            return cls(center, scale)
        Z = np.clip((X - center) / scale, -_REACH, _REACH)
        return cls(center, scale, _components(Z, WIDEST))

    def inputs(self, block: Block) -> NDArray[np.float32]:
        """Network inputs (channels, height, width) of a block; 0 at invalid pixels."""
        narrow = block.values.dtype.itemsize <= 2 or block.values.dtype == np.float32
        work = np.dtype(np.float32 if narrow else np.float64)
        center = ((self.center - block.offset) / block.gain).astype(work)
        factor = (block.gain / self.scale).astype(work)
        z: NDArray[Any] = block.values.astype(work)
        z -= center[:, None, None]
        z *= factor[:, None, None]
        np.clip(z, -_REACH, _REACH, out=z)
        z = z.astype(np.float32, copy=False)
        z[:, ~block.valid] = 0
        if self.projection is None:
            return z
        projected = np.empty((self.channels, block.valid.size), dtype=np.float32)
        kernels.project(z.reshape(len(z), -1), self.projection.astype(np.float32), projected)
        return projected.reshape(-1, *block.valid.shape)

    def under(self, gain: Float, offset: float, farthest: float = np.inf) -> tuple[Float, Float]:
        """How inputs change when raw values become ``x * (1 + gain) + offset``.

        Parameters
        ----------
        gain : float64 array (bands,)
        offset : float
            Common to all bands, in units of the smallest band scale.
        farthest : float
            In units of a band's scale: the zero that a gain multiplies from is taken to lie no
            farther than this from the center of the band.

        Returns
        -------
        matrix : float64 array (channels, channels)
        shift : float64 array (channels,)
            New inputs are ``matrix @ inputs + shift``.
        """
        raw_offset = offset * self.scale.min() if np.isfinite(self.scale).any() else 0.0
        reach = farthest * self.scale
        moved = (gain * np.clip(self.center, -reach, reach) + raw_offset) / self.scale
        if self.projection is None:
            return np.diag(1 + gain), moved
        P = self.projection
        squared = (P**2).sum(axis=1)
        # Back to bands by the transpose: exact but for what the projection had dropped.
        # einsum without optimize calls no matrix library, whose last bits may change.
        matrix: Float = np.einsum("cb,kb->ck", P * (1 + gain), P / squared[:, None])
        return matrix, np.einsum("cb,b->c", P, moved)


def _components(Z: Float, n: int) -> Float:
    """The first principal axes (n, bands) of Z, scaled to a mean variance of 1."""
    spread = covariance(Z)
    axes = principal_axes(spread, n)
    total = float(np.trace(spread))
    return axes * np.sqrt(n / total) if total > 0 else axes
