"""What a run would do, told beforehand, and the decimated run."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import rasterio

from rsclass.errors import MemoryLimitError, OutputExistsError, UsageError
from rsclass.flow.classify import classify
from rsclass.flow.plan import plan
from rsclass.flow.preview import preview
from rsclass.io.sink import Writing
from rsclass.run.settings import Running

QUICK = Writing(report=False)


@pytest.mark.parametrize("method", ["kmeans", "uic"])
def test_a_plan_tells_what_would_happen_and_writes_nothing(method, scene: Path, tmp_path: Path):
    out = tmp_path / "map.tif"
    told = plan(
        scene,
        out,
        method=method,
        classes=4,
        running=Running(jobs=2, tile=512),
        writing=Writing(layers=("membership",)),
    )
    assert not list(tmp_path.iterdir())
    assert (told.height, told.width, told.tiles) == (530, 560, 4)
    assert told.disk_bytes == 530 * 560 * (1 + 4 * 4)
    assert told.memory_bytes <= told.memory_limit
    assert told.output == str(out)
    assert math.isfinite(told.seconds)
    assert "would write" in told.summary()


@pytest.mark.parametrize(("room", "kept"), [(2**30, True), (24 * 2**20, False)])
def test_a_plan_tells_whether_decoded_blocks_are_kept(
    room: int, kept: bool, scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("rsclass.run.memory.resident", lambda limit=0: limit - room)
    told = plan(scene, tmp_path / "map.tif", method="kmeans", classes=4, running=Running(jobs=1))
    assert told.kept_in_memory == kept
    assert ("kept in memory between passes" in told.summary()) == kept
    assert ("read again in each pass" in told.summary()) != kept


def test_a_plan_refuses_what_the_run_would_refuse(small_scene: Path, tmp_path: Path):
    out = tmp_path / "map.tif"
    classify(small_scene, out, method="kmeans", classes=3, writing=QUICK)
    with pytest.raises(OutputExistsError):
        plan(small_scene, out, method="kmeans")
    with pytest.raises(UsageError, match="no parameter 'itterations'"):
        plan(small_scene, tmp_path / "x.tif", method="kmeans", parameters={"itterations": 3})
    with pytest.raises(MemoryLimitError):
        plan(small_scene, tmp_path / "x.tif", running=Running(max_mem=2**20))


@pytest.mark.parametrize("name", ["one_pixel", "one_row", "tiny_float32_nocrs"])
def test_tiny_scenes_can_be_planned(name: str, shared_data: Path, tmp_path: Path):
    told = plan(shared_data / "odd" / f"{name}.tif", tmp_path / "x.tif", method="kmeans")
    assert told.tiles == 1


def test_a_preview_is_a_map_of_coarser_pixels_of_the_same_ground(scene: Path, tmp_path: Path):
    result = preview(
        scene, tmp_path / "map.tif", size=100, method="kmeans", classes=4, writing=QUICK
    )
    assert result.path == tmp_path / "map_preview.tif"
    with rasterio.open(scene) as whole, rasterio.open(result.path) as small:
        assert small.height == 530 // 6
        assert small.transform.a == pytest.approx(6 * whole.transform.a)
        assert small.bounds.left == whole.bounds.left
        assert small.bounds.top == whole.bounds.top


def test_a_scene_smaller_than_the_preview_is_not_decimated(small_scene: Path, tmp_path: Path):
    result = preview(small_scene, tmp_path / "m.tif", method="kmeans", classes=3, writing=QUICK)
    assert result.read().shape == (90, 110)


def test_a_preview_needs_a_geotransform(shared_data: Path, tmp_path: Path):
    scene = shared_data / "salinas_a" / "image.tif"
    with pytest.raises(UsageError, match="--preview needs a scene with a geotransform"):
        preview(scene, tmp_path / "map.tif", size=20, method="kmeans")
