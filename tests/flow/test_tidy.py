"""Class maps without lone pixels and small patches, whatever the tiles."""

from __future__ import annotations

import json

import numpy as np
import pytest
import rasterio
import rasterio.features
from made_maps import write_map
from rasterio.transform import from_origin
from scipy import ndimage

import rsclass
from rsclass.core.majority import Majority
from rsclass.errors import (
    DataError,
    MemoryLimitError,
    OutputExistsError,
    StoppedError,
    UsageError,
)
from rsclass.io.maps import read_map, read_recipe
from rsclass.run.memory import resident
from rsclass.run.settings import Running

NAMES = {1: "water", 2: "forest", 3: "crops", 4: "urban", 5: "rock"}


@pytest.fixture(scope="module")
def values():
    """Patches of all sizes over two by three canonical blocks, with nodata among them."""
    rng = np.random.default_rng(2)
    coarse = np.kron(rng.integers(1, 6, (30, 48)), np.ones((23, 23)))
    speckled = rng.integers(0, 6, coarse.shape)
    return np.where(rng.random(coarse.shape) < 0.2, speckled, coarse).astype(np.uint8)


@pytest.fixture(scope="module")
def path(values, tmp_path_factory):
    return write_map(tmp_path_factory.mktemp("map") / "map.tif", values, NAMES)


def patch_sizes(values, diagonal):
    structure = np.ones((3, 3)) if diagonal else ndimage.generate_binary_structure(2, 1)
    sizes = {}
    for value in np.unique(values[values > 0]):
        labels, _ = ndimage.label(values == value, structure)
        sizes[int(value)] = np.bincount(labels.ravel())[1:]
    return sizes


def test_a_sieve_leaves_no_small_patch_and_every_hole(path, values, tmp_path):
    result = rsclass.tidy(path, tmp_path / "out.tif", sieve=9)
    found = result.read()
    np.testing.assert_array_equal(found == 0, values == 0)
    assert min(sizes.min() for sizes in patch_sizes(values, False).values()) < 9
    assert min(sizes.min() for sizes in patch_sizes(found, False).values()) >= 9
    assert found.dtype == np.uint8


def test_a_sieve_without_holes_and_chains_is_that_of_gdal(tmp_path):
    rng = np.random.default_rng(3)
    blocks = rng.integers(1, 6, (20, 24)).astype(np.uint8)
    sides = rng.integers(20, 60, 44)
    values = blocks.repeat(sides[:20], axis=0).repeat(sides[20:], axis=1)
    values[rng.random(values.shape) < 0.003] = 5
    path = write_map(tmp_path / "blocks.tif", values)
    found = rsclass.tidy(path, tmp_path / "out.tif", sieve=8).read()
    expected = rasterio.features.sieve(values, 8)
    assert max(values.shape) > 600
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "rule",
    [
        {"majority": 3, "sieve": 9},
        {"majority": 5, "circular": True, "protect": ["water"]},
        {"min_area": 1.5, "connect": 8, "protect": [1, "rock"]},
    ],
    ids=["both", "majority", "sieve"],
)
def test_tiles_and_threads_never_change_a_byte(path, tmp_path, rule):
    layouts = [
        Running(jobs=1, tile=4096),
        Running(jobs=1, tile=1),
        Running(jobs=3, tile=512),
        Running(jobs=2, tile=1024, max_mem=resident() + 600 * 2**20),
    ]
    bytes_of = set()
    for i, running in enumerate(layouts):
        out = tmp_path / f"{i}" / "out.tif"
        out.parent.mkdir()
        rsclass.tidy(path, out, running=running, **rule)
        bytes_of.add(out.read_bytes())
    assert len(bytes_of) == 1


def test_the_majority_comes_first_and_the_sieve_sees_what_it_left(path, values, tmp_path):
    both = rsclass.tidy(path, tmp_path / "both.tif", majority=3, sieve=9).read()
    whole = tuple(slice(0, n) for n in values.shape)
    first = write_map(tmp_path / "first.tif", Majority(3).apply(values, whole))
    np.testing.assert_array_equal(
        both, rsclass.tidy(first, tmp_path / "second.tif", sieve=9).read()
    )


def test_protected_classes_keep_every_pixel(path, values, tmp_path):
    found = rsclass.tidy(
        path, tmp_path / "out.tif", majority=3, sieve=30, protect=["Water", "5"]
    ).read()
    for value in (1, 5):
        assert (found[values == value] == value).all()
    assert (found[values == 2] != 2).any()


def test_what_moved_is_counted_pair_by_pair_in_every_file(path, values, tmp_path):
    result = rsclass.tidy(path, tmp_path / "out.tif", majority=3)
    found = result.read()
    rows = result.to_dict()["moved"]
    for row in rows:
        moved = (values == row["from"]) & (found == row["to"])
        assert row["pixels"] == np.count_nonzero(moved)
        assert (row["from_name"], row["to_name"]) == (NAMES[row["from"]], NAMES[row["to"]])
    assert sum(row["pixels"] for row in rows) == np.count_nonzero(values != found)
    assert [row["pixels"] for row in rows] == sorted((r["pixels"] for r in rows), reverse=True)
    assert json.loads(result.files["statistics"].read_text())["moved"] == rows
    assert f"{rows[0]['pixels']:,}" in result.summary()


