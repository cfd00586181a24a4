"""Figures of an assessment as people read them."""

from __future__ import annotations

import math

from rsclass.core.accuracy import Figure
from rsclass.core.confusion import Kappa
from rsclass.report.texts import hectares_text

__all__ = ["area_text", "kappa_text", "number_text", "share_text"]


def number_text(value: float) -> str:
    """With four decimals."""
    return "undefined" if math.isnan(value) else f"{value:.4f}"


def share_text(figure: Figure) -> str:
    """A share and half the width of its interval, where there is one."""
    if math.isnan(figure.value) or math.isnan(figure.error):
        return number_text(figure.value)
    return f"{figure.value:.4f} ± {figure.margin:.4f}"


def area_text(figure: Figure) -> str:
    """Hectares and half the width of their interval, where there is one."""
    if math.isnan(figure.value) or math.isnan(figure.error):
        return hectares_text(figure.value)
    text = hectares_text(figure.value)
    decimals = len(text.partition(".")[2])
    return f"{text} ± {figure.margin:,.{decimals}f}"


def kappa_text(kappa: Kappa) -> str:
    """Kappa and its standard error, where it is known."""
    error = "" if math.isnan(kappa.variance) else f" (standard error {kappa.error:.4f})"
    return number_text(kappa.value) + error
