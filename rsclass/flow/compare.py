"""Two class maps compared: what became of what, and how much."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.change import BY, CommonClasses, change_legend
from rsclass.core.ground import Ground
from rsclass.core.legend import Legend
from rsclass.core.transitions import Transitions
from rsclass.core.types import Labels, Window
from rsclass.errors import UsageError
from rsclass.flow.compared import Compared
from rsclass.flow.derive import Around, Derived, derive_map
from rsclass.flow.match_doubts import match_doubts
from rsclass.flow.outputs import now
from rsclass.flow.scanning import LaidOver, positions, refuse_unknown, scan
from rsclass.io.class_map import ClassMap, open_class_map
from rsclass.io.map_part import MapPart
from rsclass.io.sink import Writing
from rsclass.io.target import Target
from rsclass.run.settings import Running

__all__ = ["compare"]

_PICTURE = 640
"""Pixels of the longer side of the maps in the report."""

_TABLES = (".csv", ".json")
_CHANGE_FILES = {"map": "change", "table": "classes"}
_BYTES_PER_PIXEL = 64.0


def compare(
    first: str | Path,
    second: str | Path,
    out: str | Path | None = None,
    *,
    by: str = "name",
    table: str | Path | None = None,
    report: str | Path | None = None,
    running: Running | None = None,
    writing: Writing | None = None,
    command: str | None = None,
) -> Compared:
    """Tell what changed from one class map to another.

    Maps of different extent are compared where they overlap; their pixels must coincide.

    Parameters
    ----------
    first, second : path
        Class maps of rsclass or of any other software.
    out : path or None
        Where to write a map of the changes, with a class for each that occurs.
    by : {"name", "value"}
        What makes classes of two legends the same.
    table : path or None
        Where to write the table of changes: ``.csv``, or ``.json`` with all else.
    report : path or None
        Where to write a page with both maps, matrix and charts as HTML.
    running : Running or None
    writing : Writing or None
        Of the map of changes; its ``overwrite`` holds for table and report too.
    command : str or None
        The command line, for the report.

    Returns
    -------
    Compared

    Raises
    ------
    UsageError
        ``by`` or the table's suffix is unknown.
    DataError
        The maps do not lie on one grid or do not overlap.
    OutputError
        A file exists or cannot be written.
    """
    running, writing = running or Running(), writing or Writing()
    if by not in BY:
        raise UsageError(f"classes are matched by {' or by '.join(BY)}, not by {by!r}.")
    if table is not None and Path(table).suffix.lower() not in _TABLES:
        raise UsageError(f"the table {table} is no .csv or .json file; name it so.")
    with ExitStack() as stack:
        maps = [
            stack.enter_context(open_class_map(path, report=running.progress))
            for path in (first, second)
        ]
        inputs = [file for one in maps for file in one.inputs]
        asked = {"table": table, "report": report}
        targets = {
            kind: stack.enter_context(
                Target(place, inputs, overwrite=writing.overwrite, belongings=())
            )
            for kind, place in asked.items()
            if place is not None
        }
        if out is not None:  # known before the work; claimed again when it is done
            Target(out, inputs, overwrite=writing.overwrite, raster=True).release()
        laid = LaidOver.on(*maps)
        found, pictures = _counted(maps, laid, by, running)
        files: dict[str, Path] = {}
        if out is not None:
            changes = _change_map(maps, laid, found, out, running, writing)
            files |= {_CHANGE_FILES.get(k, k): path for k, path in changes.files.items()}
        files |= {kind: target.path for kind, target in targets.items()}
        found = replace(found, files=files)
        if "table" in targets:
            targets["table"].put(_table(found, Path(targets["table"].path)))
        if "report" in targets:
            targets["report"].put(_page(found, [one.legend for one in maps], pictures, command))
    return found


def _counted(
    maps: Sequence[ClassMap], laid: LaidOver, by: str, running: Running
) -> tuple[Compared, list[Labels]]:
    """The comparison, and both maps as small pictures."""
    first, second = maps
    common = laid.common
    ground = first.ground
    step = math.ceil(max(common.height, common.width) / _PICTURE)
    count = _Count(first, second, common, ground, step)
    size = (math.ceil(common.height / step), math.ceil(common.width / step))
    pictures = [np.zeros(size, dtype=np.int32) for _ in maps]
    nothing = Transitions.of(np.zeros((0, 0), np.int32), np.zeros((0, 0), np.int32))
    pixels = weights = nothing
    for part in scan(first, [laid], count, running, "comparing", bytes_per_pixel=_BYTES_PER_PIXEL):
        if part is None:
            continue
        pixels, weights = pixels + part.pixels, weights + part.weights
        for picture, small in zip(pictures, part.pictures, strict=True):
            row, col = part.place
            picture[row : row + small.shape[0], col : col + small.shape[1]] = small
    classes = CommonClasses.of(first.legend, second.legend, by)
    before, after = pixels.before > 0, pixels.after > 0
    matrix = classes.matrix(pixels)
    doubts = match_doubts(maps, common, classes, matrix, by)
    found = Compared(
        first=first.path,
        second=second.path,
        by=by,
        classes=classes,
        pixels=matrix,
        weights=classes.matrix(weights),
        ground=ground,
        size=(common.height, common.width),
        only_first=int(pixels.pixels[before & ~after].sum()),
        only_second=int(pixels.pixels[~before & after].sum()),
        neither=int(pixels.pixels[~before & ~after].sum()),
        warnings=[*first.warnings, *second.warnings, *doubts],
    )
    return found, pictures


@dataclass(frozen=True)
class _Part:
    """What a worker found in the common part of a window.

    Parameters
    ----------
    pixels, weights : Transitions
    pictures : tuple of int32 arrays
        Every n-th pixel of both maps.
    place : tuple of int
        Row and column of their first pixel in the pictures.
    """

    pixels: Transitions
    weights: Transitions
    pictures: tuple[Labels, Labels]
    place: tuple[int, int]


@dataclass(frozen=True)
class _Count:
    """Counts pairs of values; travels to the workers."""

    first: ClassMap
    second: ClassMap
    common: Window
    ground: Ground
    step: int

    def __call__(self, window: Window, before: Labels, after: Labels) -> _Part | None:
        common = self.common
        row, col = max(window.row, common.row), max(window.col, common.col)
        height = min(window.row_end, common.row_end) - row
        width = min(window.col_end, common.col_end) - col
        if height < 1 or width < 1:
            return None
        part = Window(row, col, height, width)
        before, after = before[part.inside(window)], after[part.inside(window)]
        for class_map, values in ((self.first, before), (self.second, after)):
            known = positions(class_map.legend.values)
            refuse_unknown(class_map, values, known[values])
        pixels = Transitions.of(before, after)
        weights = pixels
        if not self.ground.even:
            weights = Transitions.of(before, after, self.ground.weights[row : row + height])
        top, left = row - common.row, col - common.col
        thin = (slice(-top % self.step, None, self.step), slice(-left % self.step, None, self.step))
        place = (-(-top // self.step), -(-left // self.step))
        return _Part(pixels, weights, (before[thin].copy(), after[thin].copy()), place)


@dataclass(frozen=True, eq=False)
class _Changes:
    """The change that makes a map of changes out of the first map."""

    laid: LaidOver
    classes: CommonClasses
    values: NDArray[np.int64]

    def __call__(self, around: Around) -> Labels:
        core, common = around.core, self.laid.common
        window = core._replace(row=core.row + common.row, col=core.col + common.col)
        first = self._places(self.classes.first)[around.cut(around.values)]
        second = self._places(self.classes.second)[self.laid.read(window)]
        known = (first >= 0) & (second >= 0)
        out: Labels = np.where(known, self.values[first, second], 0).astype(np.int32)
        return out

    def _places(self, place: dict[int, int]) -> Labels:
        table = positions(())
        table[list(place)] = list(place.values())
        return table


def _change_map(
    maps: Sequence[ClassMap],
    laid: LaidOver,
    found: Compared,
    out: str | Path,
    running: Running,
    writing: Writing,
) -> Derived:
    first, second = maps
    legend, values = change_legend(found.pixels, found.classes)
    return derive_map(
        MapPart(first, laid.common),
        out,
        _Changes(laid, found.classes, values),
        legend,
        recipe={
            "verb": "compare",
            "by": found.by,
            "second": {"map": str(second.path.resolve()), "sha256": second.source.sha256()},
        },
        running=running,
        writing=writing,
        inputs=second.inputs,
        bytes_per_pixel=_BYTES_PER_PIXEL,
        message="writing the changes",
    )


def _table(found: Compared, path: Path) -> bytes:
    if path.suffix.lower() == ".csv":
        return found.to_csv().encode()
    return (
        json.dumps(found.to_dict(), ensure_ascii=False, allow_nan=False, indent=1) + "\n"
    ).encode()


def _page(
    found: Compared, legends: Sequence[Legend], pictures: Sequence[Labels], command: str | None
) -> bytes:
    from rsclass.report.comparison import ComparisonData, comparison_page

    facts: dict[str, Any] = {
        "command": command,
        "first map": str(found.first),
        "second map": str(found.second),
        "classes matched by": found.by,
        "compared": f"{found.size[1]:,} x {found.size[0]:,} pixels (width x height)",
    }
    return comparison_page(
        ComparisonData(
            names=(found.first.name, found.second.name),
            legends=(legends[0], legends[1]),
            pictures=(pictures[0], pictures[1]),
            classes=found.classes,
            pixels=found.pixels,
            hectares=found.hectares,
            agreement=found.agreement,
            only_first=found.only_first,
            only_second=found.only_second,
            warnings=found.warnings,
            facts={name: value for name, value in facts.items() if value},
            created=now(),
        )
    )
