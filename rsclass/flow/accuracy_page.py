"""The report page of an assessment."""

from __future__ import annotations

from rsclass.flow.assessed import Assessed
from rsclass.flow.models import versions
from rsclass.io.class_map import ClassMap
from rsclass.report.accuracy import AccuracyData, accuracy_page

__all__ = ["accuracy_report"]

_KINDS = {
    "points": "points",
    "shapes": "pixels of polygons and lines",
    "raster": "a raster of labels",
    "table": "a table of labels",
}


def accuracy_report(
    assessed: Assessed, class_map: ClassMap, *, created: str, command: str | None
) -> bytes:
    """The page as UTF-8 HTML.

    Parameters
    ----------
    created : str
        When it was made.
    command : str or None
        The command line.
    """
    facts = {
        "map": str(class_map.path),
        "size": f"{class_map.height:,} x {class_map.width:,} pixels",
        "reference": f"{assessed.reference} ({_KINDS[assessed.kind]})",
    }
    left = [f"{n:,} {why}" for why, n in assessed.skipped.items() if n]
    if left:
        facts["units left out"] = ", ".join(left)
    if command is not None:
        facts["command"] = command
    facts["made by"] = f"rsclass {versions()['rsclass']}"
    return accuracy_page(
        AccuracyData(
            name=class_map.name,
            reference=assessed.reference,
            design="" if assessed.basis is None else assessed.basis.told,
            accuracy=assessed.accuracy,
            clusters=assessed.clusters,
            colors=dict(zip(class_map.legend.values, class_map.legend.colors, strict=True)),
            warnings=assessed.warnings,
            facts=facts,
            created=created,
        )
    )
