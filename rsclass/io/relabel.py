"""A vector file written again with other labels."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyogrio

from rsclass.core.labels import whole_numbers
from rsclass.errors import IncompleteOutputError
from rsclass.io.disk import write_failures
from rsclass.io.geopackage import FAILURES, undated
from rsclass.io.layers import VectorLayer
from rsclass.io.swap import sync
from rsclass.io.target import Target
from rsclass.io.vectors import SCENE

__all__ = ["write_relabelled"]


def write_relabelled(
    layer: VectorLayer,
    field: str,
    renamed: Mapping[str, str],
    target: Target,
    *,
    crs: str | None,
    scene_crs: str | None,
) -> None:
    """Write every feature of ``layer`` to a GeoPackage, with new labels where they have one.

    All columns stay; the old labels stand in ``<field>_before``.

    Parameters
    ----------
    layer : VectorLayer
    field : str
        Column of the labels.
    renamed : mapping of str to str
        Old label to new one.
    target : Target
    crs : str or None
        As for :func:`rsclass.io.vectors.read_features`; the file written states it.
    scene_crs : str or None

    Raises
    ------
    OutputError, DiskFullError, IncompleteOutputError
        What stood there before is untouched.
    """
    frame = layer.read_all(field)
    stated = scene_crs if crs == SCENE or (crs is None and frame.crs is None) else crs
    if stated is not None:
        frame = frame.set_crs(stated, allow_override=True)
    old = layer.labels(frame, field)
    new = [None if label is None else renamed.get(label, label) for label in old]
    frame[f"{field}_before"] = frame[field]
    frame[field] = _column(new)
    part = target.part(".new.gpkg")
    with write_failures(target.path, part, FAILURES), undated(), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a file may have no CRS
        pyogrio.write_dataframe(frame, part, layer=layer.layer, driver="GPKG")
        sync(part)
    back = pyogrio.read_dataframe(part, layer=layer.layer)
    same = back.geometry.geom_equals_exact(frame.geometry.reset_index(drop=True), 0)
    nowhere = back.geometry.isna() & frame.geometry.isna().to_numpy()
    if layer.labels(back, field) != new or not np.all(same | nowhere):
        raise IncompleteOutputError(
            f"{target.path} was not written: it read back differently; try again, on another disk "
            "if it persists.",
            path=str(target.path),
        )
    target.fill(part, {})


def _column(labels: list[str | None]) -> Any:
    known = [label for label in labels if label is not None]
    if whole_numbers(known) is None:
        return np.array(labels, dtype=object)
    return pd.array([None if label is None else int(label) for label in labels], dtype="Int64")
