from __future__ import annotations

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from rsclass.core.types import Window
from rsclass.io.class_map import open_class_map
from rsclass.io.map_part import MapPart


@pytest.mark.parametrize("known_before", [False, True])
def test_a_part_has_the_pixels_the_place_and_the_ground_of_its_window(tmp_path, known_before):
    values = np.arange(1, 61).reshape(12, 5).astype(np.uint8)
    path = tmp_path / "map.tif"
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=12,
        width=5,
        count=1,
        dtype="uint8",
        nodata=0,
        crs="EPSG:4326",
        transform=from_origin(10, 60, 0.5, 0.5),
    ) as dataset:
        dataset.write(values, 1)
    with open_class_map(path) as whole:
        if known_before:
            assert len(whole.ground.weights) == 12
        part = MapPart(whole, Window(4, 1, 6, 3))
        assert (part.height, part.width) == (6, 3)
        np.testing.assert_array_equal(part.read(Window(2, 1, 3, 2)), values[6:9, 2:4])
        assert part.georef.transform == (0.5, 0, 10.5, 0, -0.5, 58)
        own, of_whole = (one.ground.of_weights(one.ground.weights) for one in (part, whole))
        np.testing.assert_allclose(own, of_whole[4:10], rtol=1e-7)  # whole numbers of other units
