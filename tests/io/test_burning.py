"""Which pixel belongs to which feature, against GEOS on every pixel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from made_rasters import NORTH_UP
from made_vectors import on_ground

from rsclass.core.grid import TileGrid, split
from rsclass.core.types import Window
from rsclass.io.burning import CONTESTED, NO_FEATURE, PlacedFeatures
from rsclass.io.source import open_source
from rsclass.io.vectors import read_features

HEIGHT, WIDTH = 60, 70
WHOLE = Window(0, 0, HEIGHT, WIDTH)

TURNED = Affine(8.66, 6, 500000, 5, -10.39, 5400000)
SOUTH_UP = Affine(10, 0, 500000, 0, 10, 5300000)
TRANSFORMS = {"north-up": NORTH_UP, "rotated": TURNED, "south-up": SOUTH_UP}


def random_polygons(n: int, seed: int) -> list[Any]:
    """Star-shaped polygons in (column, row), some of them over the scene's edge."""
    rng = np.random.default_rng(seed)
    shapes = []
    for _ in range(n):
        center, radii = rng.uniform(-5, 75, 2), rng.uniform(1, 15, 9)
        angles = np.sort(rng.uniform(0, 2 * np.pi, 9))
        corners = center + radii[:, None] * np.column_stack((np.cos(angles), np.sin(angles)))
        shapes.append(shapely.Polygon(corners).buffer(0))
    return shapes


def expected(shapes: list[Any], classes: np.ndarray, owns: Any) -> np.ndarray:
    """Feature numbers by asking ``owns(shape)`` for every pixel, one feature after the other."""
    out = np.full((HEIGHT, WIDTH), NO_FEATURE)
    for number, shape in enumerate(shapes):
        mine = owns(shape)
        taken = mine & (out != NO_FEATURE)
        known = np.where(out >= 0, classes[np.maximum(out, 0)], -9)
        out[taken & (known != classes[number])] = CONTESTED
        out[mine & ~taken] = number
    return out


def centers_in(shape: Any) -> np.ndarray:
    rows, cols = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    return shapely.contains_xy(shape, cols, rows)


def cells_met(shape: Any) -> np.ndarray:
    rows, cols = np.mgrid[:HEIGHT, :WIDTH]
    return shapely.intersects(shapely.box(cols, rows, cols + 1, rows + 1), shape)


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
@pytest.mark.parametrize("n_classes", [1, 3])
def test_a_polygon_owns_the_pixels_whose_center_it_holds(transform: Affine, n_classes: int) -> None:
    """V05, R20, R21: and where polygons of different classes overlap, nobody owns anything."""
    shapes = random_polygons(12, seed=n_classes)
    classes = (np.arange(12) % n_classes).astype(np.int32)
    placed = PlacedFeatures([on_ground(s, transform) for s in shapes], classes, transform[:6])
    burnt = placed.burn(WHOLE)
    assert (burnt == expected(shapes, classes, centers_in)).all()
    assert (burnt == CONTESTED).any() == (n_classes > 1)


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_a_line_owns_every_pixel_that_it_touches(transform: Affine) -> None:
    rng = np.random.default_rng(5)
    shapes = [shapely.LineString(rng.uniform(-5, 75, (4, 2))) for _ in range(8)]
    classes = np.arange(8).astype(np.int32) % 2
    placed = PlacedFeatures([on_ground(s, transform) for s in shapes], classes, transform[:6])
    assert (placed.burn(WHOLE) == expected(shapes, classes, cells_met)).all()


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_a_point_owns_the_pixel_that_it_falls_into(transform: Affine) -> None:
    xy = np.random.default_rng(6).uniform(-10, 80, (300, 2))
    classes = np.arange(300).astype(np.int32) % 3
    ground = [on_ground(point, transform) for point in shapely.points(xy)]
    burnt = PlacedFeatures(ground, classes, transform[:6]).burn(WHOLE)
    pixels: dict[tuple[int, int], list[int]] = {}
    for number, (x, y) in enumerate(xy):
        pixels.setdefault((int(np.floor(y)), int(np.floor(x))), []).append(number)
    for row, col in np.ndindex(HEIGHT, WIDTH):
        there = pixels.get((row, col), [])
        several = len({classes[i] for i in there}) > 1
        assert burnt[row, col] == (CONTESTED if several else min(there, default=NO_FEATURE))


def mixed() -> tuple[list[Any], np.ndarray]:
    """Polygons, lines and points in collections, over several blocks of drawing."""
    rng = np.random.default_rng(7)
    shapes: list[Any] = [
        shapely.transform(shape, lambda xy: xy * 18) for shape in random_polygons(6, seed=7)
    ]
    shapes += [shapely.LineString(rng.uniform(0, 1200, (5, 2))) for _ in range(3)]
    shapes += list(shapely.multipoints(rng.uniform(0, 1200, (4, 6, 2))))
    other = [shapely.LineString(rng.uniform(0, 1200, (2, 2))), shapely.Point(900.5, 30.5)]
    shapes.append(shapely.GeometryCollection([shapes[0].buffer(-20), *other]))
    return shapes, (np.arange(len(shapes)) % 3).astype(np.int32)


