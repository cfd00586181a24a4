"""What the verbs give back."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.legend import Legend, hex_color
from rsclass.core.stats import ClassStats
from rsclass.core.types import Float
from rsclass.flow.models import Model
from rsclass.io.maps import read_map
from rsclass.report.summaries import class_page, file_lines
from rsclass.report.texts import counted, evidence_text, percent


@dataclass(frozen=True, repr=False)
class Classified:
    """A class map that was written.

    Attributes
    ----------
    path : Path
        The map.
    files : dict of str to Path
        Everything written, by kind: ``map``, ``legend``, ``style``, ``statistics``, ``table``,
        ``model``, ``report``, and the layers.
    model : Model
    legend : Legend
        Of the map's values.
    stats : ClassStats
        One row for each class of the legend.
    hectares : float64 array (classes,)
        NaN where the scene does not tell how large a pixel is.
    n_pixels, n_classified, n_rejected : int
        Of the scene, those with a class, and those that are valid and have none.
    history : list of dict
        How the classes settled.
    evidence : list of dict
        How the number of classes was chosen; empty where it was given.
    warnings : list of str
    reason : str
        Why this number of classes, in a sentence; empty where it was given.
    """

    path: Path
    files: dict[str, Path]
    model: Model
    legend: Legend
    stats: ClassStats
    hectares: Float
    n_pixels: int
    n_classified: int
    history: list[dict[str, Any]] = field(default_factory=list)
    evidence: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    reason: str = ""
    n_rejected: int = 0

    def read(self) -> NDArray[Any]:
        """The map's values (height, width); 0 is no class."""
        return read_map(self.path)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        total = max(self.n_classified, 1)
        return {
            "path": str(self.path),
            "files": {kind: str(path) for kind, path in self.files.items()},
            "method": self.model.engine.method,
            "classes": [
                {
                    "value": entry.value,
                    "name": entry.name,
                    "color": hex_color(entry.color),
                    "pixels": int(count),
                    "share": int(count) / total,
                    "hectares": None if np.isnan(area) else float(area),
                }
                for entry, count, area in zip(
                    self.legend, self.stats.count, self.hectares, strict=True
                )
            ],
            "pixels": self.n_pixels,
            "classified": self.n_classified,
            "rejected": self.n_rejected,
            "evidence": self.evidence,
            "reason": self.reason,
            "warnings": self.warnings,
        }

    def summary(self) -> str:
        """A few lines for people."""
        share = percent(self.n_classified / self.n_pixels, gap="")
        lines = [
            f"{self.n_classified:,} of {counted(self.n_pixels, 'pixel', 'pixels')} ({share}) in "
            f"{_classes_by(self.model, self.legend)}.",
            *_why(self.evidence, self.reason),
        ]
        return "\n".join(lines + file_lines(self.files))

    def __repr__(self) -> str:
        told = (
            f"{str(self.path)!r}, method={self.model.engine.method!r}, classes={len(self.legend)}"
        )
        return f"Classified({told}, pixels={self.n_pixels}, classified={self.n_classified})"

    def _repr_html_(self) -> str:
        return class_page(self.path, self.to_dict()["classes"])


@dataclass(frozen=True, repr=False)
class Trained:
    """A model that was trained and written.

    Attributes
    ----------
    path : Path
    model : Model
    history, evidence : lists of dict
    warnings : list of str
    reason : str
        Why this number of classes, in a sentence; empty where it was given.
    log : Path or None
        The table of the epochs, where one was written.
    """

    path: Path
    model: Model
    history: list[dict[str, Any]]
    evidence: list[dict[str, Any]]
    warnings: list[str]
    reason: str = ""
    log: Path | None = None

    @property
    def files(self) -> dict[str, Path]:
        """What was written."""
        return {"model": self.path} | ({} if self.log is None else {"log": self.log})

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {
            "path": str(self.path),
            "files": {kind: str(path) for kind, path in self.files.items()},
            "method": self.model.engine.method,
            "classes": self.model.legend.to_rows(),
            "evidence": self.evidence,
            "reason": self.reason,
            "warnings": self.warnings,
        }

    def summary(self) -> str:
        """A few lines for people."""
        lines = [
            f"{_classes_by(self.model, self.model.legend)}.",
            *_why(self.evidence, self.reason),
            *file_lines(self.files),
        ]
        return "\n".join(lines)

    def __repr__(self) -> str:
        told = f"method={self.model.engine.method!r}, classes={len(self.model.legend)}"
        return f"Trained({str(self.path)!r}, {told})"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td style='background:{hex_color(entry.color)}'>&emsp;</td>"
            f"<td>{entry.value}</td><td>{escape(entry.name)}</td></tr>"
            for entry in self.model.legend
        )
        return (
            f"<p>{escape(str(self.path))}</p><table><tr><th></th><th>value</th><th>class</th></tr>"
            f"{rows}</table>"
        )


def _classes_by(model: Model, legend: Legend) -> str:
    return f"{counted(len(legend), 'class', 'classes')} by {model.engine.title}"


def _why(evidence: list[dict[str, Any]], reason: str) -> list[str]:
    """What is told of the number of classes, if it was chosen."""
    if evidence:
        return [evidence_text(evidence, reason)]
    return [reason] if reason else []


@dataclass(frozen=True)
class Replayed:
    """A map made again from its own recipe.

    Attributes
    ----------
    path : Path
        The map that was made again.
    identical : bool
        Whether every byte came out the same.
    differing : int
        Pixels of another class.
    notes : list of str
        What differs between then and now, such as versions.
    same_pixels : bool
        Whether every pixel came out the same.
    """

    path: Path
    identical: bool
    differing: int
    notes: list[str]
    same_pixels: bool = False

    @property
    def warnings(self) -> list[str]:
        """The notes, as warnings."""
        return self.notes

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {
            "path": str(self.path),
            "identical": self.identical,
            "same_pixels": self.identical or self.same_pixels,
            "differing_pixels": self.differing,
            "notes": self.notes,
        }

    def summary(self) -> str:
        """A few lines for people."""
        if self.identical:
            return f"{self.path}: made again, every byte is the same."
        if self.same_pixels:
            return (
                f"{self.path}: made again, every pixel is the same; the files differ in their "
                "recorded paths or versions."
            )
        differing = counted(self.differing, "pixel differs", "pixels differ")
        return f"{self.path}: made again, {differing}."

    def _repr_html_(self) -> str:
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        return f"<p>{escape(self.summary())}</p>" + (f"<ul>{notes}</ul>" if notes else "")
