from __future__ import annotations

from dataclasses import dataclass

import pytest
from rasterio.crs import CRS

from rsclass.core.grid import Georeference
from rsclass.core.types import Window
from rsclass.errors import DataError
from rsclass.io.overlap import overlap

UTM = CRS.from_epsg(32630).to_wkt()
NORTH_UP = (10.0, 0.0, 500_000.0, 0.0, -10.0, 5_800_000.0)


@dataclass
class Raster:
    name: str
    height: int
    width: int
    georef: Georeference


def raster(name, height, width, transform=NORTH_UP, crs=UTM):
    return Raster(name, height, width, Georeference(transform, crs))


def moved(row, col, transform=NORTH_UP):
    a, b, c, d, e, f = transform
    return (a, b, c + a * col + b * row, d, e, f + d * col + e * row)


@pytest.mark.parametrize(
    "transform",
    [NORTH_UP, (10.0, 0.0, 0.0, 0.0, 10.0, 0.0), (8.0, 6.0, 0.0, 6.0, -8.0, 0.0)],
    ids=["north up", "south up (R21)", "rotated (R20)"],
)
def test_maps_of_different_extent_meet_where_both_have_pixels(transform):
    one = raster("a", 100, 80, transform)
    other = raster("b", 50, 90, moved(70, -20, transform))
    mine, theirs = overlap(one, other)
    assert mine == Window(70, 0, 30, 70)
    assert theirs == Window(0, 20, 30, 70)
    assert overlap(other, one) == (theirs, mine)


def test_the_same_system_may_be_written_in_two_ways():
    """V01: the text of a CRS is no measure of it."""
    text = CRS.from_epsg(32630).to_wkt(version="WKT1_GDAL")
    assert text != CRS.from_epsg(32630).to_wkt(version="WKT2_2019")
    whole = Window(0, 0, 5, 5)
    assert overlap(raster("a", 5, 5), raster("b", 5, 5, crs=text)) == (whole, whole)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (raster("b", 5, 5, crs=CRS.from_epsg(32631).to_wkt()), "EPSG:32631"),
        (raster("b", 5, 5, crs=None), "none"),
        (raster("b", 5, 5, transform=(20.0, 0.0, 5e5, 0.0, -20.0, 58e5)), "do not coincide"),
        (raster("b", 5, 5, transform=moved(0.5, 0)), "do not coincide"),
        (raster("b", 5, 5, transform=(10.0, 0.0, 5e5, 0.0, 10.0, 58e5)), "do not coincide"),
        (raster("b", 5, 5, transform=moved(5, 0)), "lie apart"),
        (raster("b", 5, 5, transform=None), "no geotransform"),
    ],
)
def test_maps_that_cannot_be_laid_over_each_other_are_refused(other, told):
    with pytest.raises(DataError, match=told):
        overlap(raster("a", 5, 5), other)


def test_pixels_that_drift_apart_over_a_wide_scene_are_refused():
    wide = raster("a", 5, 10_000)
    other = raster("b", 5, 10_000, transform=(10.001, *NORTH_UP[1:]))
    with pytest.raises(DataError, match="do not coincide"):
        overlap(wide, other)


def test_maps_without_a_place_are_compared_when_they_are_of_one_size():
    """R19"""
    one = raster("a", 4, 6, None, None)
    assert overlap(one, raster("b", 4, 6, None, None))[0] == Window(0, 0, 4, 6)
    with pytest.raises(DataError, match="do not coincide"):
        overlap(one, raster("b", 6, 4, None, None))
