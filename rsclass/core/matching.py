"""Which band of a scene is which of a model."""

from __future__ import annotations

from collections.abc import Sequence

from rsclass.core.types import Band
from rsclass.errors import BandMismatchError


def match_bands(found: Sequence[Band], wanted: Sequence[Band], scene: str) -> list[int]:
    """Index in ``found`` of each band of ``wanted``: by name, else by role, else by place.

    No band is taken twice. Places count only where no band of the scene, or none of the model, has
    a name of its own.

    Parameters
    ----------
    scene : str
        Its name, for the error.

    Raises
    ------
    BandMismatchError
        A band is missing; the sentence lists the expected, found, missing and extra bands.
    """
    unnamed = all(map(_is_number, found)) or all(map(_is_number, wanted))
    if unnamed and len(found) == len(wanted):
        return list(range(len(wanted)))
    order: dict[int, int] = {}
    # All names before any role, so that a role does not take the band that another names.
    for same in (_same_name, _same_role):
        for i, band in enumerate(wanted):
            free = (j for j in range(len(found)) if j not in order.values())
            match = next((j for j in free if same(found[j], band)), None)
            if i not in order and match is not None:
                order[i] = match
    missing = [band for i, band in enumerate(wanted) if i not in order]
    if missing:
        extra = [band for j, band in enumerate(found) if j not in order.values()]
        raise BandMismatchError(
            f"{scene} does not have the model's bands: expected {listed(wanted)}; found "
            f"{listed(found)}; missing {listed(missing)}; extra {listed(extra) or 'none'}. "
            "Choose them with --bands, in the model's order.",
            expected=[band.name for band in wanted],
            found=[band.name for band in found],
        )
    return [order[i] for i in range(len(wanted))]


def listed(bands: Sequence[Band]) -> str:
    """Names and roles in one line."""
    return ", ".join(f"{b.name} ({b.role})" if b.role else b.name for b in bands)


def alike(one: Band, other: Band) -> bool:
    """Whether two bands have the same name or the same role."""
    return _same_name(one, other) or _same_role(one, other)


def _same_name(one: Band, other: Band) -> bool:
    return one.name.casefold() == other.name.casefold()


def _same_role(one: Band, other: Band) -> bool:
    return one.role is not None and one.role == other.role


def _is_number(band: Band) -> bool:
    return band.role is None and band.name.startswith("band ")
