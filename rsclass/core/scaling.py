"""The space an engine works in: physical values, or each band brought to a common scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rsclass.core.types import Block, Float

KINDS = ("none", "standard", "robust")


@dataclass(frozen=True)
class Scaling:
    """Engine value = (physical value - center) / scale, band by band.

    Parameters
    ----------
    kind : str
        ``none``; ``standard``, mean and standard deviation; ``robust``, middle and half width
        of the 2 to 98 % range.
    center, scale : float64 arrays (bands,)
        In physical units.
    """

    kind: str
    center: Float
    scale: Float

    @classmethod
    def fit(cls, table: Float, kind: str) -> Scaling:
        """From a pixel table (pixels, bands) of physical values; a constant band keeps scale 1."""
        n_bands = table.shape[1]
        if kind == "none":
            return cls(kind, np.zeros(n_bands), np.ones(n_bands))
        if kind == "standard":
            center, scale = table.mean(axis=0), table.std(axis=0)
        else:
            low, high = np.percentile(table, [2, 98], axis=0)
            center, scale = (low + high) / 2, (high - low) / 2
        # A spread of rounding errors alone must not be blown up to one.
        tiny = 1e-12 * np.maximum(np.abs(center), 1e-300)
        return cls(kind, center, np.where(scale > tiny, scale, 1.0))

    def affine(self, block: Block) -> tuple[Float, Float]:
        """``gain`` and ``offset`` that lead from the block's stored values to engine values."""
        return block.gain / self.scale, (block.offset - self.center) / self.scale

    def forward(self, physical: Float) -> Float:
        """Engine values of a pixel table."""
        return (physical - self.center) / self.scale

    def back(self, engine: Float) -> Float:
        """Physical values of a pixel table."""
        return engine * self.scale + self.center

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {
            "kind": self.kind,
            "center": self.center.tolist(),
            "scale": self.scale.tolist(),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Scaling:
        """From what :meth:`to_dict` gave."""
        return cls(values["kind"], np.array(values["center"]), np.array(values["scale"]))
