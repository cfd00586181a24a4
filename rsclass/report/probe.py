"""The report on what a model has learned: probes by layer, the course of training, class sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rsclass.core.legend import Legend, hex_color
from rsclass.core.probes import Score
from rsclass.report import figures
from rsclass.report.axes import Scale, Ticks, bottom_axis, left_axis, left_room, ticks
from rsclass.report.drawing import INK, LARGE, SMALL, Drawing, text_width
from rsclass.report.page import image, legend_rows, render_page
from rsclass.report.texts import COURSES, percent, probe_title

__all__ = ["ProbeData", "ProbeRow", "by_layer", "class_sizes", "probe_page"]

MOST_BARS = 100
_COLORS = ("#3b82c4", "#d97a1e", "#2f9e6e", "#a65fb8", "#b5495b")  # apart for color-blind people
_ROW = 20.0


class ProbeRow(Protocol):
    """The probes on one kind of features."""

    @property
    def features(self) -> str: ...  # noqa: D102

    @property
    def dimensions(self) -> int: ...  # noqa: D102

    @property
    def reference(self) -> bool: ...  # noqa: D102

    @property
    def scores(self) -> Mapping[str, Score]: ...  # noqa: D102


@dataclass(frozen=True)
class ProbeData:
    """What the report tells.

    Parameters
    ----------
    name, title : str
        Of the model, and of its method.
    rows : sequence of ProbeRow
        References first, then the layers in order.
    fits : mapping of str to (int, mapping of str to float)
        How many classes or clusters there are, and their scores against the reference.
    history : sequence of mapping
        Of the training, epoch by epoch.
    legend : Legend
    sizes : int64 array (classes,)
        Pixels.
    warnings : sequence of str
    facts : mapping of str to str
    created : str
    """

    name: str
    title: str
    rows: Sequence[ProbeRow]
    fits: Mapping[str, tuple[int, Mapping[str, float]]]
    history: Sequence[Mapping[str, Any]]
    legend: Legend
    sizes: NDArray[np.int64]
    warnings: Sequence[str] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    created: str = ""


def probe_page(data: ProbeData) -> bytes:
    """The report as a UTF-8 HTML page; the same data give the same bytes."""
    along = ("epoch", "iteration")
    return render_page(
        "probe.html.j2",
        title=f"{data.name}: what it has learned",
        byline=f"{data.title}, probed by simple classifiers on its features",
        summary=_summary(data),
        warnings=data.warnings,
        created=data.created,
        data=data,
        probes=[probe_title(name) for name in data.rows[0].scores],
        layers_image=image(by_layer(data.rows)),
        courses={key: COURSES[key] for key in figures.curve_keys(data.history, along)
                 if key in COURSES},
        history_image=image(figures.curves(data.history, along)),
        sizes_image=image(class_sizes(data.legend, data.sizes)),
        rows=legend_rows(data.legend, data.sizes, None),
        total_pixels=int(data.sizes.sum()),
    )  # fmt: skip


def by_layer(rows: Sequence[ProbeRow]) -> bytes:
    """SVG of the accuracy of every probe along the layers, references to the left.

    A bar at each dot spans one standard deviation to both sides.
    """
    names = list(rows[0].scores)
    drawing = Drawing(figures.WIDTH, 380.0)
    top, bottom = 34.0, drawing.height - 52
    told = [score for row in rows for score in row.scores.values()]
    ends = [100 * (s.accuracy + sign * s.deviation) for s in told for sign in (-1, 1)]
    y = Scale.around(ends, bottom, top)
    marked = ticks(y.low, y.high, 8)
    x = Scale(-0.5, len(rows) - 0.5, left_room(marked) + LARGE + 4, figures.WIDTH - 20)
    left_axis(drawing, y, x.start, marked, x.end, "% of the judged pixels right")
    places = np.arange(len(rows), dtype=np.float64)
    bottom_axis(drawing, x, bottom, Ticks(places, [row.features for row in rows]), top, "features")
    first = sum(row.reference for row in rows)
    if 0 < first < len(rows):
        edge = x(first - 0.5)
        drawing.line([(edge, bottom), (edge, top)], stroke_dasharray="5 4")
    at = x.start + 8
    for number, name in enumerate(names):
        color = _COLORS[number % len(_COLORS)]
        aside = (number - (len(names) - 1) / 2) * 5
        points = [
            (x(i) + aside, row.scores[name])
            for i, row in enumerate(rows)
            if np.isfinite(row.scores[name].accuracy)
        ]
        for part in (points[:first], points[first:]):
            drawing.line([(px, y(100 * s.accuracy)) for px, s in part], color, 1.8)
        for px, score in points:
            low, high = (100 * (score.accuracy + sign * score.deviation) for sign in (-1, 1))
            drawing.line([(px, y(low)), (px, y(high))], color)
            drawing.dot(px, y(100 * score.accuracy), 3.4, color, stroke=INK, stroke_width=0.6)
        title = probe_title(name)
        drawing.dot(at + 4, 14, 4, color)
        drawing.text(at + 14, 14, title, "start", SMALL)
        at += 34 + text_width(title)
    return drawing.svg()


def class_sizes(legend: Legend, sizes: NDArray[np.int64]) -> bytes | None:
    """SVG of the share of each class as a bar, the largest first; None for very many classes."""
    n = len(legend)
    if not 0 < n <= MOST_BARS:
        return None
    share = 100 * sizes / max(int(sizes.sum()), 1)
    order = np.argsort(-share, kind="stable").tolist()
    labels = [figures.short(f"{legend.values[i]}  {legend.names[i]}") for i in order]
    top, under = 8.0, 46.0
    bottom = top + n * _ROW
    drawing = Drawing(figures.WIDTH, bottom + under)
    left = max(map(text_width, labels)) + 20
    x = Scale(0.0, 1.05 * float(share.max()) or 1.0, left, figures.WIDTH - 20)
    bottom_axis(drawing, x, bottom, ticks(0.0, x.high, 10), top, "% of the counted pixels")
    for row, (i, label) in enumerate(zip(order, labels, strict=True)):
        y = top + (row + 0.5) * _ROW
        drawing.text(left - 10, y, label, "end", SMALL)
        drawing.box(
            left, y - 0.35 * _ROW, x(share[i]) - left, 0.7 * _ROW, hex_color(legend.colors[i]),
            stroke=INK, stroke_width=0.5,
        )  # fmt: skip
    return drawing.svg()


def _summary(data: ProbeData) -> str:
    """The report in a sentence or two."""
    own = [row for row in data.rows if not row.reference]
    probe = next(iter(data.rows[0].scores))
    text = ""
    for row in data.rows:
        if row.reference:
            share = percent(row.scores[probe].accuracy)
            text += f"A linear classifier on {row.features} finds {share} of the pixels. "
    if own:
        best = max(own, key=lambda row: row.scores[probe].accuracy)
        share = percent(best.scores[probe].accuracy)
        text += f"On the layer “{best.features}” it finds {share}, most of all layers."
    return text.strip()
