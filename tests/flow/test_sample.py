"""Reference samples drawn from maps on disk."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from pathlib import Path

import geopandas
import numpy as np
import pyogrio
import pytest
import rasterio
from made_maps import write_map
from rasterio.transform import from_origin

import rsclass
from rsclass.core.design import Design
from rsclass.errors import DataError, OutputExistsError, UsageError
from rsclass.io.layers import open_layer
from rsclass.io.samples import read_design
from rsclass.run.settings import Running

NAMES = {1: "water", 4: "forest", 5: "town"}


def classes(height: int = 700, width: int = 600) -> np.ndarray:
    rng = np.random.default_rng(4)
    values = np.where(np.arange(width) < 200, 1, 4) + np.zeros((height, 1), int)
    values[40:60, 300:320] = 5
    values[rng.random((height, width)) < 0.1] = 0
    return values.astype(np.uint8)


@pytest.fixture(scope="module")
def class_map(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_map(tmp_path_factory.mktemp("map") / "map.tif", classes(), NAMES)


def points(path: Path) -> geopandas.GeoDataFrame:
    return pyogrio.read_dataframe(path, layer="sample")


def test_points_lie_in_the_middle_of_pixels_of_the_class_that_they_tell(class_map, tmp_path):
    drawn = rsclass.plan_sample(class_map, tmp_path / "s.gpkg", n=200, least=30)
    frame = points(drawn.path)
    with rasterio.open(class_map) as dataset:
        assert frame.crs == dataset.crs
        found = [v[0] for v in dataset.sample([(p.x, p.y) for p in frame.geometry])]
        centers = [dataset.xy(*dataset.index(p.x, p.y)) for p in frame.geometry]
    assert frame["map_value"].tolist() == found
    assert 0 not in found
    assert frame["map_class"].tolist() == [NAMES[v] for v in found]
    assert [(p.x, p.y) for p in frame.geometry] == centers
    assert frame["reference"].isna().all()
    assert frame["id"].tolist() == list(range(1, 201))


def test_weights_add_up_to_the_pixels_of_every_class(class_map, tmp_path):
    frame = points(rsclass.plan_sample(class_map, tmp_path / "s.gpkg", n=150).path)
    values = classes()
    for value, own in frame.groupby("map_value"):
        assert own["weight"].sum() == pytest.approx(np.count_nonzero(values == value))
        assert (own["inclusion"] * own["weight"]).tolist() == pytest.approx([1] * len(own))
    assert (frame.groupby("map_value").size() >= 50).all()


@pytest.mark.parametrize("design", ["simple", "systematic", "stratified"])
def test_the_same_bytes_for_all_tiles_and_threads(class_map, tmp_path, design):
    made = [
        rsclass.plan_sample(
            class_map, tmp_path / f"{i}.gpkg", design=design, n=120, seed=7, running=running
        ).path.read_bytes()
        for i, running in enumerate([Running(jobs=1), Running(jobs=3, tile=512)])
    ]
    assert made[0] == made[1]
    other = rsclass.plan_sample(class_map, tmp_path / "o.gpkg", design=design, n=120, seed=8)
    assert other.path.read_bytes() != made[0]


def test_the_design_is_recorded_and_read_again(class_map, tmp_path):
    drawn = rsclass.plan_sample(
        class_map, tmp_path / "s.gpkg", n=180, allocation="neyman", expected={"town": 0.5}, seed=3
    )
    read = read_design(open_layer(drawn.path))
    assert read is not None
    assert read.design == drawn.design
    assert Design.from_json(drawn.design.to_json(), "x") == drawn.design
    assert {s.name: s.pixels for s in read.design.strata} == {
        name: np.count_nonzero(classes() == value) for value, name in NAMES.items()
    }
    assert read.strata.tolist() == points(drawn.path)["map_value"].tolist()


def test_blind_points_do_not_tell_what_the_map_says(class_map, tmp_path):
    path = rsclass.plan_sample(class_map, tmp_path / "s.gpkg", n=180, hide_class=True).path
    assert list(points(path).columns) == ["id", "design", "reference", "geometry"]
    # Nor does their order: classes come as mixed as a shuffled pack.
    strata = read_design(open_layer(path)).strata
    assert 40 < np.count_nonzero(np.diff(strata)) < 160


def test_as_many_points_as_the_wanted_error_needs(class_map, tmp_path):
    drawn = rsclass.plan_sample(
        class_map, tmp_path / "s.gpkg", design="simple", standard_error=0.04, expected=0.9
    )
    assert drawn.design.units == 57  # 0.9 * 0.1 / 0.04**2 = 56.25
    assert drawn.error == pytest.approx(0.04, rel=0.01)


def test_strata_of_another_raster(class_map, tmp_path):
    zones = np.where(np.arange(700)[:, None] < 350, 2, 9) + np.zeros(600, int)
    zones[:50] = 0
    raster = write_map(tmp_path / "zones.tif", zones.astype(np.uint8), {2: "north", 9: "south"})
    drawn = rsclass.plan_sample(
        class_map, tmp_path / "s.gpkg", n=100, strata=raster, allocation="equal"
    )
    valid = classes() > 0
    assert [(s.name, s.pixels, s.units) for s in drawn.design.strata] == [
        ("north", np.count_nonzero(valid[50:350]), 50),
        ("south", np.count_nonzero(valid[350:]), 50),
    ]
    frame = points(drawn.path)
    with rasterio.open(raster) as dataset:
        found = [v[0] for v in dataset.sample([(p.x, p.y) for p in frame.geometry])]
    assert frame["stratum"].tolist() == [{2: "north", 9: "south"}[v] for v in found]


def test_points_keep_their_distance_and_it_is_said_when_fewer_fit(class_map, tmp_path):
    drawn = rsclass.plan_sample(class_map, tmp_path / "s.gpkg", n=160, min_distance=400)
    geometry = points(drawn.path).geometry
    xy = np.column_stack([geometry.x, geometry.y])
    apart = np.hypot(*(xy[:, None] - xy).transpose(2, 0, 1))
    assert apart[~np.eye(len(xy), dtype=bool)].min() >= 400
    # The town is 600 m wide: no more than nine points of 400 m fit.
    town = next(s for s in drawn.design.strata if s.name == "town")
    assert 1 <= town.units <= 9
    assert any("town" in note and "of 50" in note for note in drawn.warnings)


def test_distances_in_degrees_are_meters_on_the_ground(tmp_path):
    values = np.ones((400, 400), np.uint8)
    grid = from_origin(10.0, 60.2, 0.001, 0.001)
    path = write_map(tmp_path / "map.tif", values, crs="EPSG:4326", transform=grid)
    drawn = rsclass.plan_sample(path, design="simple", n=150, min_distance=1000)
    meters = points(drawn.path).to_crs("EPSG:32632").geometry
    xy = np.column_stack([meters.x, meters.y])
    apart = np.hypot(*(xy[:, None] - xy).transpose(2, 0, 1))
    # The sphere instead of the ellipsoid, one scale for 0.4 degrees, and UTM's own 0.04 %.
    assert 985 < apart[~np.eye(len(xy), dtype=bool)].min() < 1100
    assert drawn.path.name == "map_sample.gpkg"


def test_a_map_without_a_place_is_sampled_in_pixels(tmp_path):
    path = write_map(tmp_path / "map.tif", classes(60, 50), crs=None)
    drawn = rsclass.plan_sample(path, n=60, least=1)
    assert points(drawn.path).crs is None
    with pytest.raises(UsageError, match="does not tell how large"):
        rsclass.plan_sample(path, tmp_path / "d.gpkg", min_distance=5)
    assert not (tmp_path / "d.gpkg").exists()


@pytest.mark.parametrize("room", [1024, 60_000, 120_000])
def test_a_disk_that_is_full_leaves_the_old_sample_and_nothing_else(class_map, tmp_path, room):
    """P04"""

    def little_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    path = tmp_path / "s.gpkg"
    path.write_text("mine")
    command = [sys.executable, "-B", "-m", "rsclass", "sample", class_map, "-o", path, "-n", "2000"]
    ended = subprocess.run(
        [*command, "--overwrite"], preexec_fn=little_room, capture_output=True, text=True
    )
    assert ended.returncode == 6, ended.stderr
    assert "the disk was full" in ended.stderr
    assert path.read_text() == "mine"
    assert [p.name for p in tmp_path.iterdir()] == ["s.gpkg"]


def test_nothing_is_overwritten_unasked_and_nothing_is_left_behind(class_map, tmp_path):
    path = tmp_path / "s.gpkg"
    rsclass.plan_sample(class_map, path, n=100)
    before = path.read_bytes()
    with pytest.raises(OutputExistsError):
        rsclass.plan_sample(class_map, path, n=120)
    assert path.read_bytes() == before
    rsclass.plan_sample(class_map, path, n=200, overwrite=True)
    assert len(points(path)) == 200
    assert [p.name for p in tmp_path.iterdir()] == ["s.gpkg"]


@pytest.mark.parametrize(
    ("settings", "error", "told"),
    [
        ({"design": "snowball"}, UsageError, "stratified"),
        ({"allocation": "fair"}, UsageError, "neyman"),
        ({"n": 0}, UsageError, "1 or more"),
        ({"min_distance": -1}, UsageError, "0 or more"),
        ({"expected": {"snow": 0.9}}, UsageError, "1 'water', 4 'forest', 5 'town'"),
        ({"expected": 80}, UsageError, "between 0 and 1"),
        ({"design": "simple", "strata": "x.tif"}, UsageError, "no strata"),
        ({"out": "points.shp"}, UsageError, "name it points.gpkg"),
    ],
)
def test_impossible_samples_are_refused_before_anything_is_written(
    class_map, tmp_path, settings, error, told
):
    with pytest.raises(error, match=told):
        rsclass.plan_sample(class_map, **{"out": tmp_path / "s.gpkg"} | settings)
    assert list(tmp_path.iterdir()) == []


def test_strata_of_another_place_are_refused(class_map, tmp_path):
    far = from_origin(200_000, 5_000_000, 30, 30)
    zones = write_map(tmp_path / "zones.tif", classes(), transform=far)
    with pytest.raises(DataError, match="lie apart"):
        rsclass.plan_sample(class_map, tmp_path / "s.gpkg", strata=zones)
    assert not (tmp_path / "s.gpkg").exists()
