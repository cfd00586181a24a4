"""GeoPackages that hold the same bytes whenever they are written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

__all__ = ["FAILURES", "undated"]

FAILURES = (OSError, DataLayerError, DataSourceError)
"""What a write that failed is told by."""

_NO_DATE = "2000-01-01T00:00:00.000Z"


@contextmanager
def undated() -> Iterator[None]:
    """Let GDAL write no time of its own into a GeoPackage."""
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _NO_DATE})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})
