"""Class maps made from class maps: pixels, counts, areas, spectra, lineage, and nothing half."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
from pyproj import Geod
from rasterio.transform import from_origin
from scipy import ndimage

from rsclass.core.legend import Legend, LegendClass
from rsclass.core.transitions import Transitions
from rsclass.errors import (
    DataError,
    MemoryLimitError,
    OutputExistsError,
    StoppedError,
    UsageError,
)
from rsclass.flow.classify import classify
from rsclass.flow.derive import Around, Derived, derive_map
from rsclass.io.class_map import open_class_map
from rsclass.io.maps import read_recipe
from rsclass.io.sink import Writing
from rsclass.run.memory import resident
from rsclass.run.settings import Running

COLORS = [(200, 0, 0), (0, 200, 0), (0, 0, 200), (90, 90, 90), (250, 250, 0)]
HALF = np.array([0, 7, 7, 300, 300, 0], dtype=np.int32)
TWO = Legend((LegendClass(7, "low", COLORS[0]), LegendClass(300, "high", COLORS[1])))
SAME = Legend.of(["a", "b", "c", "d", "e"], COLORS)


def halved(around: Around) -> np.ndarray:
    """Classes 1 and 2 become 7, 3 and 4 become 300, and 5 none."""
    return HALF[around.cut(around.values)]


def widened(around: Around) -> np.ndarray:
    """The highest value among the neighbors."""
    return around.cut(ndimage.maximum_filter(around.values, size=5, mode="nearest"))


def write_map(path: Path, values: np.ndarray, **profile: object) -> Path:
    settings = {
        "driver": "GTiff",
        "height": values.shape[0],
        "width": values.shape[1],
        "count": 1,
        "dtype": values.dtype.name,
        "crs": "EPSG:32633",
        "transform": from_origin(500_000, 5_000_000, 20, 30),
        "nodata": 0,
    }
    with rasterio.open(path, "w", **(settings | profile)) as dataset:
        dataset.write(values, 1)
    return path


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    """Patches of five classes and of none, over two by three canonical blocks."""
    rng = np.random.default_rng(4)
    return np.kron(rng.integers(0, 6, (90, 160)), np.ones((7, 7))).astype(np.uint8)


@pytest.fixture(scope="module")
def plain(values: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_map(tmp_path_factory.mktemp("plain") / "plain.tif", values)


def derive(path: Path, out: Path, change=halved, legend: Legend = TWO, **settings) -> Derived:
    with open_class_map(path) as class_map:
        return derive_map(class_map, out, change, legend, recipe={"verb": "test"}, **settings)


def test_every_pixel_is_changed_and_counted(plain, values, tmp_path):
    result = derive(plain, tmp_path / "out.tif")
    expected = HALF[values]
    np.testing.assert_array_equal(result.read(), expected)
    assert result.read().dtype == np.uint16
    assert result.stats.count.tolist() == [(expected == v).sum() for v in (7, 300)]
    assert result.moves.to_rows() == [
        {"from": old, "to": int(HALF[old]), "pixels": int((values == old).sum())}
        for old in range(6)
    ]
    np.testing.assert_allclose(result.hectares, result.stats.count * 600 / 1e4, rtol=1e-12)


def test_the_new_map_lies_where_the_old_one_lies(plain, tmp_path):
    result = derive(plain, tmp_path / "out.tif", widened, SAME, halo=2)
    with rasterio.open(plain) as old, rasterio.open(result.path) as new:
        assert new.transform == old.transform
        assert new.crs == old.crs
        assert new.nodata == 0
        assert new.descriptions == ("class",)
        assert [new.colormap(1)[v][:3] for v in range(1, 6)] == COLORS


def test_sidecars_speak_of_the_new_legend(plain, tmp_path):
    result = derive(plain, tmp_path / "out.tif", writing=Writing(stac=True))
    assert set(result.files) == {"map", "style", "legend", "statistics", "table", "stac"}
    assert all(file.is_file() for file in result.files.values())
    with open_class_map(result.path) as again:
        assert again.legend == TWO
    told = json.loads(result.files["statistics"].read_text())
    assert [row["pixels"] for row in told["classes"]] == result.stats.count.tolist()
    assert told["signatures"] == "unknown"


@pytest.mark.parametrize(
    ("jobs", "tile", "free"),
    [(1, 512, 2000), (3, 512, 2000), (2, 4096, 2000), (4, 100, 400)],
    ids=["1x512", "3x512", "2x4096", "4x100"],
)
def test_tiles_and_threads_change_no_byte(plain, values, tmp_path, jobs, tile, free):
    running = Running(jobs=jobs, tile=tile, max_mem=resident() + free * 2**20)
    first = derive(plain, tmp_path / "a.tif", widened, SAME, halo=2)
    expected = ndimage.maximum_filter(values, size=5, mode="nearest")
    np.testing.assert_array_equal(first.read(), expected)
    (tmp_path / "other").mkdir()
    other = derive(plain, tmp_path / "other" / "a.tif", widened, SAME, halo=2, running=running)
    for kind in ("map", "legend", "style", "table"):
        assert other.files[kind].read_bytes() == first.files[kind].read_bytes(), kind


def test_areas_on_the_globe_follow_the_latitude(values, tmp_path):
    """Against geodesic polygons around each row of pixels."""
    step = 0.05
    path = write_map(
        tmp_path / "globe.tif",
        values[:600, :560],
        crs="EPSG:4326",
        transform=from_origin(-10, 64, step, step),
    )
    result = derive(path, tmp_path / "out.tif")
    geod = Geod(ellps="WGS84")
    row_area = []
    for row in range(600):
        north, south = 64 - row * step, 64 - (row + 1) * step
        # Many points along the parallels, which are no geodesics.
        east = np.linspace(0, step, 200)
        lons = np.concatenate([east, east[::-1]])
        lats = np.concatenate([np.full(200, south), np.full(200, north)])
        row_area.append(geod.polygon_area_perimeter(lons, lats)[0])
    expected = [
        ((HALF[values[:600, :560]] == v).sum(axis=1) * np.array(row_area)).sum() / 1e4
        for v in (7, 300)
    ]
    np.testing.assert_allclose(result.hectares, expected, rtol=1e-6)


@pytest.fixture(scope="module")
def classified(scene: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("classified") / "map.tif"
    classify(scene, out, method="kmeans", classes=5, writing=Writing(report=False))
    return out


def scene_pixels(scene: Path) -> np.ndarray:
    """Physical values (bands, height, width)."""
    with rasterio.open(scene) as dataset:
        gain = np.array(dataset.scales)[:, None, None]
        return dataset.read() * gain + np.array(dataset.offsets)[:, None, None]


def test_spectra_of_joined_classes_are_those_of_their_pixels(scene, classified, tmp_path):
    result = derive(classified, tmp_path / "out.tif")
    pixels, after = scene_pixels(scene), result.read()
    for i, value in enumerate((7, 300)):
        own = pixels[:, after == value]
        np.testing.assert_allclose(result.stats.mean[i], own.mean(axis=1), rtol=1e-9)
        # The covariance of a model's file went through decimal text, which is exact in float64.
        np.testing.assert_allclose(result.stats.covariance[i], np.cov(own), rtol=1e-6, atol=1e-12)
    told = json.loads(result.files["statistics"].read_text())
    assert told["signatures"] == "those of the parent map's classes, joined"
    assert [band["name"] for band in told["bands"]][:2] == ["B02", "B03"]


def test_spectra_of_classes_that_exchange_pixels_are_called_estimates(classified, tmp_path):
    result = derive(classified, tmp_path / "out.tif", widened, SAME, halo=2)
    told = json.loads(result.files["statistics"].read_text())
    assert told["signatures"].startswith("estimated")
    assert np.isfinite(result.stats.mean).all()


def test_spectra_of_another_map_are_left_out(classified, plain, tmp_path):
    copy = tmp_path / "plain.tif"
    copy.write_bytes(plain.read_bytes())
    (tmp_path / "plain.stats.json").write_bytes(classified.with_name("map.stats.json").read_bytes())
    result = derive(copy, tmp_path / "out.tif")
    assert result.stats.bands == ()
    assert any("are not of this map" in told for told in result.warnings)


def test_the_lineage_stays_in_the_map(classified, tmp_path):
    first = derive(classified, tmp_path / "first.tif", widened, SAME, halo=2)
    second = derive(first.path, tmp_path / "second.tif")
    recipe = read_recipe(second.path)
    assert recipe["verb"] == "test"
    parent = recipe["parent"]
    assert parent["map"] == str(first.path)
    assert parent["sha256"][str(first.path)] == hashlib.sha256(first.path.read_bytes()).hexdigest()
    assert parent["recipe"] == read_recipe(first.path)
    assert parent["recipe"]["parent"]["recipe"]["verb"] == "classify"


def test_a_stopped_run_leaves_nothing_and_the_old_map_untouched(plain, tmp_path):
    """P05."""
    out = tmp_path / "out.tif"
    out.write_bytes(b"what stood here before")

    def stop(done: float, total: float, message: str) -> None:
        if done == 2:
            raise StoppedError("stopped")

    with pytest.raises(StoppedError):
        derive(plain, out, writing=Writing(overwrite=True), running=Running(progress=stop))
    assert out.read_bytes() == b"what stood here before"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out.tif"]


def test_a_change_that_fails_leaves_nothing(plain, tmp_path):
    def broken(around: Around) -> np.ndarray:
        if around.core.row:
            raise DataError("no")
        return halved(around)

    with pytest.raises(DataError, match="no"):
        derive(plain, tmp_path / "out.tif", broken)
    assert not list(tmp_path.iterdir())


def test_values_outside_of_the_new_legend_are_a_bug(plain, tmp_path):
    with pytest.raises(ValueError, match=r"\[3, 4, 5\] are not in the new legend"):
        derive(plain, tmp_path / "out.tif", widened, Legend.of(["a", "b"], COLORS[:2]), halo=2)


def test_the_map_itself_cannot_be_the_output(plain, tmp_path):
    """P02, P03."""
    with pytest.raises(UsageError, match="same file as the input"):
        derive(plain, plain, writing=Writing(overwrite=True))
    (tmp_path / "out.qml").write_text("a style")
    with pytest.raises(OutputExistsError, match=r"out\.qml exists"):
        derive(plain, tmp_path / "out.tif")


def test_what_lies_beside_the_map_cannot_be_replaced_either(plain, tmp_path):
    """F9: map.tif and map.tiff share their style."""
    copy = tmp_path / "map.tif"
    copy.write_bytes(plain.read_bytes())
    first = derive(copy, tmp_path / "a.tif")
    with pytest.raises(UsageError, match="same file as the input"):
        derive(first.path, tmp_path / "a.tiff", lambda a: a.cut(a.values), TWO)


def test_too_little_memory_is_told_before_the_work(plain, tmp_path):
    """P08."""
    with pytest.raises(MemoryLimitError, match="--max-mem"):
        derive(plain, tmp_path / "out.tif", running=Running(max_mem=2**20))
    assert not list(tmp_path.iterdir())


def test_a_map_whose_pixels_were_changed_by_others_is_refused(plain, tmp_path):
    own = derive(plain, tmp_path / "own.tif", widened, SAME, halo=2).path
    with rasterio.open(own, "r+") as dataset:
        part = dataset.read(1)
        part[3, 3] = 77
        dataset.write(part, 1)
    with pytest.raises(DataError, match="holds the values 77, which its legend does not have"):
        derive(own, tmp_path / "out.tif", lambda a: a.cut(a.values), SAME)
    assert not (tmp_path / "out.tif").exists()


def test_a_map_rewritten_while_it_is_read_is_refused(plain, tmp_path):
    """R27."""
    copy = tmp_path / "map.tif"
    copy.write_bytes(plain.read_bytes())

    def rewrite(done: float, total: float, message: str) -> None:
        if done == 1:
            copy.touch()

    with pytest.raises(DataError, match="changed while being read"):
        derive(copy, tmp_path / "out.tif", running=Running(progress=rewrite))
    assert not (tmp_path / "out.tif").exists()


@pytest.mark.parametrize("top", [5, 3000])
def test_transitions_count_every_pair(top):
    rng = np.random.default_rng(1)
    before, after = rng.integers(0, top, (2, 200, 210)).astype(np.int32)
    moves = Transitions.of(before[:90], after[:90]) + Transitions.of(before[90:], after[90:])
    pairs, pixels = np.unique(np.stack([before.ravel(), after.ravel()]), axis=1, return_counts=True)
    np.testing.assert_array_equal(np.stack([moves.before, moves.after]), pairs)
    np.testing.assert_array_equal(moves.pixels, pixels)
    assert moves.moved == (before != after).sum()
    np.testing.assert_array_equal(
        moves.counts_before(range(top)), np.bincount(before.ravel(), minlength=top)
    )


def test_a_map_is_read_as_a_scene_reads_its_masks(tmp_path, values):
    """R07: a mask beside the values takes pixels out."""
    path = write_map(tmp_path / "masked.tif", values, nodata=None)
    inside = np.zeros(values.shape, dtype=bool)
    inside[5:40, 9:70] = True
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as dataset:
        dataset.write_mask(inside)
    result = derive(path, tmp_path / "out.tif")
    np.testing.assert_array_equal(result.read(), np.where(inside, HALF[values], 0))
