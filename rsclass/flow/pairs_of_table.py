"""Labels of map and reference from a CSV table."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rsclass.core.crosstab import Crosstab
from rsclass.core.naming import ClassNames, told
from rsclass.errors import DataError, UsageError
from rsclass.flow.pairs import Asked, Pairs, Strata, Zones, strata_of_column
from rsclass.io.class_map import ClassMap
from rsclass.io.label_table import MAP, LabelTable
from rsclass.io.samples import REFERENCE

__all__ = ["pairs_of_table"]


def pairs_of_table(class_map: ClassMap, table: LabelTable, asked: Asked, zones: Zones) -> Pairs:
    """Take labels of map and reference from a table: one line a unit, or ``count`` units a line.

    Raises
    ------
    UsageError
        A column does not exist, or strata are a raster.
    DataError
        The map's labels are none of its classes, or counts are no whole numbers.
    """
    if zones.layer is not None:
        raise UsageError(
            f"{table.name} is a table without places, so a raster of strata says nothing of it; "
            "name a column of the table."
        )
    texts = _column(table, asked.field or REFERENCE)
    strata: Strata = {}
    numbers = np.zeros(len(table), dtype=np.int64)
    if zones.column is not None:
        strata, numbers = strata_of_column(_column(table, zones.column))
    times = _counts(table)
    names = ClassNames(class_map.legend)
    mapped_texts = table.cells[MAP]
    found = {text: names.find(text) for text in dict.fromkeys(mapped_texts) if text}
    strange = [text for text, at in found.items() if at is None]
    if strange:
        raise DataError(
            f"the column {MAP!r} of {table.name} holds {told(strange)}, which is no class of "
            f"{class_map.name}; its classes are {names.described()}."
        )
    values = np.array(
        [class_map.legend.values[found[text] or 0] if text else 0 for text in mapped_texts]
    )
    labels = tuple(dict.fromkeys(text for text in texts if text))
    position = {text: i for i, text in enumerate(labels)}
    at = np.array([position.get(text, -1) for text in texts], dtype=np.int64)
    good = (at >= 0) & (values > 0)
    units = Crosstab.of(
        np.repeat(numbers[good], times[good]),
        np.repeat(at[good], times[good]),
        np.repeat(values[good], times[good]),
        np.ones(int(times[good].sum()), dtype=np.int64),
    )
    return Pairs(
        table.name,
        "table",
        labels,
        units,
        {
            "without a label": int(times[at < 0].sum()),
            "without a class in the map": int(times[(at >= 0) & (values == 0)].sum()),
        },
        strata=strata,
        inputs=(str(asked.path),),
    )


def _column(table: LabelTable, name: str) -> list[str]:
    if name.lower() not in table.columns:
        raise UsageError(
            f"{table.name} has no column {name!r}; its columns: {', '.join(table.columns)}."
        )
    return table.cells[name.lower()]


def _counts(table: LabelTable) -> NDArray[np.int64]:
    """How many units each line stands for."""
    if "count" not in table.columns:
        return np.ones(len(table), dtype=np.int64)
    try:
        counts = np.array([int(text or 0) for text in table.cells["count"]], dtype=np.int64)
    except ValueError as error:
        raise DataError(
            f"the column 'count' of {table.name} holds something else than whole numbers."
        ) from error
    if (counts < 0).any():
        raise DataError(f"the column 'count' of {table.name} holds a negative number.")
    return counts
