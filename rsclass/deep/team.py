"""Processes that train one network together, started by torchrun; mostly one alone.

Every process holds the training areas and all labels; what is shared is the work: the shards of a
step and the chunks that are labelled are dealt out, and what each has worked out goes to all. So
the weights are the same bits in every process, and the same for any number of them.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor

from rsclass.core.ranks import Ranks
from rsclass.errors import RsclassError

__all__ = ["Team", "TeamError", "packed", "team", "unpacked"]

_PATIENCE = timedelta(minutes=30)


class TeamError(RsclassError):
    """Another process of the team is gone, or computed something else."""


class Team:
    """This process and those that it works with.

    Parameters
    ----------
    ranks : Ranks
    """

    def __init__(self, ranks: Ranks) -> None:
        self.rank, self.size = ranks.rank, ranks.size
        self._store: Any = None
        if self.size == 1:
            return
        master = self.rank == 0 and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True"
        address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
        store = dist.TCPStore(address, port, self.size, master, _PATIENCE)  # type: ignore[attr-defined]
        self._store = dist.PrefixStore("rsclass", store)  # type: ignore[attr-defined]
        # Tensors travel through the processor's memory: a step is long, its gradients are few.
        dist.init_process_group(
            "gloo", store=self._store, rank=self.rank, world_size=self.size, timeout=_PATIENCE
        )
        if torch.cuda.is_available():
            torch.cuda.set_device(ranks.local % torch.cuda.device_count())

    def mine(self, n: int) -> range:
        """Which of ``n`` pieces of work are this process's."""
        return range(self.rank, n, self.size)

    def gathered(self, own: list[Any], n: int) -> list[Any]:
        """What all processes have worked out, in the order of the ``n`` pieces.

        Parameters
        ----------
        own : list
            Of the pieces that are ``mine``; anything that can be pickled.

        Raises
        ------
        TeamError
            A process is gone.
        """
        if self.size == 1:
            return own
        parts: list[Any] = [None] * self.size
        try:
            dist.all_gather_object(parts, own)
        except RuntimeError as error:
            raise TeamError(
                "another process of this training has ended, so this one ends, too; its own words "
                "say why."
            ) from error
        return [parts[piece % self.size][piece // self.size] for piece in range(n)]

    def require_same(self, arrays: Iterable[NDArray[Any]]) -> None:
        """Make sure that all processes hold the same bits.

        Raises
        ------
        TeamError
            They do not.
        """
        if self.size == 1:
            return
        check = 0
        for array in arrays:
            check = zlib.crc32(array.tobytes(), check)
        if len(set(self.gathered([check], self.size))) > 1:
            raise TeamError(
                "the processes of this training computed different weights, as machines of "
                "different kinds do; start it on machines of one kind."
            )

    def close(self) -> None:
        """Part from the others, when all is done."""
        if self.size > 1 and dist.is_initialized():
            dist.destroy_process_group()

    def first_to_fail(self) -> bool:
        """Whether nobody has failed before; who has speaks, and the others end in silence."""
        return self._store is None or self._store.add("failed", 1) == 1


@cache
def team() -> Team:
    """The team of this process, which it joins when this is first called."""
    return Team(Ranks.here())


def packed(tensors: Iterable[Tensor]) -> NDArray[Any]:
    """Tensors as one array, to travel."""
    parts = [tensor.detach().reshape(-1) for tensor in tensors]
    flat: NDArray[Any] = torch.cat(parts).cpu().numpy() if parts else np.empty(0, np.float32)
    return flat


def unpacked(flat: NDArray[Any], like: Iterable[Tensor]) -> tuple[Tensor, ...]:
    """The tensors that were packed, on the devices and of the shapes of ``like``."""
    whole, parts, start = torch.from_numpy(flat), [], 0
    for tensor in like:
        part = whole[start : start + tensor.numel()].reshape(tensor.shape)
        parts.append(part.to(tensor.device))
        start += tensor.numel()
    return tuple(parts)
