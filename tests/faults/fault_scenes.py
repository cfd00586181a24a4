"""Small scenes of three plain classes, written by rasterio alone, and files made byte by byte."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray

HEIGHT, WIDTH = 24, 20
PIXELS = HEIGHT * WIDTH
UTM = "EPSG:32632"
NORTH_UP = Affine(10, 0, 500000, 0, -10, 5400000)


def stripes(
    bands: int = 3, height: int = HEIGHT, width: int = WIDTH, dtype: str = "uint16"
) -> NDArray[Any]:
    """Three groups of spectra, one below the other, with some noise; no value is 0."""
    groups = np.arange(height * width).reshape(height, width) * 3 // (height * width)
    noise = np.random.default_rng(0).integers(1, 9, (bands, height, width))
    return (groups * 40 + np.arange(bands)[:, None, None] % 7 + noise).astype(dtype)


def write(
    path: Path,
    values: NDArray[Any] | None = None,
    *,
    transform: Affine | None = NORTH_UP,
    crs: str | None = UTM,
    names: tuple[str, ...] = (),
    scale: float | None = None,
    **options: Any,
) -> Path:
    """Write bands (bands, height, width) as GeoTIFF."""
    values = stripes() if values is None else values
    count, height, width = values.shape
    profile = {"count": count, "height": height, "width": width, "dtype": values.dtype}
    with rasterio.open(
        path, "w", driver="GTiff", transform=transform, crs=crs, **profile, **options
    ) as dataset:
        dataset.write(values)
        for i, name in enumerate(names, start=1):
            dataset.set_band_description(i, name)
        if scale is not None:
            dataset.scales = [scale] * count
    return path


def write_cut_off(path: Path) -> Path:
    """64 x 64 pixels in tiles of 16, of which the last tiles are cut off."""
    noise = np.random.default_rng(0).integers(1, 60000, (2, 64, 64)).astype("uint16")
    layout = {"tiled": True, "blockxsize": 16, "blockysize": 16}
    write(path, noise, compress="deflate", interleave="pixel", **layout)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 7 // 10])
    return path


def claiming_tiff(width: int, height: int, tile: int | None = None) -> bytes:
    """A TIFF of some 200 bytes that claims any size, in one strip or in one tile."""
    tags = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 277: 1}
    tags |= {322: tile, 323: tile, 324: 8, 325: 8} if tile else {273: 8, 278: height, 279: 8}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, tags[tag]) for tag in sorted(tags))
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)


def vrt(source: Any, bands: int = 1, inside: str = "", kind: str = "", nodata: bool = False) -> str:
    """A virtual raster over the bands of ``source``; each band's number as its nodata value."""
    each = "".join(
        f'<VRTRasterBand dataType="UInt16" band="{i}" {kind}>{inside}'
        + (f"<NoDataValue>{i}</NoDataValue>" if nodata else "")
        + f'<SimpleSource><SourceFilename relativeToVRT="0">{source}</SourceFilename>'
        f"<SourceBand>{i}</SourceBand></SimpleSource></VRTRasterBand>"
        for i in range(1, bands + 1)
    )
    return f'<VRTDataset rasterXSize="{WIDTH}" rasterYSize="{HEIGHT}">{each}</VRTDataset>'


def raw_vrt(source: str) -> str:
    """A virtual raster of the raw bytes of any file."""
    return (
        '<VRTDataset rasterXSize="20" rasterYSize="1"><VRTRasterBand dataType="Byte" band="1" '
        'subClass="VRTRawRasterBand"><SourceFilename relativetoVRT="0">'
        f"{source}</SourceFilename><ImageOffset>0</ImageOffset><PixelOffset>1</PixelOffset>"
        "<LineOffset>20</LineOffset></VRTRasterBand></VRTDataset>"
    )


def classes_of(path: Path) -> NDArray[Any]:
    """The pixels of a map (height, width)."""
    with rasterio.open(path) as dataset:
        pixels: NDArray[Any] = dataset.read(1)
    return pixels
