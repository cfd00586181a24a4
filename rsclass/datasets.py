"""Simulated scenes whose truth is known: for examples, tests and benchmarks, at any size.

>>> from rsclass.datasets import simulate
>>> scene = simulate("sentinel2", height=120, width=150, seed=3)
>>> scene.values.shape, scene.values.dtype, scene.class_names[0]
((10, 120, 150), dtype('uint16'), 'grassland')
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rsclass.core.arrays import ArrayStream
from rsclass.core.grid import Georeference
from rsclass.core.groundtruth import draw_patches, draw_places
from rsclass.core.legend import Legend
from rsclass.core.simulate import SENSORS, Recipe, recipe
from rsclass.core.types import Band, Mask, Window
from rsclass.io import scene_files

__all__ = [
    "KINDS",
    "Piece",
    "Recipe",
    "SimulatedScene",
    "iter_pieces",
    "recipe",
    "simulate",
    "simulate_to_file",
]

KINDS = tuple(SENSORS)


class Piece(NamedTuple):
    """A window of a simulated scene; see :class:`SimulatedScene` for the arrays."""

    window: Window
    values: NDArray[Any]
    valid: Mask
    truth: NDArray[np.uint8]


@dataclass(frozen=True)
class SimulatedScene:
    """A scene and its truth.

    Parameters
    ----------
    values : array (bands, height, width)
        Stored values; 0, or NaN in floating-point scenes, where nothing was seen.
    valid : bool array (height, width)
    truth : uint8 array (height, width)
        Class codes from 1; 0 where nothing was seen.
    bands : tuple of Band
        Names, roles, wavelengths in nanometres, gain and offset to reflectance (``aerial``: none).
    class_names : tuple of str
        In the order of the codes, from 1.
    class_colors : tuple of (red, green, blue)
    georef : Georeference
    recipe : Recipe
        What the scene was made from.
    """

    values: NDArray[Any]
    valid: Mask
    truth: NDArray[np.uint8]
    bands: tuple[Band, ...]
    class_names: tuple[str, ...]
    class_colors: tuple[tuple[int, int, int], ...]
    georef: Georeference
    recipe: Recipe = field(repr=False)

    @property
    def stream(self) -> ArrayStream:
        """The scene as the methods of rsclass read it."""
        return ArrayStream(self.values, self.valid, self.bands)

    def write(self, folder: str | Path, stem: str) -> dict[str, Path]:
        """Write the scene and everything that is known about it; existing files are replaced.

        Parameters
        ----------
        folder : path
            Must exist.
        stem : str
            Start of all file names.

        Returns
        -------
        dict of str to Path
            ``scene`` (GeoTIFF), ``truth`` (GeoTIFF with a palette, names in ``.aux.xml``),
            ``reference`` (GeoPackage with the layers ``polygons`` and ``points`` and the fields
            ``class_id`` and ``class_name``), ``schema`` (JSON).
        """
        start = Path(folder) / stem
        paths = {
            "scene": start.with_name(f"{stem}.tif"),
            "truth": start.with_name(f"{stem}_truth.tif"),
            "reference": start.with_name(f"{stem}_reference.gpkg"),
            "schema": start.with_name(f"{stem}_schema.json"),
        }
        shape = self.truth.shape[0], self.truth.shape[1]
        whole = Window(0, 0, *shape)
        legend = Legend.of(self.class_names, self.class_colors)
        encoding, seed = self.recipe.encoding, self.recipe.seed
        scene_files.write_scene(
            paths["scene"],
            [(whole, self.values)],
            shape,
            self.bands,
            self.georef,
            encoding.dtype,
            encoding.nodata,
        )
        scene_files.write_truth(paths["truth"], [(whole, self.truth)], shape, legend, self.georef)
        scene_files.write_reference(
            paths["reference"],
            draw_patches(self.truth, each=20, seed=seed),
            # Another seed than the polygons': the points are an independent sample.
            draw_places(self.truth, n=400, each=20, seed=seed + 1),
            legend,
            self.georef,
        )
        scene_files.write_schema(paths["schema"], _schema(self.recipe, legend))
        return paths


def simulate(
    kind: str = "sentinel2",
    *,
    height: int = 200,
    width: int = 200,
    seed: int = 0,
    dtype: str | None = None,
    illumination: float | None = None,
    noise: float | None = None,
    cloud: bool | None = None,
    mixed: bool = True,
    texture: bool = True,
    classes: Sequence[str] | None = None,
) -> SimulatedScene:
    """Simulate a scene whose land cover is known at every pixel.

    The same arguments give the same bytes on every machine. Land-cover classes consist of several
    surfaces each, with published typical reflectances (:mod:`rsclass.core.surfaces`), correlated
    variation between parcels, between places and between pixels, and a point spread that mixes
    neighbors. Classes are of very unequal size.

    Parameters
    ----------
    kind : {"sentinel2", "aerial"}, default="sentinel2"
        A river plain in the ten land bands of Sentinel-2 at 10 m, or a suburb with shadows in red,
        green, blue and near infrared at 0.5 m.
    height, width : int, default=200
        Size in pixels, at least 16. Below 240 the same land is shown smaller, above it there is
        more land.
    seed : int, default=0
        Another seed, another land.
    dtype : {"uint16", "uint8", "float32"}, default=uint16 for sentinel2, uint8 for aerial
        Whole numbers hold reflectance / gain of the band (``aerial``: digital numbers, gain 1);
        ``float32`` holds reflectance, with NaN where nothing was seen.
    illumination : float, default=0.12 for sentinel2, 0 for aerial
        Relative rise of the light from the left to the right edge.
    noise : float, default=0.0025 for sentinel2, 0.006 for aerial
        Standard deviation of the sensor's noise, in reflectance.
    cloud : bool, default=True for sentinel2, False for aerial
        Cut out a cloud: nothing was seen there.
    mixed : bool, default=True
        Mix neighbors, as a sensor does; otherwise every pixel is pure.
    texture : bool, default=True
        Variation inside the surfaces.
    classes : sequence of str, default=all
        Land-cover classes to show. The others are left out and what would lie under them is seen;
        the codes do not change. The first class is the ground and cannot be left out.

    Raises
    ------
    UsageError
        An unknown kind, type or class, or a size below 16.
    """
    plan = recipe(
        kind,
        height=height,
        width=width,
        seed=seed,
        dtype=dtype,
        illumination=illumination,
        noise=noise,
        cloud=cloud,
        mixed=mixed,
        texture=texture,
        classes=classes,
    )
    values = np.empty((len(plan.bands), height, width), dtype=plan.encoding.dtype)
    truth = np.empty((height, width), dtype=np.uint8)
    whole = Window(0, 0, height, width)
    for piece in iter_pieces(plan):
        rows, cols = piece.window.inside(whole)
        values[:, rows, cols] = piece.values
        truth[rows, cols] = piece.truth
    covers = plan.sensor.palette.covers
    return SimulatedScene(
        values,
        truth > 0,
        truth,
        plan.bands,
        tuple(c.name for c in covers),
        tuple(c.color for c in covers),
        _georeference(plan),
        plan,
    )


def iter_pieces(plan: Recipe) -> Iterator[Piece]:
    """Make a scene piece by piece, row by row, without ever holding the whole."""
    for window in plan.windows():
        values, truth = plan.render(window)
        yield Piece(window, values, truth > 0, truth)


def simulate_to_file(plan: Recipe, path: str | Path) -> None:
    """Write the scene of ``plan`` to a GeoTIFF of any size, in memory for one piece at a time."""
    scene_files.write_scene(
        Path(path),
        ((piece.window, piece.values) for piece in iter_pieces(plan)),
        (plan.height, plan.width),
        plan.bands,
        _georeference(plan),
        plan.encoding.dtype,
        plan.encoding.nodata,
    )


def _georeference(plan: Recipe) -> Georeference:
    return Georeference(transform=plan.transform, crs=scene_files.wkt(plan.sensor.epsg))


def _schema(plan: Recipe, legend: Legend) -> list[dict[str, Any]]:
    return [
        {
            "code": entry.value,
            "name": entry.name,
            "color": "#{:02x}{:02x}{:02x}".format(*cover.color),
            "parent": None,
            "description": cover.description,
        }
        for entry, cover in zip(legend, plan.sensor.palette.covers, strict=True)
    ]
