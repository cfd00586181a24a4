"""Classify the sample scene with two methods and print what each class is like.

python examples/classify_scene.py [FOLDER]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import rsclass

SCENE = Path(__file__).parents[1] / "data_samples" / "sentinel2.tif"


def main(folder: Path) -> None:
    for method in ("kmeans", "isodata"):
        result = rsclass.classify(SCENE, folder / f"{method}.tif", method=method, classes=8)
        print(result.summary())
        red, nir = (
            next(i for i, band in enumerate(result.stats.bands) if band.role == role)
            for role in ("red", "nir")
        )
        for entry, mean, area in zip(
            result.legend, result.stats.mean, result.hectares, strict=True
        ):
            ndvi = (mean[nir] - mean[red]) / (mean[nir] + mean[red])
            print(f"  {entry.name}: {area:7.1f} ha, NDVI {ndvi:+.2f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp()))
