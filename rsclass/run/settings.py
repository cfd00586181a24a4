"""How a run uses the machine; only device and precision may change the result."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from rsclass.errors import UsageError

GIB = 2**30
DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("auto", "float32", "bf16")


@dataclass(frozen=True, slots=True)
class Running:
    """How a run uses the machine.

    Parameters
    ----------
    jobs : int or None
        Worker threads; None or -1: one for each core.
    max_mem : int
        Bytes that the process may occupy.
    tile : int
        Side of a tile in pixels.
    device : str
        ``auto``, ``cpu`` or ``cuda``; ``auto`` lets a graphics processor compute networks alone.
    precision : str
        ``auto``, ``float32`` or ``bf16``: the numbers that networks are trained in; ``auto`` is
        bfloat16 on a graphics processor.
    scheduler : str or None
        Address of a Dask scheduler (``tcp://host:port``).
    progress : callable (done, total, message) or None
        Told how far the work is; an exception that it raises stops the run.

    Raises
    ------
    UsageError
        ``jobs``, ``max_mem`` or ``tile`` is no such number, or the device is unknown.
    """

    jobs: int | None = None
    max_mem: int = 2 * GIB
    tile: int = 512
    device: str = "auto"
    scheduler: str | None = None
    progress: Callable[[float, float, str], None] | None = None
    precision: str = "auto"

    def __post_init__(self) -> None:
        if self.jobs is not None and self.jobs != -1 and not _counts(self.jobs):
            raise UsageError(
                f"jobs is {self.jobs!r}; it must be 1 or more, or -1 or None for every core."
            )
        for name in ("max_mem", "tile"):
            if not _counts(getattr(self, name)):
                raise UsageError(
                    f"{name} is {getattr(self, name)!r}; it must be a whole number of 1 or more."
                )
        if self.device not in DEVICES:
            raise UsageError(f"device is {self.device!r}; choose one of {', '.join(DEVICES)}.")
        if self.precision not in PRECISIONS:
            raise UsageError(
                f"precision is {self.precision!r}; choose one of {', '.join(PRECISIONS)}."
            )

    @property
    def workers(self) -> int:
        """Threads to use."""
        if self.jobs is None or self.jobs == -1:
            return len(os.sched_getaffinity(0))
        return self.jobs


def _counts(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, Integral) and int(value) >= 1
