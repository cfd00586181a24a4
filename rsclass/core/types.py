"""The conventions of rsclass, fixed once.

========================  =====================================================================
thing                     rule
========================  =====================================================================
block                     ``(bands, height, width)``, as rasterio reads it
pixel table               ``(pixels, bands)``, valid pixels only, as scikit-learn wants it
position                  row, then column
labels in memory          from 0; -1 is "no class"
labels on disk            from 1; 0 is nodata or unclassified
stored / physical value   what the file holds / ``stored * gain + offset`` of the band
========================  =====================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Labels = NDArray[np.int32]
Mask = NDArray[np.bool_]

NO_CLASS = -1


class Window(NamedTuple):
    """A rectangle of pixels: its first row and column, and its size in pixels."""

    row: int
    col: int
    height: int
    width: int

    @property
    def pixels(self) -> int:
        """How many pixels it holds."""
        return self.height * self.width

    @property
    def row_end(self) -> int:
        """The first row below it."""
        return self.row + self.height

    @property
    def col_end(self) -> int:
        """The first column to its right."""
        return self.col + self.width

    def __str__(self) -> str:
        return f"rows {self.row} to {self.row_end - 1}, columns {self.col} to {self.col_end - 1}"

    def grow(self, halo: int, height: int, width: int) -> Window:
        """Widen by ``halo`` pixels on every side, cut at a scene of ``height`` x ``width``."""
        row, col = max(self.row - halo, 0), max(self.col - halo, 0)
        return Window(
            row,
            col,
            min(self.row_end + halo, height) - row,
            min(self.col_end + halo, width) - col,
        )

    def around(self, halo: int, outer: Window) -> Window:
        """Widen by ``halo`` pixels on every side, cut at ``outer``, which covers this window."""
        row, col = max(self.row - halo, outer.row), max(self.col - halo, outer.col)
        return Window(
            row,
            col,
            min(self.row_end + halo, outer.row_end) - row,
            min(self.col_end + halo, outer.col_end) - col,
        )

    def within(self, outer: Window) -> bool:
        """Whether all of this window lies in ``outer``."""
        return (
            outer.row <= self.row
            and outer.col <= self.col
            and self.row_end <= outer.row_end
            and self.col_end <= outer.col_end
        )

    def inside(self, outer: Window) -> tuple[slice, slice]:
        """Slices (rows, columns) that cut this window out of an array laid over ``outer``."""
        return (
            slice(self.row - outer.row, self.row_end - outer.row),
            slice(self.col - outer.col, self.col_end - outer.col),
        )


@dataclass(frozen=True, slots=True)
class Band:
    """One spectral band.

    Parameters
    ----------
    name : str
        The band's own name (``B04``), or ``band 3`` where the file gives none.
    role : str or None
        Its place in the spectrum: ``red``, ``nir``, ``swir16``; see :mod:`rsclass.core.bands`.
    wavelength : float or None
        Center wavelength in nanometres.
    gain, offset : float
        Physical value = stored value * gain + offset.
    """

    name: str
    role: str | None = None
    wavelength: float | None = None
    gain: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class Block:
    """The pixels of one window.

    Parameters
    ----------
    window : Window
        Where in the scene the block lies.
    values : array (bands, height, width)
        Stored values in the file's own type; what stands at invalid pixels has no meaning.
    valid : bool array (height, width)
    gain, offset : float64 arrays (bands,)
        Physical value = stored value * gain + offset.
    """

    window: Window
    values: NDArray[Any]
    valid: Mask
    gain: Float
    offset: Float

    @property
    def n_bands(self) -> int:
        """How many bands it holds."""
        return int(self.values.shape[0])

    @property
    def flat(self) -> NDArray[Any]:
        """The values as (bands, pixels), contiguous."""
        return np.ascontiguousarray(self.values).reshape(self.n_bands, -1)

    @property
    def flat_valid(self) -> Mask:
        """The validity as (pixels,), contiguous."""
        return np.ascontiguousarray(self.valid).reshape(-1)

    def cut(self, window: Window) -> Block:
        """The part of this block that covers ``window``."""
        rows, cols = window.inside(self.window)
        return Block(
            window, self.values[:, rows, cols], self.valid[rows, cols], self.gain, self.offset
        )

    def compact(self) -> Block:
        """The same block with memory of its own."""
        return Block(self.window, self.values.copy(), self.valid.copy(), self.gain, self.offset)

    def pixels(self) -> Float:
        """Pixel table (valid pixels, bands) of physical values, in row-major order."""
        table = self.values[:, self.valid].T.astype(np.float64)
        return table * self.gain + self.offset


@dataclass(frozen=True, slots=True)
class Sample:
    """Valid pixels drawn from a scene, canonical block by block and row by row in each.

    Parameters
    ----------
    values : float64 array (pixels, bands)
        Physical values.
    rows, cols : int64 arrays (pixels,)
    n_valid : int
        Valid pixels of the whole scene.
    integer : bool
        The scene stores whole numbers.
    """

    values: Float
    rows: NDArray[np.int64]
    cols: NDArray[np.int64]
    n_valid: int
    integer: bool = False

    def __len__(self) -> int:
        return len(self.values)


class Tally(Protocol):
    """A sum over pixels; adding two is exact or done in a fixed order."""

    def __add__(self, other: Any) -> Any: ...


T = TypeVar("T", bound=Tally)


class Readable(Protocol):
    """A scene whose windows can be read."""

    height: int
    width: int

    def read(self, window: Window) -> Block:
        """The pixels of any window that lies inside the scene."""
        ...

    def report(self, done: float, total: float, message: str) -> None:
        """Tell the user how far the work is; raises when the user asked to stop."""
        ...


class PixelStream(Readable, Protocol):
    """A scene as engines see it: no file, no thread, no mask arithmetic."""

    bands: tuple[Band, ...]
    room: int
    """Bytes that an engine may hold between passes."""

    def sample(self, n: int | None, seed: int) -> Sample:
        """At most ``n`` valid pixels, chosen by place and ``seed`` only; None: every one."""
        ...

    def drawn(self, n: int, seed: int) -> PixelStream | None:
        """The pixels of :meth:`sample` as a stream; None where the scene has no more of them."""
        ...

    def fold(self, tally: Callable[[Block], T], message: str = "") -> T:
        """The sum of ``tally(block)`` over canonical blocks, in a fixed order."""
        ...

    def scan(self, message: str = "") -> Iterator[Block]:
        """Canonical blocks one after the other, row by row."""
        ...


@dataclass(frozen=True, slots=True)
class Prediction:
    """What an engine says of one window.

    Parameters
    ----------
    labels : int32 array (height, width)
        Class from 0; -1 at invalid pixels.
    layers : dict of str to float32 array
        Of those asked for: ``confidence``, ``distance``, ``entropy`` (height, width) and
        ``membership`` (classes, height, width); NaN at invalid pixels.
    """

    labels: Labels
    layers: dict[str, NDArray[np.float32]] = field(default_factory=dict)
