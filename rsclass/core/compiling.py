"""Loops over pixels as machine code: compiled once, kept on disk, and loaded without delay.

A loop is compiled by numba when it first meets arguments of some types. Its machine code is kept
beside its source, or in the user's folder for caches, and loaded from there without numba.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache, cached_property, update_wrapper
from pathlib import Path
from threading import Lock
from typing import Any

from rsclass.core import native
from rsclass.core.native import Kind

__all__ = ["RUN", "UNROLLED", "Kernel", "compiled", "fused", "loaded"]

UNROLLED = 16
"""Bands up to which a loop of its own is compiled."""

RUN = 256
"""Pixels worked on at once: with their bands they stay in the processor's nearest cache."""

FOLDER_VARIABLE = "NUMBA_CACHE_DIR"
_MAGIC = b"rsclass machine code 1\n"
_making = Lock()


class Kernel:
    """A function that is machine code from its first call on.

    It rounds as its source says (no fast-math: sums keep their order), divides as numpy does, and
    runs outside the GIL. Compiled loops may call one another.

    Parameters
    ----------
    function : callable
        Of arrays and numbers, in what numba knows of Python. It returns a number or nothing.
    fused : bool
        Whether ``a * b + c`` is rounded once instead of twice, where the processor can.
    """

    def __init__(self, function: Callable[..., Any], fused: bool = False) -> None:
        update_wrapper(self, function)
        self._function = function
        self._fused = fused
        self._made: dict[tuple[Kind, ...], Callable[..., Any]] = {}

    def __call__(self, *args: Any) -> Any:
        """What the function returns."""
        kinds = tuple(map(native.kind_of, args))
        made = self._made.get(kinds)
        if made is None:
            with _making:
                made = self._made.get(kinds) or self._make(kinds)
                self._made[kinds] = made
        return made(*args)

    def _make(self, kinds: tuple[Kind, ...]) -> Callable[..., Any]:
        kept = self._kept(kinds)
        code = kept and _read(kept)
        if not code:
            code = native.object_code(self._dispatcher, kinds)
            if kept:
                _write(kept, code)
        return native.link(*code, kinds)

    def _kept(self, kinds: tuple[Kind, ...]) -> Path | None:
        """Where the machine code for arguments of these types is kept."""
        if self.folder is None:
            return None
        told = "\n".join([self._fingerprint, *native.built_with(), *map(repr, kinds)])
        name = f"{self._function.__module__}.{self._function.__qualname__}"
        digest = hashlib.sha256(told.encode()).hexdigest()[:20]
        return Path(self.folder) / re.sub(r"[<>]", "", f"{name}-{digest}.code")

    @cached_property
    def _fingerprint(self) -> str:
        """Changes with the source of the function and of the loops and numbers that it uses."""
        code = self._function.__code__
        cells = [cell.cell_contents for cell in self._function.__closure__ or ()]
        names = [self._function.__globals__.get(name) for name in code.co_names]
        used = [
            value._fingerprint if isinstance(value, Kernel) else repr(value)
            for value in (*cells, *names)
            if isinstance(value, Kernel | int | float)
        ]
        parts = [code.co_code, code.co_consts, code.co_names, code.co_varnames, used, self._fused]
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    @cached_property
    def _dispatcher(self) -> Any:
        import numba

        fast: Any = {"contract"} if self._fused else False
        return numba.njit(nogil=True, error_model="numpy", no_cpython_wrapper=True, fastmath=fast)(
            self._function
        )

    @property
    def _numba_type_(self) -> Any:
        """What numba takes it for where another loop calls it."""
        return self._dispatcher._numba_type_

    @property
    def folder(self) -> str | None:
        """Where its machine code is kept; None where no folder can be written."""
        return _folder(Path(self._function.__code__.co_filename).parent)


def loaded() -> bool:
    """Whether a loop was called before, so that what all of them need is in memory."""
    return native.ready()


def compiled(function: Callable[..., Any]) -> Kernel:
    """The function as machine code."""
    return Kernel(function)


def fused(function: Callable[..., Any]) -> Kernel:
    """The function as machine code in which products may be added before they are rounded."""
    return Kernel(function, fused=True)


@cache
def _folder(beside: Path) -> str | None:
    for folder in _folders(beside):
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return str(folder)
    return None


def _folders(beside: Path) -> Iterator[Path]:
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        yield Path(chosen)
        return
    yield beside / "__pycache__"
    with suppress(RuntimeError):  # there is no home
        home = Path.home()
        yield Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "rsclass"


def _read(path: Path) -> tuple[str, str, bytes] | None:
    """Machine code that was kept; None where there is none that is whole."""
    try:
        kept = path.read_bytes()
    except OSError:
        return None
    head, digest, body = kept[: len(_MAGIC)], kept[len(_MAGIC) :][:32], kept[len(_MAGIC) + 32 :]
    if head != _MAGIC or hashlib.sha256(body).digest() != digest:
        return None
    symbol, returns, code = body.split(b"\n", 2)
    return symbol.decode(), returns.decode(), code


def _write(path: Path, made: tuple[str, str, bytes]) -> None:
    symbol, returns, code = made
    body = b"\n".join([symbol.encode(), returns.encode(), code])
    # A full disk costs the next run its time, not this one its result.
    with suppress(OSError), tempfile.TemporaryDirectory(dir=path.parent) as folder:
        whole = Path(folder) / path.name
        whole.write_bytes(_MAGIC + hashlib.sha256(body).digest() + body)
        whole.replace(path)
