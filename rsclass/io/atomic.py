"""Small files: texts that are read, and anything written whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from rsclass.errors import DataError, OutputExistsError
from rsclass.io.disk import write_failures
from rsclass.io.swap import sync_folder, write_synced


def read_text(path: str | Path, what: str) -> str:
    """The text of a UTF-8 file, with or without a byte-order mark.

    Parameters
    ----------
    what : str
        What the file is to be, for errors: ``the legend``.

    Raises
    ------
    DataError
        There is no such file, or it is no UTF-8.
    """
    try:
        return Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DataError(
            f"{what} {path} cannot be read: {error.strerror or error}.", path=str(path)
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(f"{what} {path} is not UTF-8 text; save it as UTF-8.") from error


def write_bytes(path: str | Path, data: bytes, *, overwrite: bool) -> None:
    """Write ``data`` to ``path`` through a temporary file in the same folder.

    Raises
    ------
    OutputExistsError
        The file exists and ``overwrite`` is false.
    OutputError
        The folder is missing or may not be written.
    DiskFullError
        The disk has no room; what stood at ``path`` is untouched.
    IncompleteOutputError
        What is read back is not ``data``; what stood at ``path`` is untouched.
    """
    path = Path(path)
    if os.path.lexists(path) and not overwrite:
        raise OutputExistsError(f"{path} exists; give --overwrite to replace it.", path=str(path))
    part = path.with_name(f"{path.name}.{uuid4().hex}.part")
    try:
        with write_failures(path, part):
            write_synced(part, data, path)
            part.replace(path)
            sync_folder(path.parent)
    finally:
        # After the rename there is nothing left, and what failed above is what counts.
        with suppress(OSError):
            part.unlink()
