"""Scenes on disk that span several blocks."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsclass.datasets import simulate


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A uint16 scene of 530 x 560 pixels and ten bands with a cloud: four canonical blocks."""
    folder = tmp_path_factory.mktemp("scene")
    return Path(
        simulate("sentinel2", height=530, width=560, seed=5).write(folder, "scene")["scene"]
    )


@pytest.fixture(scope="session")
def float_scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in float32 with NaN."""
    folder = tmp_path_factory.mktemp("float_scene")
    made = simulate("sentinel2", height=530, width=560, seed=5, dtype="float32")
    return Path(made.write(folder, "scene")["scene"])


@pytest.fixture(scope="session")
def small_scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scene of 90 x 110 pixels."""
    folder = tmp_path_factory.mktemp("small_scene")
    return Path(simulate("sentinel2", height=90, width=110, seed=2).write(folder, "small")["scene"])
