"""What a run tells while it works, on stderr: a bar, plain lines, JSON lines or nothing."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["MODES", "Bar", "JsonLines", "Lines", "Reporter", "open_reporter"]

MODES = ("auto", "json", "none")
HEARTBEAT = 0.5
"""Seconds of silence after which JSON lines repeat the last news."""

_SHORTEST = 0.1
_SPARSE, _SOON = 10.0, 1.0


def printable(text: str) -> str:
    """``text`` as one line: names of files may hold line breaks and terminal commands."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class Reporter:
    """Messages only; the base of the others."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.started = time.monotonic()
        self._deaf = False

    def start(self) -> None:
        """The work begins."""

    def update(self, done: float, total: float, message: str) -> None:
        """The part of the work called ``message`` is ``done`` of ``total``."""

    def tell(self, kind: str, message: str) -> None:
        """Show a message; ``kind`` is ``info``, ``warning`` or ``error``."""
        if self.quiet and kind == "info":
            return
        mark = "warning: " if kind == "warning" else ""
        self.line(f"rsclass: {mark}{printable(message)}")

    def pause(self) -> None:
        """The work is over, or another speaker needs the terminal."""

    def end(self, event: str, message: str, exit_code: int) -> None:
        """The last word; ``event`` is ``done``, ``error`` or ``cancelled``."""
        self.pause()
        if message:
            self.tell("error", message)

    def line(self, text: str) -> None:
        """Write a line; when nobody listens any more, the work goes on in silence."""
        if self._deaf or sys.stderr is None:
            return
        try:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()
        except (OSError, ValueError):
            self._deaf = True

    @property
    def elapsed(self) -> float:
        """Seconds since the program began to speak."""
        return round(time.monotonic() - self.started, 3)


class Lines(Reporter):
    """Few plain lines: one in ten seconds, sooner when another part of the work begins."""

    def __init__(self) -> None:
        super().__init__()
        self._part = ""
        self._spoke = -_SPARSE

    def update(self, done: float, total: float, message: str) -> None:
        """A line, if it is time for one."""
        now = time.monotonic()
        if now - self._spoke < (_SPARSE if message == self._part else _SOON):
            return
        self._part, self._spoke = message, now
        self.line(f"rsclass: {printable(message)} {_percent(done, total):.0f} %")


class Bar(Reporter):
    """A bar on the terminal; colors as NO_COLOR and the terminal allow."""

    def __init__(self) -> None:
        super().__init__()
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def start(self) -> None:
        """Show an empty bar."""
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task("starting", total=None)
        self._bar.start()

    def update(self, done: float, total: float, message: str) -> None:
        """Move the bar."""
        if self._bar is not None and self._task is not None:
            text = printable(message)
            if text != self._bar.tasks[0].description:
                self._bar.reset(self._task, description=text)
            self._bar.update(self._task, completed=done, total=total)

    def line(self, text: str) -> None:
        """Write a line above the bar."""
        if self._bar is None:
            super().line(text)
        else:
            self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def pause(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


class JsonLines(Reporter):
    """One JSON object a line, at least one a second while the work lasts."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._heart: threading.Thread | None = None
        self._news: tuple[float, float, str] = (0, 0, "starting")
        self._sent = 0.0

    def start(self) -> None:
        """Begin to beat."""
        self._send()
        self._heart = threading.Thread(target=self._beat, args=(self._over,), daemon=True)
        self._heart.start()

    def update(self, done: float, total: float, message: str) -> None:
        """Keep the news, and send them unless others have just been sent."""
        another = message != self._news[2]
        self._news = (done, total, message)
        if another or done >= total or time.monotonic() - self._sent >= _SHORTEST:
            self._send()

    def tell(self, kind: str, message: str) -> None:
        """An event of that kind."""
        self._emit(event=kind, message=message)

    def pause(self) -> None:
        """Stop the beat."""
        if self._heart is not None:
            self._over.set()
            # Joined, because a thread that writes while the interpreter ends makes it abort.
            # A stop may come before the thread runs; it then finds that all is over.
            if self._heart.is_alive():
                self._heart.join()
            self._heart = None
            self._over = threading.Event()

    def end(self, event: str, message: str, exit_code: int) -> None:
        """The last event."""
        self.pause()
        self._emit(event=event, message=message, exit_code=exit_code, elapsed=self.elapsed)

    def _beat(self, over: threading.Event) -> None:
        while not over.wait(HEARTBEAT):
            self._send()

    def _send(self) -> None:
        done, total, message = self._news
        percent = _percent(done, total)
        self._sent = time.monotonic()
        self._emit(
            event="progress",
            done=done,
            total=total,
            fraction=round(percent / 100, 4),
            percent=round(percent, 2),
            message=message,
            elapsed=self.elapsed,
        )

    def _emit(self, **event: Any) -> None:
        with self._lock:
            self.line(json.dumps(event, ensure_ascii=False))


def _percent(done: float, total: float) -> float:
    return min(max(100.0 * done / total, 0.0), 100.0) if total > 0 else 0.0


def open_reporter(mode: str, *, quiet: bool) -> Reporter:
    """The reporter for ``--progress mode``; ``quiet`` silences progress and information."""
    if mode == "json":
        return JsonLines()
    if quiet or mode == "none":
        return Reporter(quiet=quiet)
    terminal = sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    return Bar() if terminal else Lines()
