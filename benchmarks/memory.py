"""Peak memory and wall time of every method on one large scene, as whole processes.

    python -m benchmarks.memory [--size 10000] [--max-mem 2GiB] [--method kmeans ...]

The scene is a simulated 2,000 x 2,000 x 6 scene laid side by side until it is SIZE pixels wide and
high. Classical methods learn from every pixel (``--sample all``) in a few passes, so that the
streaming fit is measured and not only the labelling.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import rasterio
from rasterio.windows import Window

from benchmarks.processes import CommandError, Usage, measured
from rsclass.cli.values import size as size_in_bytes
from rsclass.datasets import simulate

TILE = 2000
FEW_PASSES = {
    "uic": ["--set", "epochs=4", "--set", "warmup=2"],
    "kmeans": ["--sample", "all", "--set", "max_iter=3"],
    "minibatch": ["--sample", "all"],
    "competitive": ["--sample", "all"],
    "isodata": ["--sample", "all", "--set", "max_iter=4"],
    "migrating": ["--sample", "all", "--set", "max_iter=3"],
    "fuzzy": ["--sample", "all", "--set", "max_iter=3"],
}


def make_scene(path: Path, size: int) -> None:
    made = simulate("sentinel2", height=TILE, width=TILE, seed=0)
    values = made.values[:6]
    profile = {
        "driver": "GTiff",
        "height": size,
        "width": size,
        "count": len(values),
        "dtype": values.dtype,
        "nodata": 0,
        "crs": "EPSG:32633",
        "transform": rasterio.transform.from_origin(5e5, 5.2e6, 10, 10),
        "tiled": True,
        "blockxsize": 512,
        "blockysize": 512,
        "compress": "deflate",
        "predictor": 2,
    }
    with rasterio.open(path, "w", **profile) as target:
        for row in range(0, size, 512):
            rows = np.arange(row, min(row + 512, size)) % TILE
            strip = values[:, rows][:, :, np.arange(size) % TILE]
            target.write(strip, window=Window(0, row, size, len(rows)))
        for band, of in enumerate(made.bands[:6], start=1):
            target.set_band_description(band, of.name)


def measure(scene: Path, out: Path, method: str, max_mem: str) -> Usage | None:
    """What one run cost; None where it failed."""
    command = [sys.executable, "-m", "rsclass", "classify", str(scene), "-m", method, "-k", "12"]
    command += ["-o", str(out), "--overwrite", "--no-report", "--max-mem", max_mem]
    command += ["--progress", "none", *FEW_PASSES[method]]
    try:
        return measured(command, out.parent)
    except CommandError as error:
        print(error, file=sys.stderr)
        return None


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--max-mem", default="2GiB")
    parser.add_argument("--method", action="append", choices=FEW_PASSES)
    parser.add_argument("--scene", type=Path, help="use this scene instead of making one")
    given = parser.parse_args()
    limit = size_in_bytes(given.max_mem)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="rsclass-memory-") as folder:
        scene = (given.scene or Path(folder) / "scene.tif").resolve()
        if given.scene is None:
            make_scene(scene, given.size)
        print(f"| method | seconds | peak MiB | of {given.max_mem} |\n|---|---|---|---|")
        for method in given.method or FEW_PASSES:
            used = measure(scene, Path(folder) / "map.tif", method, given.max_mem)
            within = used is not None and used.peak <= limit
            failed += not within
            shown = "failed | " if used is None else f"{used.wall:.0f} | {used.peak / 2**20:.0f}"
            verdict = "within" if within else "NOT within"
            print(f"| {method} | {shown} | {verdict} |", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
