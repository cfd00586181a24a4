"""Small rasters for the tests of the writer."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rasterio.crs import CRS

from rsclass.core.grid import Georeference, TileGrid
from rsclass.core.types import Window
from rsclass.io.sink import RasterSink, Writing

UTM = Georeference((10.1, 0.0, 500000.5, 0.0, -10.1, 4e6 / 3), CRS.from_epsg(32633).to_wkt())
COLORS = {i: (10 * i, 255 - i, i, 255) for i in range(1, 10)}


def image(height: int, width: int, count: int = 1, dtype: str = "uint8") -> np.ndarray:
    rng = np.random.default_rng(height * width)
    return rng.integers(0, 10, (count, height, width)).astype(dtype)


def sink_for(pixels: np.ndarray, path: Any, writing: Writing | None = None, **options: Any):
    count, height, width = pixels.shape
    given = {"nodata": 0, "georef": UTM, "writing": writing or Writing(), **options}
    return RasterSink(
        path, height=height, width=width, count=count, dtype=pixels.dtype.name, **given
    )


def tiles(pixels: np.ndarray, side: int) -> Iterator[tuple[Window, np.ndarray]]:
    for window in TileGrid(*pixels.shape[1:], side, side):
        yield window, pixels[:, window.row : window.row_end, window.col : window.col_end]


def write_raster(
    pixels: np.ndarray,
    path: Any,
    writing: Writing | None = None,
    side: int = 100,
    sidecars: dict[str, bytes] | None = None,
    **options: Any,
) -> Path:
    with sink_for(pixels, path, writing, **options) as sink:
        for window, data in tiles(pixels, side):
            sink.write(window, data)
        return sink.finish(sidecars or {})


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder with its bytes."""
    return {entry.name: entry.read_bytes() for entry in folder.iterdir() if entry.is_file()}


def lose_a_byte_on_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that reports success and keeps all but the last byte."""

    def lossy(handle: int) -> None:
        if stat.S_ISREG(os.fstat(handle).st_mode):
            os.ftruncate(handle, os.fstat(handle).st_size - 1)

    monkeypatch.setattr(os, "fsync", lossy)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of ``size`` mounted on ``folder``; skips where that is not allowed."""
    import subprocess

    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
