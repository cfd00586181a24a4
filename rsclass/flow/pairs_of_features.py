"""What a map shows at points, in polygons and under lines of known label."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.crosstab import Crosstab
from rsclass.core.design import DESIGNS
from rsclass.core.grid import TileGrid
from rsclass.core.types import Window
from rsclass.errors import DataError, UsageError
from rsclass.flow.pairs import Asked, Pairs, Strata, Zones, strata_of_column
from rsclass.flow.scanning import LaidOver
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
    boxes = features.placed(class_map.georef).boxes
    skipped = {"without a label": len(features.without_label)}
    drawn, notes = recorded, features.notes
    if recorded is not None and asked.design is not None:
        drawn = None
        told = f"{features.name} records a {recorded.design.title}, which is not used"
        notes = (*notes, f"{told}: {DESIGNS[asked.design]} is assumed.")
    common: dict[str, Any] = {"notes": notes, "inputs": features.files}
    if np.array_equal(boxes[:, :2], boxes[:, 2:]):
        return _of_points(class_map, layer, features, zones, sizes, drawn, skipped, common)
    if zones.column is not None:
        raise UsageError(
            f"{features.name} holds polygons or lines, whose strata are a raster and no column."
        )
    units, contested, empty = _of_shapes(class_map, features, zones, sizes)
    skipped |= {"claimed by several labels": contested, "without a class in the map": empty}
    return Pairs(
        Path(features.name).name,
        "shapes",
        features.names,
        units,
        skipped,
        strata=zones.sizes(),
        **common,
    )


def _refuse_unfilled(layer: VectorLayer, column: str) -> None:
    labels = layer.labels(layer.read(column), column)
    if not any(labels):
        raise DataError(
            f"no point of {layer.name} has a label in {column!r} yet; look at each of the "
            f"{len(labels):,} places and fill the column first."
        )


def _of_points(
    class_map: ClassMap,
    layer: VectorLayer,
    features: Features,
    zones: Zones,
    sizes: NDArray[np.int64],
    drawn: DrawnUnits | None,
    skipped: dict[str, int],
    common: dict[str, Any],
) -> Pairs:
    boxes = np.floor(features.placed(class_map.georef).boxes)
    inside = (boxes[:, 0] >= 0) & (boxes[:, 0] < class_map.width)
    inside &= (boxes[:, 1] >= 0) & (boxes[:, 1] < class_map.height)
    rows, cols = (boxes[inside, axis].astype(np.int64) for axis in (1, 0))
    values = _values_at(class_map, rows, cols)
    strata, numbers = _strata_of_points(class_map, layer, features, zones, drawn)
    if zones.layer is not None:
        numbers = np.zeros(len(features), dtype=np.int64)
        numbers[inside] = _values_at(zones.layer, rows, cols)
    good = (values > 0) & ((numbers[inside] > 0) | (zones.layer is None))
    skipped |= {
        "outside of the map": int(np.count_nonzero(~inside)),
        "without a class in the map": int(np.count_nonzero(values == 0)),
        "outside of the strata": int(np.count_nonzero((values > 0) & ~good)),
    }
    units = Crosstab.of(
        numbers[inside][good], features.classes[inside][good], values[good], sizes[rows[good]]
    )
    design = drawn.design if drawn is not None and not zones.given else None
    return Pairs(
        Path(features.name).name,
        "points",
        features.names,
        units,
        skipped,
        design=design,
        strata=strata,
        **common,
    )


def _strata_of_points(
    class_map: ClassMap,
    layer: VectorLayer,
    features: Features,
    zones: Zones,
    drawn: DrawnUnits | None,
) -> tuple[Strata, NDArray[np.int64]]:
    if zones.layer is not None:
        return zones.sizes(), np.zeros(0, dtype=np.int64)
    if zones.column is not None:
        texts = layer.labels(frame := layer.read(zones.column), zones.column)
        of = dict(zip(frame.index.tolist(), texts, strict=True))
        return strata_of_column([of[i] for i in features.ids], len(features), class_map)
    if drawn is None:
        return {}, np.zeros(len(features), dtype=np.int64)
    own = layer.read(ID)[ID]
    stratum = dict(zip(drawn.ids.tolist(), drawn.strata.tolist(), strict=True))
    ids = [int(own.loc[i]) for i in features.ids]
    strange = [i for i in ids if i not in stratum]
    if strange:
        raise DataError(
            f"{layer.name} holds points that its design does not know, such as {ID} {strange[0]}; "
            "a point that was added by hand is not part of the random sample. Remove it, or state "
            "the design with --assume-design."
        )
    strata: Strata = {s.value: (s.name, s.pixels) for s in drawn.design.strata}
    return strata, np.array([stratum[i] for i in ids], dtype=np.int64)


def _values_at(
    layer: ClassMap | LaidOver, rows: NDArray[np.int64], cols: NDArray[np.int64]
) -> NDArray[np.int64]:
    """What a map shows at places inside it; blocks without a place are not read."""
    values = np.zeros(len(rows), dtype=np.int64)
    whole = layer if isinstance(layer, ClassMap) else layer.class_map
    reach = Window(0, 0, whole.height, whole.width)
    blocks = np.stack([rows // _BLOCK, cols // _BLOCK], axis=1)
    for block in np.unique(blocks, axis=0):
        here = np.flatnonzero((blocks == block).all(axis=1))
        row, col = (int(part) * _BLOCK for part in block)
        height, width = _BLOCK, _BLOCK
        if isinstance(layer, ClassMap):
            height, width = min(height, reach.height - row), min(width, reach.width - col)
        found = layer.read(Window(row, col, height, width))
        values[here] = found[rows[here] - row, cols[here] - col]
    return values


def _of_shapes(
    class_map: ClassMap, features: Features, zones: Zones, sizes: NDArray[np.int64]
) -> tuple[Crosstab, int, int]:
    """Pixels inside of polygons and under lines; how many are contested, and how many no class."""
    total, contested, empty = Crosstab.none(), 0, 0
    placed = features.placed(class_map.georef)
    for window in placed.touched(TileGrid(class_map.height, class_map.width, _BLOCK, _BLOCK)):
        owner = features.burn(window, class_map.georef)
        values = class_map.read(window)
        contested += int(np.count_nonzero(owner == -2))
        empty += int(np.count_nonzero((owner >= 0) & (values == 0)))
        good = (owner >= 0) & (values > 0)
        strata = np.zeros(values.shape, dtype=np.int32)
        if zones.layer is not None:
            strata = zones.layer.read(window)
            good &= strata > 0
        areas = np.broadcast_to(sizes[window.row : window.row_end, None], values.shape)
        total += Crosstab.of(strata[good], features.classes[owner[good]], values[good], areas[good])
    return total, contested, empty
