"""Which pixels left their class for which, as values and as lines for people."""

from __future__ import annotations

from typing import Any

import numpy as np

from rsclass.core.legend import Legend
from rsclass.core.transitions import Transitions
from rsclass.report.texts import counted, percent

__all__ = ["moved_lines", "moved_rows"]

_LINES = 12
_WIDEST_NAME = 28


def moved_rows(
    moves: Transitions, legend: Legend, new: Legend | None = None
) -> list[dict[str, Any]]:
    """Each pair of classes between which pixels moved, the most pixels first.

    Parameters
    ----------
    moves : Transitions
    legend : Legend
        Of the map before.
    new : Legend, optional
        Of the map after, if it is another.
    """
    names = dict(zip(legend.values, legend.names, strict=True)) | {0: "no class"}
    later = names | dict(zip(new.values, new.names, strict=True)) if new else names
    left = np.flatnonzero(moves.before != moves.after)
    order = left[np.argsort(-moves.pixels[left], kind="stable")]
    return [
        {
            "from": int(moves.before[i]),
            "from_name": names[int(moves.before[i])],
            "to": int(moves.after[i]),
            "to_name": later[int(moves.after[i])],
            "pixels": int(moves.pixels[i]),
        }
        for i in order
    ]


def moved_lines(
    moves: Transitions, legend: Legend, n_pixels: int, new: Legend | None = None
) -> tuple[str, ...]:
    """How many pixels moved, and between which classes most of them."""
    rows = moved_rows(moves, legend, new)
    if not rows:
        return ("No pixel moved to another class.",)
    shown = rows[:_LINES]
    froms, tos = ([_cut(row[end]) for row in shown] for end in ("from_name", "to_name"))
    wide_from, wide_to = max(map(len, froms)), max(map(len, tos))
    rest = rows[_LINES:]
    others = sum(row["pixels"] for row in rest)
    wide = len(f"{max(shown[0]['pixels'], others):,}")
    lines = [
        f"{counted(moves.moved, 'pixel', 'pixels')} moved to another class "
        f"({percent(moves.moved / n_pixels, gap='')}):"
    ]
    lines += [
        f"  {row['pixels']:>{wide},}  {start:<{wide_from}} → {end:<{wide_to}}".rstrip()
        for row, start, end in zip(shown, froms, tos, strict=True)
    ]
    if rest:
        lines.append(
            f"  {others:>{wide},}  between {counted(len(rest), 'other pair', 'other pairs')}"
        )
    return tuple(lines)


def _cut(name: str) -> str:
    return name if len(name) <= _WIDEST_NAME else name[: _WIDEST_NAME - 1] + "…"
