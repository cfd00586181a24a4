"""Cloud-optimized GeoTIFFs: valid, lossless, and with overviews that hold real classes."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from sink_helpers import COLORS, UTM, write_raster

from rsclass.io.sink import Writing


@pytest.fixture(autouse=True)
def _quick_disk(monkeypatch):
    """Nothing here asks what a power loss leaves, so nothing waits for the disk."""
    monkeypatch.setattr("os.fsync", lambda handle: None)


COG = Writing("COG")


def sparse_classes() -> np.ndarray:
    """Classes 0, 1, 4 and 9 in specks, whose means are other class numbers."""
    rng = np.random.default_rng(0)
    return rng.choice(np.array([0, 1, 4, 9], np.uint8), (1, 1200, 1100))


def overviews(path) -> list[np.ndarray]:
    with rasterio.open(path) as dataset:
        levels = len(dataset.overviews(1))
    found = []
    for level in range(levels):
        with rasterio.open(path, overview_level=level) as dataset:
            found.append(dataset.read())
    return found


@pytest.mark.parametrize(
    ("dtype", "colormap"), [("uint8", None), ("uint8", COLORS), ("uint16", None)]
)
def test_overviews_hold_only_classes_of_the_map(dtype, colormap, tmp_path):
    """W06, F8: GDAL's default averages class numbers."""
    pixels = sparse_classes().astype(dtype)
    path = write_raster(pixels, tmp_path / "map.tif", COG, side=512, colormap=colormap)
    levels = overviews(path)
    assert len(levels) == 2
    for level in levels:
        assert set(np.unique(level)) <= {0, 1, 4, 9}


def test_an_overview_shows_the_most_frequent_class(tmp_path):
    """W06: 3 of 4 pixels of each 2 x 2 cell are of class 4, one of class 9."""
    pixels = np.full((1, 1024, 1024), 4, np.uint8)
    pixels[:, ::2, ::2] = 9
    path = write_raster(pixels, tmp_path / "map.tif", COG, side=512)
    assert all((level == 4).all() for level in overviews(path))


def test_an_overview_of_a_measure_is_its_mean(tmp_path):
    pixels = np.full((1, 1024, 1024), 0.25, np.float32)
    pixels[:, ::2, :] = 0.75
    path = write_raster(pixels, tmp_path / "c.tif", COG, side=512, nodata=float("nan"))
    assert all((level == 0.5).all() for level in overviews(path))


def test_a_cog_is_one_by_its_own_layout(tmp_path):
    pixels = sparse_classes()
    path = write_raster(
        pixels, tmp_path / "map.tif", COG, colormap=COLORS, tags={"A": "b"}, descriptions=["class"]
    )
    with rasterio.open(path) as dataset:
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        np.testing.assert_array_equal(dataset.read(), pixels)
        assert dataset.colormap(1)[4] == COLORS[4]
        assert dataset.descriptions == ("class",)
        assert dataset.tags()["A"] == "b"
        assert dataset.nodata == 0
        assert tuple(dataset.transform)[:6] == UTM.transform
    assert [p.name for p in tmp_path.iterdir()] == ["map.tif"]


@pytest.mark.parametrize(
    ("option", "shown"),
    [
        (("COMPRESS", "ZSTD"), {"COMPRESSION": "ZSTD"}),
        (("PREDICTOR", "2"), {"PREDICTOR": "2"}),
        (("COMPRESS", "NONE"), {}),
    ],
)
def test_creation_options_reach_the_cog(option, shown, tmp_path):
    """W04."""
    writing = Writing("COG", creation=(option,))
    path = write_raster(sparse_classes(), tmp_path / "map.tif", writing)
    with rasterio.open(path) as dataset:
        structure = dataset.tags(ns="IMAGE_STRUCTURE")
        assert structure["LAYOUT"] == "COG"
        assert shown.items() <= structure.items()
        assert ("COMPRESSION" in structure) == (option[1] != "NONE")
