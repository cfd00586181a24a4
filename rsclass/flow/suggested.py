"""Names for the clusters of a map, as a verb gives them back."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from rsclass.core.merging import listed
from rsclass.core.opinions import Opinion
from rsclass.core.proposals import Proposal
from rsclass.core.votes import Vote
from rsclass.report.texts import counted

__all__ = ["Suggested"]

_WIDEST_NAME = 24


@dataclass(frozen=True)
class Suggested:
    """Names for the clusters of a map; nothing of it is applied unless a table was asked for.

    Attributes
    ----------
    path : Path
        The map.
    proposals : list of Proposal
        One for each class of the map.
    votes : list of Vote or None
        What the reference says of each.
    opinions : list of Opinion or None
        What the mean spectrum of each tells.
    purity : float or None
        Share of the reference's pixels that lie in the commonest class of their cluster.
    units : str
        What the values of the scene were taken for; empty where spectra were not judged.
    table : Path or None
        The merge table that was written.
    applied : tuple of int
        Clusters that got their class in it.
    warnings : list of str
    undecided : tuple of int
        Clusters that have no class in it yet.
    """

    path: Path
    proposals: list[Proposal]
    votes: list[Vote] | None
    opinions: list[Opinion] | None
    purity: float | None
    units: str
    table: Path | None
    applied: tuple[int, ...]
    warnings: list[str]
    undecided: tuple[int, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        rows = []
        for i, p in enumerate(self.proposals):
            row: dict[str, Any] = {
                "value": p.cluster,
                "name": p.cluster_name,
                "suggestion": p.name,
                "confidence": p.confidence,
                "by": p.by or None,
                "code": p.code,
                "class": p.class_name or None,
                "evidence": list(p.evidence),
            }
            if self.votes is not None:
                vote = self.votes[i]
                row["reference"] = {
                    "label": vote.label,
                    "confidence": vote.confidence,
                    "purity": vote.purity if vote.pixels else None,
                    "pixels": vote.pixels,
                    "witnesses": vote.witnesses,
                    "paired_with": vote.partner,
                }
            if self.opinions is not None:
                opinion = self.opinions[i]
                row["spectra"] = {
                    "cover": opinion.cover,
                    "confidence": opinion.confidence,
                    "scores": opinion.scores,
                }
            rows.append(row)
        return {
            "path": str(self.path),
            "clusters": rows,
            "purity": self.purity,
            "units": self.units or None,
            "files": {} if self.table is None else {"table": str(self.table)},
            "applied": list(self.applied),
            "undecided": list(self.undecided),
            "warnings": self.warnings,
        }

    def summary(self) -> str:
        """A few lines for people."""
        named = sum(p.name is not None for p in self.proposals)
        total = counted(len(self.proposals), "class", "classes")
        lines = [f"Names for {named} of {total} of {self.path}:"]
        for p in self.proposals:
            name = p.cluster_name
            if len(name) > _WIDEST_NAME:
                name = name[: _WIDEST_NAME - 1] + "…"
            meaning = p.name or "unknown"
            if p.class_name and p.class_name != p.name:
                meaning += f" -> {p.class_name}"
            lines.append(
                f"  {p.cluster} {name}: {meaning} (confidence {p.confidence:.2f}"
                + (f", by {p.by})" if p.by else ")")
            )
            lines += [f"      {text}" for text in p.evidence]
        if self.purity is not None:
            lines.append(f"Purity of the clusters against the reference: {self.purity:.1%}.")
        if self.units:
            lines.append(f"Spectra: {self.units}.")
        if self.table is not None:
            classes = counted(len(self.applied), "cluster", "clusters")
            lines += [f"{classes} decided in the merge table.", *self._open()]
            lines.append(f"  table  {self.table}")
        else:
            lines.append("Nothing is applied; --apply --table TABLE.csv writes a merge table.")
        return "\n".join(lines)

    def _open(self) -> list[str]:
        if not self.undecided:
            return []
        stay = counted(len(self.undecided), "cluster stays", "clusters stay")
        decide = ["--table", str(self.table), "--set", f"{self.undecided[0]}=CODE"]
        command = shlex.join(["rsclass", "merge", str(self.path), *decide])
        return [f"{stay} open: {listed(self.undecided)}. Decide each: {command}"]

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{p.cluster}</td><td>{escape(p.cluster_name)}</td>"
            f"<td>{escape(p.name or 'unknown')}</td><td>{p.confidence:.2f}</td>"
            f"<td>{escape('; '.join(p.evidence))}</td></tr>"
            for p in self.proposals
        )
        return (
            f"<p>{escape(str(self.path))}</p><table><tr><th>value</th><th>class</th>"
            f"<th>suggestion</th><th>confidence</th><th>evidence</th></tr>{rows}</table>"
        )
