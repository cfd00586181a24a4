"""A class map as a STAC item (1.1.0): where it lies, when it was seen, what its values mean."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.control import GroundControlPoint as RasterioPoint
from rasterio.crs import CRS
from rasterio.transform import from_gcps
from rasterio.warp import transform_geom

from rsclass.core.grid import Georeference
from rsclass.core.legend import Legend, hex_color
from rsclass.errors import UsageError

STAC_VERSION = "1.1.0"
_EXTENSIONS = ("classification/v2.0.0", "projection/v2.0.0", "raster/v2.0.0")
_SOFTWARE_EXTENSION = "processing/v1.1.0"
# Straight edges of a scene are curves in longitude and latitude.
_POINTS_PER_EDGE = 16


def stac_item(
    *,
    item_id: str,
    href: str,
    legend: Legend,
    count: NDArray[Any],
    georeference: Georeference,
    height: int,
    width: int,
    dtype: str,
    created: str,
    acquired: str | None = None,
    cloud_optimized: bool = False,
    software: Mapping[str, str] | None = None,
) -> bytes:
    """The item of one class map.

    Parameters
    ----------
    item_id : str
    href : str
        Of the map, usually relative to the item (``./map.tif``).
    legend : Legend
    count : int array (classes,)
        Pixels of each class.
    georeference : Georeference
        Without any, the item has no geometry.
    height, width : int
        Pixels.
    dtype : str
        Type of the map's pixels, ``uint8`` or ``uint16``.
    created : str
        When the map was made, ISO 8601.
    acquired : str, optional
        When the scene was seen, as its tags say it. If it is no date, ``created`` stands for it.
    cloud_optimized : bool
        The map is a cloud-optimized GeoTIFF.
    software : mapping of name to version, optional

    Returns
    -------
    bytes
        JSON with ``classification:classes`` (0 is nodata) in its one band.

    Raises
    ------
    UsageError
        ``created`` is no date.

    References
    ----------
    STAC specification 1.1.0; extensions classification 2.0.0, projection 2.0.0, raster 2.0.0,
    processing 1.1.0. Geometry as RFC 7946 wants it.
    """
    geometry = footprint(georeference, height, width)
    made = _timestamp(created)
    if made is None:
        raise UsageError(f"{created!r} is no date; write it as 2026-01-31T12:00:00Z.")
    extensions = [*_EXTENSIONS, *([_SOFTWARE_EXTENSION] if software else [])]
    properties: dict[str, Any] = {
        "datetime": (acquired and _timestamp(acquired)) or made,
        "created": made,
    }
    if software:
        properties["processing:software"] = dict(sorted(software.items()))
    profile = "; profile=cloud-optimized" if cloud_optimized else ""
    item: dict[str, Any] = {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": [
            f"https://stac-extensions.github.io/{name}/schema.json" for name in sorted(extensions)
        ],
        "id": item_id,
        "geometry": geometry,
        **({"bbox": _bbox(geometry)} if geometry else {}),
        "properties": properties,
        "links": [],
        "assets": {
            "map": {
                "href": href,
                "type": f"image/tiff; application=geotiff{profile}",
                "title": "Class map",
                "roles": ["data"],
                **_projection(georeference, height, width),
                "bands": [
                    {
                        "name": "class",
                        "data_type": dtype,
                        "nodata": 0,
                        "raster:sampling": "point" if georeference.point else "area",
                        "classification:classes": stac_classes(legend, count),
                    }
                ],
            }
        },
    }
    return json.dumps(item, indent=1).encode() + b"\n"


def stac_classes(legend: Legend, count: NDArray[Any]) -> list[dict[str, Any]]:
    """``classification:classes`` of a legend, with 0 as nodata.

    A ``name`` holds letters, digits, ``-`` and ``_`` and is unique; the ``title`` is the class's
    own name. ``percentage`` is of all classified pixels.
    """
    total = int(np.sum(count))
    classes: list[dict[str, Any]] = [
        {"value": 0, "name": "nodata", "title": "No data", "nodata": True}
    ]
    used = {"nodata"}
    for entry, pixels in zip(legend, count, strict=True):
        name = _machine_name(entry.name) or "class"
        if name in used:
            name = f"{name}_{entry.value}"
        while name in used:
            name += "_"
        used.add(name)
        classes.append(
            {
                "value": entry.value,
                "name": name,
                "title": entry.name,
                "color_hint": hex_color(entry.color)[1:].upper(),
                "count": int(pixels),
                **({"percentage": round(100 * int(pixels) / total, 6)} if total else {}),
            }
        )
    return classes


def footprint(georeference: Georeference, height: int, width: int) -> dict[str, Any] | None:
    """GeoJSON geometry of a scene in longitude and latitude (WGS 84); None where it is unknown.

    A scene across the antimeridian becomes two polygons.
    """
    crs, transform = georeference.crs, georeference.transform
    if transform is None and georeference.gcps:
        crs = georeference.gcp_crs
        transform = from_gcps(
            [RasterioPoint(p.row, p.col, p.x, p.y, p.z) for p in georeference.gcps]
        )[:6]
    if not crs or transform is None:
        return None
    part = np.arange(_POINTS_PER_EDGE) / _POINTS_PER_EDGE
    zero, one = np.zeros_like(part), np.ones_like(part)
    cols = np.concatenate([zero, part, one, 1 - part, [0]]) * width
    rows = np.concatenate([part, one, 1 - part, zero, [0]]) * height
    a, b, c, d, e, f = transform
    xs, ys = a * cols + b * rows + c, d * cols + e * rows + f
    ring = [(float(x), float(y)) for x, y in zip(xs, ys, strict=True)]
    if _signed_area(ring) < 0:
        ring.reverse()
    polygon = {"type": "Polygon", "coordinates": [ring]}
    moved = transform_geom(CRS.from_user_input(crs), "EPSG:4326", polygon)
    return {"type": moved["type"], "coordinates": _rounded(moved["coordinates"])}


def _projection(georeference: Georeference, height: int, width: int) -> dict[str, Any]:
    fields: dict[str, Any] = {"proj:code": None, "proj:shape": [height, width]}
    if georeference.crs:
        crs = CRS.from_user_input(georeference.crs)
        authority = crs.to_authority()
        if authority:
            fields["proj:code"] = ":".join(authority)
        else:
            fields["proj:wkt2"] = crs.to_wkt(version="WKT2_2019")
    if georeference.transform:
        fields["proj:transform"] = list(georeference.transform)
    return fields


def _bbox(geometry: dict[str, Any]) -> list[float]:
    """West, south, east, north; west is the larger number across the antimeridian."""
    polygons = geometry["coordinates"]
    if geometry["type"] == "Polygon":
        polygons = [polygons]
    boxes = [(*np.min(p[0], axis=0), *np.max(p[0], axis=0)) for p in polygons]
    west, south = min(b[0] for b in boxes), min(b[1] for b in boxes)
    east, north = max(b[2] for b in boxes), max(b[3] for b in boxes)
    if len(boxes) > 1 and west == -180 and east == 180:
        west = min(b[0] for b in boxes if b[2] == 180)
        east = max(b[2] for b in boxes if b[0] == -180)
    return [float(west), float(south), float(east), float(north)]


def _signed_area(ring: list[tuple[float, float]]) -> float:
    x, y = np.array(ring).T
    return float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]) / 2)


def _rounded(coordinates: Any) -> Any:
    """Seven decimals, which is a centimeter."""
    if isinstance(coordinates[0], int | float):
        return [round(float(c), 7) for c in coordinates[:2]]
    return [_rounded(part) for part in coordinates]


def _machine_name(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_-]+", "_", plain).strip("_").lower()


def _timestamp(text: str) -> str | None:
    """RFC 3339 in UTC of an ISO 8601 or TIFF date (``2020:01:31 10:00:00``); None of another."""
    # TIFF tags part dates with colons.
    iso = re.sub(r"^(\d{4}):(\d\d):(\d\d)", r"\1-\2-\3", text.strip())
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
