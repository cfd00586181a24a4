"""A name that a map cannot have is refused before any work is done for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsclass.errors import UsageError
from rsclass.flow.classify import classify
from rsclass.flow.plan import plan
from rsclass.flow.train import train
from rsclass.run.settings import Running


def begun(done: float, total: float, told: str) -> None:
    pytest.fail(f"{told!r} was begun")


def test_a_map_is_not_named_as_another_format(small_scene: Path, tmp_path: Path):
    out = tmp_path / "map.png"
    with pytest.raises(UsageError, match=r"GeoTIFF.*name it map\.tif"):
        classify(small_scene, out, method="kmeans", running=Running(progress=begun))
    with pytest.raises(UsageError, match=r"GeoTIFF.*name it map\.tif"):
        plan(small_scene, out, method="kmeans")
    assert list(tmp_path.iterdir()) == []


def test_a_model_is_named_freely(small_scene: Path, tmp_path: Path):
    assert train(small_scene, tmp_path / "m.model", method="kmeans", classes=3).path.exists()
