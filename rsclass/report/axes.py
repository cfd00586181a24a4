"""Axes of a chart: from values to places, and the round numbers beside them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from rsclass.core.types import Float
from rsclass.report.drawing import LARGE, SMALL, Drawing, text_width

__all__ = ["Scale", "Ticks", "bottom_axis", "left_axis", "left_room", "ticks"]

_GRID = 0.2  # opacity
_GAP = 7.0  # CSS pixels between an axis and its labels
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True)
class Scale:
    """Where values lie along an axis.

    Parameters
    ----------
    low, high : float
        Values at the ends; not equal.
    start, end : float
        Their places in CSS pixels.
    """

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def around(cls, values: Iterable[float], start: float, end: float) -> Scale:
        """A scale with a little room around finite ``values``; from 0 to 1 without any."""
        known = [value for value in map(float, values) if math.isfinite(value)]
        low, high = (min(known), max(known)) if known else (0.0, 1.0)
        room = 0.05 * (high - low) or 0.05 * abs(high) or 0.5
        return cls(low - room, high + room, start, end)

    def __call__(self, value: float) -> float:
        """The place of ``value`` in CSS pixels."""
        share = (float(value) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


@dataclass(frozen=True, slots=True)
class Ticks:
    """Values marked on an axis and what is written there.

    Parameters
    ----------
    values : float64 array
    labels : sequence of str
    factor : str
        By which the labels are to be multiplied, such as ``× 10⁶``; empty: by nothing.
    """

    values: Float
    labels: Sequence[str]
    factor: str = ""


def ticks(low: float, high: float, most: int, *, whole: bool = False) -> Ticks:
    """At most ``most`` + 1 round values from ``low`` to ``high``, as evenly as people count.

    Parameters
    ----------
    whole : bool
        Whole numbers only.
    """
    step = _round_step((high - low) / max(most, 1)) if high > low else 1.0
    if whole:
        step = max(1.0, math.ceil(step))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    values = np.arange(first, last + 1, dtype=np.float64) * step
    largest = max(abs(low), abs(high))
    exponent = math.floor(math.log10(largest)) if largest > 0 else 0
    exponent = 0 if whole or -4 < exponent < 6 else exponent
    # The step has one digit that counts, or two: 2.5.
    digits = exponent - math.floor(math.log10(step) + 1e-9)
    digits += not math.isclose(
        step / 10 ** (exponent - digits), round(step / 10 ** (exponent - digits))
    )
    labels = [f"{value / 10.0**exponent + 0.0:,.{max(0, digits)}f}" for value in values]
    factor = f"× 10{str(exponent).translate(_SUPERSCRIPTS)}" if exponent else ""
    return Ticks(values, labels, factor)


def bottom_axis(
    drawing: Drawing, scale: Scale, at: float, marked: Ticks, top: float, title: str = ""
) -> None:
    """A horizontal axis at the height ``at``, its grid up to ``top``."""
    drawing.line([(scale.start, at), (scale.end, at)])
    for value, label in zip(marked.values, marked.labels, strict=True):
        x = scale(value)
        drawing.line([(x, at), (x, top)], width=0.6, opacity=_GRID)
        drawing.line([(x, at), (x, at + 3.5)])
        drawing.text(x, at + _GAP + SMALL / 2, label, "middle")
    if title:
        middle = (scale.start + scale.end) / 2
        drawing.text(middle, at + _GAP + 1.4 * SMALL + LARGE / 2, title, "middle", LARGE)


def left_axis(
    drawing: Drawing, scale: Scale, at: float, marked: Ticks, right: float, title: str = ""
) -> None:
    """A vertical axis at ``at``, its grid up to ``right``; the factor stands above it."""
    drawing.line([(at, scale.start), (at, scale.end)])
    for value, label in zip(marked.values, marked.labels, strict=True):
        y = scale(value)
        drawing.line([(at, y), (right, y)], width=0.6, opacity=_GRID)
        drawing.line([(at, y), (at - 3.5, y)])
        drawing.text(at - _GAP, y, label, "end")
    if marked.factor:
        drawing.text(at, min(scale.start, scale.end) - 0.8 * SMALL, marked.factor)
    if title:
        x = at - left_room(marked) - LARGE / 2
        drawing.text(x, (scale.start + scale.end) / 2, title, "middle", LARGE, turned=-90)


def left_room(marked: Ticks) -> float:
    """The width in CSS pixels that the labels of a vertical axis take."""
    return _GAP + max((text_width(label) for label in marked.labels), default=0.0) + 4


def _round_step(step: float) -> float:
    """The least of 1, 2, 2.5, 5 and 10 times a power of ten that is not below ``step``."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(power * nice for nice in (1, 2, 2.5, 5, 10) if power * nice >= step * (1 - 1e-9))
