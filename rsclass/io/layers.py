"""One layer of a vector file: found by name, its columns, its labels as texts."""

from __future__ import annotations

import codecs
import difflib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import geopandas
import pyogrio

from rsclass.errors import DataError, UsageError
from rsclass.io.names import gdal_name, given_name, local_archive

__all__ = ["VectorLayer", "files_of", "open_layer", "told"]

_COLUMNS = {
    "X_POSSIBLE_NAMES": "x,lon,long,longitude,easting",
    "Y_POSSIBLE_NAMES": "y,lat,latitude,northing",
    "GEOM_POSSIBLE_NAMES": "wkt,geom,geometry,the_geom",
    "AUTODETECT_TYPE": "YES",
}
_NOT_OURS = (" Set SHAPE_RESTORE_SHX", "; It might help")  # advice that our users cannot follow
_SHAPEFILE = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_IDS_TOLD = 10


def told(ids: Sequence[int]) -> str:
    """Features for a message: ``feature 7``, ``features 7, 9``; of many, the first ten."""
    more = f" and {len(ids) - _IDS_TOLD:,} more" if len(ids) > _IDS_TOLD else ""
    return f"feature{'s'[: len(ids) - 1]} {', '.join(map(str, ids[:_IDS_TOLD]))}{more}"


@dataclass(frozen=True)
class VectorLayer:
    """A layer that can be read.

    Attributes
    ----------
    name : str
        Of the file, as the user gave it.
    path : str
        As GDAL knows it.
    layer, driver : str
    fields : tuple of str
    encoding : str or None
        Of texts, if the user named it.
    files : tuple of str
        Local files that it is kept in.
    """

    name: str
    path: str
    layer: str
    driver: str
    fields: tuple[str, ...]
    encoding: str | None
    files: tuple[str, ...]

    @property
    def holds_crs(self) -> bool:
        """Whether the format has a place for a coordinate reference system."""
        return self.driver != "CSV"

    def read(self, field: str | None) -> geopandas.GeoDataFrame:
        """Every feature, by its id, with one column at most.

        Raises
        ------
        UsageError
            There is no such column.
        DataError
            It cannot be read, or has no geometries.
        """
        self._check_field(field)
        return self._read([] if field is None else [field])

    def read_all(self, field: str) -> geopandas.GeoDataFrame:
        """Every feature, by its id, with all columns, among them ``field``; see :meth:`read`."""
        self._check_field(field)
        return self._read(None)

    def _read(self, columns: list[str] | None) -> geopandas.GeoDataFrame:
        options = _COLUMNS if self.driver == "CSV" else {}
        try:
            with warnings.catch_warnings():
                # Heights and measures are not needed; fields of other types neither.
                warnings.simplefilter("ignore", UserWarning)
                frame = pyogrio.read_dataframe(
                    self.path,
                    layer=self.layer,
                    columns=columns,
                    fid_as_index=True,
                    encoding=self.encoding,
                    **options,
                )
        except UnicodeDecodeError as error:
            raise DataError(
                f"texts of {self.name} are not in {error.encoding}; name their encoding with "
                "--encoding, such as cp1252."
            ) from error
        except Exception as error:  # pyogrio passes on what GDAL raises
            raise DataError(f"{self.name} cannot be read ({_reason(error)}).") from error
        if not isinstance(frame, geopandas.GeoDataFrame):
            columns_wanted = (
                " (columns x and y, lon and lat, or wkt)" if self.driver == "CSV" else ""
            )
            raise DataError(
                f"the layer {self.layer!r} of {self.name} holds no geometries{columns_wanted}; "
                "give points, lines or polygons."
            )
        return frame

    def _check_field(self, field: str | None) -> None:
        if field is None or field in self.fields:
            return
        if not self.fields:
            lost = self.missing(".dbf")
            raise DataError(
                f"{self.name} has no fields{lost}, so there is no {field!r} in it; give a file "
                "whose features have labels."
            )
        close = difflib.get_close_matches(field, self.fields, 1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise UsageError(
            f"{self.name} has no field {field!r}.{hint} Its fields: {', '.join(self.fields)}."
        )

    def missing(self, suffix: str) -> str:
        """`` (roads.prj is missing)`` for a part of a Shapefile that is not there."""
        part = Path(self.path).with_suffix(suffix)
        if self.driver != "ESRI Shapefile" or not Path(self.path).is_file() or part.exists():
            return ""
        return f" ({part.name} is missing)"

    def labels(self, frame: geopandas.GeoDataFrame, field: str) -> list[str | None]:
        """The labels as texts: whole numbers without a point, None where there is none.

        Raises
        ------
        DataError
            They are numbers that are not whole, or lists.
        """
        texts = [_text(value) for value in frame[field].tolist()]
        odd = [
            (value, int(number))
            for value, text, number in zip(frame[field], texts, frame.index, strict=True)
            if text is _ODD
        ]
        if odd:
            raise DataError(
                f"{field!r} of {self.name} holds {odd[0][0]} in feature {odd[0][1]}; classes are "
                "texts or whole numbers, choose another field.",
                ids=[number for _, number in odd],
            )
        return [None if text is None else str(text) for text in texts]

    def doubts(self, labels: Sequence[str | None]) -> list[str]:
        """Sentences on labels whose letters may be others than they seem."""
        plain = all(label is None or label.isascii() for label in labels)
        if plain or self.encoding is not None or not self.missing(".cpg"):
            return []
        letters = next(label for label in labels if label is not None and not label.isascii())
        return [
            f"{self.name} does not state its encoding{self.missing('.cpg')}; if {letters!r} looks "
            "wrong, give --encoding."
        ]


_ODD = object()


def _text(value: Any) -> Any:
    """A label as text, None for a missing one, ``_ODD`` for what cannot be one."""
    if value is None or isinstance(value, str):
        return (value or "").strip() or None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        number = float(value)
        if number != number:
            return None
        return str(int(number)) if number.is_integer() else _ODD
    if hasattr(value, "__len__"):
        return _ODD
    text = str(value)
    return None if text in ("NaT", "<NA>") else text


def open_layer(path: Any, layer: str | None = None, encoding: str | None = None) -> VectorLayer:
    """Find the layer of a vector file.

    Raises
    ------
    UsageError
        The layer or the encoding does not exist, or there are several layers and none is named.
    DataError
        It is no vector file.
    """
    if encoding is not None:
        _check_encoding(encoding)
    name = given_name(path)
    found = gdal_name(name)
    try:
        layers = pyogrio.list_layers(found).tolist()
    except Exception as error:  # pyogrio passes on what GDAL raises
        raise DataError(
            f"{name} cannot be opened as a vector file ({_reason(error)}); check that it is a "
            "complete one."
        ) from error
    chosen = _chosen([(str(title), kind) for title, kind in layers], layer, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        info = pyogrio.read_info(found, layer=chosen)
    fields = tuple(str(title) for title in info["fields"])
    return VectorLayer(name, found, chosen, info["driver"], fields, encoding, _files(found))


def _check_encoding(encoding: str) -> None:
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise UsageError(
            f"--encoding {encoding!r} is unknown; give one such as utf-8, cp1252 or iso-8859-2."
        ) from None


def _chosen(layers: list[tuple[str, str | None]], wanted: str | None, name: str) -> str:
    titles = [title for title, _ in layers]
    # Tables beside the shapes, such as styles, are no layers to learn from.
    spatial = [title for title, kind in layers if kind is not None] or titles
    if wanted is not None and wanted in titles:
        return wanted
    if wanted is not None:
        close = difflib.get_close_matches(wanted, titles, 1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise UsageError(f"{name} has no layer {wanted!r}.{hint} Its layers: {', '.join(titles)}.")
    if not spatial:
        raise DataError(f"{name} holds no layer; give a file with points, lines or polygons.")
    if len(spatial) > 1:
        raise UsageError(
            f"{name} has {len(spatial)} layers: {', '.join(spatial)}; choose one with --layer."
        )
    return spatial[0]


def _reason(error: Exception) -> str:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    for advice in _NOT_OURS:
        reason = reason.partition(advice)[0]
    return reason.rstrip(".")


def files_of(path: Any) -> tuple[str, ...]:
    """Local files that a vector file is kept in: those of a Shapefile, of a folder, or itself.

    Raises
    ------
    DataError
        There is no such file.
    """
    return _files(gdal_name(given_name(path)))


def _files(found: str) -> tuple[str, ...]:
    path = Path(found)
    if path.is_dir():
        return tuple(str(file) for file in sorted(path.iterdir()) if file.is_file())
    if path.suffix.lower() == ".shp":
        beside = {file.name.lower(): file for file in path.parent.iterdir()}
        parts = (beside.get(f"{path.stem}{suffix}".lower()) for suffix in _SHAPEFILE)
        return tuple(str(part) for part in parts if part is not None)
    if path.is_file():
        return (found,)
    archive = local_archive(found)
    return (archive,) if archive else ()
