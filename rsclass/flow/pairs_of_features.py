"""What a map shows at points, in polygons and under lines of known label."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rsclass.core.crosstab import Crosstab
from rsclass.core.design import DESIGNS
from rsclass.core.grid import TileGrid
from rsclass.core.types import Window
from rsclass.errors import DataError, UsageError
from rsclass.flow.pairs import Asked, Pairs, Strata, Zones, strata_of_column
from rsclass.flow.scanning import LaidOver
from rsclass.io.burning import CONTESTED
from rsclass.io.class_map import ClassMap
from rsclass.io.layers import VectorLayer
from rsclass.io.samples import ID, REFERENCE, DrawnUnits, read_design
from rsclass.io.vectors import Features, read_features

__all__ = ["pairs_of_features"]

_BLOCK = 512


def pairs_of_features(
    class_map: ClassMap,
    layer: VectorLayer,
    asked: Asked,
    zones: Zones,
    sizes: NDArray[np.int64],
) -> Pairs:
    """Look up what the map shows at each point, or in every pixel of polygons and lines.

    Parameters
    ----------
    layer : VectorLayer
        Of the file ``asked.path``.
    zones : Zones
    sizes : int64 array (height,)
        Area of a unit of each row; see :func:`rsclass.flow.pairs.unit_areas`.

    Raises
    ------
    UsageError
        A column does not exist or has to be named, or polygons have a column of strata.
    DataError
        The features cannot be laid over the map, or are not those of the recorded design.
    """
    column = asked.field or (REFERENCE if REFERENCE in layer.fields else None)
    if column is None:
        raise UsageError(
            f"say which column of {layer.name} holds the labels with --field; its columns: "
            f"{', '.join(layer.fields)}."
        )
    recorded = read_design(layer)
    if recorded is not None:
        _refuse_unfilled(layer, column)
    features = read_features(
        asked.path,
        column,
        georef=class_map.georef,
        layer=asked.layer,
        crs=asked.vector_crs,
        encoding=asked.encoding,
    )
    features.refuse_beside(class_map.georef, class_map.height, class_map.width, class_map.name)
    notes = features.notes
    if recorded is not None and asked.design is not None:
        told = f"{features.name} records a {recorded.design.title}, which is not used"
        notes = (*notes, f"{told}: {DESIGNS[asked.design]} is assumed.")
        recorded = None
    laid = _LaidDown(class_map, layer, features, zones, sizes)
    boxes = features.placed(class_map.georef).boxes
    are_points = np.array_equal(boxes[:, :2], boxes[:, 2:])
    pairs = laid.points(recorded) if are_points else laid.shapes()
    unlabelled = {"without a label": len(features.without_label)}
    return replace(
        pairs,
        skipped=unlabelled | pairs.skipped,
        notes=notes,
        inputs=features.files,
        layer=features.layer,
    )


def _refuse_unfilled(layer: VectorLayer, column: str) -> None:
    labels = layer.labels(layer.read(column), column)
    if not any(labels):
        raise DataError(
            f"no point of {layer.name} has a label in {column!r} yet; look at each of the "
            f"{len(labels):,} places and fill the column first."
        )


@dataclass(frozen=True)
class _LaidDown:
    """Features on the pixels of a map."""

    class_map: ClassMap
    layer: VectorLayer
    features: Features
    zones: Zones
    sizes: NDArray[np.int64]

    @property
    def name(self) -> str:
        return Path(self.features.name).name

    def points(self, drawn: DrawnUnits | None) -> Pairs:
        """The pixel that each point falls into."""
        class_map, zones = self.class_map, self.zones
        boxes = np.floor(self.features.placed(class_map.georef).boxes)
        inside = (boxes[:, 0] >= 0) & (boxes[:, 0] < class_map.width)
        inside &= (boxes[:, 1] >= 0) & (boxes[:, 1] < class_map.height)
        rows, cols = (boxes[inside, axis].astype(np.int64) for axis in (1, 0))
        values = _values_at(class_map, rows, cols)
        if zones.layer is not None:
            strata, numbers = zones.sizes(), _values_at(zones.layer, rows, cols)
        else:
            strata, every = self._strata(drawn)
            numbers = every[inside]
        good = (values > 0) & ((numbers > 0) | (zones.layer is None))
        labels = self.features.classes[inside]
        return Pairs(
            self.name,
            "points",
            self.features.names,
            Crosstab.of(numbers[good], labels[good], values[good], self.sizes[rows[good]]),
            {
                "outside of the map": int(np.count_nonzero(~inside)),
                "without a class in the map": int(np.count_nonzero(values == 0)),
                "outside of the strata": int(np.count_nonzero((values > 0) & ~good)),
            },
            design=None if drawn is None or zones.given else drawn.design,
            strata=strata,
        )

    def _strata(self, drawn: DrawnUnits | None) -> tuple[Strata, NDArray[np.int64]]:
        """The stratum of each point, by a column or by the recorded design."""
        if self.zones.column is not None:
            frame = self.layer.read(self.zones.column)
            texts = self.layer.labels(frame, self.zones.column)
            text_of = dict(zip(frame.index.tolist(), texts, strict=True))
            return strata_of_column([text_of[i] for i in self.features.ids])
        if drawn is None:
            return {}, np.zeros(len(self.features), dtype=np.int64)
        id_of = self.layer.read(ID)[ID]
        ids = [int(id_of.loc[i]) for i in self.features.ids]
        stratum_of = dict(zip(drawn.ids.tolist(), drawn.strata.tolist(), strict=True))
        strange = [i for i in ids if i not in stratum_of]
        if strange:
            raise DataError(
                f"{self.name} holds points that its design does not know, such as {ID} "
                f"{strange[0]}; a point that was added by hand is not part of the random sample. "
                "Remove it, or state the design with --assume-design."
            )
        strata: Strata = {s.value: (s.name, s.pixels) for s in drawn.design.strata}
        return strata, np.array([stratum_of[i] for i in ids], dtype=np.int64)

    def shapes(self) -> Pairs:
        """Every pixel inside of polygons and under lines."""
        if self.zones.column is not None:
            raise UsageError(
                f"{self.name} holds polygons or lines, whose strata are a raster and no column."
            )
        class_map = self.class_map
        total, contested, empty = Crosstab.none(), 0, 0
        grid = TileGrid(class_map.height, class_map.width, _BLOCK, _BLOCK)
        for window in self.features.placed(class_map.georef).touched(grid):
            owner = self.features.burn(window, class_map.georef)
            values = class_map.read(window)
            contested += int(np.count_nonzero(owner == CONTESTED))
            empty += int(np.count_nonzero((owner >= 0) & (values == 0)))
            good = (owner >= 0) & (values > 0)
            strata = np.zeros(values.shape, dtype=np.int32)
            if self.zones.layer is not None:
                strata = self.zones.layer.read(window)
                good &= strata > 0
            areas = np.broadcast_to(self.sizes[window.row : window.row_end, None], values.shape)
            labels = self.features.classes[owner[good]]
            total += Crosstab.of(strata[good], labels, values[good], areas[good])
        return Pairs(
            self.name,
            "shapes",
            self.features.names,
            total,
            {"claimed by several labels": contested, "without a class in the map": empty},
            strata=self.zones.sizes(),
        )


def _values_at(
    layer: ClassMap | LaidOver, rows: NDArray[np.int64], cols: NDArray[np.int64]
) -> NDArray[np.int64]:
    """What a map shows at places inside it; blocks without a place are not read."""
    values = np.zeros(len(rows), dtype=np.int64)
    order = np.lexsort((cols // _BLOCK, rows // _BLOCK))
    blocks = np.stack([rows[order], cols[order]]) // _BLOCK
    starts = np.flatnonzero(np.any(np.diff(blocks, axis=1), axis=0)) + 1
    for here in np.split(order, starts) if len(order) else ():
        top, left = rows[here].min(), cols[here].min()
        height, width = rows[here].max() - top + 1, cols[here].max() - left + 1
        found = layer.read(Window(int(top), int(left), int(height), int(width)))
        values[here] = found[rows[here] - top, cols[here] - left]
    return values
