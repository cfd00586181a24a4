"""Class statistics as files: JSON with everything, CSV for spreadsheets.

Both are UTF-8 with ``\\n`` line ends and decimal points, and give the same bytes for the same map.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.cells import guard
from rsclass.core.legend import Legend, hex_color
from rsclass.core.stats import ClassStats
from rsclass.core.types import Float
from rsclass.errors import UsageError

FORMAT = "rsclass-class-statistics"
FORMAT_VERSION = 1

_UNITS = {
    "pixels": "pixels of the map in this class",
    "share": "part of all classified pixels, 0 to 1",
    "hectares": "area on the ground in hectares",
    "mean": "physical units of the band (stored value * gain + offset)",
    "std": "physical units of the band, divisor n - 1",
    "covariance": "product of the physical units of two bands, divisor n - 1",
}
_AXES = {
    "mean": ["band"],
    "std": ["band"],
    "covariance": ["band", "band"],
}


def stats_json(
    stats: ClassStats,
    legend: Legend,
    hectares: Float | None = None,
    extra: Mapping[str, Any] | None = None,
) -> bytes:
    """Statistics of every class as JSON, one class a line; what is unknown is ``null``.

    Parameters
    ----------
    stats : ClassStats
        One row for each class of the legend, in its order.
    legend : Legend
    hectares : float64 array (classes,), optional
        Area of each class.
    extra : mapping, optional
        More to say of the map (its scene, its method), put beside the classes. JSON-able.

    Raises
    ------
    UsageError
        Statistics and legend have different numbers of classes, or ``extra`` uses a name taken.
    """
    head: dict[str, Any] = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "units": _UNITS,
        "axes": _AXES,
        "bands": [
            {
                "name": band.name,
                "role": band.role,
                "wavelength_nm": band.wavelength,
                "gain": band.gain,
                "offset": band.offset,
            }
            for band in stats.bands
        ],
    }
    taken = sorted(extra.keys() & {*head, "classes"}) if extra else []
    if taken:
        raise UsageError(f"the name {taken[0]!r} is taken in the class statistics; use another.")
    head |= extra or {}
    rows = [
        {
            **row,
            "mean": stats.mean[i].tolist(),
            "std": stats.std[i].tolist(),
            "covariance": stats.covariance[i].tolist(),
        }
        for i, row in enumerate(class_rows(stats.count, legend, hectares))
    ]
    lines = [f" {_json(key)}: {_json(value)}" for key, value in head.items()]
    lines.append(' "classes": [\n' + ",\n".join(f"  {_json(row)}" for row in rows) + "\n ]")
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def stats_csv(stats: ClassStats, legend: Legend, hectares: Float | None = None) -> bytes:
    """Statistics of every class as CSV; what is unknown is an empty cell.

    Columns: ``value, name, color, pixels, share, hectares``, then ``mean_<band>`` and
    ``std_<band>`` for each band, in physical units. Text that a spreadsheet would run as a formula
    starts with an apostrophe. Parameters and errors as for :func:`stats_json`.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    bands = _distinct([band.name for band in stats.bands])
    rows = class_rows(stats.count, legend, hectares)
    columns = [f"{what}_{band}" for what in ("mean", "std") for band in bands]
    writer.writerow([*rows[0], *columns])
    for row, mean, std in zip(rows, stats.mean, stats.std, strict=True):
        writer.writerow([_cell(value) for value in (*row.values(), *mean, *std)])
    return out.getvalue().encode()


def class_rows(
    count: NDArray[np.int64], legend: Legend, hectares: Float | None = None
) -> list[dict[str, Any]]:
    """Value, name, color, pixels, share and hectares of each class; None where unknown."""
    if len(count) != len(legend) or (hectares is not None and len(hectares) != len(legend)):
        raise UsageError(
            f"the statistics have {len(count)} classes and the legend {len(legend)}; "
            "they must be of the same map."
        )
    total = int(np.sum(count))
    return [
        {
            "value": entry.value,
            "name": entry.name,
            "color": hex_color(entry.color),
            "pixels": int(count[i]),
            "share": int(count[i]) / total if total else None,
            "hectares": None if hectares is None else _finite(hectares[i]),
        }
        for i, entry in enumerate(legend)
    ]


def _finite(value: Any) -> Any:
    """The same with None for every NaN and infinity, at any depth."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def _json(value: Any) -> str:
    return json.dumps(_finite(value), ensure_ascii=True, allow_nan=False)


def _cell(value: Any) -> str:
    value = _finite(value)
    if value is None:
        return ""
    return guard(value) if isinstance(value, str) else repr(value)


def _distinct(names: Sequence[str]) -> list[str]:
    """Repeated names get their position: columns must differ."""
    repeated = {name for name, n in Counter(names).items() if n > 1}
    return [f"{name}_{i}" if name in repeated else name for i, name in enumerate(names, 1)]
