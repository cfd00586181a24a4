"""Class maps on disk: their values and the recipe they carry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window as RasterWindow

from rsclass.core.grid import TileGrid
from rsclass.errors import DataError
from rsclass.io.handles import open_dataset
from rsclass.io.names import gdal_name, given_name

RECIPE_TAG = "RSCLASS_RECIPE"


def read_map(path: str | Path) -> NDArray[Any]:
    """The values (height, width) of a class map."""
    with _opened(path) as dataset:
        values: NDArray[Any] = dataset.read(1)
    return values


def read_recipe(path: str | Path) -> dict[str, Any]:
    """How a class map was made, from its own tags.

    Raises
    ------
    UnreadableRasterError
        There is no such raster.
    DataError
        It carries no recipe.
    """
    with _opened(path) as dataset:
        text = dataset.tags().get(RECIPE_TAG)
    if text is None:
        raise DataError(f"{path} carries no recipe; only maps written by rsclass do.")
    return parse_recipe(text, path)


def parse_recipe(text: str, path: str | Path) -> dict[str, Any]:
    """The recipe in a tag of the map at ``path``; see :func:`read_recipe`."""
    try:
        recipe: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise DataError(f"{path} carries a damaged recipe: {error}.") from error
    return recipe


def differing_pixels(path: str | Path, other: str | Path) -> int:
    """Pixels whose values differ between two maps of the same size."""
    with _opened(path) as first, _opened(other) as second:
        if first.shape != second.shape:
            raise DataError(f"{path} and {other} differ in size: {first.shape}, {second.shape}.")
        differing = 0
        for tile in TileGrid(first.height, first.width, 1024, 1024):
            window = RasterWindow(tile.col, tile.row, tile.width, tile.height)
            differing += int(
                np.count_nonzero(first.read(1, window=window) != second.read(1, window=window))
            )
    return differing


def _opened(path: str | Path) -> Any:
    return open_dataset(gdal_name(given_name(path)))
