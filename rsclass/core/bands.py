"""Bands by number, name or role.

Roles are the common names of the STAC electro-optical extension (v1.1): ``coastal``, ``blue``,
``green``, ``yellow``, ``red``, ``rededge071``, ``rededge074``, ``rededge078``, ``nir``, ``nir08``,
``nir09``, ``cirrus``, ``swir16``, ``swir22``, ``lwir11``, ``lwir12`` and ``pan``.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from rsclass.core.sensors import CHANNELS, channel, channel_at, channel_number, sensor_of_scene
from rsclass.core.types import Band
from rsclass.errors import UsageError

# Role: lowest, central and highest wavelength in nanometers.
SPECTRUM: dict[str, tuple[float, float, float]] = {
    "coastal": (400, 443, 450),
    "blue": (450, 490, 510),
    "green": (510, 560, 590),
    "yellow": (590, 605, 620),
    "red": (620, 660, 690),
    "rededge071": (690, 705, 730),
    "rededge074": (730, 740, 760),
    "rededge078": (760, 780, 800),
    "nir": (800, 835, 850),
    "nir08": (850, 865, 900),
    "nir09": (900, 945, 1000),
    "cirrus": (1340, 1375, 1400),
    "swir16": (1550, 1610, 1750),
    "swir22": (2050, 2200, 2400),
    "lwir11": (10400, 10900, 11500),
    "lwir12": (11500, 12000, 12600),
}
ROLES = (*SPECTRUM, "pan")

# What a word of the user may mean, the best first.
_MEANINGS: dict[str, tuple[str, ...]] = {
    "nir": ("nir", "nir08"),
    "nir08": ("nir08", "nir"),
    "rededge": ("rededge071", "rededge074", "rededge078"),
    "swir1": ("swir16",),
    "swir2": ("swir22",),
    "swir": ("swir16", "swir22"),
    "thermal": ("lwir11", "lwir12"),
    "tir": ("lwir11", "lwir12"),
    "lwir": ("lwir11", "lwir12"),
    "panchromatic": ("pan",),
    "ultrablue": ("coastal",),
    "aerosol": ("coastal",),
}
_WORDS: dict[str, str] = {
    **{role: role for role in ROLES},
    "coastalaerosol": "coastal",
    "coastalblue": "coastal",
    "aerosol": "coastal",
    "ultrablue": "coastal",
    "rededge1": "rededge071",
    "rededge2": "rededge074",
    "rededge3": "rededge078",
    "rededge": "rededge071",
    "vegetationrededge": "rededge071",
    "nearinfrared": "nir",
    "nearir": "nir",
    "nirnarrow": "nir08",
    "narrownir": "nir08",
    "nira": "nir08",
    "watervapour": "nir09",
    "watervapor": "nir09",
    "swir1": "swir16",
    "swir2": "swir22",
    "swirone": "swir16",
    "swirtwo": "swir22",
    "panchromatic": "pan",
    "thermal": "lwir11",
    "tir1": "lwir11",
    "tir2": "lwir12",
}
_RANGE = re.compile(r"(.+?)\s*(?:\.\.|:)\s*(.+)|(\d+)\s*-\s*(\d+)")


def role_of_name(name: str) -> str | None:
    """The role that a band's own name spells: ``Red (665 nm)``, ``NIR``, ``SWIR 1``."""
    bare = re.sub(r"\(.*?\)|\[.*?\]", " ", name.lower())
    bare = re.sub(r"[\d.]+\s*(nm|nanometers?|um|µm|micrometers?)\b", " ", bare)
    words = [word for word in re.split(r"[^a-z0-9]+", bare) if word]
    words = [word for word in words if word not in ("band", "sr", "toa", "boa", "reflectance")]
    return _WORDS.get("".join(words)) or next(
        (_WORDS[word] for word in words if word in _WORDS), None
    )


def wavelength_in_nm(value: float, unit: str = "") -> float | None:
    """A wavelength in nanometers; without a unit, numbers below 100 are micrometers."""
    unit = unit.strip().lower()
    if not 0 < value < float("inf"):
        return None
    if unit.startswith(("nano", "nm")):
        factor = 1.0
    elif unit.startswith(("micro", "um", "µm", "μm")):
        factor = 1000.0
    else:
        factor = 1000.0 if value < 100 else 1.0
    # Rounded: 0.4 micrometers is 400 nm, not 400.00000000000006.
    return round(value * factor, 6)


def with_roles(bands: Sequence[Band], hints: Iterable[str] = ()) -> tuple[Band, ...]:
    """Fill in roles and wavelengths.

    Parameters
    ----------
    bands : sequence of Band
        With what is known: names, and roles or wavelengths where metadata gives them.
    hints : iterable of str
        File names and metadata values, which may name the sensor.

    Notes
    -----
    In this order: the role given, the channel of the sensor, the name's own words, the
    wavelength. Of many bands in one range of wavelengths (imaging spectrometers) the one next
    to the range's center gets the role.
    """
    sensor = sensor_of_scene(
        (band.name for band in bands), [*hints, *(band.name for band in bands)]
    )
    if sensor and len(bands) > 2 * len(CHANNELS[sensor]):  # an imaging spectrometer
        sensor = None
    named = []
    for band in bands:
        # A number that only says where the band stands in the file is not the sensor's.
        known = None if re.fullmatch(r"band \d+", band.name) else channel(sensor, band.name)
        told = band.role or (known.role if known else None) or role_of_name(band.name)
        at = channel_at(sensor, band.wavelength)
        role = told or (at.role if at else None)
        wavelength = band.wavelength or (known.wavelength if known else None)
        named.append(replace(band, role=role, wavelength=wavelength))
    return tuple(named) if sensor else _roles_from_wavelengths(named)


