"""What is done to the bands of a scene before any classifier sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rsclass.core.bilateral import PASSES, SPREAD, bilateral, reach
from rsclass.core.grid import split
from rsclass.core.scaling import Scaling
from rsclass.core.types import Block, Float, Window
from rsclass.core.views import SETS, Views, physical

__all__ = ["Preparation"]

_TILE = 128  # pixels a side that are worked on at once


@dataclass(frozen=True)
class Preparation:
    """Bands become views, or stay bands; both may be smoothed.

    Parameters
    ----------
    views : Views or None
        Of one set; None: the bands themselves.
    scaling : Scaling
        Of the bands, in which they are smoothed.
    distance : float
        Median distance of two neighbors there.
    passes : int
        Of the bilateral filter; 0: none.
    """

    views: Views | None
    scaling: Scaling
    distance: float
    passes: int

    @classmethod
    def of(cls, table: Float, neighbors: Float, *, views: bool, smooth: bool) -> Self:
        """What suits a scene.

        Parameters
        ----------
        table : float64 array (pixels, bands)
        neighbors : float64 array (2, pairs, bands)
            As for :meth:`rsclass.core.views.Views.of`.
        """
        passes = PASSES if smooth else 0
        scaling = Scaling.fit(table, "standard")
        if views:
            made = Views.of(table, neighbors, SETS[:1])
            return cls(made, scaling, made.sets[0].spread, passes)
        here, there = (scaling.forward(side) for side in neighbors)
        distances = np.sqrt(((here - there) ** 2).sum(axis=1))
        return cls(None, scaling, float(np.median(distances)) if len(distances) else 0.0, passes)

    @property
    def halo(self) -> int:
        """Pixels of context needed on each side."""
        return reach(self.passes)

    def __call__(self, block: Block, core: Window) -> Block:
        """The prepared pixels of ``core``, as float32; invalid ones stay invalid.

        ``block`` covers ``core`` and ``halo`` pixels around it, cut at the scene.
        """
        parts = [(tile, self._tile(block, tile)) for tile in split(core, _TILE)]
        n = len(parts[0][1])
        values = np.empty((n, core.height, core.width), dtype=np.float32)
        for tile, image in parts:
            values[(slice(None), *tile.inside(core))] = image
        valid = np.ascontiguousarray(block.valid[core.inside(block.window)])
        return Block(core, values, valid, np.ones(n), np.zeros(n))

    def _tile(self, block: Block, tile: Window) -> NDArray[np.float32]:
        seen = block.cut(tile.around(self.halo, block.window))
        if self.views is not None:
            image = self.views(seen)[0]
        else:
            scaled = (physical(seen) - self._center) / self._scale
            image = scaled.astype(np.float32, copy=False).reshape(-1, *seen.valid.shape)
        if self.passes:
            image = bilateral(image, seen.valid, SPREAD * self.distance, self.passes)
        image = image[(slice(None), *tile.inside(seen.window))]
        if self.views is None:
            image = (image * self._scale[:, :, None] + self._center[:, :, None]).astype(np.float32)
        return image

    @property
    def _center(self) -> Float:
        return self.scaling.center[:, None]

    @property
    def _scale(self) -> Float:
        return self.scaling.scale[:, None]

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What must be kept: a JSON-able card and named arrays."""
        card = {
            "scaling": self.scaling.to_dict(),
            "distance": self.distance,
            "passes": self.passes,
            "sets": None,
        }
        if self.views is None:
            return card, {}
        of_views, arrays = self.views.state()
        return card | of_views, arrays

    @classmethod
    def restored(cls, card: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Self:
        """From what :meth:`state` gave; a KeyError or the like says that it cannot be."""
        views = None if card["sets"] is None else Views.restored(card, arrays)
        scaling = Scaling.from_dict(card["scaling"])
        return cls(views, scaling, float(card["distance"]), int(card["passes"]))
