"""Sum of squared distances of a map's classes on a sample, and of scikit-learn's best k-means.

    python -m benchmarks.inertia SCENE MAP PIXELS

Both partitions are judged alike, on the same pixels in units of the bands' standard deviations: by
the squared distances of the pixels from the mean of their class. Prints JSON.
"""

from __future__ import annotations

import json
import sys

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window
from sklearn.cluster import KMeans

STARTS, ROWS = 10, 512


def sample(scene: str, labels: str, n: int) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """About ``n`` classified pixels (n, bands) in standard deviations, and their classes (n,)."""
    rng = np.random.default_rng(8)
    pixels, classes = [], []
    with rasterio.open(scene) as values_of, rasterio.open(labels) as labels_of:
        share = min(1.0, n / (values_of.width * values_of.height))
        for row in range(0, values_of.height, ROWS):
            height = min(ROWS, values_of.height - row)
            window = Window(0, row, values_of.width, height)
            found = labels_of.read(1, window=window)
            drawn = (rng.random(found.shape) < share) & (found > 0)
            pixels.append(values_of.read(window=window)[:, drawn].T)
            classes.append(found[drawn])
    X = np.concatenate(pixels).astype(np.float64)
    return (X - X.mean(axis=0)) / X.std(axis=0), np.concatenate(classes)


def inertia(X: NDArray[np.float64], classes: NDArray[np.integer]) -> float:
    """Sum of the squared distances of pixels from the mean of their class."""
    parts = (X[classes == value] for value in np.unique(classes))
    return float(sum(((part - part.mean(axis=0)) ** 2).sum() for part in parts))


def main(scene: str, labels: str, n: str) -> None:
    X, classes = sample(scene, labels, int(n))
    k = len(np.unique(classes))
    starts = [KMeans(k, n_init=1, random_state=seed).fit_predict(X) for seed in range(STARTS)]
    found = [inertia(X, of_start) for of_start in starts]
    print(json.dumps({"rsclass": inertia(X, classes), "scikit-learn": found, "pixels": len(X)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
