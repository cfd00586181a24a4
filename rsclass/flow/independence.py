"""Whether a reference is independent of the map that it judges."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rsclass.io.class_map import ClassMap

__all__ = ["trained_on"]


def trained_on(class_map: ClassMap, files: Sequence[str]) -> bool:
    """Whether one of some files is, byte by byte, one that the map or a parent was trained on.

    Parameters
    ----------
    class_map : ClassMap
    files : sequence of str
        Local files of a reference.
    """
    known = set(_training_sums(class_map.recipe))
    if not known:
        return False
    return any(_sha256(file) in known for file in files if Path(file).is_file())


def _training_sums(recipe: Any) -> Iterator[str]:
    """SHA-256 of every training file that a recipe names, at any depth."""
    if not isinstance(recipe, Mapping):
        return
    training = recipe.get("training")
    if isinstance(training, Mapping) and isinstance(training.get("sha256"), Mapping):
        yield from map(str, training["sha256"].values())
    for part in recipe.values():
        yield from _training_sums(part)


def _sha256(file: str) -> str:
    with Path(file).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
