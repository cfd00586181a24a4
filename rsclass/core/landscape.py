"""Where which surface lies in a river plain, as a satellite sees it.

A layout paints surfaces over each other, the ground first. It is a function of the position, so
any part of the plane can be asked for, at any resolution.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rsclass.core.placefield import Whole, bricks, discs, fractal, smooth, uniform
from rsclass.core.surfaces import Palette
from rsclass.core.types import Float, Mask


class Ground(NamedTuple):
    """What lies at every place.

    Parameters
    ----------
    surface : uint8 array
        Index into the palette's surfaces.
    parcel : int64 array (2, ...)
        Number of the field or plot: course, and place in the course.
    shade : float64 array or None
        Share of the sunlight that arrives, where something casts a shadow.
    """

    surface: NDArray[np.uint8]
    parcel: Whole
    shade: Float | None = None


class Canvas:
    """Paints surfaces over each other and leaves out those of classes that are not wanted."""

    def __init__(self, palette: Palette, shape: tuple[int, ...], covers: Collection[str]) -> None:
        self.palette = palette
        self.covers = covers
        self.surface: NDArray[np.uint8] = np.zeros(shape, dtype=np.uint8)

    def paint(self, name: str, where: Mask) -> None:
        """Put the surface ``name`` on top, ``where`` true."""
        index = self.palette.index(name)
        if self.palette.surfaces[index].cover in self.covers:
            self.surface[where] = index


def river_plain(y: Float, x: Float, seed: int, palette: Palette, covers: Collection[str]) -> Ground:
    """Fields, pastures, forests, towns with streets, a river with gravel bars, and lakes.

    Parameters
    ----------
    y, x : float64 arrays (height, 1) and (1, width)
        Position in units of ten metres.
    seed : int
    palette : Palette
    covers : collection of str
        The land-cover classes to paint.
    """
    canvas = Canvas(palette, np.broadcast_shapes(y.shape, x.shape), covers)
    canvas.paint("dry meadow", fractal(y, x, 45.0, seed + 1) > 0.5)

    # Fields are long and lie askew, as the land was parcelled out.
    along = 0.96 * x + 0.28 * y + 3.0 * smooth(y, x, 60.0, seed + 2)
    across = 0.96 * y - 0.28 * x + 3.0 * smooth(y, x, 60.0, seed + 3)
    field = bricks(across, along, 13.0, 26.0, seed + 4)
    parcel = np.stack([field.row, field.col])
    crop = uniform(field.row, field.col, seed + 6)
    field_y = 13.0 * field.row.astype(np.float64)
    field_x = 26.0 * field.col.astype(np.float64)
    fertile = fractal(field_y, field_x, 130.0, seed + 7, octaves=2)
    arable = (fertile > -0.25) & (field.edge > 0.35)
    canvas.paint("green crop", arable & (crop < 0.16))
    canvas.paint("ripe crop", arable & (crop >= 0.16) & (crop < 0.66))
    canvas.paint("soil", arable & (crop >= 0.66) & (crop < 0.84))

    wood = fractal(y, x, 85.0, seed + 8, octaves=4)
    canvas.paint("broadleaf", wood > 0.16)
    canvas.paint("conifer", (wood > 0.16) & (fractal(y, x, 50.0, seed + 9) > 0.3))

    _paint_towns(canvas, y, x, seed + 20)
    _paint_waters(canvas, y, x, seed + 40)
    return Ground(canvas.surface, parcel)


def _paint_towns(canvas: Canvas, y: Float, x: Float, seed: int) -> None:
    """One town in each square of 240 units, denser in the middle."""
    ragged_y: Float = y + 9.0 * fractal(y, x, 30.0, seed)
    ragged_x: Float = x + 9.0 * fractal(y, x, 30.0, seed + 1)
    center = discs(ragged_y - 50.0, ragged_x - 60.0, 240.0, 48.0, 1.0, seed + 2, stray=0.25)
    town = center > 0.0
    block = bricks(y + 4.0 * smooth(y, x, 40.0, seed + 3), x + 0.2 * y, 7.0, 9.0, seed + 4, 0.4)
    plot = bricks(block.down + 90.0 * block.row, block.right + 90.0 * block.col, 1.9, 1.7, seed + 5)
    material = uniform(plot.row, plot.col, seed + 7)
    canvas.paint("garden", town)
    canvas.paint("tile roof", town & (material < 0.33 + 0.25 * center))
    canvas.paint("bright roof", town & (material < 0.03 + 0.20 * center))
    canvas.paint("asphalt", town & (block.edge < 0.5))


def _paint_waters(canvas: Canvas, y: Float, x: Float, seed: int) -> None:
    """A river from north to south in each strip of 480 units, and a lake here and there."""
    lake = discs(
        y + 5.0 * fractal(y, x, 22.0, seed), x + 5.0 * fractal(y, x, 22.0, seed + 1),
        110.0, 15.0, 0.45, seed + 2,
    )  # fmt: skip
    canvas.paint("deep water", lake > 0.0)
    strip = np.floor((x + 160.0) / 480.0)
    bed = 240.0 + 60.0 * smooth(y, strip * 9973.0, 90.0, seed + 5)
    bed = bed + 14.0 * smooth(y, strip * 9973.0, 28.0, seed + 6)
    off = x + 160.0 - 480.0 * strip - bed
    width = 3.4 + 1.2 * smooth(y, strip * 9973.0, 25.0, seed + 7)
    bar = smooth(y, x, 16.0, seed + 8)
    canvas.paint("gravel bar", (np.abs(off) < width + 3.6) & (bar > 0.25))
    canvas.paint("turbid water", np.abs(off) < width)
    canvas.paint("gravel bar", (np.abs(off) < 0.7 * width) & (bar > 0.68))
