"""Damaged, changing, hostile and oddly named rasters."""

from __future__ import annotations

import hashlib
import os
import struct
import threading

import numpy as np
import pytest
import rasterio
from made_rasters import ramp, write_raster
from rasterio.enums import ColorInterp

from rsclass.core.types import Window
from rsclass.errors import (
    ChangedInputError,
    DataError,
    RsclassError,
    UnreadableRasterError,
    UsageError,
)
from rsclass.io.source import Reading, open_source
from rsclass.io.validity import NodataRule


def whole(source):
    return source.read(Window(0, 0, source.height, source.width))


# -- validity ----------------------------------------------------------------------------------


def test_nan_and_infinity_are_invalid_whether_declared_or_not(tmp_path):
    """R01, R02, R03"""
    values = np.ones((3, 4, 5), dtype="float32")
    values[0, 0, 0], values[1, 1, 1], values[2, 2, 2] = np.nan, np.inf, -np.inf
    values[0, 3, 3] = -9999
    for nodata in (None, -9999.0):
        source = open_source(write_raster(tmp_path / f"{nodata}.tif", values, nodata=nodata))
        expected = np.ones((4, 5), dtype=bool)
        expected[[0, 1, 2], [0, 1, 2]] = False
        expected[3, 3] = nodata is None
        np.testing.assert_array_equal(whole(source).valid, expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("nodata", [-9999.1, 1e-30, 0.1, -1.0, 1e10, 0.0])
def test_a_decimal_nodata_value_is_met_as_gdal_meets_it(tmp_path, dtype, nodata):
    """R05"""
    apart = np.array([0, 1e-7, 3e-7, -3e-7, 1e-6, -1e-6, 1e-3, -0.5])
    values = (nodata * (1 + apart) if nodata else apart).astype(dtype).reshape(1, 1, -1)
    path = write_raster(tmp_path / "a.tif", values, nodata=nodata)
    with rasterio.open(path) as dataset:
        mask = dataset.read_masks(1) != 0
    assert not mask[0, 0]
    assert mask[0, -1]
    np.testing.assert_array_equal(whole(open_source(path)).valid, mask)


def test_the_lowest_float32_as_nodata_masks_itself_alone(tmp_path):
    """R05: GDAL's own tolerance overflows here and masks numbers that are 60 % smaller."""
    values = np.array([[[-3.4e38, -3.3e38, 0, 5]]], dtype="float32")
    path = write_raster(tmp_path / "a.tif", values, nodata=float(np.float32(-3.4e38)))
    np.testing.assert_array_equal(whole(open_source(path)).valid, [[False, True, True, True]])


def test_whole_number_nodata_is_exact(tmp_path):
    values = np.array([[[16777216, 16777217, 16777218]]], dtype="int32")
    source = open_source(write_raster(tmp_path / "a.tif", values, nodata=16777217))
    np.testing.assert_array_equal(whole(source).valid, [[True, False, True]])


@pytest.mark.parametrize("nodata", [-9999, 255.5, 1e30, float("nan"), None])
def test_a_nodata_value_that_the_type_cannot_hold_masks_nothing(nodata):
    assert NodataRule.of(nodata, np.dtype("uint8")) == NodataRule(None, None)


def test_alpha_and_nodata_both_make_a_pixel_invalid(tmp_path):
    """R07"""
    values = np.full((4, 1, 3), 7, dtype="uint8")
    values[0, 0, 0] = 0
    values[3, 0] = [255, 0, 255]
    path = write_raster(tmp_path / "a.tif", values, nodata=0)
    with rasterio.open(path, "r+") as dataset:
        dataset.colorinterp = [*dataset.colorinterp[:3], ColorInterp.alpha]
    source = open_source(path)
    assert len(source.bands) == 3
    np.testing.assert_array_equal(whole(source).valid, [[False, False, True]])


def test_each_band_has_its_own_nodata_value(tmp_path):
    """R08"""
    write_raster(tmp_path / "a.tif", [[[1, 2, 3]], [[1, 2, 3]]])
    vrt = tmp_path / "a.vrt"
    bands = "".join(
        f'<VRTRasterBand dataType="Int64" band="{n}"><NoDataValue>{n}</NoDataValue><SimpleSource>'
        f'<SourceFilename relativeToVRT="1">a.tif</SourceFilename><SourceBand>{n}</SourceBand>'
        "</SimpleSource></VRTRasterBand>"
        for n in (1, 2)
    )
    vrt.write_text(f'<VRTDataset rasterXSize="3" rasterYSize="1">{bands}</VRTDataset>')
    np.testing.assert_array_equal(whole(open_source(vrt)).valid, [[False, False, True]])
    first = open_source(vrt, Reading(bands="1"))
    np.testing.assert_array_equal(whole(first).valid, [[False, True, True]])


def test_the_users_nodata_value_replaces_the_files_own(tmp_path):
    path = write_raster(tmp_path / "a.tif", [[[0, 1, 2]]], nodata=0)
    source = open_source(path, Reading(src_nodata=2))
    np.testing.assert_array_equal(whole(source).valid, [[True, True, False]])


@pytest.mark.parametrize("internal", [True, False])
def test_a_mask_band_counts_inside_and_beside_the_file(tmp_path, internal):
    path = tmp_path / "a.tif"
    mask = np.array([[255, 0, 255], [0, 255, 255]], dtype="uint8")
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK="YES" if internal else "NO"):
        write_raster(path, ramp(2, 2, 3))
        with rasterio.open(path, "r+") as dataset:
            dataset.write_mask(mask)
    source = open_source(path)
    np.testing.assert_array_equal(whole(source).valid, mask != 0)
    assert (str(path) + ".msk" in source.files) is not internal


