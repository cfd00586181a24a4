"""Room on the disk: asked for before the work, and recognized as the reason of a failed write."""

from __future__ import annotations

import errno
import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rsclass.errors import DiskFullError, OutputError, RsclassError, RsclassWarning

__all__ = ["disk_full", "expect_room", "lacks_room", "write_failures"]

# No file system says "full" in one way; EFBIG is the size limit of a process (ulimit -f).
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DEFLATE_LIMIT = 1032  # DEFLATE cannot shrink anything further than this (RFC 1951, zlib docs)
_PROBE = bytes(2**20)


def expect_room(folder: Path, size: int, what: str) -> None:
    """Warn when ``size`` bytes may not fit into ``folder``.

    Parameters
    ----------
    folder : Path
    size : int
        Bytes before compression.
    what : str
        Name of the output for the message.

    Raises
    ------
    DiskFullError
        Not even the best compression would make it fit.
    """
    free = shutil.disk_usage(folder).free
    if free < size // _DEFLATE_LIMIT:
        raise DiskFullError(
            f"{what} needs up to {_readable(size)}, but {folder} has {_readable(free)} free; "
            "make room or write elsewhere.",
            needed=size,
            free=free,
        )
    if free < size:
        warnings.warn(
            f"{what} takes {_readable(size)} before compression and {folder} has "
            f"{_readable(free)} free; the run stops if the disk fills up.",
            RsclassWarning,
            stacklevel=3,
        )


def lacks_room(error: BaseException | None, part: Path) -> bool:
    """Whether a failed write of ``part`` failed for want of room.

    GDAL loses the error number on its way up, so where none is found in the chain of causes the
    file system is asked again: ``part``, which is lost anyway, is made a MiB longer.
    """
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        error = error.__cause__ or error.__context__
    try:
        with part.open("ab") as file:
            file.write(_PROBE)
            file.flush()
            os.fsync(file.fileno())
    except OSError as problem:
        return problem.errno in _FULL
    return False


@contextmanager
def write_failures(
    path: Path, part: Path, kinds: tuple[type[Exception], ...] = (OSError,)
) -> Iterator[None]:
    """Say in rsclass's own errors why a write failed.

    Parameters
    ----------
    path : Path
        The output, for the message.
    part : Path
        The file that was being written; lost when the write failed.
    kinds : tuple of exception types
        What counts as a failed write.

    Raises
    ------
    DiskFullError
        There was no room.
    OutputError
        Any other of ``kinds``.
    """
    try:
        yield
    except RsclassError:
        raise
    except kinds as error:
        if lacks_room(error, part):
            raise disk_full(path) from error
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"{path} cannot be written: {reason}.", path=str(path)) from error


def disk_full(path: Path) -> DiskFullError:
    """The error that ``path`` did not fit."""
    return DiskFullError(
        f"the disk was full before {path} was complete; nothing of it was kept. "
        "Make room or write elsewhere.",
        path=str(path),
    )


def _readable(size: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"