def _roles_from_wavelengths(bands: list[Band]) -> tuple[Band, ...]:
    taken = {band.role for band in bands}
    for role, (low, center, high) in SPECTRUM.items():
        if role in taken:
            continue
        inside = [
            (abs(band.wavelength - center), i)
            for i, band in enumerate(bands)
            if band.role is None and band.wavelength is not None and low <= band.wavelength < high
        ]
        if inside:
            nearest = min(inside)[1]
            bands[nearest] = replace(bands[nearest], role=role)
    return tuple(bands)


def distinct_names(bands: Sequence[Band]) -> tuple[tuple[Band, ...], list[str]]:
    """Give bands that share a name their number instead, and say so."""
    counts = Counter(band.name.lower() for band in bands)
    shared = {name for name, count in counts.items() if count > 1}
    warnings = []
    for name in sorted(shared):
        numbers = [i + 1 for i, band in enumerate(bands) if band.name.lower() == name]
        warnings.append(
            f"bands {', '.join(map(str, numbers))} share the name {bands[numbers[0] - 1].name!r}; "
            "they are told apart by their numbers."
        )
    renamed = tuple(
        replace(band, name=f"band {i + 1}") if band.name.lower() in shared else band
        for i, band in enumerate(bands)
    )
    return renamed, warnings


def parse_bands(
    spec: str | int | Sequence[int | str] | None, bands: Sequence[Band]
) -> tuple[int, ...]:
    """Which bands ``spec`` means.

    Parameters
    ----------
    spec : str, int, sequence of int or str, or None
        1-based numbers (``4,3,2``), ranges (``1..6``, ``1-6``, ``B02..B07``), names (``B04``),
        roles (``red,nir``), mixed; None: every band.
    bands : sequence of Band

    Returns
    -------
    tuple of int
        0-based, in the order asked for.

    Raises
    ------
    UsageError
        A band does not exist, is ambiguous, or is asked for twice.
    """
    if spec is None:
        return tuple(range(len(bands)))
    parts: list[int | str] = []
    for item in [spec] if isinstance(spec, str | int) else spec:
        parts += [p.strip() for p in item.split(",")] if isinstance(item, str) else [int(item)]
    chosen: list[int] = []
    for part in parts:
        for index in _indices(part, bands):
            if index in chosen:
                raise UsageError(
                    f"--bands asks for band {index + 1} ({bands[index].name}) twice; "
                    "name every band once."
                )
            chosen.append(index)
    if not chosen:
        raise UsageError("--bands is empty; name at least one band or leave it out.")
    return tuple(chosen)


def _indices(part: int | str, bands: Sequence[Band]) -> list[int]:
    if isinstance(part, int) or re.fullmatch(r"[+-]?\d+", part):
        return [_by_number(int(part), bands)]
    single = _by_name(part, bands)
    if single is not None:
        return [single]
    span = _RANGE.fullmatch(part)
    if span:
        first, last = (text for text in span.groups() if text is not None)
        start, end = _indices(first, bands)[0], _indices(last, bands)[0]
        if end < start:
            raise UsageError(f"the band range {part} runs backwards; write {last}..{first}.")
        return list(range(start, end + 1))
    raise UsageError(f"no band is named {part!r}. {_remedy(part, bands)}")


def _by_number(number: int, bands: Sequence[Band]) -> int:
    if not 1 <= number <= len(bands):
        raise UsageError(f"there is no band {number}; bands are numbered 1 to {len(bands)}.")
    return number - 1


def _by_name(part: str, bands: Sequence[Band]) -> int | None:
    word = part.lower()
    for i, band in enumerate(bands):
        if band.name.lower() == word:
            return i
    bare = _without_zeros(word)
    alike = [i for i, band in enumerate(bands) if _without_zeros(band.name.lower()) == bare]
    number = channel_number(part)
    alike = alike or [i for i, b in enumerate(bands) if number and channel_number(b.name) == number]
    if len(alike) == 1:
        return alike[0]
    squeezed = re.sub(r"[^a-z0-9]", "", word)
    for role in _MEANINGS.get(squeezed, (squeezed,)):
        having = [i for i, band in enumerate(bands) if band.role == role]
        if len(having) > 1:
            numbers = " and ".join(f"{i + 1} ({bands[i].name})" for i in having)
            raise UsageError(f"{part!r} may be band {numbers}; choose by number.")
        if having:
            return having[0]
    return None


def _without_zeros(name: str) -> str:
    return re.sub(r"(?<!\d)0+(?=\d)", "", name)


def _remedy(part: str, bands: Sequence[Band]) -> str:
    words = {band.name.lower(): band.name for band in bands}
    words |= {band.role: band.role for band in bands if band.role}
    close = [words[w] for w in difflib.get_close_matches(part.lower(), words, n=3, cutoff=0.5)]
    meant = f"Did you mean {' or '.join(map(repr, close))}? " if close else ""
    listed = ", ".join(
        f"{i + 1} {band.name}" + (f" ({band.role})" if band.role else "")
        for i, band in enumerate(bands[:15])
    )
    return f"{meant}Bands: {listed}{', ...' if len(bands) > 15 else ''}."
