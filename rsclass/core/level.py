"""The level of a scene: where the values of each band lie, and how far they spread.

Scenes of other days and other air differ in gain and offset of each band. Brought to one level,
mean and spread are alike, and with them what classes look like: a linear change band by band, the
simplest relative normalization (Schott, Salvaggio, Volchok 1988, Radiometric scene normalization
using pseudoinvariant features, Remote Sensing of Environment 26,
doi:10.1016/0034-4257(88)90116-2, of which this is the form without chosen features). It presumes
that the scenes show much the same land.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rsclass.core.types import Band, Float, Sample

__all__ = ["PIXELS", "Level"]

PIXELS = 100_000
"""Pixels from which a level is worked out."""


@dataclass(frozen=True, slots=True)
class Level:
    """Mean and standard deviation of the values of each band, cut at their 2 and 98 % points.

    Parameters
    ----------
    mean, spread : float64 arrays (bands,)
        In physical units.
    """

    mean: Float
    spread: Float

    @classmethod
    def of(cls, sample: Sample) -> Level:
        """Of the pixels of a sample."""
        low, high = np.percentile(sample.values, [2, 98], axis=0)
        inner = np.clip(sample.values, low, high)
        return cls(inner.mean(axis=0), inner.std(axis=0))

    def brought_to(self, other: Level, bands: Sequence[Band]) -> tuple[Band, ...]:
        """The bands with gain and offset such that their values have the level of ``other``."""
        both = (self.spread > 0) & (other.spread > 0)
        ratio = np.where(both, other.spread / np.where(both, self.spread, 1.0), 1.0)
        return tuple(
            replace(
                band,
                gain=float(band.gain * ratio[i]),
                offset=float((band.offset - self.mean[i]) * ratio[i] + other.mean[i]),
            )
            for i, band in enumerate(bands)
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {"mean": self.mean.tolist(), "spread": self.spread.tolist()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Level:
        """From what :meth:`to_dict` gave."""
        return cls(np.array(values["mean"]), np.array(values["spread"]))
