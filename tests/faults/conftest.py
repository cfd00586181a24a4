"""A workplace for each test, and surroundings without settings."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_scenes import write
from workplace import CALM, FEW, Workplace

from rsclass.cli.main import main


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No setting from outside, and no change of the process's logs that outlives a test."""
    for name in list(os.environ):
        if name.startswith(("RSCLASS_", "GDAL_", "CPL_", "VSI_")):
            monkeypatch.delenv(name)
    names = ("rsclass", "rasterio", "py.warnings")
    before = [(lg := logging.getLogger(n), lg.handlers, lg.propagate, lg.level) for n in names]
    with warnings.catch_warnings():
        yield
    for logger, handlers, propagate, level in before:
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


@pytest.fixture
def place(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Workplace:
    return Workplace(tmp_path, capfd)


@pytest.fixture
def scene(place: Workplace) -> Path:
    """A sound scene among the inputs."""
    return write(place.inputs / "scene.tif")


@pytest.fixture(scope="session")
def sound_model(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The model of a sound scene whose stored values are to be multiplied by 0.0001."""
    folder = tmp_path_factory.mktemp("model")
    scene = write(folder / "scene.tif", scale=0.0001)
    assert main(["train", str(scene), *FEW, *CALM[1:], "-q", "-o", str(folder / "m")]) == 0
    return (folder / "m").read_bytes()


@pytest.fixture
def model(place: Workplace, sound_model: bytes) -> Path:
    """The sound model among the inputs."""
    path = place.inputs / "model.safetensors"
    path.write_bytes(sound_model)
    return path
