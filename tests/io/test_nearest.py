from __future__ import annotations

import pickle

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.warp import Resampling, reproject

from rsclass.core.grid import Georeference
from rsclass.core.types import Window
from rsclass.errors import DataError
from rsclass.io.class_map import open_class_map
from rsclass.io.nearest import NearestMap

UTM = "EPSG:32633"
OWN = Affine(20, 0, 500_000, 0, -20, 5_500_000)


@pytest.fixture
def reference(tmp_path):
    rng = np.random.default_rng(1)
    values = rng.integers(0, 7, (400, 300)).astype(np.uint8)
    path = tmp_path / "reference.tif"
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=300,
        height=400,
        count=1,
        dtype="uint8",
        crs=UTM,
        transform=OWN,
        nodata=0,
    ) as dataset:
        dataset.write(values, 1)
    return path, values


GRIDS = {
    "finer": (UTM, Affine(7, 0, 500_903, 0, -7, 5_499_001)),
    "beyond": (UTM, Affine(33, 0, 498_011, 0, -33, 5_500_507)),
    "turned": (UTM, Affine(12.3, 4.1, 501_003, 3.9, -11.7, 5_499_207)),
    "degrees": ("EPSG:4326", Affine(0.00023, 0, 15.0101, 0, -0.00017, 49.6487)),
    "other zone": ("EPSG:32632", Affine(19, 0, 934_507, 0, -19, 5_513_011)),
}


@pytest.mark.parametrize("name", GRIDS)
def test_every_pixel_is_the_nearest_as_gdal_finds_it(reference, name):
    path, values = reference
    crs, transform = GRIDS[name]
    shape = (130, 170)
    expected = np.zeros(shape, np.uint8)
    reproject(
        values,
        expected,
        src_transform=OWN,
        src_crs=UTM,
        dst_transform=transform,
        dst_crs=crs,
        resampling=Resampling.nearest,
        tolerance=1e-6,
        src_nodata=0,
        dst_nodata=0,
    )
    georef = Georeference(tuple(transform)[:6], rasterio.CRS.from_user_input(crs).to_wkt())
    with open_class_map(path) as class_map:
        found = NearestMap(class_map, georef).read(Window(0, 0, *shape))
    # GDAL approximates coordinates, here by up to a hundredth of a pixel.
    assert (found != expected).mean() < 1e-2
    assert found.any()


def test_the_values_do_not_depend_on_the_windows(reference):
    path, _ = reference
    crs, transform = GRIDS["degrees"]
    georef = Georeference(tuple(transform)[:6], rasterio.CRS.from_user_input(crs).to_wkt())
    with open_class_map(path) as class_map:
        nearest = pickle.loads(pickle.dumps(NearestMap(class_map, georef)))  # noqa: S301
        whole = nearest.read(Window(0, 0, 300, 290))
        parts = np.block(
            [
                [nearest.read(Window(row, col, 100, 145)) for col in (0, 145)]
                for row in (0, 100, 200)
            ]
        )
    np.testing.assert_array_equal(whole, parts)


def test_a_center_on_an_edge_belongs_to_the_later_pixel(tmp_path, reference):
    """Pixels of 40 m over such of 20 m: every center is a corner of four of them."""
    path, values = reference
    georef = Georeference((40, 0, 500_000, 0, -40, 5_500_000), rasterio.CRS.from_string(UTM).wkt)
    with open_class_map(path) as class_map:
        found = NearestMap(class_map, georef).read(Window(0, 0, 200, 150))
    np.testing.assert_array_equal(found, values[1::2, 1::2])


def test_far_finer_references_are_read_in_parts(reference, monkeypatch):
    path, values = reference
    monkeypatch.setattr("rsclass.io.nearest._MOST_PIXELS", 500)
    georef = Georeference((60, 0, 500_000, 0, -60, 5_500_000), rasterio.CRS.from_string(UTM).wkt)
    with open_class_map(path) as class_map:
        found = NearestMap(class_map, georef).read(Window(0, 0, 133, 100))
    np.testing.assert_array_equal(found, values[1::3, 1::3][:133])


def test_without_a_place_on_the_ground_it_cannot_be_laid_over(reference):
    with open_class_map(reference[0]) as class_map, pytest.raises(DataError, match="gdalwarp"):
        NearestMap(class_map, Georeference())
