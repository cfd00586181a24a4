"""What an assessment gives back, and how it is told."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rsclass.core.accuracy import Accuracy, ClassAccuracy, Figure
from rsclass.core.cells import write_lines
from rsclass.core.clusters import ClusterFit
from rsclass.core.confusion import known
from rsclass.core.naming import told
from rsclass.errors import UsageError
from rsclass.flow.designs import Basis
from rsclass.report.accuracy_texts import area_text, kappa_text, number_text, share_text
from rsclass.report.summaries import aligned, cut, file_lines
from rsclass.report.texts import counted, hectares_text

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Assessed"]

_OF_ALL = ("overall", "kappa", "f1", "iou", "nmi", "ari", "purity", "paired")
_OF_CLASS = ("users", "producers", "f1", "iou")
_LINES = 40


@dataclass(frozen=True)
class Assessed:
    """How right a map is.

    Attributes
    ----------
    path : Path
        The map.
    reference : str
        Its name.
    kind : {"points", "shapes", "raster", "table"}
        What the reference is; ``shapes`` are polygons and lines.
    clusters : ClusterFit
        Scores that ask only which units go together.
    skipped : dict of str to int
        Units that were left out, by reason.
    warnings : list of str
    accuracy : Accuracy or None
        None where the map's classes are clusters without names.
    basis : Basis or None
        By which design the units stand for the map.
    files : dict of str to Path
        What was written: ``table``, ``report``.
    """

    path: Path
    reference: str
    kind: str
    clusters: ClusterFit
    skipped: dict[str, int]
    warnings: list[str]
    accuracy: Accuracy | None = None
    basis: Basis | None = None
    files: dict[str, Path] = field(default_factory=dict)

    @property
    def overall(self) -> float:
        """Overall accuracy; of clusters, after the best one-to-one pairing."""
        if self.accuracy is None:
            return self.clusters.scores["paired"]
        return self.accuracy.overall.value

    def figure(self, name: str) -> float:
        """A figure by its name; NaN where it is undefined.

        Parameters
        ----------
        name : str
            ``overall``, ``kappa``, ``f1`` and ``iou`` (means over classes), ``nmi``, ``ari``,
            ``purity``, ``paired``; or one of a class: ``water.users``, ``water.producers``,
            ``water.f1``, ``water.iou``.

        Raises
        ------
        UsageError
            There is no such figure.
        """
        if name in ("nmi", "ari", "purity", "paired"):
            return self.clusters.scores[name]
        if self.accuracy is not None:
            whole = {
                "overall": self.accuracy.overall.value,
                "kappa": self.accuracy.kappa.value,
                "f1": self.accuracy.mean_f1,
                "iou": self.accuracy.mean_iou,
            }
            if name in whole:
                return whole[name]
            one, _, what = name.rpartition(".")
            found = self._class(one)
            if found is not None and what in _OF_CLASS:
                value = getattr(found, what)
                return float(value.value if isinstance(value, Figure) else value)
        raise UsageError(self._no_figure(name))

    def _class(self, name: str) -> ClassAccuracy | None:
        wanted = name.casefold()
        classes = [] if self.accuracy is None else self.accuracy.classes
        return next((c for c in classes if wanted in (c.name.casefold(), str(c.value))), None)

    def _no_figure(self, name: str) -> str:
        if self.accuracy is None:
            return f"clusters have no figure {name!r}; they have nmi, ari, purity and paired."
        return (
            f"there is no figure {name!r}; known are {', '.join(_OF_ALL)}, and CLASS."
            f"{', CLASS.'.join(_OF_CLASS)} with one of the classes {told(self.accuracy.names)}."
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values; None is undefined or unknown."""
        content: dict[str, Any] = {
            "path": str(self.path),
            "reference": self.reference,
            "reference_kind": self.kind,
            "files": {kind: str(path) for kind, path in self.files.items()},
            "skipped": self.skipped,
        }
        if self.basis is not None:
            content["design"] = _design(self.basis)
        if self.accuracy is not None:
            content |= self.accuracy.to_dict()
        return content | {"clusters": self.clusters.to_dict(), "warnings": self.warnings}

    def to_frame(self) -> DataFrame:
        """One row for each class: its figures with errors and intervals, as a pandas table."""
        from pandas import DataFrame

        columns, rows = self._table()
        return DataFrame(rows, columns=columns)

    def to_csv(self) -> str:
        """One line for each reference class: its row of the matrix, and its figures.

        Columns ``map: NAME`` hold units mapped as NAME; ``area, map: NAME`` hold shares of the
        area. Undefined and unknown figures are empty cells.
        """
        columns, rows = self._table()
        return write_lines(columns, rows)

    def _table(self) -> tuple[list[str], list[list[Any]]]:
        if self.accuracy is None:
            fit = self.clusters
            head = ["reference", *(f"map: {value} {n}" for value, n, _ in fit.pairs)]
            return head, [
                [label, *row] for label, row in zip(fit.labels, fit.table.tolist(), strict=True)
            ]
        counts = self.accuracy.confusion.counts.tolist()
        shares = self.accuracy.matrix.counts.tolist() if self.accuracy.sample else None
        columns = ["reference", *(f"map: {name}" for name in self.accuracy.names)]
        if shares is not None:
            columns += [f"area, map: {name}" for name in self.accuracy.names]
        rows = []
        for i, one in enumerate(self.accuracy.classes):
            facts = _flat(one)
            rows.append([one.name, *counts[i], *(shares[i] if shares else ()), *facts.values()])
        return [*columns, *_flat(self.accuracy.classes[0])], rows

    def summary(self) -> str:
        """A few lines for people."""
        lines = self._told_clusters() if self.accuracy is None else self._told_classes()
        left = [f"{n:,} {why}" for why, n in self.skipped.items() if n]
        if left:
            lines.append(f"Left out: {', '.join(left)}.")
        return "\n".join(lines + file_lines(self.files))

    def _told_clusters(self) -> list[str]:
        scores = self.clusters.scores
        units = int(self.clusters.table.sum())
        lines = [
            f"{counted(len(self.clusters.values), 'cluster', 'clusters')} against "
            f"{counted(len(self.clusters.labels), 'class', 'classes')} of {self.reference}: "
            f"{counted(units, 'unit', 'units')}.",
            f"  normalized mutual information  {scores['nmi']:.4f}",
            f"  adjusted Rand index            {scores['ari']:.4f}",
            f"  purity                         {scores['purity']:.4f}",
            f"  accuracy of the best pairing   {scores['paired']:.4f}",
        ]
        pairs = self.clusters.pairs[:_LINES]
        return lines + [f"  {value} {cut(name)}: {label or '-'}" for value, name, label in pairs]

    def _told_classes(self) -> list[str]:
        accuracy, basis = self.accuracy, self.basis
        if accuracy is None or basis is None:
            raise ValueError("clusters have no accuracy by class")
        lines = [
            f"{counted(int(accuracy.confusion.n), 'unit', 'units')} of {self.reference}; design: "
            f"{basis.told}.",
            f"Overall accuracy {share_text(accuracy.overall)}, mean F1 "
            f"{number_text(accuracy.mean_f1)}, kappa {kappa_text(accuracy.kappa)}.",
            f"Disagreement in quantity {number_text(accuracy.matrix.quantity)}, in allocation "
            f"{number_text(accuracy.matrix.allocation)}.",
        ]
        return lines + aligned(_class_lines(accuracy.classes[:_LINES]))

    def _repr_html_(self) -> str:
        if self.accuracy is None:
            return f"<pre>{escape(self.summary())}</pre>"
        body = f"<p>{escape(self.summary().splitlines()[0])}</p>"
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>"
            for line in _class_lines(self.accuracy.classes)
        )
        overall = share_text(self.accuracy.overall)
        return f"{body}<p>Overall accuracy {overall}</p><table>{rows}</table>"


