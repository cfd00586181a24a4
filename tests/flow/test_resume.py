"""P07: an interrupted run goes on where it stopped, and ends with the same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rsclass.errors import StoppedError
from rsclass.flow.classify import classify
from rsclass.flow.resume import Progress
from rsclass.flow.train import train
from rsclass.io.journal import Journal
from rsclass.io.sink import Writing
from rsclass.run.settings import Running

RESUME = Writing(report=False, resume=True, layers=("confidence",))


def stopping_after(units: int, message: str = "classifying"):
    def progress(done: float, total: float, told: str) -> None:
        if told == message and done >= units:
            raise StoppedError("stopped")

    return progress


def run(scene: Path, out: Path, progress=None):
    running = Running(jobs=2, tile=512, progress=progress)
    return classify(scene, out, method="kmeans", classes=6, running=running, writing=RESUME)


def test_a_resumed_run_ends_with_the_bytes_of_an_uninterrupted_one(scene, tmp_path):
    whole = run(scene, tmp_path / "whole.tif")
    out = tmp_path / "map.tif"
    for units in (1, 3):
        with pytest.raises(StoppedError):
            run(scene, out, stopping_after(units))
        assert not out.exists()
    seen: list[str] = []
    again = run(scene, out, lambda done, total, told: seen.append(told))
    assert not [told for told in seen if told.startswith("k-means")]
    for kind in ("map", "confidence", "legend", "table", "model"):
        assert again.files[kind].read_bytes() == whole.files[kind].read_bytes()
    assert {path.name for path in tmp_path.iterdir() if "resume" in path.name} == set()


def test_pieces_are_kept_once_however_often_a_run_is_resumed(scene, tmp_path):
    out, sizes = tmp_path / "map.tif", []
    for _ in range(3):
        with pytest.raises(StoppedError):
            run(scene, out, stopping_after(2))
        sizes.append((tmp_path / "map.tif.resume").stat().st_size)
    assert len(set(sizes)) == 1


def test_a_killed_run_is_resumed(scene, tmp_path):
    out = tmp_path / "map.tif"
    code = f"""
import time
from rsclass.flow.classify import classify
from rsclass.io.sink import Writing
from rsclass.run.settings import Running
def slow(done, total, told):
    if told == "classifying":
        open({str(tmp_path / "reached")!r}, "w").close()
        time.sleep(60)
classify({str(scene)!r}, {str(out)!r}, method="kmeans", classes=6,
         running=Running(jobs=2, tile=512, progress=slow),
         writing=Writing(report=False, resume=True, layers=("confidence",)))
"""
    child = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 60
    while not (tmp_path / "reached").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert not out.exists()
    again = run(scene, out)
    whole = run(scene, tmp_path / "whole.tif")
    assert again.path.read_bytes() == whole.path.read_bytes()
    assert not list(tmp_path.glob("*.part*"))


def test_a_journal_of_other_settings_is_not_used(scene, tmp_path):
    out = tmp_path / "map.tif"
    with pytest.raises(StoppedError):
        run(scene, out, stopping_after(2))
    with pytest.warns(UserWarning, match="other settings"):
        other = classify(scene, out, method="kmeans", classes=4, writing=RESUME)
    assert len(other.legend) == 4


def test_a_model_is_taken_up_from_the_journal_without_another_file(small_scene, tmp_path):
    model = train(small_scene, tmp_path / "m.safetensors", method="kmeans", classes=3).model
    with Journal.open(tmp_path / "map.tif.resume", "{}", resume=True) as journal:
        Progress(journal).keep_model(model, {"history": [1.5]})
        before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        taken, story = Progress(journal).model()
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert taken.to_bytes() == model.to_bytes()
    assert story == {"history": [1.5]}
