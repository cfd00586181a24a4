"""Fewer classes made of the classes of a map: by a table, by the levels of a schema, by a tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rsclass.core.legend import RGB, Legend, LegendClass
from rsclass.core.merging import NOTHING, MergeRow, MergeTable
from rsclass.core.naming import ClassNames, told
from rsclass.core.schema import Schema, SchemaClass
from rsclass.core.stats import ClassStats
from rsclass.core.surroundings import spatial_merge
from rsclass.core.tree import class_tree, standardized_means
from rsclass.errors import DataError, UsageError

__all__ = ["cut_classes", "in_map_colors", "lifted", "own_codes", "schema_of_table"]

_LONGEST_NAME = 60


def lifted(table: MergeTable, schema: Schema, level: int) -> MergeTable:
    """The table with every class replaced by the one above it on ``level``.

    Raises
    ------
    UsageError
        The schema has no such level.
    """
    return MergeTable(
        tuple(
            replace(row, code=schema.lifted(row.code, level).code)
            if row.code in schema and row.code is not None
            else row
            for row in table
        )
    ).named(schema)


def own_codes(legend: Legend, schema: Schema) -> MergeTable:
    """The table of a map whose classes are those of ``schema`` already.

    Where a class has the name of a class of the schema and another value, names speak for all
    classes, as in a map learned from samples; else values are codes.

    Raises
    ------
    DataError
        A class is none of the schema.
    """
    names = ClassNames(schema.legend(schema.codes))
    places = {c.value: names.find(c.name) for c in legend}
    codes = {value: names.legend.values[i] for value, i in places.items() if i is not None}
    if any(value != code for value, code in codes.items()):
        strange = [c.name for c in legend if c.value not in codes]
        if strange:
            raise DataError(
                f"the map has the classes {told(strange)}, which the schema does not name, and its "
                "values are other classes of the schema; give a merge table that says what becomes "
                "of each class."
            )
    else:
        codes = {c.value: c.value for c in legend}
        unknown = [value for value in codes if value not in schema]
        if unknown:
            raise DataError(
                f"the map has the classes {', '.join(map(str, unknown[:20]))}, which are no codes "
                "of the schema; give a merge table that says what becomes of each class."
            )
    rows = (MergeRow(c.value, codes[c.value], cluster_name=c.name) for c in legend)
    return MergeTable(tuple(rows)).named(schema)


def schema_of_table(table: MergeTable, legend: Legend, counts: Mapping[int, int]) -> Schema:
    """The classes that a table names itself, each in the color of its largest cluster.

    Parameters
    ----------
    legend : Legend
        Of the map.
    counts : mapping of cluster to pixels
        Clusters that are missing count as empty.

    Raises
    ------
    DataError
        The table gives a code two names, or a name two codes.
    """
    colors = _largest_colors(table, legend, counts)
    members: dict[int, list[MergeRow]] = {}
    for row in table:
        if row.code in colors:
            members.setdefault(row.code, []).append(row)
    classes = []
    for code, rows in members.items():
        names = list(dict.fromkeys(row.class_name for row in rows if row.class_name))
        if len(names) > 1:
            raise DataError(
                f"the merge table calls code {code} {names[0]!r} and {names[1]!r}; choose one name "
                "for it, or give a schema."
            )
        name = names[0] if names else f"class {code}"
        classes.append(SchemaClass(code, name, colors[code]))
    if not classes:
        raise DataError("the merge table gives no cluster a class, so none would be left.")
    return Schema(tuple(classes))


def in_map_colors(
    schema: Schema, table: MergeTable, legend: Legend, counts: Mapping[int, int]
) -> Schema:
    """The schema with its classes in the colors of their largest clusters, where they have any."""
    colors = _largest_colors(table, legend, counts)
    classes = (replace(c, color=colors.get(c.code, c.color)) for c in schema)
    return replace(schema, classes=tuple(classes))


def _largest_colors(table: MergeTable, legend: Legend, counts: Mapping[int, int]) -> dict[int, RGB]:
    """For each code of the table, the color of its largest cluster; of equal ones the first."""
    colors = {c.value: c.color for c in legend}
    largest: dict[int, int] = {}
    for row in table:
        if row.code and row.cluster in colors:
            other = largest.setdefault(row.code, row.cluster)
            if counts.get(row.cluster, 0) > counts.get(other, 0):
                largest[row.code] = row.cluster
    return {code: colors[cluster] for code, cluster in largest.items()}


def cut_classes(
    legend: Legend,
    stats: ClassStats,
    n_classes: int,
    pairs: NDArray[np.int64] | None = None,
) -> tuple[MergeTable, NDArray[np.float64]]:
    """The table that joins the classes of a map to ``n_classes`` by the tree of their spectra.

    Classes are numbered by their first member, named by all of them, and joined as
    :func:`rsclass.core.tree.class_tree` says, or with ``pairs`` as
    :func:`rsclass.core.surroundings.spatial_merge` does. Those without pixels get no class.

    Parameters
    ----------
    legend : Legend
    stats : ClassStats
        One row for each class of the legend.
    n_classes : int
    pairs : int64 array (classes, classes), optional
        How often classes stand beside each other.

    Returns
    -------
    MergeTable
    float64 array (merges,)
        Cost of every merge that was made: increase of the within-class sum of squares, with bands
        in units of their spread; with ``pairs`` a share, of which the lost information is a part.

    Raises
    ------
    UsageError
        There are fewer classes with pixels than ``n_classes``, or it is less than 1.
    """
    filled = np.flatnonzero(stats.count > 0)
    if not 1 <= n_classes <= len(filled):
        raise UsageError(
            f"{n_classes} classes were asked for; the map has {len(filled)} with pixels, so ask "
            f"for 1 to {len(filled)}."
        )
    count, mean, variance = stats.count[filled], stats.mean[filled], stats.std[filled] ** 2
    if pairs is None:
        tree = class_tree(count, mean, variance)
    else:
        beside = pairs[np.ix_(filled, filled)]
        tree = spatial_merge(count, standardized_means(count, mean, variance), beside)
    group = dict(zip(filled.tolist(), (tree.cut(n_classes) + 1).tolist(), strict=True))
    members: dict[int, list[LegendClass]] = {}
    for i, code in group.items():
        members.setdefault(code, []).append(legend.classes[i])
    rows = []
    for i, entry in enumerate(legend):
        code = group.get(i, NOTHING)
        why = f"tree cut at {n_classes} classes" if code else "no pixel"
        name = _joined([c.name for c in members[code]]) if code else ""
        rows.append(MergeRow(entry.value, code, "rsclass merge", why, entry.name, name))
    return MergeTable(_told_apart(rows)), tree.costs[: len(filled) - n_classes]


def _joined(names: Sequence[str]) -> str:
    """``a + b + c``, and not longer than a legend bears."""
    kept = list(names)
    while len(kept) > 1 and len(" + ".join(kept)) > _LONGEST_NAME:
        kept.pop()
    more = len(names) - len(kept)
    return " + ".join(kept) + (f" + {more} more" if more else "")


def _told_apart(rows: Sequence[MergeRow]) -> tuple[MergeRow, ...]:
    """The same with the code added to class names that would stand for two classes."""
    codes: dict[str, set[int | None]] = {}
    for row in rows:
        codes.setdefault(row.class_name.casefold(), set()).add(row.code)
    return tuple(
        replace(row, class_name=f"{row.class_name} ({row.code})")
        if row.code and len(codes[row.class_name.casefold()]) > 1
        else row
        for row in rows
    )
