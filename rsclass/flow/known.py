"""Pixels of a scene whose class a reference tells: drawn features, or a raster of classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.sampling import place_keys
from rsclass.core.training import TrainingSet
from rsclass.errors import DataError, UsageError
from rsclass.flow.pairs import Asked
from rsclass.flow.reference import vector_layer
from rsclass.flow.scanning import laid_over, positions
from rsclass.flow.stream import SceneStream
from rsclass.flow.training import Training, collect
from rsclass.io.class_map import open_class_map

__all__ = ["Known", "known_pixels"]


@dataclass(frozen=True)
class Known:
    """Pixels whose class is known.

    Parameters
    ----------
    name : str
        Of the reference.
    pixels : TrainingSet
    warnings : list of str
    """

    name: str
    pixels: TrainingSet
    warnings: list[str]


def known_pixels(stream: SceneStream, asked: Asked, per_class: int, seed: int) -> Known:
    """The valid pixels of ``stream`` of which a reference tells the class.

    Parameters
    ----------
    asked : Asked
        The reference, and how it is read.
    per_class : int
        Pixels of a class at most, chosen by place and seed.

    Raises
    ------
    UsageError
        A column has to be named, or is named for a raster.
    DataError
        The reference cannot be read or laid over the scene, or knows fewer than two classes.
    """
    layer = vector_layer(asked)
    if layer is None:
        if asked.field is not None:
            raise UsageError(f"{asked.path} is a raster, which has no columns; leave out --field.")
        return _of_raster(stream, asked, per_class, seed)
    if asked.field is None:
        raise UsageError(
            f"say which column of {layer.name} holds the labels with --field; its columns: "
            f"{', '.join(layer.fields)}."
        )
    training = Training(
        asked.path,
        asked.field,
        layer=asked.layer,
        vector_crs=asked.vector_crs,
        encoding=asked.encoding,
        per_class=per_class,
        allow_missed=True,
    )
    samples = collect(stream, training, seed)
    samples.check_unchanged()
    return Known(samples.features.name, samples.pixels, samples.warnings)


def _of_raster(stream: SceneStream, asked: Asked, per_class: int, seed: int) -> Known:
    source = stream.source
    with open_class_map(asked.path, report=stream.running.progress) as reference:
        laid, notes = laid_over(source, reference)
        legend, position = reference.legend, positions(reference.legend.values)
        drawn = _Drawn(len(legend), per_class, seed)
        for block in stream.scan("reading the reference"):
            classes = position[laid.read(block.window)]
            rows, cols = np.nonzero((classes >= 0) & block.valid)
            values = block.values[:, rows, cols].T.astype(np.float64) * block.gain + block.offset
            at = (rows + block.window.row, cols + block.window.col)
            drawn.add(classes[rows, cols], *at, values)
        warnings = [*reference.warnings, *notes]
        names = tuple(
            str(c.value) if c.name == f"class {c.value}" else c.name for c in reference.legend
        )
        name = reference.name
    classes, rows, cols, values = drawn.whole()
    present, places = np.unique(classes, return_inverse=True)
    if len(present) < 2:
        raise DataError(
            f"{name} tells {len(present)} classes of the valid pixels of {source.name}; two or "
            "more are needed."
        )
    pixels = TrainingSet(
        values,
        places.astype(np.int32),
        np.arange(len(places)),
        rows,
        cols,
        tuple(names[i] for i in present),
    )
    return Known(name, pixels, warnings)


class _Drawn:
    """The pixels of each class with the smallest keys of seed and place, so far."""

    def __init__(self, n_classes: int, per_class: int, seed: int) -> None:
        self.n_classes, self.per_class, self.seed = n_classes, per_class, seed
        self._parts: list[tuple[NDArray[Any], ...]] = []
        self._held = 0

    def add(self, *part: NDArray[Any]) -> None:
        """Take classes, rows, columns and values of more pixels."""
        self._parts.append(part)
        self._held += len(part[0])
        if self._held > 2 * self.n_classes * self.per_class:
            self._parts = [self._limited()]
            self._held = len(self._parts[0][0])

    def whole(self) -> tuple[NDArray[Any], ...]:
        """The same of all, row by row."""
        classes, rows, cols, values = self._limited()
        order = np.lexsort((cols, rows))
        return classes[order], rows[order], cols[order], values[order]

    def _limited(self) -> tuple[NDArray[Any], ...]:
        columns = [np.concatenate(column) for column in zip(*self._parts, strict=True)]
        classes, rows, cols, _ = columns
        order = np.lexsort((place_keys(rows, cols, self.seed), classes))
        rank = np.arange(len(order)) - np.searchsorted(classes[order], classes[order])
        chosen = order[rank < self.per_class]
        return tuple(column[chosen] for column in columns)
