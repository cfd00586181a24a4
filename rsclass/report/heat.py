"""Tables between classes as colors.

The colors are those of viridis (van der Walt and Smith 2015, https://bids.github.io/colormap, in
the public domain), which grow brighter evenly, in print and for people with any color vision.
"""

from __future__ import annotations

import math

import numpy as np

from rsclass.core.legend import RGB, Legend, hex_color
from rsclass.core.types import Float
from rsclass.report.axes import Scale, left_room, ticks
from rsclass.report.drawing import LARGE, SMALL, Drawing
from rsclass.report.figures import MOST_LABELLED, brightness, short
from rsclass.report.texts import three_digits

MOST_NUMBERED = 15

_VIRIDIS = (
    (68, 1, 84), (72, 24, 106), (71, 45, 123), (66, 64, 134), (59, 82, 139), (51, 99, 141),
    (44, 114, 142), (38, 130, 142), (33, 145, 140), (31, 160, 136), (40, 174, 128),
    (63, 188, 115), (94, 201, 98), (132, 212, 75), (173, 220, 48), (216, 226, 25),
    (253, 231, 37),
)  # fmt: skip


def heat_table(matrix: Float, legend: Legend, name: str, most: float | None = None) -> bytes:
    """A symmetric table between classes (classes, classes) as colors, and as numbers if few.

    Parameters
    ----------
    most : float or None
        The value of the brightest color, the darkest being 0; None: the range of the values.
    """
    n = len(legend)
    cell = max(6.0, min(44.0, 620.0 / n))
    left, top, under = 60.0, 8.0, 46.0
    drawing = Drawing(left + n * cell + 130, top + n * cell + under)
    others = matrix[~np.eye(n, dtype=np.bool_)]
    known = others[np.isfinite(others)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    if most:
        low, high = 0.0, most
    for i in range(n):
        for j in range(n):
            if i == j or not math.isfinite(matrix[i, j]):
                continue
            color = viridis((matrix[i, j] - low) / (high - low or 1.0))
            x, y = left + j * cell, top + i * cell
            drawing.box(x, y, cell, cell, hex_color(color), shape_rendering="crispEdges")
            if n <= MOST_NUMBERED:
                ink = "#000" if brightness(color) > 0.4 else "#fff"
                number = three_digits(float(matrix[i, j]))
                drawing.text(x + cell / 2, y + cell / 2, number, "middle", SMALL, color=ink)
    for i in range(0, n, math.ceil(n / MOST_LABELLED)):
        middle, value = (i + 0.5) * cell, str(legend.values[i])
        drawing.text(left - 7, top + middle, value, "end")
        drawing.text(left + middle, top + n * cell + 13, value, "middle")
    drawing.text(left + n * cell / 2, top + n * cell + 34, "class", "middle", LARGE)
    drawing.text(14, top + n * cell / 2, "class", "middle", LARGE, turned=-90)
    color_bar(drawing, left + n * cell + 22, top, n * cell, (low, high), short(name))
    return drawing.svg()


def viridis(share: float) -> RGB:
    """The color of a share: dark at 0, bright at 1."""
    at = min(max(share, 0.0), 1.0) * (len(_VIRIDIS) - 1)
    below = min(int(at), len(_VIRIDIS) - 2)
    ends = zip(_VIRIDIS[below], _VIRIDIS[below + 1], strict=True)
    red, green, blue = (round(low + (high - low) * (at - below)) for low, high in ends)
    return red, green, blue


def color_bar(
    drawing: Drawing, x: float, top: float, height: float, ends: tuple[float, float], name: str
) -> None:
    """What the colors of a heat table mean."""
    low, high = ends if ends[1] > ends[0] else (ends[0], ends[0] + 1.0)
    y = Scale(low, high, top + height, top)
    steps = 64
    for i in range(steps):
        color = hex_color(viridis((i + 0.5) / steps))
        above = top + height * (1 - (i + 1) / steps)
        drawing.box(x, above, 14, height / steps + 0.5, color, shape_rendering="crispEdges")
    marked = ticks(low, high, 6)
    for value, label in zip(marked.values, marked.labels, strict=True):
        drawing.text(x + 20, y(value), label)
    told = f"{name} {marked.factor}".strip()
    drawing.text(x + 20 + left_room(marked), top + height / 2, told, "middle", LARGE, turned=-90)
