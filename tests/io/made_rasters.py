"""Small rasters written by tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine

UTM = "EPSG:32632"
NORTH_UP = Affine(10, 0, 500000, 0, -10, 5400000)


def write_raster(
    path: Path,
    values: Any,
    *,
    transform: Affine | None = NORTH_UP,
    crs: str | None = UTM,
    nodata: float | None = None,
    names: tuple[str, ...] = (),
    driver: str = "GTiff",
    **options: Any,
) -> Path:
    """Write (bands, height, width) or (height, width) with rasterio alone."""
    values = np.asarray(values)
    values = values[None] if values.ndim == 2 else values
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path,
        "w",
        driver=driver,
        count=len(values),
        height=values.shape[1],
        width=values.shape[2],
        dtype=values.dtype,
        transform=transform,
        crs=crs,
        nodata=nodata,
        **options,
    ) as dataset:
        dataset.write(values)
        for i, name in enumerate(names):
            dataset.set_band_description(i + 1, name)
    return path


def ramp(bands: int, height: int, width: int, dtype: str = "uint16") -> Any:
    """Values that differ at every place and in every band, beginning at 1."""
    return (
        (np.arange(bands * height * width) % 60000 + 1).astype(dtype).reshape(bands, height, width)
    )