def _design(basis: Basis) -> dict[str, Any]:
    sample = basis.sample
    strata = (
        []
        if sample is None
        else [
            {"name": name, "pixels": int(pixels), "units": int(units)}
            for name, pixels, units in zip(sample.strata, sample.sizes, sample.units, strict=True)
        ]
    )
    return {"kind": basis.kind, "source": basis.source, "title": basis.told, "strata": strata}


def _flat(one: ClassAccuracy) -> dict[str, Any]:
    """The figures of a class as cells of a table."""
    cells: dict[str, Any] = {}
    for key, item in one.__dict__.items():
        if isinstance(item, Figure):
            cells[key] = known(item.value)
            cells |= {f"{key}_{part}": known(getattr(item, part)) for part in _ENDS}
        elif key != "name":
            cells[key] = known(item) if isinstance(item, float) else item
    return cells


_ENDS = ("error", "low", "high")


def _class_lines(classes: Sequence[ClassAccuracy]) -> list[list[str]]:
    """A heading and a line for each class."""
    with_areas = any(not math.isnan(c.area_share.value) for c in classes)
    in_hectares = any(not math.isnan(c.mapped_hectares) for c in classes)
    unit = "ha" if in_hectares else "share"
    head = ["class", "user's", "producer's", "F1", f"mapped {unit}"]
    lines = [head + ([f"true {unit}"] if with_areas else [])]
    for one in classes:
        mapped = (
            hectares_text(one.mapped_hectares) if in_hectares else number_text(one.mapped_share)
        )
        line = [
            cut(one.name),
            share_text(one.users),
            share_text(one.producers),
            number_text(one.f1),
            mapped,
        ]
        if with_areas:
            line.append(area_text(one.area_hectares) if in_hectares else share_text(one.area_share))
        lines.append(line)
    return lines
