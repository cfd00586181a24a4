"""Features of a vector file with their labels, brought into the coordinate system of a scene."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from functools import cached_property
from typing import Any

import geopandas
import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray

from rsclass.core.grid import Georeference
from rsclass.core.labels import distinct_labels
from rsclass.core.types import Labels, Window
from rsclass.errors import DataError, UsageError
from rsclass.io.burning import PlacedFeatures
from rsclass.io.digests import sha256_of
from rsclass.io.grids import Grid, extent
from rsclass.io.layers import VectorLayer, open_layer, told

__all__ = ["SCENE", "Features", "read_features"]

SCENE = "scene"
"""What ``crs`` is set to where a file's coordinates are those of the scene."""

_POLYGONS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


@dataclass(frozen=True)
class Features:
    """Labelled shapes on the ground, in the coordinate system of a scene.

    Attributes
    ----------
    name : str
        Of the file, as the user gave it.
    layer : str
    field : str or None
        Where the labels stand; without one, every label is empty.
    geometries : tuple of shapely geometries
        Valid, of two dimensions, none of them empty.
    labels : tuple of str
        One for each feature.
    ids : tuple of int
        The file's own numbers of the features.
    files : tuple of str
        Local files that they were read from.
    notes : tuple of str
        Sentences on what was repaired, left out or assumed.
    without_label : tuple of int
        Ids of features that were left out because they have no label.
    """

    name: str
    layer: str
    field: str | None
    geometries: tuple[Any, ...]
    labels: tuple[str, ...]
    ids: tuple[int, ...]
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    without_label: tuple[int, ...] = ()
    _placed: dict[Any, PlacedFeatures] = attribute(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __len__(self) -> int:
        return len(self.geometries)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The different labels: whole numbers by size, other texts by the alphabet."""
        return distinct_labels(self.labels)

    @cached_property
    def classes(self) -> NDArray[np.int32]:
        """Position in ``names`` of every feature's label."""
        position = {name: i for i, name in enumerate(self.names)}
        return np.array([position[label] for label in self.labels], dtype=np.int32)

    def alone(self, number: int) -> Features:
        """The feature at a position, without the others."""
        return replace(
            self,
            geometries=self.geometries[number : number + 1],
            labels=self.labels[number : number + 1],
            ids=self.ids[number : number + 1],
        )

    def renamed(self, names: Mapping[str, str]) -> Features:
        """The same features with other labels: the new one of each old one that changes."""
        return replace(self, labels=tuple(names.get(label, label) for label in self.labels))

    def placed(self, georef: Georeference) -> PlacedFeatures:
        """The features in pixel coordinates of a scene.

        Parameters
        ----------
        georef : Georeference
            Of a scene in the coordinate system that the features were read for.
        """
        if georef.transform not in self._placed:
            placed = PlacedFeatures(self.geometries, self.classes, georef.transform)
            self._placed[georef.transform] = placed
        return self._placed[georef.transform]

    def burn(self, window: Window, georef: Georeference) -> Labels:
        """Index of the feature that owns each pixel of ``window``: int32 (height, width).

        A polygon owns the pixels whose center lies inside of it, a line every pixel that it
        touches, a point the pixel that it falls into; the result does not depend on how a scene is
        cut into windows.

        Returns
        -------
        int32 array
            Position of the feature; -1 where there is none, -2 where features of different labels
            meet. The first of several features of one label counts.
        """
        return self.placed(georef).burn(window)

    def refuse_beside(self, georef: Georeference, height: int, width: int, scene: str) -> None:
        """Raise DataError when no feature lies where the scene does.

        Parameters
        ----------
        georef, height, width
            Of the scene.
        scene : str
            Its name, for the message.
        """
        if not self.placed(georef).beside(height, width).all():
            return
        bounds = shapely.total_bounds(np.array(self.geometries, dtype=object))
        own = " ".join(f"{side:.10g}" for side in bounds)
        transform = None if georef.transform is None else Affine(*georef.transform)
        raise DataError(
            f"every feature of {self.name} lies outside of {scene}: in the scene's CRS they span "
            f"{own}, the scene {extent(Grid(height, width, transform))}; check its CRS."
        )

    def sha256(self) -> dict[str, str]:
        """SHA-256 of every local file."""
        return sha256_of(self.files)


def read_features(
    path: Any,
    field: str | None,
    *,
    georef: Georeference,
    layer: str | None = None,
    crs: str | None = None,
    encoding: str | None = None,
) -> Features:
    """Read features of any vector format that GDAL knows, and bring them to a scene's CRS.

    Parameters
    ----------
    path : path
        GeoPackage, Shapefile, GeoJSON, FlatGeobuf and others; CSV with columns ``x`` and ``y``
        (or ``lon`` and ``lat``, or ``wkt``).
    field : str or None
        Column of the labels: texts, or whole numbers. Features without a label are left out.
        None: features without labels are wanted.
    georef : Georeference
        Of the scene.
    layer : str or None
        Needed where the file has several.
    crs : str or None
        Of the file, where it states none or a wrong one: ``EPSG:4326`` and the like, or
        ``"scene"`` for that of the scene.
    encoding : str or None
        Of the file's texts, where it states none or a wrong one: ``cp1252`` and the like.

    Returns
    -------
    Features

    Raises
    ------
    UsageError
        The layer, the field, the CRS or the encoding does not exist; or a layer or a field has to
        be chosen.
    DataError
        The file cannot be read, cannot be laid over the scene, or holds no usable feature; or
        labels are numbers that are not whole.
    """
    found = open_layer(path, layer, encoding)
    frame = found.read(field)
    ids = [int(number) for number in frame.index]
    labels = [""] * len(ids) if field is None else found.labels(frame, field)
    notes = found.doubts(labels)
    shapes: list[Any] = [None] * len(ids)
    present = np.flatnonzero(~(frame.geometry.isna() | frame.geometry.is_empty))
    valid = _in_scene_crs(frame.geometry.iloc[present], found, georef, crs, notes)
    for at, shape in zip(present, valid, strict=True):
        shapes[at] = shape
    features = list(zip(shapes, labels, ids, strict=True))
    hollow = [number for shape, _, number in features if shape is None]
    unlabelled = [number for shape, label, number in features if shape and label is None]
    for lacking, left_out in (("shape", hollow), (f"label in {field!r}", unlabelled)):
        if left_out:
            notes.append(
                f"{found.name}: {len(left_out)} of {len(ids)} features left out for want of a "
                f"{lacking}: {told(left_out)}."
            )
    kept = [(shape, label, n) for shape, label, n in features if shape and label is not None]
    if not kept:
        raise DataError(
            f"the layer {found.layer!r} of {found.name} has no usable feature: of {len(ids)}, "
            f"{len(hollow)} have no shape and {len(unlabelled)} no label; choose another layer or "
            "field."
        )
    geometries, texts, numbers = zip(*kept, strict=True)
    return Features(
        found.name,
        found.layer,
        field,
        geometries,
        texts,
        numbers,
        found.files,
        tuple(notes),
        tuple(unlabelled),
    )


def _in_scene_crs(
    shapes: geopandas.GeoSeries,
    found: VectorLayer,
    georef: Georeference,
    crs: str | None,
    notes: list[str],
) -> list[Any]:
    """Valid shapes in the scene's CRS; None for polygons that have no area."""
    if georef.transform is None and (georef.gcps or georef.rpcs):
        raise DataError(
            f"{found.name} cannot be laid over the scene, which has control points but no "
            "geotransform; warp the scene first (gdalwarp)."
        )
    moved = _reprojected(shapes, found, georef.crs, crs, notes)
    flat = shapely.force_2d(moved.to_numpy())
    ids = moved.index.to_numpy()
    lost = ids[~np.isfinite(shapely.bounds(flat)).all(axis=1)].tolist()
    if lost:
        raise DataError(
            f"{found.name} cannot be brought to the scene's CRS: coordinates of {told(lost)} do "
            "not exist there; check them and the file's CRS.",
            ids=lost,
        )
    crossing = np.flatnonzero(~shapely.is_valid(flat))
    if len(crossing):
        mended = told(ids[crossing].tolist())
        notes.append(f"{found.name}: invalid shapes were repaired: {mended}.")
    valid = list(flat)
    for at in crossing:
        valid[at] = _repaired(valid[at])
    return valid


def _reprojected(
    shapes: geopandas.GeoSeries,
    found: VectorLayer,
    scene: str | None,
    crs: str | None,
    notes: list[str],
) -> geopandas.GeoSeries:
    if crs == SCENE:
        return shapes
    if crs is not None:
        try:
            shapes = shapes.set_crs(crs, allow_override=True)
        except Exception as error:  # of pyproj, which geopandas uses
            raise UsageError(
                f"--vector-crs {crs!r} is no coordinate reference system; give one such as "
                f"EPSG:4326, or {SCENE}."
            ) from error
    if shapes.crs is None and not found.holds_crs:
        notes.append(f"{found.name} states no CRS; its coordinates were taken as the scene's.")
        return shapes
    if (shapes.crs is None) != (scene is None):
        if scene is None:
            remedy = f"the scene has no CRS, unlike {found.name}; assign one"
        else:
            remedy = (
                f"{found.name} has no CRS{found.missing('.prj')}; assign one, name its own with "
                "--vector-crs EPSG:CODE"
            )
        raise DataError(
            f"{remedy}, or give --vector-crs {SCENE} if the coordinates of both are the same."
        )
    return shapes if scene is None else shapes.to_crs(scene)


def _repaired(shape: Any) -> Any:
    """The shape as a valid one; None where nothing is left, as of a polygon without area."""
    valid = shapely.make_valid(shape)
    if shapely.get_type_id(shape) not in _POLYGONS:
        return None if valid.is_empty else valid
    # Where a polygon crosses itself, the remedy may leave lines beside the areas.
    areas = [part for part in _parts(valid) if shapely.get_dimensions(part) == 2]
    if not areas:
        return None
    return areas[0] if len(areas) == 1 else shapely.union_all(areas)


def _parts(shape: Any) -> list[Any]:
    """The members of a collection and their members; single and multiple shapes as they are."""
    if shapely.get_type_id(shape) != shapely.GeometryType.GEOMETRYCOLLECTION:
        return [shape]
    return [inner for part in shapely.get_parts(shape) for inner in _parts(part)]
