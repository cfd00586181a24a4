"""The charts of an accuracy report as SVG: the confusion matrix, accuracies, areas.

What differs by color differs by shape or number too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from rsclass.core.accuracy import ClassAccuracy, Figure
from rsclass.core.confusion import Confusion, ratio
from rsclass.core.legend import RGB, hex_color
from rsclass.report.axes import Scale, Ticks, bottom_axis, ticks
from rsclass.report.drawing import INK, LARGE, SMALL, Drawing, text_width
from rsclass.report.figures import WIDTH, brightness, short
from rsclass.report.heat import MOST_NUMBERED, color_bar, viridis

__all__ = ["MOST_SHOWN", "accuracy_chart", "area_chart", "matrix_chart"]

MOST_SHOWN = 60
"""Classes that a chart has room for."""

_ACCENT = "#3b82c4"
_ROW = 34.0
_NAME = 22


def matrix_chart(confusion: Confusion) -> bytes:
    """A confusion matrix: numbers of units, and colors for the part of each reference class."""
    n = len(confusion.names)
    parts = ratio(confusion.counts, confusion.reference_totals[:, None])
    cell = max(9.0, min(56.0, 560.0 / n))
    names = [short(name, _NAME) for name in confusion.names]
    widest = max(map(text_width, names))
    left, top, under = 34.0 + widest, 8.0, 0.75 * widest + 50
    drawing = Drawing(left + n * cell + 110, top + n * cell + under)
    bottom = top + n * cell
    for i in range(n):
        for j in range(n):
            x, y = left + j * cell, top + i * cell
            if not confusion.counts[i, j]:
                continue
            color = viridis(float(parts[i, j]))
            drawing.box(x, y, cell, cell, hex_color(color), shape_rendering="crispEdges")
            if n <= MOST_NUMBERED:
                ink = "#000" if brightness(color) > 0.4 else "#fff"
                number = _compact(confusion.counts[i, j].item())
                drawing.text(x + cell / 2, y + cell / 2, number, "middle", SMALL, color=ink)
    drawing.box(left, top, n * cell, n * cell, "none", stroke=INK, stroke_width=0.8)
    for i, name in enumerate(names):
        middle = (i + 0.5) * cell
        if cell >= SMALL or i % math.ceil(SMALL / cell) == 0:
            drawing.text(left - 7, top + middle, name, "end")
            drawing.text(left + middle, bottom + 12, name, "end", turned=-40)
    drawing.text(left + n * cell / 2, drawing.height - 12, "map", "middle", LARGE)
    drawing.text(12, top + n * cell / 2, "reference", "middle", LARGE, turned=-90)
    name = "part of the reference class"
    color_bar(drawing, left + n * cell + 20, top, n * cell, (0.0, 1.0), name)
    return drawing.svg()


def accuracy_chart(overall: Figure, classes: Sequence[ClassAccuracy]) -> bytes:
    """User's and producer's accuracy of each class with their intervals."""
    names = ["all classes", *(short(c.name, _NAME) for c in classes)]
    marks = [[(overall, _diamond)]]
    marks += [[(c.users, _dot), (c.producers, _square)] for c in classes]
    drawing, across, rows = _rows(names, 0.0, 1.0, "accuracy", ticks(0.0, 1.0, 10))
    for y, figures in zip(rows, marks, strict=True):
        for k, (figure, mark) in enumerate(figures):
            at = y + (k - (len(figures) - 1) / 2) * 12
            _with_interval(drawing, across, at, figure, mark)
    return drawing.svg()


def area_chart(
    classes: Sequence[ClassAccuracy], colors: Sequence[RGB | None], *, hectares: bool
) -> bytes:
    """Area of each class as mapped (a bar), and as estimated (a dot with its interval)."""
    mapped = [c.mapped_hectares if hectares else c.mapped_share for c in classes]
    true = [c.area_hectares if hectares else c.area_share for c in classes]
    ends = [0.0, *mapped, *(f.value for f in true), *(f.high for f in true)]
    most = max(end for end in ends if math.isfinite(end)) * 1.02 or 1.0
    title = "hectares" if hectares else "share of the map"
    names = [short(c.name, _NAME) for c in classes]
    marked = ticks(0.0, most, 8)
    drawing, across, rows = _rows(names, 0.0, most, f"{title} {marked.factor}".strip(), marked)
    for y, size, figure, color in zip(rows, mapped, true, colors, strict=True):
        if math.isfinite(size):
            fill = hex_color(color) if color is not None else "none"
            width = across(size) - across(0.0)
            drawing.box(
                across(0.0), y - 8, width, 16, fill, fill_opacity=0.45, stroke=INK, stroke_width=0.8
            )
        _with_interval(drawing, across, y, figure, _dot)
    return drawing.svg()


_Mark = Callable[[Drawing, float, float], None]


def _rows(
    names: Sequence[str], low: float, high: float, title: str, marked: Ticks
) -> tuple[Drawing, Scale, list[float]]:
    """An empty chart with a row for each name: itself, its scale, and the middles of the rows."""
    left = 16 + max(map(text_width, names))
    top, under = 8.0, 48.0
    drawing = Drawing(WIDTH, top + len(names) * _ROW + under)
    across = Scale(low, high, left, WIDTH - 40)
    bottom_axis(drawing, across, top + len(names) * _ROW, marked, top, title)
    rows = [top + (i + 0.5) * _ROW for i in range(len(names))]
    for y, name in zip(rows, names, strict=True):
        drawing.text(left - 9, y, name, "end")
    return drawing, across, rows


def _with_interval(drawing: Drawing, across: Scale, y: float, figure: Figure, mark: _Mark) -> None:
    if not math.isfinite(figure.value):
        return
    if math.isfinite(figure.low) and math.isfinite(figure.high):
        low, high = across(figure.low), across(figure.high)
        drawing.line([(low, y), (high, y)], width=1.6)
        for end in (low, high):
            drawing.line([(end, y - 4), (end, y + 4)], width=1.6)
    mark(drawing, across(figure.value), y)


def _dot(drawing: Drawing, x: float, y: float) -> None:
    drawing.dot(x, y, 4.5, _ACCENT, stroke=INK, stroke_width=0.8)


def _square(drawing: Drawing, x: float, y: float) -> None:
    drawing.box(x - 4, y - 4, 8, 8, "#ffffff", stroke=_ACCENT, stroke_width=2)


def _diamond(drawing: Drawing, x: float, y: float) -> None:
    corners = [(x - 6, y), (x, y - 6), (x + 6, y), (x, y + 6)]
    drawing.area(corners, INK)


def _compact(count: float) -> str:
    """A count that fits into a cell."""
    for factor, letter in ((10**9, "G"), (10**6, "M"), (10**4, "k")):
        if count >= factor:
            return f"{count / (1000 if letter == 'k' else factor):.3g}{letter}"
    return f"{count:g}"
