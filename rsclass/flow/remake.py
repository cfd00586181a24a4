"""Maps made from other maps, made again from their recipes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rsclass.core.legend import Legend
from rsclass.errors import DataError
from rsclass.flow.compare import compare
from rsclass.flow.compared import Compared
from rsclass.flow.derive import Derived, derive_map
from rsclass.flow.edit import edit
from rsclass.flow.merge import Relabel
from rsclass.flow.tidy import tidy
from rsclass.io.class_map import ClassMap, open_class_map
from rsclass.io.digests import sha256_of
from rsclass.io.layers import files_of
from rsclass.io.sink import Writing
from rsclass.run.settings import Running

__all__ = ["remake"]

_ADDED = ("parent", "writing", "versions")
"""What every recipe gets besides its verb's own choices."""


def remake(
    recipe: Mapping[str, Any],
    out: Path,
    *,
    parent: str | Path | None = None,
    running: Running,
    writing: Writing,
) -> None:
    """Make a derived map again.

    Parameters
    ----------
    recipe : mapping
        With its ``parent``.
    out : Path
    parent : path or None
        Where the map it was made from lies now, if it was moved.
    running : Running
    writing : Writing

    Raises
    ------
    DataError
        The parent has changed, or the map was made by hand.
    """
    verb = recipe["verb"]
    if verb not in _AGAIN or (verb == "edit" and "request" not in recipe):
        raise DataError(
            f"the map was made by '{verb}', which its recipe alone cannot repeat; replay the map "
            f"it was made from ({recipe['parent']['map']})."
        )
    place = parent or recipe["parent"]["map"]
    (band,) = recipe["parent"]["reading"]["bands"]
    with open_class_map(place, band=band) as class_map:
        if _pixel_files(class_map.source.sha256()) != _pixel_files(recipe["parent"]["sha256"]):
            raise DataError(
                f"{place} is not what the map was made from: its SHA-256 differs.", path=str(place)
            )
        _AGAIN[verb](class_map, recipe, out, running, writing)


def _pixel_files(digests: Mapping[str, str]) -> list[str]:
    """SHA-256 of the files but ``.aux.xml``, which any viewer writes its own notes into."""
    return sorted(digest for file, digest in digests.items() if not file.endswith(".aux.xml"))


def _merge_again(
    class_map: ClassMap, recipe: Mapping[str, Any], out: Path, running: Running, writing: Writing
) -> Derived:
    return derive_map(
        class_map,
        out,
        Relabel.of({int(cluster): code for cluster, code in recipe["codes"].items()}),
        Legend.from_rows(recipe["legend"], "the recipe"),
        recipe={name: value for name, value in recipe.items() if name not in _ADDED},
        running=running,
        writing=writing,
        message="merging classes",
    )


def _tidy_again(
    class_map: ClassMap, recipe: Mapping[str, Any], out: Path, running: Running, writing: Writing
) -> Derived:
    majority = recipe["majority"] or {}
    return tidy(
        class_map.path,
        out,
        majority=majority.get("size"),
        circular=majority.get("circular", False),
        center_weight=majority.get("center_weight", 1),
        min_majority=majority.get("min_share", 0.0),
        sieve=recipe["sieve"],
        min_area=recipe["min_area_ha"],
        connect=recipe["connect"],
        protect=recipe["protect"],
        running=running,
        writing=writing,
    )


def _edit_again(
    class_map: ClassMap, recipe: Mapping[str, Any], out: Path, running: Running, writing: Writing
) -> Derived:
    request = dict(recipe["request"])
    files = sha256_of(files_of(request["polygons"]))
    _refuse_changed(request["polygons"], files, request.pop("sha256"))
    return edit(class_map.path, out, running=running, writing=writing, **request)


def _compare_again(
    class_map: ClassMap, recipe: Mapping[str, Any], out: Path, running: Running, writing: Writing
) -> Compared:
    second = recipe["second"]
    with open_class_map(second["map"]) as other:
        _refuse_changed(second["map"], other.source.sha256(), second["sha256"])
    by = recipe["by"]
    return compare(class_map.path, second["map"], out, by=by, running=running, writing=writing)


def _refuse_changed(place: str, found: Mapping[str, str], then: Mapping[str, str]) -> None:
    if _pixel_files(found) != _pixel_files(then):
        raise DataError(
            f"{place} is not what the map was made with: its SHA-256 differs.", path=place
        )


_AGAIN: dict[str, Callable[..., Any]] = {
    "compare": _compare_again,
    "edit": _edit_again,
    "merge": _merge_again,
    "tidy": _tidy_again,
}
