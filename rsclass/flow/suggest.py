"""Names for the clusters of a map, from a reference and from their spectra."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rsclass.core.merging import MergeTable
from rsclass.core.opinions import LEAST_CONFIDENCE, Opinion, opinions
from rsclass.core.proposals import Proposal, coded, merge_rows, proposals
from rsclass.core.schema import Schema
from rsclass.core.votes import Vote, votes
from rsclass.errors import DataError, UnreadableRasterError, UsageError
from rsclass.flow.crossing import cross_features, cross_raster
from rsclass.flow.signatures import map_signatures
from rsclass.flow.suggested import Suggested
from rsclass.io.class_map import ClassMap, open_class_map
from rsclass.io.merge_file import edit_merge_table, read_merge_table, write_merge_table
from rsclass.io.schema_file import read_schema
from rsclass.run.settings import Running

__all__ = ["Suggested", "suggest"]

_BY = "rsclass suggest"


def suggest(
    path: str | Path,
    *,
    reference: str | Path | None = None,
    field: str | None = None,
    layer: str | None = None,
    vector_crs: str | None = None,
    encoding: str | None = None,
    spectra: bool = True,
    scene: Any = None,
    schema: Schema | str | Path | None = None,
    min_confidence: float = LEAST_CONFIDENCE,
    table: str | Path | None = None,
    apply: bool = False,
    running: Running | None = None,
) -> Suggested:
    """Propose names for the clusters of a map, with evidence and a confidence for each.

    A reference speaks first: the commonest of its labels in a cluster, with the share that is
    exceeded with 90 % confidence. Where it is silent or not sure enough the mean spectrum speaks:
    indices and the likeness to typical spectra of water, vegetation, bare soil, built-up ground,
    snow and cloud; see :mod:`rsclass.core.opinions`. Where that is not sure enough either, the
    cluster stays unknown.

    Parameters
    ----------
    path : path
        A class map.
    reference : path or None
        Polygons, lines or points with labels in ``field``, or a raster of classes, such as an older
        land-cover map.
    field, layer, vector_crs, encoding : str or None
        Of a vector reference; see :func:`rsclass.io.vectors.read_features`.
    spectra : bool
        Whether spectra are judged.
    scene : path, list of paths or None
        The scene, where the spectra of the classes are not known.
    schema : Schema, path, name or None
        Land-cover classes that the names are to mean; None: every name is a class of its own.
    min_confidence : float, default=0.5
        Confidence, 0 to 1, below which a cluster stays unknown.
    table : path or None
        The merge table (CSV) for ``apply``.
    apply : bool
        Write the table, or fill in what is not decided yet in one that exists; decisions that stand
        in it are kept.
    running : Running or None

    Returns
    -------
    Suggested

    Raises
    ------
    UsageError
        What is asked for does not go together.
    DataError
        The map or the reference cannot be read, or they do not meet.
    OutputError
        The table cannot be written.
    """
    running = running or Running()
    of_vectors = {"field": field, "layer": layer, "vector_crs": vector_crs, "encoding": encoding}
    _check_request(reference, of_vectors, spectra, table, apply, min_confidence)
    how_read = {"layer": layer, "crs": vector_crs, "encoding": encoding}
    wanted = read_schema(schema) if isinstance(schema, str | Path) else schema
    with open_class_map(path, report=running.progress) as class_map:
        warnings = list(class_map.warnings)
        said, purity = None, None
        if reference is not None:
            said, purity, notes = _ask_reference(class_map, reference, field, how_read, running)
            warnings += notes
        judged, units = None, ""
        if spectra:
            judged, units, notes = _judge(class_map, scene, min_confidence, running, said is None)
            warnings += notes
        found = proposals(class_map.legend, said, judged, min_confidence)
        how: dict[str, Any] = {"schema": wanted, "legend": class_map.legend}
        written = Path(table) if apply and table is not None else None
        earlier = None
        if written is not None and written.exists():
            earlier = read_merge_table(written, **how)
            _require_same_clusters(earlier, class_map, written)
        found = coded(found, wanted, earlier or ())
        applied: tuple[int, ...] = ()
        undecided: tuple[int, ...] = ()
        if written is not None:
            applied, undecided = _apply(found, written, earlier, class_map.inputs, how)
    return Suggested(
        path=Path(path),
        proposals=found,
        votes=said,
        opinions=judged,
        purity=purity,
        units=units,
        table=written,
        applied=applied,
        warnings=list(dict.fromkeys(warnings)),
        undecided=undecided,
    )


def _check_request(
    reference: Any,
    of_vectors: Mapping[str, str | None],
    spectra: bool,
    table: Any,
    apply: bool,
    least: float,
) -> None:
    if reference is None and not spectra:
        raise UsageError("there is nothing to go by; give a reference, or let spectra speak.")
    for name, value in of_vectors.items():
        if reference is None and value is not None:
            raise UsageError(
                f"{name} {value!r} is given without a reference; give that with --reference."
            )
    if apply and table is None:
        raise UsageError("--apply writes a merge table; name it with --table.")
    if not 0 <= least <= 1:
        raise UsageError(f"the least confidence is {least}; it must be from 0 to 1.")


def _ask_reference(
    class_map: ClassMap,
    reference: str | Path,
    field: str | None,
    how_read: Mapping[str, str | None],
    running: Running,
) -> tuple[list[Vote], float, list[str]]:
    if field is not None:
        crossed = cross_features(class_map, reference, field, running, how_read)
    else:
        try:
            crossed = cross_raster(class_map, reference, running)
        except UnreadableRasterError as error:
            raise DataError(
                f"{str(error).rstrip('.')}, or name the column of its labels with --field if it "
                "holds polygons or points."
            ) from error
    said = votes(crossed.table, crossed.witnesses, crossed.labels, crossed.witness)
    purity = float(crossed.table.max(axis=0).sum() / crossed.table.sum())
    return said, purity, list(crossed.notes)


def _judge(
    class_map: ClassMap, scene: Any, least: float, running: Running, alone: bool
) -> tuple[list[Opinion] | None, str, list[str]]:
    """Opinions on the mean spectra; where they are not known, a reference may do without."""
    try:
        signatures = map_signatures(class_map, scene, running)
    except DataError as error:
        if alone or scene is not None:
            raise
        return None, "", [f"spectra are not judged: {error}"]
    found, units = opinions(signatures.stats.mean, signatures.stats.bands, least)
    doubts = [] if units.trust == 1 else [f"spectra of {class_map.name}: {units.note}."]
    return found, units.note, [*signatures.warnings, *doubts]


def _require_same_clusters(table: MergeTable, class_map: ClassMap, path: Path) -> None:
    differing = sorted({row.cluster for row in table} ^ set(class_map.legend.values))
    if differing:
        raise DataError(
            f"{path} and {class_map.name} do not have the same clusters, {differing[0]} for one; "
            "is the table that of another map? Name a new one.",
            clusters=differing,
        )


def _apply(
    found: list[Proposal],
    place: Path,
    table: MergeTable | None,
    inputs: Sequence[str],
    how: dict[str, Any],
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Write the proposals to a new table, or those of undecided clusters to one that exists.

    Returns
    -------
    tuple of int, tuple of int
        Clusters that were decided, and those that still are not.
    """
    rows = merge_rows(found)
    if table is None:
        fresh = MergeTable(tuple(rows))
        write_merge_table(place, fresh, inputs=inputs)
        return tuple(row.cluster for row in rows if row.code is not None), fresh.undecided
    undecided = table.undecided
    chosen = [row for row in rows if row.code is not None and row.cluster in undecided]
    changed, _ = edit_merge_table(
        place, chosen, by=_BY, why="clusters that were not decided", **how
    )
    return tuple(row.cluster for row in chosen), changed.undecided
