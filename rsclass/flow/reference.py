"""The reference of a map, whatever it is: points, polygons, lines, a raster or a table."""

from __future__ import annotations

from rsclass.core.ground import Ground
from rsclass.errors import DataError, UnreadableRasterError
from rsclass.flow.pairs import Asked, Pairs, Zones, unit_areas
from rsclass.flow.pairs_of_features import pairs_of_features
from rsclass.flow.pairs_of_raster import pairs_of_raster
from rsclass.flow.pairs_of_table import pairs_of_table
from rsclass.io.class_map import ClassMap
from rsclass.io.handles import open_dataset
from rsclass.io.label_table import read_label_table
from rsclass.io.layers import VectorLayer, open_layer
from rsclass.io.names import gdal_name, given_name
from rsclass.run.settings import Running

__all__ = ["pairs_of", "vector_layer"]


def pairs_of(class_map: ClassMap, asked: Asked, ground: Ground, running: Running) -> Pairs:
    """Read a reference and look up what the map says of its places.

    Raises
    ------
    UsageError
        A column or layer does not exist, or has to be chosen.
    DataError
        The reference cannot be read or laid over the map, or has no label where the map has a
        class.
    """
    zones = Zones.of(class_map, asked.strata, running)
    sizes = unit_areas(ground)
    table = read_label_table(asked.path)
    if table is not None:
        pairs = pairs_of_table(class_map, table, asked, zones)
    else:
        layer = vector_layer(asked)
        if layer is not None:
            pairs = pairs_of_features(class_map, layer, asked, zones, sizes)
        else:
            pairs = pairs_of_raster(class_map, asked, zones, sizes, running)
    if not pairs.units.total:
        left = "; ".join(f"{n:,} {why}" for why, n in pairs.skipped.items() if n)
        raise DataError(
            f"{pairs.name} has no label where {class_map.name} has a class"
            f"{f' ({left})' if left else ''}; check that they show the same place."
        )
    return pairs


def vector_layer(asked: Asked) -> VectorLayer | None:
    """The layer of a vector file; None where it is a raster."""
    try:
        return open_layer(asked.path, asked.layer, asked.encoding)
    except DataError as error:
        try:
            open_dataset(gdal_name(given_name(asked.path))).close()
        except UnreadableRasterError:
            raise error from None
        return None
