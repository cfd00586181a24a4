"""Arrays in memory as a stream of pixels, and the way from anything readable to a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.grid import canonical_side, split
from rsclass.core.magnitude import limit_passed
from rsclass.core.rows import RowSums
from rsclass.core.sampling import place_keys
from rsclass.core.types import Band, Block, Float, Mask, Sample, T, Window
from rsclass.errors import DataError, NoValidPixelsError, UsageError

Workers = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]

TABLE_BLOCK = 2**16
"""Pixels of a table over which sums are formed."""


class ArrayStream:
    """An image or a pixel table in memory, seen as a scene.

    Parameters
    ----------
    values : array (bands, height, width)
        Not finite, or masked in a numpy masked array, means invalid.
    valid : bool array (height, width), optional
    bands : sequence of Band, optional
    is_table : bool
        The image is a pixel table, one pixel wide.
    workers : callable (function, items), optional
        An ordered map, to add up blocks in threads.

    Raises
    ------
    UsageError
        The array is no image of real numbers, or is a table with masked values.
    DataError
        Valid values are too large for statistics.
    """

    def __init__(
        self,
        values: NDArray[Any],
        valid: Mask | None = None,
        bands: Sequence[Band] | None = None,
        *,
        is_table: bool = False,
        workers: Workers = map,
    ) -> None:
        if values.ndim != 3 or 0 in values.shape:
            raise UsageError(f"an image is (bands, height, width); this array is {values.shape}.")
        if values.dtype.kind not in "iufb":
            raise UsageError(f"pixels must be real numbers, not {values.dtype}.")
        ok = _known(values)
        self.valid: Mask = ok if valid is None else ok & valid
        self.values = values = _computable(np.asarray(values))
        _, self.height, self.width = values.shape
        passed = limit_passed(values, self.valid)
        if passed is not None:
            raise DataError(
                f"the array holds values beyond {passed:g}, of which no statistic can be formed; "
                "set them to NaN if they mean no data, or rescale them first."
            )
        self.bands = tuple(bands or (Band(f"band {i + 1}") for i in range(len(values))))
        self.is_table = is_table
        self._workers = workers
        self.progress: Callable[[float, float, str], None] | None = None

    @classmethod
    def of_table(cls, table: NDArray[Any], bands: Sequence[Band] | None = None) -> ArrayStream:
        """A pixel table (pixels, bands) as a scene one pixel wide."""
        refuse_masked(table)
        return cls(np.ascontiguousarray(table.T)[:, :, None], bands=bands, is_table=True)

    room = 2**62
    """Bytes that an engine may hold between passes: as many as it likes, for arrays are small."""

    @property
    def side(self) -> int:
        """Side of the canonical blocks in pixels."""
        return canonical_side(self.values.itemsize * len(self.values))

    def read(self, window: Window) -> Block:
        """The pixels of any window inside the image."""
        gain = np.array([b.gain for b in self.bands])
        offset = np.array([b.offset for b in self.bands])
        whole = Block(Window(0, 0, self.height, self.width), self.values, self.valid, gain, offset)
        return whole.cut(window)

    def sample(self, n: int | None, seed: int) -> Sample:
        """At most ``n`` valid pixels: those with the smallest keys of seed and place."""
        rows, cols, n_valid = self._chosen(n, seed)
        stored: Float = self.values[:, rows, cols].T.astype(np.float64)
        gain = np.array([b.gain for b in self.bands])
        offset = np.array([b.offset for b in self.bands])
        integer = self.values.dtype.kind in "iu"
        return Sample(
            stored * gain + offset, rows.astype(np.int64), cols.astype(np.int64), n_valid, integer
        )

    def _chosen(self, n: int | None, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
        """Rows and columns of the sample, block by block, and the number of valid pixels."""
        rows, cols = np.nonzero(self.valid)
        if len(rows) == 0:
            raise NoValidPixelsError("no pixel is valid in every band.")
        n_valid = len(rows)
        if n is not None and n < n_valid:
            keys = place_keys(rows, cols, seed)
            chosen = np.sort(np.argpartition(keys, n - 1)[:n])
            rows, cols = rows[chosen], cols[chosen]
        side = self.side
        if not self.is_table and max(self.height, self.width) > side:
            order = np.lexsort((cols, rows, cols // side, rows // side))
            rows, cols = rows[order], cols[order]
        return rows, cols, n_valid

    def drawn(self, n: int, seed: int) -> ArrayStream | None:
        """The pixels of :meth:`sample` as a stream; None where there are no more of them."""
        rows, cols, n_valid = self._chosen(n, seed)
        if n_valid <= n:
            return None
        pixels = ArrayStream(
            self.values[:, rows, cols][:, :, None], bands=self.bands, is_table=True
        )
        pixels.progress = self.progress
        return pixels

    def fold(self, tally: Callable[[Block], T], message: str = "") -> T:
        """The sum of ``tally(block)`` over canonical blocks, along each row and then the rows."""
        sums: RowSums[T] = RowSums()
        windows = self._blocks()
        parts = self._workers(lambda window: tally(self.read(window)), windows)
        for done, (window, part) in enumerate(zip(windows, parts, strict=True), 1):
            sums.complete_above(window.row)
            sums.add(window.row, part)
            self.report(done, len(windows), message)
        return sums.total()

    def scan(self, message: str = "") -> Iterator[Block]:
        """Canonical blocks, row by row."""
        windows = self._blocks()
        for done, window in enumerate(windows, 1):
            yield self.read(window)
            self.report(done, len(windows), message)

    def _blocks(self) -> list[Window]:
        if not self.is_table:
            return list(split(Window(0, 0, self.height, self.width), self.side))
        starts = range(0, self.height, TABLE_BLOCK)
        return [Window(r, 0, min(TABLE_BLOCK, self.height - r), 1) for r in starts]

    def report(self, done: float, total: float, message: str) -> None:
        """Pass the news on to ``progress``."""
        if self.progress is not None:
            self.progress(done, total, message)


def _known(values: NDArray[Any]) -> Mask:
    """Where an image is finite and not masked in every band: (height, width)."""
    known: Mask = np.ones(values.shape[1:], dtype=np.bool_)
    if values.dtype.kind == "f":
        known &= np.isfinite(np.asarray(values)).all(axis=0)
    # Numpy loads masked arrays, which takes a while, when it is asked for their type.
    if type(values) is not np.ndarray and isinstance(values, np.ma.MaskedArray):
        known &= ~np.ma.getmaskarray(values).any(axis=0)
    return known


def _computable(values: NDArray[Any]) -> NDArray[Any]:
    """The values as a type of this machine that compiled code knows."""
    if values.dtype.kind == "b":
        return values.astype(np.uint8)
    if values.dtype.kind == "f":
        # A longdouble beyond float64 becomes infinite, which is refused as too large.
        with np.errstate(over="ignore"):
            return values.astype(
                np.float32 if values.dtype.itemsize <= 4 else np.float64, copy=False
            )
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def refuse_masked(table: Any) -> None:
    """Raise UsageError for a pixel table with masked values: a row cannot be left out of it."""
    if np.ma.is_masked(table):
        raise UsageError(
            "the table of pixels has masked values; leave those rows out, or give an image "
            "(bands, height, width), where masked pixels are invalid."
        )


_openers: list[Callable[[Any], Any]] = []


def register_opener(opener: Callable[[Any], Any]) -> None:
    """Let ``fit`` and ``predict`` of every engine take what ``opener`` can open."""
    _openers.append(opener)


def as_stream(data: Any) -> Any:
    """A PixelStream over an array, a stream, or anything a registered opener knows."""
    if hasattr(data, "fold") and hasattr(data, "sample"):
        return data
    if isinstance(data, np.ndarray):
        if data.ndim == 2:
            return ArrayStream.of_table(data)
        return ArrayStream(data)
    for opener in _openers:
        stream = opener(data)
        if stream is not None:
            return stream
    raise UsageError(f"cannot read pixels from {type(data).__name__}.")
