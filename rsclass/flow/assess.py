"""``rsclass assess``: how right a map is, and how large its classes really are."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from rsclass.core.accuracy import Accuracy
from rsclass.core.design import DESIGNS
from rsclass.core.estimates import normal_quantile
from rsclass.core.naming import told
from rsclass.errors import UsageError
from rsclass.flow.assessed import Assessed
from rsclass.flow.designs import CENSUS, Basis, Matched, basis_of
from rsclass.flow.independence import are_clusters, trained_on
from rsclass.flow.matching import ON_UNKNOWN, cluster_fit, matched_classes
from rsclass.flow.outputs import now
from rsclass.flow.pairs import Asked, Pairs
from rsclass.flow.reference import pairs_of
from rsclass.flow.scanning import ClassSizes, class_sizes
from rsclass.io.class_map import ClassMap, open_class_map
from rsclass.io.target import Target
from rsclass.run.settings import Running

__all__ = ["assess"]


def assess(
    class_map: str | Path,
    reference: str | Path,
    *,
    field: str | None = None,
    layer: str | None = None,
    vector_crs: str | None = None,
    encoding: str | None = None,
    strata: str | Path | None = None,
    assume_design: str | None = None,
    confidence: float = 0.95,
    clusters: bool | None = None,
    on_unknown: str = "fail",
    table: str | Path | None = None,
    report: str | Path | None = None,
    figures: Sequence[str] = (),
    overwrite: bool = False,
    running: Running | None = None,
    command: str | None = None,
) -> Assessed:
    """Compare a map with a reference, and estimate accuracies and areas as its design allows.

    Parameters
    ----------
    class_map : path
        Class map of any software.
    reference : path
        Points, such as those of :func:`rsclass.plan_sample`; polygons or lines, whose pixels are
        compared; a raster of labels, where 0 is none, read below the centers of the map's pixels;
        or a CSV table with a column ``map`` and one line for each unit, or ``count`` units.
    field : str, optional
        Column of the labels; by default ``reference``. Labels are names of the map's classes in
        any letters, or their values.
    layer, vector_crs, encoding : str, optional
        As for :func:`rsclass.io.vectors.read_features`.
    strata : str or path, optional
        Strata of the sample that are not recorded in it: a raster on the map's pixels, or a column
        of the reference.
    assume_design : {"simple", "systematic", "stratified"}, optional
        How the reference was drawn, where it does not tell. Without strata, a stratified sample is
        one within map classes. Where the design is unknown, nothing is estimated.
    confidence : float, default=0.95
        Of the intervals.
    clusters : bool, optional
        Score the map as clusters, whose numbers have no meaning, or as classes. By default a map
        that rsclass has clustered, and nobody has named, is one of clusters.
    on_unknown : {"fail", "class", "skip"}
        What to do with labels that are no class of the map: refuse them, count them as classes
        that the map misses, or leave them out.
    table : path, optional
        Where to write the confusion matrix and all figures of each class as CSV.
    report : path, optional
        Where to write a page with tables and figures as HTML.
    figures : sequence of str
        Names of figures that will be asked of the result; an unknown one is an error before
        anything is written.
    overwrite : bool, default=False
        Whether these may replace what stands there.
    running : Running, optional
        Memory and threads; never changes the result.
    command : str, optional
        The command line, for the report.

    Returns
    -------
    Assessed

    Raises
    ------
    UsageError
        A column, a layer, a design or a figure does not exist or has to be chosen.
    DataError
        Map or reference cannot be read or laid over each other, or labels are no classes.
    OutputError
        An output exists or cannot be written.

    Notes
    -----
    Estimates follow Stehman (2014, doi:10.1080/01431161.2014.930207), and Olofsson et al. (2014,
    doi:10.1016/j.rse.2014.02.015) where strata are map classes; see
    :mod:`rsclass.core.estimates`.
    """
    running = running or Running()
    _check(confidence, on_unknown, assume_design, strata)
    asked = Asked(reference, field, layer, vector_crs, encoding, strata, assume_design)
    with ExitStack() as stack:
        opened = stack.enter_context(open_class_map(class_map, report=running.progress))
        inputs = [*opened.inputs, *(str(p) for p in (reference, strata) if p is not None)]
        targets = {
            kind: stack.enter_context(Target(path, inputs, overwrite=overwrite, belongings=()))
            for kind, path in {"table": table, "report": report}.items()
            if path is not None
        }
        pairs = pairs_of(opened, asked, opened.ground, running)
        sizes = class_sizes(opened, running)
        assessed = _assessed(opened, pairs, sizes, assume_design, confidence, clusters, on_unknown)
        for name in figures:
            assessed.figure(name)
        for kind, target in targets.items():
            assessed.files[kind] = target.path
        contents = {kind: _content(kind, assessed, opened, command) for kind in targets}
        for kind, target in targets.items():
            target.put(contents[kind])
    return assessed


def _content(kind: str, assessed: Assessed, class_map: ClassMap, command: str | None) -> bytes:
    if kind == "table":
        return assessed.to_csv().encode()
    from rsclass.flow.accuracy_page import accuracy_report

    return accuracy_report(assessed, class_map, created=now(), command=command)


def _check(
    confidence: float, on_unknown: str, assumed: str | None, strata: str | Path | None
) -> None:
    normal_quantile(confidence)
    if on_unknown not in ON_UNKNOWN:
        raise UsageError(
            f"unknown labels cannot be met with {on_unknown!r}; known are {', '.join(ON_UNKNOWN)}."
        )
    if assumed is not None and assumed not in DESIGNS:
        raise UsageError(f"no design is named {assumed!r}; known are {', '.join(DESIGNS)}.")
    if strata is not None and assumed not in (None, "stratified"):
        raise UsageError(f"a {assumed} sample has no strata; leave out --strata or the design.")


def _assessed(
    class_map: ClassMap,
    pairs: Pairs,
    sizes: ClassSizes,
    assumed: str | None,
    confidence: float,
    clusters: bool | None,
    on_unknown: str,
) -> Assessed:
    fit = cluster_fit(class_map, pairs)
    notes = [*class_map.warnings, *pairs.notes]
    if trained_on(class_map, pairs):
        notes.append(
            f"{class_map.name} was trained on {pairs.name}: a map agrees better with what it has "
            "learned than with the rest of the ground. Assess it with an independent reference, or "
            "by cross-validation."
        )
    if clusters or (clusters is None and are_clusters(class_map)):
        notes.append(
            f"the classes of {class_map.name} are clusters without names, so only scores of "
            "clusters are given; name and merge them for accuracies by class."
        )
        return Assessed(class_map.path, pairs.name, pairs.kind, fit, pairs.skipped, notes)
    matched, found = matched_classes(class_map, pairs, sizes, on_unknown)
    basis = basis_of(class_map, pairs, matched, sizes, assumed)
    notes += [*found, *basis.warnings]
    accuracy = _accuracy(matched, basis, sizes, class_map, confidence)
    notes += _too_good(accuracy)
    return Assessed(
        class_map.path, pairs.name, pairs.kind, fit, pairs.skipped, notes, accuracy, basis
    )


def _accuracy(
    matched: Matched, basis: Basis, sizes: ClassSizes, class_map: ClassMap, confidence: float
) -> Accuracy:
    counts = matched.matrix(matched.units.units)
    place = {value: i for i, value in enumerate(class_map.legend.values)}
    weights = [0 if v is None else int(sizes.weights[place[v]]) for v in matched.values]
    whole = sizes.hectares(sum(weights))
    spoken_of = 1.0
    if basis.sample is not None:
        reached = basis.sample.sizes[basis.sample.units > 0].sum()
        spoken_of = float(reached) / max(int(matched.pixels.sum()), 1)
    return Accuracy(
        matched.values,
        counts,
        matched.pixels,
        np.array([sizes.hectares(weight) for weight in weights]),
        basis.sample,
        matched.matrix(matched.units.areas) if basis.kind == CENSUS else None,
        whole * spoken_of,
        confidence,
    )


def _too_good(accuracy: Accuracy) -> list[str]:
    """What a sample without errors does not prove."""
    if accuracy.sample is None:
        return []
    classes = [c for c in accuracy.classes if c.map_units < c.mapped_pixels]
    sure = [c.name for c in classes if c.users.error == 0]
    found = [c.name for c in classes if c.reference_units and c.producers.value == 1]
    notes = []
    if sure:
        notes.append(
            f"of the units mapped as {told(sure)} all or none are right, so that an interval of no "
            "width is given for their user's accuracy; among few units, that may be chance."
        )
    if found:
        notes.append(
            f"no unit mapped otherwise is {told(found)}; where such places are rare, a sample can "
            "miss them all, and the interval of the true area is then too narrow."
        )
    return notes
