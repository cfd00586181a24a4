"""Layers of QGIS as files that another program can read."""

from __future__ import annotations

import os
from typing import Any

from qgis.core import QgsProcessingException, QgsProviderRegistry, QgsRasterLayer, QgsVectorLayer

__all__ = ["path_of_mask", "path_of_raster", "path_of_vector"]

_FORMATS = ["gpkg", "shp", "geojson", "json", "fgb", "gml", "kml"]
_EXPORTED = "gpkg"


def path_of_raster(layer: Any) -> str:
    """The file, subdataset or address of a raster layer.

    Parameters
    ----------
    layer : QgsRasterLayer

    Raises
    ------
    QgsProcessingException
        It is none, as the layer of a map server.
    """
    if layer.providerType() != "gdal":
        raise QgsProcessingException(
            f"The layer {layer.name()} is no file: it comes from the provider"
            f" {layer.providerType()}. Export it (Export > Save As) and take the file."
        )
    source = str(layer.source())
    if not os.path.exists(source):
        source = source.partition("|")[0]  # what QGIS adds: options, credentials
    if source.startswith("/vsimem/"):
        raise QgsProcessingException(
            f"The layer {layer.name()} is held in the memory of QGIS, where no other program can"
            " read it. Export it (Export > Save As) and take the file."
        )
    return os.path.abspath(source) if os.path.exists(source) else source


def path_of_vector(
    algorithm: Any, parameters: Any, name: str, context: Any, feedback: Any, fields: list[str]
) -> tuple[str, str, str]:
    """A vector layer as file, layer of it, and CRS if the file states another one.

    Layers in memory or in a database, those with a filter or unsaved changes, selected features
    alone, and fields that QGIS works out are written to a temporary GeoPackage first.

    Parameters
    ----------
    fields : list of str
        Columns that are needed.
    """
    layer = algorithm.parameterAsVectorLayer(parameters, name, context)
    source = algorithm.parameterAsSource(parameters, name, context)
    if source is not None and source.featureCount() == 0:
        raise QgsProcessingException(
            f"There is no feature to take from {source.sourceName()}: the layer is empty,"
            " or selected features alone are asked for and none is selected."
        )
    formats = _FORMATS if layer is None or _stored(layer, fields) else []
    path, sublayer = algorithm.parameterAsCompatibleSourceLayerPathAndLayerName(
        parameters, name, context, formats, _EXPORTED, feedback
    )
    if not path:
        raise QgsProcessingException(f"The layer of {name} cannot be read.")
    path = os.path.abspath(path)
    if not _is_source(path, layer):  # exported, and QGIS still names the layer that it was
        return path, "", ""
    return path, sublayer, _other_crs(layer, path, sublayer)


def _is_source(path: str, layer: Any) -> bool:
    """Whether ``path`` is where the layer itself comes from."""
    if layer is None or layer.providerType() != "ogr":
        return False
    stated = QgsProviderRegistry.instance().decodeUri("ogr", layer.source()).get("path", "")
    return bool(stated) and os.path.abspath(stated) == path


def _stored(layer: Any, fields: list[str]) -> bool:
    """Whether the file holds what the layer shows."""
    columns = [field.name() for field in layer.dataProvider().fields()]
    return not layer.isModified() and all(field in columns for field in fields)


def _other_crs(layer: Any, path: str, sublayer: str) -> str:
    """The CRS that the user gave to the layer instead of what the file states."""
    if not layer.crs().isValid() or not layer.crs().authid():
        return ""
    source = f"{path}|layername={sublayer}" if sublayer else path
    stated = QgsVectorLayer(source, "", "ogr").crs()
    return "" if stated == layer.crs() else str(layer.crs().authid())


def path_of_mask(algorithm: Any, parameters: Any, name: str, context: Any, feedback: Any) -> str:
    """A raster, or polygons as a file with one layer."""
    layer = algorithm.parameterAsLayer(parameters, name, context)
    if isinstance(layer, QgsRasterLayer):
        return path_of_raster(layer)
    formats = [] if isinstance(layer, QgsVectorLayer) and layer.isModified() else _FORMATS
    path = algorithm.parameterAsCompatibleSourceLayerPath(
        parameters, name, context, formats, _EXPORTED, feedback
    )
    if not path:
        raise QgsProcessingException(f"The layer of {name} cannot be read.")
    return os.path.abspath(str(path))
