"""The outer boundary: whatever happens inside ends as an exit code and one sentence."""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from logging import getLogger

import click

from rsclass.cli.logs import direct_warnings
from rsclass.cli.session import Session, leave_stdout
from rsclass.errors import RsclassError

__all__ = ["Ending", "ending_of", "guarded"]

STOPPED = "stopped; no output was written."
GO_ON = " Run the same command again to go on."
_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
_NO_MEMORY = ("can't allocate memory", "out of memory", "cannot allocate memory")


@dataclass(frozen=True)
class Ending:
    """How a call ended.

    Parameters
    ----------
    code : int
        Exit code.
    sentence : str
        For stderr; empty where nothing is to be said.
    bug : bool
        Whether the error was not foreseen.
    """

    code: int
    sentence: str = ""
    bug: bool = False

    @property
    def event(self) -> str:
        """Name of the last event of ``--progress json``."""
        return {0: "done", 130: "cancelled"}.get(self.code, "error")


def guarded(session: Session, action: Callable[[], None]) -> int:
    """Run ``action``; show what went wrong, if anything did.

    Returns
    -------
    int
        The exit code.
    """
    stop, ending = session.stop, Ending(0)
    try:
        stop.listen()
        direct_warnings(session.warn)
        action()
        if sys.stdout is not None:
            sys.stdout.flush()
    except BaseException as error:
        stop.ignore()
        # A library that is being loaded may turn the interrupt into an error of its own.
        end = KeyboardInterrupt() if stop.requested else error
        ending = _left_by_reader(session, end) or ending_of(end, resumable=session.resumable)
        _show_traceback(session, error, ending)
    stop.ignore()
    session.reporter.end(ending.event, ending.sentence, ending.code)
    stop.release()
    return ending.code


def _left_by_reader(session: Session, error: BaseException) -> Ending | None:
    """Help text goes to stdout without us; its reader may leave, as in ``rsclass -h | head``."""
    if isinstance(error, BrokenPipeError) and not session.working:
        leave_stdout()
        return Ending(0)
    return None


def _show_traceback(session: Session, error: BaseException, ending: Ending) -> None:
    if ending.code == 0:
        return
    trace = error if ending.bug else None
    getLogger("rsclass").error("%s", ending.sentence, exc_info=trace, extra={"said": True})
    if ending.bug or session.traceback:
        session.reporter.pause()
        for line in "".join(traceback.format_exception(error)).rstrip().split("\n"):
            session.reporter.line(line)


def ending_of(error: BaseException, *, resumable: bool = False) -> Ending:
    """Exit code and sentence for an error that reached the boundary."""
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return Ending(130, STOPPED + GO_ON if resumable else STOPPED)
    if isinstance(error, RsclassError):
        return Ending(error.exit_code, str(error))
    if isinstance(error, click.exceptions.Exit):
        return Ending(error.exit_code)
    if isinstance(error, click.ClickException):
        return _usage(error)
    return _resources(error) or _libraries(error) or _bug(error)


def _usage(error: click.ClickException) -> Ending:
    sentence = error.message.rstrip(".")
    if isinstance(error, click.NoSuchOption):
        sentence = f"there is no option {error.option_name}"
        if error.possibilities:
            sentence += f". Did you mean {error.possibilities[0]}?"
    elif isinstance(error, click.UsageError):
        sentence = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    where = f" See '{context.command_path} -h'." if context is not None else ""
    full_stop = "" if sentence.endswith("?") else "."
    return Ending(2, f"{sentence[:1].lower()}{sentence[1:]}{full_stop}{where}")


def _resources(error: BaseException) -> Ending | None:
    for cause in _causes(error):
        text = str(cause).lower()
        if isinstance(cause, OSError) and cause.errno in _FULL:
            place = f" ({cause.filename})" if cause.filename else ""
            return Ending(6, f"the disk is full{place}; make room and run it again.")
        if (
            isinstance(cause, MemoryError)
            or "OutOfMemory" in type(cause).__name__
            or any(words in text for words in _NO_MEMORY)
        ):
            return Ending(6, "out of memory; use a smaller --max-mem, --tile or --jobs.")
    return None


def _libraries(error: BaseException) -> Ending | None:
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        if package != "rsclass":
            return Ending(
                2, f"this needs {package}, which is not installed: pip install {package}."
            )
    from_rasterio = type(error).__module__.startswith("rasterio")
    if from_rasterio or "Unknown GDAL Error" in str(error):
        told = "; ".join(dict.fromkeys(str(c).rstrip(".") for c in _causes(error)))
        return Ending(3, f"GDAL could not read or write the data: {told}.")
    return None


def _bug(error: BaseException) -> Ending:
    name = type(error).__name__
    return Ending(
        1,
        f"this is a bug in rsclass ({name}: {error}); please report it with the lines above "
        "and the output of 'rsclass doctor'.",
        bug=True,
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__
