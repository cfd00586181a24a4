"""Sentinel-2 products in SAFE folders, Level-1C and Level-2A.

Bands, quantification and offsets follow the Sentinel-2 Products Specification Document (ESA,
S2-PDGS-TAS-DI-PSD): reflectance = (stored + offset) / quantification, where products of processing
baseline 04.00 (January 2022) and later have an offset, as a rule -1000.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

from rsclass.core.sensors import CHANNELS, SENTINEL2
from rsclass.core.types import Band
from rsclass.errors import DataError, UnreadableRasterError
from rsclass.io.shelves import Entry, Product, Shelf

_METADATA = re.compile(r"MTD_MSIL(1C|2A)\.xml", re.I)
_BAND_FILE = re.compile(
    r"GRANULE/(?P<granule>[^/]+)/IMG_DATA/(?:R\d0m/)?[^/]*_(?P<band>B\d\d|B8A)"
    r"(?:_(?P<size>\d\d)m)?\.(?:jp2|tiff?)",
    re.I,
)
# The order of the product's own band_id.
_BANDS = tuple("B8A" if number == "8A" else f"B{number:0>2}" for number in CHANNELS[SENTINEL2])
_NATIVE = dict.fromkeys(("B02", "B03", "B04", "B08"), 10) | dict.fromkeys(("B01", "B09", "B10"), 60)
_FIRST_BASELINE_WITH_OFFSET = 400
_USUAL_OFFSET = -1000.0
_USUAL_QUANTIFICATION = 10000.0


def sentinel2_product(shelf: Shelf) -> Product | None:
    """The bands of a SAFE folder, each from its finest file; None where it is not one.

    Raises
    ------
    UnreadableRasterError
        The metadata is damaged, or there are no band files.
    DataError
        The product holds several granules.
    """
    names = shelf.names()
    metadata = next((name for name in names if _METADATA.fullmatch(name)), None)
    if metadata is None:
        return None
    found: dict[str, tuple[int, str]] = {}
    granules = set()
    for name in names:
        match = _BAND_FILE.fullmatch(name)
        if match is None:
            continue
        granules.add(match["granule"])
        band = match["band"].upper()
        size = int(match["size"] or _NATIVE.get(band, 20))
        found[band] = min(found.get(band, (size, name)), (size, name))
    if len(granules) > 1:
        raise DataError(
            f"{shelf.title} holds {len(granules)} granules; give the band files of one granule."
        )
    if not found:
        raise UnreadableRasterError(
            f"{shelf.title} has {metadata} but no band files under GRANULE/*/IMG_DATA; "
            "download it whole.",
            path=shelf.root,
        )
    quantification, offsets, nodata = _calibration(shelf, metadata)
    entries = tuple(
        Entry(
            shelf.path(found[band][1]),
            Band(band, gain=1 / quantification, offset=offsets[band] / quantification),
            nodata,
        )
        for band in _BANDS
        if band in found
    )
    kind = f"Sentinel-2 Level-{metadata[8:10].upper()}"
    title = re.sub(r"\.(SAFE|zip)", "", shelf.title, flags=re.I)
    return Product(kind, title, entries, (SENTINEL2,), (shelf.local_file(metadata),))


def _calibration(shelf: Shelf, metadata: str) -> tuple[float, dict[str, float], float]:
    """Quantification value, offset of each band, and the stored value of no data."""
    try:
        # Local metadata; the parser bounds the expansion of entities itself (expat >= 2.4.1).
        root = ElementTree.fromstring(shelf.text(metadata))  # noqa: S314
        surface = "2A" in metadata.upper()
        quantification = _number(
            root, "BOA_QUANTIFICATION_VALUE" if surface else "QUANTIFICATION_VALUE"
        )
        listed = {
            _BANDS[int(node.attrib["band_id"])]: float(node.text or "")
            for node in root.iter("BOA_ADD_OFFSET" if surface else "RADIO_ADD_OFFSET")
        }
        nodata = next(
            (
                float(node.findtext("SPECIAL_VALUE_INDEX") or "")
                for node in root.iter("Special_Values")
                if (node.findtext("SPECIAL_VALUE_TEXT") or "").strip().upper() == "NODATA"
            ),
            0.0,
        )
    except (ElementTree.ParseError, KeyError, IndexError, ValueError) as error:
        raise UnreadableRasterError(
            f"{metadata} of {shelf.title} is damaged ({error}); get a sound copy.", path=shelf.root
        ) from error
    usual = _USUAL_OFFSET if _has_offset(shelf, root) else 0.0
    return (
        quantification or _USUAL_QUANTIFICATION,
        {band: listed.get(band, usual) for band in _BANDS},
        nodata,
    )


def _number(root: ElementTree.Element, tag: str) -> float | None:
    node = next(root.iter(tag), None)
    return float(node.text or "") if node is not None else None


def _has_offset(shelf: Shelf, root: ElementTree.Element) -> bool:
    stated = next((node.text or "" for node in root.iter("PROCESSING_BASELINE")), "")
    named = re.search(r"_N(\d{4})_", shelf.title)
    digits = named.group(1) if named else re.sub(r"\D", "", stated)
    return digits.isdecimal() and int(digits) >= _FIRST_BASELINE_WITH_OFFSET
