"""Parameters of algorithms, in few words each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingParameterBand,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterDistance,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterMapLayer,
    QgsProcessingParameterMatrix,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
    QgsProcessingParameterVectorDestination,
)

__all__ = ["CSV", "HTML", "MODEL", "SCHEMA", "bands", "choice", "creation_options", "extent"]
__all__ += ["features", "field", "file", "length", "mask", "number", "raster", "rasters", "switch"]
__all__ += ["table", "text", "to_file", "to_raster", "to_vector"]

CSV = "CSV files (*.csv)"
HTML = "HTML files (*.html)"
SCHEMA = "Schemas (*.json *.csv *.clr *.qml)"
MODEL = "Models of rsclass (*.safetensors)"

_FEWEST, _MOST = 3, 12
"""Decimals of a spin box; QGIS would round learning rates and tolerances to none."""


def raster(name: str, title: str, *, optional: bool = False) -> Any:
    """A raster layer."""
    return QgsProcessingParameterRasterLayer(name, title, optional=optional)


def rasters(name: str, title: str) -> Any:
    """Any number of raster layers, or none."""
    return QgsProcessingParameterMultipleLayers(
        name, title, QgsProcessing.TypeRaster, optional=True
    )


def bands(name: str, title: str, of: str) -> Any:
    """Bands of a raster; none means all."""
    return QgsProcessingParameterBand(
        name, title, parentLayerParameterName=of, optional=True, allowMultiple=True
    )


def mask(name: str, title: str) -> Any:
    """A raster or polygons."""
    kinds = [QgsProcessing.TypeRaster, QgsProcessing.TypeVectorPolygon]
    return QgsProcessingParameterMapLayer(name, title, optional=True, types=kinds)


def extent(name: str, title: str) -> Any:
    """A rectangle on the map."""
    return QgsProcessingParameterExtent(name, title, optional=True)


def features(name: str, title: str, *, optional: bool = False) -> Any:
    """Points, lines or polygons, also the selected ones alone."""
    kinds = [QgsProcessing.TypeVectorAnyGeometry]
    return QgsProcessingParameterFeatureSource(name, title, kinds, optional=optional)


def field(name: str, title: str, of: str, *, optional: bool = False) -> Any:
    """A column of a vector layer."""
    return QgsProcessingParameterField(name, title, parentLayerParameterName=of, optional=optional)


def number(
    name: str,
    title: str,
    default: float | None = None,
    *,
    low: float | None = None,
    high: float | None = None,
    real: bool = False,
    optional: bool = False,
) -> Any:
    """A number, whole unless ``real``; without a default it is optional."""
    kinds = QgsProcessingParameterNumber.Type
    definition = QgsProcessingParameterNumber(
        name,
        title,
        kinds.Double if real else kinds.Integer,
        default,
        optional or default is None,
    )
    if low is not None:
        definition.setMinimum(low)
    if high is not None:
        definition.setMaximum(high)
    if real:
        definition.setMetadata({"widget_wrapper": {"decimals": _decimals(default or low)}})
    return definition


def _decimals(number: float | None) -> int:
    """Decimals for numbers like this one, and for some that are finer."""
    finer = 3
    if not number:
        return 2 * finer
    return min(max(finer - math.floor(math.log10(abs(number))), _FEWEST), _MOST)


def length(name: str, title: str, of: str, default: float | None = None) -> Any:
    """A length in units of the CRS of the layer ``of``."""
    return QgsProcessingParameterDistance(
        name, title, default, parentParameterName=of, optional=default is None, minValue=0
    )


def switch(name: str, title: str, default: bool = False) -> Any:
    """Yes or no."""
    return QgsProcessingParameterBoolean(name, title, default, optional=True)


def choice(
    name: str,
    title: str,
    options: Sequence[str],
    default: str | None = None,
    *,
    optional: bool = False,
) -> Any:
    """One of some names, which are passed as they are and never by their place."""
    return QgsProcessingParameterEnum(
        name,
        title,
        options=list(options),
        defaultValue=default,
        optional=optional or default is None,
        usesStaticStrings=True,
    )


def text(name: str, title: str, default: str | None = None, *, lines: bool = False) -> Any:
    """A text that may be empty."""
    return QgsProcessingParameterString(name, title, default, multiLine=lines, optional=True)


def creation_options(name: str, title: str) -> Any:
    """GDAL creation options, with the widget that the GDAL algorithms have."""
    definition = QgsProcessingParameterString(name, title, "", optional=True)
    widget = "processing.algs.gdal.ui.RasterOptionsWidget.RasterOptionsWidgetWrapper"
    definition.setMetadata({"widget_wrapper": {"class": widget}})
    return definition


def table(name: str, title: str, headers: Sequence[str]) -> Any:
    """A table to be filled in."""
    return QgsProcessingParameterMatrix(
        name, title, numberRows=1, hasFixedNumberRows=False, headers=list(headers), optional=True
    )


def file(name: str, title: str, kinds: str, *, optional: bool = False) -> Any:
    """An existing file; ``kinds`` is a filter as ``CSV``."""
    return QgsProcessingParameterFile(
        name, title, fileFilter=f"{kinds};;All files (*.*)", optional=optional
    )


def to_file(name: str, title: str, kinds: str, *, optional: bool = False, made: bool = True) -> Any:
    """A file to be written; ``made`` tells whether it is unless the user says no."""
    return QgsProcessingParameterFileDestination(
        name, title, fileFilter=kinds, optional=optional, createByDefault=made
    )


def to_raster(name: str, title: str, *, optional: bool = False, made: bool = True) -> Any:
    """A raster to be written."""
    return QgsProcessingParameterRasterDestination(
        name, title, optional=optional, createByDefault=made
    )


def to_vector(
    name: str, title: str, kind: Any, *, optional: bool = False, made: bool = True
) -> Any:
    """A vector layer to be written."""
    return QgsProcessingParameterVectorDestination(
        name, title, type=kind, optional=optional, createByDefault=made
    )
