"""The classes of a map joined to fewer, named ones, without clustering again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.joining import cut_classes, in_map_colors, lifted, own_codes, schema_of_table
from rsclass.core.legend import HIGHEST_VALUE
from rsclass.core.merging import MergeTable
from rsclass.core.schema import Schema
from rsclass.core.surroundings import STEP, neighbor_pairs
from rsclass.core.transitions import Transitions
from rsclass.core.types import Labels, Window
from rsclass.errors import DataError, UsageError
from rsclass.flow.derive import Around, Derived, derive_map
from rsclass.flow.independence import are_clusters
from rsclass.flow.maps import output_beside
from rsclass.flow.scanning import positions, refuse_unknown, scan
from rsclass.flow.signatures import map_signatures
from rsclass.io.class_map import ClassMap, open_class_map
from rsclass.io.merge_file import read_merge_table
from rsclass.io.schema_file import read_schema
from rsclass.io.sink import Writing
from rsclass.io.target import MERGE_TABLE
from rsclass.report.texts import counted
from rsclass.run.settings import Running

__all__ = ["Relabel", "merge"]

_LINES = 20


@dataclass(frozen=True, eq=False)
class Relabel:
    """Every value becomes another, wherever it stands.

    Parameters
    ----------
    lookup : int32 array (65536,)
        New value of each old one.
    """

    lookup: Labels

    @classmethod
    def of(cls, codes: dict[int, int]) -> Relabel:
        """From a mapping of old to new values; others have no class."""
        lookup = np.zeros(HIGHEST_VALUE + 2, dtype=np.int32)
        lookup[list(codes)] = list(codes.values())
        return cls(lookup)

    def __call__(self, around: Around) -> Labels:
        """The new values of the core."""
        new: Labels = self.lookup[around.cut(around.values)]
        return new


@dataclass(frozen=True)
class _Plan:
    """What becomes of each class, and how that was found."""

    table: MergeTable
    schema: Schema
    how: dict[str, Any]
    inputs: tuple[Path, ...] = ()


def merge(
    class_map: str | Path,
    out: str | Path | None = None,
    *,
    schema: Schema | str | Path | None = None,
    table: MergeTable | str | Path | None = None,
    level: int | None = None,
    to: int | None = None,
    by: str = "spectra",
    scene: Any = None,
    band: int | None = None,
    running: Running | None = None,
    writing: Writing | None = None,
) -> Derived:
    """Give the classes of a map new codes, names and colors in one pass; several may become one.

    Names, colors and statistics follow. The table that was used is written beside the new map
    (``.merged.csv``), whose recipe names the old map, its SHA-256 and its own recipe; the old map
    stays as it is, so that merging again with another table takes nothing away.

    Parameters
    ----------
    class_map : path
        A class map of rsclass or of any other software.
    out : path or None
        None: ``<map>_merged.tif`` beside the map.
    schema : Schema, path, name or None
        Land-cover classes; see :func:`rsclass.io.schema_file.read_schema`. Where it has no colors
        but the map's come from spectra, classes have the color of their largest cluster. None: the
        classes that the table names itself, in such colors.
    table : MergeTable, path or None
        Which class each cluster becomes. None, with a schema: the map's classes are
        those of the schema already, by name or else by value.
    level : int or None
        Classes of the schema are replaced by those above them on this level, from 1.
    to : int or None
        In place of a table: join the classes that are most alike until this many are left; see
        :func:`rsclass.core.joining.cut_classes`.
    by : {"spectra", "spatial"}
        With ``to``: what is alike. ``spatial``: of two classes with the same neighbors in the map
        one can stand in for the other, so they count as alike although their spectra differ; see
        :func:`rsclass.core.surroundings.spatial_merge`.
    scene : path or None
        With ``to``: the scene of the map, if nothing beside the map tells the spectra of its
        classes.
    band : int or None
        1-based, of a file with several bands.
    running : Running or None
    writing : Writing or None

    Returns
    -------
    Derived

    Raises
    ------
    UsageError
        What is asked for does not go together, or is not there.
    DataError
        The table does not answer for every class of the map, or it names clusters that the map or
        codes that the schema does not have; or a file is none of its kind.
    OutputError
        The new map cannot be written, or may not.
    """
    running, writing = running or Running(), writing or Writing()
    _check_request(schema, table, level, to, by)
    with open_class_map(class_map, band=band, report=running.progress) as opened:
        if to is not None:
            plan = _by_tree(opened, to, scene, running, by)
        else:
            plan = _by_table(opened, schema, table, level)
        codes = plan.table.codes(plan.schema, opened.legend)
        used = {code for code in codes.values() if code}
        recipe = {
            "verb": "merge",
            "codes": {str(cluster): code for cluster, code in codes.items()},
            "legend": plan.schema.legend(used).to_rows(),
            **plan.how,
        }
        return derive_map(
            opened,
            out or output_beside(opened, "merged"),
            Relabel.of(codes),
            plan.schema.legend(used),
            recipe=recipe,
            running=running,
            writing=writing,
            inputs=plan.inputs,
            message="merging classes",
            facts=lambda moves: (_facts(plan), _lines(plan, moves)),
            beside=lambda: {MERGE_TABLE: plan.table.to_csv().encode()},
        )


def _check_request(schema: Any, table: Any, level: int | None, to: int | None, by: str) -> None:
    if by not in ("spectra", "spatial"):
        raise UsageError(f"classes are joined by 'spectra' or 'spatial', not by {by!r}.")
    if to is None and by == "spatial":
        raise UsageError("joining by 'spatial' goes on until N classes are left; give --to N.")
    if to is None and table is None and schema is None:
        raise UsageError(
            "nothing says which classes become one; give --table, or --schema where the map's "
            "classes are those of the schema already, or --to N."
        )
    if to is not None and (table is not None or schema is not None):
        raise UsageError(
            "--to joins classes by their spectra alone; give it without --table and --schema."
        )
    if level is not None and schema is None:
        raise UsageError("--level is one of a schema's levels; give the schema with --schema.")


def _by_table(
    class_map: ClassMap,
    schema: Schema | str | Path | None,
    table: MergeTable | str | Path | None,
    level: int | None,
) -> _Plan:
    known = schema if isinstance(schema, Schema) or schema is None else read_schema(schema)
    files = [Path(name) for name in (schema, table) if isinstance(name, str | Path)]
    if table is None:
        assert known is not None  # noqa: S101 - asked before
        if are_clusters(class_map):
            raise DataError(
                f"the classes of {class_map.name} are clusters that nobody has named, and their "
                "numbers are no codes of a schema; say with --table what each becomes."
            )
        found = own_codes(class_map.legend, known)
    elif isinstance(table, MergeTable):
        found = table
    else:
        found = read_merge_table(table, schema=known, legend=class_map.legend)
    if known is None:
        known = schema_of_table(found, class_map.legend, _counts(class_map))
    # What the table must answer for is asked before its classes are lifted to another level.
    found.codes(known, class_map.legend)
    found = lifted(found, known, level) if level is not None else found.named(known)
    if not known.colored and class_map.statistics is not None:
        known = in_map_colors(known, found, class_map.legend, _counts(class_map))
    how = {
        "schema": known.name or (None if schema is None else str(schema)),
        "table": str(Path(table).resolve()) if isinstance(table, str | Path) else None,
        "level": level,
    }
    return _Plan(found, known, how, tuple(file for file in files if file.is_file()))


def _by_tree(class_map: ClassMap, to: int, scene: Any, running: Running, by: str) -> _Plan:
    stats = map_signatures(class_map, scene, running).stats
    pairs = _pairs_in(class_map, running) if by == "spatial" else None
    table, costs = cut_classes(class_map.legend, stats, to, pairs)
    counts = dict(zip(class_map.legend.values, stats.count.tolist(), strict=True))
    schema = schema_of_table(table, class_map.legend, counts)
    return _Plan(table, schema, {"to": to, "by": by, "costs": costs.tolist()})


def _pairs_in(class_map: ClassMap, running: Running) -> NDArray[np.int64]:
    """How often classes stand beside each other, by their places in the legend."""
    n = len(class_map.legend)
    total = np.zeros((n, n), dtype=np.int64)
    work = _Beside(class_map, positions(class_map.legend.values))
    for part in scan(class_map, [], work, running, "looking at neighbors"):
        total += part
    return total


@dataclass(frozen=True)
class _Beside:
    class_map: ClassMap
    position: Labels

    def __call__(self, core: Window, _values: Labels) -> NDArray[np.int64]:
        class_map = self.class_map
        window = core.grow(STEP, class_map.height, class_map.width)
        values = class_map.read(window)
        labels = self.position[values]
        refuse_unknown(class_map, values, labels)
        return neighbor_pairs(labels, window, core, len(class_map.legend))


def _counts(class_map: ClassMap) -> dict[int, int]:
    """Pixels of every class, as far as they are known before the pass."""
    known = class_map.statistics
    if known is None:
        return {}
    return dict(zip(known.legend.values, known.stats.count.tolist(), strict=True))


def _facts(plan: _Plan) -> dict[str, Any]:
    rows = [
        {
            "cluster": row.cluster,
            "cluster_name": row.cluster_name,
            "code": row.code,
            "class": row.class_name,
            "by": row.by,
            "why": row.why,
        }
        for row in plan.table
    ]
    return {"merged": rows, "schema": plan.how.get("schema")}


def _lines(plan: _Plan, moves: Transitions) -> tuple[str, ...]:
    """Which clusters became which class."""
    members: dict[int, list[int]] = {}
    for row in plan.table:
        members.setdefault(int(row.code or 0), []).append(row.cluster)
    nothing = members.pop(0, [])
    lines = [
        f"  {code} {plan.schema[code].name} <- {_several(clusters)}"
        for code, clusters in sorted(members.items())
    ]
    if len(lines) > _LINES:
        lines = [*lines[:_LINES], f"  and {len(lines) - _LINES} more"]
    if nothing:
        lost = int(moves.counts_before(nothing).sum())
        lines.append(f"  no class <- {_several(nothing)} ({counted(lost, 'pixel', 'pixels')})")
    return tuple(lines)


def _several(clusters: Sequence[int]) -> str:
    shown = ", ".join(map(str, clusters[:_LINES]))
    return shown if len(clusters) <= _LINES else f"{shown}, ... ({len(clusters)} clusters)"
