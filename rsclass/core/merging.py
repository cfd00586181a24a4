"""Which land-cover class each cluster of a map belongs to, and who says so, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from rsclass.core.cells import read_lines, unguard, write_lines
from rsclass.core.legend import HIGHEST_VALUE, Legend, clean_name
from rsclass.core.schema import Schema
from rsclass.errors import DataError, UsageError

__all__ = ["NOTHING", "MergeRow", "MergeTable", "listed"]

NOTHING = 0
"""The code of clusters that shall have no class in the merged map."""

_COLUMNS = ("cluster", "cluster_name", "code", "class", "by", "why")
_MOST_TOLD = 20


@dataclass(frozen=True, slots=True)
class MergeRow:
    """What becomes of one cluster.

    Parameters
    ----------
    cluster : int
        What the map stores for it.
    code : int or None
        Of the land-cover class; 0: no class; None: not decided yet.
    by, why : str
        Who decided, and on what evidence; one line each.
    cluster_name, class_name : str
        For readers; they decide nothing.
    """

    cluster: int
    code: int | None = None
    by: str = ""
    why: str = ""
    cluster_name: str = ""
    class_name: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.cluster <= HIGHEST_VALUE:
            raise DataError(
                f"cluster {self.cluster} cannot be in a map; values go from 1 to {HIGHEST_VALUE}."
            )
        if self.code is not None and not 0 <= self.code <= HIGHEST_VALUE:
            raise DataError(
                f"cluster {self.cluster} has the code {self.code}; codes go from 1 to "
                f"{HIGHEST_VALUE}, 0 is no class, and empty is not decided."
            )
        for name in ("by", "why", "cluster_name", "class_name"):
            object.__setattr__(self, name, clean_name(getattr(self, name)))


@dataclass(frozen=True)
class MergeTable:
    """One row for each cluster, sorted by cluster.

    Parameters
    ----------
    rows : tuple of MergeRow

    Raises
    ------
    DataError
        There is no row, or a cluster has two.
    """

    rows: tuple[MergeRow, ...]

    def __post_init__(self) -> None:
        rows = tuple(sorted(self.rows, key=lambda row: row.cluster))
        if not rows:
            raise DataError("the merge table has no row; it needs one for each cluster.")
        for one, other in pairwise(rows):
            if one.cluster == other.cluster:
                raise DataError(
                    f"the merge table lists cluster {one.cluster} twice, with the codes "
                    f"{_shown(one.code)} and {_shown(other.code)}; remove one of the lines."
                )
        object.__setattr__(self, "rows", rows)

    @classmethod
    def empty(cls, legend: Legend) -> MergeTable:
        """Every cluster of a map, none of them decided."""
        return cls(tuple(MergeRow(c.value, cluster_name=c.name) for c in legend))

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[MergeRow]:
        return iter(self.rows)

    @cached_property
    def _by_cluster(self) -> dict[int, MergeRow]:
        return {row.cluster: row for row in self.rows}

    def __contains__(self, cluster: object) -> bool:
        return cluster in self._by_cluster

    def __getitem__(self, cluster: int) -> MergeRow:
        """The row of a cluster.

        Raises
        ------
        KeyError
            There is none.
        """
        return self._by_cluster[cluster]

    @property
    def undecided(self) -> tuple[int, ...]:
        """Clusters without a code."""
        return tuple(row.cluster for row in self.rows if row.code is None)

    def with_rows(self, rows: Iterable[MergeRow]) -> MergeTable:
        """The same with these rows in place of those of the same clusters.

        Raises
        ------
        UsageError
            A cluster is not in the table.
        """
        new = {row.cluster: row for row in rows}
        unknown = sorted(new.keys() - self._by_cluster.keys())
        if unknown:
            raise UsageError(
                f"the merge table has no {_clusters(unknown)}; its clusters are "
                f"{listed(self._by_cluster)}."
            )
        return MergeTable(tuple(new.get(row.cluster, row) for row in self.rows))

    def named(self, schema: Schema) -> MergeTable:
        """The same with the names of the classes as ``schema`` has them."""
        return MergeTable(tuple(replace(row, class_name=_name(row, schema)) for row in self.rows))

    def codes(self, schema: Schema, legend: Legend) -> dict[int, int]:
        """The code of every cluster of a map; the table must answer for all of them.

        Raises
        ------
        DataError
            Clusters are not in the table or not decided, or the table names clusters that are not
            in the map, or codes that are not in the schema; all of them are told.
        """
        clusters = set(legend.values)
        unknown = sorted(self._by_cluster.keys() - clusters)
        if unknown:
            raise DataError(
                f"the merge table lists {_clusters(unknown)}, which the map does not have; its "
                f"classes are {listed(legend.values)}. Is the table that of another map?",
                clusters=unknown,
            )
        missing = sorted(clusters - self._by_cluster.keys())
        if missing:
            raise DataError(
                f"the merge table lacks {_clusters(missing)} of the map; add a line for each.",
                clusters=missing,
            )
        if self.undecided:
            raise DataError(
                f"the merge table gives no code to {_clusters(self.undecided)}; give each the code "
                f"of a class, or 0 for no class: --set {self.undecided[0]}=CODE.",
                clusters=list(self.undecided),
            )
        codes = {row.cluster: int(row.code or NOTHING) for row in self.rows}
        strange = sorted({code for code in codes.values() if code != NOTHING} - set(schema.codes))
        if strange:
            users = sorted(cluster for cluster, code in codes.items() if code in strange)
            raise DataError(
                f"the merge table gives {_clusters(users)} the code"
                f"{'' if len(strange) == 1 else 's'} {listed(strange)}, which the schema does "
                f"not have; its codes are {listed(schema.codes)}.",
                codes=strange,
            )
        if not any(codes.values()):
            raise DataError(
                "the merge table gives every cluster the code 0, so that no class is left."
            )
        return codes

    # -- as CSV -----------------------------------------------------------------------------

    def to_csv(self) -> str:
        """Columns ``cluster,cluster_name,code,class,by,why``; one line a cluster."""
        return write_lines(
            _COLUMNS,
            (
                (row.cluster, row.cluster_name, row.code, row.class_name, row.by, row.why)
                for row in self.rows
            ),
        )

    @classmethod
    def from_csv(
        cls,
        text: str,
        source: str = "the merge table",
        *,
        schema: Schema | None = None,
        legend: Legend | None = None,
    ) -> MergeTable:
        """Read columns ``cluster`` and ``code``, or the names of either; see :meth:`to_csv`.

        Parameters
        ----------
        text : str
        source : str
            Named in errors.
        schema : Schema, optional
            Where the code is empty, the name in ``class`` is looked up here; where both stand,
            they must agree.
        legend : Legend, optional
            Of the map. Where the cluster is empty, the name in ``cluster_name`` is looked up here.

        Raises
        ------
        DataError
            A line is no row of such a table, a name is unknown, or a cluster has two lines; lines
            are told by their numbers.
        """
        columns, lines = read_lines(text, source)
        if not (columns & {"cluster", "value", "cluster_name"} and columns & {"code", "class"}):
            raise DataError(
                f"{source} has the columns {', '.join(sorted(columns)) or '(none)'}; a merge table "
                "needs cluster and code (or class), and takes cluster_name, by and why."
            )
        rows: list[MergeRow] = []
        line_of: dict[int, int] = {}
        for number, cells in lines:
            try:
                row = _row(cells, schema, legend)
            except (DataError, UsageError) as error:
                raise DataError(f"{source}, line {number}: {error}") from error
            first = line_of.setdefault(row.cluster, number)
            if first != number:
                raise DataError(
                    f"{source} lists cluster {row.cluster} in lines {first} and {number}; remove "
                    "one of them."
                )
            rows.append(row)
        try:
            return cls(tuple(rows))
        except DataError as error:
            raise DataError(f"{source}: {error}") from error


def _row(cells: Mapping[str, str], schema: Schema | None, legend: Legend | None) -> MergeRow:
    cluster_name = clean_name(unguard(cells.get("cluster_name", "")))
    class_name = clean_name(unguard(cells.get("class", "")))
    code = cells.get("code", "").strip()
    if not code and class_name.isdecimal():
        code, class_name = class_name, ""
    row = MergeRow(
        cluster=_cluster(
            (cells.get("cluster") or cells.get("value", "")).strip(), cluster_name, legend
        ),
        code=_whole(code, "code") if code else None,
        by=unguard(cells.get("by", "")),
        why=unguard(cells.get("why", "")),
        cluster_name=cluster_name,
        class_name=class_name,
    )
    return row if schema is None else _agreed(row, schema)


def _cluster(text: str, name: str, legend: Legend | None) -> int:
    if text:
        return _whole(text, "cluster")
    if not name:
        raise DataError("it names no cluster.")
    same = [c.value for c in legend or () if c.name.casefold() == name.casefold()]
    if len(same) != 1:
        found = f"{len(same)} classes of the map have" if same else "no class of the map has"
        raise DataError(f"{found} the name {name!r}; give the cluster by its number.")
    return same[0]


def _agreed(row: MergeRow, schema: Schema) -> MergeRow:
    """A row whose code and class name are looked up, each from the other."""
    if row.code is None and row.class_name:
        found = schema.find(row.class_name)
        return replace(row, code=found.code, class_name=found.name)
    if row.code in schema and row.class_name:
        name = schema[int(row.code or 0)].name
        if name.casefold() != row.class_name.casefold():
            raise DataError(
                f"code {row.code} is {name!r} in the schema, and the line says {row.class_name!r}; "
                "correct one of them."
            )
    return row


def _name(row: MergeRow, schema: Schema) -> str:
    return schema[row.code].name if row.code is not None and row.code in schema else ""


def _whole(text: str, what: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise DataError(f"its {what} is {text!r}, which is no whole number.") from error


def _shown(code: int | None) -> str:
    return "(none)" if code is None else str(code)


def _clusters(numbers: Iterable[int]) -> str:
    every = list(numbers)
    return f"{'cluster' if len(every) == 1 else 'clusters'} {listed(every)}"


def listed(numbers: Iterable[int]) -> str:
    """Numbers for a message; of many, the first twenty."""
    every = [str(number) for number in numbers]
    more = [f"and {len(every) - _MOST_TOLD} more"] if len(every) > _MOST_TOLD else []
    return ", ".join([*every[:_MOST_TOLD], *more])
