"""How outputs are written, and in which numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rsclass.core.legend import HIGHEST_VALUE
from rsclass.errors import UsageError
from rsclass.io.creation import check_creation

__all__ = ["Writing", "class_dtype"]


@dataclass(frozen=True, slots=True)
class Writing:
    """How outputs are written.

    Parameters
    ----------
    format : {"GTiff", "COG"}
    creation : tuple of (name, value)
        Creation options: ``COMPRESS`` (lossless ones), ``PREDICTOR``, ``ZLEVEL``, ``ZSTD_LEVEL``,
        ``BLOCKSIZE``, ``BIGTIFF``.
    overwrite : bool
        Replace what stands at the output's place, with all that belongs to it.
    layers : tuple of str
        Rasters beside the map: ``confidence``, ``distance``, ``entropy``, ``membership``.
    min_confidence : float or None
        Pixels of less confidence (0 to 1) get no class.
    max_distance : float or None
        Pixels farther from their class than this get no class.
    report : bool
        Write the HTML report.
    report_to : str or None
        Where the report is written, whatever ``report`` says; None: beside the map.
    stac : bool
        Write a STAC item.
    resume : bool
        Go on where an interrupted run stopped.

    Raises
    ------
    UsageError
        The format or a creation option is unknown, lossy, or hides write errors.
    """

    format: str = "GTiff"
    creation: tuple[tuple[str, str], ...] = ()
    overwrite: bool = False
    layers: tuple[str, ...] = ()
    min_confidence: float | None = None
    max_distance: float | None = None
    report: bool = True
    report_to: str | None = None
    stac: bool = False
    resume: bool = False

    @property
    def needed_layers(self) -> tuple[str, ...]:
        """The layers, and those that thresholds look at."""
        needed = list(self.layers)
        if self.min_confidence is not None:
            needed.append("confidence")
        if self.max_distance is not None:
            needed.append("distance")
        return tuple(dict.fromkeys(needed))

    def __post_init__(self) -> None:
        check_creation(self.format, dict(self.creation))


def class_dtype(n_classes: int) -> np.dtype[Any]:
    """The type of a map of ``n_classes`` classes, numbered from 1.

    uint8 up to 254 classes and uint16 up to 65,534, so that the highest value stays free.

    Raises
    ------
    UsageError
        There are more.
    """
    if n_classes > HIGHEST_VALUE:
        raise UsageError(
            f"a map of {n_classes:,} classes was asked for; it can hold {HIGHEST_VALUE:,}, ask "
            "for fewer."
        )
    return np.dtype(np.uint8 if n_classes <= 254 else np.uint16)
