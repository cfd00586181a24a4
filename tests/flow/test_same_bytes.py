"""The map does not depend on tiles, threads, memory or run."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from small_runs import METHODS, SMALL

from rsclass.flow.classify import classify
from rsclass.io.sink import Writing
from rsclass.io.source import Reading
from rsclass.run.settings import Running

MIB = 2**20
RUNS = {
    "one thread, tiles of 64": Running(jobs=1, tile=64),
    "3 threads, tiles of 512": Running(jobs=3, tile=512),
    "16 threads, tiles of 2048": Running(jobs=16, tile=2048),
    "again": Running(jobs=16, tile=2048),
}


def bytes_of_map(scene: Path, folder: Path, method: str, running: Running, **parameters) -> str:
    result = classify(
        scene,
        folder / "map.tif",
        method=method,
        classes=5,
        parameters=SMALL[method] | parameters,
        reading=Reading(bands="2,3,4,8"),
        running=running,
        writing=Writing(overwrite=True, report=False, layers=("confidence",)),
    )
    digest = hashlib.sha256()
    for kind in ("map", "confidence", "legend", "style", "table", "model"):
        digest.update(result.files[kind].read_bytes())
    return digest.hexdigest()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["integer", "float"])
def test_tiles_threads_and_runs_leave_every_byte_as_it_is(
    method: str, kind: str, scene: Path, float_scene: Path, tmp_path: Path
):
    """N05."""
    path = scene if kind == "integer" else float_scene
    found = {name: bytes_of_map(path, tmp_path, method, run) for name, run in RUNS.items()}
    assert len(set(found.values())) == 1, found


@pytest.mark.parametrize("method", ["kmeans", "minibatch"])
def test_a_sample_is_the_same_whatever_the_tiles(method: str, scene: Path, tmp_path: Path):
    found = {
        bytes_of_map(scene, tmp_path, method, run, sample=5000)
        for run in (Running(jobs=1, tile=512), Running(jobs=4, tile=1024))
    }
    assert len(found) == 1


def test_striped_and_tiled_files_give_the_same_map(scene: Path, tmp_path: Path):
    import rasterio

    striped = tmp_path / "striped.tif"
    with rasterio.open(scene) as source:
        profile = source.profile | {"tiled": False, "blockysize": 16}
        profile.pop("blockxsize", None)
        with rasterio.open(striped, "w", **profile) as target:
            target.write(source.read())
            for band in source.indexes:
                target.set_band_description(band, source.descriptions[band - 1])
            target.scales, target.offsets = source.scales, source.offsets
    folders = [tmp_path / name for name in ("a", "b")]
    maps = []
    for path, folder in zip((scene, striped), folders, strict=True):
        folder.mkdir()
        result = classify(
            path,
            folder / "map.tif",
            method="kmeans",
            classes=6,
            parameters={"sample": None},
            running=Running(jobs=2),
            writing=Writing(report=False),
        )
        maps.append(result.read())
    assert (maps[0] == maps[1]).all()
