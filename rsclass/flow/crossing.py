"""A class map crossed with a reference: how many pixels of each cluster have which label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.grid import TileGrid, canonical_side
from rsclass.core.types import Labels, Window
from rsclass.errors import DataError
from rsclass.flow.scanning import laid_over, positions, refuse_unknown, scan
from rsclass.io.class_map import ClassMap, open_class_map
from rsclass.io.vectors import read_features
from rsclass.run.settings import Running

__all__ = ["Crossed", "cross_features", "cross_raster"]


@dataclass(frozen=True)
class Crossed:
    """Pixels by label and cluster.

    Parameters
    ----------
    labels : tuple of str
    table : int64 array (labels, clusters)
        Clusters in the order of the map's legend.
    witnesses : int64 array (clusters,)
        Features with pixels in the cluster; of a raster, its pixels.
    witness : str
        ``feature`` or ``pixel``.
    notes : tuple of str
        What was repaired, re-gridded or left out.
    """

    labels: tuple[str, ...]
    table: NDArray[np.int64]
    witnesses: NDArray[np.int64]
    witness: str
    notes: tuple[str, ...]


def cross_features(
    class_map: ClassMap,
    path: Any,
    field: str,
    running: Running,
    how_read: Mapping[str, str | None] | None = None,
) -> Crossed:
    """Cross a map with polygons, lines or points.

    A pixel counts for the feature that owns it; see
    :meth:`rsclass.io.vectors.Features.burn`. Pixels on which features disagree are left out.

    Parameters
    ----------
    path, field
        As for :func:`rsclass.io.vectors.read_features`.
    how_read : mapping or None
        Its ``layer``, ``crs`` and ``encoding``.

    Raises
    ------
    UsageError
        The layer or the field does not exist, or one has to be chosen.
    DataError
        The features cannot be read, or none of them meets a class of the map.
    """
    features = read_features(path, field, georef=class_map.georef, **(how_read or {}))
    features.refuse_beside(class_map.georef, class_map.height, class_map.width, class_map.name)
    n_clusters = len(class_map.legend)
    position = positions(class_map.legend.values)
    side = canonical_side(1)
    grid = TileGrid(class_map.height, class_map.width, side, side)
    placed = features.placed(class_map.georef)
    keys: list[NDArray[np.int64]] = []
    pixels: list[NDArray[np.int64]] = []
    contested = 0
    windows = list(placed.touched(grid))
    for done, window in enumerate(windows, 1):
        owner, values = placed.burn(window), class_map.read(window)
        cluster = position[values]
        refuse_unknown(class_map, values, cluster)
        contested += int((owner == -2).sum())
        met = (owner >= 0) & (cluster >= 0)
        found, count = np.unique(
            owner[met].astype(np.int64) * n_clusters + cluster[met], return_counts=True
        )
        keys.append(found)
        pixels.append(count.astype(np.int64))
        if running.progress is not None:
            running.progress(done, len(windows), "crossing with the reference")
    which, place = np.unique(np.concatenate(keys), return_inverse=True)
    if len(which) == 0:
        claimed = f" ({contested:,} are claimed by several labels)" if contested else ""
        raise DataError(
            f"no feature of {features.name} has a pixel of its own with a class of "
            f"{class_map.name}{claimed}; check that they show the same place."
        )
    count = np.zeros(len(which), dtype=np.int64)
    np.add.at(count, place, np.concatenate(pixels))
    table = np.zeros((len(features.names), n_clusters), dtype=np.int64)
    np.add.at(table, (features.classes[which // n_clusters], which % n_clusters), count)
    notes = list(features.notes)
    if contested:
        notes.append(
            f"{features.name}: {contested:,} pixels on which features of different labels meet "
            "are left out."
        )
    witnesses = np.bincount(which % n_clusters, minlength=n_clusters).astype(np.int64)
    return Crossed(features.names, table, witnesses, "feature", tuple(notes))


def cross_raster(class_map: ClassMap, path: Any, running: Running) -> Crossed:
    """Cross a map with another class map, an older land-cover map for example.

    On another grid it is read by nearest neighbor, and a note says so.

    Raises
    ------
    DataError
        It cannot be read or laid over the map, or has no pixel where the map has one.
    """
    with open_class_map(path, report=running.progress) as reference:
        laid, notes = laid_over(class_map, reference)
        task = _Cross(
            class_map,
            positions(reference.legend.values),
            positions(class_map.legend.values),
            (len(reference.legend), len(class_map.legend)),
        )
        table = np.zeros(task.shape, dtype=np.int64)
        for part in scan(class_map, [laid], task, running, "crossing with the reference"):
            table += part
    if not table.any():
        raise DataError(
            f"{reference.name} has no class where {class_map.name} has one; give a reference of "
            "the same place."
        )
    met = np.flatnonzero(table.any(axis=1))
    labels = tuple(reference.legend.names[i] for i in met)
    table = table[met]
    return Crossed(labels, table, table.sum(axis=0), "pixel", (*reference.warnings, *notes))


@dataclass(frozen=True)
class _Cross:
    class_map: ClassMap
    labels: Labels
    clusters: Labels
    shape: tuple[int, int]

    def __call__(self, window: Window, values: Labels, reference: Labels) -> NDArray[np.int64]:
        label, cluster = self.labels[reference], self.clusters[values]
        refuse_unknown(self.class_map, values, cluster)
        met = (label >= 0) & (cluster >= 0)
        n_labels, n_clusters = self.shape
        keys = label[met].astype(np.int64) * n_clusters + cluster[met]
        counted = np.bincount(keys, minlength=n_labels * n_clusters)
        return counted.astype(np.int64).reshape(self.shape)
