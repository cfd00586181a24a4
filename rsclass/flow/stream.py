"""A raster on disk as the stream of pixels that engines learn from."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.grid import TileGrid, canonical_side, split
from rsclass.core.rows import RowSums
from rsclass.core.sampling import place_keys
from rsclass.core.stats import is_exact
from rsclass.core.types import Block, Sample, T, Window
from rsclass.errors import NoValidPixelsError
from rsclass.io.source import RasterSource
from rsclass.run.memory import WorkPlan, plan_work
from rsclass.run.ordered import ordered_map
from rsclass.run.settings import Running

_FULL_RANGE = np.iinfo(np.uint64).max


class BlockCache:
    """Decoded units kept for the next pass, up to a number of bytes."""

    def __init__(self, limit: int) -> None:
        self._free = max(limit, 0)
        self._blocks: dict[Window, Block] = {}
        self._lock = threading.Lock()

    def get(self, window: Window) -> Block | None:
        """The unit at ``window`` if it was kept."""
        return self._blocks.get(window)

    def offer(self, block: Block) -> None:
        """Keep ``block`` if there is room."""
        size = block.values.nbytes + block.valid.nbytes
        with self._lock:
            if size <= self._free and block.window not in self._blocks:
                self._free -= size
                self._blocks[block.window] = block

    def clear(self) -> None:
        """Forget every unit."""
        self._blocks.clear()


@dataclass(frozen=True)
class UnitReader:
    """Reads units; in threads of this process, it remembers them."""

    source: RasterSource
    cache: BlockCache | None = None

    def __call__(self, window: Window) -> Block:
        """The pixels of ``window``."""
        kept = self.cache.get(window) if self.cache is not None else None
        if kept is not None:
            return kept
        block = self.source.read(window)
        if self.cache is not None:
            self.cache.offer(block)
        return block


class SceneStream:
    """A scene that may be larger than memory.

    Parameters
    ----------
    source : RasterSource
    running : Running
    executor : Executor or None
        Who reads and adds up; None: the calling thread.
    """

    def __init__(
        self, source: RasterSource, running: Running, executor: Executor | None = None
    ) -> None:
        self.source = source
        self.running = running
        self.executor = executor
        self.bands = source.bands
        self.height, self.width = source.height, source.width
        stored = source.dtype.itemsize * len(source.bands)
        self.side = canonical_side(stored)
        # Read once, validity and a contiguous copy at most.
        self._bytes_per_pixel = 2.0 * stored + 8
        self.plan: WorkPlan = plan_work(
            running,
            height=self.height,
            width=self.width,
            side=self.side,
            bytes_per_pixel=self._bytes_per_pixel,
            striped=source.striped,
        )
        local = running.scheduler is None
        # Half of the spare memory is left to what the engine itself holds.
        cache = BlockCache(self.plan.spare_bytes // 2) if local else None
        self.reader = UnitReader(source, cache)
        self._drawn: tuple[int, _Draw] | None = None

    def forget(self) -> None:
        """Give back the memory of the kept units and samples."""
        self._drawn = None
        if self.reader.cache is not None:
            self.reader.cache.clear()

    def read(self, window: Window) -> Block:
        """The pixels of any window inside the scene."""
        return self.source.read(window)

    def report(self, done: float, total: float, message: str) -> None:
        """Pass the news on to whoever watches the run."""
        if self.running.progress is not None:
            self.running.progress(done, total, message)

    def _units(self) -> TileGrid:
        return TileGrid(self.height, self.width, self.plan.tile_height, self.plan.tile_width)

    def fold(self, tally: Callable[[Block], T], message: str = "") -> T:
        """The sum of ``tally(block)`` over canonical blocks, the same for every cut."""
        units = self._units()
        task = partial(_tally_unit, self.reader, tally, self.side)
        sums: RowSums[T] = RowSums()
        for done, parts in enumerate(ordered_map(self.executor, task, units, self.plan.ahead), 1):
            sums.complete_above(min(row for row, _ in parts))
            for row, part in parts:
                sums.add(row, part)
            self.report(done, len(units), message)
        return sums.total()

    def scan(self, message: str = "") -> Iterator[Block]:
        """Canonical blocks, row by row."""
        grid = TileGrid(self.height, self.width, self.side, self.plan.tile_width)
        for done, unit in enumerate(
            ordered_map(self.executor, self.reader, grid, self.plan.ahead), 1
        ):
            for window in split(unit.window, self.side):
                yield unit.cut(window)
            self.report(done, len(grid), message)

    def sample(self, n: int | None, seed: int) -> Sample:
        """At most ``n`` valid pixels: those with the smallest keys of seed and place."""
        drawn = self._drawn_before(n, seed) or self._draw(n, seed)
        self._drawn = (seed, drawn)
        if n is not None:
            drawn = _smallest([drawn], n)
        order = np.lexsort((drawn.cols, drawn.rows))
        gain = np.array([b.gain for b in self.bands])
        offset = np.array([b.offset for b in self.bands])
        values = drawn.values[order].astype(np.float64)
        values *= gain
        values += offset
        integer = is_exact(self.source.dtype)
        return Sample(values, drawn.rows[order], drawn.cols[order], drawn.n_valid, integer)

    def _drawn_before(self, n: int | None, seed: int) -> _Draw | None:
        """An earlier draw of the same seed, if it holds the one asked for."""
        if self._drawn is None or self._drawn[0] != seed:
            return None
        drawn = self._drawn[1]
        enough = len(drawn.keys) == drawn.n_valid or (n is not None and n <= len(drawn.keys))
        return drawn if enough else None

    def _draw(self, n: int | None, seed: int) -> _Draw:
        units = self._units()
        most = _FULL_RANGE
        kept: list[_Draw] = []
        held = 0
        tasks = ((window, most) for window in units)
        draw = partial(_draw_from_unit, self.reader, n, seed)
        for done, part in enumerate(ordered_map(self.executor, draw, tasks, self.plan.ahead), 1):
            kept.append(part)
            held += len(part.keys)
            if n is not None and held > 2 * n:
                kept = [_smallest(kept, n)]
                held, most = n, int(kept[0].keys.max())
            self.report(done, len(units), "sampling")
        drawn = _smallest(kept, n)
        if drawn.n_valid == 0:
            raise NoValidPixelsError(self.source.nothing_valid())
        return drawn


def _tally_unit(
    reader: UnitReader, tally: Callable[[Block], Any], side: int, window: Window
) -> list[tuple[int, Any]]:
    unit = reader(window)
    return [(part.row, tally(unit.cut(part))) for part in split(window, side)]


@dataclass(frozen=True)
class _Draw:
    keys: NDArray[np.uint64]
    rows: NDArray[np.int64]
    cols: NDArray[np.int64]
    values: NDArray[Any]
    n_valid: int


def _draw_from_unit(
    reader: UnitReader, n: int | None, seed: int, task: tuple[Window, int]
) -> _Draw:
    window, most = task
    unit = reader(window)
    rows, cols = np.nonzero(unit.valid)
    n_valid = len(rows)
    rows, cols = rows.astype(np.int64), cols.astype(np.int64)
    keys = place_keys(rows + window.row, cols + window.col, seed)
    if most < _FULL_RANGE:
        chosen = np.flatnonzero(keys <= np.uint64(most))
        keys, rows, cols = keys[chosen], rows[chosen], cols[chosen]
    if n is not None and len(keys) > n:
        chosen = np.argpartition(keys, n - 1)[:n]
        keys, rows, cols = keys[chosen], rows[chosen], cols[chosen]
    values = unit.values[:, rows, cols].T
    return _Draw(keys, rows + window.row, cols + window.col, values, n_valid)


def _smallest(draws: list[_Draw], n: int | None) -> _Draw:
    keys = np.concatenate([d.keys for d in draws])
    rows = np.concatenate([d.rows for d in draws])
    cols = np.concatenate([d.cols for d in draws])
    values = np.concatenate([d.values for d in draws])
    if n is not None and len(keys) > n:
        chosen = np.argpartition(keys, n - 1)[:n]
        keys, rows, cols, values = keys[chosen], rows[chosen], cols[chosen], values[chosen]
    return _Draw(keys, rows, cols, values, sum(d.n_valid for d in draws))
