"""The files beside a class map from which other software reads its legend.

All are made from one :class:`~rsclass.core.legend.Legend`, so that they cannot disagree. PAM brings
names and a raster attribute table to GDAL and to QGIS from 3.30 on, the QML style brings names and
colors to every QGIS, and the ``.clr`` table to anything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from rsclass.core.legend import Legend, LegendClass, hex_color
from rsclass.core.types import Float

# GDALRATFieldType and GDALRATFieldUsage of GDAL's gdal.h.
_INTEGER, _REAL, _STRING = 0, 1, 2
_GENERIC, _PIXEL_COUNT, _NAME, _MIN_MAX, _RED, _GREEN, _BLUE, _ALPHA = 0, 1, 2, 5, 6, 7, 8, 9


def pam_xml(legend: Legend, count: NDArray[Any], hectares: Float | None = None) -> bytes:
    """GDAL's ``.aux.xml``: category names and a raster attribute table of band 1.

    Parameters
    ----------
    legend : Legend
    count : int array (classes,)
        Pixels of each class of the legend.
    hectares : float64 array (classes,), optional
        Area of each class. Unless all are known, the table has no ``Area_ha``.
    """
    count = np.asarray(count)
    if hectares is not None and not np.isfinite(hectares).all():
        hectares = None
    table = ET.Element("GDALRasterAttributeTable", tableType="thematic")
    columns = [
        ("Value", _INTEGER, _MIN_MAX),
        ("Count", _INTEGER if count.max() < 2**31 else _REAL, _PIXEL_COUNT),
        ("Class", _STRING, _NAME),
        ("Red", _INTEGER, _RED),
        ("Green", _INTEGER, _GREEN),
        ("Blue", _INTEGER, _BLUE),
        ("Alpha", _INTEGER, _ALPHA),
    ]
    if hectares is not None:
        columns.append(("Area_ha", _REAL, _GENERIC))
    for index, (name, kind, usage) in enumerate(columns):
        field = ET.SubElement(table, "FieldDefn", index=str(index))
        ET.SubElement(field, "Name").text = name
        ET.SubElement(field, "Type").text = str(kind)
        ET.SubElement(field, "Usage").text = str(usage)
    areas: Sequence[float | None] = [None] * len(legend) if hectares is None else list(hectares)
    for index, (entry, pixels, area) in enumerate(zip(legend, count, areas, strict=True)):
        row = ET.SubElement(table, "Row", index=str(index))
        for cell in _cells(entry, int(pixels), area):
            ET.SubElement(row, "F").text = cell

    root = ET.Element("PAMDataset")
    band = ET.SubElement(root, "PAMRasterBand", band="1")
    band.append(_category_names(legend))
    band.append(table)
    return _text(root)


def _cells(entry: LegendClass, pixels: int, area: float | None) -> list[str]:
    cells = [str(entry.value), str(pixels), entry.name, *map(str, entry.color), "255"]
    return cells if area is None else [*cells, repr(float(area))]


def _category_names(legend: Legend) -> ET.Element:
    """Names by position from value 0; values without a class have an empty one."""
    names = dict(zip(legend.values, legend.names, strict=True)) | {0: "No data"}
    element = ET.Element("CategoryNames")
    for value in range(max(names) + 1):
        ET.SubElement(element, "Category").text = names.get(value, "")
    return element


def qml(legend: Legend) -> bytes:
    """A complete QGIS style: paletted, every class with its name and color, nodata left out."""
    root = ET.Element("qgis", version="3.22.0", styleCategories="Symbology")
    pipe = ET.SubElement(root, "pipe")
    renderer = ET.SubElement(
        pipe,
        "rasterrenderer",
        type="paletted",
        band="1",
        opacity="1",
        alphaBand="-1",
        nodataColor="",
    )
    ET.SubElement(renderer, "rasterTransparency")
    palette = ET.SubElement(renderer, "colorPalette")
    for entry in legend:
        ET.SubElement(
            palette,
            "paletteEntry",
            value=str(entry.value),
            color=hex_color(entry.color),
            alpha="255",
            label=entry.name,
        )
    return b"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n" + _text(root)


def clr(legend: Legend) -> bytes:
    """A color table, one line ``value red green blue alpha name`` a class."""
    return legend.to_clr().encode()


def _text(root: ET.Element) -> bytes:
    ET.indent(root, " ")
    return ET.tostring(root, encoding="unicode").encode() + b"\n"
