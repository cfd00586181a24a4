"""An ordered map over any executor, with back-pressure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import Any, TypeVar

R = TypeVar("R")


def ordered_map(
    executor: Executor | None,
    function: Callable[..., R],
    items: Iterable[Any],
    ahead: int,
) -> Iterator[R]:
    """Yield ``function(item)`` in the order of ``items``, with at most ``ahead`` of them under way.

    An error, or the caller leaving early, cancels whatever has not begun and waits for the rest.

    Parameters
    ----------
    executor : Executor or None
        None works in the calling thread.
    """
    if executor is None:
        for item in items:
            yield function(item)
        return
    pending: deque[Future[R]] = deque()
    try:
        for item in items:
            pending.append(executor.submit(function, item))
            if len(pending) >= ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()
        for future in pending:
            if not future.cancelled():
                # The first error is already on its way; a second one would only hide it.
                future.exception()
