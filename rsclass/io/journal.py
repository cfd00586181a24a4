"""Finished pieces of a run that may be interrupted, kept until it is resumed.

A journal is one file that only grows. It opens with a line that names the run's settings by their
SHA-256; then follow records, one for each finished piece::

    magic  length of the payload  CRC-32 of the payload      (4 bytes each, little-endian)
    payload: length of the heading (4 bytes), heading (JSON), pixels (zlib)

A record counts only if its CRC is right, so that neither a torn end nor a flipped bit does harm.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from rsclass.core.types import Window
from rsclass.errors import DiskFullError, OutputError, RsclassWarning
from rsclass.io.disk import lacks_room

__all__ = ["Journal"]

_TITLE = b"rsclass journal 1 "
_MAGIC = b"RSCJ"
_FRAME = struct.Struct("<4sII")
_LENGTH = struct.Struct("<I")


class Journal:
    """Pieces that are finished and need not be computed again. Open one with :meth:`open`.

    :meth:`add` may be called from several threads.
    """

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self._file = file
        self._turn = threading.Lock()

    @classmethod
    def open(cls, path: str | os.PathLike[str], config: str, resume: bool) -> Journal:
        """Open the journal of a run.

        Parameters
        ----------
        path : path
        config : str
            All that the pieces depend on: scene, model, options, and how the scene is cut.
        resume : bool
            Keep the pieces of an earlier run with the same ``config``; otherwise start empty.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        path = Path(path)
        title = _TITLE + hashlib.sha256(config.encode()).hexdigest().encode() + b"\n"
        try:
            end = _sound_end(path, title) if resume else 0
            file = path.open("r+b" if end else "w+b")
            try:
                if end:
                    file.truncate(end)
                    file.seek(end)
                else:
                    file.write(title)
                    file.flush()
            except BaseException:
                file.close()
                raise
        except OSError as error:
            raise _failure(path, error) from error
        return cls(path, file)

    def pieces(self) -> Iterator[tuple[Window, dict[str, NDArray[Any]]]]:
        """The sound pieces, each window once, in the order in which they were added.

        Yields
        ------
        window : Window
        layers : dict of str to array
        """
        for window, place in self.places().items():
            yield window, self.piece(place)

    def places(self) -> dict[Window, int]:
        """Where each sound piece begins, for :meth:`piece`; the first of each window counts."""
        with self._turn:
            end = self._file.tell()
        found: dict[Window, int] = {}
        with self.path.open("rb") as file:
            file.readline()
            while (start := file.tell()) < end:
                payload = _payload(file)
                if payload is not None:
                    found.setdefault(_heading(payload)[0], start)
        return found

    def piece(self, place: int) -> dict[str, NDArray[Any]]:
        """The layers of the piece that begins at ``place``."""
        with self.path.open("rb") as file:
            file.seek(place)
            payload = _payload(file)
        if payload is None:
            raise OutputError(f"{self.path} was changed by another program.", path=str(self.path))
        return _unpack(payload)[1]

    def add(self, window: Window, layers: Mapping[str, NDArray[Any]]) -> None:
        """Keep a finished piece.

        Raises
        ------
        DiskFullError, OutputError
        """
        payload = _pack(window, layers)
        with self._turn:
            start = self._file.tell()
            try:
                self._file.write(_FRAME.pack(_MAGIC, len(payload), zlib.crc32(payload)))
                self._file.write(payload)
                self._file.flush()
            except OSError as error:
                raise _failure(self.path, error) from error
            except BaseException:
                # An interrupt in between leaves half a record; the next one takes its place.
                self._file.seek(start)
                raise

    def discard(self) -> None:
        """Close and remove the journal: its pieces have reached the output."""
        self.close()
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the journal and keep it for a later run."""
        # What could not be flushed was reported by ``add``.
        with contextlib.suppress(OSError):
            self._file.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _sound_end(path: Path, title: bytes) -> int:
    """Where the last whole record of a journal with this title ends; 0 where there is none."""
    if not path.exists():
        return 0
    with path.open("rb") as file:
        found = file.readline()
        if found != title:
            warnings.warn(
                f"{path.name} is of a run with other settings; its pieces are not used.",
                RsclassWarning,
                stacklevel=3,
            )
            return 0
        size = os.fstat(file.fileno()).st_size
        end = file.tell()
        while end < size:
            frame = file.read(_FRAME.size)
            if len(frame) < _FRAME.size:
                break
            magic, length, _ = _FRAME.unpack(frame)
            if magic != _MAGIC or file.tell() + length > size:
                break
            end = file.seek(length, os.SEEK_CUR)
    return end


def _payload(file: BinaryIO) -> bytes | None:
    """The next record's payload; None where its CRC is wrong."""
    _, length, crc = _FRAME.unpack(file.read(_FRAME.size))
    payload = file.read(length)
    return payload if zlib.crc32(payload) == crc else None


def _pack(window: Window, layers: Mapping[str, NDArray[Any]]) -> bytes:
    heading = json.dumps(
        {
            "window": list(window),
            "layers": [[name, a.dtype.str, list(a.shape)] for name, a in layers.items()],
        }
    ).encode()
    pixels = b"".join(np.ascontiguousarray(a).tobytes() for a in layers.values())
    return _LENGTH.pack(len(heading)) + heading + zlib.compress(pixels, 1)


def _heading(payload: bytes) -> tuple[Window, list[Any], int]:
    """Window and layers of a piece, and where its pixels begin."""
    (length,) = _LENGTH.unpack_from(payload)
    start = _LENGTH.size + length
    heading = json.loads(payload[_LENGTH.size : start])
    return Window(*heading["window"]), heading["layers"], start


def _unpack(payload: bytes) -> tuple[Window, dict[str, NDArray[Any]]]:
    window, described, start = _heading(payload)
    pixels = zlib.decompress(payload[start:])
    layers: dict[str, NDArray[Any]] = {}
    at = 0
    for name, kind, shape in described:
        dtype = np.dtype(kind)
        n = int(np.prod(shape, dtype=np.int64))
        layers[name] = np.frombuffer(pixels, dtype, n, at).reshape(shape).copy()
        at += n * dtype.itemsize
    return window, layers


def _failure(path: Path, error: OSError) -> OutputError | DiskFullError:
    if lacks_room(error, path):
        return DiskFullError(f"the disk has no room for {path}; make room and add --resume.")
    return OutputError(f"{path} cannot be written: {error.strerror or error}.", path=str(path))
