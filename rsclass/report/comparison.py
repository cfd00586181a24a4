"""The report on what changed from one class map to another."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.change import CommonClasses, class_changes
from rsclass.core.confusion import Confusion
from rsclass.core.legend import Legend, hex_color
from rsclass.core.types import Float, Labels
from rsclass.report.bars import MOST_BARS, gains_and_losses
from rsclass.report.page import image, render_page
from rsclass.report.pictures import class_picture
from rsclass.report.texts import counted, hectares_text, percent

__all__ = ["ComparisonData", "comparison_page"]

_MOST_SHOWN = 40
"""Classes of a matrix that can be read."""

_MOST_MOVES = 20


@dataclass(frozen=True)
class ComparisonData:
    """What the report tells.

    Parameters
    ----------
    names : tuple of 2 str
        Of the maps.
    legends : tuple of 2 Legend
    pictures : tuple of 2 int arrays (height, width)
        Values of every n-th pixel of the part that both maps cover; 0 is no class.
    classes : CommonClasses
        Of both maps.
    pixels : int64 array (classes, classes)
        From each class of the first map (rows) to each of the second (columns).
    hectares : float64 array (classes, classes) or None
        The same as areas; None where unknown.
    agreement : Confusion
    only_first, only_second : int
        Pixels that have a class in one map alone.
    warnings : sequence of str
    facts : mapping of str to str
        Where this comes from.
    created : str
    """

    names: tuple[str, str]
    legends: tuple[Legend, Legend]
    pictures: tuple[Labels, Labels]
    classes: CommonClasses
    pixels: NDArray[np.int64]
    hectares: Float | None
    agreement: Confusion
    only_first: int
    only_second: int
    warnings: Sequence[str] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    created: str = ""

    @property
    def amounts(self) -> NDArray[Any]:
        """Hectares, or pixels where hectares are unknown."""
        return self.pixels if self.hectares is None else self.hectares


def comparison_page(data: ComparisonData) -> bytes:
    """The report as a UTF-8 HTML page; the same data give the same bytes."""
    shown = np.flatnonzero(data.pixels.any(axis=0) | data.pixels.any(axis=1))
    amounts = data.amounts
    gains = amounts.sum(axis=0) - np.diagonal(amounts)
    losses = amounts.sum(axis=1) - np.diagonal(amounts)
    unit = "pixels" if data.hectares is None else "hectares"
    drawn = shown if len(shown) <= MOST_BARS else shown[:0]
    return render_page(
        "comparison.html.j2",
        title=f"From {data.names[0]} to {data.names[1]}",
        byline="Comparison of two class maps, pixel by pixel",
        summary=_summary(data),
        warnings=data.warnings,
        created=data.created,
        data=data,
        unit=unit,
        map_images=[
            image(class_picture(picture, legend))
            for picture, legend in zip(data.pictures, data.legends, strict=True)
        ],
        bars_image=image(
            gains_and_losses(
                [data.classes.names[i] for i in drawn],
                gains[drawn].tolist(),
                losses[drawn].tolist(),
                unit,
            )
            if len(drawn)
            else None
        ),
        classes=_class_rows(data),
        matrix=_matrix(data, shown) if len(shown) <= _MOST_SHOWN else None,
        moves=_moves(data),
        n_moves=int(np.count_nonzero(data.pixels)) - np.count_nonzero(np.diagonal(data.pixels)),
        figures=_figures(data.agreement),
    )


def _summary(data: ComparisonData) -> str:
    """The report in a sentence or two."""
    total, changed = int(data.pixels.sum()), int(data.pixels.sum() - np.trace(data.pixels))
    if not total:
        return "No pixel has a class in both maps."
    text = f"{changed:,} of {counted(total, 'pixel', 'pixels')} have another class in "
    text += f"{data.names[1]} than in {data.names[0]}: {percent(changed / total)}"
    if data.hectares is not None:
        text += f", {hectares_text(float(data.hectares.sum() - np.trace(data.hectares)))} ha"
    moves = _moves(data)
    if not moves:
        return f"{text}."
    return f"{text}. The largest change is from {moves[0]['start']} to {moves[0]['end']}."


def _figures(match: Confusion) -> dict[str, str]:
    values = {
        "agreement": match.overall,
        "kappa": match.kappa.value,
        "quantity disagreement": match.quantity,
        "allocation disagreement": match.allocation,
        "of it exchange between pairs of classes": match.exchange,
        "of it shift among more than two": match.shift,
    }
    return {
        name: "undefined" if math.isnan(value) else f"{value:.4f}" for name, value in values.items()
    }


def _class_rows(data: ComparisonData) -> list[dict[str, Any]]:
    amounts = data.amounts
    totals, kept = (amounts.sum(axis=1), amounts.sum(axis=0)), np.diagonal(amounts)
    rows = []
    for i, change in enumerate(class_changes(data.pixels)):
        if not change.before and not change.after:
            continue
        before, after, same = float(totals[0][i]), float(totals[1][i]), float(kept[i])
        gain, loss = after - same, before - same
        amount = {
            "before": before,
            "after": after,
            "kept": same,
            "gain": gain,
            "loss": loss,
            "net": after - before,
            "swap": 2 * min(gain, loss),
        }
        rows.append(
            {
                "name": data.classes.names[i],
                "color": hex_color(data.classes.colors[i]),
                **{key: _told(value, data) for key, value in amount.items()},
            }
        )
    return rows


def _told(value: float, data: ComparisonData) -> str:
    text = f"{abs(value):,.0f}" if data.hectares is None else hectares_text(abs(value))
    return f"−{text}" if value < 0 and text.strip("0.,") else text


def _matrix(data: ComparisonData, shown: NDArray[np.intp]) -> dict[str, Any]:
    """The classes that occur, and their cells with text and shade."""
    amounts = data.amounts[np.ix_(shown, shown)]
    share = amounts / np.maximum(amounts.sum(axis=1, keepdims=True), 1e-12)
    return {
        "classes": [
            {"name": data.classes.names[i], "color": hex_color(data.classes.colors[i])}
            for i in shown
        ],
        "rows": [
            [
                {
                    "text": _told(float(amounts[r, c]), data) if amounts[r, c] else "",
                    "shade": round(float(share[r, c]) ** 0.5, 3),
                    "same": r == c,
                }
                for c in range(len(shown))
            ]
            for r in range(len(shown))
        ],
    }


def _moves(data: ComparisonData) -> list[dict[str, Any]]:
    """The largest changes."""
    off = data.pixels * ~np.eye(len(data.pixels), dtype=np.bool_)
    order = np.argsort(-off.ravel(), kind="stable")[: min(np.count_nonzero(off), _MOST_MOVES)]
    changed, n = int(off.sum()), len(off)
    rows = []
    for row, col in (divmod(int(at), n) for at in order):
        rows.append(
            {
                "start": data.classes.names[row],
                "start_color": hex_color(data.classes.colors[row]),
                "end": data.classes.names[col],
                "end_color": hex_color(data.classes.colors[col]),
                "pixels": int(off[row, col]),
                "hectares": None if data.hectares is None else float(data.hectares[row, col]),
                "share": int(off[row, col]) / changed,
                "bar": round(100 * int(off[row, col]) / int(off.max()), 1),
            }
        )
    return rows
