"""Reference samples as GeoPackages: points to be labelled, and the design they were drawn by.

The file has a layer of points, which people fill in, and two tables that they need not look at:
the design as JSON, and the place and stratum of each unit. Where the points are blind, only the
tables tell what the map shows.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pyogrio
import shapely
from numpy.typing import NDArray

from rsclass.core.design import Design, Stratum
from rsclass.core.grid import Georeference
from rsclass.core.selection import Places
from rsclass.errors import DataError, IncompleteOutputError
from rsclass.io.disk import write_failures
from rsclass.io.geopackage import FAILURES, undated
from rsclass.io.layers import VectorLayer
from rsclass.io.metric import pixel_centers
from rsclass.io.swap import sync
from rsclass.io.target import Target

__all__ = ["DRAWN", "ID", "REFERENCE", "DrawnUnits", "read_design", "write_sample"]

ID, REFERENCE = "id", "reference"
DRAWN = "sample"
"""Name of the layer of points."""

_DESIGN, _UNITS = "rsclass_design", "rsclass_units"
_COLUMNS = ("design", "stratum", "stratum_pixels")


@dataclass(frozen=True)
class DrawnUnits:
    """The design that a file records, and the stratum of each of its units.

    Parameters
    ----------
    design : Design
    ids : int64 array (units,)
        As in the column ``id`` of the points.
    strata : int64 array (units,)
        Values of the strata.
    """

    design: Design
    ids: NDArray[np.int64]
    strata: NDArray[np.int64]


def write_sample(
    target: Target,
    places: Places,
    design: Design,
    georef: Georeference,
    class_names: Sequence[str],
    *,
    blind: bool,
) -> None:
    """Write the points of a sample, read them back, and put them in place.

    Parameters
    ----------
    target : Target
    places : Places
        In the order in which the points shall stand.
    design : Design
    georef : Georeference
        Of the map.
    class_names : sequence of str
        What the map shows at each place.
    blind : bool
        Leave out of the points whatever tells what the map shows.

    Raises
    ------
    OutputError, DiskFullError, IncompleteOutputError
        What stood there before is untouched.
    """
    points = _points(places, design, georef, class_names, blind=blind)
    tables = {
        _DESIGN: pd.DataFrame({"design": [design.to_json()]}),
        _UNITS: pd.DataFrame(
            {
                ID: points[ID],
                "stratum": _values(design)[places.strata],
                "row": places.rows,
                "col": places.cols,
            }
        ),
    }
    part = target.part(".new.gpkg")
    with write_failures(target.path, part, FAILURES), undated(), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a map may have no CRS
        pyogrio.write_dataframe(points, part, layer=DRAWN, driver="GPKG")
        for layer, table in tables.items():
            pyogrio.write_dataframe(table, part, layer=layer, driver="GPKG", append=True)
        sync(part)
    back = pyogrio.read_dataframe(part, layer=DRAWN)
    same = list(back.columns) == list(points.columns) and back.geometry.geom_equals(points.geometry)
    if not np.all(same) or not all(
        pyogrio.read_dataframe(part, layer=layer).equals(table) for layer, table in tables.items()
    ):
        raise IncompleteOutputError(
            f"{target.path} was not written: it read back differently; try again, on another disk "
            "if it persists.",
            path=str(target.path),
        )
    target.fill(part, {})


def read_design(layer: VectorLayer) -> DrawnUnits | None:
    """The design of a sample, from the tables of its file or else from the columns of its points.

    Returns
    -------
    DrawnUnits or None
        None where the file records no design.

    Raises
    ------
    DataError
        It records a damaged one.
    """
    layers = {str(name) for name, _ in pyogrio.list_layers(layer.path)}
    if {_DESIGN, _UNITS} <= layers:
        text = pyogrio.read_dataframe(layer.path, layer=_DESIGN)["design"].iloc[0]
        units = pyogrio.read_dataframe(layer.path, layer=_UNITS)
        design = Design.from_json(str(text), layer.name)
        return DrawnUnits(design, units[ID].to_numpy(), units["stratum"].to_numpy())
    if {ID, *_COLUMNS} <= set(layer.fields):
        return _design_of_columns(layer)
    return None


def _design_of_columns(layer: VectorLayer) -> DrawnUnits:
    """The design as the points alone tell it, in a file that other software has copied."""
    ids, kinds, names, pixels = (layer.read(column)[column] for column in (ID, *_COLUMNS))
    if kinds.nunique(dropna=False) != 1 or names.isna().any() or pixels.isna().any():
        raise DataError(
            f"the columns 'design' and 'stratum' of {layer.name} have gaps or name several "
            "designs; a point that was added by hand is not part of the random sample."
        )
    told = list(zip(map(str, names), map(int, pixels), strict=True))
    strata = Counter(sorted(told))
    numbers = {name: i for i, (name, _) in enumerate(strata, 1)}
    if len(numbers) < len(strata):
        raise DataError(f"the column 'stratum_pixels' of {layer.name} contradicts itself.")
    design = Design(
        str(kinds.iloc[0]),
        tuple(Stratum(numbers[name], name, size, n) for (name, size), n in strata.items()),
        map="",
    )
    drawn = np.array([numbers[name] for name, _ in told], dtype=np.int64)
    return DrawnUnits(design, ids.to_numpy(), drawn)


def _points(
    places: Places,
    design: Design,
    georef: Georeference,
    class_names: Sequence[str],
    *,
    blind: bool,
) -> geopandas.GeoDataFrame:
    n = len(places)
    columns: dict[str, Any] = {ID: np.arange(1, n + 1), "design": [design.kind] * n}
    if not blind:
        strata = [design.strata[h] for h in places.strata]
        columns |= {
            "map_value": places.values,
            "map_class": list(class_names),
            "stratum": [stratum.name for stratum in strata],
            "stratum_pixels": [stratum.pixels for stratum in strata],
            "inclusion": [stratum.inclusion for stratum in strata],
            "weight": [1 / stratum.inclusion for stratum in strata],
        }
    columns[REFERENCE] = pd.Series([None] * n, dtype=object)
    x, y = pixel_centers(georef, places.rows, places.cols)
    return geopandas.GeoDataFrame(columns, geometry=shapely.points(x, y), crs=georef.crs)


def _values(design: Design) -> NDArray[np.int64]:
    return np.array([stratum.value for stratum in design.strata], dtype=np.int64)
