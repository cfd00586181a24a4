"""The report on how right a map is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rsclass.core.accuracy import Accuracy
from rsclass.core.clusters import ClusterFit
from rsclass.core.legend import RGB
from rsclass.report.accuracy_figures import MOST_SHOWN, accuracy_chart, area_chart, matrix_chart
from rsclass.report.accuracy_texts import area_text, kappa_text, number_text, share_text
from rsclass.report.page import image, render_page
from rsclass.report.texts import counted

__all__ = ["AccuracyData", "accuracy_page"]


@dataclass(frozen=True)
class AccuracyData:
    """What the report tells.

    Parameters
    ----------
    name, reference : str
        Of the map and of what it was compared with.
    design : str
        How the reference was drawn, in words.
    accuracy : Accuracy or None
        None where the map's classes are clusters without names.
    clusters : ClusterFit
    colors : mapping of int to (red, green, blue)
        Of the values of the map.
    warnings : sequence of str
    facts : mapping of str to str
        Where the figures come from.
    created : str
    """

    name: str
    reference: str
    design: str
    accuracy: Accuracy | None
    clusters: ClusterFit
    colors: Mapping[int, RGB] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    created: str = ""


def accuracy_page(data: AccuracyData) -> bytes:
    """The report as a UTF-8 HTML page; the same data give the same bytes."""
    return render_page(
        "accuracy.html.j2",
        title=f"{data.name}: how right it is",
        byline=f"compared with {data.reference}",
        summary=_summary(data),
        warnings=data.warnings,
        created=data.created,
        accuracy=data.accuracy,
        design=data.design,
        facts=data.facts,
        scores=data.clusters.scores,
        pairs=data.clusters.pairs,
        labels=data.clusters.labels,
        table=data.clusters.table.tolist(),
        share_text=share_text,
        number_text=number_text,
        area_text=area_text,
        **_of_classes(data),
    )


def _of_classes(data: AccuracyData) -> dict[str, object]:
    accuracy = data.accuracy
    if accuracy is None:
        return {"strata": []}
    classes = accuracy.classes
    sample = accuracy.sample
    few = len(classes) <= MOST_SHOWN
    colors = [None if c.value is None else data.colors.get(c.value) for c in classes]
    in_hectares = any(not math.isnan(c.mapped_hectares) for c in classes)
    return {
        "classes": classes,
        "names": accuracy.names,
        "kappa": kappa_text(accuracy.kappa),
        "counts": accuracy.confusion.counts.tolist(),
        "shares": None if sample is None else accuracy.matrix.counts.tolist(),
        "estimated": sample is not None,
        "confidence": f"{100 * accuracy.confidence:g} %",
        "with_areas": sample is not None or accuracy.census is not None,
        "strata": []
        if sample is None
        else list(zip(sample.strata, sample.sizes.tolist(), sample.units.tolist(), strict=True)),
        "matrix_image": image(matrix_chart(accuracy.confusion) if few else None),
        "accuracy_image": image(accuracy_chart(accuracy.overall, classes) if few else None),
        "area_image": image(area_chart(classes, colors, hectares=in_hectares) if few else None),
    }


def _summary(data: AccuracyData) -> str:
    """The report in a sentence or two."""
    if data.accuracy is None:
        paired = number_text(data.clusters.scores["paired"])
        n = len(data.clusters.values)
        return (
            f"{counted(n, 'cluster', 'clusters')} of {data.name}, paired one to one with the "
            f"classes of {data.reference} as well as can be, agree with an accuracy of {paired}."
        )
    units = counted(int(data.accuracy.confusion.n), "unit", "units")
    text = f"By {units} of {data.reference}, the overall accuracy of {data.name} is "
    text += share_text(data.accuracy.overall)
    if data.accuracy.sample is None and data.accuracy.census is None:
        return f"{text} at these units; for the whole map it is not known."
    return f"{text}."
