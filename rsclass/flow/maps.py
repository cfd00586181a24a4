"""What the verbs that make maps from maps share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rsclass.core.legend import Legend
from rsclass.core.naming import ClassNames
from rsclass.errors import RsclassError, UsageError
from rsclass.io.class_map import ClassMap

__all__ = ["named_classes", "output_beside"]


def output_beside(class_map: ClassMap, ending: str) -> Path:
    """``map.tif`` gives ``map_<ending>.tif`` beside it; a remote map gives it here."""
    local = class_map.path if class_map.path.exists() else Path(class_map.name)
    return local.with_name(f"{local.stem}_{ending}.tif")


def named_classes(
    legend: Legend,
    labels: Sequence[str | int],
    told: str,
    error: type[RsclassError] = UsageError,
) -> tuple[int, ...]:
    """Values of classes given by name or value, sorted.

    Parameters
    ----------
    told : str
        Where the labels stand, for the message: ``--protect``.
    error : type of error
        Raised where one is not in the legend: the request is wrong, or the file that names it.

    Raises
    ------
    UsageError
        One is not in the legend.
    DataError
        The name is that of several classes.
    """
    names = ClassNames(legend)
    values = set()
    for label in labels:
        place = names.find(str(label))
        if place is None:
            raise error(f"{told} {label}: the map has no such class; it has {names.described()}.")
        values.add(legend.values[place])
    return tuple(sorted(values))
