"""Several files on one grid, bounds, masks and areas."""

from __future__ import annotations

import json
import tracemalloc

import geopandas
import numpy as np
import pyproj
import pytest
import rasterio
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from made_rasters import NORTH_UP, UTM, ramp, write_raster
from rasterio.features import geometry_mask
from rasterio.warp import transform as transform_points
from rasterio.warp import transform_geom
from shapely.geometry import Polygon, box, mapping

from rsclass.core.grid import Georeference
from rsclass.core.types import Window
from rsclass.errors import DataError, UsageError
from rsclass.io.grids import (
    Grid,
    at_resolution,
    centers_inside,
    pixel_area,
    place,
    window_of_bounds,
)
from rsclass.io.source import Reading, open_source, source_from_recipe

COARSE = Affine(20, 0, 500000, 0, -20, 5400000)


def whole(source):
    return source.read(Window(0, 0, source.height, source.width))


@pytest.fixture
def mixed(tmp_path):
    """A band of 10 m and one of 20 m, the latter with a missing pixel."""
    fine, coarse = ramp(1, 40, 60)[0], ramp(1, 20, 30)[0]
    coarse[3, 4] = 0
    write_raster(tmp_path / "x_B04.tif", fine)
    write_raster(tmp_path / "x_B11.tif", coarse, transform=COARSE, nodata=0)
    return [tmp_path / "x_B11.tif", tmp_path / "x_B04.tif"], fine, coarse


def test_mixed_resolutions_are_laid_on_the_finest_grid(mixed):
    files, fine, coarse = mixed
    source = open_source(files)
    block = whole(source)
    repeated = coarse.repeat(2, axis=0).repeat(2, axis=1)
    np.testing.assert_array_equal(block.values[1], fine)
    np.testing.assert_array_equal(block.valid, repeated != 0)
    np.testing.assert_array_equal(block.values[0][block.valid], repeated[block.valid])
    assert source.georef.transform == tuple(NORTH_UP)[:6]
    assert [band.role for band in source.bands] == ["swir16", "red"]


def test_a_coarser_resolution_takes_the_mean_of_whole_pixels(mixed):
    files, fine, coarse = mixed
    source = open_source(files, Reading(resolution=20))
    block = whole(source)
    means = np.rint(fine.astype(float).reshape(20, 2, 30, 2).mean(axis=(1, 3)))
    np.testing.assert_array_equal(block.values[1], means)
    np.testing.assert_array_equal(block.values[0][block.valid], coarse[block.valid])
    assert source.georef.transform == tuple(COARSE)[:6]


def test_the_resampling_rule_stands_in_the_recipe_and_survives_it(mixed):
    files, *_ = mixed
    source = open_source(files, Reading(resolution=20))
    recipe = json.loads(json.dumps(source.recipe()))
    assert recipe["resampling"] == {"x_B11.tif": "none", "x_B04.tif": "mean of 2 x 2"}
    assert "nearest" in recipe["resampling_rule"]
    np.testing.assert_array_equal(whole(source_from_recipe(recipe)).values, whole(source).values)
    assert open_source(files, Reading(resolution=15)).recipe()["resampling"] == {
        "x_B11.tif": "nearest",
        "x_B04.tif": "nearest",
    }


@pytest.mark.parametrize("resolution", [7.0, 10.0, 13.5, 20.0, 40.0])
def test_a_resampled_scene_does_not_depend_on_the_windows_it_is_read_by(tmp_path, resolution):
    folder, cuts = tmp_path, (7, 9)
    write_raster(folder / "B04.tif", ramp(1, 40, 60))
    write_raster(folder / "B11.tif", ramp(1, 20, 30), transform=COARSE, nodata=7)
    source = open_source([folder / "B04.tif", folder / "B11.tif"], Reading(resolution=resolution))
    everything = whole(source)
    for row in range(0, source.height, cuts[0]):
        for col in range(0, source.width, cuts[1]):
            window = Window(
                row, col, min(cuts[0], source.height - row), min(cuts[1], source.width - col)
            )
            part, expected = source.read(window), everything.cut(window)
            np.testing.assert_array_equal(part.values, expected.values)
            np.testing.assert_array_equal(part.valid, expected.valid)


def test_nearest_takes_the_pixel_that_holds_the_center():
    source, target = Grid(20, 30, COARSE), Grid(27, 40, Affine(15, 0, 500000, 0, -15, 5400000))
    placement = place(source, target, "x")
    centers_x = 500000 + 15 * (np.arange(40) + 0.5)
    np.testing.assert_array_equal(placement.cols(0, 40), np.floor((centers_x - 500000) / 20))


