"""What a map and its reference say of the same units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rsclass.core.crosstab import Crosstab
from rsclass.core.design import Design
from rsclass.core.ground import Ground
from rsclass.core.legend import Legend
from rsclass.core.types import Labels, Window
from rsclass.errors import DataError
from rsclass.flow.scanning import LaidOver, scan
from rsclass.io.class_map import ClassMap, open_class_map
from rsclass.run.settings import Running

__all__ = ["Asked", "Pairs", "Strata", "Zones", "strata_of_column", "unit_areas"]

Strata = dict[int, tuple[str, int | None]]
"""Name and pixels of each stratum by its number; None where the pixels are not known."""

_FINENESS = 2**14
"""Pixels of different size are told apart to so many steps."""


@dataclass(frozen=True)
class Asked:
    """Which labels are the reference, and how they are read.

    Parameters
    ----------
    path : path
        Points, polygons or lines in any vector format, a raster of labels, or a CSV
        table of labels with a column ``map``.
    field : str or None
        Column of the labels; ``reference`` where there is one.
    layer, vector_crs, encoding : str or None
        As for :func:`rsclass.io.vectors.read_features`.
    strata : str, path or None
        Raster of strata on the map's pixels, or column of the reference.
    design : str or None
        That the user vouches for; then the one that the reference records is not used.
    """

    path: str | Path
    field: str | None = None
    layer: str | None = None
    vector_crs: str | None = None
    encoding: str | None = None
    strata: str | Path | None = None
    design: str | None = None


@dataclass(frozen=True)
class Pairs:
    """Units with a label of the reference and a value of the map.

    Attributes
    ----------
    name : str
        Of the reference.
    kind : {"points", "shapes", "raster", "table"}
    labels : tuple of str
        Of the reference, in the order that ``units`` refers to.
    units : Crosstab
        Of places where the map has a class.
    skipped : dict of str to int
        Units that were left out, by reason.
    notes : tuple of str
    design : Design or None
        That the file records.
    strata : dict of int to (str, int or None)
        Name and pixels of each stratum; empty where there are no strata.
    complete : bool
        Every pixel of the map with a class has a label.
    inputs : tuple of str
        Files that were read.
    layer : str or None
        Of a vector file, the layer that was read.
    """

    name: str
    kind: str
    labels: tuple[str, ...]
    units: Crosstab
    skipped: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    design: Design | None = None
    strata: Strata = field(default_factory=dict)
    complete: bool = False
    inputs: tuple[str, ...] = ()
    layer: str | None = None


def unit_areas(ground: Ground) -> NDArray[np.int64]:
    """Area of a pixel of each row in whole numbers below 2**14."""
    if ground.even:
        return ground.weights
    largest = float(ground.weights.max())
    areas = np.rint(ground.weights / largest * (_FINENESS - 1))
    return np.maximum(areas, 1).astype(np.int64)


@dataclass(frozen=True)
class Zones:
    """Strata that the user names: a raster, or a column of the reference."""

    column: str | None = None
    layer: LaidOver | None = None
    pixels: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, class_map: ClassMap, strata: str | Path | None, running: Running) -> Zones:
        """What ``strata`` names: a file that exists is a raster, anything else a column."""
        if strata is None:
            return cls()
        if not Path(strata).is_file():
            return cls(column=str(strata))
        layer = LaidOver.on(class_map, open_class_map(strata, report=running.progress))
        counts = np.zeros(2**16, dtype=np.int64)
        for part in scan(class_map, [layer], _count_zones, running, "counting strata"):
            counts += part
        return cls(None, layer, {int(v): int(counts[v]) for v in np.flatnonzero(counts) if v})

    @property
    def given(self) -> bool:
        """Whether the user names any."""
        return self.column is not None or self.layer is not None

    @property
    def legend(self) -> Legend | None:
        """Of the raster."""
        return None if self.layer is None else self.layer.class_map.legend

    def sizes(self) -> Strata:
        """Name and pixels of each stratum of the raster."""
        names = {} if self.legend is None else {c.value: c.name for c in self.legend}
        return {value: (names[value], pixels) for value, pixels in self.pixels.items()}


def _count_zones(window: Window, mapped: Labels, zones: Labels) -> NDArray[np.int64]:
    return np.bincount(zones[mapped > 0], minlength=2**16)


def strata_of_column(texts: Sequence[str | None]) -> tuple[Strata, NDArray[np.int64]]:
    """Strata named in a column: numbered from 1 by their names, and the number of each unit.

    Raises
    ------
    DataError
        A cell is empty.
    """
    if any(not text for text in texts):
        raise DataError("the column of strata has empty cells; every unit lies in one stratum.")
    names = sorted({str(text) for text in texts})
    number = {name: i for i, name in enumerate(names, 1)}
    strata: Strata = {i: (name, None) for name, i in number.items()}
    return strata, np.array([number[str(text)] for text in texts], dtype=np.int64)
