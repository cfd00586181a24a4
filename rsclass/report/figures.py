"""The charts of a report as SVG, the same bytes for the same data.

They are drawn here, by a few lines each, because a plotting library takes longer to load than a
scene to classify.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rsclass.core.legend import RGB, Legend, hex_color
from rsclass.core.stats import ClassStats
from rsclass.core.tree import Tree
from rsclass.core.types import Band, Float
from rsclass.report.axes import Scale, Ticks, bottom_axis, left_axis, left_room, ticks
from rsclass.report.drawing import INK, LARGE, SMALL, Drawing, text_width
from rsclass.report.texts import columns, course_title, heading, plain

WIDTH = 920.0
"""Of a chart as wide as the page, in CSS pixels."""

MOST_LABELLED = 24
MOST_SHADED = 12
MOST_NAMED_BANDS = 20
MOST_PANELS = 4

ACCENT = "#3b82c4"
_LIGHT = 0.8
_SHADE = "#3a3f46"


def spectra(stats: ClassStats, legend: Legend) -> bytes:
    """Mean spectrum of every class, with one standard deviation around it where few are shown."""
    x, is_wavelength = _band_positions(stats.bands)
    shown = [i for i in range(len(legend)) if np.isfinite(stats.mean[i]).all()]
    spread = np.nan_to_num(stats.std) if len(shown) <= MOST_SHADED else np.zeros_like(stats.mean)
    low, high = stats.mean - spread, stats.mean + spread
    names = [short(band.name, 16) for band in stats.bands]
    named = len(names) <= MOST_NAMED_BANDS
    widest = max(map(text_width, names))
    turned = named and (is_wavelength or (widest + 10) * len(x) > WIDTH - 120)
    room = widest if turned else 0.0
    over, under = (room + 14, 44.0) if is_wavelength else (14.0, max(room, SMALL) + 34)
    drawing = Drawing(WIDTH, 330 + over + under)
    bottom = drawing.height - under
    y = Scale.around([*low[shown].flat, *high[shown].flat], bottom, over)
    marked = ticks(y.low, y.high, 8)
    left = left_room(marked) + LARGE + 4
    right = WIDTH - 40
    across = Scale.around(x, left, right)
    left_axis(drawing, y, left, marked, right, "mean (physical units)")
    _band_axis(drawing, across, bottom, over, x, names if named else [], is_wavelength, turned)
    for i in shown:
        color = hex_color(legend.colors[i])
        if spread[i].any():
            outline = [*zip(x, low[i], strict=True), *zip(x[::-1], high[i, ::-1], strict=True)]
            drawing.area(
                [(across(at), y(value)) for at, value in outline], color, fill_opacity=0.15
            )
    for i in shown:
        line = [(across(at), y(value)) for at, value in zip(x, stats.mean[i], strict=True)]
        _class_line(drawing, line, legend.colors[i], dots=len(x) <= MOST_NAMED_BANDS)
    if 0 < len(shown) <= MOST_LABELLED:
        ends = [(y(stats.mean[i, -1]), str(legend.values[i])) for i in shown]
        _label_ends(drawing, across(x[-1]), ends, (over, bottom))
    return drawing.svg()


def dendrogram(tree: Tree, legend: Legend) -> bytes:
    """Which classes are alike: the tree of their merges, with its leaves in drawing order."""
    n = tree.leaves
    order = _leaf_order(tree)
    names = [short(f"{legend.values[i]}  {legend.names[i]}") for i in order]
    row = min(23.0, 1150.0 / n)
    top, under = 8.0, 46.0
    drawing = Drawing(WIDTH, top + n * row + under)
    bottom = top + n * row
    # Costs grow with the square of the distance between centers.
    height = np.concatenate([np.zeros(n), np.sqrt(tree.costs)])
    left = max(map(text_width, names)) + 32
    x = Scale(0.0, 1.05 * float(height.max()) or 1.0, left, WIDTH - 20)
    bottom_axis(
        drawing, x, bottom, ticks(x.low, x.high, 8), top,
        "root of the increase of the within-class sum of squares",
    )  # fmt: skip
    at = np.empty(2 * n - 1)
    at[order] = top + row * (np.arange(n) + 0.5)
    for step, (a, b) in enumerate(tree.merges):
        node = n + step
        at[node] = (at[a] + at[b]) / 2
        joined = x(height[node])
        drawing.line(
            [(x(height[a]), at[a]), (joined, at[a]), (joined, at[b]), (x(height[b]), at[b])]
        )
    side = min(11.0, 0.8 * row)
    for i, name in zip(order, names, strict=True):
        color = hex_color(legend.colors[i])
        drawing.box(left - side / 2, at[i] - side / 2, side, side, color, stroke=INK)
        drawing.text(left - 16, at[i], name, "end", min(SMALL, row))
    return drawing.svg()


def curves(
    rows: Sequence[Mapping[str, Any]],
    along: Sequence[str],
    marked: Mapping[str, Any] | None = None,
) -> bytes | None:
    """Every number that changes over ``rows``, one panel each; None where there is none.

    Parameters
    ----------
    rows : sequence of mappings
        As an engine's history tells them.
    along : sequence of str
        Keys that may count the rows, the best first; without any, the rows are numbered from 1.
    marked : mapping or None
        The row at which a line is drawn.
    """
    axis = next((key for key in along if rows and all(_is_number(r.get(key)) for r in rows)), None)
    x = [float(row[axis]) for row in rows] if axis else [float(i) for i in range(1, len(rows) + 1)]
    keys = curve_keys(rows, along)
    if not keys:
        return None
    height, width = 230.0, WIDTH / min(len(keys), 2)
    drawing = Drawing(WIDTH, height * math.ceil(len(keys) / 2))
    for place, key in enumerate(keys):
        left, top = place % 2 * width, place // 2 * height
        known = [i for i, row in enumerate(rows) if _is_number(row.get(key))]
        values = [float(rows[i][key]) for i in known]
        y = Scale.around(values, top + height - 48, top + 44)
        labels = ticks(y.low, y.high, 5, whole=all(value.is_integer() for value in values))
        across = Scale.around(x, left + left_room(labels), left + width - 20)
        left_axis(drawing, y, across.start, labels, across.end)
        whole = ticks(min(x), max(x), 10, whole=True)
        bottom_axis(drawing, across, y.start, whole, y.end, heading(axis) if axis else "")
        drawing.text(across.start, top + 13, short(course_title(key)), size=LARGE)
        line = [(across(x[i]), y(value)) for i, value in zip(known, values, strict=True)]
        drawing.line(line, ACCENT, 1.8)
        if len(line) <= 30:
            for at in line:
                drawing.dot(*at, 2.6, ACCENT)
        if axis and marked is not None:
            at_row = across(float(marked[axis]))
            drawing.line([(at_row, y.start), (at_row, y.end)], stroke_dasharray="5 4")
    return drawing.svg()


def curve_keys(rows: Sequence[Mapping[str, Any]], along: Sequence[str]) -> list[str]:
    """The keys of ``rows`` that :func:`curves` shows, in its order."""
    return [key for key in columns(rows) if key not in along and _changes(rows, key)][:MOST_PANELS]


def _class_line(
    drawing: Drawing, line: Sequence[tuple[float, float]], color: RGB, *, dots: bool
) -> None:
    """A line set off from the page: by dark around a color that is almost white."""
    around, width, opacity = (_SHADE, 3.6, 1.0) if brightness(color) > _LIGHT else (INK, 2.8, 0.5)
    drawing.line(line, around, width, stroke_opacity=opacity)
    drawing.line(line, hex_color(color), 1.8)
    if dots:
        for at in line:
            drawing.dot(*at, 3.0, hex_color(color), stroke=around, stroke_width=0.8)


def brightness(color: RGB) -> float:
    """From 0, black, to 1, white."""
    red, green, blue = color
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255


def _band_positions(bands: Sequence[Band]) -> tuple[Float, bool]:
    """Wavelengths where all are known and in one part of the spectrum, else 1, 2, ..."""
    known = [band.wavelength for band in bands if band.wavelength]
    if len(known) == len(bands) > 1 and np.all(np.diff(known) > 0) and known[-1] < 6 * known[0]:
        return np.array(known), True
    return np.arange(1.0, len(bands) + 1), False


def _band_axis(
    drawing: Drawing,
    scale: Scale,
    bottom: float,
    top: float,
    x: Float,
    names: Sequence[str],
    is_wavelength: bool,
    turned: bool,
) -> None:
    """Wavelengths below and names above; or names below, or numbers where there are many."""
    if is_wavelength:
        bottom_axis(drawing, scale, bottom, ticks(scale.low, scale.high, 10), top,
                    "wavelength (nm)")  # fmt: skip
        at = [scale(wavelength) for wavelength in x]
        for place, band, name in zip(_apart(at, SMALL, (0, WIDTH)), at, names, strict=False):
            drawing.line([(band, top), (place, top - 5)], width=0.8)
            drawing.text(place, top - 8, name, "start", turned=-90)
        return
    if names and not turned:
        bottom_axis(drawing, scale, bottom, Ticks(x, names), top, "band")
        return
    if not names:
        bottom_axis(drawing, scale, bottom, ticks(1, len(x), 10, whole=True), top, "band")
        return
    bottom_axis(drawing, scale, bottom, Ticks(x, [""] * len(x)), top)
    for at, name in zip(x, names, strict=True):
        drawing.text(scale(at), bottom + 10, name, "end", turned=-90)
    drawing.text((scale.start + scale.end) / 2, drawing.height - LARGE / 2, "band", "middle", LARGE)


def _label_ends(
    drawing: Drawing, x: float, ends: Sequence[tuple[float, str]], room: tuple[float, float]
) -> None:
    """Write each line's label at its right end, moved apart where they would overlap."""
    ordered = sorted(ends)
    gap = (room[1] - room[0]) / MOST_LABELLED
    for place, (y, label) in zip(_apart([y for y, _ in ordered], gap, room), ordered, strict=True):
        drawing.line([(x + 5, y), (x + 22, place)], width=0.6)
        drawing.text(x + 25, place, label)


