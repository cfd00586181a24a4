"""A class map crossed with a reference: how many pixels of each cluster have which label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.grid import TileGrid, canonical_side
from rsclass.core.patches import find_patches
from rsclass.core.seams import OpenPatches, Seams, open_labels, open_patches
from rsclass.core.types import Labels, Window
from rsclass.errors import DataError
from rsclass.flow.scanning import laid_over, positions, refuse_unknown, scan
from rsclass.io.class_map import ClassMap, open_class_map
from rsclass.io.vectors import read_features
from rsclass.run.settings import Running

__all__ = ["Crossed", "cross_features", "cross_raster"]

_BYTES_PER_PIXEL = 160.0
"""Of a tile of two maps, with the patches of one of them."""


@dataclass(frozen=True)
class Crossed:
    """Pixels by label and cluster.

    Parameters
    ----------
    labels : tuple of str
    table : int64 array (labels, clusters)
        Clusters in the order of the map's legend.
    witnesses : int64 array (clusters,)
        Features with pixels in the cluster; of a raster, its patches of connected pixels.
    witness : (str, str)
        What one of them and several are called.
    notes : tuple of str
        What was repaired, re-gridded or left out.
    """

    labels: tuple[str, ...]
    table: NDArray[np.int64]
    witnesses: NDArray[np.int64]
    witness: tuple[str, str]
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
    return Crossed(features.names, table, witnesses, ("feature", "features"), tuple(notes))


def cross_raster(class_map: ClassMap, path: Any, running: Running) -> Crossed:
    """Cross a map with another class map, an older land-cover map for example.

    Connected pixels of one label, corners included, are one witness.

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
            (class_map.height, class_map.width),
            positions(reference.legend.values),
            positions(class_map.legend.values),
            (len(reference.legend), len(class_map.legend)),
        )
        table = np.zeros(task.shape, dtype=np.int64)
        patches = _PatchCount(class_map.width, len(class_map.legend))
        for part in scan(
            class_map,
            [laid],
            task,
            running,
            "crossing with the reference",
            bytes_per_pixel=_BYTES_PER_PIXEL,
        ):
            table += part.table
            patches.add(part)
    if not table.any():
        raise DataError(
            f"{reference.name} has no class where {class_map.name} has one; give a reference of "
            "the same place."
        )
    met = np.flatnonzero(table.any(axis=1))
    labels = tuple(reference.legend.names[i] for i in met)
    table = table[met]
    told = (*reference.warnings, *notes)
    return Crossed(labels, table, patches.total(), ("patch", "patches"), told)


@dataclass(frozen=True)
class _Crossing:
    """What a tile tells.

    Parameters
    ----------
    table : int64 array (labels, clusters)
        Pixels.
    closed : int64 array (clusters,)
        Patches inside the tile that have pixels in the cluster.
    open : OpenPatches
    open_clusters : int64 array (pairs, 2)
        Open patches and the clusters in which they have pixels.
    """

    table: NDArray[np.int64]
    closed: NDArray[np.int64]
    open: OpenPatches
    open_clusters: NDArray[np.int64]


class _PatchCount:
    """Counts the patches of a reference in each cluster, those over several tiles once."""

    def __init__(self, width: int, n_clusters: int) -> None:
        self._seams = Seams(width, diagonal=True)
        self._closed = np.zeros(n_clusters, dtype=np.int64)
        self._open: list[NDArray[np.int64]] = []

    def add(self, part: _Crossing) -> None:
        """Take the next tile."""
        self._seams.add(part.open)
        self._closed += part.closed
        self._open.append(part.open_clusters + np.array([self._seams.first[-1], 0]))

    def total(self) -> NDArray[np.int64]:
        """Patches with pixels in each cluster, after the last tile."""
        whole, _, _, _ = self._seams.join()
        met = np.concatenate(self._open)
        met = np.unique(np.stack([whole[met[:, 0]], met[:, 1]], axis=1), axis=0)
        total: NDArray[np.int64] = self._closed + np.bincount(
            met[:, 1], minlength=len(self._closed)
        )
        return total


@dataclass(frozen=True)
class _Cross:
    class_map: ClassMap
    size: tuple[int, int]
    labels: Labels
    clusters: Labels
    shape: tuple[int, int]

    def __call__(self, window: Window, values: Labels, reference: Labels) -> _Crossing:
        label, cluster = self.labels[reference], self.clusters[values]
        refuse_unknown(self.class_map, values, cluster)
        met = (label >= 0) & (cluster >= 0)
        n_labels, n_clusters = self.shape
        keys = label[met].astype(np.int64) * n_clusters + cluster[met]
        table = np.bincount(keys, minlength=n_labels * n_clusters).astype(np.int64)
        ones = np.ones(window.height, dtype=np.int64)
        patches = find_patches((label + 1).astype(np.uint16), ones, diagonal=True)
        pairs = np.unique(patches.labels[met].astype(np.int64) * n_clusters + cluster[met])
        patch, of_cluster = np.divmod(pairs, n_clusters)
        reaching = open_labels(patches.labels, window, *self.size)
        is_open = np.isin(patch, reaching)
        open_clusters = [np.searchsorted(reaching, patch[is_open]), of_cluster[is_open]]
        return _Crossing(
            table.reshape(self.shape),
            np.bincount(of_cluster[~is_open], minlength=n_clusters).astype(np.int64),
            open_patches(patches, window, *self.size),
            np.stack(open_clusters, axis=1),
        )
