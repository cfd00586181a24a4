"""Reading single rasters by window."""

from __future__ import annotations

import json
import math
import os
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_rasters import NORTH_UP, UTM, ramp, write_raster
from rasterio.control import GroundControlPoint
from rasterio.enums import ColorInterp

from rsclass.core.types import Sample, Window
from rsclass.errors import DataError, UnreadableRasterError, UsageError
from rsclass.io.source import Reading, open_source, source_from_recipe

ODD = [
    "92AV3GT.GIS",
    "all_nodata_uint16.tif",
    "esri_wkt_2x2.tif",
    "flat_600px.tif",
    "float32_nodata_-3.4e38.tif",
    "float64_nan.tif",
    "gcps_only_uint16.tif",
    "int16_scale_offset.tif",
    "landsat5.lan",
    "landsat5_float32_nan_partial_bands.tif",
    "landsat5_rotated30.tif",
    "one_pixel.tif",
    "one_row.tif",
    "rgb_lzw.tif",
    "rgb_uint8_msk.tif",
    "rgb_uint8_nodata0.tif",
    "rgba_uint8_alpha.tif",
    "rotated_geotransform.tif",
    "salinas_a_int16_bigendian_bil.img",
    "samson_float32_bigendian_bip.img",
    "sentinel2_4band_float32_nan.tif",
    "south_up_inverted_lat.tif",
    "tiny_float32_nan.tif",
    "tiny_float32_nocrs.tif",
]


def whole(source):
    return source.read(Window(0, 0, source.height, source.width))


@pytest.mark.parametrize("name", ODD)
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_real_odd_rasters_come_out_as_gdal_reads_and_masks_them(shared_data, name):
    path = shared_data / "odd" / name
    block = whole(open_source(path))
    with rasterio.open(path) as dataset:
        numbers = [n for n, c in enumerate(dataset.colorinterp, 1) if c != ColorInterp.alpha]
        values = dataset.read(numbers)
        valid = (dataset.read_masks(numbers) != 0).all(axis=0) & (dataset.dataset_mask() != 0)
    valid &= np.isfinite(values).all(axis=0)
    np.testing.assert_array_equal(block.valid, valid)
    np.testing.assert_array_equal(block.values[:, valid], values[:, valid])


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    values = ramp(3, 70, 90)
    values[1, 10:20, 30:50] = 0
    path = tmp_path_factory.mktemp("scene") / "scene.tif"
    write_raster(path, values, nodata=0, tiled=True, blockxsize=32, blockysize=16)
    return open_source(path), values


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_window_is_the_same_part_of_the_whole(scene, data):
    source, values = scene
    row = data.draw(st.integers(0, 69))
    col = data.draw(st.integers(0, 89))
    window = Window(
        row, col, data.draw(st.integers(1, 70 - row)), data.draw(st.integers(1, 90 - col))
    )
    block = source.read(window)
    rows, cols = slice(row, window.row_end), slice(col, window.col_end)
    np.testing.assert_array_equal(block.values, values[:, rows, cols])
    np.testing.assert_array_equal(block.valid, (values != 0).all(axis=0)[rows, cols])
    assert block.window == window


@pytest.mark.parametrize(
    "window", [Window(0, 0, 71, 90), Window(-1, 0, 2, 2), Window(70, 0, 1, 1), Window(0, 0, 0, 5)]
)
def test_a_window_that_leaves_the_scene_is_refused(scene, window):
    """R24"""
    with pytest.raises(ValueError, match="does not lie inside"):
        scene[0].read(window)


def test_sixteen_threads_read_the_same_as_one_each_with_its_own_handle(scene):
    """F5"""
    source, values = scene
    windows = [Window(r, c, 10, 10) for r in range(0, 70, 10) for c in range(0, 90, 10)] * 4
    seen = set()

    def read(window):
        seen.add((threading.get_ident(), id(source._handles.get(source.files[0]))))
        return source.read(window).values

    with ThreadPoolExecutor(16) as pool:
        blocks = list(pool.map(read, windows))
    for window, block in zip(windows, blocks, strict=True):
        np.testing.assert_array_equal(
            block, values[:, window.row : window.row_end, window.col : window.col_end]
        )
    threads = {thread for thread, _ in seen}
    assert len({handle for _, handle in seen}) == len(seen) == len(threads)