def test_nodata_kept_beside_the_file_alone_is_honored(tmp_path):
    """R31"""
    path = write_raster(tmp_path / "a.tif", [[[7, 8]]])
    (tmp_path / "a.tif.aux.xml").write_text(
        '<PAMDataset><PAMRasterBand band="1"><NoDataValue>7</NoDataValue></PAMRasterBand>'
        "</PAMDataset>"
    )
    source = open_source(path)
    np.testing.assert_array_equal(whole(source).valid, [[False, True]])
    assert str(path) + ".aux.xml" in source.files


def test_a_scene_without_any_valid_pixel_reads_as_such(tmp_path):
    """R10"""
    source = open_source(write_raster(tmp_path / "a.tif", np.zeros((2, 3, 4), "uint8"), nodata=0))
    assert not whole(source).valid.any()


def test_a_color_table_is_refused_unless_asked_for(tmp_path):
    """R18"""
    path = write_raster(tmp_path / "a.tif", ramp(1, 3, 4, "uint8"), photometric="palette")
    with rasterio.open(path, "r+") as dataset:
        dataset.write_colormap(1, {i: (i, i, i, 255) for i in range(256)})
    with pytest.raises(DataError, match="--palette-as-values"):
        open_source(path)
    assert whole(open_source(path, Reading(palette_as_values=True))).valid.all()


# -- damage ------------------------------------------------------------------------------------


@pytest.fixture
def damaged(tmp_path):
    """64 x 64 pixels in tiles of 16, of which the last rows of tiles are cut off."""
    values = np.random.default_rng(0).integers(1, 60000, (2, 64, 64)).astype("uint16")
    path = tmp_path / "a.tif"
    write_raster(
        path, values, tiled=True, blockxsize=16, blockysize=16, compress="deflate",
        interleave="pixel",
    )  # fmt: skip
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 7 // 10])
    return path, values


def readable(path, values):
    """Tiles that rasterio alone can decode."""
    good = np.zeros((64, 64), dtype=bool)
    with rasterio.open(path) as dataset:
        for row in range(0, 64, 16):
            for col in range(0, 64, 16):
                try:
                    tile = dataset.read(window=((row, row + 16), (col, col + 16)))
                except rasterio.errors.RasterioIOError:
                    continue
                good[row : row + 16, col : col + 16] = True
                np.testing.assert_array_equal(tile, values[:, row : row + 16, col : col + 16])
    return good


def test_a_truncated_file_fails_at_the_window_and_names_both(damaged):
    """R25"""
    path, values = damaged
    source = open_source(path)
    np.testing.assert_array_equal(source.read(Window(0, 0, 16, 64)).values, values[:, :16])
    with pytest.raises(UnreadableRasterError, match="rows 48 to 63, columns 0 to 63") as caught:
        source.read(Window(48, 0, 16, 64))
    assert str(path) in str(caught.value)
    assert "--on-bad-tile nodata" in str(caught.value)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("side", [64, 16, 11])
def test_bad_tiles_become_nodata_when_asked_whatever_the_windows(damaged, side):
    """R25, R26"""
    path, values = damaged
    good = readable(path, values)
    assert 0 < good.sum() < good.size
    source = open_source(path, Reading(on_bad_tile="nodata"))
    valid = np.zeros((64, 64), dtype=bool)
    for row in range(0, 64, side):
        for col in range(0, 64, side):
            window = Window(row, col, min(side, 64 - row), min(side, 64 - col))
            block = source.read(window)
            valid[window.inside(Window(0, 0, 64, 64))] = block.valid
    np.testing.assert_array_equal(valid, good)
    listed = {(bad.window.row, bad.window.col) for bad in source.bad_windows}
    assert listed == {tuple(16 * np.array(p)) for p in np.argwhere(~good[::16, ::16])}


