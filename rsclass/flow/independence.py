"""Where the classes of a map have their meaning from, and which reference is independent of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rsclass.engines.catalogue import engine_class, method_names
from rsclass.io.class_map import ClassMap

if TYPE_CHECKING:
    from rsclass.flow.pairs import Pairs

__all__ = ["are_clusters", "learned_from_samples", "trained_on"]

_NUMBERS = re.compile(r"class \d+( \+ class \d+)*( \+ \d+ more)?( \(\d+\))?")


def are_clusters(class_map: ClassMap) -> bool:
    """Whether the map's classes are numbers without a meaning, as a clustering leaves them.

    Those that were joined by their likeness have the numbers of their members for names; those
    of a merge table have the codes that somebody chose.
    """
    unnamed = all(_NUMBERS.fullmatch(name) for name in class_map.legend.names)
    chosen = any(
        recipe.get("verb") == "merge" and "to" not in recipe
        for recipe in _recipes(class_map.recipe)
    )
    return (
        unnamed
        and not chosen
        and class_map.recipe is not None
        and not learned_from_samples(class_map)
    )


def learned_from_samples(class_map: ClassMap) -> bool:
    """Whether the map's classes, or those of a parent, are the labels of training samples."""
    return any(
        isinstance(recipe.get("training"), Mapping)
        or (
            recipe.get("method") in method_names() and engine_class(recipe["method"]).needs_training
        )
        for recipe in _recipes(class_map.recipe)
    )


def trained_on(class_map: ClassMap, pairs: Pairs) -> bool:
    """Whether the reference is, byte by byte, what the map or a parent was trained on.

    Another layer of the same file is another reference.
    """
    known: set[str] = set()
    for recipe in _recipes(class_map.recipe):
        training = recipe.get("training")
        if not isinstance(training, Mapping) or not isinstance(training.get("sha256"), Mapping):
            continue
        layers = {training.get("layer"), pairs.layer}
        if None in layers or len(layers) == 1:
            known.update(map(str, training["sha256"].values()))
    return bool(known) and any(
        _sha256(file) in known for file in pairs.inputs if Path(file).is_file()
    )


def _recipes(recipe: Any) -> Iterator[Mapping[str, Any]]:
    """A recipe, and those inside it at any depth."""
    if isinstance(recipe, Mapping):
        yield recipe
        for part in recipe.values():
            yield from _recipes(part)


def _sha256(file: str) -> str:
    with Path(file).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
