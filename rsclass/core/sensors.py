"""The bands of known sensors: their place in the spectrum and their center wavelength."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Channel:
    """A band of a sensor: its role and its center wavelength in nanometers (None: broad)."""

    role: str | None
    wavelength: float | None


SENTINEL2 = "Sentinel-2 MSI"
LANDSAT_TM = "Landsat 4-5 TM"
LANDSAT_ETM = "Landsat 7 ETM+"
LANDSAT_OLI = "Landsat 8-9 OLI/TIRS"

# Centers: ESA, Sentinel-2 Spectral Response Functions (S2A); USGS, Landsat band designations.
CHANNELS: dict[str, dict[str, Channel]] = {
    SENTINEL2: {
        "1": Channel("coastal", 442.7),
        "2": Channel("blue", 492.4),
        "3": Channel("green", 559.8),
        "4": Channel("red", 664.6),
        "5": Channel("rededge071", 704.1),
        "6": Channel("rededge074", 740.5),
        "7": Channel("rededge078", 782.8),
        "8": Channel("nir", 832.8),
        "8A": Channel("nir08", 864.7),
        "9": Channel("nir09", 945.1),
        "10": Channel("cirrus", 1373.5),
        "11": Channel("swir16", 1613.7),
        "12": Channel("swir22", 2202.4),
    },
    LANDSAT_TM: {
        "1": Channel("blue", 485.0),
        "2": Channel("green", 560.0),
        "3": Channel("red", 660.0),
        "4": Channel("nir08", 830.0),
        "5": Channel("swir16", 1650.0),
        "6": Channel("lwir11", 11450.0),
        "7": Channel("swir22", 2215.0),
    },
    LANDSAT_ETM: {
        "1": Channel("blue", 482.5),
        "2": Channel("green", 565.0),
        "3": Channel("red", 660.0),
        "4": Channel("nir08", 837.5),
        "5": Channel("swir16", 1650.0),
        "6": Channel("lwir11", 11450.0),
        "7": Channel("swir22", 2220.0),
        "8": Channel("pan", 710.0),
    },
    LANDSAT_OLI: {
        "1": Channel("coastal", 442.96),
        "2": Channel("blue", 482.04),
        "3": Channel("green", 561.41),
        "4": Channel("red", 654.59),
        "5": Channel("nir08", 864.67),
        "6": Channel("swir16", 1608.86),
        "7": Channel("swir22", 2200.73),
        "8": Channel("pan", 589.5),
        "9": Channel("cirrus", 1373.43),
        "10": Channel("lwir11", 10895.0),
        "11": Channel("lwir12", 12005.0),
    },
}

_SENSOR_SIGNS = (
    (
        SENTINEL2,
        r"(?<![A-Z0-9])S2[A-D]_?MSI|SENTINEL[-_ ]?2|HLS\.S30"
        r"|(?<![A-Z0-9])T\d{2}[A-Z]{3}_\d{8}T\d{6}",
    ),
    (
        LANDSAT_OLI,
        r"(?<![A-Z0-9])L[COT]0?[89](?!\d)[_A-Z\d]*|L(?:AND)?SAT[-_ ]?[89](?!\d)|HLS\.L30",
    ),
    (LANDSAT_ETM, r"(?<![A-Z0-9])LE0?7[_\d]|L(?:AND)?SAT[-_ ]?7(?!\d)|ETM\+"),
    (LANDSAT_TM, r"(?<![A-Z0-9])LT0?[45][_\d]|L(?:AND)?SAT[-_ ]?[45](?!\d)"),
)
_BAND_NUMBER = re.compile(
    r"(?:SR_|ST_|TOA_)?B(?:AND)?[ _-]?0*(\d{1,2}A?)(?:[ _]?VCID[ _]?[12])?", re.I
)


def sensor_of(texts: Iterable[str]) -> str | None:
    """The sensor that the first telling text speaks of: metadata, product or file names."""
    for text in texts:
        for sensor, sign in _SENSOR_SIGNS:
            if re.search(sign, text.upper()):
                return sensor
    return None


def sensor_of_scene(bands: Iterable[str], texts: Iterable[str]) -> str | None:
    """The sensor that band names and ``texts`` (see `sensor_of`) point to.

    Only Sentinel-2 has a ``B8A``; names of two digits (``B04``) are its own too, unless the texts
    speak of another sensor.
    """
    plain = [name.strip().upper() for name in bands]
    if "B8A" in plain:
        return SENTINEL2
    padded = bool(plain) and all(re.fullmatch(r"B(0\d|1[0-2])", name) for name in plain)
    return sensor_of(texts) or (SENTINEL2 if padded else None)


def channel_number(name: str) -> str | None:
    """The sensor's own band number in a name: ``8A`` of ``B8A``, ``4`` of ``B04`` or ``SR_B4``."""
    found = _BAND_NUMBER.fullmatch(name.strip())
    return found.group(1).upper() if found else None


def channel(sensor: str | None, name: str) -> Channel | None:
    """The channel that ``name`` means on ``sensor``, or None."""
    number = channel_number(name)
    return CHANNELS[sensor].get(number) if sensor and number else None


def channel_at(sensor: str | None, wavelength: float | None) -> Channel | None:
    """The channel of ``sensor`` whose center lies within 4 % of ``wavelength`` (nanometers)."""
    if sensor is None or wavelength is None:
        return None
    known = [c for c in CHANNELS[sensor].values() if c.wavelength is not None]
    nearest = min(known, key=lambda c: abs((c.wavelength or 0.0) - wavelength))
    return nearest if abs((nearest.wavelength or 0.0) - wavelength) <= 0.04 * wavelength else None
