"""Faults of --mask files: systems, shapes and lost parts of polygons."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas
import pytest
from fault_scenes import UTM, write
from shapely import Polygon, box
from workplace import Ended, Workplace

HUNDRED_PIXELS = box(500000, 5399900, 500100, 5400000)
BOW_TIE = Polygon([(500100, 5400000), (500200, 5399900), (500200, 5400000), (500100, 5399900)])


def polygons(place: Workplace, *shapes: Any, name: str = "m.gpkg", crs: Any = UTM) -> Path:
    """A file of polygons among the inputs."""
    path = place.inputs / name
    frame = geopandas.GeoDataFrame({"id": range(len(shapes))}, geometry=list(shapes), crs=crs)
    frame.to_file(path)
    return path


def classified(ended: Ended) -> int:
    """Pixels with a class."""
    number: int = json.loads(ended.out)["classified"]
    return number


def test_polygons_in_another_system_are_laid_where_they_belong(
    place: Workplace, scene: Path
) -> None:
    """V01."""
    [degrees] = geopandas.GeoSeries([HUNDRED_PIXELS], crs=UTM).to_crs(4326)
    mask = polygons(place, degrees, name="m.geojson", crs=4326)
    ended = place.classify(scene, "--mask", mask, "--json")
    ended.done()
    assert classified(ended) == 100


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_a_mask_or_a_scene_without_a_system_is_refused(place: Workplace, scene: Path) -> None:
    """V01."""
    homeless = polygons(place, HUNDRED_PIXELS, name="homeless.gpkg", crs=None)
    place.classify(scene, "--mask", homeless).refused(3, "homeless.gpkg has no CRS", "assign one")
    nowhere = write(place.inputs / "nowhere.tif", crs=None)
    mask = polygons(place, HUNDRED_PIXELS)
    place.classify(nowhere, "--mask", mask).refused(3, "the scene has no CRS", "assign one")


def test_polygons_beside_the_scene_are_refused_with_both_extents(
    place: Workplace, scene: Path
) -> None:
    """V02."""
    mask = polygons(place, box(700000, 10, 700001, 11))
    place.classify(scene, "--mask", mask).refused(
        3, "m.gpkg lies outside the scene", "700000 10 700001 11", "500000 5399760 500200 5400000"
    )


def test_features_without_a_shape_are_counted(place: Workplace, scene: Path) -> None:
    """V03."""
    mask = polygons(place, HUNDRED_PIXELS, None, Polygon())
    ended = place.classify(scene, "--mask", mask, "--json")
    ended.done("2 of 3 features have no geometry")
    assert classified(ended) == 100
    empty = polygons(place, None, None, name="empty.gpkg")
    place.classify(scene, "--mask", empty, "-o", place.outputs / "b.tif").refused(
        3, "empty.gpkg holds no polygon", "give a raster or polygons"
    )


def test_a_polygon_that_crosses_itself_is_mended_and_named(place: Workplace, scene: Path) -> None:
    """V04: the second feature is a bow tie, half of its box; each diagonal cuts ten pixels."""
    mask = polygons(place, HUNDRED_PIXELS, BOW_TIE)
    ended = place.classify(scene, "--mask", mask, "--json")
    ended.done("cross themselves were mended: 2")
    assert 100 + 40 <= classified(ended) <= 100 + 60


def test_polygons_smaller_than_a_pixel_leave_nothing_and_say_so(
    place: Workplace, scene: Path
) -> None:
    """V06."""
    mask = polygons(place, box(500001, 5399991, 500002, 5399992))
    place.classify(scene, "--mask", mask).refused(3, "scene has no valid pixel", "Check --mask")


def test_coordinates_that_no_system_knows_are_refused(place: Workplace, scene: Path) -> None:
    """V09."""
    mask = polygons(place, box(200, 100, 201, 101), name="m.geojson", crs=4326)
    place.classify(scene, "--mask", mask).refused(3, "m.geojson cannot be brought", "check its")


@pytest.mark.parametrize(("lost", "said"), [(".prj", "m.prj is missing"), (".shx", "m.shx")])
def test_the_lost_part_of_a_shapefile_is_named(
    place: Workplace, scene: Path, lost: str, said: str
) -> None:
    """V10."""
    mask = polygons(place, HUNDRED_PIXELS, name="m.shp")
    mask.with_suffix(lost).unlink()
    place.classify(scene, "--mask", mask).refused(3, "--mask", "m.shp", said)


def test_a_mask_that_is_neither_raster_nor_vector_is_refused(place: Workplace, scene: Path) -> None:
    """R28."""
    mask = place.inputs / "m.txt"
    mask.write_text("nothing")
    place.classify(scene, "--mask", mask).refused(
        3, "m.txt is neither a raster nor a vector file", "give a raster or polygons"
    )