def test_a_panchromatic_grid_half_a_pixel_off_is_stacked_and_its_edge_is_invalid(tmp_path):
    """Landsat's 15 m band begins half a coarse pixel inside the 30 m bands."""
    coarse = Affine(30, 0, 499985, 0, -30, 5400015)
    fine = Affine(15, 0, 499992.5, 0, -15, 5400007.5)
    write_raster(tmp_path / "B1.tif", ramp(1, 10, 10), transform=coarse)
    write_raster(tmp_path / "B8.tif", ramp(1, 20, 20), transform=fine)
    source = open_source([tmp_path / "B1.tif", tmp_path / "B8.tif"])
    block = whole(source)
    assert (source.height, source.width) == (20, 20)
    assert block.valid[:19, :19].all()
    assert not block.valid[19].any()
    assert not block.valid[:, 19].any()
    assert block.values[0, 0, 0] == block.values[0, 0, 1] - 1 == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"crs": "EPSG:32633"}, "different coordinate systems"),
        ({"transform": Affine(10, 0, 500300, 0, -10, 5400000)}, "different ground"),
        ({"transform": Affine(10, 0, 500000, 0, 10, 5399800)}, "turned or flipped"),
        ({"transform": Affine(8, 6, 500000, 6, -8, 5400000)}, "turned or flipped"),
    ],
)
def test_files_that_do_not_fit_together_are_refused_with_a_table(tmp_path, change, said):
    """R23"""
    write_raster(tmp_path / "a.tif", ramp(1, 20, 20))
    write_raster(tmp_path / "b.tif", ramp(1, 20, 20), **change)
    with pytest.raises(DataError, match=said) as caught:
        open_source([tmp_path / "a.tif", tmp_path / "b.tif"])
    assert "b.tif" in str(caught.value)
    assert "gdalwarp" in str(caught.value)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_files_without_geotransform_stack_only_when_of_one_size(tmp_path):
    bare = {"transform": None, "crs": None}
    write_raster(tmp_path / "a.tif", ramp(1, 5, 6), **bare)
    write_raster(tmp_path / "b.tif", ramp(1, 5, 6), **bare)
    write_raster(tmp_path / "c.tif", ramp(1, 5, 7), **bare)
    assert len(open_source([tmp_path / "a.tif", tmp_path / "b.tif"]).bands) == 2
    with pytest.raises(DataError, match="cannot be stacked"):
        open_source([tmp_path / "a.tif", tmp_path / "c.tif"])
    with pytest.raises(UsageError, match="--resolution needs"):
        open_source(tmp_path / "a.tif", Reading(resolution=20))


# -- bounds ------------------------------------------------------------------------------------

GRIDS = {
    "north-up": NORTH_UP,
    "R21 south-up": Affine(10, 0, 500000, 0, 10, 5399600),
    "R20 rotated": Affine(8, 6, 500000, 6, -8, 5399800),
}


@pytest.mark.parametrize("name", GRIDS)
@settings(deadline=None)
@given(
    x=st.floats(499900, 500700), y=st.floats(5399500, 5400200),
    across=st.floats(1, 400), up=st.floats(1, 400),
)  # fmt: skip
def test_bounds_keep_exactly_the_pixels_whose_centers_lie_inside(name, x, y, across, up):
    grid = Grid(40, 60, GRIDS[name])
    bounds = (x, y, x + across, y + up)
    rows, cols = np.mgrid[:40, :60] + 0.5
    t = grid.transform
    px, py = t.a * cols + t.b * rows + t.c, t.d * cols + t.e * rows + t.f
    inside = (px > x) & (px < x + across) & (py > y) & (py < y + up)
    # Centers within a millionth of a pixel of an edge may fall on either side.
    unsure = np.zeros_like(inside)
    for p, edge in ((px, x), (px, x + across), (py, y), (py, y + up)):
        unsure |= np.abs(p - edge) < 1e-4
    kept = np.zeros_like(inside)
    try:
        window = window_of_bounds(grid, bounds, "x")
    except DataError:
        assert not (inside & ~unsure).any()
        return
    within = centers_inside(grid, window, bounds)
    rows_, cols_ = window.inside(Window(0, 0, 40, 60))
    kept[rows_, cols_] = True if within is None else within
    np.testing.assert_array_equal(kept[~unsure], inside[~unsure])


