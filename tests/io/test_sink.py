"""What the writer puts into a file, and what it refuses to put there."""

from __future__ import annotations

import struct
import threading
import warnings

import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sink_helpers import COLORS, UTM, image, sink_for, tiles, write_raster

from rsclass.core.grid import Georeference, GroundControlPoint
from rsclass.core.types import Window
from rsclass.errors import IncompleteOutputError, RsclassWarning, UsageError
from rsclass.io.sink import Writing, class_dtype


@pytest.fixture(autouse=True)
def _quick_disk(monkeypatch):
    """Nothing here asks what a power loss leaves, so nothing waits for the disk."""
    monkeypatch.setattr("os.fsync", lambda handle: None)


def tiff_tags(path) -> dict[int, tuple[int, int]]:
    """Tag -> (count, value or offset) of the first directory of a little-endian classic TIFF."""
    data = path.read_bytes()
    assert data[:4] == b"II*\0"
    (at,) = struct.unpack_from("<I", data, 4)
    (n,) = struct.unpack_from("<H", data, at)
    entries = (struct.unpack_from("<HHII", data, at + 2 + 12 * i) for i in range(n))
    return {tag: (count, value) for tag, _, count, value in entries}


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (15, 40), (16, 16), (530, 1030)])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "int16", "float32"])
def test_any_reader_gets_every_pixel_back(shape, count, dtype, tmp_path):
    """R13: rows, columns and single pixels are rasters too."""
    pixels = image(*shape, count, dtype)
    path = write_raster(pixels, tmp_path / "map.tif")
    with rasterio.open(path) as dataset:
        np.testing.assert_array_equal(dataset.read(), pixels)
        assert dataset.dtypes == (dtype,) * count
        assert dataset.nodata == 0
        assert dataset.compression.value == "DEFLATE"


@pytest.mark.parametrize(
    ("count", "writing"),
    [(1, Writing()), (4, Writing()), (1, Writing("COG"))],
    ids=["GTiff", "membership", "COG"],
)
def test_the_bytes_depend_on_the_pixels_alone(count, writing, tmp_path):
    pixels = image(600, 1100, count)
    expected = write_raster(pixels, tmp_path / "a.tif", writing, side=1100).read_bytes()
    for side in (64, 300, 512):
        again = write_raster(pixels, tmp_path / f"{side}.tif", writing, side=side)
        assert again.read_bytes() == expected
    with sink_for(pixels, tmp_path / "shuffled.tif", writing) as sink:
        parts = list(tiles(pixels, 333))
        for i in np.random.default_rng(0).permutation(len(parts)):
            sink.write(*parts[i])
        assert sink.finish().read_bytes() == expected


def test_threads_may_write_at_the_same_time(tmp_path):
    pixels = image(1100, 1300)
    expected = write_raster(pixels, tmp_path / "a.tif").read_bytes()
    with sink_for(pixels, tmp_path / "b.tif") as sink:
        parts = list(tiles(pixels, 128))
        threads = [
            threading.Thread(target=lambda i=i: [sink.write(*p) for p in parts[i::4]])
            for i in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sink.finish().read_bytes() == expected


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    count=st.integers(1, 3),
    tile=st.tuples(st.integers(1, 100), st.integers(1, 100)),
    seed=st.integers(0, 2**32 - 1),
)
def test_no_cut_into_windows_changes_the_raster(height, width, count, tile, seed, tmp_path):
    from rsclass.core.grid import TileGrid

    pixels = image(height, width, count)
    writing = Writing(creation=(("BLOCKSIZE", "64"),), overwrite=True)
    windows = list(TileGrid(height, width, *tile))
    with sink_for(pixels, tmp_path / "map.tif", writing) as sink:
        for i in np.random.default_rng(seed).permutation(len(windows)):
            w = windows[i]
            sink.write(w, pixels[:, w.row : w.row_end, w.col : w.col_end])
        path = sink.finish()
    with rasterio.open(path) as dataset:
        np.testing.assert_array_equal(dataset.read(), pixels)


def test_a_map_keeps_only_the_tiles_of_one_row_in_memory(tmp_path):
    pixels = image(2048, 1024)
    with sink_for(pixels, tmp_path / "map.tif") as sink:
        for window, data in tiles(pixels, 256):
            sink.write(window, data)
            buffer = sink._buffer
            assert len(buffer._open) + len(buffer._complete) <= 2
        sink.finish()


