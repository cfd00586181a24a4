"""How much of a reference the features of a model tell, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from rsclass.core.clusters import ClusterFit
from rsclass.core.folds import block_numbers, group_folds
from rsclass.core.grid import split
from rsclass.core.sampling import place_keys
from rsclass.core.training import TrainingSet
from rsclass.core.types import Block, Labels, Window
from rsclass.deep.patches import smoothed
from rsclass.engines.base import Engine
from rsclass.errors import DataError, UsageError
from rsclass.flow.known import known_pixels
from rsclass.flow.models import Model
from rsclass.flow.outputs import now
from rsclass.flow.pairs import Asked
from rsclass.flow.predict import open_matching
from rsclass.flow.probed import Probed, Row
from rsclass.flow.scene import open_stream
from rsclass.flow.stream import SceneStream
from rsclass.io.source import Reading
from rsclass.io.target import Target
from rsclass.run.ordered import ordered_map
from rsclass.run.settings import Running

__all__ = ["PER_CLASS", "Probed", "probe"]

PER_CLASS = 500
"""Pixels of a class that probes see, at most."""

FOLDS = 5
_TILE = 128
_MEANS = 2  # pixels on each side of the window of means
_WIDEST_BLOCK = 50
_COUNTED = 10**6  # pixels whose classes are counted


def probe(
    model: str | Path | Model,
    scene: Any,
    reference: str | Path,
    *,
    field: str | None = None,
    layer: str | None = None,
    vector_crs: str | None = None,
    encoding: str | None = None,
    per_class: int = PER_CLASS,
    folds: int = FOLDS,
    block_size: int | None = None,
    seed: int = 0,
    table: str | Path | None = None,
    report: str | Path | None = None,
    overwrite: bool = False,
    reading: Reading | None = None,
    running: Running | None = None,
    command: str | None = None,
) -> Probed:
    """Judge what a model has learned by simple classifiers on its frozen features.

    The evaluation of the UIC paper (arXiv:2006.11480) for pixels: multinomial logistic regression,
    5 nearest neighbors and prototypes of 1, 5 and 10 pixels of each class, on each layer of the
    network, beside the same on raw spectra and on means of 5 x 5 pixels. Pixels that teach and
    pixels that are judged lie in different squares of the scene, and farther apart than two
    receptive fields overlap.

    Parameters
    ----------
    model : path or Model
        Of any method; one without a network is probed by its memberships.
    scene, reading, running
        As for :func:`rsclass.predict`.
    reference : path
        Polygons, lines or points with labels in ``field``, or a raster of classes.
    field, layer, vector_crs, encoding : str or None
        Of a vector reference, as for :class:`rsclass.Training`.
    per_class : int, default=500
        Pixels of a class at most, chosen by place and seed.
    folds : int, default=5
        Parts, each of which is judged by what the others teach.
    block_size : int or None
        Side of the squares in pixels; None: an eighth of the scene, at most 50 and at least thrice
        the distance that parts keep.
    seed : int
    table, report : path or None
        Where to write all scores as CSV, and a page with figures as HTML.
    overwrite : bool
        Whether these may replace what stands there.
    command : str or None
        The command line, for the report.

    Returns
    -------
    Probed

    Raises
    ------
    UsageError
        A column has to be named, or a number is impossible.
    DataError
        The reference cannot be read or laid over the scene, or cannot be parted.
    OutputError
        A file exists or cannot be written.
    """
    _check(per_class, folds, block_size)
    running = running or Running()
    trained = model if isinstance(model, Model) else Model.read(model)
    asked = Asked(reference, field, layer, vector_crs, encoding)
    places = {"table": table, "report": report}
    wanted = {kind: Path(place) for kind, place in places.items() if place is not None}
    inputs = [str(reference), *([] if isinstance(model, Model) else [str(model)])]
    source = open_matching(scene, reading or Reading(), trained)
    try:
        with ExitStack() as stack:
            targets = {
                kind: stack.enter_context(
                    Target(place, [*source.files, *inputs], overwrite=overwrite, belongings=())
                )
                for kind, place in wanted.items()
            }
            stream = stack.enter_context(open_stream(source, running))
            trained.engine.use_machine(running.workers, running.device)
            met = trained.engine.meet(stream)
            known = known_pixels(stream, asked, per_class, seed)
            found = _Probing(stream, trained, known.pixels, folds, block_size, seed).probed(
                "model" if isinstance(model, Model) else str(model), known.name, wanted
            )
            found.warnings[:0] = [*source.warnings, *met, *known.warnings]
            source.check_unchanged()
            if "table" in targets:
                targets["table"].put(found.to_csv().encode())
            if "report" in targets:
                targets["report"].put(_page(found, trained, command))
            return found
    finally:
        source.close()


def _check(per_class: int, folds: int, block_size: int | None) -> None:
    for name, value, least in (
        ("--samples-per-class", per_class, 2),
        ("--folds", folds, 2),
        ("--block-size", 1 if block_size is None else block_size, 1),
    ):
        if value < least:
            raise UsageError(f"{name} is {value}; it must be {least} or more.")


@dataclass(frozen=True)
class _Probing:
    """A model, the pixels of known class that it is judged by, and how they are parted."""

    stream: SceneStream
    model: Model
    pixels: TrainingSet
    folds: int
    block_size: int | None
    seed: int

    @property
    def reach(self) -> int:
        """Pixels by which places may lie apart and still see a pixel in common."""
        return 2 * max(self.model.engine.halo, _MEANS)

    @property
    def side(self) -> int:
        """Of the squares that are never parted."""
        if self.block_size is not None:
            return self.block_size
        eighth = min(self.stream.height, self.stream.width) // 8
        return max(min(eighth, _WIDEST_BLOCK), 3 * self.reach)

    def probed(self, name: str, reference: str, files: dict[str, Path]) -> Probed:
        from rsclass.core.probes import Probes, apart, cluster_table, probe_features

        pixels, engine = self.pixels, self.model.engine
        groups = block_numbers(pixels, self.side)
        n_groups = len(np.unique(groups))
        if n_groups < self.folds:
            raise DataError(
                f"the reference lies in {n_groups} squares of {self.side} pixels, too few for "
                f"{self.folds} parts; ask for fewer with --folds, or smaller ones with "
                "--block-size."
            )
        fold_of = group_folds(pixels.classes, groups, self.folds, self.seed)
        parts = apart(pixels.rows, pixels.cols, fold_of, self.reach)
        if not parts:
            raise DataError(
                f"every pixel of the reference lies within {self.reach} pixels of one that would "
                "be judged, so none can teach; ask for larger parts with --block-size or --folds."
            )
        labels, seen = self._look()
        probes = Probes(seed=self.seed)
        rows = []
        with threadpool_limits(1):  # a matrix library may round otherwise with several threads
            for done, (kind, features) in enumerate(seen.items(), 1):
                scores = probe_features(features, pixels.classes, parts, probes)
                rows.append(Row(kind, features.shape[1], done <= len(_REFERENCES), scores))
                self.stream.report(done, len(seen), "probing")
        fits = {"classes": self._fit(cluster_table, labels)}
        if "logits" in seen:
            best = seen["logits"].argmax(axis=1)
            counts = cluster_table(pixels.classes, best, pixels.n_classes, seen["logits"].shape[1])
            numbers = tuple(range(1, counts.shape[1] + 1))
            fits["clusters"] = ClusterFit(counts, pixels.names, tuple(map(str, numbers)), numbers)
        return Probed(
            path=Path(name),
            scene=self.stream.source.name,
            reference=reference,
            method=engine.method,
            names=pixels.names,
            pixels=pixels.counts,
            parts=len(parts),
            block_size=self.side,
            reach=self.reach,
            rows=rows,
            fits=fits,
            history=engine.history_,
            legend=self.model.legend,
            sizes=self._sizes(),
            files=files,
            warnings=self._never_judged(parts),
        )

    def _look(self) -> tuple[Labels, dict[str, NDArray[np.floating]]]:
        """The class of every pixel, and all features (pixels, dimensions) by name."""
        rows, cols = self.pixels.rows, self.pixels.cols
        tile_of = rows // _TILE * (self.stream.width // _TILE + 1) + cols // _TILE
        order = np.argsort(tile_of, kind="stable")
        starts = np.flatnonzero(np.diff(tile_of[order])) + 1
        groups = np.split(order, starts)
        task = partial(_look_at, self.stream, self.model.engine)
        tiles = [(rows[group], cols[group]) for group in groups]
        executor = self.stream.executor if self.stream.running.scheduler is None else None
        parts = []
        for done, part in enumerate(ordered_map(executor, task, tiles, self.stream.plan.ahead), 1):
            parts.append(part)
            self.stream.report(done, len(tiles), "reading features")
        back = np.argsort(order, kind="stable")
        whole = {name: np.concatenate([part[name] for part in parts])[back] for name in parts[0]}
        return whole.pop("labels")[:, 0].astype(np.int32), whole

    def _fit(self, tabled: Any, labels: Labels) -> ClusterFit:
        legend, values = self.model.legend, self.model.values
        names = {entry.value: entry.name for entry in legend}
        counts = tabled(self.pixels.classes, labels, self.pixels.n_classes, len(values))
        return ClusterFit(counts, self.pixels.names, tuple(names[v] for v in values), values)

    def _sizes(self) -> NDArray[np.int64]:
        """Pixels (classes,) of each class of the legend, counted in tiles drawn over the scene."""
        stream, engine = self.stream, self.model.engine
        height, width = stream.height, stream.width
        tiles = list(split(Window(0, 0, height, width), _TILE))
        corners = np.array([(tile.row, tile.col) for tile in tiles])
        order = np.argsort(place_keys(corners[:, 0], corners[:, 1], self.seed), kind="stable")
        counts = np.zeros(engine.n_classes_, dtype=np.int64)
        held = 0
        for place in order:
            tile = tiles[place]
            block = stream.read(tile.grow(engine.halo, height, width))
            labels = engine.predict_block(block, tile).labels
            counts += np.bincount(labels[labels >= 0], minlength=len(counts))
            held += tile.pixels
            stream.report(min(held, _COUNTED), min(height * width, _COUNTED), "counting classes")
            if held >= _COUNTED:
                break
        return counts[self.model.order]

    def _never_judged(self, parts: Sequence[Any]) -> list[str]:
        """Says which classes lie where nothing could teach them."""
        judged = set()
        for part in parts:
            both = set(self.pixels.classes[part.judged]) & set(self.pixels.classes[part.taught])
            judged |= both
        lost = [name for i, name in enumerate(self.pixels.names) if i not in judged]
        if not lost:
            return []
        return [
            f"all pixels of {', '.join(lost)} lie together, so no probe is judged by them; a "
            "smaller --block-size may part them."
        ]


_REFERENCES = ("spectra", "5 x 5 means")


def _look_at(
    stream: SceneStream, engine: Engine, places: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> dict[str, NDArray[np.floating]]:
    """Features and labels (pixels, dimensions) of places in one tile."""
    rows, cols = places
    top, left = int(rows[0]) // _TILE * _TILE, int(cols[0]) // _TILE * _TILE
    height, width = stream.height, stream.width
    tile = Window(top, left, min(_TILE, height - top), min(_TILE, width - left))
    block = stream.read(tile.grow(max(engine.halo, _MEANS), height, width))
    at = (rows - top, cols - left)
    core = block.cut(tile)
    spectra = core.values[:, at[0], at[1]].T.astype(np.float64) * block.gain + block.offset
    seen: dict[str, NDArray[np.floating]] = dict(
        zip(_REFERENCES, (spectra, _means(block, tile)[:, at[0], at[1]].T), strict=True)
    )
    layers = engine.layer_features(block, tile)
    told = () if layers or "membership" not in engine.layers else ("membership",)
    prediction = engine.predict_block(block, tile, told)
    layers |= prediction.layers
    seen |= {name: np.ascontiguousarray(image[:, at[0], at[1]].T) for name, image in layers.items()}
    return seen | {"labels": prediction.labels[at][:, None].astype(np.float64)}


def _means(block: Block, tile: Window) -> NDArray[np.floating]:
    """Means (bands, height, width) of the valid physical values in windows of 5 x 5 pixels."""
    gain, offset = block.gain[:, None, None], block.offset[:, None, None]
    values = np.where(block.valid, block.values.astype(np.float64) * gain + offset, 0.0)
    outer = block.window
    reach = (
        (_MEANS - (tile.row - outer.row), _MEANS - (outer.row_end - tile.row_end)),
        (_MEANS - (tile.col - outer.col), _MEANS - (outer.col_end - tile.col_end)),
    )
    # A halo wider than that of the means is cut, the scene's edge is padded without data.
    cut = tuple(slice(max(-a, 0), n - max(-b, 0)) for (a, b), n in zip(reach, block.valid.shape))  # noqa: B905
    pad = tuple((max(a, 0), max(b, 0)) for a, b in reach)
    inner, valid = values[(slice(None), *cut)], block.valid[cut]
    return smoothed(np.pad(inner, ((0, 0), *pad)), np.pad(valid, pad), _MEANS)


def _page(found: Probed, model: Model, command: str | None) -> bytes:
    from rsclass.report.probe import ProbeData, probe_page

    facts = {
        "command": command,
        "model": str(found.path),
        "scene": found.scene,
        "reference": found.reference,
        "pixels": ", ".join(
            f"{name} {count:,}" for name, count in zip(found.names, found.pixels, strict=True)
        ),
        "parts": f"{found.parts}, of squares of {found.block_size} pixels, more than "
        f"{found.reach} pixels apart",
    }
    return probe_page(
        ProbeData(
            name=found.path.name,
            title=model.engine.title,
            rows=found.rows,
            fits={kind: (fit.table.shape[1], fit.scores) for kind, fit in found.fits.items()},
            history=found.history,
            legend=found.legend,
            sizes=found.sizes,
            warnings=found.warnings,
            facts={name: value for name, value in facts.items() if value},
            created=now(),
        )
    )
