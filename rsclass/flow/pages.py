"""The report of a map, from what the verbs know."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.colors import display_bands
from rsclass.core.grid import Georeference
from rsclass.core.legend import Legend
from rsclass.core.measures import MEASURES
from rsclass.core.separability import separability
from rsclass.core.stats import ClassStats
from rsclass.core.tree import Tree, class_tree
from rsclass.core.types import Band, Float
from rsclass.flow.confidence import confidence_histogram
from rsclass.flow.label import Labelled
from rsclass.flow.models import Model
from rsclass.flow.stream import SceneStream
from rsclass.report.html import ReportData, render_report
from rsclass.report.texts import counted, percent

_MOST_BANDS = 40
_SOME = 100_000  # pixels that are enough to say how a picture is stretched
_MOST_WORK = 2e9  # multiplications; a second or so


def report_page(
    stream: SceneStream,
    model: Model,
    labelled: Labelled,
    extra: Mapping[str, Any],
    command: str | None,
) -> bytes:
    """The HTML report of a map.

    Parameters
    ----------
    extra : mapping
        What the statistics file says of the map: ``created``, ``history``, ``evidence``,
        ``warnings`` and ``recipe``, and the ``reason`` for the number of classes.
    command : str or None
        The command line.
    """
    recipe = extra["recipe"]
    provenance = {
        "command": command,
        "inputs": recipe["sha256"],
        "method": model.engine.method,
        "parameters": model.card_and_arrays()[0]["parameters"],
        "seed": model.seed,
        "model SHA-256": model.sha256(),
        "versions": recipe["versions"],
    }
    values = np.append(np.array(model.legend.values), 0)
    return render_report(
        ReportData(
            title=(
                f"{stream.source.name}: {counted(len(model.legend), 'class', 'classes')} by "
                f"{model.engine.title}"
            ),
            method_title=model.engine.title,
            paper=model.engine.paper,
            scene=stream.source.name,
            bands=tuple(stream.bands),
            legend=model.legend,
            stats=labelled.stats,
            hectares=None if np.isnan(labelled.hectares).any() else labelled.hectares,
            history=extra["history"],
            warnings=extra["warnings"],
            provenance={name: value for name, value in provenance.items() if value is not None},
            scene_rgb=_picture(model, labelled),
            class_map=values[labelled.picture_classes],
            evidence=extra["evidence"],
            tree=_tree(labelled.stats),
            separability=_separability(labelled.stats, model.legend),
            separability_most=MEASURES["jm"].most,
            confidence=confidence_histogram(stream, model, labelled.seen),
            created=extra["created"],
            facts=_facts(stream, labelled),
            reason=extra.get("reason", ""),
        )
    )


def _facts(stream: SceneStream, labelled: Labelled) -> dict[str, str]:
    """What was classified, in words."""
    georef, n_pixels = stream.source.georef, stream.height * stream.width
    without = n_pixels - int(labelled.stats.count.sum())
    return {
        "size": f"{stream.width:,} x {stream.height:,} pixels (width x height)",
        "pixel size": _pixel_size(georef),
        "coordinate system": _name(georef.crs or georef.gcp_crs),
        "bands": _bands(stream.bands),
        "without a class": f"{counted(without, 'pixel', 'pixels')}, {percent(without / n_pixels)}",
    }


def _pixel_size(georef: Georeference) -> str:
    if georef.transform is None:
        return "unknown"
    a, b, _, d, e, _ = georef.transform
    # The horizontal system's own unit comes last in its text, after those of what it is built on.
    horizontal = re.split(r"VERT_?CRS\[|VERT_CS\[", georef.crs or "")[0]
    units = re.findall(r'UNIT\["([^"]+)"', horizontal)
    size = f"{math.hypot(a, d):.6g} x {math.hypot(b, e):.6g}"
    if not units:
        return size
    return f"{size} {'m' if units[-1] in ('metre', 'meter') else units[-1]}"


def _name(crs: str | None) -> str:
    """What a coordinate system calls itself: the first text in its WKT."""
    if crs is None:
        return "unknown"
    found = re.search(r'"([^"]*)"', crs)
    return found.group(1) if found else crs


def _bands(bands: Sequence[Band]) -> str:
    names = [f"{band.name} ({place})" if (place := _place(band)) else band.name for band in bands]
    if len(names) <= _MOST_BANDS:
        return "; ".join(names)
    return f"{len(names)}: {names[0]} to {names[-1]}"


def _place(band: Band) -> str:
    """Where in the spectrum it lies."""
    wavelength = f"{band.wavelength:g} nm" if band.wavelength else None
    return ", ".join(part for part in (band.role, wavelength) if part)


def _tree(stats: ClassStats) -> Tree | None:
    """Which classes are alike; None if one has no pixel."""
    if len(stats.count) < 2 or (stats.count == 0).any():
        return None
    return class_tree(stats.count, stats.mean, stats.std**2)


def _separability(stats: ClassStats, legend: Legend) -> Float | None:
    """Jeffries-Matusita distances; None where they would take longer than the map."""
    n_classes, n_bands = stats.mean.shape
    if n_classes < 2 or n_classes**2 * n_bands**3 > _MOST_WORK:
        return None
    return separability(stats.mean, stats.covariance, stats.count, legend.names).tables["jm"]


def _picture(model: Model, labelled: Labelled) -> NDArray[np.uint8]:
    """The scene in natural color, stretched between its 2 and 98 % points; white where invalid."""
    shown = list(display_bands(model.bands))
    values = labelled.picture_values
    step = 1 + (values[0].size > _SOME)
    some = values[:, ::step, ::step]
    low, high = np.full(len(shown), 0.0), np.full(len(shown), 1.0)
    if np.isfinite(some).any():
        low, high = np.nanpercentile(some, [2, 98], axis=(1, 2))
    span = np.where(high > low, high - low, 1.0)
    pixels = np.empty((*values.shape[1:], len(shown)), np.uint8)
    for band, value in enumerate(values):
        share = value - low[band]
        share *= 255 / span[band]
        np.nan_to_num(share, copy=False, nan=255.0)
        pixels[:, :, band] = np.rint(np.clip(share, 0, 255, out=share), out=share)
    return pixels
