"""The parts of a scene that a network learns from, held in memory.

The scene is cut into chunks by its size alone; chunks are drawn by place until they hold as many
pixels as asked, so the same pixels serve whatever the tiles and workers of the run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rsclass.core.chunks import CHUNK, chunk_windows, shuffled_chunks
from rsclass.core.sampling import place_keys
from rsclass.core.types import Block, Float, Labels, Mask, Readable, Window
from rsclass.deep.scaling import Scaling

__all__ = [
    "CHUNK",
    "TILE",
    "Chunk",
    "TilePlaces",
    "TrainingArea",
    "area_bytes",
    "chunk_windows",
    "padded",
    "smoothed",
]

A = TypeVar("A", bound=np.generic)

TILE = 32
SPARSEST = 2  # pixels of the areas for each pixel of the budget: areas may be mostly masked
SMOOTHING = 2  # pixels on each side of the window of means
_PIXEL_BYTES = 100  # of a pixel: masks, indices, labels and, for a while, its place and key


@dataclass(frozen=True, slots=True)
class Chunk:
    """One rectangle of the scene.

    Parameters
    ----------
    window : Window
    inputs : float32 array (channels, height + 2 margin, width + 2 margin)
        0 at invalid pixels; mirrored beyond the scene's edge.
    valid : bool array (height + 2 margin, width + 2 margin)
    usable : bool array (height, width)
        The whole receptive field is valid.
    first : int
        Where the chunk's pixels begin in flat label arrays, row by row.
    """

    window: Window
    inputs: NDArray[np.float32]
    valid: Mask
    usable: Mask
    first: int

    @property
    def place(self) -> slice:
        """Where the chunk's pixels lie in flat arrays."""
        return slice(self.first, self.first + self.window.pixels)


@dataclass(frozen=True, slots=True)
class TilePlaces:
    """Tiles of equal size: index of the chunk, and first row and column inside it."""

    chunk: NDArray[np.int64]
    row: NDArray[np.int64]
    col: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.chunk)

    def take(self, places: NDArray[np.int64]) -> TilePlaces:
        """Some of them."""
        return TilePlaces(self.chunk[places], self.row[places], self.col[places])


