"""Landsat products: the band files beside an ``_MTL`` metadata file.

Scaling follows the Landsat Collection 2 Level-1 and Level-2 data format control books (USGS
LSDS-1822, LSDS-1328): physical = stored * MULT + ADD. Level-1 reflectance is top of atmosphere and
not corrected for the sun's elevation; Level-1 thermal bands are radiances, Level-2 ones kelvin.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from rsclass.core.types import Band
from rsclass.errors import UnreadableRasterError
from rsclass.io.shelves import Entry, Product, Shelf

Groups = dict[str, dict[str, str]]

_METADATA = re.compile(r"[^/]*_MTL\.(txt|json)", re.I)
_CONTENTS = ("PRODUCT_CONTENTS", "PRODUCT_METADATA")
_LEVEL2 = ("LEVEL2_SURFACE_REFLECTANCE_PARAMETERS", "LEVEL2_SURFACE_TEMPERATURE_PARAMETERS")
_LEVEL1 = ("LEVEL1_RADIOMETRIC_RESCALING", "RADIOMETRIC_RESCALING")
_QUANTITIES = ("REFLECTANCE", "TEMPERATURE", "RADIANCE")


def landsat_product(shelf: Shelf) -> Product | None:
    """The bands that an ``_MTL`` file of the folder lists; None where there is no such file.

    Raises
    ------
    UnreadableRasterError
        The metadata is damaged, or none of its bands is there.
    """
    names = shelf.names()
    found = sorted((n for n in names if _METADATA.fullmatch(n)), key=lambda n: n.endswith("json"))
    if not found:
        return None
    metadata = found[0]
    groups = _groups(shelf, metadata)
    contents = next((groups[group] for group in _CONTENTS if group in groups), {})
    present = {name.lower(): name for name in names}
    entries, missing = [], []
    for key, value in contents.items():
        band = re.fullmatch(r"FILE_NAME_BAND_(?:ST_B)?(\d+(?:_VCID_\d)?)", key)
        if band is None:
            continue
        if value.lower() not in present:
            missing.append(value)
            continue
        surface = re.search(r"_(S[RT]_)B\d", value, re.I)
        name = f"{surface.group(1).upper() if surface else ''}B{band.group(1)}"
        gain, offset = _scale(groups, key.removeprefix("FILE_NAME_BAND_"), surface is not None)
        path = shelf.path(present[value.lower()])
        entries.append(Entry(path, Band(name, gain=gain, offset=offset), nodata=0.0))
    if not entries:
        raise UnreadableRasterError(
            f"none of the bands that {metadata} lists lies beside it; download it whole.",
            path=shelf.root,
        )
    title = re.sub(r"_MTL\.\w+$", "", metadata, flags=re.I)
    note = (f"{title}: {', '.join(missing)} not found; the other bands are used.",)
    return Product(
        kind="Landsat",
        name=title,
        entries=tuple(entries),
        hints=(_value(groups, "SPACECRAFT_ID"), title),
        files=(shelf.local_file(metadata),),
        warnings=note if missing else (),
    )


def _groups(shelf: Shelf, metadata: str) -> Groups:
    text = shelf.text(metadata)
    try:
        groups = _of_json(json.loads(text)) if metadata.endswith("json") else _of_text(text)
    except ValueError as error:
        raise UnreadableRasterError(
            f"{metadata} is damaged ({error}); get a sound copy.", path=shelf.root
        ) from error
    return groups


def _of_text(text: str) -> Groups:
    groups: Groups = {}
    group = ""
    for line in text.splitlines():
        key, _, value = (part.strip() for part in line.partition("="))
        if key == "GROUP":
            group = value
        elif value and key != "END_GROUP":
            groups.setdefault(group, {})[key] = value.strip('"')
    return groups


def _of_json(tree: Mapping[str, Any]) -> Groups:
    groups: Groups = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            plain = {k: str(v) for k, v in value.items() if not isinstance(v, Mapping)}
            groups.setdefault(key, {}).update(plain)
            for inner, content in _of_json(value).items():
                groups.setdefault(inner, {}).update(content)
    return groups


def _scale(groups: Groups, band: str, surface: bool) -> tuple[float, float]:
    # Level-2 metadata repeats the keys of Level 1 with other numbers: the group decides.
    for group in _LEVEL2 if surface else _LEVEL1:
        for quantity in _QUANTITIES:
            gain = groups.get(group, {}).get(f"{quantity}_MULT_BAND_{band}")
            offset = groups.get(group, {}).get(f"{quantity}_ADD_BAND_{band}")
            if gain is not None and offset is not None:
                return float(gain), float(offset)
    return 1.0, 0.0


def _value(groups: Groups, key: str) -> str:
    return next((group[key] for group in groups.values() if key in group), "")
