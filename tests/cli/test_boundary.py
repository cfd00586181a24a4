from __future__ import annotations

import errno
import signal
from pathlib import Path
from typing import Any

import click
import pytest
import rasterio
from calls import Caller
from rasterio.errors import RasterioIOError

import rsclass.flow.classify
from rsclass import errors
from rsclass.cli.boundary import ending_of


def _raised_by_rasterio(path: Path) -> Exception:
    path.write_text("no raster")
    try:
        rasterio.open(path)
    except RasterioIOError as error:
        return error
    raise AssertionError("rasterio opened a text file")


def _chained(cause: Exception) -> Exception:
    try:
        raise RuntimeError("while writing") from cause
    except RuntimeError as error:
        return error


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (errors.UsageError("ask otherwise."), 2, "ask otherwise."),
        (errors.UnreadableRasterError("x.tif is no raster."), 3, "x.tif is no raster."),
        (errors.OutputExistsError("map.tif exists."), 4, "map.tif exists."),
        (errors.QualityError("too low."), 5, "too low."),
        (errors.MemoryLimitError("too much."), 6, "too much."),
        (errors.DiskFullError("no room."), 6, "no room."),
        (errors.StoppedError("the caller stopped it."), 130, "the caller stopped it."),
        (KeyboardInterrupt(), 130, "stopped; no output was written."),
        (MemoryError(), 6, "out of memory"),
        (_chained(MemoryError()), 6, "out of memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), 6, "out of memory"),
        (OSError(errno.ENOSPC, "No space left", "/x/map.tif"), 6, "the disk is full (/x/map.tif)"),
        (_chained(OSError(errno.ENOSPC, "No space left")), 6, "the disk is full;"),
        (SystemError("Unknown GDAL Error"), 3, "GDAL could not"),
        (ModuleNotFoundError("No module", name="torch.nn"), 2, "needs torch, which is not inst"),
        (click.UsageError("Bad thing."), 2, "bad thing."),
        (click.Abort(), 130, "stopped"),
        (ZeroDivisionError("division by zero"), 1, "a bug in rsclass (ZeroDivisionError:"),
        (OSError(errno.EIO, "I/O error"), 1, "a bug in rsclass (OSError:"),
        (ModuleNotFoundError("No module", name="rsclass.gone"), 1, "a bug in rsclass"),
    ],
)
def test_every_error_has_its_exit_code_and_sentence(
    error: BaseException, code: int, words: str
) -> None:
    ending = ending_of(error)
    assert ending.code == code
    assert words in ending.sentence
    assert ending.bug == (code == 1)


def test_a_stopped_run_that_keeps_what_is_finished_says_how_to_go_on() -> None:
    told = ending_of(KeyboardInterrupt(), resumable=True)
    assert told.sentence == ("stopped; no output was written. Run the same command again to go on.")


def test_an_error_of_rasterio_that_escapes_is_bad_data(tmp_path: Path) -> None:
    ending = ending_of(_raised_by_rasterio(tmp_path / "text.tif"))
    assert ending.code == 3
    assert "not recognized as being in a supported file format" in ending.sentence


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make classify raise."""

    def prepare(error: BaseException) -> None:
        def verb(*args: Any, **settings: Any) -> None:
            raise error

        monkeypatch.setattr(rsclass.flow.classify, "classify", verb)

    return prepare


def test_a_deliberate_error_is_one_line_and_no_traceback(call: Caller, failing: Any) -> None:
    failing(errors.DataError("scene.tif is empty."))
    told = call("classify", "s.tif")
    assert (told.code, told.out, told.err) == (3, "", "rsclass: scene.tif is empty.\n")


def test_traceback_shows_where_it_arose(call: Caller, failing: Any) -> None:
    failing(errors.DataError("scene.tif is empty."))
    told = call("classify", "s.tif", "--traceback")
    assert told.code == 3
    assert told.err.startswith("Traceback (most recent call last):")
    assert told.err.endswith("\nrsclass: scene.tif is empty.\n")


def test_a_bug_shows_its_traceback_and_asks_for_a_report(call: Caller, failing: Any) -> None:
    failing(ZeroDivisionError("division by zero"))
    told = call("classify", "s.tif", "-q")
    assert told.code == 1
    assert told.err.startswith("Traceback (most recent call last):")
    assert "please report it" in told.err.splitlines()[-1]


def test_a_sentence_is_one_line_whatever_the_file_is_called(call: Caller, failing: Any) -> None:
    """P10"""
    failing(errors.DataError("a\nb\x1b[31m.tif is empty."))
    told = call("classify", "s.tif")
    assert told.err == "rsclass: a\\nb\\x1b[31m.tif is empty.\n"


def test_json_lines_end_with_the_error_and_its_exit_code(call: Caller, failing: Any) -> None:
    failing(errors.DataError("scene.tif is empty."))
    told = call("classify", "s.tif", "--progress", "json")
    last = told.events[-1]
    assert last["event"] == "error"
    assert last["message"] == "scene.tif is empty."
    assert last["exit_code"] == 3


@pytest.mark.parametrize("flags", [("--progress", "json"), ("--progress=json",)])
def test_wrong_flags_are_json_lines_too(call: Caller, flags: tuple[str, ...]) -> None:
    told = call("classify", *flags, "--nope", "s.tif")
    assert told.code == 2
    (event,) = told.events
    assert event["event"] == "error"
    assert "there is no option --nope" in event["message"]


def test_a_request_to_stop_is_the_event_cancelled(call: Caller, failing: Any) -> None:
    failing(KeyboardInterrupt())
    told = call("classify", "s.tif", "--progress", "json")
    assert told.code == 130
    assert told.events[-1]["event"] == "cancelled"


@pytest.mark.parametrize("flags", [(), ("--resume",)])
def test_only_a_run_with_resume_can_go_on(
    call: Caller, failing: Any, flags: tuple[str, ...]
) -> None:
    failing(KeyboardInterrupt())
    told = call("classify", "s.tif", *flags)
    assert told.code == 130
    assert ("Run the same command again" in told.err) is bool(flags)


def test_signals_are_given_back_after_a_call(call: Caller, failing: Any) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    failing(errors.DataError("no."))
    call("classify", "s.tif")
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
