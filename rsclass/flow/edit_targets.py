"""Which classes drawn features stand for, and which they may change."""

from __future__ import annotations

from collections.abc import Sequence

from rsclass.core.colors import fill_colors
from rsclass.core.labels import distinct_labels
from rsclass.core.legend import Legend, LegendClass
from rsclass.core.naming import ClassNames
from rsclass.errors import DataError
from rsclass.flow.maps import named_classes
from rsclass.io.layers import told
from rsclass.io.vectors import Features

__all__ = ["edit_targets", "only_of_features"]


def edit_targets(
    features: Features, labels: Sequence[str], legend: Legend, add_classes: bool
) -> tuple[tuple[int, ...], Legend]:
    """The value of each feature's class, and the legend with those that are new.

    Parameters
    ----------
    features : Features
    labels : sequence of str
        The class of each, by name or value.
    legend : Legend
        Of the map.
    add_classes : bool
        Whether there may be new ones.

    Raises
    ------
    DataError
        A label is no class of the map, and there may be no new ones.
    """
    names = ClassNames(legend)
    found = {label: names.find(label) for label in distinct_labels(labels)}
    unknown = [label for label, place in found.items() if place is None]
    unknown.sort(key=str.isdecimal, reverse=True)  # before the others take a number that is meant
    if unknown and not add_classes:
        ids = [n for n, label in zip(features.ids, labels, strict=True) if label in unknown]
        raise DataError(
            f"{told(ids)} of {features.name}: the map has no class "
            f"{', '.join(map(repr, unknown))}; it has {names.described()}. Correct them, or give "
            "--add-classes.",
            ids=ids,
            labels=unknown,
        )
    values = {label: legend.values[place] for label, place in found.items() if place is not None}
    entries = list(legend)
    colors = fill_colors([*legend.colors, *(None for _ in unknown)])[len(legend) :]
    for label, color in zip(unknown, colors, strict=True):
        number = int(label) if label.isdecimal() else max(entry.value for entry in entries) + 1
        name = f"class {number}" if label.isdecimal() else label
        entries.append(LegendClass(number, name, color))
        values[label] = number
    return tuple(values[label] for label in labels), Legend(tuple(entries))


def only_of_features(features: Features, legend: Legend) -> dict[int, tuple[int, ...]]:
    """The classes that each feature may change, by its id.

    Raises
    ------
    DataError
        One is not in the map.
    """
    names = ClassNames(legend)
    only = {}
    for number, text in zip(features.ids, features.labels, strict=True):
        labels = [text] if names.find(text) is not None else text.split(",")
        where = f"{told([number])} of {features.name}, {features.field}:"
        wanted = [label.strip() for label in labels]
        only[number] = named_classes(legend, wanted, where, DataError)
    return only
