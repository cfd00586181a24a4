"""The command line in this process and in one of its own, and a small scene."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from calls import Called, Caller

from rsclass.cli.main import main
from rsclass.datasets import simulate


@pytest.fixture(autouse=True)
def _plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No setting from outside, and no change of the process's logs that outlives a test."""
    for name in list(os.environ):
        if name.startswith("RSCLASS_"):
            monkeypatch.delenv(name)
    names = ("rsclass", "rasterio", "py.warnings")
    before = [(lg := logging.getLogger(n), lg.handlers, lg.propagate, lg.level) for n in names]
    with warnings.catch_warnings():
        yield
    for logger, handlers, propagate, level in before:
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Caller:
    """Run the command line in this process."""

    def caller(*args: str | Path) -> Called:
        capsys.readouterr()
        code = main([str(arg) for arg in args])
        told = capsys.readouterr()
        return Called(code, told.out, told.err)

    return caller


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the command line in a process of its own; it is gone after the test."""
    started: list[subprocess.Popen[str]] = []

    def starter(*args: str | Path, **variables: str) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, "-m", "rsclass", *map(str, args)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**os.environ, **variables},
        )
        started.append(child)
        return child

    yield starter
    for child in started:
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe is not None:
                pipe.close()


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten bands of 60 x 70 pixels."""
    folder = tmp_path_factory.mktemp("scene")
    return simulate("sentinel2", height=60, width=70, seed=3).write(folder, "scene")["scene"]
