"""Training squares of pure pixels, as a GeoPackage, a shapefile and a table of their pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import geopandas
import numpy as np
import rasterio
from rasterio.windows import Window
from scipy.ndimage import maximum_filter, minimum_filter
from shapely import box

SIDE, EACH = 8, 30


@dataclass(frozen=True)
class Square:
    """``SIDE`` x ``SIDE`` pixels of class ``code``, from ``row`` and ``col``."""

    code: int
    row: int
    col: int

    @property
    def window(self) -> Window:
        return Window(self.col, self.row, SIDE, SIDE)


def find_squares(truth: Path) -> list[Square]:
    """Squares of one class alone, at most ``EACH`` for a class, none touching another."""
    with rasterio.open(truth) as source:
        codes = source.read(1)
    # The origin makes the filters look right and down: a square is known by its first pixel.
    look = {"size": SIDE, "origin": -(SIDE // 2), "mode": "constant", "cval": 0}
    pure = (minimum_filter(codes, **look) == maximum_filter(codes, **look)) & (codes > 0)
    pure[-SIDE:], pure[:, -SIDE:] = False, False
    rng = np.random.default_rng(1)
    return [
        Square(code, row, col)
        for code in range(1, int(codes.max()) + 1)
        for row, col in _apart(np.argwhere(pure & (codes == code)), rng)
    ]


def _apart(places: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[int, int]]:
    taken: list[tuple[int, int]] = []
    for row, col in rng.permutation(places)[:20_000].tolist():
        if all(abs(row - r) > SIDE or abs(col - c) > SIDE for r, c in taken):
            taken.append((row, col))
            yield row, col
            if len(taken) == EACH:
                return


def write_squares(stem: Path, squares: list[Square], grid: Path) -> None:
    """Write ``stem``.gpkg and ``stem``.shp with the columns ``class`` and ``name``."""
    with rasterio.open(grid) as source:
        transform, crs = source.transform, source.crs
    xy = partial(rasterio.transform.xy, offset="ul")
    corners = [
        (xy(transform, s.row, s.col), xy(transform, s.row + SIDE, s.col + SIDE)) for s in squares
    ]
    frame = geopandas.GeoDataFrame(
        {"class": [s.code for s in squares], "name": [f"class {s.code}" for s in squares]},
        geometry=[box(*first, *last) for first, last in corners],
        crs=crs,
    )
    for ending in (".gpkg", ".shp"):
        frame.to_file(stem.with_suffix(ending))


def write_samples(path: Path, squares: list[Square], scene: Path) -> None:
    """Write the pixels under the squares, ``X`` (n, bands) and ``y`` (n,)."""
    with rasterio.open(scene) as source:
        parts = [source.read(window=s.window).reshape(source.count, -1).T for s in squares]
    codes = np.repeat([s.code for s in squares], SIDE * SIDE)
    np.savez(path, X=np.concatenate(parts).astype(np.float32), y=codes)
