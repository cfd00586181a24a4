"""Several scenes as one stream of pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from rsclass.core.arrays import ArrayStream
from rsclass.core.sampling import mix, place_keys
from rsclass.core.types import Band, Block, Float, Sample, T, Window
from rsclass.flow.scenes import Scenes
from rsclass.flow.stream import SceneStream
from rsclass.run.pools import open_pool
from rsclass.run.settings import Running

__all__ = ["JointStream", "open_streams"]

_STEP = 512  # rows: whole canonical blocks of any size
_GAP = 64  # rows without data between two scenes; no pixel sees farther


class JointStream:
    """Scenes one below the other, far enough apart that no pixel sees two of them.

    Where scenes differ in gain or offset, all values are physical ones.

    Parameters
    ----------
    parts : sequence of SceneStream
        Of the same bands in the same order. They share the memory of one.
    source : Scenes
        Those that they read.

    Attributes
    ----------
    bands : tuple of Band
        Those of the first scene.
    """

    def __init__(self, parts: Sequence[SceneStream], source: Scenes) -> None:
        self.source = source
        self.parts = list(parts)
        starts, row = [], 0
        for part in self.parts:
            starts.append(row)
            row = -(-(row + part.height + _GAP) // _STEP) * _STEP
        self.starts = starts
        self.height = starts[-1] + self.parts[-1].height
        self.width = max(part.width for part in self.parts)
        stored = np.result_type(*(part.source.dtype for part in self.parts))
        scales = {tuple((b.gain, b.offset) for b in part.bands) for part in self.parts}
        self.bands: tuple[Band, ...] = self.parts[0].bands
        self.dtype = stored
        if len(scales) > 1:
            self.bands = tuple(replace(band, gain=1.0, offset=0.0) for band in self.bands)
            narrow = stored.itemsize <= 2 or stored == np.float32
            self.dtype = np.dtype(np.float32 if narrow else np.float64)
        self._gain = np.array([band.gain for band in self.bands])
        self._offset = np.array([band.offset for band in self.bands])
        self._placings = [_Placing(start, self.dtype, self._gain, self._offset) for start in starts]
        self.room = min(part.room for part in self.parts) // len(self.parts)
        for part in self.parts:
            cache = part.reader.cache
            if cache is not None:
                cache.lower(cache.limit // len(self.parts))

    def report(self, done: float, total: float, message: str) -> None:
        """Pass the news on to whoever watches the run."""
        self.parts[0].report(done, total, message)

    def read(self, window: Window) -> Block:
        """The pixels of any window; what lies beyond and between the scenes is invalid."""
        values = np.zeros((len(self.bands), window.height, window.width), dtype=self.dtype)
        valid = np.zeros((window.height, window.width), dtype=np.bool_)
        for part, start, placed in zip(self.parts, self.starts, self._placings, strict=True):
            top, bottom = max(window.row, start), min(window.row_end, start + part.height)
            left, right = window.col, min(window.col_end, part.width)
            if top < bottom and left < right:
                met = Window(top, left, bottom - top, right - left)
                block = placed(part.read(met._replace(row=top - start)))
                place = met.inside(window)
                values[(slice(None), *place)] = block.values
                valid[place] = block.valid
        return Block(window, values, valid, self._gain, self._offset)

    def fold(self, tally: Callable[[Block], T], message: str = "") -> T:
        """The sum of ``tally(block)`` over the canonical blocks of one scene after the other."""
        sums = [
            part.fold(_Tallied(tally, placed), message)
            for part, placed in zip(self.parts, self._placings, strict=True)
        ]
        total: T = reduce(add, sums)
        return total

    def scan(self, message: str = "") -> Iterator[Block]:
        """Canonical blocks of one scene after the other."""
        for part, placed in zip(self.parts, self._placings, strict=True):
            for block in part.scan(message):
                yield placed(block)

    def sample(self, n: int | None, seed: int) -> Sample:
        """At most ``n`` valid pixels of all scenes together, each as likely as any other."""
        drawn = [
            part.sample(n, own) for part, own in zip(self.parts, self._seeds(seed), strict=True)
        ]
        chosen = self._smallest(drawn, n, seed)
        return Sample(
            np.concatenate([d.values[c] for d, c in zip(drawn, chosen, strict=True)]),
            np.concatenate(
                [d.rows[c] + s for d, c, s in zip(drawn, chosen, self.starts, strict=True)]
            ),
            np.concatenate([d.cols[c] for d, c in zip(drawn, chosen, strict=True)]),
            sum(d.n_valid for d in drawn),
            self.dtype.kind in "iu",
        )

    def _seeds(self, seed: int) -> list[int]:
        """One for each scene, so that they are not drawn from at the same places."""
        numbers = np.arange(len(self.parts), dtype=np.uint64)
        apart = mix(numbers ^ mix(np.array([seed % 2**64], dtype=np.uint64)))
        return [int(number) for number in apart >> np.uint64(1)]

    def _smallest(
        self, drawn: Sequence[Sample], n: int | None, seed: int
    ) -> list[NDArray[np.int64]]:
        """Of each sample the pixels whose keys are among the ``n`` smallest of all."""
        if n is None or n >= sum(map(len, drawn)):
            return [np.arange(len(one)) for one in drawn]
        keys = [
            place_keys(one.rows, one.cols, own)
            for one, own in zip(drawn, self._seeds(seed), strict=True)
        ]
        most = np.partition(np.concatenate(keys), n - 1)[n - 1]
        return [np.flatnonzero(own <= most) for own in keys]

    def drawn(self, n: int, seed: int) -> ArrayStream | None:
        """The pixels of :meth:`sample` as a stream; None where the scenes have no more of them."""
        sample = self.sample(n, seed)
        if sample.n_valid <= n:
            return None
        stored = (sample.values - self._offset) / self._gain
        if self.dtype.kind in "iu":
            stored = np.rint(stored)
        pixels = ArrayStream.of_table(stored.astype(self.dtype), self.bands)
        pixels.progress = self.report
        return pixels

    def forget(self) -> None:
        """Give back the memory of the kept blocks."""
        for part in self.parts:
            part.forget()


@dataclass(frozen=True)
class _Placing:
    """Moves a block of a scene to its place among all, and to the type and scale of all."""

    start: int
    dtype: np.dtype[Any]
    gain: Float
    offset: Float

    def __call__(self, block: Block) -> Block:
        window = block.window._replace(row=block.window.row + self.start)
        values = block.values
        same = np.array_equal(block.gain, self.gain) and np.array_equal(block.offset, self.offset)
        if not same:
            values = values.astype(np.float64)
            values *= block.gain[:, None, None]
            values += block.offset[:, None, None]
        values = values.astype(self.dtype, copy=False)
        return Block(window, values, block.valid, self.gain, self.offset)


@dataclass(frozen=True)
class _Tallied:
    """A tally of blocks that were moved."""

    tally: Callable[[Block], Any]
    placing: _Placing

    def __call__(self, block: Block) -> Any:
        return self.tally(self.placing(block))


@contextmanager
def open_streams(scenes: Scenes, running: Running) -> Iterator[SceneStream | JointStream]:
    """A stream over all scenes with its workers."""
    # One BLAS thread: tiles are the unit of parallel work, and sums keep their order.
    with open_pool(running) as executor, threadpool_limits(1):
        parts = [SceneStream(source, running, executor) for source in scenes.sources]
        alone = len(parts) == 1 and scenes.level is None
        stream = parts[0] if alone else JointStream(parts, scenes)
        try:
            yield stream
        finally:
            stream.forget()
