"""A class map corrected by hand: pixels inside drawn features get another class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from rsclass.core.legend import Legend
from rsclass.core.transitions import Transitions
from rsclass.errors import DataError, UsageError
from rsclass.flow.derive import Derived, derive_map
from rsclass.flow.edit_targets import edit_targets, only_of_features
from rsclass.flow.editing import BYTES_PER_PIXEL, Editing, Restoring, Step
from rsclass.flow.maps import named_classes, output_beside
from rsclass.flow.moved import moved_lines, moved_rows
from rsclass.flow.outputs import now
from rsclass.io.class_map import ClassMap, open_class_map
from rsclass.io.edit_log import EditLog, LoggedEdit, log_file, read_edit_log
from rsclass.io.layers import open_layer, told
from rsclass.io.overlap import same_crs
from rsclass.io.sink import Writing
from rsclass.io.target import EDIT_LOG
from rsclass.io.vectors import read_features
from rsclass.report.texts import counted
from rsclass.run.settings import Running

__all__ = ["edit", "replay_edits", "undo_edit"]

_DIGEST = "edits_sha256"


def edit(
    path: str | Path,
    out: str | Path | None = None,
    *,
    polygons: str | Path,
    field: str | None = None,
    to: str | int | None = None,
    only: Sequence[str | int] = (),
    only_field: str | None = None,
    add_classes: bool = False,
    fill: bool = False,
    layer: str | None = None,
    vector_crs: str | None = None,
    encoding: str | None = None,
    running: Running | None = None,
    writing: Writing | None = None,
) -> Derived:
    """Give the pixels inside drawn features another class.

    A polygon owns the pixels whose center lies inside of it, a line those that it touches, a point
    the one that it falls into. Where features of different classes meet, the map stays as it is.
    A log beside the new map (``.edits.jsonl``) holds the features and the old values, so that the
    edit can be taken back and repeated on other maps.

    Parameters
    ----------
    path : path
        A class map.
    out : path or None
        Without: ``<map>_edited.tif`` beside the map.
    polygons : path
        Features in any vector format and CRS.
    field : str or None
        Column of their classes, by name or by value in the map.
    to : str, int or None
        One class for all features, instead of ``field``.
    only : sequence of str or int
        Classes whose pixels may be changed; none given: all.
    only_field : str or None
        Column of such classes for each feature, parted by commas; where it is empty, ``only``
        holds.
    add_classes : bool
        Classes that the map does not have are added to its legend, instead of being an error.
    fill : bool
        Pixels without a class are changed too.
    layer, vector_crs, encoding
        Of the vector file; see :func:`rsclass.io.vectors.read_features`.
    running : Running or None
        Its threads are used, and no scheduler.
    writing : Writing or None

    Returns
    -------
    Derived
        With the pixels that moved, and what each feature changed.

    Raises
    ------
    UsageError
        Neither or both of ``field`` and ``to`` are given, a column does not exist, or ``to`` or
        ``only`` is no class of the map.
    DataError
        A label of the file is no class of the map, no feature lies on it, or a file cannot be
        read.
    OutputError
        The output exists or cannot be written.
    """
    if (field is None) == (to is None):
        columns = ", ".join(open_layer(polygons, layer, encoding).fields) or "none"
        raise UsageError(
            f"the new class is not clear; give --field, the column of {polygons} that holds it "
            f"({columns}), or --to, one class for all features."
        )
    with open_class_map(path, report=(running or Running()).progress) as class_map:
        read = partial(
            read_features,
            georef=class_map.georef,
            layer=layer,
            crs=vector_crs,
            encoding=encoding,
        )
        features = read(polygons, field)
        features.refuse_beside(class_map.georef, class_map.height, class_map.width, class_map.name)
        labels = features.labels if to is None else (str(to),) * len(features)
        legend = class_map.legend
        if to is not None and not add_classes:
            named_classes(legend, [to], "without --add-classes, --to")
        values, after = edit_targets(features, labels, legend, add_classes)
        usual = named_classes(legend, only, "--only") if only else None
        own: dict[int, tuple[int, ...]] = {}
        if only_field is not None:
            own = only_of_features(read(polygons, only_field), legend)
        step = Step(
            features=features,
            labels=labels,
            values=values,
            only=tuple(own.get(number, usual) for number in features.ids),
            fill=fill,
            before=legend,
            after=after,
            facts={
                "created": now(),
                "polygons": str(Path(polygons).resolve()),
                "sha256": features.sha256(),
                "layer": features.layer,
                "field": field,
                "crs": class_map.georef.crs,
            },
        )
        request = {
            "polygons": step.facts["polygons"],
            "sha256": step.facts["sha256"],
            "field": field,
            "to": None if to is None else str(to),
            "only": [str(label) for label in only],
            "only_field": only_field,
            "add_classes": add_classes,
            "fill": fill,
            "layer": layer,
            "vector_crs": vector_crs,
            "encoding": encoding,
        }
        made = {"request": request}
        return _edited(class_map, out, [step], features.notes, running, writing, made=made)


def replay_edits(
    log: str | Path,
    path: str | Path,
    out: str | Path | None = None,
    *,
    add_classes: bool = False,
    running: Running | None = None,
    writing: Writing | None = None,
) -> Derived:
    """Repeat all edits of a log on another map of the same place; classes are found by name.

    Parameters
    ----------
    log : path
        An edit log, or the edited map that it lies beside.
    path, out, add_classes, running, writing
        As for :func:`edit`.

    Raises
    ------
    DataError
        The log cannot be read or holds no edit, the map lies in another CRS or lacks a class.
    """
    edits = read_edit_log(log).edits
    if not edits:
        raise DataError(f"the edit log {log_file(log)} holds no edit to repeat.")
    with open_class_map(path, report=(running or Running()).progress) as class_map:
        steps: list[Step] = []
        legend = class_map.legend
        for logged in edits:
            step = _again(logged, class_map, legend, add_classes, log_file(log))
            legend = step.after
            steps.append(step)
        return _edited(class_map, out, steps, (), running, writing, inputs=[log_file(log)])


def undo_edit(
    path: str | Path,
    out: str | Path | None = None,
    *,
    running: Running | None = None,
    writing: Writing | None = None,
) -> Derived:
    """Take the last edit of a map back: the map as it was before, with its legend.

    Parameters
    ----------
    path : path
        A map that :func:`edit` wrote, with its log beside it.
    out : path or None
        Without: ``<map>_undone.tif`` beside the map.
    running, writing
        As for :func:`edit`.

    Raises
    ------
    DataError
        There is no log, it is not of this map, or the map was changed since.
    """
    with open_class_map(path, report=(running or Running()).progress) as class_map:
        log = read_edit_log(path)
        if not log.edits or _digest_of(class_map) != log.digest():
            raise DataError(
                f"the edit log {log_file(path)} is not of this map, or was changed since; edits "
                "are taken back with the log that 'rsclass edit' wrote."
            )
        last, rest = log.edits[-1], EditLog(log.edits[:-1])
        return derive_map(
            class_map,
            out or output_beside(class_map, "undone"),
            Restoring(last, class_map.height, class_map.width),
            last.before,
            recipe={
                "verb": "edit",
                "undo": log.digest(),
                _DIGEST: rest.digest() if rest.edits else None,
            },
            running=running,
            writing=writing,
            bytes_per_pixel=BYTES_PER_PIXEL,
            message="taking back the edit",
            facts=_facts(class_map, last.before),
            beside=lambda: {EDIT_LOG: rest.to_bytes()} if rest.edits else {},
        )


def _edited(
    class_map: ClassMap,
    out: str | Path | None,
    steps: Sequence[Step],
    notes: Sequence[str],
    running: Running | None,
    writing: Writing | None,
    inputs: Sequence[str | Path] = (),
    made: Mapping[str, Any] | None = None,
) -> Derived:
    """The map after all steps, with its log; ``made`` goes into its recipe."""
    running = replace(running or Running(), scheduler=None)
    warnings = list(notes)
    earlier = _earlier(class_map, warnings)
    editing = Editing(steps, class_map.georef)
    files = [file for step in steps for file in step.features.files]

    def log() -> EditLog:
        return EditLog((*earlier.edits, *editing.logged()))

    def recipe() -> dict[str, Any]:
        rows = [_summary(done) for done in editing.logged()]
        return {"verb": "edit", **(made or {}), "edits": rows, _DIGEST: log().digest()}

    def facts(moves: Transitions) -> tuple[dict[str, Any], tuple[str, ...]]:
        done = editing.logged()
        warnings.extend(doubt for one in done for doubt in _doubts(one))
        found, lines = _facts(class_map, steps[-1].after)(moves)
        return found | {"edits": [_summary(one) for one in done]}, lines

    return derive_map(
        class_map,
        out or output_beside(class_map, "edited"),
        editing,
        steps[-1].after,
        recipe=recipe,
        running=running,
        writing=writing,
        inputs=[*files, *inputs],
        bytes_per_pixel=BYTES_PER_PIXEL,
        message="editing",
        facts=facts,
        beside=lambda: {EDIT_LOG: log().to_bytes()},
        warnings=warnings,
    )


def _again(
    logged: LoggedEdit, class_map: ClassMap, legend: Legend, add_classes: bool, log: Path
) -> Step:
    """An edit of a log, to be done on another map."""
    if not same_crs(logged.facts["crs"], class_map.georef.crs):
        raise DataError(
            f"the edits of {log} and {class_map.name} have different coordinate systems; warp the "
            "map to that of the edited one first (gdalwarp -r near)."
        )
    features = logged.placed()
    features.refuse_beside(class_map.georef, class_map.height, class_map.width, class_map.name)
    values, after = edit_targets(features, features.labels, legend, add_classes)
    names = dict(zip(logged.before.values, logged.before.names, strict=True))
    only = tuple(
        None
        if feature.only is None
        else named_classes(
            legend, [names[value] for value in feature.only], "--only of the log:", DataError
        )
        for feature in logged.features
    )
    facts = {**logged.facts, "created": now(), "replayed": str(log.resolve())}
    fill = bool(logged.facts["fill"])
    return Step(features, features.labels, values, only, fill, legend, after, facts)


def _earlier(class_map: ClassMap, warnings: list[str]) -> EditLog:
    """The edits that the map has seen already."""
    if not log_file(class_map.path).is_file():
        return EditLog()
    log = read_edit_log(class_map.path)
    if _digest_of(class_map) == log.digest():
        return log
    warnings.append(
        f"the edit log {log_file(class_map.path)} is not of this map, so the new one begins anew."
    )
    return EditLog()


def _digest_of(class_map: ClassMap) -> str | None:
    found = (class_map.recipe or {}).get(_DIGEST)
    return None if found is None else str(found)


def _summary(done: LoggedEdit) -> dict[str, Any]:
    """An edit without shapes and old values."""
    return {
        **{key: value for key, value in done.facts.items() if key not in ("created", "crs")},
        "features": [
            {
                "id": feature.id,
                "label": feature.label,
                "to": feature.value,
                "only": None if feature.only is None else list(feature.only),
                "pixels": feature.owned,
                "changed": [[old, pixels] for old, pixels in sorted(feature.moves.items())],
            }
            for feature in done.features
        ],
    }


def _doubts(done: LoggedEdit) -> list[str]:
    doubts = []
    missed = [feature.id for feature in done.features if feature.owned == 0]
    idle = [f.id for f in done.features if f.owned > 0 and f.changed == 0]
    if missed:
        doubts.append(f"no pixel of the map belongs to {told(missed)} of {done.facts['polygons']}.")
    if idle:
        doubts.append(f"{told(idle)} of {done.facts['polygons']} changed no pixel.")
    if done.facts["contested"]:
        pixels = counted(done.facts["contested"], "pixel lies", "pixels lie")
        doubts.append(f"{pixels} in features of different classes and stayed as before.")
    return doubts


def _facts(
    class_map: ClassMap, new: Legend
) -> Callable[[Transitions], tuple[dict[str, Any], tuple[str, ...]]]:
    n_pixels, old = class_map.height * class_map.width, class_map.legend
    return lambda moves: (
        {"moved": moved_rows(moves, old, new)},
        moved_lines(moves, old, n_pixels, new),
    )
