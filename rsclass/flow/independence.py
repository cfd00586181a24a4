"""What a map has learned from samples, and whether a reference is independent of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rsclass.engines.catalogue import engine_class, method_names
from rsclass.flow.pairs import Pairs
from rsclass.io.class_map import ClassMap

__all__ = ["learned_from_samples", "trained_on"]


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
