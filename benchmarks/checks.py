"""Whether a map is one: python -m benchmarks.checks MAP TRUTH CLASSES.

CLASSES is how many a map of rsclass must show, none of them where there is no data; 0 for the maps
of others, which have rules of their own for that.
"""

from __future__ import annotations

import sys

import numpy as np
import rasterio


def fault(map_path: str, truth_path: str, classes: int) -> str | None:
    """What is wrong with the map; None where nothing is."""
    with rasterio.open(map_path) as source:
        labels = source.read(1)
    with rasterio.open(truth_path) as source:
        known = source.read(1) > 0
    if labels.shape != known.shape:
        return f"it has {labels.shape} pixels, the scene {known.shape}"
    found = np.unique(labels[known])
    if classes == 0:
        return None if len(found) > 1 else f"all pixels are of class {found}"
    if (labels[~known] != 0).any():
        return "it shows classes where the scene has no data"
    if (found == 0).any():
        return "it shows no class where the scene has data"
    return None if len(found) == classes else f"it shows {len(found)} classes, not {classes}"


def main(map_path: str, truth_path: str, classes: str) -> int:
    wrong = fault(map_path, truth_path, int(classes))
    if wrong:
        print(f"{map_path}: {wrong}.", file=sys.stderr)
    return int(wrong is not None)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
