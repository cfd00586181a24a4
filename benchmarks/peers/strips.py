"""What every script here shares: a scene by strips of rows, its valid pixels, and a map of it."""

from collections.abc import Callable, Iterator

import numpy as np
import rasterio
from rasterio.windows import Window

ROWS = 512  # the height of a block: none is decoded twice
CLASSES, PASSES, SAMPLE = 12, 20, 1_000_000


class Scene:
    """A raster with nodata 0, open for reading."""

    def __init__(self, path: str) -> None:
        self.source = rasterio.open(path)
        self.height, self.width = self.source.shape

    def strips(self) -> Iterator[tuple[Window, np.ndarray, np.ndarray]]:
        """Window, pixels (bands, rows, cols) and validity (rows, cols)."""
        for row in range(0, self.height, ROWS):
            window = Window(0, row, self.width, min(ROWS, self.height - row))
            values = self.source.read(window=window)
            yield window, values, (values != 0).all(axis=0)

    def sample(self, n: int = SAMPLE) -> np.ndarray:
        """About ``n`` valid pixels (n, bands), spread evenly."""
        rng = np.random.default_rng(0)
        share = min(1.0, n / (0.87 * self.height * self.width))  # 13 % are nodata
        parts = []
        for _, values, valid in self.strips():
            pixels = values[:, valid]
            parts.append(pixels[:, rng.random(pixels.shape[1]) < share].T)
        return np.concatenate(parts).astype(np.float32)

    def everything(self) -> tuple[np.ndarray, np.ndarray]:
        """Validity (rows, cols) of the whole scene and its valid pixels (n, bands)."""
        values = self.source.read()
        valid = (values != 0).all(axis=0)
        return valid, np.ascontiguousarray(values[:, valid].T, dtype=np.float32)

    def label(self, out: str, classes_of: Callable[[np.ndarray], np.ndarray]) -> None:
        """Write the map of ``classes_of`` pixels (n, bands), strip by strip."""
        with self._map(out) as target:
            for window, values, valid in self.strips():
                labels = np.zeros(valid.shape, dtype=np.uint8)
                if valid.any():
                    pixels = np.ascontiguousarray(values[:, valid].T, dtype=np.float32)
                    labels[valid] = classes_of(pixels) + 1
                target.write(labels, 1, window=window)

    def write(self, out: str, valid: np.ndarray, classes: np.ndarray) -> None:
        """Write a map that is known whole."""
        labels = np.zeros(valid.shape, dtype=np.uint8)
        labels[valid] = classes + 1
        with self._map(out) as target:
            target.write(labels, 1)

    def _map(self, out: str) -> rasterio.io.DatasetWriter:
        return rasterio.open(
            out,
            "w",
            driver="GTiff",
            width=self.width,
            height=self.height,
            count=1,
            dtype="uint8",
            nodata=0,
            crs=self.source.crs,
            transform=self.source.transform,
            tiled=True,
            blockxsize=512,
            blockysize=512,
            compress="deflate",
        )
