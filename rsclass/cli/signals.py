"""Being stopped: Ctrl-C, SIGTERM, or the end of stdin from the program that started rsclass."""

from __future__ import annotations

import _thread
import atexit
import logging
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from types import FrameType
from typing import Any, NoReturn

__all__ = ["STDIN_VARIABLE", "Stop", "leave", "leave_at_once"]

STDIN_VARIABLE = "RSCLASS_STOP_ON_STDIN_EOF"

PATIENCE = 1.0
"""Seconds that a library may keep an orphan from ending, in a loop that knows no interrupts."""

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


class Stop:
    """Whether somebody wants the run to end.

    The first request raises KeyboardInterrupt in the main thread, whichever way it came, so that
    every ``finally`` is run. Later ones are ignored: they would only interrupt the clean-up.
    """

    def __init__(self) -> None:
        self.requested = False
        self._over = False
        self._before: dict[int, Any] = {}

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        if not self._over and not self.requested:
            self.requested = True
            raise KeyboardInterrupt

    def listen(self) -> None:
        """Take over the signals that ask a program to end; in the main thread only.

        A signal that the caller's shell ignores (``nohup``, ``&`` in a script) stays ignored.
        """
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (getattr(signal, name) for name in _NAMES if hasattr(signal, name)):
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self)
        if os.environ.get(STDIN_VARIABLE) == "1":
            threading.Thread(target=_wait_for_eof, daemon=True).start()

    def check(self) -> None:
        """Raise KeyboardInterrupt if a request was made and got lost in a callback."""
        if self.requested:
            raise KeyboardInterrupt

    def ignore(self) -> None:
        """The work is over; what is left takes no time and must not be cut short."""
        self._over = True

    def release(self) -> None:
        """Give the signals back; after a request they have no effect any more.

        Python resets its own handlers while it ends, and a second Ctrl-C would then kill it.
        """
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_IGN if self.requested else handler)
        self._before.clear()


def leave(code: int) -> NoReturn:
    """End the process of a finished run, after what others registered to be done at the end.

    To take down the libraries too takes Python a quarter of a second, and frees nothing that the
    system does not free anyway.
    """
    atexit._run_exitfuncs()
    leave_at_once(code)


def leave_at_once(code: int) -> NoReturn:
    """End the process of a stopped run; everything is cleaned up.

    Taking down the libraries takes Python a second or more, and who stops a run waits for it.
    """
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with suppress(OSError, ValueError):  # closed, or nobody reads it any more
                stream.flush()
    os._exit(code)


def _wait_for_eof() -> None:
    with suppress(OSError):  # a closed stdin is at its end, too
        # The descriptor itself: a reader inside sys.stdin would block the interpreter's end.
        while os.read(0, 4096):
            continue
    if os.name == "posix":
        os.kill(os.getpid(), signal.SIGTERM)
    else:
        _thread.interrupt_main(signal.SIGTERM)
    time.sleep(PATIENCE)
    places = sys.modules.get("rsclass.io.target")
    if places is not None:
        with suppress(OSError):  # the files stay, then; but nobody waits for an orphan
            places.abandon()
    os._exit(130)