def test_a_source_travels_without_its_handles_and_reads_the_same(scene):
    source, _ = scene
    window = Window(3, 4, 20, 30)
    expected = source.read(window)
    moved = pickle.loads(pickle.dumps(source))  # noqa: S301 - made here
    np.testing.assert_array_equal(moved.read(window).values, expected.values)


def test_a_closed_source_opens_again_when_read(scene):
    source, values = scene
    source.close()
    np.testing.assert_array_equal(whole(source).values, values)


def test_a_forked_child_opens_its_own_handles(scene):
    """F5"""
    source = scene[0]
    whole(source)
    here = source._handles.get(source.files[0])
    child = os.fork()
    if child == 0:  # the child answers by its exit status alone
        mine = source._handles.get(source.files[0])
        os._exit(0 if mine is not here and not here.closed else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


DTYPES = {
    "uint8": "uint8",
    "int8": "int16",
    "uint16": "uint16",
    "int16": "int16",
    "uint32": "uint32",
    "int32": "int32",
    "uint64": "uint64",
    "int64": "int64",
    "float32": "float32",
    "float64": "float64",
}


@pytest.mark.parametrize(("stored", "read"), DTYPES.items())
def test_every_real_type_is_read_without_loss(tmp_path, stored, read):
    """R17"""
    info = np.iinfo(stored) if np.dtype(stored).kind in "iu" else np.finfo(stored)
    extremes = [max(info.min, -(2**53)), 1, 100, min(info.max, 2**53)]
    values = np.array([[extremes]]).astype(stored)
    source = open_source(write_raster(tmp_path / "a.tif", values))
    assert source.dtype == read
    np.testing.assert_array_equal(whole(source).values, values)


@pytest.mark.parametrize("dtype", ["uint64", "int64"])
def test_whole_numbers_beyond_float64_are_refused_when_met(tmp_path, dtype):
    """R06"""
    values = np.ones((1, 4, 4), dtype=dtype)
    values[0, 3, 3] = 2**53 + 1
    source = open_source(write_raster(tmp_path / "a.tif", values))
    assert source.read(Window(0, 0, 3, 4)).valid.all()
    with pytest.raises(DataError, match="beyond 2\\^53"):
        whole(source)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_rasters_are_refused_with_advice(tmp_path, dtype):
    """R16"""
    path = write_raster(tmp_path / "a.tif", np.ones((1, 2, 2), dtype=dtype))
    with pytest.raises(DataError, match=r"complex numbers .* modulus or angle"):
        open_source(path)


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 1, 37), (2, 37, 1), (500, 3, 4)])
def test_small_long_and_deep_rasters_are_read(tmp_path, shape):
    """R13, R15"""
    values = ramp(*shape)
    source = open_source(write_raster(tmp_path / "a.tif", values))
    assert (len(source.bands), source.height, source.width) == shape
    np.testing.assert_array_equal(whole(source).values, values)


def test_bands_of_different_types_come_in_the_type_that_holds_both(tmp_path):
    write_raster(tmp_path / "a.tif", ramp(1, 4, 4, "uint8"))
    write_raster(tmp_path / "b.tif", ramp(1, 4, 4, "float32") + 0.5)
    source = open_source([tmp_path / "a.tif", tmp_path / "b.tif"])
    assert source.dtype == np.float32
    np.testing.assert_array_equal(
        whole(source).values, [ramp(1, 4, 4)[0], ramp(1, 4, 4)[0] + np.float32(0.5)]
    )


