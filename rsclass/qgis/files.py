"""Files that are made in one place and belong in another."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress

__all__ = ["put_in_place"]

_STALE = (".aux.xml", ".ovr", ".msk")


def put_in_place(made: str, place: str) -> None:
    """Bring a file to its place, which it takes all at once, with no leftovers of another."""
    part = f"{place}.{os.getpid()}.part"
    shutil.move(made, part)
    os.replace(part, place)
    for ending in _STALE:
        with suppress(FileNotFoundError):
            os.remove(place + ending)
