"""One call of the command line: how it wants to be spoken to, and what it has to say."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Protocol

import click

from rsclass.cli.progress import Reporter, open_reporter
from rsclass.cli.signals import Stop

__all__ = ["Result", "Session"]


class Result(Protocol):
    """What a verb gives back."""

    @property
    def warnings(self) -> Sequence[str]: ...  # noqa: D102

    def to_dict(self) -> dict[str, Any]: ...  # noqa: D102

    def summary(self) -> str: ...  # noqa: D102


@dataclass
class Session:
    """How one call wants to be spoken to.

    Parameters
    ----------
    command : str
        The command line, for the report.
    progress : {"auto", "json", "none"}
    quiet, json, traceback : bool
    verbose : int
    stop : Stop
    working : bool
        Whether a verb has been called.
    resumable : bool
        Whether what is finished is kept when the run is stopped.
    """

    command: str = field(default_factory=lambda: shlex.join(["rsclass", *sys.argv[1:]]))
    progress: str = "auto"
    quiet: bool = False
    json: bool = False
    traceback: bool = False
    verbose: int = 0
    stop: Stop = field(default_factory=Stop)
    working: bool = False
    resumable: bool = False
    _reporter: Reporter | None = None
    _said: set[str] = field(default_factory=set)

    def listen(self, args: Sequence[str]) -> None:
        """Find out how errors in the flags themselves are to be shown."""
        asked = os.environ.get("RSCLASS_PROGRESS") == "json" or "--progress=json" in args
        if asked or any(pair == ("--progress", "json") for pair in pairwise(args)):
            self.progress = "json"

    @property
    def reporter(self) -> Reporter:
        """Who speaks on stderr; chosen when the first word is due."""
        if self._reporter is None:
            self._reporter = open_reporter(self.progress, quiet=self.quiet)
        return self._reporter

    @contextmanager
    def work(self) -> Iterator[Callable[[float, float, str], None]]:
        """Show progress while a verb works; gives what the verb reports to."""
        self.working = True
        self.reporter.start()
        try:
            yield self._report
        finally:
            self.reporter.pause()

    def _report(self, done: float, total: float, message: str) -> None:
        self.stop.check()
        self.reporter.update(done, total, message)

    def info(self, message: str) -> None:
        """Tell something on stderr."""
        self.reporter.tell("info", message)

    def warn(self, message: str) -> None:
        """Warn on stderr, once for each sentence."""
        if message not in self._said:
            self._said.add(message)
            self.reporter.tell("warning", message)

    def deliver(self, result: Result) -> None:
        """Warnings to stderr; to stdout the result as JSON, or the summary for people."""
        for sentence in result.warnings:
            self.warn(sentence)
        self.put(result.to_dict(), result.summary())

    def put(self, data: Any, text: str) -> None:
        """Write ``data`` as JSON with ``--json``, else ``text`` unless ``--quiet``."""
        if self.json:
            # NaN is no JSON; a value that holds it is a bug, not a result.
            put_text(json.dumps(data, ensure_ascii=False, allow_nan=False, indent=1))
        elif not self.quiet:
            put_text(text)


def put_text(text: str) -> None:
    """Write to stdout; a reader who has left (``| head``) is no error."""
    try:
        click.echo(text)
    except BrokenPipeError:
        leave_stdout()


def leave_stdout() -> None:
    """Let what is still to be written to stdout vanish; its reader has left."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