class TrainingArea:
    """Chunks of a scene with what is needed to cut tiles and patches out of them.

    Parameters
    ----------
    stream : Readable
    scaling : Scaling
    halo : int
        Pixels of context on each side of a pixel.
    budget : int
        Pixels wanted; a smaller scene gives all it has.
    seed : int

    Attributes
    ----------
    chunks : list of Chunk
        In row-major order.
    margin : int
        Pixels around the core that every chunk holds, at least ``halo``.
    largest : tuple of int
        Height and width of the largest tile that fits into every chunk.
    tile : tuple of int
        Height and width of a training tile.
    strict : bool
        Only pixels whose whole receptive field is valid are usable; False where no pixel of the
        scene has one, and every valid pixel is used.
    """

    def __init__(
        self, stream: Readable, scaling: Scaling, halo: int, budget: int, seed: int
    ) -> None:
        self.halo = halo
        self.margin = max(halo, SMOOTHING)
        self.chunks, self.strict = self._read(stream, scaling, budget, seed)
        self.size = sum(chunk.window.pixels for chunk in self.chunks)
        self.largest = (
            min(chunk.window.height for chunk in self.chunks),
            min(chunk.window.width for chunk in self.chunks),
        )
        self.tile = (min(TILE, self.largest[0]), min(TILE, self.largest[1]))
        self.usable: Mask = np.concatenate([chunk.usable.reshape(-1) for chunk in self.chunks])
        self.pixels = np.flatnonzero(self.usable)
        self._firsts = np.array([chunk.first for chunk in self.chunks])

    def _read(
        self, stream: Readable, scaling: Scaling, budget: int, seed: int
    ) -> tuple[list[Chunk], bool]:
        height, width = stream.height, stream.width
        limit = min(budget, height * width)
        found: list[tuple[Window, NDArray[np.float32], Mask, Mask]] = []
        lenient: list[tuple[Window, NDArray[np.float32], Mask, Mask]] = []
        total = held = 0
        for window in shuffled_chunks(height, width, seed):
            block = stream.read(window.grow(self.margin, height, width))
            inputs, valid = padded(block, window, self.margin, scaling)
            usable = _whole(_core(valid, self.margin - self.halo), self.halo)
            core = _core(valid, self.margin)
            if usable.any():
                found.append((window, inputs, valid, usable))
                total += int(usable.sum())
                held += window.pixels
            elif core.any() and not found and sum(w.pixels for w, *_ in lenient) < budget:
                lenient.append((window, inputs, valid, core.copy()))
            stream.report(min(total, limit), limit, "reading training areas")
            if total >= budget or held >= SPARSEST * budget:
                break
        chosen = sorted(found or lenient, key=lambda part: part[0])
        firsts = np.cumsum([0] + [window.pixels for window, *_ in chosen])
        chunks = [Chunk(*part, int(first)) for part, first in zip(chosen, firsts, strict=False)]
        return chunks, bool(found)

    def flat(self, per_chunk: Sequence[NDArray[np.int32]]) -> Labels:
        """Labels (pixels of all chunks,) from one array a chunk; -1 where not usable."""
        labels = np.concatenate([part.reshape(-1) for part in per_chunk]).astype(np.int32)
        labels[~self.usable] = -1
        return labels

    def locate(self, pixels: NDArray[np.int64]) -> TilePlaces:
        """The chunk, row and column of flat pixel indices."""
        chunk = np.searchsorted(self._firsts, pixels, side="right") - 1
        width = np.array([c.window.width for c in self.chunks])[chunk]
        row, col = np.divmod(pixels - self._firsts[chunk], width)
        return TilePlaces(chunk, row, col)

    def scatter_tiles(
        self, n: int, rng: np.random.Generator, size: tuple[int, int] | None = None
    ) -> TilePlaces:
        """``n`` tiles at random offsets, each around a usable pixel drawn at random.

        Parameters
        ----------
        size : (int, int), optional
            Height and width where they are not those of a training tile; at most ``largest``.
        """
        at = self.locate(rng.choice(self.pixels, size=n))
        height, width = size or self.tile
        limit_row = np.array([c.window.height for c in self.chunks])[at.chunk] - height
        limit_col = np.array([c.window.width for c in self.chunks])[at.chunk] - width
        row = np.clip(at.row - rng.integers(0, height, size=n), 0, limit_row)
        col = np.clip(at.col - rng.integers(0, width, size=n), 0, limit_col)
        return TilePlaces(at.chunk, row, col)

    def draw_pixels(self, n: int, seed: int) -> NDArray[np.int64]:
        """At most ``n`` usable pixels by the smallest keys of their places in the scene."""
        if n >= len(self.pixels):
            return self.pixels
        at = self.locate(self.pixels)
        row = at.row + np.array([c.window.row for c in self.chunks])[at.chunk]
        col = at.col + np.array([c.window.col for c in self.chunks])[at.chunk]
        keys = place_keys(row, col, seed)
        return self.pixels[np.sort(np.argpartition(keys, n - 1)[:n])]

    def cut(self, places: TilePlaces, height: int, width: int) -> NDArray[np.float32]:
        """Inputs (tiles, channels, height + 2 halo, width + 2 halo) of tiles."""
        shift, h, w = self.margin - self.halo, height + 2 * self.halo, width + 2 * self.halo
        return np.stack(
            [
                self.chunks[i].inputs[:, r : r + h, c : c + w]
                for i, r, c in zip(
                    places.chunk, places.row + shift, places.col + shift, strict=True
                )
            ]
        )

    def cut_labels(self, flat: Labels, places: TilePlaces, height: int, width: int) -> Labels:
        """Labels (tiles, height, width) of tiles."""
        tiles = np.empty((len(places), height, width), dtype=np.int32)
        for t, (i, r, c) in enumerate(zip(places.chunk, places.row, places.col, strict=True)):
            chunk = self.chunks[i]
            image = flat[chunk.place].reshape(chunk.usable.shape)
            tiles[t] = image[r : r + height, c : c + width]
        return tiles

    def whole(self, chunk: Chunk) -> NDArray[np.float32]:
        """Inputs (channels, height + 2 halo, width + 2 halo) of a whole chunk."""
        return _core(chunk.inputs, self.margin - self.halo)

    def center(self, chunk: Chunk) -> NDArray[np.float32]:
        """Inputs (channels, height, width) of the pixels of a chunk."""
        return _core(chunk.inputs, self.margin)

    def smoothed(self, chunk: Chunk) -> NDArray[np.float32]:
        """Means (channels, height, width) of the valid inputs in windows of 5 x 5 pixels."""
        extra = self.margin - SMOOTHING
        return smoothed(_core(chunk.inputs, extra), _core(chunk.valid, extra), SMOOTHING)

    def gather(
        self, pixels: NDArray[np.int64], image: Callable[[Chunk], NDArray[np.float32]]
    ) -> Float:
        """Table (pixels, channels) of what ``image`` shows at flat pixel indices in order."""
        parts = []
        for chunk in self.chunks:
            bounds = np.searchsorted(pixels, [chunk.place.start, chunk.place.stop])
            inside = pixels[bounds[0] : bounds[1]] - chunk.first
            if len(inside):
                picture = image(chunk)
                parts.append(picture.reshape(len(picture), -1)[:, inside].T.astype(np.float64))
        return np.ascontiguousarray(np.concatenate(parts))


