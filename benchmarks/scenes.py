"""The rasters that everything is measured on: the same arguments give the same pixels.

    python -m benchmarks.scenes FOLDER NAME SIZE [LAYOUT ...] [--contrast SHARE]

Twelve smooth classes in six bands of uint16, each class with a covariance of its own between the
bands; a slanted border without data, as at the edge of an orbit; about a tenth of the scene.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin
from rasterio.windows import Window
from scipy.ndimage import gaussian_filter

from benchmarks.training import find_squares, write_samples, write_squares

BANDS, CLASSES, STRIP = 6, 12, 512
GRID = 500  # cells of the smooth fields on a side, in scenes of at least so many pixels
TILES = {"tiled": True, "blockxsize": 512, "blockysize": 512}
LAYOUTS: dict[str, dict[str, Any]] = {
    "tiled": {**TILES, "compress": "deflate", "predictor": 2, "interleave": "pixel"},
    "raw": {**TILES, "interleave": "pixel"},
    "striped": {"compress": "deflate", "predictor": 2, "interleave": "band", "blockysize": 16},
}


@dataclass(frozen=True)
class Spectra:
    """Mean (classes, bands) and a root of the covariance (classes, bands, bands) of each class."""

    mean: NDArray[np.float32]
    root: NDArray[np.float32]

    @classmethod
    def draw(cls, contrast: float) -> Spectra:
        """The relative spread of a class's bands is ``contrast``: how unlike the classes are."""
        rng = np.random.default_rng(2007)
        brightness = rng.uniform(400, 4800, size=(CLASSES, 1))
        shape = np.clip(rng.normal(1, contrast, size=(CLASSES, BANDS)), 0.3, 1.9)
        mean = brightness * shape
        mixing = rng.normal(size=(CLASSES, BANDS, BANDS))
        covariance = mixing @ mixing.transpose(0, 2, 1) / BANDS + 0.5
        deviation = np.sqrt(np.einsum("kbb->kb", covariance))
        spread = (0.07 * mean + 25) / deviation
        covariance *= spread[:, :, None] * spread[:, None, :]
        noise = 25.0 * np.eye(BANDS)  # variance of the sensor's own noise, for every band
        return cls(mean.astype(np.float32), np.linalg.cholesky(covariance + noise).astype("f4"))


class Land:
    """Where the classes lie: the highest of twelve smooth random fields, with ragged edges."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.step = max(1, size // GRID)  # pixels in a cell
        cells = size // self.step + 2
        rng = np.random.default_rng(size)
        fields = [gaussian_filter(rng.normal(size=(cells, cells)), 6) for _ in range(CLASSES)]
        self.fields = [(field / field.std()).astype(np.float32) for field in fields]

    def classes(self, first: int, height: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Classes (height, size), from 0, of the rows from ``first``."""
        rows = _Between(first, height, self.step)
        cols = _Between(0, self.size, self.step)
        best = np.full((height, self.size), -np.inf, dtype=np.float32)
        found = np.zeros(best.shape, dtype=np.uint8)
        for k, field in enumerate(self.fields):
            value = cols.of(rows.of(field).T).T
            value += 0.05 * rng.standard_normal(best.shape, dtype=np.float32)
            higher = value > best
            np.copyto(best, value, where=higher)
            found[higher] = k
        return found

    def outside(self, first: int, height: int) -> NDArray[np.bool_]:
        """Pixels (height, size) without data."""
        row = np.arange(first, first + height)[:, None]
        col = np.arange(self.size)[None, :]
        slant = 0.03 * row
        beside = (col < 0.04 * self.size + slant) | (col > 0.93 * self.size + slant)
        return beside | (row < 0.01 * self.size) | (row > 0.985 * self.size)


class _Between:
    """Linear interpolation of rows of cells at rows of pixels."""

    def __init__(self, first: int, n: int, step: int) -> None:
        place = np.arange(first, first + n) / step
        self.cell = place.astype(np.intp)
        self.share = (place - self.cell).astype(np.float32)[:, None]

    def of(self, cells: NDArray[np.float32]) -> NDArray[np.float32]:
        return cells[self.cell] * (1 - self.share) + cells[self.cell + 1] * self.share


def strips(
    size: int, contrast: float
) -> Iterator[tuple[int, NDArray[np.uint16], NDArray[np.uint8]]]:
    """First row, pixels (bands, height, size) and truth (height, size; 0: none) from the top."""
    land, spectra = Land(size), Spectra.draw(contrast)
    for first in range(0, size, STRIP):
        height = min(STRIP, size - first)
        rng = np.random.default_rng([size, first])
        classes = land.classes(first, height, rng)
        pixels = np.empty((height, size, BANDS), dtype=np.float32)
        for k in range(CLASSES):
            here = classes == k
            drawn = rng.standard_normal((int(here.sum()), BANDS), dtype=np.float32)
            pixels[here] = drawn @ spectra.root[k].T + spectra.mean[k]
        values = np.clip(pixels, 1, 65535).astype(np.uint16)
        outside = land.outside(first, height)
        values[outside] = 0
        truth = np.where(outside, np.uint8(0), classes + np.uint8(1))
        yield first, np.ascontiguousarray(values.transpose(2, 0, 1)), truth


def profile(size: int, count: int, dtype: str, **layout: Any) -> dict[str, Any]:
    """How rasterio creates a raster of these scenes."""
    return {
        "driver": "GTiff",
        "width": size,
        "height": size,
        "count": count,
        "dtype": dtype,
        "nodata": 0,
        "crs": "EPSG:32633",
        "transform": from_origin(500_000, 5_200_000, 10, 10),
        "BIGTIFF": "IF_SAFER",
        **layout,
    }


def make(folder: Path, name: str, size: int, layouts: list[str], contrast: float) -> None:
    """Write the scene in every layout, its truth and its training squares."""
    truth_path = folder / f"{name}_truth.tif"
    with ExitStack() as stack:
        scenes = [
            stack.enter_context(
                rasterio.open(
                    folder / f"{name}_{layout}.tif",
                    "w",
                    **profile(size, BANDS, "uint16", **LAYOUTS[layout]),
                )
            )
            for layout in layouts
        ]
        truth_file = stack.enter_context(
            rasterio.open(truth_path, "w", **profile(size, 1, "uint8", **TILES, compress="deflate"))
        )
        for first, values, truth in strips(size, contrast):
            window = Window(0, first, size, len(truth))
            for scene in scenes:
                scene.write(values, window=window)
            truth_file.write(truth, 1, window=window)
    squares = find_squares(truth_path)
    write_squares(folder / f"{name}_training", squares, truth_path)
    write_samples(folder / f"{name}_training.npz", squares, folder / f"{name}_{layouts[0]}.tif")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("name")
    parser.add_argument("size", type=int)
    parser.add_argument("layouts", nargs="*", default=["tiled"], choices=LAYOUTS)
    parser.add_argument("--contrast", type=float, default=0.35)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    make(given.folder, given.name, given.size, given.layouts, given.contrast)


if __name__ == "__main__":
    main()
