"""How a GeoTIFF is laid out: the creation options that a user may set, and what they become."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import numpy as np

from rsclass.core.grid import canonical_side
from rsclass.errors import UsageError

__all__ = ["FORMATS", "block_shape", "check_creation", "cog_options", "gtiff_options"]

FORMATS = ("GTiff", "COG")

_LOSSLESS = ("DEFLATE", "ZSTD", "LZW", "PACKBITS", "LERC_DEFLATE", "LERC_ZSTD", "NONE")
_LOSSY = ("JPEG", "WEBP", "JXL", "LERC", "CCITTFAX3", "CCITTFAX4", "CCITTRLE")
_CODECS_OF_COG = ("DEFLATE", "ZSTD", "LZW", "LERC_DEFLATE", "LERC_ZSTD", "NONE")
_LEVELS = {"ZLEVEL": ("DEFLATE", range(1, 10)), "ZSTD_LEVEL": ("ZSTD", range(1, 23))}
_FAST = "1"
_SIDES = range(64, 4097, 16)
_NAMES = ("COMPRESS", "PREDICTOR", "ZLEVEL", "ZSTD_LEVEL", "BLOCKSIZE", "BIGTIFF")
_REASONS = {
    "NUM_THREADS": "GDAL hides write errors when it compresses in threads",
    "MAX_Z_ERROR": "it makes the compression lossy",
    "SPARSE_OK": "an absent block cannot be told from a lost one",
    "TFW": "the georeference is inside the file",
    "OVERVIEW_RESAMPLING": "rsclass chooses the one that keeps class numbers",
}


def check_creation(driver: str, options: Mapping[str, str]) -> dict[str, str]:
    """Creation options with upper-case names and values, each of them known.

    Parameters
    ----------
    driver : {"GTiff", "COG"}
    options : mapping
        ``COMPRESS``, ``PREDICTOR``, ``ZLEVEL``, ``ZSTD_LEVEL``, ``BLOCKSIZE``, ``BIGTIFF``.

    Raises
    ------
    UsageError
        The driver, a name or a value is unknown, lossy, or hides write errors. GDAL itself takes
        any of them in silence and then writes something else.
    """
    if driver not in FORMATS:
        raise UsageError(f"no format is named {driver!r}; known formats: {', '.join(FORMATS)}.")
    checked = {}
    for name, value in options.items():
        key, setting = name.upper(), str(value).upper()
        if key in _REASONS:
            raise UsageError(f"the creation option {key} cannot be set: {_REASONS[key]}.")
        if key not in _NAMES:
            raise UsageError(_unknown("creation option", name, _NAMES))
        _check_value(driver, key, setting)
        checked[key] = setting
    codec = checked.get("COMPRESS", "DEFLATE")
    for key, (wanted, _) in _LEVELS.items():
        if key in checked and not codec.endswith(wanted):
            raise UsageError(f"{key} needs COMPRESS={wanted}, not {codec}.")
    if checked.get("PREDICTOR", "1") != "1" and codec not in ("DEFLATE", "ZSTD", "LZW"):
        raise UsageError(f"PREDICTOR needs COMPRESS=DEFLATE, ZSTD or LZW, not {codec}.")
    return checked


def _check_value(driver: str, key: str, value: str) -> None:
    if key == "COMPRESS":
        if value in _LOSSY:
            raise UsageError(f"COMPRESS={value} is lossy; use one of {', '.join(_LOSSLESS)}.")
        known = _CODECS_OF_COG if driver == "COG" else _LOSSLESS
        if value not in known:
            raise UsageError(_unknown("compression", value, known))
    elif key == "PREDICTOR":
        _one_of(key, value, ("1", "2", "3"))
    elif key == "BIGTIFF":
        _one_of(key, value, ("YES", "IF_SAFER"))
    else:
        allowed = _SIDES if key == "BLOCKSIZE" else _LEVELS[key][1]
        if not value.isdecimal() or int(value) not in allowed:
            step = f" in steps of {allowed.step}" if allowed.step > 1 else ""
            raise UsageError(f"{key} goes from {allowed[0]} to {allowed[-1]}{step}, not {value!r}.")


def _one_of(key: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UsageError(f"{key} is one of {', '.join(known)}, not {value!r}.")


def _unknown(what: str, name: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name.upper(), known, 1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"no {what} is named {name!r}.{hint} Known: {', '.join(known)}."


def block_shape(
    height: int, width: int, bytes_per_pixel: int, options: Mapping[str, str]
) -> tuple[int, int]:
    """Rows and columns of the file's blocks; they depend on the raster alone.

    Tiles of 512 pixels, smaller for rasters of many bytes a pixel or few pixels; strips where a
    raster is narrower than the smallest tile of TIFF, 16 pixels.
    """
    side = int(options.get("BLOCKSIZE", canonical_side(bytes_per_pixel)))
    if min(height, width) < 16:
        return min(side, height), width
    return min(side, _up_to_16(height)), min(side, _up_to_16(width))


def _up_to_16(n: int) -> int:
    return -(-n // 16) * 16


def gtiff_options(
    blocks: tuple[int, int], dtype: np.dtype[Any], options: Mapping[str, str]
) -> dict[str, Any]:
    """Options of GDAL's GTiff driver.

    Bands are interleaved by pixel, so that the driver compresses each block once and in the order
    of the rows, whatever the state of its cache. Predictors are off: on class maps they cost 15
    to 20 % of the size, on confidences between -4 and +11 %. DEFLATE, which every reader knows,
    works at level 1: 175 to 260 instead of 20 to 50 Mpixel/s at level 6, for 8 to 18 % more bytes.
    """
    _match_predictor(dtype, options)
    rows, cols = blocks
    tiled = rows % 16 == 0 and cols % 16 == 0
    layout: dict[str, Any] = {"blockysize": rows, "tiled": tiled}
    if tiled:
        layout["blockxsize"] = cols
    level = {"ZLEVEL": _FAST} if options.get("COMPRESS", "DEFLATE") == "DEFLATE" else {}
    passed = {k: v for k, v in options.items() if k not in ("BLOCKSIZE", "COMPRESS", "BIGTIFF")}
    return {
        **layout,
        "interleave": "pixel",
        "compress": options.get("COMPRESS", "DEFLATE"),
        "BIGTIFF": options.get("BIGTIFF", "IF_SAFER"),
        **level,
        **passed,
    }


def cog_options(dtype: np.dtype[Any], options: Mapping[str, str]) -> dict[str, str]:
    """Options of GDAL's COG driver.

    Overviews of whole numbers take the most frequent value, because the mean of two class numbers
    is a third class; those of measures take the mean.
    """
    _match_predictor(dtype, options)
    predictor = {"1": "NO", "2": "STANDARD", "3": "FLOATING_POINT"}[options.get("PREDICTOR", "1")]
    translated = {
        "COMPRESS": options.get("COMPRESS", "DEFLATE"),
        "PREDICTOR": predictor,
        "OVERVIEW_PREDICTOR": predictor,
        "BIGTIFF": options.get("BIGTIFF", "IF_SAFER"),
        "OVERVIEW_RESAMPLING": "AVERAGE" if dtype.kind == "f" else "MODE",
        "BLOCKSIZE": options.get("BLOCKSIZE", "512"),
    }
    if translated["COMPRESS"] == "DEFLATE":
        translated["LEVEL"] = _FAST
    for key in _LEVELS:
        if key in options:
            translated["LEVEL"] = options[key]
    return translated


def _match_predictor(dtype: np.dtype[Any], options: Mapping[str, str]) -> None:
    if options.get("PREDICTOR") == "3" and dtype.kind != "f":
        raise UsageError(f"PREDICTOR=3 is for floating-point rasters; this one is {dtype}.")
