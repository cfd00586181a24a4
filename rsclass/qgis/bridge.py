"""The program ``rsclass`` as a child: how it is started, heard, stopped, and what its end means."""

from __future__ import annotations

import json
import os
import shlex
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from qgis.core import QgsProcessingException
from qgis.PyQt.QtCore import QCoreApplication, QProcess, QProcessEnvironment, QThread

__all__ = ["Child", "call", "child_environment"]

_DROPPED = frozenset(
    {
        "PYTHONHOME",
        "PYTHONPATH",
        "PYTHONSTARTUP",
        "PYTHONEXECUTABLE",
        "__PYVENV_LAUNCHER__",
        "PYTHONNOUSERSITE",
        "VIRTUAL_ENV",
        "GEOTIFF_CSV",
        "PROJ_LIB",
        "PROJ_DATA",
        "PROJ_NETWORK",
        "GISBASE",
        "LD_LIBRARY_PATH",
        "LD_PRELOAD",
        "DYLD_LIBRARY_PATH",
        "DYLD_FRAMEWORK_PATH",
        "DYLD_INSERT_LIBRARIES",
        "QT_PLUGIN_PATH",
    }
)
_DROPPED_PREFIXES = ("GDAL_", "CPL_")
_CERTIFICATES = ("SSL_CERT_FILE", "CURL_CA_BUNDLE")
_SET = {"PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1", "RSCLASS_STOP_ON_STDIN_EOF": "1"}

_POLL_MS, _START_MS, _END_MS = 100, 10_000, 1_000
_PATIENCE = 10.0
"""Seconds that a stopped child may take to clean up before it is killed."""

_KEPT, _SHOWN = 30, 5
_BUG, _USAGE, _STOPPED = 1, 2, 130
_UNKNOWN = ("no option", "no such option", "no such command", "no command")


def child_environment(settings: Mapping[str, str]) -> Any:
    """The environment of QGIS without what is meant for QGIS alone.

    Its Python, GDAL and PROJ are other ones than those of rsclass, which would run with the wrong
    numpy, or find no coordinate system, or not start at all.

    Parameters
    ----------
    settings : mapping of str to str
        Variables to set besides.

    Returns
    -------
    QProcessEnvironment
    """
    environment = QProcessEnvironment.systemEnvironment()
    for name in environment.keys():  # noqa: SIM118  no mapping, but a class of Qt
        if name in _DROPPED or name.startswith(_DROPPED_PREFIXES):
            environment.remove(name)
    for name in _CERTIFICATES:
        if "osgeo4w" in environment.value(name).lower():
            environment.remove(name)
    for name, value in {**_SET, **settings}.items():
        environment.insert(name, value)
    return environment


class Child:
    """A run of the program.

    Parameters
    ----------
    program : str
    arguments : sequence of str
    settings : mapping of str to str, optional
        Variables of its environment.

    Attributes
    ----------
    code : int
        Exit code, once it has ended.
    crashed : bool
        Whether a signal ended it.
    output : str
        What it wrote to stdout.
    """

    def __init__(
        self, program: str, arguments: Sequence[str], settings: Mapping[str, str] | None = None
    ) -> None:
        self.code = 0
        self.crashed = False
        self.output = ""
        self._program = program
        self._process = QProcess()
        self._process.setProcessEnvironment(child_environment(settings or {}))
        self._process.setProgram(program)
        self._process.setArguments(list(arguments))

    def run(self, stopped: Callable[[], bool], hear: Callable[[str], None]) -> None:
        """Wait for its end.

        Parameters
        ----------
        stopped : callable
            Tells whether it is to stop; asked ten times a second, also while the child is silent.
        hear : callable
            Gets every line of its stderr.

        Raises
        ------
        QgsProcessingException
            It cannot be started.
        """
        process = self._process
        process.start()
        if not process.waitForStarted(_START_MS):
            reason = process.errorString()
            raise QgsProcessingException(f"{self._program} cannot be started: {reason}.")
        process.setReadChannel(QProcess.ProcessChannel.StandardError)
        lines, output = _Lines(hear), bytearray()
        try:
            self._wait(stopped, lambda: _drain(process, lines, output))
        finally:
            if process.state() != QProcess.ProcessState.NotRunning:
                process.kill()
                process.waitForFinished(_END_MS)
        _drain(process, lines, output)
        lines.end()
        self.crashed = process.exitStatus() == QProcess.ExitStatus.CrashExit
        self.code = process.exitCode()
        self.output = output.decode("utf-8", "replace")

    def _wait(self, stopped: Callable[[], bool], drain: Callable[[], None]) -> None:
        process, killed_at = self._process, float("inf")
        while process.state() != QProcess.ProcessState.NotRunning:
            process.waitForReadyRead(_POLL_MS)
            drain()
            if killed_at == float("inf") and stopped():
                killed_at = time.monotonic() + _PATIENCE
                process.closeWriteChannel()
                if os.name == "posix":  # on Windows, a console program does not hear it
                    process.terminate()
            if time.monotonic() > killed_at:
                process.kill()
        process.waitForFinished(_END_MS)


