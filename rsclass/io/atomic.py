"""Small files, written whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from rsclass.errors import OutputExistsError
from rsclass.io.disk import write_failures
from rsclass.io.swap import sync_folder, write_synced


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