@pytest.mark.parametrize(
    "transform",
    [
        NORTH_UP,
        Affine(10, 0, 500000, 0, 10, 5300000),
        Affine(8.660254, 5, 500000, 5, -8.660254, 5400000),
        Affine(0.1, 0.02, 1 / 3, 0.03, -0.1, 50 + 1e-9),
    ],
    ids=["north-up", "R21 south-up", "R20 rotated", "sheared"],
)
def test_the_transform_and_crs_are_kept_bit_by_bit(tmp_path, transform):
    """R20, R21"""
    path = write_raster(tmp_path / "a.tif", ramp(1, 5, 6), transform=transform)
    source = open_source(path)
    with rasterio.open(path) as dataset:
        assert source.georef.transform == tuple(dataset.transform)[:6]
        assert source.georef.crs == dataset.crs.to_wkt()
    assert source.georef.transform == pytest.approx(tuple(transform)[:6], rel=1e-14)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_raster_without_crs_has_none_and_no_area(tmp_path):
    """R19"""
    source = open_source(write_raster(tmp_path / "a.tif", ramp(1, 2, 2), crs=None, transform=None))
    assert source.georef.crs is None
    assert source.georef.transform is None
    assert source.pixel_areas() is None


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_ground_control_points_are_kept_and_named(tmp_path):
    """R22"""
    points = [
        GroundControlPoint(row, col, 500000 + col, 5400000 - row, 3.0)
        for row, col in ((0, 0), (0, 6), (5, 0), (5, 6))
    ]
    path = tmp_path / "a.tif"
    write_raster(path, ramp(1, 5, 6), crs=None, transform=None)
    with rasterio.open(path, "r+") as dataset:
        dataset.gcps = (points, rasterio.CRS.from_string(UTM))
    source = open_source(path)
    assert source.georef.transform is None
    assert [(p.row, p.col, p.x, p.y, p.z) for p in source.georef.gcps] == [
        (p.row, p.col, p.x, p.y, p.z) for p in points
    ]
    assert rasterio.CRS.from_wkt(source.georef.gcp_crs) == rasterio.CRS.from_string(UTM)
    assert any("ground control points only" in text for text in source.warnings)


def test_scale_and_offset_make_physical_values_and_can_be_ignored(tmp_path):
    """R09"""
    path = write_raster(tmp_path / "a.tif", ramp(2, 3, 4, "int16"))
    with rasterio.open(path, "r+") as dataset:
        dataset.scales, dataset.offsets = (0.0001, 2.0), (-0.1, 5.0)
    stored = ramp(2, 3, 4).reshape(2, -1).T.astype(float)
    block = whole(open_source(path))
    np.testing.assert_array_equal(block.pixels(), stored * [0.0001, 2.0] + [-0.1, 5.0])
    assert [(b.gain, b.offset) for b in open_source(path).bands] == [(0.0001, -0.1), (2.0, 5.0)]
    ignored = whole(open_source(path, Reading(scaled=False)))
    np.testing.assert_array_equal(ignored.pixels(), stored)


def test_bands_come_in_the_order_asked_for(tmp_path):
    values = ramp(4, 3, 4)
    path = write_raster(tmp_path / "a.tif", values, names=("blue", "green", "red", "NIR"))
    source = open_source(path, Reading(bands="nir,1,red"))
    assert source.band_numbers == (4, 1, 3)
    assert [band.role for band in source.bands] == ["nir", "blue", "red"]
    np.testing.assert_array_equal(whole(source).values, values[[3, 0, 2]])


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_wavelengths_of_an_envi_header_give_roles(shared_data):
    path = shared_data / "odd" / "samson_float32_bigendian_bip.img"
    source = open_source(path, Reading(bands="blue,green,red,nir"))
    assert [band.wavelength for band in source.bands] == pytest.approx([490, 560, 660, 835], abs=3)


@pytest.mark.parametrize("key", ["CENTRAL_WAVELENGTH_UM", "WAVELENGTH", "CENTRAL_WAVELENGTH"])
def test_wavelength_tags_give_roles(tmp_path, key):
    path = write_raster(tmp_path / "a.tif", ramp(2, 3, 4))
    with rasterio.open(path, "r+") as dataset:
        for number, value in ((1, "0.665"), (2, "0.83")):
            dataset.update_tags(number, ns="IMAGERY" if key.endswith("UM") else "", **{key: value})
    source = open_source(path)
    assert [(b.role, b.wavelength) for b in source.bands] == [("red", 665.0), ("nir", 830.0)]


def test_color_tags_give_roles_where_there_are_no_names(tmp_path):
    source = open_source(
        write_raster(tmp_path / "a.tif", ramp(3, 3, 4, "uint8"), photometric="rgb")
    )
    assert [band.role for band in source.bands] == ["red", "green", "blue"]


