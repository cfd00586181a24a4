"""One pass over a scene that labels every pixel and adds up the classes' signatures."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.colors import display_bands
from rsclass.core.grid import TileGrid, canonical_side, split
from rsclass.core.ground import Ground
from rsclass.core.rows import RowSums
from rsclass.core.stats import ClassStats, ClassTally, tally_bytes
from rsclass.core.types import Block, Float, Labels, Window
from rsclass.errors import MemoryLimitError
from rsclass.flow.confidence import patches
from rsclass.flow.models import Model
from rsclass.flow.stream import SceneStream, UnitReader
from rsclass.io.sheets import BadBlock
from rsclass.io.writing import class_dtype
from rsclass.run.memory import WorkPlan, plan_work
from rsclass.run.ordered import ordered_map

Known = dict[str, NDArray[Any]]
"""``classes`` and layers of a window."""

Found = tuple[Labels, dict[str, NDArray[np.float32]]]

THUMBNAIL = 640
"""Pixels of the longer side of the pictures in the report."""


@dataclass(frozen=True)
class BlockTally:
    """Signatures and areas of the classes of one canonical block.

    Parameters
    ----------
    classes : ClassTally
    weight : int64 array (classes,)
        Pixels, weighted by what a pixel of their row weighs on the ground.
    rejected : int
        Valid pixels without a class.
    """

    classes: ClassTally
    weight: NDArray[np.int64]
    rejected: int

    def __add__(self, other: BlockTally) -> BlockTally:
        return BlockTally(
            self.classes + other.classes,
            self.weight + other.weight,
            self.rejected + other.rejected,
        )


@dataclass(frozen=True)
class Piece:
    """One labelled window.

    Parameters
    ----------
    window : Window
    classes : int32 array (height, width)
        Index into the map's values; -1 is no class.
    layers : dict of str to float32 array
    tallies : list of (row, BlockTally)
        One for each canonical block, with the row it starts at.
    picture : tuple of arrays
        Every n-th pixel: labels, stored values of three bands, validity.
    bad : tuple of BadBlock
        Stored blocks that this worker could not decode so far.
    seen : list of Block
        The patches that were met, with what surrounds them.
    """

    window: Window
    classes: Labels
    layers: dict[str, NDArray[np.float32]]
    tallies: list[tuple[int, BlockTally]]
    picture: tuple[Labels, NDArray[Any], NDArray[np.bool_]]
    bad: tuple[BadBlock, ...]
    seen: list[Block]


@dataclass(frozen=True)
class Labeller:
    """Labels units; travels to the workers.

    Parameters
    ----------
    reader : UnitReader
    model : Model
    layers : tuple of str
        Asked for by the user.
    min_confidence, max_distance : float or None
        Pixels beyond get no class.
    ground : Ground
    origin : float64 array (bands,)
        Stored values near the middle of each band.
    step : int
        The picture holds every ``step``-th pixel.
    shown : tuple of int
        Bands of the picture.
    patches : tuple of Window
        Pixels to be kept; see :attr:`Labelled.seen`.
    """

    reader: UnitReader
    model: Model
    layers: tuple[str, ...]
    min_confidence: float | None
    max_distance: float | None
    ground: Ground
    origin: Float
    step: int
    shown: tuple[int, ...]
    patches: tuple[Window, ...]

    def __call__(self, task: tuple[Window, Known | None]) -> Piece:
        """Label a window, or only add up what an earlier run has labelled there."""
        window, known = task
        source = self.reader.source
        if known is not None:
            found = known["classes"], {name: known[name] for name in self.layers}
            decoded = blocks = self.reader.blocks(window)
        elif self.model.engine.halo:
            halo = self.model.engine.halo
            around = source.read(window.grow(halo, source.height, source.width))
            found = self._label(around, window)
            blocks = [around.cut(part) for part in split(window, self.reader.side)]
            decoded = [around]
        else:
            decoded = blocks = self.reader.blocks(window)
            found = self._joined([self._label(block, block.window) for block in blocks], window)
        classes, layers = found
        tallies = [
            (block.window.row, self._tally(block, classes[block.window.inside(window)]))
            for block in blocks
        ]
        picture = self._picture(blocks, classes, window)
        seen = [
            block.cut(patch).compact()
            for block in decoded
            for patch in self.patches
            if patch.within(block.window)
        ]
        return Piece(window, classes, layers, tallies, picture, tuple(source.bad_windows), seen)

    def _tally(self, block: Block, classes: Labels) -> BlockTally:
        tally = ClassTally.of(block, classes, self.model.engine.n_classes_, self.origin)
        rejected = int(np.count_nonzero(block.valid)) - int(tally.count.sum())
        return BlockTally(tally, self._weight(tally.count, classes, block.window), rejected)

    def _weight(
        self, count: NDArray[np.int64], classes: Labels, window: Window
    ) -> NDArray[np.int64]:
        if self.ground.even:
            return count
        weight = np.zeros(len(count), dtype=np.int64)
        for row, pixel in zip(
            classes, self.ground.weights[window.row : window.row_end], strict=True
        ):
            weight += np.bincount(row[row >= 0], minlength=len(count)) * pixel
        return weight

    def _label(self, block: Block, window: Window) -> tuple[Labels, dict[str, NDArray[np.float32]]]:
        needed = set(self.layers)
        if self.min_confidence is not None:
            needed.add("confidence")
        if self.max_distance is not None:
            needed.add("distance")
        found = self.model.engine.predict_block(block, window, needed)
        order = self.model.order
        classes = found.labels
        if (order != np.arange(len(order))).any():
            rank = np.append(np.argsort(order), -1).astype(np.int32)
            classes = rank[classes]
        if self.min_confidence is not None:
            classes[~(found.layers["confidence"] >= self.min_confidence)] = -1
        if self.max_distance is not None:
            classes[~(found.layers["distance"] <= self.max_distance)] = -1
        layers = {name: found.layers[name] for name in self.layers}
        if "membership" in layers:
            layers["membership"] = layers["membership"][order]
        return classes, layers

    def _joined(self, parts: list[Found], window: Window) -> Found:
        if len(parts) == 1:
            return parts[0]
        places = [part.inside(window) for part in split(window, self.reader.side)]
        classes = np.empty((window.height, window.width), dtype=np.int32)
        layers: dict[str, NDArray[np.float32]] = {}
        for place, (own, own_layers) in zip(places, parts, strict=True):
            classes[place] = own
            for name, layer in own_layers.items():
                if name not in layers:
                    layers[name] = np.empty((*layer.shape[:-2], *classes.shape), layer.dtype)
                layers[name][(..., *place)] = layer
        return classes, layers

    def _picture(
        self, blocks: list[Block], classes: Labels, window: Window
    ) -> tuple[Labels, NDArray[Any], NDArray[np.bool_]]:
        rows = np.arange(-window.row % self.step, window.height, self.step)
        cols = np.arange(-window.col % self.step, window.width, self.step)
        values = np.empty((len(self.shown), len(rows), len(cols)), blocks[0].values.dtype)
        valid = np.empty((len(rows), len(cols)), dtype=np.bool_)
        for block in blocks:
            place = block.window.inside(window)
            lines, columns = (
                np.flatnonzero((at >= span.start) & (at < span.stop))
                for at, span in zip((rows, cols), place, strict=True)
            )
            here = np.ix_(rows[lines] - place[0].start, cols[columns] - place[1].start)
            there = np.ix_(lines, columns)
            valid[there] = block.valid[here]
            for layer, band in zip(values, self.shown, strict=True):
                layer[there] = block.values[band][here]
        return classes[np.ix_(rows, cols)], values, valid


@dataclass(frozen=True)
class Labelled:
    """What the pass found besides the map itself.

    Parameters
    ----------
    stats : ClassStats
        In the order of the map's values.
    hectares : float64 array (classes,)
        NaN where the scene does not tell how large a pixel is.
    picture_classes : int32 array
        Every n-th pixel of the map, as indices; -1 is no class.
    picture_values : float64 array (3 bands, height, width)
        Physical values of the same pixels; NaN where invalid.
    bad : list of BadBlock
        Stored blocks that could not be decoded and are nodata in the map.
    rejected : int
        Valid pixels without a class.
    seen : dict of Window to Block
        The pixels of those patches for :func:`rsclass.flow.confidence.confidence_histogram` that
        lay in one piece.
    """

    stats: ClassStats
    hectares: Float
    picture_classes: Labels
    picture_values: Float
    bad: list[BadBlock]
    rejected: int = 0
    seen: dict[Window, Block] = field(default_factory=dict)


def label_scene(
    stream: SceneStream,
    model: Model,
    *,
    layers: tuple[str, ...],
    min_confidence: float | None,
    max_distance: float | None,
    write: Callable[[Piece], None],
    known: Callable[[Window], Known | None] = lambda _: None,
) -> Labelled:
    """Label every pixel; ``write`` is called with each piece, from this thread, in raster order.

    Parameters
    ----------
    known : callable
        What an earlier, interrupted run has found for a window, or None.
    """
    try:
        plan = plan_labelling(stream, model, layers)
    except MemoryLimitError:
        # Kept blocks and samples are a convenience.
        stream.forget()
        plan = plan_labelling(stream, model, layers)
    grid = TileGrid(stream.height, stream.width, plan.tile_height, plan.tile_width)
    step = math.ceil(max(stream.height, stream.width) / THUMBNAIL)
    gain = np.array([b.gain for b in stream.bands])
    offset = np.array([b.offset for b in stream.bands])
    origin = (model.engine.signatures().mean(axis=0) - offset) / gain
    shown = display_bands(model.bands)
    ground = Ground.of_rows(stream.source.pixel_areas(), stream.height)
    labeller = Labeller(
        stream.reader,
        model,
        layers,
        min_confidence,
        max_distance,
        ground,
        origin,
        step,
        shown,
        tuple(around for _, around in patches(stream, model)),
    )
    size = (math.ceil(stream.height / step), math.ceil(stream.width / step))
    picture_classes = np.full(size, -1, dtype=np.int32)
    picture_values = np.full((len(shown), *size), np.nan)
    sums: RowSums[BlockTally] = RowSums()
    bad: set[BadBlock] = set()
    seen: dict[Window, Block] = {}
    tasks = ((window, known(window)) for window in grid)
    pieces = ordered_map(stream.executor, labeller, tasks, plan.ahead)
    for done, piece in enumerate(pieces, 1):
        write(piece)
        bad.update(piece.bad)
        seen |= {block.window: block for block in piece.seen}
        sums.complete_above(piece.window.row)
        for row, tally in piece.tallies:
            sums.add(row, tally)
        small, values, valid = piece.picture
        top, left = (-(-at // step) for at in (piece.window.row, piece.window.col))
        place = (slice(top, top + small.shape[0]), slice(left, left + small.shape[1]))
        picture_classes[place] = small
        chosen = list(shown)
        physical = values * gain[chosen, None, None] + offset[chosen, None, None]
        picture_values[(slice(None), *place)] = np.where(valid, physical, np.nan)
        stream.report(done, len(grid), "classifying")
    total = sums.total()
    stats = total.classes.finish(stream.bands, origin)
    hectares = ground.of_weights(total.weight)
    return Labelled(
        stats,
        hectares,
        picture_classes,
        picture_values,
        sorted(bad, key=_place),
        total.rejected,
        seen,
    )


def plan_labelling(stream: SceneStream, model: Model, layers: tuple[str, ...]) -> WorkPlan:
    """How the labelling pass is cut."""
    stored = stream.source.dtype.itemsize * len(stream.bands)
    tally = tally_bytes(model.engine.n_classes_, len(stream.bands))
    of_pixel = 3.0 * stored + 16 + model.engine.label_bytes(layers)
    return plan_work(
        stream.running,
        height=stream.height,
        width=stream.width,
        # Tiles of a network start at multiples of its own block.
        side=math.lcm(stream.side, model.engine.block),
        bytes_per_pixel=of_pixel + tally / stream.side**2,
        # The sum so far, that of the current row, and a sum of the two in the making.
        fixed_bytes=3 * tally + _waiting_bytes(stream, model, layers),
        striped=stream.source.striped and model.engine.halo == 0,
        stored=stream.source.storage_block,
        low=True,
    )


def _waiting_bytes(stream: SceneStream, model: Model, layers: tuple[str, ...]) -> int:
    """Pixels that wait in the outputs because a row of a file's blocks is not complete."""
    n_classes = model.engine.n_classes_
    sizes = [class_dtype(max(model.legend.values)).itemsize]
    sizes += [4 * (n_classes if layer == "membership" else 1) for layer in layers]
    # Blocks as high as the units go out as they come.
    others = [size for size in sizes if canonical_side(size) != stream.side]
    rows = [max(canonical_side(size), stream.side) for size in others]
    return sum(size * row * stream.width for size, row in zip(others, rows, strict=True))


def _place(block: BadBlock) -> tuple[str, Window]:
    return block.file, block.window
