"""Which labels of a reference are which classes of a map, and how well clusters fit them."""

from __future__ import annotations

import numpy as np

from rsclass.core.clusters import ClusterFit
from rsclass.core.naming import ClassNames, told
from rsclass.errors import DataError
from rsclass.flow.designs import Matched
from rsclass.flow.pairs import Pairs
from rsclass.flow.scanning import ClassSizes
from rsclass.io.class_map import ClassMap

__all__ = ["ON_UNKNOWN", "cluster_fit", "matched_classes"]

ON_UNKNOWN = ("fail", "class", "skip")
"""What to do with a label that is no class of the map."""

_MOST_CLASSES = 2000
_TOLD = 8


def cluster_fit(class_map: ClassMap, pairs: Pairs) -> ClusterFit:
    """The cross-tabulation of labels and map classes."""
    table, labels, values = pairs.units.contingency()
    names = dict(zip(class_map.legend.values, class_map.legend.names, strict=True))
    return ClusterFit(
        table,
        tuple(pairs.labels[i] for i in labels),
        tuple(names[value] for value in values.tolist()),
        tuple(values.tolist()),
    )


def matched_classes(
    class_map: ClassMap, pairs: Pairs, sizes: ClassSizes, on_unknown: str
) -> tuple[Matched, list[str]]:
    """Bring labels and map to one list of classes: those of the map, then others of the reference.

    Parameters
    ----------
    on_unknown : {"fail", "class", "skip"}
        What to do with labels that are no class of the map.

    Returns
    -------
    Matched
    list of str
        What is to be said of it.

    Raises
    ------
    DataError
        A label is no class of the map, or none is left.
    """
    legend = class_map.legend
    classes = ClassNames(legend)
    found = [classes.find(label) for label in pairs.labels]
    unknown = [i for i, at in enumerate(found) if at is None]
    notes = []
    units = pairs.units
    numbers = [label for label in pairs.labels if classes.by_value(label)]
    if numbers:
        meant = ", ".join(f"{n} is {legend.names[classes.find(n) or 0]!r}" for n in numbers[:_TOLD])
        notes.append(
            f"numbers of {pairs.name} were taken for values of the map: {meant}"
            f"{', ...' if len(numbers) > _TOLD else ''}; check that they mean the same classes."
        )
    if unknown:
        names = [pairs.labels[i] for i in unknown]
        lost = np.isin(units.labels, unknown)
        n = int(units.units[lost].sum())
        if on_unknown == "fail":
            raise DataError(_no_class(class_map, pairs, names, classes))
        if on_unknown == "skip":
            units = units.take(~lost)
            notes.append(f"{n:,} units labelled {told(names)}, no class of the map, were left out.")
        else:
            notes.append(f"the map lacks {told(names)} of the reference: {n:,} units.")
    if not units.total:
        raise DataError(_no_class(class_map, pairs, list(pairs.labels), classes))
    extra = [i for i in unknown if on_unknown == "class"]
    used = {found[i] for i in np.unique(units.labels).tolist()}
    kept = [i for i in range(len(legend)) if sizes.pixels[i] or i in used]
    silent = [legend.names[i] for i in kept if i not in used]
    if silent:
        notes.append(
            f"no label of {pairs.name} is {told(silent)} of the map, so that nothing mapped so can "
            "be right. If its labels are coarser or finer than the map, merge the map's classes "
            "to those of the reference with 'rsclass merge'."
        )
    if len(kept) + len(extra) > _MOST_CLASSES:
        raise DataError(
            f"{class_map.name} and {pairs.name} have {len(kept) + len(extra):,} classes, and a "
            f"confusion matrix holds {_MOST_CLASSES:,}; merge classes, or score the map as "
            "clusters with --clusters."
        )
    values: list[int | None] = [legend.values[i] for i in kept]
    place = {at: position for position, at in enumerate(kept)}
    of_label = np.full(len(pairs.labels), -1, dtype=np.int64)
    for i, at in enumerate(found):
        if at is not None and at in place:
            of_label[i] = place[at]
    of_label[extra] = np.arange(len(extra)) + len(kept)
    of_value = np.full(2**16, -1, dtype=np.int64)
    of_value[[legend.values[i] for i in kept]] = np.arange(len(kept))
    pixels = np.concatenate([sizes.pixels[kept], np.zeros(len(extra), dtype=np.int64)])
    return (
        Matched(
            (*(legend.names[i] for i in kept), *(pairs.labels[i] for i in extra)),
            (*values, *([None] * len(extra))),
            units,
            of_label[units.labels],
            of_value[units.values],
            pixels,
        ),
        notes,
    )


def _no_class(class_map: ClassMap, pairs: Pairs, names: list[str], classes: ClassNames) -> str:
    known = f"the classes of {class_map.name} are {classes.described()}"
    if len(names) == len(pairs.labels):
        return (
            f"no label of {pairs.name} ({told(names)}) is a class of the map: {known}; rename "
            "them, or score the map as clusters with --clusters."
        )
    return (
        f"the map lacks {told(names)} of {pairs.name}: {known}; rename the labels, or choose "
        "--on-unknown class or skip."
    )
