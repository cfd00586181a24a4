"""Where trainings leave their state after every epoch, for whoever wants to go on from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from numpy.typing import NDArray

__all__ = ["Keeper", "State", "keeper", "keeping"]

State = tuple[Mapping[str, Any], Mapping[str, NDArray[Any]]]
"""A JSON-able card and named arrays."""


class Keeper(Protocol):
    """Keeps what a fit has learned so far; it may hold several trainings, one after the other."""

    def begin(self) -> State | None:
        """The next training of the fit begins; its state when an earlier fit was stopped."""
        ...

    def keep(self, state: State) -> None:
        """The state of the training that began last, after one more epoch."""
        ...


_keeper: ContextVar[Keeper | None] = ContextVar("rsclass_keeper", default=None)


@contextmanager
def keeping(wanted: Keeper | None) -> Iterator[None]:
    """Let ``wanted`` keep the trainings of this thread."""
    token = _keeper.set(wanted)
    try:
        yield
    finally:
        _keeper.reset(token)


def keeper() -> Keeper | None:
    """Who keeps the trainings of this thread; None: nobody."""
    return _keeper.get()
