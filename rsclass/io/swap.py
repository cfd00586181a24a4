"""Put finished files in the place of old ones: all together or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from rsclass.errors import IncompleteOutputError
from rsclass.io.disk import disk_full, lacks_room

__all__ = ["replace_together", "sync", "sync_folder", "write_synced"]


def write_synced(part: Path, content: bytes, path: Path) -> None:
    """Write a new file, wait until the disk has it, and read it back.

    Parameters
    ----------
    part : Path
        Its temporary name.
    content : bytes
    path : Path
        Its final name, for messages.

    Raises
    ------
    IncompleteOutputError
        What is read back is not ``content``.
    DiskFullError
        The same, for want of room.
    OSError
        The file cannot be written or read.
    """
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if part.read_bytes() != content:
        if lacks_room(None, part):
            raise disk_full(path)
        raise IncompleteOutputError(
            f"{path} was not written: it read back differently from what was sent; try again, on "
            "another disk if it persists.",
            path=str(path),
        )


def sync(path: Path) -> None:
    """Wait until the disk has the file; a full disk may speak up only here."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in ``folder``."""
    if os.name == "nt":  # a folder cannot be opened there
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace_together(
    new: Mapping[Path, Path], stale: Sequence[Path], aside: Mapping[Path, Path]
) -> None:
    """Rename staged files to their final names and remove what they make stale.

    Parameters
    ----------
    new : mapping of final to staged path
        The main file first.
    stale : sequence of Path
        Belongings of the old main file; they leave before the new one comes, so that a power
        loss in between shows a map without a legend and never with a wrong one.
    aside : mapping of old to temporary path
        Where each old file waits until the new ones stand.
    """
    waiting: list[Path] = []
    placed: list[Path] = []
    main = next(iter(new))
    try:
        for old in dict.fromkeys((*stale, *(path for path in new if path != main))):
            if os.path.lexists(old):
                waiting.append(old)
                os.replace(old, aside[old])
        if os.path.lexists(main):
            waiting.append(main)
            _keep(main, aside[main])
        for final, staged in new.items():
            placed.append(final)
            os.replace(staged, final)
        sync_folder(main.parent)
    except BaseException:
        _undo(placed, waiting, aside)
        raise
    for path in waiting:
        aside[path].unlink(missing_ok=True)


def _undo(placed: list[Path], waiting: list[Path], aside: Mapping[Path, Path]) -> None:
    for path in placed:
        if path not in waiting:
            path.unlink(missing_ok=True)
    for path in waiting:
        if os.path.lexists(aside[path]):
            os.replace(aside[path], path)
            aside[path].unlink(missing_ok=True)  # renaming onto a link of itself does nothing


def _keep(path: Path, aside: Path) -> None:
    """Hold on to a file under a second name, without a moment in which the first is missing."""
    try:
        if path.is_symlink():  # whether a link to a link follows it differs between systems
            os.replace(path, aside)
        else:
            os.link(path, aside)
    except OSError:  # FAT and some network file systems have no links
        os.replace(path, aside)
