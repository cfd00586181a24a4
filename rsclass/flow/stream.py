"""A raster on disk as the stream of pixels that engines learn from."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.arrays import ArrayStream
from rsclass.core.grid import TileGrid, canonical_side, split
from rsclass.core.rows import RowSums
from rsclass.core.sampling import keys_below
from rsclass.core.stats import is_exact
from rsclass.core.types import Block, Sample, T, Window
from rsclass.errors import NoValidPixelsError
from rsclass.io.source import RasterSource
from rsclass.run.memory import WorkPlan, plan_work
from rsclass.run.ordered import ordered_map
from rsclass.run.settings import Running

_PLACE_BYTES = 16  # of a drawn pixel: its key and its place

_FULL_RANGE = np.iinfo(np.uint64).max


class BlockCache:
    """Decoded canonical blocks kept for the next pass, up to a number of bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = self._free = max(limit, 0)
        self._blocks: dict[Window, Block] = {}
        self._lock = threading.Lock()

    def get(self, window: Window) -> Block | None:
        """The block at ``window`` if it was kept."""
        return self._blocks.get(window)

    def offer(self, block: Block) -> None:
        """Keep ``block``, which owns its memory, if there is room."""
        size = block.values.nbytes + block.valid.nbytes
        with self._lock:
            if size <= self._free and block.window not in self._blocks:
                self._free -= size
                self._blocks[block.window] = block

    @property
    def free(self) -> int:
        """Bytes that are left."""
        return max(self._free, 0)

    def lower(self, limit: int) -> None:
        """Keep no more than ``limit`` bytes from now on."""
        with self._lock:
            self._free -= max(self.limit - limit, 0)
            self.limit = min(self.limit, limit)
            while self._free < 0 and self._blocks:
                _, block = self._blocks.popitem()
                self._free += block.values.nbytes + block.valid.nbytes

    def clear(self) -> None:
        """Forget every block."""
        self._blocks.clear()