def test_colors_decided_at_the_end_make_a_palette_file_without_a_word_from_gdal(tmp_path, capfd):
    pixels = image(600, 600)
    with sink_for(pixels, tmp_path / "map.tif") as sink:
        sink.write(Window(0, 0, 600, 600), pixels)
        sink.set_colormap(COLORS)
        sink.set_descriptions(["class"])
        sink.set_tags({"RSCLASS_PARAMS": '{"k": 9}'})
        path = sink.finish()
    with rasterio.open(path) as dataset:
        assert {v: c for v, c in dataset.colormap(1).items() if v in COLORS} == COLORS
        assert dataset.colormap(1)[0][3] == 0  # nodata is transparent
        assert dataset.descriptions == ("class",)
        assert dataset.tags()["RSCLASS_PARAMS"] == '{"k": 9}'
    tags = tiff_tags(path)
    assert tags[262][1] == 3  # PhotometricInterpretation: palette
    assert tags[320][0] == 3 * 256  # ColorMap
    assert 306 not in tags  # DateTime would make two runs differ
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("dtype", "count"), [("uint16", 1), ("int32", 1), ("uint8", 2)])
def test_colors_that_a_reader_would_not_see_are_refused(dtype, count, tmp_path):
    """W05: palettes of other types than uint8 are lost in silence."""
    with pytest.raises(ValueError, match="palette"):
        sink_for(image(20, 20, count, dtype), tmp_path / "map.tif", colormap=COLORS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "data"),
    [
        pytest.param(ValueError, np.zeros((60, 50), np.uint8), id="W01 larger than the window"),
        pytest.param(ValueError, np.zeros((2, 50, 50), np.uint8), id="W01 too many bands"),
        pytest.param(TypeError, np.full((50, 50), 300, np.int32), id="W02 would wrap around"),
        pytest.param(TypeError, np.zeros((50, 50), np.float32), id="W02 not finite becomes 0"),
        pytest.param(TypeError, np.ma.masked_all((50, 50), np.uint8), id="W03 masked"),
    ],
)
def test_pixels_that_gdal_would_change_are_refused(error, data, tmp_path):
    with sink_for(image(50, 50), tmp_path / "map.tif") as sink, pytest.raises(error):
        sink.write(Window(0, 0, 50, 50), data)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("window", [Window(1, 0, 50, 50), Window(0, -1, 50, 50)])
def test_a_window_outside_the_raster_is_refused(window, tmp_path):
    with sink_for(image(50, 50), tmp_path / "map.tif") as sink, pytest.raises(ValueError):
        sink.write(window, np.zeros((50, 50), np.uint8))


@pytest.mark.parametrize("second", [Window(0, 0, 50, 50), Window(49, 49, 1, 1)])
def test_a_pixel_is_written_once(second, tmp_path):
    with sink_for(image(50, 50), tmp_path / "map.tif") as sink:
        sink.write(Window(0, 0, 50, 50), image(50, 50))
        with pytest.raises(ValueError, match="before"):
            sink.write(second, np.zeros((1, second.height, second.width), np.uint8))


def test_a_raster_with_missing_pixels_is_not_kept(tmp_path):
    with sink_for(image(50, 50), tmp_path / "map.tif") as sink:
        sink.write(Window(0, 0, 20, 50), image(20, 50))
        with pytest.raises(IncompleteOutputError, match="1500 of 2500 pixels"):
            sink.finish()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("n_classes", "dtype"),
    [(1, "uint8"), (254, "uint8"), (255, "uint16"), (65534, "uint16")],
)
def test_the_type_of_a_map_leaves_its_highest_value_free(n_classes, dtype):
    """W02."""
    assert class_dtype(n_classes) == np.dtype(dtype)


def test_more_classes_than_a_map_can_tell_apart_are_refused():
    """W02."""
    with pytest.raises(UsageError, match=r"65,535 classes .* can hold 65,534"):
        class_dtype(65_535)


GCPS = (
    GroundControlPoint(0, 0, 1.5, 2.5, 0.25),
    GroundControlPoint(0, 40, 3.0, 4.0, 1.0),
    GroundControlPoint(40, 0, 5.0, 6.0, 2.0),
    GroundControlPoint(40.5, 40.25, 7.0, 9.0, 2.0),
)
COEFFICIENTS = " ".join(["1", "0.1", "0.02"] + ["0"] * 17)
RPCS = tuple(
    {
        "ERR_BIAS": "-1",
        "ERR_RAND": "-1",
        "HEIGHT_OFF": "1000",
        "HEIGHT_SCALE": "500",
        "LAT_OFF": "10.123456789",
        "LAT_SCALE": "0.1",
        "LINE_DEN_COEFF": COEFFICIENTS,
        "LINE_NUM_COEFF": COEFFICIENTS,
        "LINE_OFF": "15",
        "LINE_SCALE": "15",
        "LONG_OFF": "20",
        "LONG_SCALE": "0.1",
        "SAMP_DEN_COEFF": COEFFICIENTS,
        "SAMP_NUM_COEFF": COEFFICIENTS,
        "SAMP_OFF": "10",
        "SAMP_SCALE": "10",
    }.items()
)
ROTATED = (10.1, 0.3, 500000.123456789, 0.2, -10.7, 4e6 / 3)
SOUTH_UP = (1 / 3, 0.0, -179.9, 0.0, 1 / 3, -89.7)


