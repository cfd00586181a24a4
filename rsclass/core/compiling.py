"""Loops over pixels as machine code: compiled once, kept on disk, and loaded without delay.

To load a compiled loop, numba first declares all that it could compile, scipy's linear algebra
included, which takes several times as long as the loop itself. Only a loop that has to be compiled
needs that. Nothing of numba is imported before a loop is called.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache, update_wrapper
from threading import Lock
from typing import Any

__all__ = ["Kernel", "compiled", "load", "loaded"]

_making = Lock()
_INNER = ("_guard_against_spurious_io_errors", "_load_overload")


class Kernel:
    """A function that is machine code from its first call on.

    It rounds as its source says (no fast-math: sums keep their order), divides as numpy does, and
    runs outside the GIL. Compiled loops may call one another.

    Parameters
    ----------
    function : callable
        Of arrays and numbers, in what numba knows of Python.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        update_wrapper(self, function)
        self._function = function
        self._made: Any = None

    def __call__(self, *args: Any) -> Any:
        """What the function returns."""
        return self._dispatcher(*args)

    @property
    def _dispatcher(self) -> Any:
        if self._made is None:
            with _making:
                if self._made is None:
                    self._made = _dispatcher_of(self._function)
        return self._made

    @property
    def _numba_type_(self) -> Any:
        """What numba takes it for where another loop calls it."""
        return self._dispatcher._numba_type_

    @property
    def folder(self) -> str | None:
        """Where its machine code is kept; None where no folder can be written."""
        path: str | None = self._dispatcher.stats.cache_path
        return path


def loaded() -> bool:
    """Whether a loop was called before, or :func:`load`."""
    return _light_cache.cache_info().currsize > 0


def load() -> None:
    """Do now what the first call of a loop would do: load all that machine code needs."""
    from numba.core.registry import cpu_target
    from numba.core.runtime import rtsys

    with _making:
        _light_cache()
        rtsys.initialize(cpu_target.target_context)


def compiled(function: Callable[..., Any]) -> Kernel:
    """The function as machine code."""
    return Kernel(function)


def _dispatcher_of(function: Callable[..., Any]) -> Any:
    import numba

    dispatcher = numba.njit(nogil=True, error_model="numpy")(function)
    # An error says that neither the package's folder nor the user's can be written.
    with suppress(RuntimeError):
        dispatcher._cache = _light_cache()(function)
    return dispatcher


@cache
def _light_cache() -> Any:
    from numba.core.caching import FunctionCache
    from numba.core.runtime import rtsys

    if not all(hasattr(FunctionCache, name) for name in _INNER):
        return FunctionCache  # of another numba, which loads as well, only later

    class LightCache(FunctionCache):  # type: ignore[misc]
        """Loads machine code without declaring what is needed to compile some."""

        def load_overload(self, sig: Any, target_context: Any) -> Any:
            rtsys.initialize(target_context)
            with self._guard_against_spurious_io_errors():
                return self._load_overload(sig, target_context)

    return LightCache
