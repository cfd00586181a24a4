"""Pixels of a scene whose class is known, against what rasterio reads and burns by itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
from rasterio.features import rasterize

import rsclass
from rsclass.core.sampling import place_keys
from rsclass.core.types import Block, Window
from rsclass.errors import ChangedInputError, DataError, MemoryLimitError, UsageError
from rsclass.flow.training import Samples, Training, read_training
from rsclass.io.source import RasterSource, Reading
from rsclass.run.memory import require
from rsclass.run.settings import Running


@pytest.fixture(scope="session")
def land(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A scene of four blocks with a cloud, and polygons of its truth, 20 of each class."""
    folder = tmp_path_factory.mktemp("land")
    return rsclass.datasets.simulate(height=530, width=560, seed=5).write(folder, "land")


def sampled(land: dict[str, Path], **options: Any) -> Samples:
    options = {"layer": "polygons", "allow_missed": True} | options
    return read_training(land["scene"], land["reference"], "class_name", **options)


def write_areas(path: Path, areas: list[tuple[Any, Any]], scene: Path) -> Path:
    """Shapes in (column, row) of the scene with their labels."""
    with rasterio.open(scene) as dataset:
        t, crs = dataset.transform, dataset.crs
    ground = [
        shapely.transform(
            shape, lambda xy: np.column_stack((t.a * xy[:, 0] + t.c, t.e * xy[:, 1] + t.f))
        )
        for shape, _ in areas
    ]
    labels = [label for _, label in areas]
    geopandas.GeoDataFrame({"class": labels}, geometry=ground, crs=crs).to_file(path)
    return path


def test_every_valid_pixel_in_a_polygon_is_there_with_its_values(
    land: dict[str, Path], tmp_path: Path
) -> None:
    frame = geopandas.read_file(land["reference"], layer="polygons")
    # No pixel center may lie on an edge, where it is a matter of rounding.
    frame.geometry = frame.buffer(0.37)
    frame.to_file(tmp_path / "a.gpkg")
    samples = read_training(land["scene"], tmp_path / "a.gpkg", "class_name")
    with rasterio.open(land["scene"]) as dataset:
        stored, valid = dataset.read(), (dataset.read_masks() > 0).all(axis=0)
        gain, offset = np.array(dataset.scales), np.array(dataset.offsets)
        burnt = rasterize(
            zip(frame.geometry, range(1, len(frame) + 1), strict=True),
            dataset.shape,
            transform=dataset.transform,
            dtype="int32",
        )
    rows, cols = np.nonzero((burnt > 0) & valid)
    pixels = samples.pixels
    assert (pixels.rows == rows).all()
    assert (pixels.cols == cols).all()
    assert (pixels.features == burnt[rows, cols] - 1).all()
    assert (pixels.values == stored[:, rows, cols].T * gain + offset).all()
    names = np.array(pixels.names)[pixels.classes]
    assert (names == frame["class_name"].to_numpy()[pixels.features]).all()
    assert samples.invalid == ((burnt > 0) & ~valid).sum()
    assert samples.contested == 0
    assert (samples.hits == np.bincount(pixels.features, minlength=len(frame))).all()


@pytest.mark.parametrize("running", [Running(jobs=1), Running(jobs=3, tile=100)], ids=["1", "3"])
def test_samples_do_not_depend_on_the_machine(land: dict[str, Path], running: Running) -> None:
    usual, other = sampled(land, per_class=40).pixels, sampled(land, per_class=40, running=running)
    for name in ("values", "classes", "features", "rows", "cols"):
        assert (getattr(usual, name) == getattr(other.pixels, name)).all()


@pytest.mark.parametrize("seed", [0, 7])
def test_a_limit_keeps_the_pixels_with_the_smallest_keys(land: dict[str, Path], seed: int) -> None:
    whole, few = sampled(land).pixels, sampled(land, per_class=30, seed=seed).pixels
    keys = place_keys(whole.rows, whole.cols, seed)
    expected = []
    for number in range(whole.n_classes):
        mine = np.flatnonzero(whole.classes == number)
        expected += mine[np.argsort(keys[mine])][:30].tolist()
    assert (few.rows == whole.rows[np.sort(expected)]).all()
    assert (few.cols == whole.cols[np.sort(expected)]).all()
    assert few.counts.tolist() == np.minimum(whole.counts, 30).tolist()


