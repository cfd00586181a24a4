"""The map does not depend on tiles, threads, memory or run."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
import rasterio
from small_runs import METHODS, SMALL

from rsclass.core.grid import canonical_side
from rsclass.datasets import simulate
from rsclass.flow.classify import classify
from rsclass.io.sink import Writing
from rsclass.io.source import Reading
from rsclass.run.memory import RESERVE, plan_work
from rsclass.run.settings import GIB, Running

MIB = 2**20
RUNS = {
    "one thread, tiles of 512": Running(jobs=1, tile=512),
    "3 threads, tiles of 512": Running(jobs=3, tile=512),
    "16 threads, tiles of 2048": Running(jobs=16, tile=2048),
    "again": Running(jobs=16, tile=2048),
}
RUNS_OF_MANY_BANDS = {
    "16 threads, tiles of 64, which become blocks of 128": Running(jobs=16, tile=64),
    "one thread, tiles of 128": Running(jobs=1, tile=128),
    "3 threads, tiles of 256": Running(jobs=3, tile=256),
    "16 threads, tiles of 2048": Running(jobs=16, tile=2048),
}
TWO_RUNS = dict(list(RUNS_OF_MANY_BANDS.items())[:3:2])
FOUR_BANDS = Reading(bands="2,3,4,8")
QUICKER = {
    "isodata": {"max_iter": 6},
    "fuzzy": {"max_iter": 3},
    "uic": {"tiles": 4, "epochs": 2, "receptive_field": 5, "inputs": "bands"},
}


def bytes_of_map(
    scene: Path,
    folder: Path,
    method: str,
    running: Running,
    *,
    classes: int | str = 5,
    reading: Reading = FOUR_BANDS,
    match_to: Path | None = None,
    **parameters,
) -> str:
    result = classify(
        scene,
        folder / "map.tif",
        method=method,
        classes=classes,
        parameters=SMALL[method] | parameters,
        match_to=match_to,
        reading=reading,
        running=roomy(running),
        writing=Writing(overwrite=True, report=False, layers=("confidence",)),
    )
    digest = hashlib.sha256()
    for kind in ("map", "confidence", "legend", "style", "table", "model"):
        digest.update(result.files[kind].read_bytes())
    return digest.hexdigest()


def roomy(running: Running) -> Running:
    """The same with more memory than the default: this process holds what all its tests left."""
    default = running.max_mem == 2 * GIB
    return replace(running, max_mem=8 * GIB) if default else running


@pytest.fixture(scope="module")
def many_bands(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Scenes of 180 x 200 pixels and 280 bytes a pixel, by type: four canonical blocks."""
    folder = tmp_path_factory.mktemp("many_bands")
    found = {}
    for dtype, n_bands in (("float32", 70), ("uint16", 140)):
        made = simulate("sentinel2", height=180, width=200, seed=5, dtype=dtype)
        plain = made.write(folder, f"plain_{dtype}")["scene"]
        with rasterio.open(plain) as source:
            few, seen, profile = source.read(), source.dataset_mask() > 0, source.profile
        values = np.repeat(few, n_bands // len(few), axis=0)
        for band, image in enumerate(values):
            noise = np.random.default_rng([9, band]).normal(1, 0.05, image.shape)
            image[seen] = (image * noise)[seen].astype(dtype)
        found[dtype] = folder / f"{dtype}.tif"
        with rasterio.open(found[dtype], "w", **profile | {"count": n_bands}) as target:
            target.write(values)
        assert canonical_side(values.itemsize * n_bands) == 128
    return found


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["integer", "float"])
def test_tiles_threads_and_runs_leave_every_byte_as_it_is(
    method: str, kind: str, scene: Path, float_scene: Path, tmp_path: Path
):
    """N05."""
    path = scene if kind == "integer" else float_scene
    found = {name: bytes_of_map(path, tmp_path, method, run) for name, run in RUNS.items()}
    assert len(set(found.values())) == 1, found


@pytest.mark.parametrize("method", ["kmeans", "isodata", "fuzzy", "uic"])
@pytest.mark.parametrize("dtype", ["float32", "uint16"])
def test_scenes_of_many_bands_have_smaller_blocks_and_the_same_bytes(
    method: str, dtype: str, many_bands: dict[str, Path], tmp_path: Path
):
    runs = RUNS_OF_MANY_BANDS if (method, dtype) == ("kmeans", "float32") else TWO_RUNS
    found = {
        name: bytes_of_map(
            many_bands[dtype],
            tmp_path,
            method,
            run,
            reading=Reading(),
            **QUICKER.get(method, {}),
        )
        for name, run in runs.items()
    }
    assert len(set(found.values())) == 1, found


def test_the_published_loop_of_uic_has_the_same_bytes(many_bands: dict[str, Path], tmp_path: Path):
    few = QUICKER["uic"] | {"mode": "paper", "samples": 400}
    scene = many_bands["float32"]
    found = {
        bytes_of_map(scene, tmp_path, "uic", run, reading=Reading(), **few)
        for run in TWO_RUNS.values()
    }
    assert len(found) == 1


def test_tiles_that_shrink_to_fit_the_memory_leave_every_byte_as_it_is(
    many_bands: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    widths: list[int] = []

    def watched(*given, **named):
        plan = plan_work(*given, **named)
        widths.append(plan.tile_width)
        return plan

    monkeypatch.setattr("rsclass.flow.label.plan_work", watched)
    found = []
    for spare in (2048 * MIB, 150 * MIB):
        most = psutil.Process().memory_info().rss + RESERVE + spare
        running = Running(jobs=16, tile=2048, max_mem=most)
        found.append(
            bytes_of_map(many_bands["float32"], tmp_path, "kmeans", running, reading=Reading())
        )
    assert widths == [2048, 128]
    assert found[0] == found[1]


def test_a_number_of_classes_chosen_from_a_range_gives_the_same_bytes(
    many_bands: dict[str, Path], tmp_path: Path
):
    scene, reading = many_bands["float32"], Reading()
    found = {
        name: bytes_of_map(scene, tmp_path, "kmeans", run, reading=reading, classes="3..5")
        for name, run in TWO_RUNS.items()
    }
    assert len(set(found.values())) == 1, found


def test_classes_matched_to_an_earlier_model_give_the_same_bytes(
    many_bands: dict[str, Path], tmp_path: Path
):
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    scene, reading = many_bands["float32"], Reading()
    bytes_of_map(scene, earlier, "kmeans", Running(jobs=2), classes=4, reading=reading)
    (model,) = earlier.glob("*.safetensors")
    found = {
        name: bytes_of_map(scene, tmp_path, "kmeans", run, reading=reading, match_to=model)
        for name, run in TWO_RUNS.items()
    }
    assert len(set(found.values())) == 1, found


@pytest.mark.parametrize("method", ["kmeans", "minibatch"])
def test_a_sample_is_the_same_whatever_the_tiles(method: str, scene: Path, tmp_path: Path):
    found = {
        bytes_of_map(scene, tmp_path, method, run, sample=5000)
        for run in (Running(jobs=1, tile=512), Running(jobs=4, tile=1024))
    }
    assert len(found) == 1


def test_striped_and_tiled_files_give_the_same_map(scene: Path, tmp_path: Path):
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
