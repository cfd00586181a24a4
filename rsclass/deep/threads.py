"""One torch thread per worker: sums inside an operator then have one order, on every machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["choose_device", "one_thread"]


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread for what this thread asks of it.

    With OpenMP the number is each thread's own: what one gives back changes nothing for others.
    """
    # Asked first: a thread that only sets it would start later from the number set last anywhere.
    before = torch.get_num_threads()
    if before != 1:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if before != 1:
            torch.set_num_threads(before)


def choose_device(name: str) -> torch.device:
    """The device of that name; the processor where ``auto`` or ``cuda`` finds no accelerator."""
    wants = name in ("auto", "cuda")
    return torch.device("cuda" if wants and torch.cuda.is_available() else "cpu")
