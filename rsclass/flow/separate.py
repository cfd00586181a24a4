"""How well the classes of a map or model can be told apart, and which may be one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from rsclass.core.measures import DEFAULT, check_measure
from rsclass.core.mergers import mergers
from rsclass.core.separability import separability
from rsclass.core.stats import ClassStats
from rsclass.core.tree import class_tree, merge_losses
from rsclass.errors import DataError
from rsclass.flow.outputs import now
from rsclass.flow.separated import Separated
from rsclass.flow.signatures import Signatures, signatures_of
from rsclass.io.target import Target
from rsclass.run.settings import Running

__all__ = ["Separated", "separate"]

MOST_CLASSES = 500
ADVISED = 10
"""Pixels for each band below which a covariance is not to be trusted."""


def separate(
    path: str | Path,
    *,
    measure: str = DEFAULT,
    scene: Any = None,
    table: str | Path | None = None,
    report: str | Path | None = None,
    overwrite: bool = False,
    running: Running | None = None,
    command: str | None = None,
) -> Separated:
    """Tell how well the classes of a map or a model can be told apart, and which may be one.

    Parameters
    ----------
    path : path
        A class map, or a model (``.safetensors``).
    measure : str, default="jm"
        By which pairs are ranked: see :data:`rsclass.core.measures.MEASURES`. The default is
        the Jeffries-Matusita distance ``2 (1 - e^-B)`` from 0 to 2; ``jm-root`` is its other
        convention, from 0 to 1.414.
    scene : path, list of paths or None
        The scene, where the signatures of the classes are not known; see
        :func:`rsclass.flow.signatures.signatures_of`.
    table : path or None
        Where to write all pairs as CSV.
    report : path or None
        Where to write a page with dendrogram, heat map and spectra as HTML.
    overwrite : bool
        Whether these may replace what stands there.
    running : Running or None
    command : str or None
        The command line, for the report.

    Returns
    -------
    Separated
        Nothing is merged.

    Raises
    ------
    UsageError
        The measure is unknown.
    DataError
        The signatures are not known and the scene is not there, or not that of the map.
    OutputError
        A file exists or cannot be written.
    """
    check_measure(measure)
    asked = {"table": table, "report": report}
    wanted = {kind: Path(place) for kind, place in asked.items() if place is not None}
    with ExitStack() as stack:
        targets = {
            kind: stack.enter_context(Target(place, [path], overwrite=overwrite, belongings=()))
            for kind, place in wanted.items()
        }
        found = separated(Path(path), signatures_of(path, scene, running), measure, wanted)
        if "table" in targets:
            targets["table"].put(found.to_csv().encode())
        if "report" in targets:
            targets["report"].put(_page(found, command))
    return found


def separated(
    path: Path, signatures: Signatures, measure: str, files: dict[str, Path]
) -> Separated:
    """The separability of classes whose signatures are known.

    Raises
    ------
    DataError
        There are more classes than pairs of them can be told of.
    """
    legend, stats = signatures.legend, signatures.stats
    if len(legend) > MOST_CLASSES:
        raise DataError(
            f"{path} has {len(legend):,} classes, and separability is told of {MOST_CLASSES} at "
            "most; join some with 'rsclass merge' first."
        )
    # One thread, because a matrix library may round otherwise with several.
    with threadpool_limits(1):
        found = separability(stats.mean, stats.covariance, stats.count, legend.names)
    present = stats.count > 0
    variance = stats.std**2
    losses = np.full((len(legend), len(legend)), np.nan)
    inner = np.ix_(present, present)
    if present.any():
        losses[inner] = merge_losses(stats.count[present], stats.mean[present], variance[present])
    tree = class_tree(stats.count, stats.mean, variance) if present.all() else None
    return Separated(
        path=path,
        measure=measure,
        legend=legend,
        stats=stats,
        hectares=signatures.hectares,
        tables=found.tables,
        tree=tree if len(legend) > 1 else None,
        mergers=mergers(legend.names, stats.count, found.tables, losses),
        source=signatures.source,
        files=files,
        warnings=[*signatures.warnings, *found.notes, *_few(stats, legend.names)],
    )


def _few(stats: ClassStats, names: Sequence[str]) -> list[str]:
    """Says for which classes a distance comes out too large by chance."""
    advised = ADVISED * len(stats.bands)
    few = [name for name, n in zip(names, stats.count, strict=True) if 1 < n < advised]
    if not few:
        return []
    return [
        f"fewer than {advised:,} pixels, {ADVISED} for each band, describe {', '.join(few)}; "
        "distances from so few come out too large."
    ]


def _page(found: Separated, command: str | None) -> bytes:
    from rsclass.report.separation import SeparationData, separation_page

    facts = {
        "command": command,
        "of": str(found.path),
        "signatures": found.source,
        "covariances": "unbiased: divisor n - 1",
        "bands": ", ".join(band.name for band in found.stats.bands),
    }
    return separation_page(
        SeparationData(
            name=found.path.name,
            legend=found.legend,
            stats=found.stats,
            measure=found.measure,
            table=found.tables[found.measure],
            pairs=[{"one": i, "other": j} | found.values_of(i, j) for i, j in found.pairs],
            mergers=found.mergers,
            hectares=found.hectares,
            tree=found.tree,
            warnings=found.warnings,
            facts={name: value for name, value in facts.items() if value},
            created=now(),
        )
    )