def _apart(wanted: Sequence[float], gap: float, room: tuple[float, float]) -> list[float]:
    """Places near the ``wanted`` ones, in their order, at least ``gap`` apart and within ``room``.

    There has to be room for all of them.
    """
    places: list[float] = []
    least, limit = room
    for place in wanted:
        places.append(max(place, least))
        least = places[-1] + gap
    for i in range(len(places) - 1, -1, -1):
        places[i] = min(places[i], limit)
        limit = places[i] - gap
    return places


def _leaf_order(tree: Tree) -> list[int]:
    """Leaves from top to bottom, so that no two branches cross."""
    order: list[int] = []
    stack = [2 * tree.leaves - 2]
    while stack:
        node = stack.pop()
        if node < tree.leaves:
            order.append(int(node))
        else:
            first, second = tree.merges[node - tree.leaves]
            stack += [int(second), int(first)]
    return order


def _changes(rows: Sequence[Mapping[str, Any]], key: str) -> bool:
    return len({row[key] for row in rows if _is_number(row.get(key))}) > 1


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, int | float | np.integer | np.floating)
        and not isinstance(value, bool)
        and math.isfinite(value)
    )


def short(text: str, length: int = 32) -> str:
    """``text`` cut short; the page shows it in full."""
    shown = plain(text)
    return shown if len(shown) <= length else f"{shown[: length - 1]}…"
