"""The least that any classification costs: every block is read, a ready label array is written.

python floor.py SCENE MAP
"""

from __future__ import annotations

import sys

import numpy as np
import rasterio
from rasterio.windows import Window

ROWS = 512  # whole tiles, and many whole strips


def copy(scene: str, out: str) -> None:
    # Decoding threads help tiles, read by whole rows of them, and harm strips.
    with rasterio.open(scene) as layout:
        threads = {"num_threads": 2} if layout.profile["tiled"] else {}
    with rasterio.open(scene, **threads) as source:
        labels = np.zeros((source.height, source.width), dtype=np.uint8)
        for row in range(0, source.height, ROWS):
            window = Window(0, row, source.width, min(ROWS, source.height - row))
            labels[row : row + ROWS] = source.read(window=window)[0] != 0
        profile = {
            "driver": "GTiff",
            "width": source.width,
            "height": source.height,
            "count": 1,
            "dtype": "uint8",
            "nodata": 0,
            "crs": source.crs,
            "transform": source.transform,
            "tiled": True,
            "blockxsize": 512,
            "blockysize": 512,
            "compress": "deflate",
        }
        with rasterio.open(out, "w", **profile) as target:
            target.write(labels, 1)


if __name__ == "__main__":
    copy(*sys.argv[1:])
