"""Faults of scenes: odd places, damage, changes while reading, servers."""

from __future__ import annotations

import hashlib
import json
import socket
from pathlib import Path

import pytest
import rasterio
from affine import Affine
from fault_scenes import (
    HEIGHT,
    UTM,
    WIDTH,
    claiming_tiff,
    classes_of,
    stripes,
    write,
    write_cut_off,
)
from rasterio.control import GroundControlPoint
from workplace import OF_CLASSIFY, Workplace

from rsclass.cli.session import Session

# -- places ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "transform",
    [
        pytest.param(None, id="R19"),
        pytest.param(Affine(10, 3, 500000, 2, -9, 5400000), id="R20"),
        pytest.param(Affine(10, 0, 500000, 0, 10, 5400000), id="R21"),
    ],
)
def test_the_georeference_is_copied_as_it_is(place: Workplace, transform: Affine | None) -> None:
    crs = None if transform is None else UTM
    place.classify(write(place.inputs / "a.tif", transform=transform, crs=crs)).done()
    with rasterio.open(place.inputs / "a.tif") as scene, rasterio.open(place.map) as made:
        assert made.transform == scene.transform
        assert made.crs == scene.crs


def test_ground_control_points_are_copied_with_their_crs(place: Workplace) -> None:
    """R22."""
    corners = [(r, c, 11 + c / 100, 48 - r / 100) for r in (0, HEIGHT) for c in (0, WIDTH)]
    points = [GroundControlPoint(*corner) for corner in corners]
    scene = write(place.inputs / "a.tif", transform=None, crs="EPSG:4326", gcps=points)
    place.classify(scene).done("a is georeferenced by ground control points only; they are copied")
    with rasterio.open(place.map) as made:
        found, crs = made.gcps
    assert [(p.row, p.col, p.x, p.y) for p in found] == corners
    assert crs.to_epsg() == 4326


@pytest.mark.parametrize(
    ("other", "said"),
    [
        pytest.param({"crs": "EPSG:32633"}, "different coordinate systems", id="R23-crs"),
        pytest.param(
            {"transform": Affine(10, 0, 900000, 0, -10, 5400000)},
            "different ground",
            id="R23-place",
        ),
        pytest.param({"values": stripes(1, 30)}, "different ground", id="R23-size"),
        pytest.param(
            {"transform": Affine(10, 4, 500000, 4, -10, 5400000)},
            "turned or flipped",
            id="R23-turn",
        ),
    ],
)
def test_files_that_do_not_fit_together_are_refused(
    place: Workplace, scene: Path, other: dict, said: str
) -> None:
    second = write(place.inputs / "other.tif", **other)
    place.classify(scene, second).refused(3, said, "other.tif", "gdalwarp")


def test_pixels_wider_than_the_scene_are_refused(place: Workplace, scene: Path) -> None:
    """P08: they would be one mean of numberless pixels beside the scene."""
    place.classify(scene, "--resolution", "1e9").refused(2, "--resolution 1e+09 is wider")


# -- damage ------------------------------------------------------------------------------------


def test_a_tile_that_cannot_be_decoded_is_named_or_left_out(place: Workplace) -> None:
    """R25, R26."""
    scene = write_cut_off(place.inputs / "a.tif")
    place.classify(scene).refused(
        3, "a.tif cannot be decoded in rows 0 to 63", "--on-bad-tile nodata"
    )
    ended = place.classify(scene, "--on-bad-tile=nodata")
    ended.done("nodata in the map")
    assert "a.tif rows 48 to 63, columns 0 to 15" in ended.err
    assert not classes_of(place.map)[48:, :16].any()
    assert classes_of(place.map)[:16, :16].all()


def test_the_inputs_are_known_by_their_sha256(place: Workplace, scene: Path) -> None:
    """F10, R26: TIFF does not notice most flipped bits."""
    place.classify(scene).done()
    with rasterio.open(place.map) as made:
        recipe = json.loads(made.tags()["RSCLASS_RECIPE"])
    assert list(recipe["sha256"].values()) == [hashlib.sha256(scene.read_bytes()).hexdigest()]


def test_a_scene_that_is_rewritten_while_it_is_read_is_refused(
    place: Workplace, scene: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R27."""
    whole = scene.read_bytes()
    report = Session._report

    def rewrite(self: Session, done: float, total: float, message: str) -> None:
        if message == "classifying":
            scene.write_bytes(whole + b"\0")
        report(self, done, total, message)

    monkeypatch.setattr(Session, "_report", rewrite)
    ended = place.classify(scene)
    assert scene.read_bytes() != whole
    scene.write_bytes(whole)
    assert (ended.code, len(ended.lines)) == (3, 1)
    assert "scene.tif changed while being read" in ended.err
    assert not list(place.outputs.iterdir())


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(claiming_tiff(0, 5), id="R14"),
        pytest.param(b"", id="R28-empty"),
        pytest.param(b"no raster, but text", id="R28-text"),
        pytest.param(b"II*\0\0\0\0\0", id="R28-header"),
    ],
)
def test_what_is_no_raster_is_refused(place: Workplace, content: bytes) -> None:
    scene = place.inputs / "a.tif"
    scene.write_bytes(content)
    place.classify(scene).refused(3, "a.tif cannot be opened as a raster", "check that it is")


def test_a_folder_without_rasters_is_refused(place: Workplace) -> None:
    """R28."""
    place.classify(place.inputs).refused(3, f"{place.inputs} holds no rasters", "give a file")


def test_a_server_that_does_not_answer_is_named(place: Workplace) -> None:
    """R29, F7: a body that is cut off and comes with the next try is tested with the reader."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/a.tif"
    place.classify(url).refused(3, f"{url} cannot be opened as a raster")


def test_nothing_appears_beside_the_scene(place: Workplace) -> None:
    """R30: GDAL itself would write statistics there."""
    scene = write(place.inputs / "a.tif", stripes(), nodata=0)
    place.classify(scene, "--stac").done(files=OF_CLASSIFY | {"map.stac.json"})
    assert [path.name for path in place.inputs.iterdir()] == ["a.tif"]