def test_a_real_corrupt_file_is_named(shared_data):
    """R26"""
    source = open_source(shared_data / "odd" / "corrupt_truncated.tif")
    with pytest.raises(UnreadableRasterError, match="cannot be decoded"):
        whole(source)


@pytest.mark.parametrize("content", [b"", b"plain text, no raster", b"II*\0\0\0\0\0"])
def test_what_is_no_raster_is_refused(tmp_path, content):
    """R14, R28"""
    path = tmp_path / "a.tif"
    path.write_bytes(content)
    with pytest.raises(UnreadableRasterError, match="cannot be opened as a raster"):
        open_source(path)


@pytest.mark.parametrize("way", ["rewritten", "touched", "replaced", "removed"])
def test_a_file_that_changes_while_read_is_noticed(tmp_path, way):
    """R27"""
    path = write_raster(tmp_path / "a.tif", ramp(1, 8, 8))
    source = open_source(path)
    source.check_unchanged()
    if way == "rewritten":
        path.write_bytes(path.read_bytes() + b"\0")
    elif way == "touched":
        os.utime(path, ns=(1, 1))
    elif way == "replaced":
        write_raster(tmp_path / "b.tif", ramp(1, 8, 8)).replace(path)
    else:
        path.unlink()
    with pytest.raises(ChangedInputError, match=r"a\.tif"):
        source.check_unchanged()


def test_the_checksum_is_that_of_the_file(tmp_path):
    path = write_raster(tmp_path / "a.tif", ramp(1, 8, 8))
    assert open_source(path).sha256() == {str(path): hashlib.sha256(path.read_bytes()).hexdigest()}


def test_reading_leaves_no_trace_beside_the_input(tmp_path):
    """R30"""
    path = write_raster(tmp_path / "a.tif", ramp(3, 64, 64))
    before = {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()}
    source = open_source(path)
    whole(source)
    source.close()
    assert {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()} == before


def test_nothing_is_printed(tmp_path, capfd):
    path = write_raster(tmp_path / "a.tif", ramp(1, 64, 64), tiled=True, blockxsize=16,
                        blockysize=16, compress="deflate")  # fmt: skip
    path.write_bytes(path.read_bytes()[:-2000])
    open_source(path, Reading(on_bad_tile="nodata")).read(Window(0, 0, 64, 64))
    assert capfd.readouterr().out == ""


# -- names -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["a b.tif", "ümläut_日本.tif", "new\nline.tif", "quo'te\".tif", "q#?x.tif", "-dash.tif",
     ".hidden.tif", "100%25.tif", "s3:x.tif", "http:x.tif", "zip:a!b.tif", "<VRTDataset>.tif"],
)  # fmt: skip
@pytest.mark.parametrize("relative", [True, False])
def test_a_file_is_taken_as_that_file_whatever_its_name(tmp_path, monkeypatch, name, relative):
    """P10, P11, H08"""
    write_raster(tmp_path / "plain.tif", ramp(1, 3, 4)).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    source = open_source(name if relative else tmp_path / name)
    np.testing.assert_array_equal(whole(source).values, ramp(1, 3, 4))


@pytest.mark.parametrize("name", ["a\0b.tif", "a\udcffb.tif", b"bytes.tif", 7, None])
def test_names_that_gdal_would_misread_are_refused(name):
    """P12"""
    with pytest.raises(UsageError):
        open_source(name)


@pytest.mark.parametrize(
    "name",
    ["s3:x.tif", "http:x.tif", "zip:x.tif", "ftp4://x/y.tif",
     '<VRTDataset rasterXSize="1" rasterYSize="1"/>', 'NETCDF:"no.nc":a'],
)  # fmt: skip
def test_what_is_neither_a_file_nor_a_plain_address_is_refused(name):
    """P11, H08"""
    with pytest.raises(UnreadableRasterError):
        open_source(name)


# -- hostile -----------------------------------------------------------------------------------


def tiny_tiff(width: int, height: int, tile: int | None) -> bytes:
    """A TIFF of some 200 bytes that claims any size, in one strip or in tiles."""
    tags = [
        (256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 1), (262, 3, 1), (277, 3, 1),
    ]  # fmt: skip
    if tile:
        tags += [(322, 4, tile), (323, 4, tile), (324, 4, 8), (325, 4, 8)]
    else:
        tags += [(273, 4, 8), (278, 4, height), (279, 4, 8)]
    body = b"".join(
        struct.pack("<HHI", tag, kind, 1) + struct.pack("<I", value)
        for tag, kind, value in sorted(tags)
    )
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags)) + body + b"\0" * 4


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (tiny_tiff(1_000_000, 1_000_000, None), "--max-pixels"),
        (tiny_tiff(60_016, 60_016, 60_016), "too large to be read in pieces"),
    ],
    ids=["H01", "H02"],
)
def test_a_tiny_file_that_claims_to_be_huge_is_refused_before_it_is_read(tmp_path, content, said):
    path = tmp_path / "a.tif"
    path.write_bytes(content)
    assert len(content) < 300
    with pytest.raises(DataError, match=said):
        open_source(path)


