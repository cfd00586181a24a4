"""SHA-256 of files, which may begin before anything else is loaded."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from contextlib import suppress

__all__ = ["begin", "on_the_side", "sha256_of"]

_LOW_PRIORITY = 15
_PIECE = 4 << 20  # bytes: the interpreter's lock is asked for between pieces, and others hold it
_Stamp = tuple[int, int, int]
_begun: dict[str, tuple[_Stamp, Future[str]]] = {}


def begin(paths: Iterable[str]) -> None:
    """Work out the sums of those paths that are files while other things are done."""
    tasks: dict[str, Future[str]] = {}
    for path in paths:
        with suppress(OSError, ValueError):  # it is told when the file is opened
            real = os.path.realpath(path)
            if os.path.isfile(real):
                tasks[real] = Future()
                _begun[real] = _stamp(real), tasks[real]
    # A daemon: a run that is stopped does not wait for it.
    threading.Thread(target=_work, args=(tasks,), daemon=True).start()


def sha256_of(files: Iterable[str]) -> dict[str, str]:
    """SHA-256 of every file as it is now."""
    return {file: _sum(file) for file in files}


def on_the_side() -> None:
    """Give the calling thread only the time that others leave, where threads have a priority."""
    with suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOW_PRIORITY)


def _sum(file: str) -> str:
    real = os.path.realpath(file)
    begun = _begun.get(real)
    if begun is not None:
        told = begun[1].result()
        if _stamp(real) == begun[0]:
            return told
    return _digest(real)


def _work(tasks: Mapping[str, Future[str]]) -> None:
    on_the_side()
    for real, future in tasks.items():
        try:
            future.set_result(_digest(real))
        except Exception as error:
            future.set_exception(error)


def _digest(real: str) -> str:
    whole, piece = hashlib.sha256(), memoryview(bytearray(_PIECE))
    with open(real, "rb", buffering=0) as stream:
        while read := stream.readinto(piece):
            whole.update(piece[:read])
    return whole.hexdigest()


def _stamp(real: str) -> _Stamp:
    stat = os.stat(real)
    return stat.st_size, stat.st_mtime_ns, stat.st_ino
