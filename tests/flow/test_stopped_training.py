"""A training that is stopped goes on to the same result, bit for bit."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import rsclass
from rsclass.errors import BrokenModelError, OutputExistsError, UsageError
from rsclass.flow import checkpoint

SMALL = {"epochs": 6, "warmup": 2, "tiles": 8, "width": 8, "overcluster": 2}
SMALL["inputs"] = "bands"
PAPER = {"mode": "paper", "epochs": 6, "samples": 600, "width": 8}


class StoppedError(Exception):
    """The user has stopped the run."""


def running_until(epoch):
    """Settings of a run that is stopped in the middle of an epoch, and the epochs it began."""
    begun = []

    def progress(done, total, message):
        if message.startswith("epoch"):
            number = int(message.split()[1])
            begun.append(number)
            if number == epoch and begun.count(number) == 1:
                raise StoppedError

    return rsclass.Running(jobs=1, progress=progress), begun


@pytest.fixture(scope="module")
def whole(small_scene, tmp_path_factory) -> dict[str, bytes]:
    """Models of trainings that nobody stopped."""
    folder = tmp_path_factory.mktemp("whole")
    made = {}
    for name, parameters in {"landcover": SMALL, "paper": PAPER}.items():
        path = folder / f"{name}.safetensors"
        rsclass.train(small_scene, path, classes=4, parameters=parameters)
        made[name] = path.read_bytes()
    return made


@pytest.mark.parametrize(("mode", "parameters"), [("landcover", SMALL), ("paper", PAPER)])
def test_a_stopped_training_goes_on_to_the_same_model(
    small_scene, tmp_path, whole, mode, parameters
) -> None:
    path = tmp_path / "net.safetensors"
    options = {"classes": 4, "parameters": parameters, "resume": True}
    running, _ = running_until(4)
    with pytest.raises(StoppedError):
        rsclass.train(small_scene, path, running=running, **options)
    assert [file.name for file in tmp_path.iterdir()] == ["net.safetensors.checkpoint"]
    running, begun = running_until(None)
    rsclass.train(small_scene, path, running=running, **options)
    assert begun[0] == 4  # three epochs were not trained again
    assert path.read_bytes() == whole[mode]
    assert [file.name for file in tmp_path.iterdir()] == ["net.safetensors"]


def test_a_training_that_is_killed_goes_on_to_the_same_model(small_scene, tmp_path, whole) -> None:
    """Nothing but what was written before is left of a killed process."""
    path = tmp_path / "net.safetensors"
    script = f"""
import os, signal, rsclass
from rsclass.flow import checkpoint
checkpoint.SECONDS = 0
def progress(done, total, message):
    if message.startswith("epoch 5"):
        os.kill(os.getpid(), signal.SIGKILL)
rsclass.train({str(small_scene)!r}, {str(path)!r}, classes=4, parameters={SMALL!r}, resume=True,
              running=rsclass.Running(jobs=1, progress=progress))
