"""Arrays in memory as a stream of pixels, and the way from anything readable to a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.grid import canonical_side, split
from rsclass.core.magnitude import limit_passed
from rsclass.core.rows import RowSums
from rsclass.core.sampling import place_keys
from rsclass.core.types import Band, Block, Float, Mask, Sample, T, Window
from rsclass.errors import DataError, NoValidPixelsError, UsageError


class ArrayStream:
    """An image or a pixel table in memory, seen as a scene.

    Parameters
    ----------
    values : array (bands, height, width)
        Not finite, or masked in a numpy masked array, means invalid.
    valid : bool array (height, width), optional
    bands : sequence of Band, optional

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
    ) -> None:
        if values.ndim != 3 or 0 in values.shape:
            raise UsageError(f"an image is (bands, height, width); this array is {values.shape}.")
        if values.dtype.kind not in "iufb":
            raise UsageError(f"pixels must be real numbers, not {values.dtype}.")
        ok = _known(values)
        self.valid: Mask = ok if valid is None else ok & valid
        self.values = values = _computable(np.ma.getdata(values))
        _, self.height, self.width = values.shape
        passed = limit_passed(values, self.valid)
        if passed is not None:
            raise DataError(
                f"the array holds values beyond {passed:g}, of which no statistic can be formed; "
                "set them to NaN if they mean no data, or rescale them first."
            )
        self.bands = tuple(bands or (Band(f"band {i + 1}") for i in range(len(values))))
        self.is_table = is_table
        self.progress: Callable[[float, float, str], None] | None = None

    @classmethod
    def of_table(cls, table: NDArray[Any], bands: Sequence[Band] | None = None) -> ArrayStream:
        """A pixel table (pixels, bands) as a scene one pixel wide."""
        refuse_masked(table)
        return cls(np.ascontiguousarray(table.T)[:, :, None], bands=bands, is_table=True)

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
        rows, cols = np.nonzero(self.valid)
        if len(rows) == 0:
            raise NoValidPixelsError("no pixel is valid in every band.")
        n_valid = len(rows)
        if n is not None and n < n_valid:
            keys = place_keys(rows, cols, seed)
            chosen = np.sort(np.argpartition(keys, n - 1)[:n])
            rows, cols = rows[chosen], cols[chosen]
        stored: Float = self.values[:, rows, cols].T.astype(np.float64)
        gain = np.array([b.gain for b in self.bands])
        offset = np.array([b.offset for b in self.bands])
        integer = self.values.dtype.kind in "iu"
        return Sample(
            stored * gain + offset, rows.astype(np.int64), cols.astype(np.int64), n_valid, integer
        )

    def fold(self, tally: Callable[[Block], T], message: str = "") -> T:
        """The sum of ``tally(block)`` over canonical blocks, along each row and then the rows."""
        sums: RowSums[T] = RowSums()
        for block in self.scan(message):
            sums.complete_above(block.window.row)
            sums.add(block.window.row, tally(block))
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
        # A table is one pixel wide, so its blocks are runs of as many pixels as an image block has.
        step = self.side**2
        return [Window(r, 0, min(step, self.height - r), 1) for r in range(0, self.height, step)]

    def report(self, done: float, total: float, message: str) -> None:
        """Pass the news on to ``progress``."""
        if self.progress is not None:
            self.progress(done, total, message)


def _known(values: NDArray[Any]) -> Mask:
    """Where an image is finite and not masked in every band: (height, width)."""
    known: Mask = np.ones(values.shape[1:], dtype=np.bool_)
    if values.dtype.kind == "f":
        known &= np.isfinite(np.ma.getdata(values)).all(axis=0)
    if isinstance(values, np.ma.MaskedArray):
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
