"""A class map made from another one, with all that belongs to a map."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from rsclass.core.legend import Legend
from rsclass.core.pooling import pooled
from rsclass.core.stats import ClassStats
from rsclass.core.transitions import Transitions
from rsclass.flow.derived import Derived
from rsclass.flow.map_pass import Around, Change, change_map
from rsclass.flow.mapping import MOST_COLORS
from rsclass.flow.models import versions
from rsclass.flow.outputs import KINDS, Hashing, now
from rsclass.io.class_map import ClassMap
from rsclass.io.maps import RECIPE_TAG
from rsclass.io.sidecars import pam_xml, qml
from rsclass.io.sink import RasterSink, Writing, class_dtype
from rsclass.io.stac import stac_item
from rsclass.io.tables import stats_csv, stats_json
from rsclass.io.target import Target, belonging
from rsclass.run.settings import Running

__all__ = ["Around", "Change", "Derived", "derive_map"]


def derive_map(
    class_map: ClassMap,
    out: str | Path,
    change: Change,
    legend: Legend,
    *,
    recipe: Mapping[str, Any] | Callable[[], Mapping[str, Any]],
    halo: int = 0,
    block: int = 1,
    prepare: Callable[[], None] | None = None,
    running: Running | None = None,
    writing: Writing | None = None,
    inputs: Sequence[str | Path] = (),
    bytes_per_pixel: float = 0.0,
    message: str = "writing the map",
    facts: Callable[[Transitions], tuple[dict[str, Any], tuple[str, ...]]] | None = None,
    beside: Callable[[], Mapping[str, bytes]] | None = None,
    warnings: Sequence[str] = (),
) -> Derived:
    """Stream a class map through ``change`` into a new class map with legend and statistics.

    The bytes of the map do not depend on tiles or threads, as long as ``change`` answers for a
    pixel by what lies within ``halo`` of it. A run that fails or is stopped leaves nothing.

    Parameters
    ----------
    class_map : ClassMap
        Open; see :func:`rsclass.io.class_map.open_class_map`.
    out : path
    change : callable (Around) -> int32 array
        New values of ``around.core``, each in ``legend`` or 0. Called from several threads; must be
        picklable for a Dask scheduler.
    legend : Legend
        Of the new map.
    recipe : mapping, or callable that gives it after the pass
        JSON-able: ``verb`` and all of its choices. The parent with its SHA-256 and its own recipe
        is added, so that the whole lineage stays in the map.
    halo : int
        Pixels around the core that ``change`` looks at.
    block : int
        Cores start at multiples of it, and end there or at the edge of the map.
    prepare : callable, optional
        Work to be done before the pass, when the output's place is known to be free.
    running : Running or None
    writing : Writing or None
        Of which ``format``, ``creation``, ``overwrite`` and ``stac`` matter.
    inputs : sequence of paths
        Files besides the map that must not be overwritten.
    bytes_per_pixel : float
        Working memory of ``change``.
    message : str
        For the progress.
    facts : callable (Transitions) -> (dict, lines), optional
        What the verb has to say besides, as JSON-able values and as lines for people.
    beside : callable () -> dict of suffix to content, optional
        More files to put beside the map; called after the pass.
    warnings : sequence of str
        Read after ``facts``, which may add to it.

    Returns
    -------
    Derived

    Raises
    ------
    UsageError, OutputError
        A place cannot be written, or may not; nothing has been read then.
    DataError
        The map holds values that are not in its legend.
    MemoryLimitError
        Not even one block fits the memory limit.
    """
    running, writing = running or Running(), writing or Writing()
    with Target(
        Path(out), [*class_map.inputs, *map(str, inputs)], overwrite=writing.overwrite, raster=True
    ) as target:
        dtype = class_dtype(max(legend.values))
        sink = RasterSink(
            target,
            height=class_map.height,
            width=class_map.width,
            count=1,
            dtype=dtype,
            nodata=0,
            georef=class_map.georef,
            writing=writing,
            descriptions=("class",),
            colormap=legend.colormap() if dtype == np.uint8 else None,
        )
        with sink:
            hashing = Hashing(class_map.source)
            if prepare is not None:
                prepare()
            moves, hectares = change_map(
                class_map,
                change,
                legend,
                sink.write,
                halo=halo,
                block=block,
                bytes_per_pixel=bytes_per_pixel,
                running=running,
                message=message,
            )
            found, lines = facts(moves) if facts is not None else ({}, ())
            told = [*class_map.warnings, *warnings, *_doubts(legend)]
            stats, origin = _signatures(class_map, legend, moves, told)
            digests = hashing.result()
            class_map.source.check_unchanged()
            own = recipe() if callable(recipe) else recipe
            whole = _whole_recipe(class_map, own, writing, digests)
            extra = {
                "created": now(),
                "map": class_map.name,
                "pixels": class_map.height * class_map.width,
                "classified": int(stats.count.sum()),
                "signatures": origin,
                "moves": moves.to_rows(),
                **found,
                "warnings": told,
                "recipe": whole,
            }
            areas = None if np.isnan(hectares).any() else hectares
            sidecars = {
                ".aux.xml": pam_xml(legend, stats.count, areas),
                ".qml": qml(legend),
                ".stats.json": stats_json(stats, legend, hectares, extra),
                ".stats.csv": stats_csv(stats, legend, hectares),
                **(beside() if beside is not None else {}),
            }
            if writing.stac:
                sidecars[".stac.json"] = stac_item(
                    item_id=target.path.stem,
                    href=f"./{target.path.name}",
                    legend=legend,
                    count=stats.count,
                    georeference=class_map.georef,
                    height=class_map.height,
                    width=class_map.width,
                    dtype=dtype.name,
                    created=extra["created"],
                    cloud_optimized=writing.format == "COG",
                    software={"rsclass": whole["versions"]["rsclass"]},
                )
            sink.set_tags(
                {
                    "TIFFTAG_SOFTWARE": f"rsclass {whole['versions']['rsclass']}",
                    RECIPE_TAG: json.dumps(whole, sort_keys=True, separators=(",", ":")),
                }
            )
            path = sink.finish(sidecars)
    files = {"map": path} | {KINDS[suffix]: belonging(path, suffix) for suffix in sidecars}
    return Derived(
        path=path,
        parent=class_map.path,
        files=files,
        legend=legend,
        stats=stats,
        hectares=hectares,
        moves=moves,
        n_pixels=class_map.height * class_map.width,
        warnings=told,
        facts=found,
        told=lines,
    )


def _signatures(
    class_map: ClassMap, legend: Legend, moves: Transitions, told: list[str]
) -> tuple[ClassStats, str]:
    """Signatures of the new classes, and where they come from."""
    known = class_map.statistics
    values = class_map.legend.values
    if known is not None and len(known.stats.bands):
        fits = known.legend.values == values and np.array_equal(
            known.stats.count, moves.counts_before(values)
        )
        if fits:
            origin = (
                "those of the parent map's classes, joined"
                if moves.whole
                else "estimated: pixels that left their class count as typical of it"
            )
            return pooled(known.stats, values, moves, legend.values), origin
        told.append(
            f"the class statistics beside {class_map.path} are not of this map, as their counts "
            "differ; the spectra of the classes are left out."
        )
    empty = np.zeros((len(legend), 0))
    count = moves.counts_after(legend.values)
    return ClassStats((), count, empty, np.zeros((len(legend), 0, 0))), "unknown"


def _whole_recipe(
    class_map: ClassMap, recipe: Mapping[str, Any], writing: Writing, digests: dict[str, str]
) -> dict[str, Any]:
    choices = {"format": writing.format, "creation": [list(pair) for pair in writing.creation]}
    return {
        **recipe,
        "parent": {
            "map": str(class_map.path.resolve()),
            "sha256": digests,
            "recipe": class_map.recipe,
            "reading": asdict(class_map.source.reading),
        },
        "writing": choices,
        "versions": versions(),
    }


def _doubts(legend: Legend) -> list[str]:
    if max(legend.values) <= MOST_COLORS:
        return []
    return [
        f"a map with values above {MOST_COLORS} has 16 bits, which hold no palette; "
        "its colors are in the style (.qml) and the attribute table (.aux.xml)."
    ]