"""
    killed = subprocess.run([sys.executable, "-c", script], timeout=120, check=False)
    assert killed.returncode == -signal.SIGKILL
    running, begun = running_until(None)
    options = {"classes": 4, "parameters": SMALL, "resume": True}
    rsclass.train(small_scene, path, running=running, **options)
    assert begun[0] == 5
    assert path.read_bytes() == whole["landcover"]


@pytest.fixture
def stopped(small_scene, tmp_path) -> Path:
    """The checkpoint of a training that was stopped."""
    running, _ = running_until(3)
    path = tmp_path / "kept.checkpoint"
    options = {"classes": 4, "parameters": SMALL, "checkpoint": path}
    with pytest.raises(StoppedError):
        rsclass.train(small_scene, tmp_path / "net.safetensors", running=running, **options)
    return path


def test_another_training_is_not_gone_on_with(small_scene, tmp_path, stopped) -> None:
    options = {"classes": 4, "checkpoint": stopped, "model_out": tmp_path / "net.safetensors"}
    before = stopped.read_bytes()
    with pytest.raises(UsageError, match="epochs was 6 and is 9"):
        rsclass.train(small_scene, parameters=SMALL | {"epochs": 9}, resume=True, **options)
    with pytest.raises(UsageError, match="random_state was 0 and is 1"):
        rsclass.train(small_scene, parameters=SMALL, seed=1, resume=True, **options)
    other = tmp_path / "other.tif"
    other.write_bytes(small_scene.read_bytes())
    with pytest.raises(UsageError, match="scene is another"):
        rsclass.train(other, parameters=SMALL, resume=True, **options)
    with pytest.raises(OutputExistsError, match="give --resume to go on"):
        rsclass.train(small_scene, parameters=SMALL, **options)
    with pytest.raises(UsageError, match="kmeans learns in one go"):
        rsclass.train(small_scene, method="kmeans", **options)
    assert stopped.read_bytes() == before


def test_a_damaged_checkpoint_is_found(small_scene, tmp_path, stopped) -> None:
    content = bytearray(stopped.read_bytes())
    content[-100] ^= 1
    stopped.write_bytes(content)
    options = {"classes": 4, "parameters": SMALL, "checkpoint": stopped}
    with pytest.raises(BrokenModelError, match="remove it and train from the start"):
        rsclass.train(small_scene, tmp_path / "net.safetensors", resume=True, **options)
    done = rsclass.train(small_scene, tmp_path / "net.safetensors", overwrite=True, **options)
    assert done.path.exists()
    assert not stopped.exists()


def test_a_state_is_written_when_the_last_one_is_old(small_scene, tmp_path, monkeypatch) -> None:
    written = []
    monkeypatch.setattr(
        checkpoint, "write_checkpoint", lambda path, identity, stages: written.append(stages)
    )
    options = {"classes": 4, "parameters": SMALL, "checkpoint": tmp_path / "c"}
    rsclass.train(small_scene, tmp_path / "a.safetensors", **options)
    assert len(written) == 0  # it took less than ten seconds
    monkeypatch.setattr(checkpoint, "SECONDS", 0)
    rsclass.train(small_scene, tmp_path / "b.safetensors", **options)
    assert len(written) == 6


def test_a_map_that_is_resumed_goes_on_with_the_epochs(small_scene, tmp_path) -> None:
    options = {"classes": 4, "parameters": SMALL}
    writing = rsclass.Writing(report=False, resume=True)
    running, _ = running_until(5)
    with pytest.raises(StoppedError):
        rsclass.classify(
            small_scene, tmp_path / "a.tif", running=running, writing=writing, **options
        )
    running, begun = running_until(None)
    rsclass.classify(small_scene, tmp_path / "a.tif", running=running, writing=writing, **options)
    assert begun[0] == 5
    plain = rsclass.Writing(report=False)
    rsclass.classify(small_scene, tmp_path / "b.tif", writing=plain, **options)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    assert not list(tmp_path.glob("*.checkpoint"))


def test_the_log_tells_of_every_epoch(small_scene, tmp_path) -> None:
    log = tmp_path / "log.csv"
    found = rsclass.train(
        small_scene, tmp_path / "net.safetensors", classes=4, parameters=SMALL, log=log
    )
    assert found.files["log"] == log
    lines = list(csv.DictReader(log.open()))
    assert [int(line["epoch"]) for line in lines] == list(range(6))
    for line, entry in zip(lines, found.history, strict=True):
        assert float(line["loss"]) == entry["loss"]
        assert float(line["change"]) == entry["change"]
        assert float(line["seconds"]) > 0
    sizes = [[int(line[c]) for c in line if c.startswith("size_")] for line in lines]
    assert len({sum(row) for row in sizes}) == 1  # every usable pixel, in every epoch
    assert found.history[-1]["empty"] == sizes[-1].count(0)
