"""What the simulated ground is made of: surfaces, their reflectances, and the classes they form.

The reflectances are typical values at the band centers, rounded by hand from the curves shown for
such surfaces in the USGS Spectral Library (Kokaly et al. 2017, USGS Data Series 1035,
doi:10.3133/ds1035) and the ECOSTRESS library (Meerdink et al. 2019, Remote Sensing of Environment
230:111196, doi:10.1016/j.rse.2019.05.015); vegetation is lowered from leaves to canopies (Jensen
2007, *Remote Sensing of the Environment*, chapter 11). They are not the spectra of single samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from rsclass.core.types import Band


class LandCover(NamedTuple):
    """A land-cover class: its name, color (red, green, blue) and one sentence."""

    name: str
    color: tuple[int, int, int]
    description: str


class Surface(NamedTuple):
    """A spectral class, one of those that make up a land-cover class.

    Parameters
    ----------
    name : str
    cover : str
        The land-cover class that it belongs to.
    reflectance : tuple of float
        Mean in every band, 0 to 1.
    patchy, grainy, variety : float
        Relative standard deviation that lasts over some ten pixels, that changes from pixel to
        pixel, and that changes from parcel to parcel.
    """

    name: str
    cover: str
    reflectance: tuple[float, ...]
    patchy: float = 0.0
    grainy: float = 0.0
    variety: float = 0.0


@dataclass(frozen=True, slots=True)
class Palette:
    """The bands of a sensor and the surfaces as it sees them.

    Parameters
    ----------
    bands : tuple of Band
    covers : tuple of LandCover
        In the order of their codes, from 1; the first one is the ground under all others.
    surfaces : tuple of Surface
    greening, moistening : tuple of float
        Relative change of every band where vegetation grows denser, and where ground gets wetter.
    """

    bands: tuple[Band, ...]
    covers: tuple[LandCover, ...]
    surfaces: tuple[Surface, ...]
    greening: tuple[float, ...]
    moistening: tuple[float, ...]

    def index(self, surface: str) -> int:
        """Place of a surface in ``surfaces``."""
        return [s.name for s in self.surfaces].index(surface)

    def code(self, cover: str) -> int:
        """Code of a land-cover class, from 1."""
        return [c.name for c in self.covers].index(cover) + 1


# Central wavelengths of Sentinel-2A: ESA, Sentinel-2 Spectral Response Functions, 2015 ff.
_SENTINEL2_BANDS = (
    Band("B02", "blue", 492.4),
    Band("B03", "green", 559.8),
    Band("B04", "red", 664.6),
    Band("B05", "rededge071", 704.1),
    Band("B06", "rededge074", 740.5),
    Band("B07", "rededge078", 782.8),
    Band("B08", "nir", 832.8),
    Band("B8A", "nir08", 864.7),
    Band("B11", "swir16", 1613.7),
    Band("B12", "swir22", 2202.4),
)

# fmt: off
SENTINEL2 = Palette(
    bands=_SENTINEL2_BANDS,
    covers=(
        LandCover("grassland", (163, 201, 90), "Pastures and meadows, lush or dry."),
        LandCover("cropland", (237, 205, 84), "Fields with a standing crop, green or ripe."),
        LandCover("bare soil", (166, 116, 71), "Fields without a crop."),
        LandCover("broadleaf forest", (64, 138, 54), "Closed stands of deciduous trees."),
        LandCover("conifer forest", (21, 82, 61), "Closed stands of spruce and pine."),
        LandCover("built-up", (196, 60, 57), "Roofs and streets with the gardens between them."),
        LandCover("water", (41, 98, 184), "A river and lakes."),
        LandCover("gravel", (216, 205, 190), "Bars of gravel and sand along the river."),
    ),
    surfaces=(
        #        B02   B03   B04   B05   B06   B07   B08   B8A   B11   B12    patchy grainy variety
        Surface("pasture", "grassland",
                (.035, .075, .045, .110, .270, .330, .350, .370, .220, .120), .10, .05, .05),
        Surface("dry meadow", "grassland",
                (.050, .088, .078, .130, .225, .262, .280, .300, .275, .170), .10, .06, .05),
        Surface("green crop", "cropland",
                (.030, .068, .034, .092, .330, .430, .450, .468, .200, .094), .04, .04, .10),
        Surface("ripe crop", "cropland",
                (.065, .105, .130, .170, .230, .255, .275, .295, .320, .220), .04, .04, .10),
        Surface("soil", "bare soil",
                (.080, .110, .150, .175, .195, .210, .225, .245, .310, .270), .06, .05, .15),
        Surface("broadleaf", "broadleaf forest",
                (.022, .045, .025, .072, .230, .292, .315, .332, .160, .075), .09, .11, .0),
        Surface("conifer", "conifer forest",
                (.018, .032, .020, .045, .122, .152, .165, .178, .085, .040), .10, .13, .0),
        Surface("tile roof", "built-up",
                (.090, .115, .170, .195, .215, .230, .245, .255, .270, .245), .05, .20, .0),
        Surface("bright roof", "built-up",
                (.200, .230, .250, .260, .270, .280, .290, .295, .310, .290), .05, .22, .0),
        Surface("asphalt", "built-up",
                (.075, .090, .100, .105, .110, .115, .120, .125, .150, .140), .04, .12, .0),
        Surface("garden", "built-up",
                (.040, .070, .055, .105, .220, .265, .285, .300, .200, .115), .08, .16, .0),
        Surface("deep water", "water",
                (.032, .030, .016, .014, .012, .012, .010, .009, .006, .004), .06, .03, .0),
        Surface("turbid water", "water",
                (.055, .070, .055, .045, .032, .030, .025, .022, .012, .008), .10, .04, .0),
        Surface("gravel bar", "gravel",
                (.180, .220, .260, .275, .285, .295, .305, .312, .360, .330), .08, .08, .0),
    ),
    greening=(-.4, -.1, -.8, -.2, .4, .6, .7, .7, -.2, -.5),
    moistening=(-.2, -.2, -.3, -.3, -.2, -.1, -.1, -.1, -.8, -1.),
)

AERIAL = Palette(
    bands=(
        Band("red", "red", 650.0),
        Band("green", "green", 560.0),
        Band("blue", "blue", 470.0),
        Band("nir", "nir", 840.0),
    ),
    covers=(
        LandCover("lawn", (163, 201, 90), "Mown or dry grass."),
        LandCover("tree", (43, 112, 52), "Crowns of single trees and of a grove."),
        LandCover("building", (196, 60, 57), "Roofs, whatever their material."),
        LandCover("paved", (140, 140, 145), "Streets and driveways."),
        LandCover("bare soil", (166, 116, 71), "Building plots and flower beds."),
        LandCover("water", (52, 152, 219), "Swimming pools."),
    ),
    surfaces=(
        #                                red   green blue  nir   patchy grainy variety
        Surface("mown grass", "lawn",     (.060, .090, .045, .400), .10, .06, .10),
        Surface("dry grass", "lawn",      (.125, .125, .075, .310), .12, .08, .10),
        Surface("crown", "tree",          (.035, .058, .028, .330), .20, .22, .0),
        Surface("red roof", "building",   (.210, .115, .085, .260), .04, .06, .12),
        Surface("gray roof", "building",  (.130, .130, .130, .150), .04, .06, .16),
        Surface("asphalt", "paved",       (.105, .100, .095, .125), .06, .06, .0),
        Surface("concrete", "paved",      (.270, .255, .225, .310), .05, .06, .06),
        Surface("earth", "bare soil",     (.190, .140, .095, .270), .10, .10, .0),
        Surface("pool", "water",          (.070, .210, .260, .030), .05, .05, .0),
    ),
    greening=(-.6, -.1, -.4, .5),
    moistening=(-.3, -.3, -.3, -.1),
)
# fmt: on
