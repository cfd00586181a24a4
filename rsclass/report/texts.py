"""Numbers and words of a result, as people read them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

NO_BREAK = "\N{NO-BREAK SPACE}"

RULE = (
    "Chosen by the best mean rank of silhouette, Davies-Bouldin and Calinski-Harabasz, of equals "
    "the fewest classes; gap and elbow have no vote."
)

_NARROW = {"calinski_harabasz": "Calinski-H.", "davies_bouldin": "Davies-B."}

COLUMNS = {
    "n_classes": "classes",
    "calinski_harabasz": "Calinski-Harabasz",
    "davies_bouldin": "Davies-Bouldin",
    "gap_se": "gap SE",
    "nmi": "NMI",
}
"""Headings of the keys that are more than their words."""

COURSES = {
    "loss": ("training loss", "how far the network is from its own labels, on average"),
    "change": ("changed labels", "share of the pixels whose label changed in the epoch"),
    "nmi": ("agreement (NMI)", "agreement with the labels of the epoch before; 1 is complete"),
    "entropy": ("entropy", "how evenly the pixels are spread over the clusters, in nats"),
    "shift": ("shift of the centers", "sum of the squared distances that the centers moved"),
    "inertia": ("inertia", "sum of the squared distances of the pixels from their centers"),
    "objective": (
        "objective",
        "sum of the squared distances from the centers, weighted by membership",
    ),
    "unchanged": ("unchanged", "percent of the pixels that kept their class"),
    "changed": ("changed", "percent of the pixels that changed their class"),
    "n_classes": ("classes", "how many there are in the pass"),
    "empty": ("empty classes", "classes that hold no pixel"),
    "repaired": ("repaired clusters", "empty clusters that got a part of the largest one"),
    "right": ("right answers", "share of the pretext's questions that were answered right"),
    "pretext_loss": ("loss of the pretext", "how far its answers were from the right ones"),
    "clean": ("clean labels", "share of the pixels whose label is taken for right"),
    "relabelled": ("new labels", "share of the pixels whose label was replaced while cleaning"),
    "cleaning_loss": ("loss of the cleaning", "of both networks that correct each other"),
}
"""Title and explanation of what a history tells, by its key."""


def heading(key: str) -> str:
    """Of a column."""
    return COLUMNS.get(key, key.replace("_", " "))


def course_title(key: str) -> str:
    """Of the chart of a key."""
    return COURSES[key][0] if key in COURSES else heading(key)


def probe_title(name: str) -> str:
    """Of a probe by its name: ``5 shots`` for ``shots_5``."""
    kind, _, number = name.partition("_")
    return f"{number} {kind if number != '1' else kind[:-1]}" if number else kind


def counted(number: int, one: str, several: str) -> str:
    """``1 class``, ``2 classes``."""
    return f"{number:,} {one if number == 1 else several}"


def hectares_text(hectares: float | None) -> str:
    """An area with four digits at least, a dash where it is unknown."""
    if hectares is None or not math.isfinite(hectares):
        return "–"
    return f"{hectares:,.{0 if hectares >= 1000 else 1 if hectares >= 100 else 2}f}"


def percent(share: float, gap: str = NO_BREAK) -> str:
    """A share of 0 to 1 in percent; a part is never rounded to nothing or to the whole."""
    if 0 < share < 0.0001:
        return f"< 0.01{gap}%"
    if share == 1:
        return f"100{gap}%"
    return f"{min(100 * share, 99.9):.{1 if share >= 0.001 else 2}f}{gap}%"


def three_digits(value: Any) -> str:
    """A value of a table; of a number the three digits that matter, or all before the point."""
    if isinstance(value, np.generic):
        value = value.item()
    if not isinstance(value, float):
        return plain(value)
    if not math.isfinite(value) or abs(value) >= 1e7:
        return f"{value:.3g}"
    return f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:#.3g}".rstrip(".")


def plain(value: Any) -> str:
    """A value of a table as text."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if value is None or value == {} or value == [] or value == ():
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(plain(item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {plain(item)}" for key, item in value.items())
    # A path that is no valid UTF-8 arrives with surrogates, which no page can hold.
    return str(value).encode(errors="replace").decode()


def columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every key of some rows, in the order in which they appear."""
    return list(dict.fromkeys(str(key) for row in rows for key in row))


def chosen(evidence: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The number of classes that was taken: of the best mean rank, the first; None without one."""
    ranked = [row for row in evidence if row.get("mean_rank") is not None]
    return min(ranked, key=lambda row: float(row["mean_rank"])) if ranked else None


def evidence_text(evidence: Sequence[Mapping[str, Any]], reason: str = "") -> str:
    """What spoke for a number of classes as lines of an aligned table, the chosen one marked."""
    keys, best = columns(evidence), chosen(evidence)
    cells = [[_NARROW.get(key, heading(key)) for key in keys]]
    cells += [[three_digits(row.get(key)) for key in keys] for row in evidence]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    marks = [" ", *(">" if row is best else " " for row in evidence)]
    lines = [
        "  ".join([mark, *(cell.rjust(width) for cell, width in zip(row, widths, strict=True))])
        for mark, row in zip(marks, cells, strict=True)
    ]
    return "\n".join([*lines, *([reason] if reason else []), RULE])