def test_only_the_places_of_features_are_read(
    land: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    areas = [(shapely.box(10, 12, 20, 21), "a"), (shapely.Point(540.5, 515.5), "b")]
    path = write_areas(tmp_path / "a.gpkg", areas, land["scene"])
    seen: list[Window] = []
    read = RasterSource.read

    def noted(self: RasterSource, window: Window) -> Block:
        seen.append(window)
        return read(self, window)

    monkeypatch.setattr(RasterSource, "read", noted)
    reading = Reading(bands="1..10")
    read_training(land["scene"], path, "class", reading=reading, running=Running(jobs=1))
    assert seen == [Window(12, 10, 9, 10), Window(515, 540, 1, 1)]


def test_contested_and_nodata_pixels_are_dropped_and_counted(
    land: dict[str, Path], tmp_path: Path
) -> None:
    """V05."""
    with rasterio.open(land["scene"]) as dataset:
        valid = dataset.dataset_mask() > 0
    row, col = np.argwhere(~valid)[0]  # the cloud's first pixel: all above it was seen
    areas = [
        (shapely.box(col - 2, row - 5, col + 3, row + 1), "cloudy"),
        (shapely.box(30, 30, 40, 40), "a"),
        (shapely.box(36, 36, 46, 46), "b"),
    ]
    path = write_areas(tmp_path / "a.gpkg", areas, land["scene"])
    samples = read_training(land["scene"], path, "class")
    hidden = int((~valid[row - 5 : row + 1, col - 2 : col + 3]).sum())
    assert hidden > 0
    assert (samples.invalid, samples.contested) == (hidden, 16)
    assert samples.hits.tolist() == [30 - hidden, 84, 84]
    assert any(
        "left out 16 pixels shared by features of different classes" in w for w in samples.warnings
    )
    assert any(f"left out {hidden} pixels without data" in w for w in samples.warnings)


def test_features_that_hit_no_pixel_are_named_with_the_reason(
    land: dict[str, Path], tmp_path: Path
) -> None:
    """V06."""
    with rasterio.open(land["scene"]) as dataset:
        hidden = np.argwhere(dataset.dataset_mask() == 0)
    row, col = hidden[len(hidden) // 2]
    areas = [
        (shapely.box(30, 30, 40, 40), "a"),
        (shapely.box(60.6, 30.6, 61.4, 31.4), "a"),
        (shapely.box(-20, 30, -10, 40), "b"),
        (shapely.Point(col + 0.5, row + 0.5), "b"),
        (shapely.box(50, 30, 52, 32), "b"),
        (shapely.box(50, 30, 52, 32), "c"),
        (shapely.box(32, 32, 34, 34), "a"),
        (shapely.box(70, 30, 75, 32), "b"),
    ]
    path = write_areas(tmp_path / "a.gpkg", areas, land["scene"])
    with pytest.raises(DataError) as caught:
        read_training(land["scene"], path, "class")
    told = str(caught.value)
    for reason in (
        "feature 2 (between pixel centers)",
        "feature 3 (outside)",
        "feature 4 (nodata)",
        "features 5, 6, 7 (shared with others)",
        "leave them out with --allow-missed",
    ):
        assert reason in told
    assert caught.value.data["ids"] == [2, 3, 4, 5, 6, 7]
    samples = read_training(land["scene"], path, "class", allow_missed=True)
    assert samples.pixels.names == ("a", "b")
    assert samples.hits.tolist() == [100, 0, 0, 0, 0, 0, 0, 10]
    assert any("no pixel is left of the class c" in warning for warning in samples.warnings)


def test_nothing_hit_at_all_is_an_error_whatever_is_allowed(
    land: dict[str, Path], tmp_path: Path
) -> None:
    """V06."""
    areas = [(shapely.box(60.6, 30.6, 61.4, 31.4), "a"), (shapely.box(0.6, 3.6, 1.4, 4.4), "b")]
    path = write_areas(tmp_path / "a.gpkg", areas, land["scene"])
    with pytest.raises(DataError, match=r"features 1, 2 .between pixel centers"):
        read_training(land["scene"], path, "class", allow_missed=True)


def test_all_features_outside_are_refused_with_both_extents(
    land: dict[str, Path], tmp_path: Path
) -> None:
    """V02."""
    areas = [(shapely.box(-30, 3, -20, 9), "a"), (shapely.box(-30, 13, -20, 19), "b")]
    path = write_areas(tmp_path / "a.gpkg", areas, land["scene"])
    with pytest.raises(DataError, match="lies outside of land: in the scene's CRS they span"):
        read_training(land["scene"], path, "class", allow_missed=True)


def test_one_class_alone_cannot_be_learned(land: dict[str, Path], tmp_path: Path) -> None:
    """V08."""
    path = write_areas(tmp_path / "a.gpkg", [(shapely.box(3, 3, 9, 9), "a")], land["scene"])
    with pytest.raises(DataError, match=r"one class only in 'class' .a.; a classifier needs two"):
        read_training(land["scene"], path, "class")


@pytest.mark.parametrize(
    ("labels", "values", "told"),
    [
        ([7, 300], (7, 300), False),
        ([0, 5], (1, 2), True),
        ([1, 65_535], (1, 2), True),
        (["x", "y"], (1, 2), False),
    ],
)
def test_numbers_stay_the_values_of_the_map_where_they_can(
    land: dict[str, Path], tmp_path: Path, labels: Any, values: Any, told: bool
) -> None:
    """V07: and other labels are its names."""
    shapes = [shapely.box(3, 3, 9, 9), shapely.box(13, 3, 19, 9)]
    areas = list(zip(shapes, labels, strict=True))
    path = write_areas(tmp_path / "a.gpkg", areas, land["scene"])
    samples = read_training(land["scene"], path, "class")
    assert samples.pixels.names == tuple(map(str, labels))
    assert samples.values == values
    assert any("numbered from 1" in warning for warning in samples.warnings) == told


def test_more_samples_than_memory_are_refused_with_the_remedy(
    land: dict[str, Path], tmp_path: Path
) -> None:
    areas = [(shapely.box(0, 0, 560, 500), "a"), (shapely.box(0, 510, 560, 530), "b")]
    path = write_areas(tmp_path / "a.gpkg", areas, land["scene"])
    # Room for the tiles besides what the process holds anyway, but not for all pixels.
    with pytest.raises(MemoryLimitError) as held:
        require(Running(max_mem=1), 0, "")
    most = held.value.data["needed"] + 40 * 2**20
    running = Running(jobs=1, max_mem=most, tile=512)
    with pytest.raises(MemoryLimitError, match="--samples-per-class"):
        read_training(land["scene"], path, "class", running=running)
    few = read_training(land["scene"], path, "class", running=running, per_class=500)
    assert few.pixels.counts.tolist() == [500, 500]


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(UsageError, match="--samples-per-class is 0; it must be 1 or more"):
        Training("a.gpkg", "class", per_class=0)


def test_a_file_that_changes_while_it_is_used_is_noticed(
    land: dict[str, Path], tmp_path: Path
) -> None:
    shapes = [shapely.box(3, 3, 9, 9), shapely.box(13, 3, 19, 9)]
    path = write_areas(tmp_path / "a.gpkg", [(shapes[0], "a"), (shapes[1], "b")], land["scene"])
    samples = read_training(land["scene"], path, "class")
    samples.check_unchanged()
    os.remove(path)
    write_areas(path, [(shapes[0], "a"), (shapes[1], "c")], land["scene"])
    with pytest.raises(ChangedInputError, match=r"a.gpkg changed while it was in use"):
        samples.check_unchanged()


COUNTS = {
    "landsat7_ogt": ("training_polygons.gpkg", "code", [383, 16, 145, 106, 68]),
    "sentinel2_aberystwyth": ("training_polygons.gpkg", "name", [1326, 3014, 606, 1634]),
    "sentinel2_rachelcarson": ("training_polygons.gpkg", "code", [144, 124, 82, 155, 54, 39]),
    "landsat8_rondonia_points": ("points.gpkg", "class", [8, 27, 30, 26]),
}


@pytest.mark.parametrize("folder", COUNTS)
def test_real_samples_have_the_published_sizes(shared_data: Path, folder: str) -> None:
    """V01: one of the files lies in another coordinate system than its scene."""
    file, field, counts = COUNTS[folder]
    samples = read_training(shared_data / folder / "image.tif", shared_data / folder / file, field)
    assert samples.pixels.counts.tolist() == counts


def test_points_have_the_values_that_were_published_with_them(shared_data: Path) -> None:
    folder = shared_data / "landsat8_rondonia_points"
    frame = geopandas.read_file(folder / "points.gpkg")
    published = frame[[name for name in frame.columns if name.startswith("b")]].to_numpy()
    pixels = read_training(folder / "image.tif", folder / "points.gpkg", "class").pixels
    assert len(published) == len(pixels) == 91
    assert (pixels.values == published[pixels.features]).all()
