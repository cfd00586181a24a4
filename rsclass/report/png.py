"""Pictures as PNG, without an imaging library: ISO/IEC 15948, 8 bits, the bytes of one encoder."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

__all__ = ["encode", "size"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GRAY_TO_RGBA = {3: 2, 4: 6}  # color type by channels
_PALETTE = 3
_FAST, _SMALL = 1, 6  # zlib levels: for photographs, for areas of one color


def encode(pixels: NDArray[np.uint8], palette: NDArray[np.uint8] | None = None) -> bytes:
    """A picture as PNG.

    Parameters
    ----------
    pixels : uint8 array (height, width, 3 or 4), or (height, width) with a palette
        Red, green, blue and opacity; or the palette's entries.
    palette : uint8 array (entries, 4) or None
        At most 256 entries.
    """
    height, width = pixels.shape[:2]
    if palette is None:
        kind, level, rows = _GRAY_TO_RGBA[pixels.shape[2]], _FAST, _differences(pixels)
        extra = b""
    else:
        kind, level, rows = _PALETTE, _SMALL, _scanlines(0, pixels)
        extra = _chunk(b"PLTE", palette[:, :3].tobytes()) + _chunk(b"tRNS", palette[:, 3].tobytes())
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    data = _chunk(b"IDAT", zlib.compress(rows.data, level))
    return _SIGNATURE + _chunk(b"IHDR", header) + extra + data + _chunk(b"IEND", b"")


def size(png: bytes) -> tuple[int, int]:
    """Width and height in pixels of a PNG; its header comes first."""
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def _differences(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Rows as differences to the pixel on the left (filter type 1), which compress better."""
    left = np.zeros_like(pixels)
    left[:, 1:] = pixels[:, :-1]
    return _scanlines(1, pixels - left)


def _scanlines(filter_type: int, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height = len(pixels)
    kinds = np.full((height, 1), filter_type, np.uint8)
    return np.ascontiguousarray(np.concatenate([kinds, pixels.reshape(height, -1)], axis=1))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