@pytest.mark.parametrize("name", GRIDS)
def test_a_cropped_scene_lies_where_its_pixels_lay(tmp_path, name):
    values = ramp(1, 40, 60)
    source_path = write_raster(tmp_path / "a.tif", values, transform=GRIDS[name])
    full = open_source(source_path)
    t = Affine(*full.georef.transform)
    x, y = t.a * 30 + t.b * 20 + t.c, t.d * 30 + t.e * 20 + t.f
    source = open_source(source_path, Reading(bounds=(x - 50, y - 30, x + 50, y + 30)))
    block = whole(source)
    c = Affine(*source.georef.transform)
    row, col = np.argwhere(block.valid)[0]
    px, py = (c.a * (col + 0.5) + c.b * (row + 0.5) + c.c,
              c.d * (col + 0.5) + c.e * (row + 0.5) + c.f)  # fmt: skip
    inverse = ~t
    full_col = int(inverse.a * px + inverse.b * py + inverse.c)
    full_row = int(inverse.d * px + inverse.e * py + inverse.f)
    assert block.values[0, row, col] == values[0, full_row, full_col]
    assert block.valid.sum() == pytest.approx(60, abs=4 if "rotated" in name else 0)


def test_bounds_drawn_along_pixel_edges_lose_no_pixel(tmp_path):
    path = write_raster(tmp_path / "a.tif", ramp(1, 40, 60))
    source = open_source(path, Reading(bounds=(500100, 5399700, 500200, 5399900)))
    assert (source.height, source.width) == (20, 10)
    assert source.georef.transform == (10, 0, 500100, 0, -10, 5399900)


@pytest.mark.parametrize(
    ("bounds", "kind", "said"),
    [
        ((0, 0, 10, 10), DataError, "the scene spans 500000"),
        ((500200, 5399700, 500100, 5399900), UsageError, "left < right"),
    ],
)
def test_bounds_that_cannot_be_met_are_refused(tmp_path, bounds, kind, said):
    path = write_raster(tmp_path / "a.tif", ramp(1, 40, 60))
    with pytest.raises(kind, match=said):
        open_source(path, Reading(bounds=bounds))


# -- masks -------------------------------------------------------------------------------------


def test_a_mask_raster_leaves_out_zeros_and_its_own_masked_pixels(tmp_path):
    path = write_raster(tmp_path / "a.tif", ramp(1, 40, 60))
    mask = np.ones((40, 60), dtype="uint8")
    mask[:10], mask[:, :5] = 0, 9
    write_raster(tmp_path / "m.tif", mask, nodata=9)
    valid = whole(open_source(path, Reading(mask=str(tmp_path / "m.tif")))).valid
    np.testing.assert_array_equal(valid, mask == 1)


def test_a_coarser_mask_that_covers_a_part_leaves_out_the_rest(tmp_path):
    path = write_raster(tmp_path / "a.tif", ramp(1, 40, 60))
    mask = ramp(1, 10, 10)[0] % 2
    write_raster(tmp_path / "m.tif", mask, transform=Affine(20, 0, 500100, 0, -20, 5399900))
    valid = whole(open_source(path, Reading(mask=str(tmp_path / "m.tif")))).valid
    expected = np.zeros((40, 60), dtype=bool)
    expected[10:30, 10:30] = mask.repeat(2, axis=0).repeat(2, axis=1)
    np.testing.assert_array_equal(valid, expected)


def test_a_mask_raster_in_another_crs_is_warped_exactly(tmp_path):
    path = write_raster(tmp_path / "a.tif", ramp(1, 40, 60))
    (west, east), (south, north) = transform_points(
        UTM, "EPSG:4326", [500000, 500600], [5399600, 5400000]
    )
    degrees = Affine(0.0005, 0, west - 0.001, 0, -0.0005, north + 0.001)
    mask = np.random.default_rng(1).integers(0, 2, (15, 24)).astype("uint8")
    write_raster(tmp_path / "m.tif", mask, crs="EPSG:4326", transform=degrees)
    source = open_source(path, Reading(mask=str(tmp_path / "m.tif")))
    rows, cols = np.mgrid[:40, :60]
    lon, lat = transform_points(
        UTM, "EPSG:4326", (500005 + 10 * cols).ravel(), (5399995 - 10 * rows).ravel()
    )
    at = ~degrees
    mask_cols = np.floor(at.a * np.array(lon) + at.c).astype(int)
    mask_rows = np.floor(at.e * np.array(lat) + at.f).astype(int)
    expected = mask[mask_rows, mask_cols].reshape(40, 60) == 1
    np.testing.assert_array_equal(whole(source).valid, expected)
    part = Window(13, 7, 11, 23)
    np.testing.assert_array_equal(source.read(part).valid, expected[13:24, 7:30])
    assert east > west
    assert north > south


TRIANGLE = Polygon([(500033, 5399987), (500587, 5399733), (500121, 5399611)])


