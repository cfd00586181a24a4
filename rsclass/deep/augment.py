"""Random views of a tile: turns that move the labels too, and changes of illumination.

No change of color ratios: they are what tells land covers apart. A gain is that of light only where
zero is dark; for kelvin, meters or counts with a pedestal it would be a shift that drowns the
contrast. So a gain shifts a band by a bounded part of its own range.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rsclass.deep.scaling import Scaling

__all__ = ["Augmentation", "turn", "turn_back"]


def turn(images: NDArray[np.generic], how: int) -> NDArray[np.generic]:
    """One of the eight symmetries of the square on the last two axes: quarter turns, a flip."""
    turned = np.rot90(images, how % 4, axes=(-2, -1))
    return turned[..., ::-1] if how >= 4 else turned


def turn_back(images: NDArray[np.generic], how: int) -> NDArray[np.generic]:
    """Undo ``turn``."""
    unflipped = images[..., ::-1] if how >= 4 else images
    return np.rot90(unflipped, -(how % 4), axes=(-2, -1))


_MOST_SHIFT = 1.0  # in band scales, each a quarter of the 2-98 % range: half of its half width


@dataclass(frozen=True, slots=True)
class Augmentation:
    """The family of random transforms of one run.

    Parameters
    ----------
    scaling : Scaling
        Knows how a change of raw values changes the inputs.
    gain, offset : float
        Standard deviations of a gain and an offset common to all bands, in raw units before the
        scaling; the offset in units of the smallest band scale.
    band_gain : float
        Standard deviation of independent gains of the bands.
    noise : float
        Standard deviation of noise added to the inputs.
    turns : bool
        Flip and turn.
    """

    scaling: Scaling
    gain: float = 0.05
    offset: float = 0.05
    band_gain: float = 0.015
    noise: float = 0.05
    turns: bool = True

    def stronger(self, factor: float) -> Augmentation:
        """The same transforms with changes of light and noise ``factor`` times as large."""
        return replace(
            self,
            gain=factor * self.gain,
            offset=factor * self.offset,
            band_gain=factor * self.band_gain,
            noise=factor * self.noise,
        )

    @property
    def farthest(self) -> float:
        """Band scales from a band's center to the zero of its gain, at most.

        One standard deviation of the gain then shifts no band by more than half of the half width
        of its 2-98 % range. With the default gain that is the zero of every band whose center is
        less than 19 scales (4.8 ranges) away from it, as those of reflectances are.
        """
        deviation = math.hypot(self.gain, self.band_gain)
        return _MOST_SHIFT / deviation if deviation > 0 else math.inf

    def draw_turns(self, n: int, square: bool, rng: np.random.Generator) -> NDArray[np.int64]:
        """One symmetry for each of ``n`` tiles; quarter turns only where tiles are square."""
        if not self.turns:
            return np.zeros(n, dtype=np.int64)
        allowed = np.arange(8) if square else np.array([0, 2, 4, 6])
        return rng.choice(allowed, size=n)

    def illuminate(
        self, inputs: NDArray[np.float32], rng: np.random.Generator
    ) -> NDArray[np.float32]:
        """Inputs (tiles, channels, h, w) as they were under other light, atmosphere and noise."""
        n = len(inputs)
        bands = len(self.scaling.center)
        common = rng.normal(0, 1, (n, 1)) * self.gain
        gains = common + rng.normal(0, 1, (n, bands)) * self.band_gain
        offsets = rng.normal(0, 1, n) * self.offset
        farthest = self.farthest
        seen = np.empty_like(inputs)
        for tile, (gain, offset) in enumerate(zip(gains, offsets, strict=True)):
            matrix, shift = self.scaling.under(gain, float(offset), farthest)
            if self.scaling.projection is None:
                moved = inputs[tile] * np.diag(matrix).astype(np.float32)[:, None, None]
            else:
                # einsum without optimize calls no matrix library: the same bits everywhere
                moved = np.einsum("ij,jhw->ihw", matrix.astype(np.float32), inputs[tile])
            seen[tile] = moved + shift.astype(np.float32)[:, None, None]
        if self.noise:
            seen += rng.standard_normal(seen.shape, dtype=np.float32) * np.float32(self.noise)
        return seen
