"""Runs that are stopped from outside leave nothing and end with 130."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rsclass.datasets import simulate

Starter = Callable[..., subprocess.Popen[str]]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")

SECONDS = 20
"""Far more than the second that stopping takes, for machines that are busy."""

# A work of the same shape as a run: something unfinished on disk that takes time to clean up.
CHILD = """
import sys, time
from pathlib import Path
from typing import Any
from rsclass.cli.boundary import guarded
from rsclass.cli.session import Session

part = Path(sys.argv[1])

def work():
    part.write_text("unfinished")
    try:
        print("ready", flush=True)
        time.sleep(float(sys.argv[2]))
    finally:
        time.sleep(0.3)
        part.unlink()

sys.exit(guarded(Session(progress="none"), work))
"""


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start CHILD and wait until it works."""
    started: list[subprocess.Popen[str]] = []

    def starter(seconds: float = 60, ignore: int | None = None, **env: str) -> Any:
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path / "map.part"), str(seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **env},
            preexec_fn=(lambda: signal.signal(ignore, signal.SIG_IGN)) if ignore else None,
        )
        started.append(child)
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        return child

    yield starter
    for child in started:
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe is not None:
                pipe.close()


def _told(child: subprocess.Popen[str]) -> str:
    assert child.stderr is not None
    return child.stderr.read()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_signal_cleans_up_and_ends_with_130(
    work: Starter, tmp_path: Path, number: signal.Signals
) -> None:
    child = work()
    child.send_signal(number)
    assert child.wait(SECONDS) == 130
    assert _told(child) == "rsclass: stopped; no output was written.\n"
    assert list(tmp_path.iterdir()) == []


def test_more_signals_during_the_clean_up_change_nothing(work: Starter, tmp_path: Path) -> None:
    child = work()
    for number in (signal.SIGINT, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        child.send_signal(number)
        time.sleep(0.05)
    assert child.wait(SECONDS) == 130
    assert _told(child) == "rsclass: stopped; no output was written.\n"
    assert list(tmp_path.iterdir()) == []


def test_a_signal_that_the_shell_ignores_stays_ignored(work: Starter) -> None:
    child = work(0.5, ignore=signal.SIGHUP)
    child.send_signal(signal.SIGHUP)
    assert child.wait(SECONDS) == 0


def test_the_end_of_stdin_stops_the_work_when_asked_to(work: Starter, tmp_path: Path) -> None:
    child = work(RSCLASS_STOP_ON_STDIN_EOF="1")
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(SECONDS) == 130
    assert list(tmp_path.iterdir()) == []


def test_the_end_of_stdin_means_nothing_otherwise(work: Starter) -> None:
    child = work(0.5)
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(SECONDS) == 0


def test_the_work_may_end_while_stdin_is_still_watched(work: Starter) -> None:
    """A thread inside sys.stdin would make the interpreter abort at its end."""
    child = work(0.1, RSCLASS_STOP_ON_STDIN_EOF="1")
    assert child.wait(SECONDS) == 0
    assert _told(child) == ""


# A library in a loop of its own: it lets other threads run, and knows no interrupts.
STUCK = """
import hashlib, sys
from pathlib import Path
from rsclass.cli.boundary import guarded
from rsclass.cli.session import Session
from rsclass.io.target import Target

def work():
    with Target(sys.argv[1], overwrite=True) as target:
        target.part(".tif").write_text("unfinished")
        print("ready", flush=True)
        hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)

sys.exit(guarded(Session(progress="none"), work))
"""


def test_a_library_that_knows_no_interrupts_does_not_keep_an_orphan(tmp_path: Path) -> None:
    out = tmp_path / "map.tif"
    out.write_text("an old map")
    with subprocess.Popen(
        [sys.executable, "-c", STUCK, str(out)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "RSCLASS_STOP_ON_STDIN_EOF": "1"},
        text=True,
    ) as child:
        try:
            assert child.stdin is not None
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            assert len(list(tmp_path.iterdir())) == 3  # the lock, too
            child.stdin.close()
            assert child.wait(SECONDS) == 130
        finally:
            child.kill()
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("map.tif", "an old map")]


# -- whole runs -------------------------------------------------------------------------------

# One that is not stopped takes minutes: the tests would then fail on the exit code.
LONG = ("-m", "kmeans", "-k", "40", "--sample", "all", "--tile", "128", "-j", "2")
LONG += ("--set", "max_iter=5000", "--set", "tolerance=0", "--layers", "membership")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("large")
    return simulate("sentinel2", height=600, width=600, seed=1).write(folder, "scene")["scene"]


def _wait_for(child: subprocess.Popen[str], words: str) -> None:
    assert child.stderr is not None
    for line in child.stderr:
        if words in json.loads(line)["message"]:
            return
    pytest.fail(f"the run ended with {child.wait()} before {words!r}")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        pytest.param(signal.SIGINT, "k-means", id="P05"),
        pytest.param(signal.SIGTERM, "k-means", id="P06"),
        pytest.param(None, "starting", id="stdin-while-loading"),
    ],
)
def test_a_run_that_is_stopped_leaves_the_old_map_and_nothing_else(
    start: Starter, large: Path, tmp_path: Path, number: signal.Signals | None, words: str
) -> None:
    out = tmp_path / "map.tif"
    out.write_bytes(b"an old map")
    flags = ("-o", out, *LONG, "--overwrite", "--progress", "json")
    child = start("classify", large, *flags, RSCLASS_STOP_ON_STDIN_EOF="1")
    _wait_for(child, words)
    if number is not None:
        child.send_signal(number)
    elif child.stdin is not None:
        child.stdin.close()
    rest = _told(child)
    assert child.wait(SECONDS) == 130, rest
    last = json.loads(rest.splitlines()[-1])
    assert (last["event"], last["exit_code"]) == ("cancelled", 130)
    assert last["message"] == "stopped; no output was written."
    assert child.stdout is not None
    assert child.stdout.read() == ""
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("map.tif", b"an old map")]
