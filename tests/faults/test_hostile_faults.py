"""Files made to do harm: claims of size, virtual rasters that reach out, code."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import rasterio
from fault_scenes import (
    HEIGHT,
    NORTH_UP,
    UTM,
    WIDTH,
    claiming_tiff,
    raw_vrt,
    stripes,
    vrt,
    write,
)
from workplace import Workplace

HUGE_VRT = (
    '<VRTDataset rasterXSize="1000000" rasterYSize="1000000">'
    '<VRTRasterBand dataType="Float64" band="1"/></VRTDataset>'
)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        pytest.param("a.tif", claiming_tiff(10**6, 10**6), "more than --max-pixels", id="H01"),
        pytest.param(
            "a.tif", claiming_tiff(60_016, 60_016, 60_016), "blocks of 60016 x 60016", id="H02"
        ),
        pytest.param("a.vrt", HUGE_VRT.encode(), "more than --max-pixels", id="H03"),
    ],
)
def test_a_tiny_file_that_claims_to_be_huge_is_refused_at_once(
    place: Workplace, name: str, content: bytes, said: str
) -> None:
    scene = place.inputs / name
    scene.write_bytes(content)
    assert len(content) < 300
    began = time.monotonic()
    place.classify(scene).refused(3, name, said)
    assert time.monotonic() - began < 3


def test_a_large_and_nearly_empty_scene_may_be_meant(place: Workplace) -> None:
    """H03: 64 million pixels in a file of some 100 kB, of which one block is stored."""
    scene = place.inputs / "a.tif"
    size = {"width": 8000, "height": 8000, "count": 1, "dtype": "uint8", "nodata": 0, "crs": UTM}
    with rasterio.open(
        scene, "w", **size, transform=NORTH_UP, tiled=True, compress="zstd", SPARSE_OK=True
    ) as dataset:
        dataset.write(stripes(1, 256, 256, "uint8"), window=((0, 256), (0, 256)))
    assert scene.stat().st_size < 200_000
    ended = place.classify(scene, "--dry-run")
    ended.done(files=set())
    assert "a: 8000 x 8000 pixels" in ended.out


def test_a_virtual_raster_may_lie_elsewhere_than_its_data(place: Workplace, scene: Path) -> None:
    """H04: on the local command line."""
    folder = place.inputs / "virtual"
    folder.mkdir()
    (folder / "a.vrt").write_text(vrt(scene, bands=3))
    place.classify(folder / "a.vrt").done()


def test_a_virtual_raster_under_another_name_is_refused(place: Workplace, scene: Path) -> None:
    """H04."""
    disguised = place.inputs / "a.tif"
    disguised.write_text(vrt(scene))
    place.classify(disguised).refused(3, "a.tif is a virtual raster", "local .vrt files only")


@pytest.mark.parametrize("target", ["/etc/passwd", "../secret"])
def test_a_virtual_raster_shows_no_raw_bytes_of_other_folders(
    place: Workplace, target: str
) -> None:
    """H05."""
    (place.inputs / "secret").write_bytes(b"s" * 20)
    folder = place.inputs / "virtual"
    folder.mkdir()
    (folder / "a.vrt").write_text(raw_vrt(target))
    ended = place.classify(folder / "a.vrt")
    ended.refused(3, "a.vrt")
    assert "root:" not in ended.err


def test_a_virtual_raster_whose_source_does_not_answer_is_named(place: Workplace) -> None:
    """H06: a service refuses it; on the local command line it is the user's own file."""
    virtual = place.inputs / "a.vrt"
    virtual.write_text(vrt("/vsicurl/http://127.0.0.1:9/a.tif"))
    place.classify(virtual).refused(3, "a.vrt cannot be decoded", "127.0.0.1:9")


def test_a_virtual_raster_runs_no_code(
    place: Workplace, scene: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H07: not even where the surroundings allow it."""
    monkeypatch.setenv("GDAL_VRT_ENABLE_PYTHON", "YES")
    sprung = place.outputs / "sprung"
    virtual = place.inputs / "a.vrt"
    code = (
        "<PixelFunctionType>f</PixelFunctionType><PixelFunctionLanguage>Python"
        "</PixelFunctionLanguage><PixelFunctionCode><![CDATA[\n"
        f"def f(*args, **kwargs):\n    open({str(sprung)!r}, 'w')\n]]></PixelFunctionCode>"
    )
    virtual.write_text(vrt(scene, inside=code, kind='subClass="VRTDerivedRasterBand"'))
    place.classify(virtual).refused(3, "a.vrt")
    assert not sprung.exists()


def test_the_size_that_is_refused_is_the_users_choice(place: Workplace) -> None:
    """H01, H03."""
    scene = write(place.inputs / "a.tif")
    cap = HEIGHT * WIDTH
    place.classify(scene, "--max-pixels", cap - 1).refused(3, f"--max-pixels {cap - 1}; raise it")
    place.classify(scene, "--max-pixels", cap).done()