def test_hectares_are_measured_row_by_row_on_the_globe(tmp_path):
    """Two patches of as many pixels: near the pole they cover less ground."""
    values = np.ones((800, 60), np.uint8)
    values[10:20, 10:20] = values[780:790, 10:20] = 2
    path = write_map(
        tmp_path / "globe.tif",
        values,
        crs="EPSG:4326",
        transform=from_origin(0, 80, 0.1, 0.1),
    )
    near_pole, near_equator = (
        np.radians(0.1) ** 2 * 6_371_007.0**2 * np.cos(np.radians(latitude)) * 100 / 1e4
        for latitude in (78.5, 1.5)
    )
    limit = float(near_pole + near_equator) / 2
    found = rsclass.tidy(path, tmp_path / "out.tif", min_area=limit).read()
    assert (found[10:20, 10:20] == 1).all()
    assert (found[780:790, 10:20] == 2).all()


def test_hectares_are_pixels_where_all_are_of_one_size(path, tmp_path):
    by_area = rsclass.tidy(path, tmp_path / "area.tif", min_area=0.9)
    by_pixels = rsclass.tidy(path, tmp_path / "pixels.tif", sieve=10)
    np.testing.assert_array_equal(by_area.read(), by_pixels.read())


def test_hectares_without_ground_are_refused(tmp_path):
    """R19"""
    path = write_map(tmp_path / "map.tif", np.ones((9, 9), np.uint8), crs=None)
    with pytest.raises(DataError, match="--sieve in pixels"):
        rsclass.tidy(path, tmp_path / "out.tif", min_area=1)
    assert not (tmp_path / "out.tif").exists()


@pytest.mark.parametrize("nodata", [255, 7])
def test_any_nodata_value_is_no_class(tmp_path, nodata):
    """R31 and pain of sieves that eat nodata: holes stay holes, and are 0 in the new map."""
    values = np.random.default_rng(0).integers(1, 4, (40, 50)).astype(np.uint8)
    values[5:9, 5:9] = values[0, 0] = nodata
    path = write_map(tmp_path / "map.tif", values, nodata=nodata)
    found = rsclass.tidy(path, tmp_path / "out.tif", majority=3, sieve=5).read()
    np.testing.assert_array_equal(found == 0, values == nodata)
    assert found.max() <= 3


@pytest.mark.parametrize("shape", [(1, 1), (1, 600), (600, 1)])
def test_maps_of_one_row_or_column_are_tidied(tmp_path, shape):
    """R13"""
    values = np.random.default_rng(1).integers(1, 3, shape).astype(np.uint8)
    path = write_map(tmp_path / "map.tif", values)
    found = rsclass.tidy(path, tmp_path / "out.tif", majority=3, sieve=2).read()
    assert found.shape == shape


def test_classes_beyond_eight_bits_are_tidied(tmp_path):
    values = np.full((30, 30), 40_000, np.uint16)
    values[4, 4] = values[20:26, 20:26] = 300
    path = write_map(tmp_path / "map.tif", values)
    found = rsclass.tidy(path, tmp_path / "out.tif", sieve=5).read()
    assert found[4, 4] == 40_000
    assert (found[20:26, 20:26] == 300).all()


def test_the_legend_and_the_lineage_stay_with_the_map(path, tmp_path):
    result = rsclass.tidy(path, majority=3, protect=["rock"], out=tmp_path / "out.tif")
    assert result.legend.names == tuple(NAMES.values())
    recipe = read_recipe(result.path)
    assert recipe["verb"] == "tidy"
    assert recipe["majority"]["size"] == 3
    assert recipe["protect"] == [5]
    assert recipe["parent"]["map"] == str(path)
    with rasterio.open(path) as old, rasterio.open(result.path) as new:
        assert (old.transform, old.crs) == (new.transform, new.crs)


def test_the_new_map_lies_beside_the_old_one_unless_told(path, values):
    result = rsclass.tidy(path, sieve=2)
    assert result.path == path.with_name("map_tidy.tif")
    np.testing.assert_array_equal(read_map(path), values)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({}, UsageError),
        ({"sieve": 3, "min_area": 1}, UsageError),
        ({"sieve": 3, "connect": 6}, UsageError),
        ({"sieve": 0}, UsageError),
        ({"min_area": 0}, UsageError),
        ({"majority": 4}, UsageError),
        ({"majority": 3, "protect": ["lava"]}, UsageError),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_written(path, tmp_path, wrong, error):
    with pytest.raises(error):
        rsclass.tidy(path, tmp_path / "out.tif", **wrong)
    assert not list(tmp_path.iterdir())


def test_an_output_that_exists_is_refused_before_patches_are_followed(path, tmp_path):
    """P03"""
    out = tmp_path / "out.tif"
    out.write_bytes(b"mine")
    told = []
    running = Running(progress=lambda done, total, message: told.append(message))
    with pytest.raises(OutputExistsError):
        rsclass.tidy(path, out, sieve=5, running=running)
    assert "following patches" not in told
    assert out.read_bytes() == b"mine"


def test_the_map_itself_is_never_the_output(path):
    """P02"""
    with pytest.raises(UsageError, match="same file"):
        rsclass.tidy(path, path, sieve=5)


def test_a_limit_that_no_tile_fits_is_told(path, tmp_path):
    """P08"""
    with pytest.raises(MemoryLimitError, match="--max-mem"):
        rsclass.tidy(path, tmp_path / "out.tif", sieve=5, running=Running(max_mem=2**20))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("at", ["following patches", "tidying"])
def test_a_stop_leaves_nothing(path, tmp_path, at):
    """P05"""

    def progress(done, total, message):
        if message == at:
            raise StoppedError("stopped.")

    running = Running(jobs=2, tile=512, progress=progress)
    with pytest.raises(StoppedError):
        rsclass.tidy(path, tmp_path / "out.tif", sieve=5, running=running)
    assert not list(tmp_path.iterdir())
