"""The report on how well the classes of a map can be told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rsclass.core.legend import Legend, hex_color
from rsclass.core.measures import MEASURES
from rsclass.core.mergers import Merger
from rsclass.core.stats import ClassStats
from rsclass.core.tree import Tree
from rsclass.core.types import Float
from rsclass.report import figures
from rsclass.report.heat import heat_table
from rsclass.report.page import image, legend_rows, render_page
from rsclass.report.texts import counted, three_digits

__all__ = ["SeparationData", "separation_page"]

_MOST_HEAT_CLASSES = 100
_MOST_TREE_CLASSES = 80
_MOST_PAIRS = 60


@dataclass(frozen=True)
class SeparationData:
    """What the report tells.

    Parameters
    ----------
    name : str
        Of the map or model.
    legend : Legend
    stats : ClassStats
        One row for each class of the legend.
    measure : str
        By which pairs are ranked, a key of ``MEASURES``.
    table : float64 array (classes, classes)
        Of that measure.
    pairs : sequence of dict
        ``one`` and ``other``, places of the classes, and all measures by name; the least separable
        pair first.
    mergers : sequence of Merger
    hectares : float64 array (classes,) or None
        NaN where unknown.
    tree : Tree or None
        Its leaves are the classes of the legend.
    warnings : sequence of str
    facts : mapping of str to str
        Where the signatures come from.
    created : str
    """

    name: str
    legend: Legend
    stats: ClassStats
    measure: str
    table: Float
    pairs: Sequence[Mapping[str, Any]]
    mergers: Sequence[Merger]
    hectares: Float | None = None
    tree: Tree | None = None
    warnings: Sequence[str] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    created: str = ""


def separation_page(data: SeparationData) -> bytes:
    """The report as a UTF-8 HTML page; the same data give the same bytes."""
    measure, n = MEASURES[data.measure], len(data.legend)
    tree = data.tree if n <= _MOST_TREE_CLASSES else None
    heat = data.table if 1 < n <= _MOST_HEAT_CLASSES else None
    return render_page(
        "separation.html.j2",
        title=f"{data.name}: how well its classes can be told apart",
        byline=f"{measure.title} ({measure.unit})",
        summary=_summary(data),
        warnings=data.warnings,
        created=data.created,
        data=data,
        classes=[
            {"value": c.value, "name": c.name, "color": hex_color(c.color)} for c in data.legend
        ],
        rows=legend_rows(data.legend, data.stats.count, data.hectares),
        total_hectares=None if data.hectares is None else float(data.hectares.sum()),
        total_pixels=int(data.stats.count.sum()),
        measure=measure,
        measures=MEASURES,
        pairs=data.pairs[:_MOST_PAIRS],
        most_shaded=figures.MOST_SHADED,
        heat_image=image(
            None if heat is None else heat_table(heat, data.legend, measure.title, measure.most)
        ),
        tree_image=image(None if tree is None else figures.dendrogram(tree, data.legend)),
        spectra_image=image(figures.spectra(data.stats, data.legend)),
    )


def _summary(data: SeparationData) -> str:
    """The report in a sentence or two."""
    n = len(data.legend)
    text = f"{data.name} has {counted(n, 'class', 'classes')}"
    if not data.pairs:
        return f"{text}; there is no pair to tell apart."
    worst = data.pairs[0]
    one, other = (data.legend.names[worst[end]] for end in ("one", "other"))
    value, measure = worst[data.measure], MEASURES[data.measure]
    least = "" if value is None else f", {three_digits(value)} ({measure.title}, {measure.unit})"
    text += f". Hardest to tell apart are {one} and {other}{least}."
    if data.mergers:
        pairs = counted(len(data.mergers), "pair", "pairs")
        return f"{text} {pairs} of classes may well be one."
    return f"{text} No pair asks to be merged."
