"""The pixels of a scene that lie in features, read window by window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.grid import TileGrid
from rsclass.core.sampling import place_keys
from rsclass.core.types import Float, Window
from rsclass.flow.stream import SceneStream, UnitReader
from rsclass.run.memory import require
from rsclass.run.ordered import ordered_map

if TYPE_CHECKING:
    from rsclass.io.burning import PlacedFeatures
    from rsclass.io.vectors import Features

Numbers = NDArray[np.int64]

_OVERHEAD = 40  # bytes of a held pixel besides its values: owner, row, column, key and order
_ASKED = 8 * 2**20
_ADVICE = "raise it, or learn from fewer pixels with --samples-per-class"


@dataclass(frozen=True)
class Gathered:
    """Valid pixels in features.

    Parameters
    ----------
    values : array (pixels, bands)
        As stored.
    owners : int32 array (pixels,)
        Position of the feature.
    rows, cols : int64 arrays (pixels,)
    hits, invalid : int64 arrays (features,)
        Valid pixels of every feature, before any limit, and its pixels that are nodata.
    contested : int
        Pixels on which features of different classes disagree.
    """

    values: NDArray[Any]
    owners: NDArray[np.int32]
    rows: Numbers
    cols: Numbers
    hits: Numbers
    invalid: Numbers
    contested: int

    def __len__(self) -> int:
        return len(self.owners)

    def take(self, chosen: Numbers) -> Gathered:
        """Some of the pixels; the counts stay."""
        return Gathered(
            self.values[chosen],
            self.owners[chosen],
            self.rows[chosen],
            self.cols[chosen],
            self.hits,
            self.invalid,
            self.contested,
        )

    def physical(self, gain: Float, offset: Float) -> Float:
        """Pixel table (pixels, bands) in physical units."""
        values: Float = self.values.astype(np.float64)
        values *= gain
        values += offset
        return values


def gather(
    stream: SceneStream,
    features: Features,
    per_class: int | None,
    seed: int,
    *,
    keep: bool = False,
) -> Gathered:
    """Read the pixels that features own, in row-major order.

    Parameters
    ----------
    per_class : int or None
        Most pixels of a class: those with the smallest keys of seed and place.
    keep : bool
        Read whole blocks, where the stream can keep them, instead of the places of features.

    Raises
    ------
    MemoryLimitError
        The pixels do not fit into the memory that may be used.
    """
    source = stream.source
    placed = features.placed(source.georef)
    windows = list(placed.touched(TileGrid(source.height, source.width, stream.side, stream.side)))
    # The features lie in this process; other machines would get them anew with every window.
    executor = stream.executor if stream.running.scheduler is None else None
    reader = stream.reader if keep else replace(stream.reader, cache=None)
    # Strips are as wide as the scene: what lies side by side is decoded at once.
    rows = groupby(windows, key=lambda window: window.row if source.striped else window)
    units = [list(unit) for _, unit in rows]
    task = partial(_pixels_in_unit, reader, placed)
    kept = _none_of(len(source.bands), len(features), source.dtype)
    parts: list[Gathered] = [kept]
    held = allowed = 0
    pixel_bytes = 16 * len(source.bands) + _OVERHEAD
    limit = None if per_class is None else 2 * per_class * len(features.names)
    for done, found in enumerate(ordered_map(executor, task, units, stream.plan.ahead), 1):
        parts += found
        held += sum(map(len, found))
        if limit is not None and per_class is not None and held > limit:
            parts = [_limited(_joined(parts), features, per_class, seed)]
            held = len(parts[0])
        if held > allowed:
            # To ask what the process occupies takes time, so it is asked once for many windows.
            allowed = held + _ASKED // pixel_bytes
            require(stream.running, allowed * pixel_bytes, _ADVICE)
        stream.report(done, len(units), "reading samples")
    whole = _joined(parts)
    if per_class is not None:
        whole = _limited(whole, features, per_class, seed)
    return whole.take(np.lexsort((whole.cols, whole.rows)))


def _pixels_in_unit(
    reader: UnitReader, placed: PlacedFeatures, windows: list[Window]
) -> list[Gathered]:
    first, last = windows[0], windows[-1]
    if first != last and reader.cache is not None and reader.cache.free > 0:
        reader.blocks(Window(first.row, first.col, first.height, last.col_end - first.col))
    return [_pixels_in(reader, placed, window) for window in windows]


def _pixels_in(reader: UnitReader, placed: PlacedFeatures, window: Window) -> Gathered:
    source = reader.source
    owner = placed.burn(window)
    n_features = len(placed.classes)
    contested = int((owner == -2).sum())
    owned = owner >= 0
    if not owned.any():
        none = _none_of(len(source.bands), n_features, source.dtype)
        return Gathered(
            none.values, none.owners, none.rows, none.cols, none.hits, none.invalid, contested
        )
    within = _smallest_window(owned, window)
    cut = within.inside(window)
    owner, owned = owner[cut], owned[cut]
    block = reader.part(within, window)
    invalid = np.bincount(owner[owned & ~block.valid], minlength=n_features)
    owned &= block.valid
    rows, cols = np.nonzero(owned)
    owners = owner[rows, cols]
    return Gathered(
        block.values[:, rows, cols].T,
        owners,
        rows + within.row,
        cols + within.col,
        np.bincount(owners, minlength=n_features),
        invalid,
        contested,
    )


def _smallest_window(owned: NDArray[np.bool_], window: Window) -> Window:
    rows, cols = np.flatnonzero(owned.any(axis=1)), np.flatnonzero(owned.any(axis=0))
    return Window(
        window.row + int(rows[0]),
        window.col + int(cols[0]),
        int(rows[-1] - rows[0]) + 1,
        int(cols[-1] - cols[0]) + 1,
    )


def _none_of(n_bands: int, n_features: int, dtype: np.dtype[Any]) -> Gathered:
    nowhere = np.zeros(0, np.int64)
    counts = np.zeros(n_features, np.int64)
    values = np.zeros((0, n_bands), dtype)
    return Gathered(values, np.zeros(0, np.int32), nowhere, nowhere, counts, counts, 0)


def _joined(parts: Sequence[Gathered]) -> Gathered:
    return Gathered(
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.owners for part in parts]),
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.cols for part in parts]),
        np.sum([part.hits for part in parts], axis=0),
        np.sum([part.invalid for part in parts], axis=0),
        sum(part.contested for part in parts),
    )


def _limited(whole: Gathered, features: Features, per_class: int, seed: int) -> Gathered:
    """The ``per_class`` pixels of every class with the smallest keys."""
    keys = place_keys(whole.rows, whole.cols, seed)
    classes = features.classes[whole.owners]
    order = np.lexsort((keys, classes))
    starts = np.searchsorted(classes[order], np.arange(len(features.names)))
    rank = np.arange(len(order)) - starts[classes[order]]
    return whole.take(order[rank < per_class])
