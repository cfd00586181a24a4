"""Small class maps and references for tests of what comes after the map."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin

from rsclass.core.legend import Legend, LegendClass
from rsclass.io.sidecars import pam_xml

UTM = "EPSG:32632"
COLORS = [(214, 39, 40), (44, 160, 44), (31, 119, 180), (188, 189, 34), (148, 103, 189)]


def write_map(
    path: Path,
    values: NDArray[Any],
    names: Mapping[int, str] | None = None,
    *,
    crs: str | None = UTM,
    transform: Any = None,
    nodata: float | None = 0,
) -> Path:
    """A class map as other software writes it, with names in ``.aux.xml`` if there are any."""
    transform = transform or from_origin(500_000, 5_000_000, 30, 30)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=values.shape[0],
        width=values.shape[1],
        count=1,
        dtype=values.dtype,
        crs=crs,
        transform=transform,
        nodata=nodata,
    ) as dataset:
        dataset.write(values, 1)
    if names:
        legend = Legend(
            tuple(
                LegendClass(v, name, color)
                for (v, name), color in zip(names.items(), COLORS, strict=False)
            )
        )
        counts = np.array([np.count_nonzero(values == v) for v in legend.values])
        path.with_name(path.name + ".aux.xml").write_bytes(pam_xml(legend, counts))
    return path
