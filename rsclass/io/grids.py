"""How the pixels of several rasters lie on one grid, and how large a pixel is on the ground."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS

from rsclass.core.grid import Georeference, GroundControlPoint
from rsclass.core.types import Float, Mask, Window
from rsclass.errors import DataError, UsageError

# Part of a pixel by which grids may be off and still count as the same.
TOLERANCE = 1e-3


def compose(outer: Affine, inner: Affine) -> Affine:
    """The transform that applies ``inner``, then ``outer``."""
    # Spelled out, because affine 2 and 3 use different operators.
    return Affine(
        outer.a * inner.a + outer.b * inner.d,
        outer.a * inner.b + outer.b * inner.e,
        outer.a * inner.c + outer.b * inner.f + outer.c,
        outer.d * inner.a + outer.e * inner.d,
        outer.d * inner.b + outer.e * inner.e,
        outer.d * inner.c + outer.e * inner.f + outer.f,
    )


@dataclass(frozen=True, slots=True)
class Grid:
    """A lattice of pixels.

    Parameters
    ----------
    height, width : int
    transform : Affine or None
        From (column, row) at pixel corners to CRS units.
    """

    height: int
    width: int
    transform: Affine | None

    @property
    def pixel(self) -> float:
        """Side of a square of a pixel's area, in CRS units; 1 without a transform."""
        return 1.0 if self.transform is None else math.sqrt(abs(self.transform.determinant))


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the pixels of a target grid lie in a source grid of the same orientation.

    A target pixel takes the source pixel that its center falls into; where a target pixel is
    made of a whole number of source pixels, their mean is taken.

    Parameters
    ----------
    scale : tuple of float
        Size (rows, columns) of a target pixel in source pixels.
    shift : tuple of float
        Position (row, column) of the target's corner in the source.
    height, width : int
        Of the source.
    """

    scale: tuple[float, float]
    shift: tuple[float, float]
    height: int
    width: int

    @property
    def same(self) -> bool:
        """Source and target pixels coincide."""
        return self.factor == (1, 1)

    @property
    def factor(self) -> tuple[int, int] | None:
        """Source pixels (rows, columns) that make a target pixel, where they do so exactly."""
        near = all(abs(v - round(v)) <= TOLERANCE for v in (*self.scale, *self.shift))
        rows, cols = round(self.scale[0]), round(self.scale[1])
        return (rows, cols) if near and min(rows, cols) >= 1 else None

    @property
    def rule(self) -> str:
        """The resampling in words."""
        if self.same:
            return "none"
        return f"mean of {self.factor[0]} x {self.factor[1]}" if self.factor else "nearest"

    def rows(self, start: int, count: int) -> NDArray[np.int64]:
        """Source rows of target rows; outside the source where there are none."""
        return _nearest(start, count, self.scale[0], self.shift[0])

    def cols(self, start: int, count: int) -> NDArray[np.int64]:
        """Source columns of target columns; outside the source where there are none."""
        return _nearest(start, count, self.scale[1], self.shift[1])


def _nearest(start: int, count: int, scale: float, shift: float) -> NDArray[np.int64]:
    centers = np.arange(start, start + count) + 0.5
    # Centers on a source edge would be thrown to either side by rounding; they go to the later one.
    nearest: NDArray[np.int64] = np.floor(
        centers * scale + shift + TOLERANCE * min(scale, 1.0)
    ).astype(np.int64)
    return nearest


def place(source: Grid, target: Grid, name: str) -> Placement:
    """How ``source`` lies under ``target``.

    Raises
    ------
    DataError
        The grids are turned against each other or do not overlap.
    """
    if source.transform is None or target.transform is None:
        if (source.height, source.width) != (target.height, target.width):
            raise DataError(
                f"{name} has {source.height} x {source.width} pixels and no geotransform, "
                f"the stack has {target.height} x {target.width}; they cannot be stacked."
            )
        return Placement((1.0, 1.0), (0.0, 0.0), source.height, source.width)
    relation = compose(~source.transform, target.transform)
    turn = max(abs(relation.b) * target.height, abs(relation.d) * target.width)
    if turn > 0.5 or relation.a <= 0 or relation.e <= 0:
        raise DataError(
            f"the pixels of {name} are turned or flipped against those of the stack; "
            "warp it to the same grid first (gdalwarp)."
        )
    return Placement(
        (relation.e, relation.a), (relation.f, relation.c), source.height, source.width
    )


def at_resolution(grid: Grid, resolution: float | None) -> Grid:
    """``grid`` with pixels of ``resolution`` CRS units and the same corner.

    Only pixels that lie wholly inside ``grid`` are made, and at least one.

    Raises
    ------
    UsageError
        The resolution is no positive number or wider than the scene, or the grid has no
        geotransform.
    """
    if resolution is None:
        return grid
    if not 0 < resolution < math.inf:
        raise UsageError(f"--resolution is {resolution}; it must be a positive number.")
    if grid.transform is None:
        raise UsageError("--resolution needs a scene with a geotransform; this one has none.")
    t = grid.transform
    across, down = math.hypot(t.a, t.d) / resolution, math.hypot(t.b, t.e) / resolution
    if max(grid.width * across, grid.height * down) < 1:
        raise UsageError(f"--resolution {resolution:g} is wider than the whole scene; choose less.")
    return Grid(
        max(math.floor(grid.height * down + TOLERANCE), 1),
        max(math.floor(grid.width * across + TOLERANCE), 1),
        compose(t, Affine.scale(1 / across, 1 / down)),
    )


def window_of_bounds(grid: Grid, bounds: tuple[float, float, float, float], name: str) -> Window:
    """The smallest window that holds every pixel whose center lies inside ``bounds``.

    Parameters
    ----------
    grid : Grid
    bounds : tuple of float
        Left, bottom, right, top in CRS units, on any grid: south-up and rotated ones too.
    name : str
        Of the scene, for messages.

    Raises
    ------
    UsageError
        The bounds are not in order, or the scene has no geotransform.
    DataError
        No pixel center lies inside.
    """
    left, bottom, right, top = bounds
    if not (left < right and bottom < top):
        raise UsageError(
            f"--bounds {left:g} {bottom:g} {right:g} {top:g} is empty; "
            "give left, bottom, right, top with left < right and bottom < top."
        )
    if grid.transform is None:
        raise UsageError(f"--bounds needs a geotransform, and {name} has none.")
    inverse = ~grid.transform
    corners = [_apply(inverse, x, y) for x in (left, right) for y in (bottom, top)]
    cols, rows = [c for c, _ in corners], [r for _, r in corners]
    row, row_end = _centers_between(min(rows), max(rows), grid.height)
    col, col_end = _centers_between(min(cols), max(cols), grid.width)
    if row >= row_end or col >= col_end:
        raise DataError(f"no pixel of {name} lies inside --bounds; the scene spans {extent(grid)}.")
    return Window(row, col, row_end - row, col_end - col)


def _apply(t: Affine, x: float, y: float) -> tuple[float, float]:
    return t.a * x + t.b * y + t.c, t.d * x + t.e * y + t.f


def _centers_between(low: float, high: float, size: int) -> tuple[int, int]:
    # Bounds drawn along pixel edges must not lose a row to rounding: 1e-6 of a pixel is forgiven.
    first = math.ceil(low - 0.5 - 1e-6)
    last = math.floor(high - 0.5 + 1e-6)
    return max(first, 0), min(last + 1, size)


def extent(grid: Grid) -> str:
    """Left, bottom, right and top in CRS units; in pixels without a transform."""
    t = grid.transform or Affine.identity()
    xy = [_apply(t, c, r) for c in (0, grid.width) for r in (0, grid.height)]
    xs, ys = [x for x, _ in xy], [y for _, y in xy]
    return f"{min(xs):.10g} {min(ys):.10g} {max(xs):.10g} {max(ys):.10g}"


def centers_inside(
    grid: Grid, window: Window, bounds: tuple[float, float, float, float]
) -> Mask | None:
    """Pixels of ``window`` whose center lies inside ``bounds``; None: all (grid not rotated)."""
    t = grid.transform
    if t is None or (t.b == 0 and t.d == 0):
        return None
    cols = np.arange(window.col, window.col_end) + 0.5
    rows = (np.arange(window.row, window.row_end) + 0.5)[:, None]
    x, y = t.a * cols + t.b * rows + t.c, t.d * cols + t.e * rows + t.f
    slack = 1e-6 * grid.pixel
    left, bottom, right, top = bounds
    inside: Mask = (x >= left - slack) & (x <= right + slack)
    inside &= (y >= bottom - slack) & (y <= top + slack)
    return inside


def cropped(georef: Georeference, window: Window) -> Georeference:
    """The georeference of a window of a scene."""
    if (window.row, window.col) == (0, 0):
        return georef
    transform = georef.transform
    if transform is not None:
        moved = compose(Affine(*transform), Affine.translation(window.col, window.row))
        transform = (moved.a, moved.b, moved.c, moved.d, moved.e, moved.f)
    gcps = tuple(
        GroundControlPoint(p.row - window.row, p.col - window.col, p.x, p.y, p.z)
        for p in georef.gcps
    )
    shift = {"LINE_OFF": window.row, "SAMP_OFF": window.col}
    rpcs = tuple(
        (key, repr(float(value.split()[0]) - shift[key]) if key in shift else value)
        for key, value in georef.rpcs
    )
    return replace(georef, transform=transform, gcps=gcps, rpcs=rpcs)


def pixel_area(georef: Georeference, row: int, width: int) -> float | None:
    """Area of a pixel of ``row`` in square meters; see :func:`pixel_areas`."""
    areas = pixel_areas(georef, np.array([row]), width)
    return None if areas is None else float(areas[0])


def pixel_areas(georef: Georeference, rows: NDArray[np.integer], width: int) -> Float | None:
    """Area of a pixel of every row in square meters; None where the ground is not known.

    On a geographic CRS it is the area on the ellipsoid between the row's parallels and
    meridians (Snyder 1987, Map Projections: A Working Manual, USGS PP 1395, eq. 3-12,
    doi:10.3133/pp1395). In a rotated scene a row crosses parallels; the pixel in its middle stands
    for all of them.

    Parameters
    ----------
    georef : Georeference
    rows : int array (rows,)
    width : int
        Of the scene, in pixels.
    """
    if georef.transform is None or georef.crs is None:
        return None
    crs = CRS.from_wkt(georef.crs)
    t = Affine(*georef.transform)
    if not crs.is_geographic:
        if not crs.is_projected:
            return None
        _, to_meters = crs.linear_units_factor
        return np.full(len(rows), abs(t.determinant) * to_meters**2)
    axes = re.search(r'(?:ELLIPSOID|SPHEROID)\["[^"]*",\s*([\d.]+),\s*([\d.]+)', georef.crs)
    if axes is None:
        return None
    _, to_radians = crs.units_factor
    semi_major, inverse_flattening = float(axes.group(1)), float(axes.group(2))
    flattening = 1 / inverse_flattening if inverse_flattening else 0.0
    eccentricity = math.sqrt(flattening * (2 - flattening))
    # Of a rotated pixel, the cell of equal area and equal middle latitude.
    height = abs(t.e) if t.b == 0 and t.d == 0 else math.sqrt(abs(t.determinant))
    middle = t.d * (width / 2) + t.e * (rows + 0.5) + t.f
    pole = math.pi / 2
    if (np.abs(middle * to_radians) > pole).any():
        return None
    south, north = (
        np.clip((middle + sign * height / 2) * to_radians, -pole, pole) for sign in (-1, 1)
    )
    width_of_pixel = abs(t.determinant) / height * to_radians
    zone = _authalic(north, eccentricity) - _authalic(south, eccentricity)
    areas: Float = semi_major**2 / 2 * (1 - eccentricity**2) * zone * width_of_pixel
    return areas


def _authalic(latitude: Float, e: float) -> Float:
    s = np.sin(latitude)
    if e == 0:
        return 2 * s
    result: Float = s / (1 - (e * s) ** 2) + np.arctanh(e * s) / e
    return result
