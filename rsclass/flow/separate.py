"""How well the classes of a map or model can be told apart, and which may be one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from rsclass.core.cells import write_lines
from rsclass.core.legend import Legend
from rsclass.core.measures import DEFAULT, MEASURES, check_measure
from rsclass.core.mergers import Merger, mergers
from rsclass.core.separability import separability
from rsclass.core.stats import ClassStats
from rsclass.core.tree import Tree, class_tree, merge_losses
from rsclass.core.types import Float
from rsclass.errors import DataError
from rsclass.flow.outputs import now
from rsclass.flow.signatures import Signatures, signatures_of
from rsclass.io.target import Target
from rsclass.report.texts import counted, three_digits
from rsclass.run.settings import Running

__all__ = ["Separated", "separate"]

MOST_CLASSES = 500
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
                | {key: _known(table[i, j]) for key, table in self.tables.items()}
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
        width = max(map(len, self.files), default=0)
        lines += [f"  {kind:<{width}}  {path}" for kind, path in self.files.items()]
        return "\n".join(lines)

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


def separate(
    path: str | Path,
    *,
    measure: str = DEFAULT,
    scene: Any = None,
    table: str | Path | None = None,
    report: str | Path | None = None,
    overwrite: bool = False,
    running: Running | None = None,
    command: str | None = None,
) -> Separated:
    """Tell how well the classes of a map or a model can be told apart, and which may be one.

    Parameters
    ----------
    path : path
        A class map, or a model (``.safetensors``).
    measure : str, default="jm"
        By which pairs are ranked: see :data:`rsclass.core.measures.MEASURES`. The default is
        the Jeffries-Matusita distance ``2 (1 - e^-B)`` from 0 to 2; ``jm-root`` is its other
        convention, from 0 to 1.414.
    scene : path, list of paths or None
        The scene, where the signatures of the classes are not known; see
        :func:`rsclass.flow.signatures.signatures_of`.
    table : path or None
        Where to write all pairs as CSV.
    report : path or None
        Where to write a page with dendrogram, heat map and spectra as HTML.
    overwrite : bool
        Whether these may replace what stands there.
    running : Running or None
    command : str or None
        The command line, for the report.

    Returns
    -------
    Separated
        Nothing is merged.

    Raises
    ------
    UsageError
        The measure is unknown.
    DataError
        The signatures are not known and the scene is not there, or not that of the map.
    OutputError
        A file exists or cannot be written.
    """
    check_measure(measure)
    asked = {"table": table, "report": report}
    wanted = {kind: Path(place) for kind, place in asked.items() if place is not None}
    with ExitStack() as stack:
        targets = {
            kind: stack.enter_context(Target(place, [path], overwrite=overwrite, belongings=()))
            for kind, place in wanted.items()
        }
        found = separated(Path(path), signatures_of(path, scene, running), measure, wanted)
        if "table" in targets:
            targets["table"].put(found.to_csv().encode())
        if "report" in targets:
            targets["report"].put(_page(found, command))
    return found


def separated(
    path: Path, signatures: Signatures, measure: str, files: dict[str, Path]
) -> Separated:
    """The separability of classes whose signatures are known."""
    legend, stats = signatures.legend, signatures.stats
    if len(legend) > MOST_CLASSES:
        raise DataError(
            f"{path} has {len(legend):,} classes, and separability is told of {MOST_CLASSES} at "
            "most; join some with 'rsclass merge' first."
        )
    # One thread, because a matrix library may round otherwise with several.
    with threadpool_limits(1):
        found = separability(stats.mean, stats.covariance, stats.count, legend.names)
    present = stats.count > 0
    variance = stats.std**2
    losses = np.full((len(legend), len(legend)), np.nan)
    inner = np.ix_(present, present)
    if present.any():
        losses[inner] = merge_losses(stats.count[present], stats.mean[present], variance[present])
    tree = class_tree(stats.count, stats.mean, variance) if present.all() else None
    return Separated(
        path=path,
        measure=measure,
        legend=legend,
        stats=stats,
        hectares=signatures.hectares,
        tables=found.tables,
        tree=tree if len(legend) > 1 else None,
        mergers=mergers(legend.names, stats.count, found.tables, losses),
        source=signatures.source,
        files=files,
        warnings=[*signatures.warnings, *found.notes],
    )


def _page(found: Separated, command: str | None) -> bytes:
    from rsclass.report.separation import SeparationData, separation_page

    facts = {
        "command": command,
        "of": str(found.path),
        "signatures": found.source,
        "covariances": "unbiased: divisor n - 1",
        "bands": ", ".join(band.name for band in found.stats.bands),
    }
    return separation_page(
        SeparationData(
            name=found.path.name,
            legend=found.legend,
            stats=found.stats,
            measure=found.measure,
            table=found.tables[found.measure],
            pairs=[
                {"one": i, "other": j}
                | {key: _known(table[i, j]) for key, table in found.tables.items()}
                for i, j in found.pairs
            ],
            mergers=found.mergers,
            hectares=found.hectares,
            tree=found.tree,
            warnings=found.warnings,
            facts={name: value for name, value in facts.items() if value},
            created=now(),
        )
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