@pytest.mark.parametrize("suffix", ["gpkg", "geojson"])
@pytest.mark.parametrize("crs", [UTM, "EPSG:4326"])
def test_polygons_keep_the_pixels_whose_centers_they_hold(tmp_path, suffix, crs):
    path = write_raster(tmp_path / "a.tif", ramp(1, 40, 60))
    frame = geopandas.GeoDataFrame(geometry=[TRIANGLE, None, Polygon()], crs=UTM).to_crs(crs)
    frame.to_file(tmp_path / f"m.{suffix}")
    valid = whole(open_source(path, Reading(mask=str(tmp_path / f"m.{suffix}")))).valid
    rows, cols = np.mgrid[:40, :60]
    ring = TRIANGLE if crs == UTM else Polygon(
        transform_geom(crs, UTM, transform_geom(UTM, crs, mapping(TRIANGLE)))["coordinates"][0]
    )  # fmt: skip
    import shapely

    expected = shapely.contains_xy(ring, 500005 + 10 * cols, 5399995 - 10 * rows)
    np.testing.assert_array_equal(valid, expected)


def test_polygons_lie_right_on_a_rotated_scene(tmp_path):
    path = write_raster(tmp_path / "a.tif", ramp(1, 40, 60), transform=GRIDS["R20 rotated"])
    square = box(500300, 5399700, 500400, 5399900)
    geopandas.GeoDataFrame(geometry=[square], crs=UTM).to_file(tmp_path / "m.gpkg")
    valid = whole(open_source(path, Reading(mask=str(tmp_path / "m.gpkg")))).valid
    expected = geometry_mask([square], (40, 60), GRIDS["R20 rotated"], invert=True)
    np.testing.assert_array_equal(valid, expected)
    assert 150 < valid.sum() < 250


def test_a_polygon_mask_does_not_depend_on_the_windows(tmp_path):
    path = write_raster(tmp_path / "a.tif", np.ones((1, 700, 900), dtype="uint8"))
    spokes = Polygon([(500000 + 3977 * i % 9000, 5393000 + 2610 * i % 7000) for i in range(9)])
    geopandas.GeoDataFrame(geometry=[spokes], crs=UTM).to_file(tmp_path / "m.gpkg")
    source = open_source(path, Reading(mask=str(tmp_path / "m.gpkg")))
    everything = whole(source).valid
    assert 0 < everything.sum() < everything.size
    for row in range(0, 700, 97):
        for col in range(0, 900, 131):
            window = Window(row, col, min(97, 700 - row), min(131, 900 - col))
            np.testing.assert_array_equal(
                source.read(window).valid, everything[row : row + 97, col : col + 131]
            )


def test_a_masked_out_window_is_not_decoded(tmp_path):
    path = write_raster(tmp_path / "a.tif", ramp(1, 256, 256), tiled=True, compress="deflate")
    write_raster(tmp_path / "m.tif", np.eye(256, dtype="uint8") * 0)
    source = open_source(path, Reading(mask=str(tmp_path / "m.tif")))
    path.write_bytes(path.read_bytes()[:600])
    assert not whole(source).valid.any()


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (geopandas.GeoDataFrame(geometry=[box(0, 0, 1, 1)], crs=UTM), "outside the scene"),
        (geopandas.GeoDataFrame(geometry=[TRIANGLE.centroid], crs=UTM), "no polygon"),
        (geopandas.GeoDataFrame(geometry=[TRIANGLE], crs=None), "has no CRS"),
    ],
)
def test_polygons_that_cannot_serve_are_refused(tmp_path, frame, said):
    path = write_raster(tmp_path / "a.tif", ramp(1, 40, 60))
    frame.to_file(tmp_path / "m.gpkg")
    with pytest.raises(DataError, match=said):
        open_source(path, Reading(mask=str(tmp_path / "m.gpkg")))


def test_a_mask_that_is_neither_raster_nor_vector_is_refused(tmp_path):
    path = write_raster(tmp_path / "a.tif", ramp(1, 4, 6))
    (tmp_path / "m.txt").write_text("nothing")
    with pytest.raises(DataError, match="neither a raster nor a vector file"):
        open_source(path, Reading(mask=str(tmp_path / "m.txt")))


