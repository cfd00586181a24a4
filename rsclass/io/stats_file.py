"""Class statistics read back from the JSON file beside a map."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rsclass.core.legend import Legend
from rsclass.core.stats import ClassStats
from rsclass.core.types import Band, Float
from rsclass.errors import DataError
from rsclass.io.tables import FORMAT, FORMAT_VERSION
from rsclass.io.target import belonging

__all__ = ["StatsFile", "read_stats", "stats_beside"]

SUFFIX = ".stats.json"


@dataclass(frozen=True)
class StatsFile:
    """What a statistics file says.

    Parameters
    ----------
    path : Path
    stats : ClassStats
        One row for each class of the legend.
    legend : Legend
    hectares : float64 array (classes,)
        NaN where unknown.
    head : dict
        All the rest: the scene, the method, the recipe of the map.
    """

    path: Path
    stats: ClassStats
    legend: Legend
    hectares: Float
    head: dict[str, Any]


def stats_beside(path: str | Path) -> StatsFile | None:
    """The statistics beside a map or a model; None where there are none.

    Raises
    ------
    DataError
        The file is damaged or of another kind.
    """
    place = belonging(Path(path), SUFFIX)
    return read_stats(place) if place.is_file() else None


def read_stats(path: str | Path) -> StatsFile:
    """Read what :func:`rsclass.io.tables.stats_json` wrote.

    Raises
    ------
    DataError
        The file cannot be read, or holds no statistics of this format.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is no readable JSON: {error}.") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DataError(f'{path} holds no class statistics: it does not say "format": "{FORMAT}".')
    if content.get("format_version") != FORMAT_VERSION:
        raise DataError(
            f"{path} has format version {content.get('format_version')}, this rsclass reads "
            f"{FORMAT_VERSION}; update rsclass."
        )
    try:
        rows, bands = content.pop("classes"), tuple(map(_band, content["bands"]))
        stats = ClassStats(
            bands,
            np.array([row["pixels"] for row in rows], np.int64),
            np.array([row["mean"] for row in rows], np.float64).reshape(len(rows), len(bands)),
            np.array([row["covariance"] for row in rows], np.float64).reshape(
                len(rows), len(bands), len(bands)
            ),
        )
        hectares = np.array([row["hectares"] for row in rows], np.float64)
        names = [{name: row[name] for name in ("value", "name", "color")} for row in rows]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"{path} is damaged ({type(error).__name__}: {error}); make the map again."
        ) from error
    return StatsFile(path, stats, Legend.from_rows(names, str(path)), hectares, content)


def _band(entry: Mapping[str, Any]) -> Band:
    return Band(
        str(entry["name"]),
        entry["role"],
        entry["wavelength_nm"],
        float(entry["gain"]),
        float(entry["offset"]),
    )
