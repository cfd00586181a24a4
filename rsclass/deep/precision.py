"""In which numbers a network is trained: float32, or bfloat16 where products allow it.

bfloat16 keeps the range of float32 and three digits; weights, statistics and losses stay in
float32 (Micikevicius et al. 2018, Mixed Precision Training, ICLR, arXiv:1710.03740; with bfloat16
Kalamkar et al. 2019, arXiv:1905.12322). A network so trained is another one: its classes agree with
those of float32 about as those of another seed do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["Precision", "trained_in"]

_asked: ContextVar[str] = ContextVar("rsclass_precision", default="auto")


@contextmanager
def trained_in(name: str) -> Iterator[None]:
    """Train networks of this thread in ``auto``, ``float32`` or ``bf16``."""
    token = _asked.set(name)
    try:
        yield
    finally:
        _asked.reset(token)


class Precision:
    """The numbers of one training, to be entered in each thread.

    Parameters
    ----------
    device : torch.device
    name : str or None
        ``auto``: bfloat16 on a graphics processor that computes with it, else float32. None: as
        this thread was told by :func:`trained_in`.
    """

    def __init__(self, device: torch.device, name: str | None = None) -> None:
        import torch

        name = name or _asked.get()
        able = device.type == "cuda" and torch.cuda.is_bf16_supported()
        self.mixed = name == "bf16" or (name == "auto" and able)
        self._context = torch.autocast
        self._kind, self._dtype = device.type, torch.bfloat16

    def __call__(self) -> AbstractContextManager[object]:
        """For a forward pass and its loss."""
        return self._context(self._kind, self._dtype) if self.mixed else nullcontext()
