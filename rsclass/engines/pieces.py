"""Pieces of a scene as an engine learns from them that looks at the surroundings of a pixel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rsclass.core.chunks import CHUNK, shuffled_chunks
from rsclass.core.consensus import Smoothed, clusters_of
from rsclass.core.sampling import keys_below, place_keys
from rsclass.core.surroundings import STEP, neighbor_pairs
from rsclass.core.types import Block, Float, Labels, Mask, PixelStream, Window

__all__ = ["ClusterTally", "Piece", "Pieces", "neighbors_in", "physical_table", "piece_bytes"]

T = TypeVar("T")
P = TypeVar("P")

_SPARSEST = 2  # pixels of the pieces for each pixel of the budget: pieces may be mostly masked
_FULL_RANGE = np.iinfo(np.uint64).max


@dataclass(frozen=True, slots=True)
class Piece:
    """A rectangle of the scene and what surrounds it.

    Parameters
    ----------
    core, window : Window
        ``window`` reaches ``STEP`` pixels farther, cut at the scene.
    valid : bool array (height, width)
        Of ``window``.
    sets : tuple of float32 arrays (components, height, width)
        The smoothed view sets of ``window``.
    drawn : int64 array (pixels,)
        Places in the core, row by row, of the pixels that belong to the sample.
    """

    core: Window
    window: Window
    valid: Mask
    sets: tuple[NDArray[np.float32], ...]
    drawn: NDArray[np.int64]

    def of_core(self, of_set: int) -> NDArray[np.float32]:
        """A set (components, pixels) of the core."""
        rows, cols = self.core.inside(self.window)
        image = self.sets[of_set][:, rows, cols]
        return np.ascontiguousarray(image).reshape(len(image), -1)

    def labels(self, of_set: int, centers: Float) -> Labels:
        """The nearest center (height, width) of every pixel of ``window``; -1 where invalid."""
        image = self.sets[of_set]
        flat = clusters_of(image.reshape(len(image), -1), centers, self.valid.reshape(-1))
        return flat.reshape(self.valid.shape)


@dataclass(frozen=True)
class ClusterTally:
    """What is added up over pieces to merge clusters.

    Parameters
    ----------
    count : int64 array (clusters,)
    sums : float64 array (clusters, components)
    pairs : int64 array (clusters, clusters)
        See :func:`rsclass.core.surroundings.neighbor_pairs`.
    """

    count: NDArray[np.int64]
    sums: Float
    pairs: NDArray[np.int64]

    def __add__(self, other: ClusterTally) -> ClusterTally:
        return ClusterTally(
            self.count + other.count, self.sums + other.sums, self.pairs + other.pairs
        )

    @classmethod
    def of(cls, piece: Piece, of_set: int, centers: Float) -> ClusterTally:
        """The tally of one piece."""
        n = len(centers)
        labels = piece.labels(of_set, centers)
        pairs = neighbor_pairs(labels, piece.window, piece.core, n)
        rows, cols = piece.core.inside(piece.window)
        inside = labels[rows, cols].reshape(-1) + 1
        count = np.bincount(inside, minlength=n + 1)[1:].astype(np.int64)
        bands = piece.of_core(of_set)
        sums: Float = np.stack([np.bincount(inside, band, n + 1)[1:] for band in bands], axis=1)
        return cls(count, sums, pairs)


class Pieces:
    """The pieces that an engine learns from, worked on by threads.

    Parameters
    ----------
    stream : PixelStream
    cores : sequence of Window
    smoothed : Smoothed
    sample : int
        Pixels to draw.
    seed, workers : int

    Attributes
    ----------
    all : list of Piece
        In row-major order.
    """

    def __init__(
        self,
        stream: PixelStream,
        cores: Sequence[Window],
        smoothed: Smoothed,
        sample: int,
        seed: int,
        workers: int,
    ) -> None:
        self.stream = stream
        self.smoothed = smoothed
        self.workers = workers
        height, width = stream.height, stream.width

        def known(core: Window) -> NDArray[np.uint64]:
            rows, cols = np.nonzero(stream.read(core).valid)
            return place_keys(rows + core.row, cols + core.col, seed)

        keys = np.concatenate(list(self._mapped(known, cores, "")))
        most = int(np.partition(keys, sample)[sample]) - 1 if len(keys) > sample else _FULL_RANGE

        def read(core: Window) -> Piece:
            window = core.grow(STEP, height, width)
            block = stream.read(window.grow(smoothed.halo, height, width))
            rows, cols = window.inside(block.window)
            valid = np.ascontiguousarray(block.valid[rows, cols])
            rows, cols = core.inside(window)
            inside = np.ascontiguousarray(valid[rows, cols]).reshape(-1)
            _, drawn = keys_below(inside, core.row, core.col, core.width, seed, most)
            return Piece(core, window, valid, tuple(smoothed(block, window)), drawn)

        self.all = list(self._mapped(read, cores, "smoothing"))

    def sample(self, of_set: int) -> NDArray[np.float32]:
        """A set (components, pixels) of the drawn pixels."""
        parts = [piece.of_core(of_set)[:, piece.drawn] for piece in self.all]
        return np.ascontiguousarray(np.concatenate(parts, axis=1))

    def tally(self, of_set: int, centers: Float, message: str) -> ClusterTally:
        """The sum over all pieces, in their order."""
        parts = self._mapped(lambda p: ClusterTally.of(p, of_set, centers), self.all, message)
        total = next(parts)
        for part in parts:
            total += part
        return total

    def spectra(self, classes: Callable[[list[NDArray[np.float32]]], Labels], n: int) -> Float:
        """Mean spectra (n, bands) in physical units of the classes of all pixels.

        Parameters
        ----------
        classes : callable
            Gives the class (pixels,) of pixels by their sets (components, pixels).
        """

        def sums(piece: Piece) -> Float:
            block = self.stream.read(piece.core)
            sets = [piece.of_core(i) for i in range(len(piece.sets))]
            of = np.where(block.valid.reshape(-1), classes(sets) + 1, 0)
            columns = [np.bincount(of, band, n + 1)[1:] for band in physical_table(block)]
            return np.stack([np.bincount(of, minlength=n + 1)[1:].astype(np.float64), *columns], 1)

        total = np.zeros((n, 1))
        for part in self._mapped(sums, self.all, "spectra of the classes"):
            total = total + part
        means: Float = total[:, 1:] / total[:, :1]
        return means

    def _mapped(self, work: Callable[[P], T], items: Sequence[P], message: str) -> Iterator[T]:
        """What ``work`` makes of every item, in their order."""
        with ThreadPoolExecutor(self.workers) as pool:
            for done, result in enumerate(pool.map(work, items), 1):
                if message:
                    self.stream.report(done, len(items), message)
                yield result


def physical_table(block: Block) -> Float:
    """Physical values (bands, pixels) of a block; 0 at invalid pixels."""
    table: Float = block.flat.astype(np.float64) * block.gain[:, None] + block.offset[:, None]
    table[:, ~block.flat_valid] = 0
    return table


def neighbors_in(
    stream: PixelStream, n_valid: int, budget: int, pairs: int, seed: int
) -> tuple[list[Window], Float]:
    """The pieces to learn from, and neighboring pixels in them.

    Parameters
    ----------
    n_valid : int
        Valid pixels of the scene.
    budget : int
        Valid pixels wanted; a smaller scene gives all it has.
    pairs : int
        About so many pairs of neighbors are wanted.
    seed : int

    Returns
    -------
    cores : list of Window
        In row-major order.
    neighbors : float64 array (2, pairs, bands)
        Physical values of pixels and of those to the right of or below them.
    """
    height, width = stream.height, stream.width
    wanted = min(budget, n_valid)
    most = min(int(_FULL_RANGE * (pairs / (2 * wanted))), _FULL_RANGE)
    cores: list[tuple[Window, Float]] = []
    total = held = 0
    for core in shuffled_chunks(height, width, seed):
        block = stream.read(core.grow(1, height, width)).cut(
            Window(core.row, core.col, *_reaching(core, height, width))
        )
        rows, cols = core.inside(block.window)
        n = int(np.count_nonzero(block.valid[rows, cols]))
        if n:
            cores.append((core, _pairs(block, core, seed, most)))
        total += n
        held += core.pixels
        stream.report(min(total, wanted), wanted, "reading training areas")
        if total >= wanted or (total and held >= _SPARSEST * max(budget, CHUNK**2)):
            break
    cores.sort(key=lambda part: part[0])
    return [core for core, _ in cores], np.concatenate([part for _, part in cores], axis=1)


def _reaching(core: Window, height: int, width: int) -> tuple[int, int]:
    """Size of the core with one more row and column, cut at the scene."""
    return min(core.height + 1, height - core.row), min(core.width + 1, width - core.col)


def _pairs(block: Block, core: Window, seed: int, most: int) -> Float:
    """Pixels whose keys are at most ``most``, and their neighbors to the right and below."""
    known = np.zeros_like(block.valid)
    rows, cols = core.inside(block.window)
    known[rows, cols] = block.valid[rows, cols]
    _, places = keys_below(known.reshape(-1), core.row, core.col, known.shape[1], seed, most)
    height, width = known.shape
    row, col = np.divmod(places, width)
    sides = []
    for down, right in ((0, 1), (1, 0)):
        inside = (row + down < height) & (col + right < width)
        r, c = row[inside], col[inside]
        both = block.valid[r + down, c + right]
        r, c = r[both], c[both]
        sides.append(np.stack([_spectra(block, r, c), _spectra(block, r + down, c + right)]))
    return np.concatenate(sides, axis=1)


def _spectra(block: Block, rows: NDArray[np.int64], cols: NDArray[np.int64]) -> Float:
    table: Float = block.values[:, rows, cols].T.astype(np.float64)
    return table * block.gain + block.offset


def piece_bytes(pixels: int, sets: int, components: int) -> int:
    """About the memory in bytes of the pieces of so many pixels."""
    border = (1 + 2 * STEP / CHUNK) ** 2
    return int((pixels + CHUNK**2) * (border * (4 * sets * components + 1) + 24))
