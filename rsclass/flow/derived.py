"""What is given back of a class map that was made from another one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.legend import Legend, hex_color
from rsclass.core.stats import ClassStats
from rsclass.core.transitions import Transitions
from rsclass.core.types import Float
from rsclass.io.maps import read_map
from rsclass.report.summaries import class_page, file_lines
from rsclass.report.texts import counted, percent


@dataclass(frozen=True, repr=False)
class Derived:
    """A class map that was made from another one.

    Attributes
    ----------
    path : Path
        The new map.
    parent : Path
        The map it was made from.
    files : dict of str to Path
        Everything written, by kind: ``map``, ``legend``, ``style``, ``statistics``, ``table``.
    legend : Legend
        Of the new map's values.
    stats : ClassStats
        One row for each class of the legend; without bands where the parent's spectra are unknown.
    hectares : float64 array (classes,)
        NaN where the map does not tell how large a pixel is.
    moves : Transitions
        Pixels by value in the parent and in the new map.
    n_pixels : int
    warnings : list of str
    facts : dict
        What the verb has to say besides, JSON-able.
    told : tuple of str
        The same in lines for people.
    """

    path: Path
    parent: Path
    files: dict[str, Path]
    legend: Legend
    stats: ClassStats
    hectares: Float
    moves: Transitions
    n_pixels: int
    warnings: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    told: tuple[str, ...] = ()

    @property
    def n_classified(self) -> int:
        """Pixels with a class."""
        return int(self.stats.count.sum())

    def read(self) -> NDArray[Any]:
        """The map's values (height, width); 0 is no class."""
        return read_map(self.path)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        total = max(self.n_classified, 1)
        return {
            "path": str(self.path),
            "parent": str(self.parent),
            "files": {kind: str(path) for kind, path in self.files.items()},
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
            "moves": self.moves.to_rows(),
            **self.facts,
            "warnings": self.warnings,
        }

    def summary(self) -> str:
        """A few lines for people."""
        share = percent(self.n_classified / self.n_pixels, gap="")
        lines = [
            f"{self.n_classified:,} of {counted(self.n_pixels, 'pixel', 'pixels')} ({share}) in "
            f"{counted(len(self.legend), 'class', 'classes')}.",
            *self.told,
        ]
        return "\n".join(lines + file_lines(self.files))

    def __repr__(self) -> str:
        told = f"parent={str(self.parent)!r}, classes={len(self.legend)}, pixels={self.n_pixels}"
        return f"Derived({str(self.path)!r}, {told}, classified={self.n_classified})"

    def _repr_html_(self) -> str:
        return class_page(self.path, self.to_dict()["classes"])
