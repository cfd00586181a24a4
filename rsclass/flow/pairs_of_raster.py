"""What a map shows where a raster has labels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rsclass.core.crosstab import Crosstab
from rsclass.core.types import Labels, Window
from rsclass.errors import UsageError
from rsclass.flow.pairs import Asked, Pairs, Zones
from rsclass.flow.scanning import Readable, laid_over, scan
from rsclass.io.class_map import ClassMap, open_class_map
from rsclass.run.settings import Running

__all__ = ["pairs_of_raster"]


def pairs_of_raster(
    class_map: ClassMap,
    asked: Asked,
    zones: Zones,
    sizes: NDArray[np.int64],
    running: Running,
) -> Pairs:
    """Look up what the map shows in every pixel that has a label.

    Labels are the raster's own class names, or its values where it has none; 0 is no label.
    Parameters are those of :func:`rsclass.flow.pairs_of_features.pairs_of_features`.

    Raises
    ------
    UsageError
        A column is named.
    DataError
        The reference lies on another grid, and does not tell where.
    """
    if asked.field is not None or zones.column is not None:
        raise UsageError(
            f"{asked.path} is a raster, which has no columns; leave out --field, and give --strata "
            "as a raster."
        )
    with open_class_map(asked.path, report=running.progress) as reference:
        laid, notes = laid_over(class_map, reference)
        others: list[Readable] = [laid] if zones.layer is None else [laid, zones.layer]
        work = _Compare(sizes)
        total, unlabelled, empty = Crosstab.none(), 0, 0
        for part, without, beside in scan(class_map, others, work, running, "comparing"):
            total += part
            unlabelled += without
            empty += beside
        labels = tuple(
            str(c.value) if c.name == f"class {c.value}" else c.name for c in reference.legend
        )
        values = np.array(reference.legend.values)
        notes, inputs = [*reference.warnings, *notes], reference.inputs
    places = np.searchsorted(values, total.labels)
    return Pairs(
        reference.name,
        "raster",
        labels,
        replace(total, labels=places.astype(np.int64)),
        {"without a class in the map": empty},
        tuple(notes),
        strata=zones.sizes(),
        complete=unlabelled == 0,
        inputs=inputs,
    )


@dataclass(frozen=True)
class _Compare:
    """Pairs of a tile, pixels of the map without a label, and labels where it has no class."""

    sizes: NDArray[np.int64]

    def __call__(
        self, window: Window, mapped: Labels, reference: Labels, *zones: Labels
    ) -> tuple[Crosstab, int, int]:
        good = (mapped > 0) & (reference > 0)
        strata = zones[0] if zones else np.zeros_like(mapped)
        if zones:
            good &= strata > 0
        areas = np.broadcast_to(self.sizes[window.row : window.row_end, None], mapped.shape)
        tab = Crosstab.of(strata[good], reference[good], mapped[good], areas[good])
        unlabelled = int(np.count_nonzero((mapped > 0) & (reference == 0)))
        empty = int(np.count_nonzero((mapped == 0) & (reference > 0)))
        return tab, unlabelled, empty
