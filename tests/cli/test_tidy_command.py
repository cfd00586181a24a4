"""``rsclass tidy`` as it is typed."""

from __future__ import annotations

import json

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

import rsclass
from rsclass.io.maps import read_map


@pytest.fixture
def path(tmp_path):

    values = np.ones((40, 50), np.uint8)
    values[5:8, 5:8] = values[20, 20] = 2
    values[30:35, 30:40] = 3
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
        transform=from_origin(5e5, 5e6, 20, 20),
    ) as dataset:
        dataset.write(values, 1)
    return file


def test_flags_reach_the_verb_and_the_result_comes_as_json(call, path, tmp_path):
    out = tmp_path / "out.tif"
    found = call("tidy", path, "-o", out, "--sieve", 10, "--protect", "class 3,2", "--json")
    assert found.code == 0
    assert found.data["moved"] == []
    found = call("tidy", path, "-o", out, "--sieve", 10, "--overwrite", "--json")
    assert found.data["moved"] == [
        {"from": 2, "from_name": "class 2", "to": 1, "to_name": "class 1", "pixels": 10}
    ]
    np.testing.assert_array_equal(read_map(out) == 3, read_map(path) == 3)


@pytest.mark.parametrize("area", ["0.4ha", "4000 m2", "0.004km2"])
def test_an_area_is_given_in_hectares_or_square_meters(call, path, tmp_path, area):
    """Ten pixels of 20 m are 0.4 ha: the patch of nine goes."""
    found = call("tidy", path, "-o", tmp_path / "out.tif", "--min-area", area)
    assert found.code == 0
    assert "10 pixels moved" in found.out
    expected = rsclass.tidy(path, tmp_path / "api.tif", sieve=10).read()
    np.testing.assert_array_equal(read_map(tmp_path / "out.tif"), expected)


@pytest.mark.parametrize(
    ("flags", "code", "told"),
    [
        ([], 2, "nothing is asked for"),
        (["--min-area", "3"], 2, "no area"),
        (["--sieve", "0"], 2, "--sieve"),
        (["--majority", "4"], 2, "odd"),
        (["--sieve", "3", "--protect", "lava"], 2, "no such class"),
    ],
)
def test_what_cannot_be_done_ends_with_its_code_and_one_sentence(call, path, flags, code, told):
    found = call("tidy", path, *flags)
    assert found.code == code
    assert told in found.err
    assert found.out == ""
    assert [file.name for file in path.parent.iterdir()] == ["map.tif"]


def test_the_same_names_stand_in_a_settings_file(call, path, tmp_path):
    settings = tmp_path / "settings.toml"
    settings.write_text('[tidy]\nsieve = 10\nprotect = ["class 3", "2"]\n')
    found = call("tidy", path, "--config-file", settings, "--json")
    assert found.code == 0, found.err
    recipe = json.loads((tmp_path / "map_tidy.stats.json").read_text())["recipe"]
    assert (recipe["sieve"], recipe["protect"]) == (10, [2, 3])
