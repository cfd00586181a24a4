"""What the ground looks like from above: typical spectra of six covers, and spectral indices.

The reflectances are typical values, rounded by us to one hundredth from published measurements;
a given field or roof may differ by half or twice. They serve to name clusters, not to measure.

References
----------
Bowker, D. E., Davis, R. E., Myrick, D. L., Stacy, K., Jones, W. T. (1985), Spectral reflectances of
natural targets for use in remote sensing studies, NASA Reference Publication 1139.
Kokaly, R. F., and others (2017), USGS Spectral Library version 7, U.S. Geological Survey Data
Series 1035, doi:10.3133/ds1035.
Meerdink, S. K., Hook, S. J., Roberts, D. A., Abbott, E. A. (2019), The ECOSTRESS spectral library
version 1.0, Remote Sensing of Environment 230, doi:10.1016/j.rse.2019.05.015.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["COVERS", "INDICES", "KINDS", "ROLES", "Cover", "Index", "index_values"]

ROLES = ("blue", "green", "red", "nir", "swir16", "swir22")
"""Parts of the spectrum in which the covers are described, the columns of their spectra."""

Spectrum = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Cover:
    """A kind of ground.

    Parameters
    ----------
    spectra : dict of str to tuple of 6 floats
        Typical reflectances, 0 to 1, of its varieties in each of ``ROLES``.
    words : frozenset of str
        By which land-cover classes of this kind are called, in small letters.
    """

    spectra: dict[str, Spectrum]
    words: frozenset[str]


COVERS: dict[str, Cover] = {
    "water": Cover(
        {
            "clear water": (0.04, 0.03, 0.02, 0.01, 0.01, 0.00),
            "turbid water": (0.08, 0.11, 0.10, 0.05, 0.01, 0.01),
            "water with glint or haze": (0.08, 0.07, 0.06, 0.05, 0.04, 0.03),
        },
        frozenset(
            {"water", "waters", "lake", "lakes", "river", "rivers", "sea", "ocean", "reservoirs"}
        ),
    ),
    "vegetation": Cover(
        {
            "leaves and grass": (0.04, 0.08, 0.04, 0.45, 0.22, 0.10),
            "needle forest": (0.02, 0.04, 0.03, 0.25, 0.11, 0.05),
            "sparse plants": (0.06, 0.10, 0.09, 0.28, 0.25, 0.16),
        },
        frozenset({"vegetation", "plants"}),
    ),
    "bare soil": Cover(
        {
            "moist soil": (0.05, 0.07, 0.10, 0.15, 0.22, 0.18),
            "dry soil": (0.10, 0.14, 0.19, 0.27, 0.37, 0.33),
            "sand": (0.20, 0.27, 0.34, 0.42, 0.50, 0.46),
        },
        frozenset({"bare", "barren", "soil", "soils", "sand", "rock", "rocks", "desert"}),
    ),
    "built-up": Cover(
        {
            "concrete": (0.20, 0.24, 0.27, 0.31, 0.35, 0.33),
            "asphalt": (0.08, 0.09, 0.10, 0.12, 0.14, 0.14),
            "town": (0.10, 0.12, 0.13, 0.22, 0.21, 0.18),
        },
        frozenset(
            {"built", "urban", "artificial", "developed", "settlement", "settlements", "impervious"}
        ),
    ),
    "snow": Cover(
        {
            "fresh snow": (0.95, 0.95, 0.94, 0.85, 0.12, 0.08),
            "old snow": (0.75, 0.75, 0.72, 0.60, 0.06, 0.05),
        },
        frozenset({"snow", "ice", "glacier", "glaciers"}),
    ),
    "cloud": Cover(
        {
            "thick cloud": (0.65, 0.63, 0.63, 0.66, 0.50, 0.38),
            "thin cloud": (0.32, 0.31, 0.31, 0.42, 0.30, 0.20),
        },
        frozenset({"cloud", "clouds"}),
    ),
}


KINDS: tuple[frozenset[str], ...] = (
    *(cover.words for cover in COVERS.values()),
    frozenset({"forest", "forests", "forested", "tree", "trees", "wood", "woods", "woodland"}),
    frozenset({"grass", "grasses", "grassland", "herbaceous", "meadow", "meadows", "pasture"}),
    frozenset({"shrub", "shrubs", "shrubland", "scrub", "heath"}),
    frozenset({"crop", "crops", "cropland", "arable", "agriculture", "agricultural", "farmland"}),
    frozenset({"wetland", "wetlands", "marsh", "marshes", "swamp", "bog", "mangrove"}),
)
"""Words that stand for the same kind of land cover."""


@dataclass(frozen=True, slots=True)
class Index:
    """A normalized difference ``(one - other) / (one + other)`` of two bands.

    Parameters
    ----------
    one, other : str
        Roles.
    source : str
    """

    one: str
    other: str
    source: str


INDICES: dict[str, Index] = {
    "NDVI": Index("nir", "red", "Rouse et al. 1974, NASA SP-351"),
    "NDWI": Index("green", "nir", "McFeeters 1996, doi:10.1080/01431169608948714"),
    "MNDWI": Index("green", "swir16", "Xu 2006, doi:10.1080/01431160600589179"),
    "NDBI": Index("swir16", "nir", "Zha et al. 2003, doi:10.1080/01431160304987"),
    "redness": Index("red", "blue", "how much redder than blue; of no single source"),
}
"""MNDWI is also the snow index NDSI (Hall et al. 1995, doi:10.1016/0034-4257(95)00137-P)."""


def index_values(spectrum: Mapping[str, float]) -> dict[str, float]:
    """Every index whose bands are known.

    Parameters
    ----------
    spectrum : mapping of role to float
        Values proportional to reflectance.
    """
    found = {}
    for name, index in INDICES.items():
        if index.one in spectrum and index.other in spectrum:
            one, other = spectrum[index.one], spectrum[index.other]
            if one + other > 0:
                found[name] = (one - other) / (one + other)
    return found
