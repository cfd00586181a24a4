"""How often which values occur."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rsclass.report.axes import Scale, bottom_axis, left_axis, left_room, ticks
from rsclass.report.drawing import LARGE, Drawing
from rsclass.report.figures import ACCENT, WIDTH

__all__ = ["histogram"]


def histogram(counts: NDArray[np.int64], high: float, title: str) -> bytes:
    """SVG of the share of values in each of some equal bins from 0 to ``high``.

    Parameters
    ----------
    counts : int64 array (bins,)
    high : float
        Upper end of the last bin.
    title : str
        What the values are.
    """
    share = 100 * counts / max(int(counts.sum()), 1)
    drawing = Drawing(WIDTH, 280)
    top, bottom = 14.0, drawing.height - 46
    y = Scale(0.0, 1.05 * float(share.max()) or 1.0, bottom, top)
    marked = ticks(0.0, y.high, 6)
    x = Scale(0.0, high, left_room(marked) + LARGE + 4, WIDTH - 20)
    left_axis(drawing, y, x.start, marked, x.end, "% of the pixels")
    bottom_axis(drawing, x, bottom, ticks(0.0, high, 10), top, title)
    edges = np.linspace(0.0, high, len(counts) + 1)
    for left, right, part in zip(edges[:-1], edges[1:], share, strict=True):
        if part > 0:
            width = x(right) - x(left) - 1
            drawing.box(x(left) + 0.5, y(part), width, bottom - y(part), ACCENT)
    return drawing.svg()