@pytest.mark.parametrize("side", [1200, 512, 333, 211])
def test_owners_do_not_depend_on_the_windows(side: int) -> None:
    shapes, classes = mixed()
    placed = PlacedFeatures([on_ground(s) for s in shapes], classes, NORTH_UP[:6])
    whole = Window(0, 0, 1100, 1200)
    together = placed.burn(whole)
    assert set(np.unique(together)) >= {CONTESTED, NO_FEATURE, 0, 6, 9}
    for part in split(whole, side):
        assert (placed.burn(part) == together[part.inside(whole)]).all()


@pytest.mark.parametrize("side", [100, 33])
def test_what_lies_outside_of_touched_tiles_belongs_to_nobody(side: int) -> None:
    shapes, classes = mixed()
    sparse = [shape for shape in shapes if shapely.get_dimensions(shape) < 2]
    placed = PlacedFeatures([on_ground(s) for s in sparse], classes[: len(sparse)], NORTH_UP[:6])
    grid = TileGrid(1100, 1200, side, side)
    touched = set(placed.touched(grid))
    assert len(touched) < len(grid)
    whole = Window(0, 0, 1100, 1200)
    burnt = placed.burn(whole)
    for tile in grid:
        owned = (burnt[tile.inside(whole)] != NO_FEATURE).any()
        assert not (owned and tile not in touched)


def test_a_square_along_pixel_edges_owns_its_pixels_and_no_other() -> None:
    placed = PlacedFeatures([shapely.box(3, 4, 8, 6)], np.zeros(1, np.int32), None)
    burnt = placed.burn(WHOLE)
    assert (burnt[4:6, 3:8] == 0).all()
    assert (burnt == 0).sum() == 10


@pytest.mark.parametrize("name", ["landsat5_rotated30.tif", "south_up_inverted_lat.tif"])
def test_centers_inside_a_polygon_are_found_on_odd_grids_of_real_scenes(
    shared_data: Path, name: str
) -> None:
    """R20, R21: the centers are carried to the ground and asked for there."""
    source = open_source(shared_data / "odd" / name)
    t = Affine(*source.georef.transform)
    height, width = source.height, source.width
    corners = [(0.2117, 0.1371), (0.8353, 0.3219), (0.5573, 0.9137), (0.4091, 0.3557)]
    ground = shapely.Polygon([t @ (c * width, r * height) for c, r in corners])
    burnt = PlacedFeatures([ground], np.zeros(1, np.int32), source.georef.transform).burn(
        Window(0, 0, height, width)
    )
    rows, cols = np.mgrid[:height, :width] + 0.5
    xs, ys = t.a * cols + t.b * rows + t.c, t.d * cols + t.e * rows + t.f
    assert ((burnt == 0) == shapely.contains_xy(ground, xs, ys)).all()
    assert (burnt == 0).any()


@pytest.mark.parametrize(
    ("size", "corner"),
    [
        (10, (500000.1, 4999999.7)),
        (0.1, (500000.1, 4999999.7)),
        (1 / 3, (500000.1, 4999999.7)),
        (7e-5, (13.05, 52.4)),
    ],
)
def test_rounding_moves_nothing_that_lies_on_edges_and_centers(
    size: float, corner: tuple[float, float]
) -> None:
    transform = Affine(size, 0, corner[0], 0, -size, corner[1])
    shapes = [shapely.box(3, 4, 8, 6), shapely.Point(12, 9), shapely.box(20.5, 20.5, 22.5, 23.5)]
    shapes += [shapely.box(22.5, 20.5, 24.5, 23.5)]
    ground = [on_ground(shape, transform) for shape in shapes]
    classes = np.arange(4, dtype=np.int32)
    burnt = PlacedFeatures(ground, classes, transform[:6]).burn(WHOLE)
    # Centers on the edge between two polygons belong to one of them.
    assert [(burnt == number).sum() for number in (-2, 0, 1, 2, 3)] == [0, 10, 1, 6, 6]
    assert burnt[9, 12] == 1
    assert (burnt[4:6, 3:8] == 0).all()


TRUTHS = {
    "landsat7_ogt": "training_polygons.gpkg",
    "sentinel2_aberystwyth": "training_polygons.gpkg",
    "sentinel2_rachelcarson": "training_polygons.gpkg",
    "landsat8_rondonia_points": "points.gpkg",
}


@pytest.mark.parametrize("folder", TRUTHS)
def test_burnt_features_are_the_published_truth(shared_data: Path, folder: str) -> None:
    """V01: one of the files lies in another coordinate system than its scene."""
    source = open_source(shared_data / folder / "image.tif")
    features = read_features(shared_data / folder / TRUTHS[folder], "code", georef=source.georef)
    burnt = features.burn(Window(0, 0, source.height, source.width), source.georef)
    codes = np.array([*map(int, features.labels), 0])
    with rasterio.open(shared_data / folder / "gt.tif") as truth:
        assert (np.where(burnt >= 0, codes[burnt], 0) == truth.read(1)).all()
