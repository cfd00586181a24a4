"""The log of hand edits beside a map: JSON lines that suffice to repeat and to take back each edit.

Each edit is a line that says where it came from, then a line for each feature with its shape, and
a line for each block of the map with the values that its changed pixels had before.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from rsclass.core.legend import Legend
from rsclass.core.types import Labels, Window
from rsclass.errors import DataError
from rsclass.io.target import EDIT_LOG, belonging
from rsclass.io.vectors import Features

__all__ = [
    "ChangedBlock",
    "EditLog",
    "EditedFeature",
    "LoggedEdit",
    "log_file",
    "read_edit_log",
]

FORMAT = "rsclass-edits"
FORMAT_VERSION = 1

_STORED = np.dtype("<u2")
_EFFORT = 1  # of zlib; more makes it ten times slower and the log a fifth smaller


@dataclass(frozen=True)
class EditedFeature:
    """One feature and what it changed.

    Parameters
    ----------
    id : int
        In its file.
    label : str
        As the file has it.
    value : int
        That its pixels got.
    only : tuple of int or None
        Values that they had to have.
    owned : int
        Pixels that belong to it.
    moves : dict of int to int
        Changed pixels by the value that they had.
    geometry : shapely geometry
        In the CRS of the map.
    """

    id: int
    label: str
    value: int
    only: tuple[int, ...] | None
    owned: int
    moves: Mapping[int, int]
    geometry: Any

    @property
    def changed(self) -> int:
        """Pixels that got another value."""
        return sum(self.moves.values())


@dataclass(frozen=True)
class ChangedBlock:
    """A block of a map of which pixels were changed.

    Parameters
    ----------
    window : Window
    crc32 : int
        Of its values after the edit, as 16 bits in little-endian order.
    before : bytes
        One more than the old value of each changed pixel and 0 for the others: all lower bytes,
        then all upper ones, packed by zlib.
    """

    window: Window
    crc32: int
    before: bytes

    @classmethod
    def of(cls, window: Window, old: Labels, new: Labels) -> ChangedBlock:
        """From the values before and after."""
        before = np.where(old != new, old + 1, 0).astype(_STORED)
        halves = before.reshape(-1, 1).view(np.uint8).T
        return cls(window, _crc32(new), zlib.compress(halves.tobytes(), _EFFORT))

    def restored(self, values: Labels) -> Labels:
        """The values before the edit.

        Raises
        ------
        DataError
            These are not the values after it.
        """
        if _crc32(values) != self.crc32:
            raise DataError(
                f"the map was changed after the edit ({self.window}), so the edit cannot be taken "
                "back; use the map as 'rsclass edit' wrote it."
            )
        old = self._old().astype(np.int32)
        restored: Labels = np.where(old > 0, old - 1, values)
        return restored

    def _old(self) -> NDArray[Any]:
        size = self.window.pixels * _STORED.itemsize
        unpacker = zlib.decompressobj()
        try:
            raw = unpacker.decompress(self.before, size + 1)
        except zlib.error as error:
            raise DataError(f"the edit log is damaged at {self.window}: {error}.") from error
        if len(raw) != size:
            raise DataError(f"the edit log is damaged at {self.window}: its size is wrong.")
        halves = np.frombuffer(raw, np.uint8).reshape(2, -1)
        old = np.ascontiguousarray(halves.T).view(_STORED)
        return old.reshape(self.window.height, self.window.width)


def _crc32(values: Labels) -> int:
    return zlib.crc32(np.ascontiguousarray(values.astype(_STORED)).data)


@dataclass(frozen=True)
class LoggedEdit:
    """One edit of a map.

    Parameters
    ----------
    facts : dict
        ``created``, ``polygons`` (path), ``sha256``, ``layer``, ``field``, ``fill``,
        ``contested`` (pixels), ``crs`` (of the shapes).
    before, after : Legend
        Of the map.
    features : tuple of EditedFeature
    blocks : tuple of ChangedBlock
    """

    facts: dict[str, Any]
    before: Legend
    after: Legend
    features: tuple[EditedFeature, ...]
    blocks: tuple[ChangedBlock, ...]

    def placed(self) -> Features:
        """Its features, to be burnt again; their labels are the names of their classes."""
        names = dict(zip(self.after.values, self.after.names, strict=True))
        return Features(
            str(self.facts["polygons"]),
            str(self.facts["layer"]),
            self.facts["field"],
            tuple(feature.geometry for feature in self.features),
            tuple(names[feature.value] for feature in self.features),
            tuple(feature.id for feature in self.features),
        )

    def rows(self) -> Iterator[dict[str, Any]]:
        """As JSON-able values, one line each."""
        yield {
            "edit": self.facts,
            "before": self.before.to_rows(),
            "after": self.after.to_rows(),
            "features": len(self.features),
            "blocks": len(self.blocks),
        }
        for feature in self.features:
            yield {
                "feature": feature.id,
                "label": feature.label,
                "value": feature.value,
                "only": None if feature.only is None else list(feature.only),
                "owned": feature.owned,
                "moves": [[old, pixels] for old, pixels in sorted(feature.moves.items())],
                "shape": shapely.to_wkb(feature.geometry, hex=True, byte_order=1),
            }
        for block in self.blocks:
            yield {
                "block": list(block.window),
                "crc32": block.crc32,
                "before": base64.b64encode(block.before).decode("ascii"),
            }


@dataclass(frozen=True)
class EditLog:
    """All edits of a map, the oldest first."""

    edits: tuple[LoggedEdit, ...] = ()

    def to_bytes(self) -> bytes:
        """As JSON lines."""
        return b"".join(self._lines(self.edits))

    def digest(self) -> str:
        """SHA-256 of all but the times at which it was written."""
        timeless = [
            replace(
                edit, facts={key: value for key, value in edit.facts.items() if key != "created"}
            )
            for edit in self.edits
        ]
        digest = hashlib.sha256()
        for line in self._lines(timeless):
            digest.update(line)
        return digest.hexdigest()

    def _lines(self, edits: Iterable[LoggedEdit]) -> Iterator[bytes]:
        head = {"format": FORMAT, "format_version": FORMAT_VERSION}
        for row in chain([head], *(edit.rows() for edit in edits)):
            yield json.dumps(row, ensure_ascii=True).encode() + b"\n"

    @classmethod
    def from_bytes(cls, content: bytes, source: str) -> EditLog:
        """Read what :meth:`to_bytes` writes.

        Raises
        ------
        DataError
            It is no edit log, damaged or too new.
        """
        try:
            rows = [json.loads(line) for line in content.decode("utf-8-sig").splitlines() if line]
        except (ValueError, RecursionError) as error:
            raise DataError(f"{source} is no readable edit log: {error}.") from error
        head = rows[0] if rows and isinstance(rows[0], dict) else {}
        if head.get("format") != FORMAT:
            raise DataError(f'{source} is no edit log: it does not begin with "{FORMAT}".')
        if head.get("format_version") != FORMAT_VERSION:
            raise DataError(
                f"{source} has format version {head.get('format_version')}, this rsclass reads "
                f"{FORMAT_VERSION}; update rsclass."
            )
        edits, at = [], 1
        try:
            while at < len(rows):
                row = rows[at]
                n_features, n_blocks = int(row["features"]), int(row["blocks"])
                end = at + 1 + n_features + n_blocks
                if min(n_features, n_blocks) < 0 or end > len(rows):
                    raise DataError(f"{source} is cut off: an edit is not complete.")
                edits.append(
                    _edit(row, rows[at + 1 : at + 1 + n_features], rows[end - n_blocks : end])
                )
                at = end
        except (KeyError, TypeError, ValueError, binascii.Error, shapely.GEOSException) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(f"{source} is damaged: {type(error).__name__} {error}.") from error
        return cls(tuple(edits))


def _edit(
    head: Mapping[str, Any],
    features: Sequence[Mapping[str, Any]],
    blocks: Sequence[Mapping[str, Any]],
) -> LoggedEdit:
    return LoggedEdit(
        dict(head["edit"]),
        Legend.from_rows(head["before"], "the edit log"),
        Legend.from_rows(head["after"], "the edit log"),
        tuple(_feature(row) for row in features),
        tuple(_block(row) for row in blocks),
    )


def _feature(row: Mapping[str, Any]) -> EditedFeature:
    only = row["only"]
    return EditedFeature(
        int(row["feature"]),
        str(row["label"]),
        int(row["value"]),
        None if only is None else tuple(int(value) for value in only),
        int(row["owned"]),
        {int(old): int(pixels) for old, pixels in row["moves"]},
        shapely.from_wkb(row["shape"]),
    )


def _block(row: Mapping[str, Any]) -> ChangedBlock:
    window = Window(*(int(number) for number in row["block"]))
    return ChangedBlock(window, int(row["crc32"]), base64.b64decode(row["before"], validate=True))


def log_file(path: str | Path) -> Path:
    """The log that belongs to a map, or the log itself."""
    given = Path(path)
    return given if given.suffix.lower() == ".jsonl" else belonging(given, EDIT_LOG)


def read_edit_log(path: str | Path) -> EditLog:
    """The log beside a map, or the one given itself.

    Raises
    ------
    DataError
        There is none, or it is damaged.
    """
    file = log_file(path)
    try:
        content = file.read_bytes()
    except FileNotFoundError as error:
        raise DataError(
            f"there is no edit log {file}; only a map that 'rsclass edit' wrote has one beside it."
        ) from error
    except OSError as error:
        raise DataError(
            f"the edit log {file} cannot be read ({error.strerror or error}); check what "
            "stands there."
        ) from error
    return EditLog.from_bytes(content, str(file))
