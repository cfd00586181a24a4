"""What is to be said of two class maps whose extents or classes do not match."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rsclass.core.change import BY, CommonClasses
from rsclass.core.types import Window
from rsclass.io.class_map import ClassMap
from rsclass.report.texts import counted

__all__ = ["match_doubts"]

_MOST_TOLD = 12


def match_doubts(
    maps: Sequence[ClassMap],
    common: Window,
    classes: CommonClasses,
    matrix: NDArray[np.int64],
    by: str,
) -> list[str]:
    """What a comparison of two maps may miss, each in a sentence.

    Parameters
    ----------
    maps : sequence of ClassMap
        The two.
    common : Window
        The part that both have.
    classes : CommonClasses
    matrix : int64 array (classes, classes)
        Pixels from each class (rows) to each class (columns).
    by : {"name", "value"}
        How classes were matched.
    """
    doubts = []
    if any((one.height, one.width) != (common.height, common.width) for one in maps):
        doubts.append(
            f"the maps cover different ground; compared is the part of {common.height:,} x "
            f"{common.width:,} pixels that both have."
        )
    if not classes.shared:
        other = BY[1 - BY.index(by)]
        doubts.append(
            f"the maps have no class {by} in common, so every pixel counts as changed; try --by "
            f"{other}, or give the same names with 'rsclass merge'."
        )
    for one, legend in zip(maps, (classes.first, classes.second), strict=True):
        joined = len(legend) - len(set(legend.values()))
        if joined:
            several = counted(joined, "class has", "classes have")
            doubts.append(f"{several} the name of another in {one.path.name}; they are one here.")
    return [*doubts, *_partnerless(maps, classes, matrix, by)]


def _partnerless(
    maps: Sequence[ClassMap], classes: CommonClasses, matrix: NDArray[np.int64], by: str
) -> list[str]:
    """What is to be said of classes that only one of two legends with common classes has."""
    shared = set(classes.shared)
    if not shared:
        return []
    told = []
    places = (classes.first, classes.second)
    for one, place, held in zip(
        maps, places, (matrix.sum(axis=1), matrix.sum(axis=0)), strict=True
    ):
        alone = [i for i in dict.fromkeys(place.values()) if i not in shared and held[i]]
        if alone:
            names = [
                f"{classes.names[i]!r} ({counted(int(held[i]), 'pixel', 'pixels')})"
                for i in alone[:_MOST_TOLD]
            ]
            if len(alone) > _MOST_TOLD:
                names.append(f"{len(alone) - _MOST_TOLD} more")
            told.append(f"{one.path.name} has {', '.join(names)}")
    if not told:
        return []
    other = BY[1 - BY.index(by)]
    return [
        f"classes without a partner of the same {by} count as changed wherever they are: "
        f"{'; '.join(told)}. If the other map calls them otherwise, bring both maps to one schema "
        f"with 'rsclass merge', or try --by {other}."
    ]
