"""Names and colors of a class map's values, from whatever lies beside the map or in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from rsclass.core.legend import HIGHEST_VALUE, RGB, Legend, LegendClass, clean_name, parse_color
from rsclass.errors import DataError
from rsclass.io.atomic import read_text
from rsclass.io.stats_file import read_stats
from rsclass.io.target import belonging

__all__ = ["FoundLabels", "find_labels", "qml_legend"]

# GDALRATFieldUsage of GDAL's gdal.h.
_USAGES = {"2": "name", "3": "value", "5": "value", "6": "red", "7": "green", "8": "blue"}
_COLUMN_NAMES = {
    "value": "value",
    "class": "name",
    "class_name": "name",
    "classname": "name",
    "name": "name",
    "label": "name",
    "red": "red",
    "green": "green",
    "blue": "blue",
}

Entry = tuple[int, str, RGB | None]


@dataclass
class FoundLabels:
    """What is known of values from 1 on; where sources differ, the first that was added counts.

    Attributes
    ----------
    names : dict of int to str
    colors : dict of int to (red, green, blue)
    warnings : list of str
        Files that could not be read.
    """

    names: dict[int, str] = field(default_factory=dict)
    colors: dict[int, RGB] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def add(self, entries: Iterable[Entry]) -> None:
        """Take what is not known yet."""
        for value, name, color in entries:
            if not 1 <= value <= HIGHEST_VALUE:
                continue
            if clean_name(name):
                self.names.setdefault(value, clean_name(name))
            if color is not None and all(0 <= part <= 255 for part in color):
                self.colors.setdefault(value, color)


def find_labels(path: Path, dataset: Any) -> FoundLabels:
    """Read what lies beside a map: what people edit first, then what programs wrote.

    In this order: QGIS style (``.qml``), raster attribute table and category names
    (``.aux.xml``), class statistics (``.stats.json``), color table (``.clr``), ArcGIS's table
    (``.vat.dbf``), the names in an ENVI header, and the palette in the map itself, which has colors
    alone.

    Parameters
    ----------
    path : Path
    dataset : open rasterio dataset
    """
    labels = FoundLabels()
    readers: tuple[tuple[str, Callable[[Path], Iterable[Entry]]], ...] = (
        (".qml", lambda file: _qml_entries(read_text(file, "the file"), file.name)),
        (".aux.xml", lambda file: _pam_entries(read_text(file, "the file"), file.name)),
        (".stats.json", lambda file: _entries(read_stats(file).legend)),
        (".clr", lambda file: _entries(Legend.from_clr(read_text(file, "the file"), file.name))),
        (".vat.dbf", _vat_entries),
    )
    for suffix, read in readers:
        file = belonging(path, suffix)
        if not file.is_file():
            continue
        try:
            labels.add(read(file))
        except DataError as error:
            labels.warnings.append(f"{file.name} cannot be used as a legend: {error}")
    labels.add(_envi_entries(dataset))
    labels.add((value, "", color) for value, color in _palette(dataset).items())
    return labels


def _palette(dataset: Any) -> dict[int, RGB]:
    try:
        colors = dataset.colormap(1)
    except ValueError:  # rasterio's way to say that there is none
        return {}
    return {value: (red, green, blue) for value, (red, green, blue, _) in colors.items()}


def _envi_entries(dataset: Any) -> list[Entry]:
    """Names by value from 0, as ``{Unclassified, Wheat, Open water}``."""
    text = dataset.tags(ns="ENVI").get("class_names", "")
    return [(value, name, None) for value, name in enumerate(text.strip(" {}").split(","))]


def _vat_entries(file: Path) -> list[Entry]:
    """Of the table that ArcGIS keeps beside a raster; its colors are parts of 1, or of 255."""
    from pyogrio.errors import DataSourceError
    from pyogrio.raw import read

    try:
        meta, _, _, columns = read(file)
    except (DataSourceError, ValueError) as error:
        raise DataError(f"{file.name} is no readable table: {error}.") from error
    table = dict(zip((str(name).lower() for name in meta["fields"]), columns, strict=True))
    if "value" not in table:
        raise DataError(f"{file.name} has no column VALUE.")
    texts = [name for name, column in table.items() if column.dtype == object]
    # Of several texts the one that says that it is a name, else the first.
    texts.sort(key=lambda name: _COLUMN_NAMES.get(name) != "name")
    names = table[texts[0]] if texts else [""] * len(table["value"])
    colors: list[RGB | None] = [None] * len(names)
    if {"red", "green", "blue"} <= table.keys():
        parts = np.stack([table[part] for part in ("red", "green", "blue")], axis=1)
        scale = 255 if parts.dtype.kind == "f" and parts.max(initial=0) <= 1 else 1
        colors = [(int(r), int(g), int(b)) for r, g, b in np.rint(parts * scale)]
    return [
        (int(value), str(name or ""), color)
        for value, name, color in zip(table["value"], names, colors, strict=True)
    ]


def _entries(legend: Legend) -> list[Entry]:
    return [(c.value, c.name, c.color) for c in legend]


def qml_legend(text: str, source: str = "the style") -> Legend:
    """The classes of a paletted QGIS style; one without a label is ``class <value>``.

    Raises
    ------
    DataError
        It is no XML, or has no classes.
    """
    labels = FoundLabels()
    labels.add(_qml_entries(text, source))
    return Legend(
        tuple(
            LegendClass(value, labels.names.get(value, f"class {value}"), color)
            for value, color in labels.colors.items()
        )
    )


def _qml_entries(text: str, source: str) -> list[Entry]:
    root = _parsed(text, source)
    # Paletted rasters have entries, pseudo-colored ones items.
    found = [*root.iter("paletteEntry"), *root.iter("item")]
    entries = [
        (int(value), element.get("label") or "", _color(element.get("color"), source))
        for element in found
        if (value := _number(element.get("value"))) is not None and value.is_integer()
    ]
    if not entries:
        raise DataError(f"{source} is no style with one color for each value.")
    return entries


def _color(text: str | None, source: str) -> RGB | None:
    if text is None:
        return None
    parts = [_number(part) for part in text.split(",")[:3]]  # "r,g,b,a" in styles of other kinds
    known = [int(part) for part in parts if part is not None]
    if len(known) == 3:
        return known[0], known[1], known[2]
    try:
        return parse_color(text)
    except DataError as error:
        raise DataError(f"{source}: {error}") from error


def _pam_entries(text: str, source: str) -> list[Entry]:
    root = _parsed(text, source)
    bands = [band for band in root.iter("PAMRasterBand") if band.get("band", "1") == "1"]
    entries: list[Entry] = []
    for band in bands:
        for table in band.iter("GDALRasterAttributeTable"):
            entries += _table_entries(table)
        for names in band.iter("CategoryNames"):
            entries += [(i, name.text or "", None) for i, name in enumerate(names)]
    return entries


def _table_entries(table: ElementTree.Element) -> list[Entry]:
    place: dict[str, int] = {}
    for i, column in enumerate(table.iter("FieldDefn")):
        meaning = _USAGES.get((column.findtext("Usage") or "").strip())
        name = (column.findtext("Name") or "").strip().lower()
        kind = meaning or _COLUMN_NAMES.get(name)
        if kind:
            place.setdefault(kind, i)
    entries: list[Entry] = []
    for row in table.iter("Row"):
        cells = [cell.text or "" for cell in row.iter("F")]
        found = {kind: cells[i] for kind, i in place.items() if i < len(cells)}
        value = _number(found.get("value"))
        if value is None or not value.is_integer():
            continue
        parts = [_number(found.get(part)) for part in ("red", "green", "blue")]
        known = [int(part) for part in parts if part is not None and 0 <= part <= 255]
        color = (known[0], known[1], known[2]) if len(known) == 3 else None
        entries.append((int(value), found.get("name", ""), color))
    return entries


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None


def _parsed(text: str, source: str) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(text)  # noqa: S314 - expat bounds entities
    except ElementTree.ParseError as error:
        raise DataError(f"{source} is no readable XML: {error}.") from error
