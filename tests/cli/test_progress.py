from __future__ import annotations

import io
import json
import sys
import time
from typing import Any

import pytest

from rsclass.cli import progress
from rsclass.cli.progress import Bar, JsonLines, Lines, Reporter, open_reporter


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Take the place of stderr; called in the test itself, because pytest has its own by then."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    return stream


def _events(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_json_lines_beat_while_the_work_is_silent(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pain 10: a front end must be able to tell slow from stuck."""
    assert progress.HEARTBEAT < 1
    monkeypatch.setattr(progress, "HEARTBEAT", 0.05)
    reporter = JsonLines()
    reporter.start()
    reporter.update(1, 4, "fitting")
    time.sleep(0.5)
    reporter.end("done", "", 0)
    events = _events(capsys)
    beats = [e for e in events if e["event"] == "progress" and e["message"] == "fitting"]
    # 10 beats fit; half of them allows for a busy machine.
    assert len(beats) >= 5
    assert {(b["done"], b["total"], b["fraction"], b["percent"]) for b in beats} == {
        (1, 4, 0.25, 25.0)
    }
    assert [b["elapsed"] for b in beats] == sorted(b["elapsed"] for b in beats)
    assert events[-1] | {"elapsed": 0} == {
        "event": "done",
        "message": "",
        "exit_code": 0,
        "elapsed": 0,
    }


def test_after_the_end_json_lines_are_silent(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "HEARTBEAT", 0.01)
    reporter = JsonLines()
    reporter.start()
    reporter.end("done", "", 0)
    capsys.readouterr()
    time.sleep(0.05)
    assert capsys.readouterr().err == ""


def test_quick_news_are_thinned_but_the_last_of_each_part_arrives(
    capsys: pytest.CaptureFixture[str],
) -> None:
    reporter = JsonLines()
    for part in ("sampling", "classifying"):
        for done in range(1, 1001):
            reporter.update(done, 1000, part)
    events = _events(capsys)
    assert len(events) < 200
    for part in ("sampling", "classifying"):
        assert [e["percent"] for e in events if e["message"] == part][-1] == 100


def test_plain_lines_are_few(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = Lines()
    for done in range(1000):
        reporter.update(done, 1000, f"pass {done // 100}")
    assert capsys.readouterr().err == "rsclass: pass 0 0 %\n"


def test_a_part_without_a_known_end_is_at_zero(capsys: pytest.CaptureFixture[str]) -> None:
    Lines().update(3, 0, "waiting")
    assert capsys.readouterr().err == "rsclass: waiting 0 %\n"


def test_the_bar_is_for_terminals_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    _terminal(monkeypatch)
    assert isinstance(open_reporter("auto", quiet=False), Bar)
    assert type(open_reporter("auto", quiet=True)) is Reporter
    assert type(open_reporter("none", quiet=False)) is Reporter
    assert isinstance(open_reporter("json", quiet=True), JsonLines)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(open_reporter("auto", quiet=False), Lines)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert isinstance(open_reporter("auto", quiet=False), Lines)


@pytest.mark.parametrize("colorless", [False, True])
def test_the_bar_shows_the_part_and_obeys_no_color(
    monkeypatch: pytest.MonkeyPatch, colorless: bool
) -> None:
    terminal = _terminal(monkeypatch)
    if colorless:
        monkeypatch.setenv("NO_COLOR", "1")
    bar = Bar()
    bar.start()
    bar.update(30, 100, "fitting [red]")
    bar.tell("warning", "the scene is [bold]dark.")
    bar.update(100, 100, "fitting [red]")
    bar.end("done", "", 0)
    shown = terminal.getvalue()
    assert "fitting [red]" in shown
    assert "rsclass: warning: the scene is [bold]dark." in shown
    # SGR sequences that set a color: 30-37, 90-97 or 38;...
    colored = any(f"\x1b[{code}" in shown for code in ("38;", "31m", "32m", "33m", "34m", "35m"))
    assert colored is not colorless


def test_quiet_keeps_warnings_and_errors(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = Reporter(quiet=True)
    reporter.tell("info", "read")
    reporter.tell("warning", "dark")
    reporter.end("error", "no.", 3)
    assert capsys.readouterr().err == "rsclass: warning: dark\nrsclass: no.\n"


def test_a_reader_of_stderr_who_leaves_does_not_stop_the_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Closed(io.StringIO):
        writes = 0

        def write(self, text: str) -> int:
            self.writes += 1
            raise BrokenPipeError

    stream = Closed()
    monkeypatch.setattr(sys, "stderr", stream)
    reporter = JsonLines()
    reporter.update(1, 2, "one")
    reporter.update(1, 2, "two")
    assert stream.writes == 1


def test_an_absent_stderr_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    reporter = open_reporter("auto", quiet=False)
    reporter.update(1, 2, "one")
    reporter.end("error", "no.", 3)
    assert isinstance(reporter, Lines)
