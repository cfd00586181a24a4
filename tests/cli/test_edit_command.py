"""``rsclass edit`` as it is typed."""

from __future__ import annotations

import geopandas
import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin
from shapely.geometry import box

from rsclass.io.maps import read_map


@pytest.fixture
def path(tmp_path):
    values = np.ones((40, 50), np.uint8)
    values[:, 25:] = 2
    file = tmp_path / "map.tif"
    with rasterio.open(
        file,
        "w",
        driver="GTiff",
        height=40,
        width=50,
        count=1,
        dtype="uint8",
        nodata=0,
        crs="EPSG:32632",
        transform=from_origin(0, 40, 1, 1),
    ) as dataset:
        dataset.write(values, 1)
    return file


@pytest.fixture
def drawn(tmp_path):
    file = tmp_path / "drawn.gpkg"
    shapes = [box(20, 30, 30, 40)]
    geopandas.GeoDataFrame({"to": ["class 2"]}, geometry=shapes, crs="EPSG:32632").to_file(file)
    return file


def test_an_edit_is_done_taken_back_and_repeated(call, path, drawn, tmp_path):
    out = tmp_path / "out.tif"
    found = call("edit", path, "--polygons", drawn, "--field", "to", "-o", out, "--json")
    assert found.code == 0, found.err
    assert found.data["moved"] == [
        {"from": 1, "from_name": "class 1", "to": 2, "to_name": "class 2", "pixels": 50}
    ]
    assert found.data["edits"][0]["features"][0]["pixels"] == 100
    assert call("edit", out, "--undo", "-o", tmp_path / "back.tif").code == 0
    np.testing.assert_array_equal(read_map(tmp_path / "back.tif"), read_map(path))
    log = found.data["files"]["edits"]
    found = call("edit", path, "--replay", log, "--only", "1")
    assert found.code == 2
    assert "--only speaks of drawn features" in found.err
    assert call("edit", path, "--replay", log).code == 0
    np.testing.assert_array_equal(read_map(tmp_path / "map_edited.tif"), read_map(out))


def test_one_class_for_all_features_and_only_some_pixels(call, path, drawn, tmp_path):
    out = tmp_path / "out.tif"
    flags = ("--to", "lava", "--add-classes", "--only", "2")
    assert call("edit", path, "--polygons", drawn, "-o", out, *flags).code == 0
    values = read_map(out)
    assert (values[:10, 25:30] == 3).all()
    assert np.count_nonzero(values == 3) == 50


@pytest.mark.parametrize(
    ("flags", "code", "told"),
    [
        ([], 2, "nothing is asked for"),
        (["--undo", "--replay", "x"], 2, "different tasks"),
        (["--undo"], 3, "there is no edit log"),
        (["--replay", "missing.jsonl"], 3, "there is no edit log"),
        (["--polygons", "drawn.gpkg"], 2, "--field"),
        (["--polygons", "drawn.gpkg", "--field", "name"], 2, "'name'"),
        (["--polygons", "drawn.gpkg", "--to", "lava"], 2, "--to lava: the map has no such class"),
        (["--polygons", "missing.gpkg", "--to", "1"], 3, "missing.gpkg"),
    ],
)
def test_what_cannot_be_done_ends_with_its_code_and_one_sentence(
    call, path, drawn, monkeypatch, flags, code, told
):
    monkeypatch.chdir(path.parent)
    found = call("edit", "map.tif", *flags)
    assert found.code == code, found.err
    assert told in found.err
    assert sorted(file.name for file in path.parent.iterdir()) == ["drawn.gpkg", "map.tif"]
