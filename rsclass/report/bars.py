"""Bars to both sides of a middle: what each class lost and gained."""

from __future__ import annotations

from collections.abc import Sequence

from rsclass.report.axes import Scale, bottom_axis, ticks
from rsclass.report.drawing import INK, SMALL, Drawing, text_width
from rsclass.report.figures import WIDTH, short

__all__ = ["MOST_BARS", "gains_and_losses"]

MOST_BARS = 60

_GAIN, _LOSS = "#3b82c4", "#d97a1e"  # told apart by color-blind people, and by their side
_ROW = 24.0
_MARK = 5.0


def gains_and_losses(
    names: Sequence[str], gains: Sequence[float], losses: Sequence[float], unit: str
) -> bytes:
    """SVG of a bar to the right for what each class gained, and one to the left for what it lost.

    A diamond marks the net change.

    Parameters
    ----------
    names : sequence of str
    gains, losses : sequences of float
        Not negative.
    unit : str
        Of both.
    """
    labels = [short(name) for name in names]
    top, under = 30.0, 46.0
    bottom = top + len(names) * _ROW
    drawing = Drawing(WIDTH, bottom + under)
    left = max(map(text_width, labels)) + 20
    most = max([*gains, *losses]) or 1.0
    x = Scale(-1.05 * most, 1.05 * most, left, WIDTH - 20)
    marked = ticks(x.low, x.high, 8)
    title = f"{unit} {marked.factor}".strip()
    bottom_axis(drawing, x, bottom, marked, top - 6, f"{title} (◆ net change)")
    zero = x(0)
    drawing.text((x.start + zero) / 2, top - 18, "lost", "middle")
    drawing.text((x.end + zero) / 2, top - 18, "gained", "middle")
    for i, (label, gain, loss) in enumerate(zip(labels, gains, losses, strict=True)):
        y = top + (i + 0.5) * _ROW
        drawing.text(left - 10, y, label, "end", SMALL)
        drawing.box(x(-loss), y - 0.3 * _ROW, zero - x(-loss), 0.6 * _ROW, _LOSS)
        drawing.box(zero, y - 0.3 * _ROW, x(gain) - zero, 0.6 * _ROW, _GAIN)
        at = x(gain - loss)
        diamond = [(at - _MARK, y), (at, y - _MARK), (at + _MARK, y), (at, y + _MARK)]
        drawing.area(diamond, "#ffffff", stroke=INK, stroke_width=1.2)
    drawing.line([(zero, top - 6), (zero, bottom)])
    return drawing.svg()
