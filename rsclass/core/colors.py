"""Colors of classes: what the class looks like from above, told apart where it must be."""

from __future__ import annotations

from collections.abc import Sequence
from colorsys import hsv_to_rgb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.legend import RGB
from rsclass.core.types import Band, Float

# Beyond this number nobody tells classes apart by color.
MOST_SEPARATED = 1024

_DISPLAYED_ROLES = (
    ("red", "green", "blue"),
    ("nir", "red", "green"),
    ("nir08", "red", "green"),
)
_CLEAR_DISTANCE = 15.0
_GAMMA = 0.6  # most land is darker than the middle between shadow and cloud
_BLACK, _WHITE = 16, 235  # lest a class look like a shadow on the page, or like the page
_SRGB_VOLUME = 8.3e5  # of the sRGB gamut in CIELAB units
_LATTICE = np.round(np.linspace(0, 255, 22)).astype(np.int64)

# IEC 61966-2-1: linear sRGB to CIE XYZ, D65.
_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def default_names(n: int) -> list[str]:
    """``class 1``, ``class 2``, ... for ``n`` classes without names."""
    return [f"class {i}" for i in range(1, n + 1)]


def display_bands(bands: Sequence[Band]) -> tuple[int, int, int]:
    """Positions of the bands to show as red, green and blue.

    Natural color where the bands have the roles red, green and blue; else false color (near
    infrared, red, green); else three bands spread from long to short wavelengths, which is one band
    three times where there is only one. Three bands of which nothing is known stay in their order.
    """
    place: dict[str | None, int] = {}
    for i, band in enumerate(bands):
        place.setdefault(band.role, i)
    for red, green, blue in _DISPLAYED_ROLES:
        if {red, green, blue} <= place.keys():
            return place[red], place[green], place[blue]
    wavelengths = [band.wavelength for band in bands]
    if None in wavelengths and len(bands) == 3:
        return 0, 1, 2
    order = list(range(len(bands)))
    if None not in wavelengths:
        order.sort(key=lambda i: (bands[i].wavelength or 0.0, i))
    last = len(bands) - 1
    return order[last], order[last // 2], order[0]


def class_colors(mean: Float, bands: Sequence[Band], low: Float, high: Float) -> list[RGB]:
    """A color for each class, taken from its mean spectrum and clearly unlike the others.

    Parameters
    ----------
    mean : float64 array (classes, bands)
        In physical units; gray stands for NaN.
    bands : sequence of Band
        Which of them are shown: :func:`display_bands`.
    low, high : float64 arrays (bands,)
        Physical values shown as nearly black and nearly full, usually the 2nd and 98th
        percentile. What lies between is lightened, with its hue kept.

    Returns
    -------
    list of (red, green, blue)
        0 to 255; the same for the same spectra. See :func:`separate`.
    """
    shown = list(display_bands(bands))
    span = np.asarray(high, float)[shown] - np.asarray(low, float)[shown]
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(span > 0, (np.asarray(mean)[:, shown] - np.asarray(low)[shown]) / span, 0.5)
    part = np.clip(np.where(np.isnan(part), 0.5, part), 0, 1)
    brightness = part.max(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        lit = np.where(brightness > 0, part * brightness ** (_GAMMA - 1), 0.0)
    return separate(np.round(_BLACK + (_WHITE - _BLACK) * lit).astype(np.int64))


def separate(colors: NDArray[Any]) -> list[RGB]:
    """Move colors apart until any two can be told apart.

    A color too near to an earlier one moves to the nearest free place of a lattice in sRGB;
    lightness gives way first, hue last. Near is a CIE 1976 color difference (CIELAB, D65) below 15,
    or below what the sRGB gamut has room for where classes are many.

    Parameters
    ----------
    colors : int array (classes, 3)
        sRGB, 0 to 255. Those beyond the first 1,024 stay as they are.

    References
    ----------
    CIE, "Colorimetry", CIE 15 (2004), section 8.2.1.
    """
    wanted = np.asarray(colors, np.int64)
    n = min(len(wanted), MOST_SEPARATED)
    # Balls of this radius around n colors cannot cover the gamut, so a free color remains.
    room = (3 * _SRGB_VOLUME / (4 * np.pi * max(n, 1))) ** (1 / 3)
    distance = min(_CLEAR_DISTANCE, 0.9 * room)
    while (placed := _place(wanted[:n], distance)) is None:
        distance *= 0.9
    return [(int(r), int(g), int(b)) for r, g, b in np.concatenate([placed, wanted[n:]])]


def fill_colors(colors: Sequence[RGB | None]) -> list[RGB]:
    """The same with a color unlike the others in place of every None; given colors stay."""
    given = [color for color in colors if color is not None]
    missing = len(colors) - len(given)
    wheel = [hsv_to_rgb(i / missing, 0.6, 0.8) for i in range(missing)]
    wished = [(round(r * 255), round(g * 255), round(b * 255)) for r, g, b in wheel]
    # Different colors that come first stay where they are.
    distinct = list(dict.fromkeys(given))
    free = iter(separate(np.array([*distinct, *wished]))[len(distinct) :]) if missing else iter(())
    return [next(free) if color is None else color for color in colors]


def _place(wanted: NDArray[np.int64], distance: float) -> NDArray[np.int64] | None:
    """Colors at least ``distance`` apart, or None where the lattice has no such color left."""
    lattice = np.stack(np.meshgrid(_LATTICE, _LATTICE, _LATTICE, indexing="ij"), -1).reshape(-1, 3)
    lattice_lab, wanted_lab = cielab(lattice), cielab(wanted)
    free = np.ones(len(lattice), dtype=np.bool_)
    placed, placed_lab = wanted.copy(), wanted_lab.copy()
    settled = np.zeros(len(wanted), dtype=np.bool_)

    def settle(i: int) -> None:
        settled[i] = True
        free[_square_distance(lattice_lab, placed_lab[i]) < distance**2] = False

    # Colors that may stay come first, lest a moved one takes their place.
    for i in range(len(wanted)):
        if np.all(_square_distance(placed_lab[settled], wanted_lab[i]) >= distance**2):
            settle(i)
    for i in map(int, np.flatnonzero(~settled)):
        if not free.any():
            return None
        choice = np.argmin(np.where(free, _reluctance(wanted_lab[i], lattice_lab), np.inf))
        placed[i], placed_lab[i] = lattice[choice], lattice_lab[choice]
        settle(i)
    return placed


def _square_distance(lab: Float, other: Float) -> Float:
    total: Float = np.sum((lab - other) ** 2, axis=1)
    return total


def _reluctance(lab: Float, others: Float) -> Float:
    """Squared color difference with lightness weighted down and hue weighted up."""
    lightness, a, b = (others - lab).T
    chroma = np.hypot(others[:, 1], others[:, 2]) - np.hypot(lab[1], lab[2])
    hue_squared = np.maximum(a**2 + b**2 - chroma**2, 0)
    total: Float = 0.5 * lightness**2 + chroma**2 + 4 * hue_squared
    return total


def cielab(colors: NDArray[Any]) -> Float:
    """CIELAB (D65, 2 degree observer) of sRGB colors.

    Parameters
    ----------
    colors : array (..., 3)
        0 to 255.

    Returns
    -------
    float64 array (..., 3)
        L* from 0 to 100, a* and b*.

    References
    ----------
    IEC 61966-2-1 (1999); CIE 15 (2004).
    """
    encoded = np.asarray(colors, np.float64) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    relative = (linear[..., None, :] * _TO_XYZ).sum(-1) / _TO_XYZ.sum(1)
    cube = np.where(
        relative > (6 / 29) ** 3, np.cbrt(relative), relative * (29 / 6) ** 2 / 3 + 4 / 29
    )
    x, y, z = np.moveaxis(cube, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)
