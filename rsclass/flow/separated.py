"""The separability of classes, as a verb gives it back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from rsclass.core.cells import write_lines
from rsclass.core.legend import Legend
from rsclass.core.measures import MEASURES
from rsclass.core.mergers import Merger
from rsclass.core.stats import ClassStats
from rsclass.core.tree import Tree
from rsclass.core.types import Float
from rsclass.report.summaries import file_lines
from rsclass.report.texts import counted, three_digits

__all__ = ["Separated"]

_LINES = 10
_WIDEST_NAME = 24


@dataclass(frozen=True)
class Separated:
    """The separability of classes.

    Attributes
    ----------
    path : Path
        The map or model.
    measure : str
        By which pairs are ranked.
    legend : Legend
    stats : ClassStats
        One row for each class of the legend.
    hectares : float64 array (classes,) or None
        NaN where unknown.
    tables : dict of str to float64 array (classes, classes)
        Every measure of :data:`rsclass.core.measures.MEASURES`; NaN where unknown.
    tree : Tree or None
        Its leaves are the classes of the legend; None where one has no pixel.
    mergers : list of Merger
        Classes that may be one, the least separable pair first.
    source : str
        Where the signatures come from.
    files : dict of str to Path
        What was written: ``table``, ``report``.
    warnings : list of str
    """

    path: Path
    measure: str
    legend: Legend
    stats: ClassStats
    hectares: Float | None
    tables: dict[str, Float]
    tree: Tree | None
    mergers: list[Merger]
    source: str
    files: dict[str, Path]
    warnings: list[str]

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Places of every two classes, the least separable first and the unknown last."""
        n, table = len(self.legend), self.tables[self.measure]
        pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
        return sorted(pairs, key=lambda pair: _rank(float(table[pair])))

    def values_of(self, i: int, j: int) -> dict[str, float | None]:
        """Every measure between two classes; None where it is unknown."""
        return {key: _known(table[i, j]) for key, table in self.tables.items()}

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        names, values = self.legend.names, self.legend.values
        total = max(int(self.stats.count.sum()), 1)
        return {
            "path": str(self.path),
            "files": {kind: str(path) for kind, path in self.files.items()},
            "measure": self.measure,
            "measures": {
                key: {"title": one.title, "unit": one.unit} for key, one in MEASURES.items()
            },
            "signatures": self.source,
            "classes": [
                row | {"pixels": int(count), "share": int(count) / total}
                for row, count in zip(self.legend.to_rows(), self.stats.count, strict=True)
            ],
            "pairs": [
                {"classes": [values[i], values[j]], "names": [names[i], names[j]]}
                | self.values_of(i, j)
                for i, j in self.pairs
            ],
            "suggestions": [
                {
                    "classes": [values[m.one], values[m.other]],
                    "names": [names[m.one], names[m.other]],
                    "reasons": list(m.reasons),
                    "loss": _known(m.loss),
                }
                for m in self.mergers
            ],
            "tree": [] if self.tree is None else _steps(self.tree, values),
            "warnings": self.warnings,
        }

    def to_csv(self) -> str:
        """One line for each pair of classes with every measure, the least separable first."""
        names, values = self.legend.names, self.legend.values
        reasons = {(m.one, m.other): "; ".join(m.reasons) for m in self.mergers}
        columns = ["value_1", "name_1", "value_2", "name_2", *self.tables, "merge_because"]
        return write_lines(
            [column.replace("-", "_") for column in columns],
            (
                (
                    *(values[i], names[i], values[j], names[j]),
                    *(_six_digits(table[i, j]) for table in self.tables.values()),
                    reasons.get((i, j), ""),
                )
                for i, j in self.pairs
            ),
        )

    def summary(self) -> str:
        """A few lines for people."""
        measure, pairs = MEASURES[self.measure], self.pairs
        head = f"{counted(len(self.legend), 'class', 'classes')} of {self.path}, from {self.source}"
        if not pairs:
            return f"{head}: no pair to tell apart."
        lines = [f"{head}.", f"Least separable by {measure.title} ({measure.unit}):"]
        lines += [
            f"  {three_digits(float(self.tables[self.measure][i, j])):>7}  {self._pair(i, j)}"
            for i, j in pairs[:_LINES]
        ]
        more = len(pairs) - _LINES
        lines += [f"           and {counted(more, 'more pair', 'more pairs')}"] if more > 0 else []
        lines += self._suggested()
        return "\n".join(lines + file_lines(self.files))

    def _suggested(self) -> list[str]:
        if not self.mergers:
            return ["No pair asks to be merged."]
        lines = ["These may be one; nothing is merged here:"]
        for m in self.mergers[:_LINES]:
            lines += [f"  {self._pair(m.one, m.other)}: {'; '.join(m.reasons)}."]
        more = len(self.mergers) - _LINES
        return lines + ([f"  and {more} more."] if more > 0 else [])

    def _pair(self, i: int, j: int) -> str:
        one, other = ([self.legend.values[k], _cut(self.legend.names[k])] for k in (i, j))
        return f"{one[0]} {one[1]} - {other[0]} {other[1]}"

    def _repr_html_(self) -> str:
        title = escape(MEASURES[self.measure].title)
        rows = "".join(
            f"<tr><td>{escape(self._pair(i, j))}</td>"
            f"<td>{three_digits(float(self.tables[self.measure][i, j]))}</td></tr>"
            for i, j in self.pairs[:_LINES]
        )
        return (
            f"<p>{escape(str(self.path))}</p><table><tr><th>classes</th><th>{title}</th></tr>"
            f"{rows}</table>"
        )


def _steps(tree: Tree, values: Sequence[int]) -> list[dict[str, Any]]:
    """Each merger of the dendrogram: the map's values on both sides, and what remains."""
    members = [[value] for value in values]
    steps = []
    for step, (a, b) in enumerate(tree.merges):
        steps.append(
            {
                "joins": [members[a], members[b]],
                "classes": tree.leaves - step - 1,
                "cost": float(tree.costs[step]),
            }
        )
        members.append(sorted([*members[a], *members[b]]))
    return steps


def _rank(value: float) -> float:
    return math.inf if math.isnan(value) else value


def _known(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)


def _six_digits(value: Any) -> str:
    return "" if np.isnan(value) else f"{value:.6g}"


def _cut(name: str) -> str:
    return name if len(name) <= _WIDEST_NAME else name[: _WIDEST_NAME - 1] + "…"
