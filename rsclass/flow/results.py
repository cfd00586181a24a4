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


@dataclass(frozen=True)
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
    n_pixels, n_classified : int
        Of the scene, and those with a class.
    history : list of dict
        How the classes settled.
    evidence : list of dict
        How the number of classes was chosen; empty where it was given.
    warnings : list of str
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
            "evidence": self.evidence,
            "warnings": self.warnings,
        }

    def summary(self) -> str:
        """A few lines for people."""
        share = self.n_classified / self.n_pixels
        lines = [
            f"{self.n_classified:,} of {self.n_pixels:,} pixels ({share:.1%}) in "
            f"{len(self.legend)} classes by {self.model.engine.title}."
        ]
        width = max(map(len, self.files))
        lines += [f"  {kind:<{width}}  {path}" for kind, path in self.files.items()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td style='background:{entry['color']}'>&emsp;</td><td>{entry['value']}</td>"
            f"<td>{escape(entry['name'])}</td><td>{entry['pixels']:,}</td>"
            f"<td>{entry['share']:.1%}</td></tr>"
            for entry in self.to_dict()["classes"]
        )
        return (
            f"<p>{escape(str(self.path))}</p><table><tr><th></th><th>value</th><th>class</th>"
            f"<th>pixels</th><th>share</th></tr>{rows}</table>"
        )


@dataclass(frozen=True)
class Trained:
    """A model that was trained and written.

    Attributes
    ----------
    path : Path
    model : Model
    history, evidence : lists of dict
    warnings : list of str
    """

    path: Path
    model: Model
    history: list[dict[str, Any]]
    evidence: list[dict[str, Any]]
    warnings: list[str]

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {
            "path": str(self.path),
            "files": {"model": str(self.path)},
            "method": self.model.engine.method,
            "classes": self.model.legend.to_rows(),
            "evidence": self.evidence,
            "warnings": self.warnings,
        }

    def summary(self) -> str:
        """A few lines for people."""
        return (
            f"{len(self.model.legend)} classes by {self.model.engine.title}.\n  model  {self.path}"
        )


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
    """

    path: Path
    identical: bool
    differing: int
    notes: list[str]

    @property
    def warnings(self) -> list[str]:
        """The notes, as warnings."""
        return self.notes

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {
            "path": str(self.path),
            "identical": self.identical,
            "differing_pixels": self.differing,
            "notes": self.notes,
        }

    def summary(self) -> str:
        """A few lines for people."""
        if self.identical:
            return f"{self.path}: made again, every byte is the same."
        return f"{self.path}: made again, {self.differing:,} pixels have another class."