def test_a_fourth_band_with_a_name_is_data_although_gdal_calls_it_alpha(tmp_path):
    names = ("red", "green", "blue", "nir")
    path = write_raster(tmp_path / "a.tif", ramp(4, 3, 4, "uint8"), names=names)
    with rasterio.open(path) as dataset:
        assert dataset.colorinterp[3] == ColorInterp.alpha
    assert [band.role for band in open_source(path).bands] == list(names)
    unnamed = open_source(write_raster(tmp_path / "b.tif", ramp(4, 3, 4, "uint8")))
    assert len(unnamed.bands) == 3
    assert any("tagged alpha" in text for text in unnamed.warnings)


def test_the_recipe_opens_the_same_source_again_also_elsewhere(tmp_path):
    values = ramp(3, 20, 30)
    path = write_raster(tmp_path / "a.tif", values, names=("B02", "B03", "B04"))
    reading = Reading(
        bands="red,blue", src_nodata=7.0, bounds=(500050.0, 5399850.0, 500250.0, 5399950.0)
    )
    source = open_source(path, reading)
    again = source_from_recipe(source.recipe())
    np.testing.assert_array_equal(whole(again).values, whole(source).values)
    assert again.bands == source.bands
    assert again.georef == source.georef
    path.rename(tmp_path / "moved.tif")
    moved = source_from_recipe(source.recipe(), tmp_path / "moved.tif")
    np.testing.assert_array_equal(whole(moved).values, values[[2, 0], 5:15, 5:25])


def test_the_recipe_is_strict_json_and_finds_the_mask_from_elsewhere(tmp_path, monkeypatch):
    values = ramp(1, 4, 6, "float32")
    write_raster(tmp_path / "a.tif", values)
    write_raster(tmp_path / "m.tif", np.eye(4, 6, dtype="uint8"))
    monkeypatch.chdir(tmp_path)
    source = open_source("a.tif", Reading(src_nodata=float("nan"), mask="m.tif"))
    recipe = json.loads(json.dumps(source.recipe(), allow_nan=False))
    monkeypatch.chdir("/")
    again = source_from_recipe(recipe)
    np.testing.assert_array_equal(whole(again).valid, np.eye(4, 6) == 1)
    assert math.isnan(again.reading.src_nodata)


def test_an_open_dataset_stands_for_its_file(tmp_path):
    path = write_raster(tmp_path / "a.tif", ramp(1, 3, 4))
    with rasterio.open(path) as dataset:
        np.testing.assert_array_equal(whole(open_source(dataset)).values, ramp(1, 3, 4))


def test_storage_blocks_and_stripes_are_known(tmp_path):
    tiled = write_raster(
        tmp_path / "t.tif", ramp(1, 200, 300), tiled=True, blockxsize=64, blockysize=128
    )
    assert open_source(tiled).storage_block == (128, 64)
    assert not open_source(tiled).striped
    striped = open_source(write_raster(tmp_path / "s.tif", ramp(1, 200, 300), blockysize=4))
    assert (striped.storage_block, striped.striped) == ((4, 300), True)


def test_undeclared_nodata_is_suspected_and_declared_nodata_is_not(tmp_path):
    """R04"""
    values = ramp(2, 20, 20, "int16")
    values[0, :2] = -9999
    path = write_raster(tmp_path / "a.tif", values, names=("red", "nir"))

    def sample(source):
        rows, cols = np.nonzero(whole(source).valid)
        return Sample(whole(source).pixels(), rows, cols, len(rows), integer=True)

    source = open_source(path)
    (sentence,) = source.suspect_nodata(sample(source))
    assert "10% of its pixels at -9999 in red" in sentence
    assert "--src-nodata -9999" in sentence
    declared = open_source(path, Reading(src_nodata=-9999))
    assert declared.suspect_nodata(sample(declared)) == []


def test_a_raster_that_is_not_there_is_named():
    with pytest.raises(UnreadableRasterError, match=r"nowhere\.tif does not exist"):
        open_source("nowhere.tif")


def test_an_unknown_way_with_bad_tiles_is_refused(tmp_path):
    path = write_raster(tmp_path / "a.tif", ramp(1, 3, 4))
    with pytest.raises(UsageError, match="fail, nodata"):
        open_source(path, Reading(on_bad_tile="skip"))
