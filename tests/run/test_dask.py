"""Workers of a Dask cluster give the bytes that threads give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from rsclass.datasets import simulate
from rsclass.errors import UsageError
from rsclass.flow.classify import classify
from rsclass.flow.merge import merge
from rsclass.flow.tidy import tidy
from rsclass.io.sink import Writing
from rsclass.run.settings import Running

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def scheduler():
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        yield cluster.scheduler_address


@pytest.mark.parametrize("method", ["kmeans", "uic"])
def test_a_cluster_gives_the_same_bytes_as_threads(method: str, scheduler: str, tmp_path: Path):
    scene = simulate("sentinel2", height=300, width=560, seed=1).write(tmp_path, "s")["scene"]
    few = {
        "kmeans": {"sample": None, "max_iter": 3},
        "uic": {"epochs": 2, "warmup": 1, "tiles": 8, "width": 8, "inputs": "bands"},
    }[method]
    made = [
        classify(
            scene,
            tmp_path / f"{name}.tif",
            method=method,
            classes=4,
            parameters=few,
            running=running,
            writing=Writing(report=False),
        ).path.read_bytes()
        for name, running in (("cluster", Running(scheduler=scheduler)), ("threads", Running()))
    ]
    assert made[0] == made[1]


def test_a_cluster_merges_classes_as_threads_do(scheduler: str, tmp_path: Path):
    scene = simulate("sentinel2", height=300, width=560, seed=1).write(tmp_path, "s")["scene"]
    quiet = Writing(report=False)
    spectral = classify(scene, tmp_path / "m.tif", method="kmeans", classes=6, writing=quiet).path
    made = [
        merge(spectral, tmp_path / f"{name}.tif", to=3, running=running).path.read_bytes()
        for name, running in (("cluster", Running(scheduler=scheduler)), ("threads", Running()))
    ]
    assert made[0] == made[1]


def test_a_scheduler_that_does_not_answer_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("rsclass.run.pools.CONNECT_SECONDS", 0.5)
    scene = simulate("sentinel2", height=40, width=40, seed=1).write(tmp_path, "s")["scene"]
    running = Running(scheduler="tcp://127.0.0.1:9")
    with pytest.raises(UsageError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        classify(scene, tmp_path / "m.tif", method="kmeans", classes=3, running=running)


def test_a_cluster_tidies_a_map_as_threads_do(scheduler: str, tmp_path: Path):
    values = np.random.default_rng(0).integers(1, 4, (600, 560)).astype(np.uint8)
    path = tmp_path / "map.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=600, width=560, count=1, dtype="uint8", nodata=0
    ) as dataset:
        dataset.write(values, 1)
    told: list[str] = []

    def progress(done: float, total: float, message: str) -> None:
        told.append(message)

    made = [
        tidy(path, tmp_path / f"{name}.tif", majority=3, sieve=9, running=running).path.read_bytes()
        for name, running in (
            ("cluster", Running(scheduler=scheduler, tile=512, progress=progress)),
            ("threads", Running()),
        )
    ]
    assert made[0] == made[1]
    assert {"following patches", "tidying"} <= set(told)
