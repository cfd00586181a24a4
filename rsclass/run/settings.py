"""How a run uses the machine; nothing here changes the result."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

GIB = 2**30


@dataclass(frozen=True, slots=True)
class Running:
    """How a run uses the machine.

    Parameters
    ----------
    jobs : int or None
        Worker threads; None: one for each core.
    max_mem : int
        Bytes that the process may occupy.
    tile : int
        Side of a tile in pixels.
    device : str
        ``auto``, ``cpu`` or ``cuda`` (networks only).
    scheduler : str or None
        Address of a Dask scheduler (``tcp://host:port``).
    progress : callable (done, total, message) or None
        Told how far the work is; an exception that it raises stops the run.
    """

    jobs: int | None = None
    max_mem: int = 2 * GIB
    tile: int = 1024
    device: str = "auto"
    scheduler: str | None = None
    progress: Callable[[float, float, str], None] | None = None

    @property
    def workers(self) -> int:
        """Threads to use."""
        return self.jobs or len(os.sched_getaffinity(0))
