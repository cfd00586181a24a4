"""Features laid over the pixels of a scene: which pixel belongs to which feature."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import rasterize
from shapely.geometry import mapping

from rsclass.core.grid import TileGrid, split
from rsclass.core.types import Float, Labels, Mask, Window
from rsclass.io.placing import without_placing_warnings

NO_FEATURE = -1
CONTESTED = -2

_BLOCK = 512
_FINEST = 2.0**20  # parts of a pixel; less is the rounding of coordinates on edges and centers
_NOBODY = np.iinfo(np.int32).max

Shapes = NDArray[Any]
Numbers = NDArray[np.int64]


class PlacedFeatures:
    """Features in pixel coordinates of a scene.

    A polygon owns the pixels whose center lies inside of it, a line every pixel that it touches,
    a point the pixel that it falls into. All is drawn in whole blocks of a fixed layout, so that
    no edge depends on the windows that are asked for.

    Parameters
    ----------
    geometries : sequence of shapely geometries
        In CRS units of the scene.
    classes : int32 array (features,)
        What each stands for; where two classes meet, a pixel is contested.
    transform : tuple of 6 floats or None
        Of the scene, as in :class:`~rsclass.core.grid.Georeference`.

    Attributes
    ----------
    boxes : float64 array (features, 4)
        Left, top, right and bottom in pixels.
    """

    def __init__(
        self,
        geometries: Sequence[Any],
        classes: NDArray[np.int32],
        transform: Sequence[float] | None,
    ) -> None:
        self.classes = classes
        self._shapes = _in_pixels(geometries, transform)
        self.boxes: Float = shapely.bounds(self._shapes).reshape(-1, 4)
        parts, owners = _simple_parts(self._shapes)
        dimension = shapely.get_dimensions(parts)
        polygons, lines, points = dimension == 2, dimension == 1, dimension == 0
        self._layers: tuple[_Drawn | _Points, ...] = (
            _Drawn(parts[polygons], owners[polygons], all_touched=False),
            _Drawn(parts[lines], owners[lines], all_touched=True),
            _Points(parts[points], owners[points]),
        )

    def burn(self, window: Window) -> Labels:
        """Number of the feature that owns each pixel: int32 (height, width).

        -1 where there is none, -2 where features of different classes meet; the first of
        several features of one class.
        """
        out: Labels = np.empty((window.height, window.width), dtype=np.int32)
        for part in split(window, _BLOCK):
            block = Window(part.row // _BLOCK * _BLOCK, part.col // _BLOCK * _BLOCK, _BLOCK, _BLOCK)
            out[part.inside(window)] = self._burnt(block)[part.inside(block)]
        return out

    def _burnt(self, block: Window) -> Labels:
        burnt: Labels = np.full((block.height, block.width), NO_FEATURE, dtype=np.int32)
        near = [layer.near(block) for layer in self._layers]
        classes = [
            self.classes[layer.owners[at]] for layer, at in zip(self._layers, near, strict=True)
        ]
        for number in np.unique(np.concatenate(classes)):
            owner = np.full(burnt.shape, _NOBODY, dtype=np.int32)
            for layer, at, of in zip(self._layers, near, classes, strict=True):
                layer.draw(owner, at[of == number], block)
            owned = owner != _NOBODY
            burnt[owned] = np.where(burnt[owned] == NO_FEATURE, owner[owned], CONTESTED)
        return burnt

    def touched(self, grid: TileGrid) -> Iterator[Window]:
        """The tiles in which features may own pixels, row by row."""
        wanted: set[tuple[int, int]] = set()
        for shape, (left, top, right, bottom) in zip(self._shapes, self.boxes, strict=True):
            tiles = [
                (r, c)
                for r in _steps(top, bottom, grid.tile_height, grid.rows)
                for c in _steps(left, right, grid.tile_width, grid.cols)
            ]
            if len(tiles) > 1:
                at = [grid.window(r, c) for r, c in tiles]
                outlines = shapely.box(
                    [w.col for w in at],
                    [w.row for w in at],
                    [w.col_end for w in at],
                    [w.row_end for w in at],
                )
                met = shapely.intersects(shape, outlines)
                tiles = [tile for tile, meets in zip(tiles, met, strict=True) if meets]
            wanted.update(tiles)
        for r, c in sorted(wanted):
            yield grid.window(r, c)

    def beside(self, height: int, width: int) -> Mask:
        """Whether each feature lies wholly beside a scene of that size: (features,)."""
        return ~_meets(self.boxes, Window(0, 0, height, width))


class _Drawn:
    """Polygons or lines, which GDAL draws."""

    def __init__(self, shapes: Shapes, owners: Numbers, *, all_touched: bool) -> None:
        self.shapes = [mapping(shape) for shape in shapes]
        self.owners = owners
        self.boxes: Float = shapely.bounds(shapes).reshape(-1, 4)
        self.all_touched = all_touched

    def near(self, block: Window) -> Numbers:
        return np.flatnonzero(_meets(self.boxes, block))

    def draw(self, owner: Labels, at: Numbers, block: Window) -> None:
        """Lower ``owner`` to the first of the shapes ``at`` that owns a pixel."""
        if len(at) == 0:
            return
        left, top = np.floor(self.boxes[at, :2].min(axis=0)).astype(np.int64)
        right, bottom = np.ceil(self.boxes[at, 2:].max(axis=0)).astype(np.int64)
        # One more pixel all around: a line along an edge touches both sides of it.
        rows = slice(max(top - 1 - block.row, 0), max(bottom + 1 - block.row, 0))
        cols = slice(max(left - 1 - block.col, 0), max(right + 1 - block.col, 0))
        place = owner[rows, cols]
        if place.size == 0:
            return
        # What is drawn last stays.
        shapes = [(self.shapes[i], int(self.owners[i])) for i in at[::-1]]
        # rasterio changes the process's warning filters while it draws: one thread at a time.
        with without_placing_warnings():
            drawn = rasterize(
                shapes,
                out_shape=place.shape,
                fill=_NOBODY,
                transform=Affine.translation(block.col + cols.start, block.row + rows.start),
                all_touched=self.all_touched,
                dtype="int32",
            )
        np.minimum(place, drawn, out=place)


class _Points:
    """Points, each of which owns the pixel that it falls into."""

    def __init__(self, points: Shapes, owners: Numbers) -> None:
        self.rows = np.floor(shapely.get_y(points))
        self.cols = np.floor(shapely.get_x(points))
        self.owners = owners

    def near(self, block: Window) -> Numbers:
        inside = (self.rows >= block.row) & (self.rows < block.row_end)
        inside &= (self.cols >= block.col) & (self.cols < block.col_end)
        return np.flatnonzero(inside)

    def draw(self, owner: Labels, at: Numbers, block: Window) -> None:
        """Lower ``owner`` to the first of the points ``at`` that falls into a pixel."""
        rows = (self.rows[at] - block.row).astype(np.intp)
        cols = (self.cols[at] - block.col).astype(np.intp)
        np.minimum.at(owner, (rows, cols), self.owners[at].astype(np.int32))


def _meets(boxes: Float, window: Window) -> Mask:
    left, top, right, bottom = boxes.T
    met: Mask = (left <= window.col_end) & (right >= window.col)
    met &= (top <= window.row_end) & (bottom >= window.row)
    return met


def _steps(low: float, high: float, size: int, count: int) -> range:
    first, last = np.floor(low / size), np.floor(high / size)
    return range(int(max(first, 0)), int(min(last, count - 1)) + 1)


def _in_pixels(geometries: Sequence[Any], transform: Sequence[float] | None) -> Shapes:
    shapes: Shapes = np.array(geometries, dtype=object)
    to = Affine.identity() if transform is None else ~Affine(*transform)

    def turned(xy: Float) -> Float:
        x, y = xy[:, 0], xy[:, 1]
        pixels = np.column_stack((to.a * x + to.b * y + to.c, to.d * x + to.e * y + to.f))
        return np.round(pixels * _FINEST) / _FINEST

    moved: Shapes = shapely.transform(shapes, turned)
    return moved


def _simple_parts(shapes: Shapes) -> tuple[Shapes, Numbers]:
    """Points, lines and polygons, and the number of the feature that each is a part of."""
    owners = np.arange(len(shapes))
    while (shapely.get_type_id(shapes) > _LAST_SIMPLE_TYPE).any():
        shapes, index = shapely.get_parts(shapes, return_index=True)
        owners = owners[index]
    return shapes, owners


_LAST_SIMPLE_TYPE = shapely.GeometryType.POLYGON.value
