"""The STAC item of a class map keeps to the field rules of STAC 1.1 and of its extensions."""

import json
import re
from datetime import datetime

import numpy as np
import pytest
from rasterio.crs import CRS
from rasterio.warp import transform_bounds
from shapely.geometry import box, shape

from rsclass.core.grid import Georeference, GroundControlPoint
from rsclass.core.legend import Legend, LegendClass
from rsclass.errors import UsageError
from rsclass.io.stac import stac_item

LEGEND = Legend(
    (
        LegendClass(1, "Water", (31, 119, 180)),
        LegendClass(2, "Fläche, groß", (44, 160, 44)),
        LegendClass(3, "fläche groß", (0, 0, 0)),
        LegendClass(7, "</script>水", (255, 171, 205)),
    )
)
UTM = CRS.from_epsg(32631).to_wkt()


def item(georeference=None, **changes):
    if georeference is None:
        georeference = Georeference((10.0, 0.0, 4e5, 0.0, -10.0, 6e6), UTM)
    arguments = {
        "item_id": "map",
        "href": "./map.tif",
        "legend": LEGEND,
        "count": np.array([10, 20, 30, 40]),
        "georeference": georeference,
        "height": 200,
        "width": 300,
        "dtype": "uint8",
        "created": "2026-11-22T10:00:00+01:00",
    }
    return json.loads(stac_item(**(arguments | changes)))


def test_has_every_required_field_of_an_item():
    found = item(software={"rsclass": "0.1.0"})
    assert found["type"] == "Feature"
    assert found["stac_version"] == "1.1.0"
    assert {"id", "geometry", "bbox", "properties", "links", "assets"} <= found.keys()
    prefixes = {
        re.fullmatch(r"https://stac-extensions\.github\.io/(\w+)/v\d\.\d\.\d/schema\.json", u)[1]
        for u in found["stac_extensions"]
    }
    assert prefixes == {"classification", "processing", "projection", "raster"}
    asset = found["assets"]["map"]
    assert asset["href"] == "./map.tif"
    assert asset["type"] == "image/tiff; application=geotiff"
    assert asset["roles"] == ["data"]


def test_classes_keep_to_the_classification_extension():
    (band,) = item()["assets"]["map"]["bands"]
    assert (band["data_type"], band["nodata"]) == ("uint8", 0)
    classes = band["classification:classes"]
    assert [c["value"] for c in classes] == [0, 1, 2, 3, 7]
    assert [c.get("nodata", False) for c in classes] == [True] + [False] * 4
    names = [c["name"] for c in classes]
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", name) for name in names)
    assert len(set(names)) == len(names)
    assert [c["title"] for c in classes[1:]] == list(LEGEND.names)
    assert [c["color_hint"] for c in classes[1:]] == ["1F77B4", "2CA02C", "000000", "FFABCD"]
    assert [c["count"] for c in classes[1:]] == [10, 20, 30, 40]
    assert [c["percentage"] for c in classes[1:]] == [10, 20, 30, 40]


def test_projection_fields_describe_the_grid():
    asset = item()["assets"]["map"]
    assert asset["proj:code"] == "EPSG:32631"
    assert asset["proj:shape"] == [200, 300]
    assert asset["proj:transform"] == [10, 0, 4e5, 0, -10, 6e6]


def test_a_reference_system_without_a_code_is_spelt_out():
    crs = CRS.from_proj4("+proj=laea +lat_0=51 +lon_0=11 +ellps=GRS80 +units=m")
    asset = item(Georeference((10.0, 0.0, 0.0, 0.0, -10.0, 0.0), crs.to_wkt()))["assets"]["map"]
    assert asset["proj:code"] is None
    assert CRS.from_wkt(asset["proj:wkt2"]) == crs


def test_the_geometry_is_the_scene_in_longitude_and_latitude():
    found = item()
    expected = transform_bounds(UTM, "EPSG:4326", 4e5, 6e6 - 2000, 4e5 + 3000, 6e6)
    # Seven decimals are written.
    np.testing.assert_allclose(found["bbox"], expected, atol=1e-6)
    polygon = shape(found["geometry"])
    assert polygon.is_valid
    assert polygon.exterior.is_ccw
    np.testing.assert_allclose(polygon.bounds, found["bbox"], atol=1e-9)


def test_a_rotated_grid_keeps_its_shape():
    c, s = np.cos(np.pi / 6), np.sin(np.pi / 6)
    turned = (10 * c, 10 * s, 4e5, 10 * s, -10 * c, 6e6)
    polygon = shape(item(Georeference(turned, UTM))["geometry"])
    # A rectangle of 3000 m x 2000 m turned by 30 degrees fills this part of its bounding box.
    part = 3000 * 2000 / ((3000 * c + 2000 * s) * (3000 * s + 2000 * c))
    # Half a degree of meridian convergence and the edges' curvature change the box a little.
    assert polygon.area / box(*polygon.bounds).area == pytest.approx(part, rel=0.03)


def test_a_scene_across_the_antimeridian_is_cut_there():
    crs = CRS.from_epsg(32601).to_wkt()
    found = item(Georeference((1000.0, 0.0, 2e5, 0.0, -1000.0, 6e6), crs))
    assert found["geometry"]["type"] == "MultiPolygon"
    west, south, east, north = found["bbox"]
    assert 170 < west < 180
    assert -180 < east < -170
    assert south < north


def test_the_whole_world_is_one_box():
    world = Georeference((1.0, 0.0, -180.0, 0.0, -1.0, 90.0), CRS.from_epsg(4326).to_wkt())
    assert item(world, height=180, width=360)["bbox"] == [-180, -90, 180, 90]


def test_control_points_give_a_footprint():
    corners = [(0, 0), (0, 300), (200, 0), (200, 300)]
    points = tuple(GroundControlPoint(r, c, 4e5 + 10 * c, 6e6 - 10 * r) for r, c in corners)
    found = item(Georeference(gcps=points, gcp_crs=UTM))
    np.testing.assert_allclose(found["bbox"], item()["bbox"], atol=1e-6)
    assert found["assets"]["map"]["proj:code"] is None


def test_a_map_without_a_place_has_no_geometry_and_no_box():
    found = item(Georeference())
    assert found["geometry"] is None
    assert "bbox" not in found


@pytest.mark.parametrize(
    ("acquired", "expected"),
    [
        ("2020-05-01T10:30:00.5Z", "2020-05-01T10:30:00.500000Z"),
        ("2020:05:01 10:30:00", "2020-05-01T10:30:00Z"),
        ("2020-05-01", "2020-05-01T00:00:00Z"),
        ("in spring", "2026-11-22T09:00:00Z"),
        (None, "2026-11-22T09:00:00Z"),
    ],
)
def test_the_date_is_that_of_the_scene_or_else_of_the_map(acquired, expected):
    properties = item(acquired=acquired)["properties"]
    assert properties["datetime"] == expected
    assert datetime.fromisoformat(properties["created"]).utcoffset().total_seconds() == 0


def test_a_map_without_a_date_is_refused():
    with pytest.raises(UsageError, match="'today' is no date"):
        item(created="today")


def test_a_cloud_optimized_map_says_so():
    kind = item(cloud_optimized=True)["assets"]["map"]["type"]
    assert kind == "image/tiff; application=geotiff; profile=cloud-optimized"