class _Lines:
    """Bytes as they come, as the lines that they make up."""

    def __init__(self, hear: Callable[[str], None]) -> None:
        self._hear = hear
        self._rest = b""

    def feed(self, data: bytes) -> None:
        *whole, self._rest = (self._rest + data).split(b"\n")
        for line in whole:
            self._hear(line.decode("utf-8", "replace").rstrip())

    def end(self) -> None:
        if self._rest:
            self.feed(b"\n")


def _drain(process: Any, lines: _Lines, output: bytearray) -> None:
    lines.feed(bytes(process.readAllStandardError()))
    output += bytes(process.readAllStandardOutput())


def call(
    program: str, arguments: Sequence[str], feedback: Any, settings: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Run a command and pass on what it says, until it is done.

    Parameters
    ----------
    program : str
    arguments : sequence of str
        Command and flags; those that make it speak JSON are added.
    feedback : QgsProcessingFeedback
        Gets progress and messages, and tells when to stop.
    settings : mapping of str to str, optional
        Variables of the child's environment.

    Returns
    -------
    dict
        Its result.

    Raises
    ------
    QgsProcessingException
        It failed, with its own sentence, or was stopped.
    """
    feedback.pushCommandInfo(shlex.join([program, *arguments]))
    child = Child(program, [*arguments, "--progress", "json", "--json"], settings)
    events = _Events(feedback)
    child.run(lambda: _is_stopped(feedback), events.hear)
    if child.code or child.crashed:
        raise QgsProcessingException(_failure(child, events, feedback.isCanceled()))
    try:
        return dict(json.loads(child.output))
    except (ValueError, TypeError):
        raise QgsProcessingException("rsclass returned an unreadable result.") from None


def _is_stopped(feedback: Any) -> bool:
    """Whether to stop; qgis_process learns it in the event loop of its main thread alone."""
    if QThread.currentThread() == QCoreApplication.instance().thread():
        QCoreApplication.processEvents()
    return bool(feedback.isCanceled())


class _Events:
    """What the child says on stderr: one JSON object a line, and whatever libraries add."""

    def __init__(self, feedback: Any) -> None:
        self.error = ""
        self.tail: deque[str] = deque(maxlen=_KEPT)
        self._feedback = feedback
        self._part = ""

    def hear(self, line: str) -> None:
        try:
            event = json.loads(line)
            kind = event["event"]
        except (ValueError, TypeError, KeyError):
            if line:
                self.tail.append(line)
                self._feedback.pushConsoleInfo(line)
            return
        message = str(event.get("message", ""))
        if kind == "progress":
            self._progress(float(event.get("percent", 0.0)), message)
        elif kind == "info":
            self._feedback.pushInfo(message)
        elif kind == "warning":
            self._feedback.pushWarning(message)
        elif kind == "error":
            self.error = message

    def _progress(self, percent: float, message: str) -> None:
        self._feedback.setProgress(percent)
        if message != self._part:
            self._part = message
            self._feedback.setProgressText(message)


def _failure(child: Child, events: _Events, stopped: bool) -> str:
    """Why a run gave nothing."""
    if stopped or (child.code == _STOPPED and not child.crashed):
        return "Cancelled."
    if child.crashed:
        return (
            "rsclass stopped unexpectedly (signal or crash); the memory of the computer may have"
            " been exhausted."
        )
    said = events.error or " ".join(list(events.tail)[-_SHOWN:])
    sentence = said or f"rsclass failed (exit code {child.code}) and did not say why."
    if child.code == _BUG:
        return f"{sentence} This is a bug of rsclass; please report it with the log above."
    if child.code == _USAGE and any(part in sentence for part in _UNKNOWN):
        return (
            f"{sentence} If you did not ask for that yourself, the plugin and the program differ in"
            " version; upgrade the older one."
        )
    return sentence
