"""Pictures hold the pixels they are given; another decoder reads them."""

from __future__ import annotations

import numpy as np
import pytest
from rasterio.io import MemoryFile

from rsclass.core.legend import Legend, LegendClass
from rsclass.report import png
from rsclass.report.pictures import class_picture, picture

LEGEND = Legend(
    (
        LegendClass(1, "Water", (31, 119, 180)),
        LegendClass(3, "Forest", (44, 160, 44)),
        LegendClass(9, "Soil", (148, 103, 60)),
    )
)


def decode(data):
    """Pixels (height, width, 4) as GDAL reads them."""
    with MemoryFile(data, ext=".png") as file, file.open() as image:
        if image.count > 1:
            bands = image.read()
            opaque = np.full((1, *bands.shape[1:]), 255, np.uint8)
            return np.moveaxis(np.concatenate([bands, opaque])[:4], 0, -1)
        table = image.colormap(1)
        return np.array([[table[entry] for entry in row] for row in image.read(1)])


def chunks(data):
    found, at = [], 8
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        found.append(data[at + 4 : at + 8].decode())
        at += size + 12
    return found


@pytest.mark.parametrize("channels", [3, 4])
def test_a_picture_keeps_its_pixels(channels):
    pixels = np.random.default_rng(0).integers(0, 256, (7, 5, channels)).astype(np.uint8)
    np.testing.assert_array_equal(decode(picture(pixels))[..., :channels], pixels)


def test_a_class_picture_has_the_color_of_every_pixel_and_none_where_there_is_no_class():
    class_map = np.array([[0, 1, 3], [9, 2, 65535]], np.uint16)
    assert decode(class_picture(class_map, LEGEND)).tolist() == [
        [[0, 0, 0, 0], [31, 119, 180, 255], [44, 160, 44, 255]],
        [[148, 103, 60, 255], [0, 0, 0, 0], [0, 0, 0, 0]],
    ]


def test_more_classes_than_a_palette_holds_keep_their_colors():
    colors = [(i % 256, i // 256, 7) for i in range(300)]
    class_map = np.arange(301, dtype=np.uint16).reshape(7, 43)
    expected = [(0, 0, 0, 0), *((*color, 255) for color in colors)]
    found = decode(class_picture(class_map, Legend.of([f"c{i}" for i in range(300)], colors)))
    assert [tuple(pixel) for pixel in found.reshape(-1, 4).tolist()] == expected


def test_a_large_picture_is_thinned_without_mixing_classes():
    class_map = np.tile(np.array([[1, 3]], np.uint8), (2500, 1300))
    image = decode(class_picture(class_map, LEGEND))
    assert image.shape[:2] == (834, 867)
    assert {tuple(c) for c in image.reshape(-1, 4)} <= {(31, 119, 180, 255), (44, 160, 44, 255)}


def test_the_same_pixels_give_the_same_bytes_without_date_or_version():
    pixels = np.zeros((3, 4, 3), np.uint8)
    assert picture(pixels) == picture(pixels)
    assert chunks(picture(pixels)) == ["IHDR", "IDAT", "IEND"]
    assert png.size(picture(pixels)) == (4, 3)
