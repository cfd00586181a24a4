"""Rasters over HTTP, from a local server that serves ranges and can drop a connection."""

from __future__ import annotations

import numpy as np
import pytest
from made_rasters import ramp, write_raster
from range_server import RangeServer

from rsclass.core.types import Window
from rsclass.errors import UnreadableRasterError
from rsclass.io.source import Reading, open_source


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    server = RangeServer(folder)
    yield server, folder
    server.stop()


@pytest.fixture
def server(running):
    running[0].reset()
    return running[0]


@pytest.fixture
def folder(running, request):
    """A folder of the test's own: GDAL remembers what an address once held."""
    own = running[1] / request.node.name.split("[")[0] / str(abs(hash(request.node.name)))
    own.mkdir(parents=True)
    return own


@pytest.fixture
def url(server, running, folder):
    return lambda name: server.url((folder / name).relative_to(running[1]).as_posix())


@pytest.fixture
def scene(folder):
    """3 MB that do not compress, in tiles of 256."""
    values = np.random.default_rng(0).integers(1, 60000, (2, 768, 1024)).astype("uint16")
    write_raster(folder / "scene.tif", values, tiled=True, blockxsize=256, blockysize=256)
    return values


def test_a_window_of_a_remote_scene_is_read_by_ranges(server, url, scene, folder):
    source = open_source(url("scene.tif"))
    assert source.name == "scene"
    assert source.files == ()
    window = Window(512, 256, 100, 200)
    np.testing.assert_array_equal(source.read(window).values, scene[:, 512:612, 256:456])
    assert 0 < server.sent < (folder / "scene.tif").stat().st_size / 2


@pytest.mark.parametrize("spelled", ["/vsicurl/{}", "{}?token=a%20b&x=1"])
def test_vsicurl_names_and_queries_are_passed_on(url, scene, spelled):
    source = open_source(spelled.format(url("scene.tif")))
    np.testing.assert_array_equal(source.read(Window(0, 0, 5, 5)).values, scene[:, :5, :5])


@pytest.mark.parametrize("drops", [1, 2])
def test_a_connection_dropped_in_mid_body_is_made_up_for(server, url, scene, drops):
    """R29, F7: what was cut off stays in GDAL's cache, so that reading again is not enough."""
    source = open_source(url("scene.tif"))
    server.reset(drops, after=1)
    whole = source.read(Window(0, 0, 768, 1024))
    np.testing.assert_array_equal(whole.values, scene)
    assert server.drops == 0


def test_a_connection_dropped_while_opening_is_made_up_for(server, url, scene):
    """R29"""
    server.reset(1)
    source = open_source(url("scene.tif"))
    np.testing.assert_array_equal(source.read(Window(0, 0, 5, 5)).values, scene[:, :5, :5])
    assert server.drops == 0


def test_a_connection_that_keeps_dropping_ends_with_the_url(server, url, scene):
    """R29"""
    source = open_source(url("scene.tif"))
    server.reset(10_000, after=1)
    with pytest.raises(UnreadableRasterError, match=r"/scene\.tif cannot be decoded") as caught:
        source.read(Window(0, 0, 768, 1024))
    assert url("scene.tif") in str(caught.value)


def test_a_scene_that_the_server_does_not_have_is_named(url):
    with pytest.raises(UnreadableRasterError, match=r"nothing\.tif cannot be opened"):
        open_source(url("nothing.tif"))


def test_a_virtual_raster_from_a_server_is_refused(url, folder):
    """H06"""
    write_raster(folder / "a.tif", ramp(1, 3, 4))
    (folder / "a.vrt").write_text(
        '<VRTDataset rasterXSize="4" rasterYSize="3"><VRTRasterBand dataType="UInt16" band="1">'
        f"<SimpleSource><SourceFilename>{folder}/a.tif</SourceFilename><SourceBand>1"
        "</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    open_source(folder / "a.vrt")
    with pytest.raises(UnreadableRasterError, match=r"local \.vrt files only"):
        open_source(url("a.vrt"))


def test_remote_band_files_stack_with_local_ones(url, folder):
    write_raster(folder / "x_B04.tif", ramp(1, 4, 6))
    write_raster(folder / "x_B08.tif", ramp(1, 4, 6) + np.uint16(5))
    source = open_source([url("x_B04.tif"), folder / "x_B08.tif"], Reading(bands="nir,red"))
    block = source.read(Window(0, 0, 4, 6))
    np.testing.assert_array_equal(block.values[0], block.values[1] + 5)
    assert source.files == (str(folder / "x_B08.tif"),)