def area_bytes(channels: int, halo: int, pixels: int) -> int:
    """About the memory in bytes of a training area of so many pixels, and of work on it."""
    border = (1 + 2 * max(halo, SMOOTHING) / CHUNK) ** 2
    return int((pixels + CHUNK**2) * (border * (4 * channels + 1) + _PIXEL_BYTES))


def padded(
    block: Block, core: Window, margin: int, scaling: Scaling
) -> tuple[NDArray[np.float32], Mask]:
    """Inputs and validity of ``core`` and ``margin`` pixels around it.

    ``block`` covers that much, cut at the scene; what lies beyond is mirrored.
    """
    inner = block.window
    reach = (
        (max(inner.row - core.row + margin, 0), max(core.row_end + margin - inner.row_end, 0)),
        (max(inner.col - core.col + margin, 0), max(core.col_end + margin - inner.col_end, 0)),
    )
    inputs = scaling.inputs(block)
    if not any(map(any, reach)):
        return inputs, block.valid
    return (
        np.pad(inputs, ((0, 0), *reach), mode="reflect"),
        np.pad(block.valid, reach, mode="reflect"),
    )


def smoothed(inputs: NDArray[np.float32], valid: Mask, radius: int) -> NDArray[np.float32]:
    """Means over the valid pixels of windows of ``2 radius + 1``; the border is lost, 0 if none."""
    count = _window_sum(valid[None].astype(np.float32), radius)
    total = _window_sum(inputs * valid, radius)
    total /= np.maximum(count, 1)
    return total


def _window_sum(image: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    side = 2 * radius + 1
    height, width = image.shape[1] - 2 * radius, image.shape[2] - 2 * radius
    rows = image[:, :height].copy()
    for i in range(1, side):
        rows += image[:, i : i + height]
    total = rows[:, :, :width].copy()
    for i in range(1, side):
        total += rows[:, :, i : i + width]
    return total


def _whole(valid: Mask, halo: int) -> Mask:
    """Whether all of the window around a pixel is valid; loses ``halo`` pixels on each side."""
    height, width = valid.shape[0] - 2 * halo, valid.shape[1] - 2 * halo
    rows = np.logical_and.reduce([valid[i : i + height] for i in range(2 * halo + 1)])
    whole: Mask = np.logical_and.reduce([rows[:, i : i + width] for i in range(2 * halo + 1)])
    return whole


def _core(image: NDArray[A], border: int) -> NDArray[A]:
    return image[..., border : image.shape[-2] - border, border : image.shape[-1] - border]
