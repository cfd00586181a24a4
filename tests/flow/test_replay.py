"""Maps made again from their own recipe."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import rasterio

from rsclass.errors import DataError
from rsclass.flow.classify import classify
from rsclass.flow.predict import predict
from rsclass.flow.replay import replay
from rsclass.flow.train import train
from rsclass.io.sink import Writing
from rsclass.io.source import Reading


@pytest.fixture
def copy(small_scene: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(small_scene, tmp_path / "scene.tif"))


@pytest.mark.parametrize("format", ["GTiff", "COG"])
def test_a_map_is_made_again_to_the_byte(copy: Path, tmp_path: Path, format: str):
    made = classify(
        copy,
        tmp_path / "map.tif",
        method="kmeans",
        classes=5,
        parameters={"scale": "robust", "max_iter": "7"},
        seed=4,
        reading=Reading(bands="B02,B04,nir", src_nodata=0),
        writing=Writing(format=format, min_confidence=0.4, report=False),
    )
    again = replay(made.path)
    assert again.identical
    assert again.differing == 0
    assert not again.notes


def test_a_predicted_map_is_made_again(copy: Path, tmp_path: Path):
    made = classify(copy, tmp_path / "map.tif", method="kmeans", classes=5)
    second = predict(made.files["model"], copy, tmp_path / "second.tif")
    assert replay(second.path).identical


def test_a_moved_scene_can_be_named(copy: Path, tmp_path: Path):
    made = classify(copy, tmp_path / "map.tif", method="kmeans", classes=5)
    moved = copy.rename(tmp_path / "moved.tif")
    again = replay(made.path, scene=moved)
    assert again.same_pixels
    assert not again.identical  # the recipe in the map names the scene's place


def test_layers_are_compared_too(copy: Path, tmp_path: Path):
    made = classify(
        copy, tmp_path / "map.tif", method="kmeans", writing=Writing(layers=("confidence",))
    )
    assert replay(made.path).identical
    with rasterio.open(made.files["confidence"], "r+") as dataset:
        dataset.write(dataset.read(1) * 0.5, 1)
    again = replay(made.path)
    assert again.same_pixels
    assert not again.identical


def test_a_changed_earlier_model_is_refused(copy: Path, tmp_path: Path):
    first = classify(copy, tmp_path / "a.tif", method="kmeans", classes=4)
    model = first.files["model"]
    made = classify(copy, tmp_path / "b.tif", method="kmeans", classes=4, match_to=model)
    assert replay(made.path).identical
    train(copy, model, method="kmeans", classes=3, overwrite=True)
    with pytest.raises(DataError, match="whose classes the map keeps; it has changed"):
        replay(made.path)


def test_a_changed_scene_is_refused(copy: Path, tmp_path: Path):
    made = classify(copy, tmp_path / "map.tif", method="kmeans", classes=5)
    with rasterio.open(copy, "r+") as dataset:
        values = dataset.read(1)
        values[50, 50] += 1
        dataset.write(values, 1)
    with pytest.raises(DataError, match="SHA-256 differs"):
        replay(made.path)


def test_a_tampered_map_does_not_replay(copy: Path, tmp_path: Path):
    made = classify(copy, tmp_path / "map.tif", method="kmeans", classes=5)
    with rasterio.open(made.path, "r+") as dataset:
        values = dataset.read(1)
        changed = int((values[40:44] != 1).sum())
        values[40:44] = 1
        dataset.write(values, 1)
    again = replay(made.path)
    assert not again.identical
    assert again.differing == changed


def test_a_raster_without_recipe_is_refused(copy: Path):
    with pytest.raises(DataError, match="carries no recipe"):
        replay(copy)
