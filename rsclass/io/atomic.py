"""Small files, written whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from rsclass.errors import DiskFullError, OutputError, OutputExistsError


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
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise OutputExistsError(f"{path} exists; give --overwrite to replace it.", path=str(path))
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFullError(
                f"the disk has no room for {path} ({len(data):,} bytes)."
            ) from error
        raise OutputError(
            f"{path} cannot be written: {error.strerror or error}.", path=str(path)
        ) from error
    finally:
        # After the rename there is nothing left to remove.
        part.unlink(missing_ok=True)