@dataclass(frozen=True)
class UnitReader:
    """Reads units; in threads of this process, it remembers their blocks.

    Parameters
    ----------
    source : RasterSource
    side : int
        Of canonical blocks.
    cache : BlockCache or None
    """

    source: RasterSource
    side: int
    cache: BlockCache | None = None

    def read(self, window: Window) -> Block:
        """The pixels of any window, from memory where all of its blocks are kept."""
        around = self._kept_around(window)
        return self.source.read(window) if around is None else around

    def _kept_around(self, window: Window) -> Block | None:
        if self.cache is None:
            return None
        kept = []
        for part in split(window, self.side):
            top, left = (at // self.side * self.side for at in (part.row, part.col))
            block = self.cache.get(self._block_at(top, left))
            if block is None:
                return None
            kept.append(block.cut(part))
        values = np.empty((kept[0].n_bands, window.height, window.width), kept[0].values.dtype)
        valid = np.empty((window.height, window.width), dtype=np.bool_)
        for block in kept:
            place = block.window.inside(window)
            values[(slice(None), *place)] = block.values
            valid[place] = block.valid
        return Block(window, values, valid, kept[0].gain, kept[0].offset)

    def _block_at(self, row: int, col: int) -> Window:
        height, width = self.source.height - row, self.source.width - col
        return Window(row, col, min(self.side, height), min(self.side, width))

    def part(self, window: Window, block: Window) -> Block:
        """The pixels of ``window``, which lies in the canonical ``block``."""
        if self.cache is None or (self.cache.free == 0 and self.cache.get(block) is None):
            return self.source.read(window)
        return self.blocks(block)[0].cut(window)

    def blocks(self, window: Window) -> list[Block]:
        """The canonical blocks of ``window``, each contiguous in memory."""
        windows = list(split(window, self.side))
        if self.cache is not None:
            kept = [block for part in windows if (block := self.cache.get(part)) is not None]
            if len(kept) == len(windows):
                return kept
        unit = self.source.read(window)
        blocks = [unit] if len(windows) == 1 else [unit.cut(part).compact() for part in windows]
        if self.cache is not None:
            for block in blocks:
                self.cache.offer(block)
        return blocks


class SceneStream:
    """A scene that may be larger than memory.

    Parameters
    ----------
    source : RasterSource
    running : Running
    executor : Executor or None
        Who reads and adds up; None: the calling thread.

    Attributes
    ----------
    room : int
        Bytes that an engine may hold between passes.
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
            stored=source.storage_block,
        )
        spare = self.plan.spare_bytes if running.scheduler is None else 0
        self.room = spare // 4
        cache = BlockCache(spare - self.room) if spare > 0 else None
        self.reader = UnitReader(source, self.side, cache)
        self._drawn: tuple[int, _Draw] | None = None

    @property
    def kept_bytes(self) -> int:
        """Bytes of decoded blocks that can be kept between passes."""
        cache = self.reader.cache
        return 0 if cache is None else cache.limit

    def forget(self) -> None:
        """Give back the memory of the kept units and samples."""
        self._drawn = None
        if self.reader.cache is not None:
            self.reader.cache.clear()

    def read(self, window: Window) -> Block:
        """The pixels of any window inside the scene."""
        return self.reader.read(window)

    def report(self, done: float, total: float, message: str) -> None:
        """Pass the news on to whoever watches the run."""
        if self.running.progress is not None:
            self.running.progress(done, total, message)

    def _units(self) -> TileGrid:
        return TileGrid(self.height, self.width, self.plan.tile_height, self.plan.tile_width)

    def fold(self, tally: Callable[[Block], T], message: str = "") -> T:
        """The sum of ``tally(block)`` over canonical blocks, the same for every cut."""
        units = self._units()
        task = partial(_tally_unit, self.reader, tally)
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
        units = ordered_map(self.executor, self.reader.blocks, grid, self.plan.ahead)
        for done, blocks in enumerate(units, 1):
            yield from blocks
            self.report(done, len(grid), message)

    def sample(self, n: int | None, seed: int) -> Sample:
        """At most ``n`` valid pixels: those with the smallest keys of seed and place."""
        drawn = self._smallest(n, seed)
        gain = np.array([b.gain for b in self.bands])
        offset = np.array([b.offset for b in self.bands])
        values = drawn.values.T.astype(np.float64)
        values *= gain
        values += offset
        rows, cols = np.divmod(drawn.places, self.width)
        return Sample(values, rows, cols, drawn.n_valid, is_exact(self.source.dtype))

    def drawn(self, n: int, seed: int) -> ArrayStream | None:
        """The pixels of :meth:`sample` as a stream; None where the scene has no more of them."""
        drawn = self._smallest(n, seed)
        if drawn.n_valid <= n:
            return None
        pixels = ArrayStream(
            drawn.values[:, :, None],
            bands=self.bands,
            is_table=True,
            workers=self._spread,
        )
        pixels.progress = self.report
        return pixels

    def _spread(self, function: Callable[[Any], T], items: Iterable[Any]) -> Iterator[T]:
        """As ``map``, in the threads of this process."""
        if self.running.scheduler is not None:
            return map(function, items)
        return ordered_map(self.executor, function, items, 2 * self.running.workers)

    def _smallest(self, n: int | None, seed: int) -> _Draw:
        """At most ``n`` pixels, block by block; the largest draw so far is kept."""
        drawn = self._drawn_before(n, seed) or self._draw(n, seed)
        self._drawn = (seed, drawn)
        return _smallest_of_all([drawn], n)

    def _drawn_before(self, n: int | None, seed: int) -> _Draw | None:
        """An earlier draw of the same seed, if it holds the one asked for."""
        if self._drawn is None or self._drawn[0] != seed:
            return None
        drawn = self._drawn[1]
        enough = len(drawn.keys) == drawn.n_valid or (n is not None and n <= len(drawn.keys))
        return drawn if enough else None

    def _draw(self, n: int | None, seed: int) -> _Draw:
        """Draw from the whole scene, in further passes where one has kept too few pixels."""
        n_pixels = self.height * self.width
        of_pixel = self.source.dtype.itemsize * len(self.bands) + _PLACE_BYTES
        self._leave(3 * min(n or n_pixels, n_pixels) * of_pixel)
        drawn = self._draw_below(_limit(n, self.height * self.width), n, seed)
        for limit in (_limit(n, drawn.n_valid), _FULL_RANGE):
            if n is not None and len(drawn.keys) < min(n, drawn.n_valid):
                drawn = self._draw_below(limit, n, seed)
        if drawn.n_valid == 0:
            raise NoValidPixelsError(self.source.nothing_valid())
        return drawn

    def _leave(self, needed: int) -> None:
        """Keep fewer blocks, so that ``needed`` bytes are left for something else."""
        if self.reader.cache is not None:
            spare = self.plan.spare_bytes - self.room - needed
            self.reader.cache.lower(max(spare, 0))

    def _draw_below(self, most: int, n: int | None, seed: int) -> _Draw:
        """The ``n`` pixels of the smallest keys, of those up to ``most``."""
        units = self._units()
        kept: list[_Draw] = []
        held = 0
        tasks = ((window, most) for window in units)
        draw = partial(_draw_from_unit, self.reader, self.width, seed)
        for done, parts in enumerate(ordered_map(self.executor, draw, tasks, self.plan.ahead), 1):
            kept += parts
            held += sum(len(part.keys) for part in parts)
            if n is not None and held > 3 * n:
                kept = _smallest(kept, n)
                held, most = n, max(int(part.keys.max(initial=0)) for part in kept)
            self.report(done, len(units), "sampling")
        kept.sort(key=lambda part: part.block)
        return _smallest_of_all(kept, n, self._spread)


def _limit(n: int | None, n_pixels: int) -> int:
    """The key below which ``n`` of ``n_pixels`` pixels lie, and half as many to be safe."""
    wanted = 0 if n is None else n + n // 2 + 1000
    return wanted * _FULL_RANGE // n_pixels if 0 < wanted < n_pixels else _FULL_RANGE


def _tally_unit(
    reader: UnitReader, tally: Callable[[Block], Any], window: Window
) -> list[tuple[int, Any]]:
    return [(block.window.row, tally(block)) for block in reader.blocks(window)]


@dataclass(frozen=True)
class _Draw:
    """Drawn pixels of a block, row by row, or of many.

    Parameters
    ----------
    block : (row, column) of the first block
    keys : uint64 array (pixels,)
    places : int64 array (pixels,)
        In the scene: row * width + column.
    values : array (bands, pixels)
        Stored values.
    n_valid : int
        Valid pixels where these were drawn.
    """

    block: tuple[int, int]
    keys: NDArray[np.uint64]
    places: NDArray[np.int64]
    values: NDArray[Any]
    n_valid: int

    def up_to(self, most: np.uint64) -> _Draw:
        """The pixels of keys up to ``most``."""
        chosen = np.flatnonzero(self.keys <= most)
        if len(chosen) == len(self.keys):
            return self
        values = np.take(self.values, chosen, axis=1)
        return _Draw(self.block, self.keys[chosen], self.places[chosen], values, self.n_valid)


def _draw_from_unit(
    reader: UnitReader, width: int, seed: int, task: tuple[Window, int]
) -> list[_Draw]:
    window, most = task
    return [_draw_from_block(block, width, seed, most) for block in reader.blocks(window)]


def _draw_from_block(block: Block, width: int, seed: int, most: int) -> _Draw:
    window, valid = block.window, block.flat_valid
    keys, inside = keys_below(valid, window.row, window.col, window.width, seed, most)
    rows, cols = np.divmod(inside, window.width)
    places = (rows + window.row) * width + cols + window.col
    values = np.take(block.flat, inside, axis=1)
    return _Draw((window.row, window.col), keys, places, values, int(np.count_nonzero(valid)))


def _smallest(draws: list[_Draw], n: int) -> list[_Draw]:
    """Of all the pixels the ``n`` of the smallest keys, in their order."""
    keys = np.concatenate([draw.keys for draw in draws])
    if len(keys) <= n:
        return draws
    most = _smallest_key(keys, n)
    return [draw.up_to(most) for draw in draws]


def _smallest_key(keys: NDArray[np.uint64], n: int) -> np.uint64:
    """The ``n``-th smallest of the keys, which are spread evenly up to the largest."""
    apart, far = keys.max() // len(keys), 8 * math.isqrt(len(keys))
    below, above = apart * max(n - far, 0), apart * min(n + far, len(keys))
    near = keys[(keys > below) & (keys <= above)]
    left = n - int(np.count_nonzero(keys <= below))
    if not 0 < left <= len(near):
        near, left = keys, n
    found: np.uint64 = np.partition(near, left - 1)[left - 1]
    return found


def _smallest_of_all(draws: list[_Draw], n: int | None, spread: Callable[..., Any] = map) -> _Draw:
    """As :func:`_smallest`, in one piece; ``draws`` is used up, so that little is held twice.

    ``spread`` does what ``map`` does, perhaps in several threads.
    """
    n_pixels, most = sum(len(draw.keys) for draw in draws), np.uint64(_FULL_RANGE)
    if n is not None and n < n_pixels:
        n_pixels, most = n, _smallest_key(np.concatenate([draw.keys for draw in draws]), n)
    elif len(draws) == 1:
        return draws[0]
    block, first = draws[0].block, draws[0].values
    keys = np.empty(n_pixels, dtype=np.uint64)
    places = np.empty(n_pixels, dtype=np.int64)
    values = np.empty((len(first), n_pixels), first.dtype)
    n_valid = at = 0
    for part in spread(lambda draw: draw.up_to(most), _popped(draws)):
        here = slice(at, at + len(part.keys))
        keys[here], places[here], values[:, here] = part.keys, part.places, part.values
        n_valid += part.n_valid
        at = here.stop
    return _Draw(block, keys, places, values, n_valid)


def _popped(items: list[_Draw]) -> Iterator[_Draw]:
    items.reverse()
    while items:
        yield items.pop()