@pytest.mark.parametrize("resolution", [400, 333], ids=["mean", "nearest"])
def test_a_coarse_resolution_takes_no_more_memory_than_a_fine_one(tmp_path, resolution):
    """P08: at once it would be the 9 MB of the whole scene."""
    values = np.random.default_rng(0).integers(0, 255, (1, 3000, 3000), dtype="uint8")
    path = write_raster(tmp_path / "a.tif", values, tiled=True)
    source = open_source(path, Reading(resolution=resolution))
    tracemalloc.start()
    block = whole(source)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5e6
    parts = [
        source.read(Window(row, col, 1, 1)).values[0, 0, 0]
        for row in range(0, source.height, 7)
        for col in range(0, source.width, 7)
    ]
    assert parts == block.values[0, ::7, ::7].ravel().tolist()


# -- areas -------------------------------------------------------------------------------------


@pytest.mark.parametrize("latitude", [0.0, 10.0, 49.3, -33.0, 89.9])
@pytest.mark.parametrize("epsg", [4326, 4267])
def test_a_geographic_pixel_has_its_area_on_the_ellipsoid(latitude, epsg):
    side = 0.01
    georef = Georeference(
        (side, 0, 8.0, 0, -side, latitude + side), pyproj.CRS.from_epsg(epsg).to_wkt("WKT1_GDAL")
    )
    geod = pyproj.CRS.from_epsg(epsg).get_geod()
    # Many points along the parallels: the geodesic between two corners bulges towards the pole.
    lons = np.linspace(8.0, 8.0 + side, 200)
    ring_x = np.concatenate([lons, lons[::-1]])
    ring_y = np.concatenate([np.full(200, latitude), np.full(200, latitude + side)])
    area, _ = geod.polygon_area_perimeter(ring_x, ring_y)
    assert pixel_area(georef, 0, 1) == pytest.approx(abs(area), rel=1e-7)


@pytest.mark.parametrize(
    ("crs", "expected"),
    [("EPSG:32632", 100.0), ("EPSG:2264", 100 * (1200 / 3937) ** 2)],
    ids=["meters", "US survey feet"],
)
def test_a_projected_pixel_is_counted_in_square_meters(tmp_path, crs, expected):
    path = write_raster(tmp_path / "a.tif", ramp(1, 4, 6), crs=crs)
    assert open_source(path).pixel_areas()[2] == pytest.approx(expected, rel=1e-12)


def test_the_area_of_a_rotated_pixel_is_the_determinant(tmp_path):
    """R20"""
    path = write_raster(tmp_path / "a.tif", ramp(1, 4, 6), transform=Affine(8, 6, 0, 6, -8, 0))
    with rasterio.open(path) as dataset:
        assert not dataset.transform.is_rectilinear
    assert open_source(path).pixel_areas()[0] == pytest.approx(100.0)


def test_the_area_of_a_rotated_geographic_row_is_that_of_its_middle_pixel():
    """R20: turned by 45 degrees, the latitude falls by 20 degrees along the row."""
    step, width = 0.01, 2000
    georef = Georeference(
        (step, step, 8.0, -step, step, 60.0), pyproj.CRS.from_epsg(4326).to_wkt("WKT1_GDAL")
    )
    col, row = width // 2 + np.array([0, 1, 1, 0]), np.array([0, 0, 1, 1])
    lons, lats = 8 + step * (col + row), 60 + step * (row - col)
    area, _ = pyproj.Geod(ellps="WGS84").polygon_area_perimeter(lons, lats)
    # The cell of parallels and meridians differs from the turned one by the curve of the area.
    assert pixel_area(georef, 0, width) == pytest.approx(abs(area), rel=2e-4)


@pytest.mark.parametrize(
    ("size", "resolution", "expected"),
    [
        ((947, 1021), 40, (236, 255)),
        ((530, 560), 60, (88, 93)),
        ((300, 90), 30, (100, 30)),
        ((5, 400), 100, (1, 40)),
        ((7, 7), 7, (10, 10)),
    ],
)
def test_coarser_pixels_lie_wholly_inside_the_scene(size, resolution, expected):
    grid = Grid(*size, Affine(10, 0, 5e5, 0, -10, 5e6))
    coarse = at_resolution(grid, resolution)
    assert (coarse.height, coarse.width) == expected
    assert (coarse.transform.c, coarse.transform.f) == (5e5, 5e6)


def test_no_rounding_costs_a_scene_its_last_row():
    side = 1 / 3600
    for height in range(10, 400):
        grid = Grid(height * 3, 3, Affine(side, 0, 7.1, 0, -side, 46.3))
        assert at_resolution(grid, 3 * side).height == height


def test_no_row_of_a_coarser_scene_is_beyond_the_finer_one(tmp_path):
    path = write_raster(tmp_path / "a.tif", ramp(1, 947, 21))
    source = open_source(path, Reading(resolution=40))
    block = source.read(Window(source.height - 1, 0, 1, source.width))
    assert block.valid.all()