def test_the_cap_on_pixels_can_be_raised(tmp_path):
    """H03"""
    vrt = tmp_path / "a.vrt"
    vrt.write_text(
        '<VRTDataset rasterXSize="1000000" rasterYSize="1000000">'
        '<VRTRasterBand dataType="Float64" band="1"/></VRTDataset>'
    )
    with pytest.raises(DataError, match="--max-pixels"):
        open_source(vrt)
    source = open_source(vrt, Reading(max_pixels=10**13))
    assert source.read(Window(999_999, 999_999, 1, 1)).valid.shape == (1, 1)
    with pytest.raises(DataError, match="--max-pixels"):
        open_source(write_raster(tmp_path / "b.tif", ramp(1, 3, 4)), Reading(max_pixels=11))


def test_more_bands_than_can_be_meant_are_refused(tmp_path):
    """R15"""
    vrt = tmp_path / "a.vrt"
    bands = "".join(f'<VRTRasterBand dataType="Byte" band="{i + 1}"/>' for i in range(5000))
    vrt.write_text(f'<VRTDataset rasterXSize="1" rasterYSize="1">{bands}</VRTDataset>')
    with pytest.raises(DataError, match="5000 bands; at most 4096"):
        open_source(vrt)


def virtual(source: str, relative: int = 0) -> str:
    return (
        '<VRTDataset rasterXSize="20" rasterYSize="1"><VRTRasterBand dataType="Byte" band="1" '
        f'subClass="VRTRawRasterBand"><SourceFilename relativetoVRT="{relative}">{source}'
        "</SourceFilename><ImageOffset>0</ImageOffset><PixelOffset>1</PixelOffset>"
        "<LineOffset>20</LineOffset></VRTRasterBand></VRTDataset>"
    )


def test_a_virtual_raster_under_another_name_is_refused(tmp_path):
    """H04"""
    (tmp_path / "a.tif").write_text(virtual("/etc/passwd"))
    with pytest.raises(UnreadableRasterError, match=r"local \.vrt files only"):
        open_source(tmp_path / "a.tif")


@pytest.mark.parametrize("source", ["/etc/passwd", "../secret.bin"])
def test_a_virtual_raster_does_not_show_raw_bytes_from_outside_its_folder(tmp_path, source):
    """H05"""
    (tmp_path / "secret.bin").write_bytes(b"s" * 20)
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.vrt").write_text(virtual(source, relative=int(source.startswith("."))))
    with pytest.raises(RsclassError, match=r"lies outside its folder|cannot be opened"):
        open_source(folder / "a.vrt")


def test_a_virtual_raster_does_not_run_code(tmp_path, monkeypatch):
    """H07"""
    monkeypatch.setenv("GDAL_VRT_ENABLE_PYTHON", "YES")
    write_raster(tmp_path / "a.tif", ramp(1, 3, 4))
    (tmp_path / "a.vrt").write_text(
        '<VRTDataset rasterXSize="4" rasterYSize="3"><VRTRasterBand dataType="Byte" band="1" '
        'subClass="VRTDerivedRasterBand"><PixelFunctionType>f</PixelFunctionType>'
        "<PixelFunctionLanguage>Python</PixelFunctionLanguage><PixelFunctionCode><![CDATA[\n"
        f"def f(*args, **kwargs):\n    open({str(tmp_path / 'ran')!r}, 'w')\n"
        "]]></PixelFunctionCode><SimpleSource><SourceFilename relativeToVRT='1'>a.tif"
        "</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    with pytest.raises(UnreadableRasterError):
        whole(open_source(tmp_path / "a.vrt"))
    assert not (tmp_path / "ran").exists()


def test_many_files_do_not_use_up_the_handles_of_the_process(tmp_path):
    for i in range(40):
        write_raster(tmp_path / f"x_{i}.tif", ramp(1, 2, 3) + np.uint16(i))
    source = open_source(tmp_path)
    for _ in range(2):
        np.testing.assert_array_equal(whole(source).values[:, 0, 0], np.arange(40) + 1)
    folder = f"/proc/{os.getpid()}/fd"
    names = [os.path.realpath(f"{folder}/{fd}") for fd in os.listdir(folder)]
    assert len([name for name in names if name.startswith(str(tmp_path))]) <= 32
    source.close()


def test_handles_of_threads_that_ended_are_let_go(tmp_path):
    path = write_raster(tmp_path / "a.tif", ramp(1, 3, 4))
    source = open_source(path)
    for _ in range(5):
        thread = threading.Thread(target=whole, args=(source,))
        thread.start()
        thread.join()
    assert len(source._handles._all) == 0
