"""Which of several processes this one is, as torchrun tells it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple, Self

__all__ = ["Ranks"]


class Ranks(NamedTuple):
    """The number of this process and of all.

    Parameters
    ----------
    rank : int
        From 0; that one writes and speaks.
    size : int
        Processes that work together.
    local : int
        Number of this process on its own machine, from 0.
    """

    rank: int = 0
    size: int = 1
    local: int = 0

    @classmethod
    def here(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """As torchrun set the environment; one alone without it."""
        if "TORCHELASTIC_RUN_ID" not in environment:
            return cls()
        return cls(*(int(environment[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK")))

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes and speaks."""
        return self.rank == 0
