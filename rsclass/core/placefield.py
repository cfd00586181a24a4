"""Random fields that depend on the place and the seed alone, so any window can be made by itself.

Only whole-number mixing and the four basic operations are used: the fields have the same bits on
every machine.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rsclass.core.sampling import place_keys
from rsclass.core.types import Float

Whole = NDArray[np.int64]


def uniform(rows: Whole, cols: Whole, seed: int) -> Float:
    """A number in [0, 1) for every place; arrays broadcast."""
    unit: Float = (place_keys(rows, cols, seed) >> np.uint64(11)).astype(np.float64)
    return unit * 2.0**-53


def normal(rows: Whole, cols: Whole, seed: int) -> Float:
    """A number of mean 0 and variance 1 for every place: the sum of four uniform ones.

    Its distribution is that of Irwin and Hall (1927), bell-shaped and bounded by 3.46; sums of
    whole numbers have the same bits everywhere, logarithms and cosines have not.
    """
    keys = place_keys(rows, cols, seed)
    quarter = np.uint64(0xFFFF)
    total = keys & quarter
    for shift in (16, 32, 48):
        total = total + ((keys >> np.uint64(shift)) & quarter)
    bell: Float = total.astype(np.float64)
    return (bell - 131070.0) * (1.7320508075688772 / 65536.0)


def smooth(y: Float, x: Float, period: float, seed: int) -> Float:
    """Value noise in [-1, 1] (Perlin 1985, doi:10.1145/325165.325247): rolling hills.

    Parameters
    ----------
    y, x : float64 arrays
        Position in pixels; a column (height, 1) and a row (1, width), or two equal shapes.
    period : float
        Distance of the lattice points in pixels.
    seed : int
    """
    i, ty = _cell_and_ease(y, period)
    j, tx = _cell_and_ease(x, period)
    i0, j0 = int(i.min()), int(j.min())
    lattice_rows = np.arange(i0, int(i.max()) + 2, dtype=np.int64)[:, None]
    lattice_cols = np.arange(j0, int(j.max()) + 2, dtype=np.int64)[None, :]
    lattice = 2.0 * uniform(lattice_rows, lattice_cols, seed) - 1.0
    i, j = i - i0, j - j0
    if _separable(y, x):
        down = lattice[i[:, 0]] + ty * (lattice[i[:, 0] + 1] - lattice[i[:, 0]])
        left = down[:, j[0]]
        return left + tx * (down[:, j[0] + 1] - left)
    top = lattice[i, j] + tx * (lattice[i, j + 1] - lattice[i, j])
    bottom = lattice[i + 1, j] + tx * (lattice[i + 1, j + 1] - lattice[i + 1, j])
    return top + ty * (bottom - top)


def _separable(y: Float, x: Float) -> bool:
    """The places are a grid: a column of ``y`` and a row of ``x``."""
    return y.shape[1:] == (1,) and x.shape[:1] == (1,)


def _cell_and_ease(position: Float, period: float) -> tuple[Whole, Float]:
    scaled = position / period
    cell = np.floor(scaled)
    t = scaled - cell
    return cell.astype(np.int64), t * t * (3.0 - 2.0 * t)


def fractal(y: Float, x: Float, period: float, seed: int, octaves: int = 3) -> Float:
    """Sum of ``octaves`` smooth fields, each half as wide and half as high as the one before."""
    total = smooth(y, x, period, seed)
    for k in range(1, octaves):
        total = total + 0.5**k * smooth(y, x, period / 2**k, seed + 7919 * k)
    return total


class Bricks(NamedTuple):
    """Which brick of a wall every place lies in.

    Parameters
    ----------
    row, col : int64 arrays
        Course, and place of the brick in its course.
    down, right : float64 arrays
        Pixels from the upper and the left edge.
    height, width : float64 arrays
        Size of the brick in pixels.
    """

    row: Whole
    col: Whole
    down: Float
    right: Float
    height: Float
    width: Float

    @property
    def edge(self) -> Float:
        """Pixels to the nearest edge."""
        return np.minimum(
            np.minimum(self.down, self.height - self.down),
            np.minimum(self.right, self.width - self.right),
        )


def bricks(
    y: Float, x: Float, height: float, width: float, seed: int, jitter: float = 0.6
) -> Bricks:
    """Cut the plane into courses and the courses into bricks, of uneven sizes for ``jitter`` > 0.

    Parameters
    ----------
    y, x : float64 arrays
        Position in pixels.
    height, width : float
        Mean size of a brick in pixels.
    seed : int
    jitter : float, default=0.6
        How far an edge may move, as a share of the mean size; below 1.
    """
    row, top, bottom = _interval(y, height, np.zeros_like(y, dtype=np.int64), seed, jitter)
    col, left, right = _interval(x, width, row, seed + 1, jitter)
    return Bricks(row, col, y - top, x - left, bottom - top, right - left)


def _interval(
    position: Float, size: float, line: Whole, seed: int, jitter: float
) -> tuple[Whole, Float, Float]:
    """Number, start and end of the interval of ``line`` that holds ``position``."""
    at = np.floor(position / size).astype(np.int64)
    line, at = np.broadcast_arrays(line, at)
    table_rows = np.arange(line.min(), line.max() + 1)[:, None]
    table_cols = np.arange(at.min() - 1, at.max() + 3)[None, :]
    cuts = size * (table_cols + jitter * (uniform(table_rows, table_cols, seed) - 0.5))
    i, j = line - line.min(), at - at.min() + 1
    here = i * cuts.shape[1] + j
    # A cut moves by less than half a size, so the interval is the guessed one or a neighbor.
    step = (position >= cuts.take(here + 1)).astype(np.int64) - (position < cuts.take(here))
    here = here + step
    return j + step + at.min() - 1, cuts.take(here), cuts.take(here + 1)


def discs(
    y: Float,
    x: Float,
    spacing: float,
    radius: float,
    share: float,
    seed: int,
    stray: float = 1.0,
) -> Float:
    """Height in (0, 1] of scattered domes, 0 between them.

    Parameters
    ----------
    y, x : float64 arrays
        Position in pixels.
    spacing : float
        Side in pixels of the squares that hold at most one dome each.
    radius : float
        Largest radius in pixels, not above ``spacing``; the smallest is 0.4 of it.
    share : float
        Share of the squares that hold a dome.
    seed : int
    stray : float, default=1.0
        How far a dome may lie from the middle of its square, as a share of the half side.
    """
    rows = np.arange(int(y.min() // spacing) - 1, int(y.max() // spacing) + 2)[:, None]
    cols = np.arange(int(x.min() // spacing) - 1, int(x.max() // spacing) + 2)[None, :]
    present = uniform(rows, cols, seed + 3) < share
    center_y = (rows + 0.5 + stray * (uniform(rows, cols, seed) - 0.5)) * spacing
    center_x = (cols + 0.5 + stray * (uniform(rows, cols, seed + 1) - 0.5)) * spacing
    size = radius * (0.4 + 0.6 * uniform(rows, cols, seed + 2))
    present &= (center_y + size > y.min()) & (center_y - size < y.max())
    present &= (center_x + size > x.min()) & (center_x - size < x.max())
    height = np.zeros(np.broadcast_shapes(y.shape, x.shape))
    for a, b, r in zip(center_y[present], center_x[present], size[present], strict=True):
        near = _reach(y, x, a, b, r)
        dy, dx = y[near[0]] - a, x[near[1]] - b
        dome = 1.0 - (dy * dy + dx * dx) / r**2
        np.maximum(height[near[2]], dome, out=height[near[2]])
    return height


_Part = slice | tuple[slice, slice]


def _reach(y: Float, x: Float, a: float, b: float, r: float) -> tuple[_Part, _Part, _Part]:
    """The parts of ``y``, of ``x`` and of the field that a disc can reach."""
    if not _separable(y, x):
        return slice(None), slice(None), slice(None)
    down = slice(*np.searchsorted(y[:, 0], (a - r, a + r)))
    right = slice(*np.searchsorted(x[0], (b - r, b + r)))
    return down, (slice(None), right), (down, right)
