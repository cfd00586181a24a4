"""Where a scene lies and how it is cut into pieces."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from rsclass.core.types import Window

Affine6 = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class GroundControlPoint:
    """A pixel position (row, col) and where it lies (x, y, z in CRS units)."""

    row: float
    col: float
    x: float
    y: float
    z: float = 0.0


@dataclass(frozen=True, slots=True)
class Georeference:
    """Where the pixels of a scene lie on the ground, copied bit by bit to every output.

    Parameters
    ----------
    transform : tuple of 6 floats or None
        (a, b, c, d, e, f): x = a col + b row + c, y = d col + e row + f, at pixel corners, in
        CRS units.
    crs : str or None
        WKT of the coordinate reference system.
    gcps : tuple of GroundControlPoint
    gcp_crs : str or None
    rpcs : dict as a tuple of (key, value) pairs
        Rational polynomial coefficients as GDAL's RPC tags.
    point : bool
        Pixels are points (``AREA_OR_POINT=Point``).
    """

    transform: Affine6 | None = None
    crs: str | None = None
    gcps: tuple[GroundControlPoint, ...] = ()
    gcp_crs: str | None = None
    rpcs: tuple[tuple[str, str], ...] = ()
    point: bool = False


def canonical_side(bytes_per_pixel: int) -> int:
    """Side of the blocks over which sums are formed; depends on the scene alone.

    512 pixels up to 64 bytes a pixel, then 256 and 128 for scenes of many bands, so that
    one block never takes more than some 16 to 64 MiB.
    """
    for side, limit in ((512, 64), (256, 256)):
        if bytes_per_pixel <= limit:
            return side
    return 128


@dataclass(frozen=True, slots=True)
class TileGrid:
    """A scene cut into tiles, row by row; the last ones shrink and are never padded.

    Parameters
    ----------
    height, width : int
        Size of the scene in pixels.
    tile_height, tile_width : int
        Size of a tile in pixels.
    """

    height: int
    width: int
    tile_height: int
    tile_width: int

    def __post_init__(self) -> None:
        if min(self.height, self.width, self.tile_height, self.tile_width) < 1:
            raise ValueError(f"a grid needs positive sizes, not {self}")

    @property
    def rows(self) -> int:
        """Tiles from top to bottom."""
        return math.ceil(self.height / self.tile_height)

    @property
    def cols(self) -> int:
        """Tiles from left to right."""
        return math.ceil(self.width / self.tile_width)

    def __len__(self) -> int:
        return self.rows * self.cols

    def __iter__(self) -> Iterator[Window]:
        for r in range(self.rows):
            for c in range(self.cols):
                yield self.window(r, c)

    def window(self, r: int, c: int) -> Window:
        """The tile in row ``r`` and column ``c`` of the grid."""
        row, col = r * self.tile_height, c * self.tile_width
        return Window(
            row,
            col,
            min(self.tile_height, self.height - row),
            min(self.tile_width, self.width - col),
        )


def split(window: Window, side: int) -> Iterator[Window]:
    """Cut ``window`` at the scene's multiples of ``side``, row by row."""
    for row in _cuts(window.row, window.row_end, side):
        for col in _cuts(window.col, window.col_end, side):
            yield Window(row[0], col[0], row[1] - row[0], col[1] - col[0])


def _cuts(start: int, end: int, side: int) -> Iterator[tuple[int, int]]:
    while start < end:
        stop = min((start // side + 1) * side, end)
        yield start, stop
        start = stop