@pytest.mark.parametrize("driver", ["GTiff", "COG"])
@pytest.mark.parametrize(
    "georef",
    [
        pytest.param(UTM, id="north up"),
        pytest.param(Georeference(ROTATED, UTM.crs), id="R20 rotated"),
        pytest.param(Georeference(SOUTH_UP, "EPSG:4326"), id="R21 south up"),
        pytest.param(Georeference(ROTATED, UTM.crs, point=True), id="rotated points"),
        pytest.param(Georeference(UTM.transform, UTM.crs, point=True), id="points"),
        pytest.param(Georeference(UTM.transform), id="R19 no CRS"),
        pytest.param(Georeference(UTM.transform, point=True), id="R19 points, no CRS"),
        pytest.param(Georeference(), id="R19 nothing"),
        pytest.param(Georeference(gcps=GCPS, gcp_crs=UTM.crs), id="R22 control points"),
        pytest.param(Georeference(rpcs=RPCS), id="R22 coefficients"),
    ],
)
def test_the_georeference_is_copied_as_it_is(georef, driver, tmp_path):
    if georef.crs and not georef.crs.startswith("PROJCS"):
        wkt = rasterio.crs.CRS.from_user_input(georef.crs).to_wkt()
        georef = Georeference(georef.transform, wkt)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path = write_raster(image(40, 40), tmp_path / "map.tif", Writing(driver), georef=georef)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        dataset = rasterio.open(path)
    with dataset:
        if georef.transform:
            assert tuple(dataset.transform)[:6] == georef.transform
        else:
            assert dataset.transform.is_identity
        assert dataset.crs == (georef.crs and rasterio.crs.CRS.from_wkt(georef.crs))
        found = tuple(GroundControlPoint(g.row, g.col, g.x, g.y, g.z) for g in dataset.gcps[0])
        assert found == georef.gcps
        if georef.gcps:
            assert dataset.gcps[1] == rasterio.crs.CRS.from_wkt(georef.gcp_crs)
        assert dataset.tags(ns="RPC") == dict(georef.rpcs)
        is_point = dataset.tags().get("AREA_OR_POINT") == "Point"
        assert is_point == (georef.point and georef.crs is not None)
    assert [p.name for p in tmp_path.iterdir()] == ["map.tif"]


def test_a_crs_that_geotiff_cannot_hold_is_reported(tmp_path):
    oblique = rasterio.crs.CRS.from_string(
        "+proj=ob_tran +o_proj=longlat +o_lon_p=0 +o_lat_p=39.25 +lon_0=18 +datum=WGS84"
    )
    with pytest.warns(RsclassWarning, match="CRS"):
        write_raster(
            image(20, 20), tmp_path / "m.tif", georef=Georeference(UTM.transform, oblique.to_wkt())
        )


@pytest.mark.parametrize(
    ("option", "value", "shown"),
    [
        ("COMPRESS", "ZSTD", "ZSTD"),
        ("compress", "lzw", "LZW"),
        ("COMPRESS", "PACKBITS", "PACKBITS"),
        ("COMPRESS", "LERC_DEFLATE", "LERC_DEFLATE"),
        ("COMPRESS", "LERC_ZSTD", "LERC_ZSTD"),
        ("COMPRESS", "NONE", None),
        ("PREDICTOR", "2", "DEFLATE"),
        ("ZLEVEL", "9", "DEFLATE"),
    ],
)
def test_a_known_option_shows_in_the_file(option, value, shown, tmp_path):
    """W04."""
    pixels = image(300, 300, dtype="uint16")
    plain = write_raster(pixels, tmp_path / "plain.tif")
    path = write_raster(pixels, tmp_path / "map.tif", Writing(creation=((option, value),)))
    with rasterio.open(path) as dataset:
        structure = dataset.tags(ns="IMAGE_STRUCTURE")
        assert structure.get("COMPRESSION") == shown
        np.testing.assert_array_equal(dataset.read(), pixels)
    assert path.read_bytes() != plain.read_bytes()


def test_the_block_size_is_the_one_asked_for(tmp_path):
    writing = Writing(creation=(("BLOCKSIZE", "128"),))
    with rasterio.open(write_raster(image(300, 300), tmp_path / "m.tif", writing)) as dataset:
        assert dataset.block_shapes == [(128, 128)]
