"""Being stopped: Ctrl-C, SIGTERM, or the end of stdin from the program that started rsclass."""

from __future__ import annotations

import _thread
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

__all__ = ["Stop", "stoppable"]

STDIN_VARIABLE = "RSCLASS_STOP_ON_STDIN_EOF"

PATIENCE = 30
"""Seconds that an orphan may take to clean up before it ends without."""

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


class Stop:
    """Whether somebody wants the run to end.

    The first request raises KeyboardInterrupt in the main thread, whichever way it came, so that
    every ``finally`` is run. Later ones are ignored: they would only interrupt the clean-up.
    """

    def __init__(self) -> None:
        self.requested = False
        self._over = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        if self._over or self.requested:
            return
        self.requested = True
        raise KeyboardInterrupt

    def check(self) -> None:
        """Raise KeyboardInterrupt if a request was made and got lost in a callback."""
        if self.requested:
            raise KeyboardInterrupt

    def ignore(self) -> None:
        """The work is over; what is left takes no time and must not be cut short."""
        self._over = True


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Turn the signals that ask a program to end into KeyboardInterrupt.

    A signal that the caller's shell ignores (``nohup``, ``&`` in a script) stays ignored. After a
    request the handlers stay, because threads may still be ending when this returns.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before: dict[int, Any] = {}
    for number in (getattr(signal, name) for name in _NAMES if hasattr(signal, name)):
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, stop)
    if os.environ.get(STDIN_VARIABLE) == "1":
        threading.Thread(target=_wait_for_eof, daemon=True).start()
    try:
        yield stop
    finally:
        if not stop.requested:
            for number, handler in before.items():
                signal.signal(number, handler)


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
    os._exit(130)
