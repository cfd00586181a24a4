"""The report of a class map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.legend import Legend
from rsclass.core.stats import ClassStats
from rsclass.core.tree import Tree
from rsclass.core.types import Band, Float
from rsclass.errors import UsageError
from rsclass.report import figures, pictures
from rsclass.report.heat import heat_table
from rsclass.report.histogram import histogram
from rsclass.report.page import Image, image, legend_rows, render_page
from rsclass.report.texts import (
    COURSES,
    NO_BREAK,
    RULE,
    chosen,
    columns,
    counted,
    hectares_text,
    percent,
)

_HISTORY_AXES = ("pass", "epoch", "step", "iteration")
_EVIDENCE_AXES = ("classes", "n_classes", "k")
_MOST_HEAT_CLASSES = 100
_MOST_TREE_CLASSES = 80


@dataclass(frozen=True)
class ReportData:
    """What a report tells.

    Parameters
    ----------
    title : str
    method_title, paper : str
        What the method is, and where it was published.
    scene : str
        Name of the scene.
    bands : tuple of Band
    legend : Legend
    stats : ClassStats
        One row for each class of the legend.
    hectares : float64 array (classes,) or None
        NaN where unknown.
    history : sequence of dict
        How the classes settled; see :class:`rsclass.engines.base.Engine`.
    warnings : sequence of str
    provenance : dict
        How to make the map again: inputs with their SHA-256, parameters, seed, versions, command.
        Dicts and lists of dicts become tables.
    scene_rgb : uint8 array (height, width, 3 or 4) or None
        The scene as a picture.
    class_map : int array (height, width) or None
        The map as it is on disk: values of the legend, 0 for nodata.
    evidence : sequence of dict
        What spoke for the number of classes, one entry for each number tried.
    tree : Tree, optional
        Which classes are alike; its leaves are the classes of the legend.
    separability : float64 array (classes, classes), optional
    separability_name : str
    separability_most : float or None
        The largest value that there is.
    created : str
        When the report was made; the only thing in it that depends on more than the data.
    facts : mapping of str to str
        About the scene and the map: size, pixel size, coordinate system, bands.
    reason : str
        Why this number of classes, in a sentence.
    confidence : int64 array (bins,) or None
        Pixels of some patches by their confidence, in equal bins from 0 to 1.
    """

    title: str
    method_title: str
    paper: str
    scene: str
    bands: tuple[Band, ...]
    legend: Legend
    stats: ClassStats
    hectares: Float | None = None
    history: Sequence[Mapping[str, Any]] = ()
    warnings: Sequence[str] = ()
    provenance: Mapping[str, Any] | None = None
    scene_rgb: NDArray[np.uint8] | None = None
    class_map: NDArray[Any] | None = None
    evidence: Sequence[Mapping[str, Any]] = ()
    tree: Tree | None = None
    separability: Float | None = None
    separability_name: str = "Jeffries-Matusita distance"
    separability_most: float | None = None
    created: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    confidence: NDArray[np.int64] | None = None


def render_report(data: ReportData) -> bytes:
    """The report as a UTF-8 HTML page; the same data give the same bytes.

    Raises
    ------
    UsageError
        Legend, statistics, areas, tree or table are of different numbers of classes.
    """
    _check(data)
    n = len(data.legend)
    with_tree = data.tree is not None and 1 < n <= _MOST_TREE_CLASSES
    with_heat = data.separability is not None and 1 < n <= _MOST_HEAT_CLASSES
    best = chosen(data.evidence)
    # Compressing pictures takes as long as all else and needs no lock.
    with ThreadPoolExecutor(2) as pool:
        scene = pool.submit(_scene_image, data)
        classes = pool.submit(_map_image, data)
        return render_page(
            "report.html.j2",
            title=data.title,
            byline=" · ".join(filter(None, (data.method_title, data.paper))),
            summary=summary(data),
            warnings=data.warnings,
            created=data.created,
            data=data,
            rows=legend_rows(data.legend, data.stats.count, data.hectares),
            most_shaded=figures.MOST_SHADED,
            most_labelled=figures.MOST_LABELLED,
            total_pixels=int(np.sum(data.stats.count)),
            total_hectares=_total_hectares(data),
            spectra_image=image(figures.spectra(data.stats, data.legend)),
            tree_image=image(
                figures.dendrogram(data.tree, data.legend) if data.tree and with_tree else None
            ),
            heat_image=image(
                heat_table(
                    data.separability, data.legend, data.separability_name, data.separability_most
                )
                if data.separability is not None and with_heat
                else None
            ),
            confidence_image=image(_confidence(data)),
            history_image=image(figures.curves(data.history, _HISTORY_AXES)),
            evidence_image=image(figures.curves(data.evidence, _EVIDENCE_AXES, best)),
            history_columns=columns(data.history),
            courses=[
                COURSES[key]
                for key in figures.curve_keys(data.history, _HISTORY_AXES)
                if key in COURSES
            ],
            evidence_columns=columns(data.evidence),
            chosen=best,
            rule=RULE,
            scene_image=scene.result(),
            map_image=classes.result(),
        )


def _scene_image(data: ReportData) -> Image | None:
    return image(None if data.scene_rgb is None else pictures.picture(data.scene_rgb))


def _map_image(data: ReportData) -> Image | None:
    shown = data.class_map
    return image(None if shown is None else pictures.class_picture(shown, data.legend))


def _confidence(data: ReportData) -> bytes | None:
    if data.confidence is None or not data.confidence.any():
        return None
    return histogram(data.confidence, 1.0, "confidence")


def summary(data: ReportData) -> str:
    """The report in a sentence or two."""
    count = data.stats.count
    total = int(np.sum(count))
    n = int(np.count_nonzero(count))
    area = _total_hectares(data)
    text = (
        f"{data.method_title} divides {data.scene} into {counted(n, 'class', 'classes')}: "
        f"{counted(total, 'pixel', 'pixels')}"
    )
    text += f", {hectares_text(area)}{NO_BREAK}ha." if area is not None else "."
    if not total:
        return text
    largest, *_ = order = [int(i) for i in np.argsort(-count, kind="stable") if count[i]]
    text += f" The largest, {data.legend.names[largest]}, covers {percent(count[largest] / total)}"
    if len(order) > 1:
        smallest = order[-1]
        text += f"; the smallest, {data.legend.names[smallest]}, {percent(count[smallest] / total)}"
    return f"{text}."


def _check(data: ReportData) -> None:
    n = len(data.legend)
    shapes = {
        "statistics": len(data.stats.count),
        "areas": n if data.hectares is None else len(data.hectares),
        "tree": n if data.tree is None else data.tree.leaves,
        "separability": n if data.separability is None else len(data.separability),
    }
    for what, found in shapes.items():
        if found != n:
            raise UsageError(
                f"the report's legend has {n} classes and its {what} {found}; "
                "they must be of the same map."
            )


def _total_hectares(data: ReportData) -> float | None:
    if data.hectares is None or not np.isfinite(data.hectares).all():
        return None
    return float(np.sum(data.hectares))
