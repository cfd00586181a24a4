"""Names proposed for the clusters of a map, and the classes of a schema that they mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import count

from rsclass.core.covers import COVERS, KINDS
from rsclass.core.labels import distinct_labels, map_values
from rsclass.core.legend import Legend, clean_name
from rsclass.core.merging import MergeRow
from rsclass.core.naming import ClassNames
from rsclass.core.opinions import Opinion
from rsclass.core.schema import Schema
from rsclass.core.votes import Vote
from rsclass.errors import DataError

__all__ = ["REFERENCE", "SPECTRA", "Proposal", "coded", "merge_rows", "proposals"]

REFERENCE, SPECTRA = "reference", "spectra"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a cluster may be called.

    Parameters
    ----------
    cluster : int
        Its value in the map.
    cluster_name : str
    name : str or None
        Label of the reference, or cover; None where nothing is sure enough.
    confidence : float
        Of the name, or of the best one that was not sure enough; 0 to 1.
    by : str
        ``reference`` or ``spectra``; empty where there is no name.
    evidence : tuple of str
        Sentences without their points, all that is known.
    code : int or None
        Of the schema's class, or of the class that the table will name; None where the name means
        none of the schema's classes, or several.
    class_name : str
    """

    cluster: int
    cluster_name: str
    name: str | None
    confidence: float
    by: str
    evidence: tuple[str, ...]
    code: int | None = None
    class_name: str = ""


def proposals(
    legend: Legend,
    votes: Sequence[Vote] | None,
    opinions: Sequence[Opinion] | None,
    least: float,
) -> list[Proposal]:
    """One for each cluster: the reference counts where it is sure enough, else the spectrum.

    Parameters
    ----------
    legend : Legend
        Of the map.
    votes, opinions : sequence or None
        One for each class of the legend.
    least : float
        Confidence below which nothing is proposed.
    """
    found = []
    for i, entry in enumerate(legend):
        offers = []
        if votes is not None:
            vote = votes[i]
            offers.append((REFERENCE, vote.label, vote.confidence, vote.evidence))
        if opinions is not None:
            opinion = opinions[i]
            best = next(iter(opinion.scores), None)
            offers.append((SPECTRA, best, opinion.confidence, opinion.evidence))
        evidence = tuple(f"{by}: {text}" for by, _, _, texts in offers for text in texts)
        sure = next((o for o in offers if o[1] is not None and o[2] >= least), None)
        if sure is not None:
            by, name, confidence, _ = sure
            found.append(Proposal(entry.value, entry.name, name, confidence, by, evidence))
        else:
            most = max((confidence for _, _, confidence, _ in offers), default=0.0)
            found.append(Proposal(entry.value, entry.name, None, most, "", evidence))
    return found


def coded(
    found: Sequence[Proposal], schema: Schema | None, known: Iterable[MergeRow] = ()
) -> list[Proposal]:
    """The proposals with the classes that they mean.

    A label of a reference means the class of that name or that code, or else the one whose name
    holds a word for the same: ``urban`` is ``Built-up``. A cover means the class whose name holds
    one of its words. Where that leaves a choice there is no class.

    Parameters
    ----------
    schema : Schema or None
        None: every name is a class of its own.
    known : iterable of MergeRow
        Of a table that exists; without a schema, its classes keep their codes.
    """
    if schema is None:
        codes = _own_codes([p.name for p in found if p.name is not None], known)
        return [
            p if p.name is None else replace(p, code=codes[p.name], class_name=clean_name(p.name))
            for p in found
        ]
    result = []
    for p in found:
        code = None
        if p.name is not None:
            code = (
                _of_words(COVERS[p.name].words, schema)
                if p.by == SPECTRA
                else _of_label(p.name, schema)
            )
        if code is not None:
            result.append(replace(p, code=code, class_name=schema[code].name))
        elif p.name is not None:
            why = f"{p.name!r} means no single class of the schema"
            result.append(replace(p, evidence=(*p.evidence, why)))
        else:
            result.append(p)
    return result


def merge_rows(found: Sequence[Proposal]) -> list[MergeRow]:
    """The proposals as rows of a merge table; those without a class are not decided."""
    return [
        MergeRow(
            cluster=p.cluster,
            code=p.code,
            by=f"rsclass suggest ({p.by})" if p.code is not None else "",
            why=f"{p.name or 'unknown'}, confidence {p.confidence:.2f}: {'; '.join(p.evidence)}",
            cluster_name=p.cluster_name,
            class_name=p.class_name,
        )
        for p in found
    ]


def _own_codes(names: Iterable[str], known: Iterable[MergeRow]) -> dict[str, int]:
    """A code for each name: that of a known class, else the next that is free."""
    rows = [row for row in known if row.code]
    taken = {row.class_name.casefold(): int(row.code or 0) for row in rows if row.class_name}
    every = distinct_labels(names)
    if not rows:
        return dict(zip(every, map_values(every), strict=True))
    free = count(max(int(row.code or 0) for row in rows) + 1)
    return {
        name: taken[name.casefold()] if name.casefold() in taken else next(free) for name in every
    }


def _of_label(label: str, schema: Schema) -> int | None:
    legend = schema.legend([entry.code for entry in schema])
    try:
        # A raster without names has "class 5" for what it stores as 5.
        place = ClassNames(legend).find(re.sub(r"^class (?=\d+$)", "", label))
    except DataError:  # several classes of that name
        return None
    if place is not None:
        return legend.values[place]
    kinds = [kind for kind in KINDS if kind & _words(label)]
    return _of_words(kinds[0], schema) if len(kinds) == 1 else None


def _of_words(words: frozenset[str], schema: Schema) -> int | None:
    """The class whose name holds one of these words; of a class and those below it, the one meant.

    That is the lowest where they stand below each other, and the one above where several do not.
    """
    met = {entry.code for entry in schema if words & _words(entry.name)}
    lines = {code: [entry.code for entry in schema.line(code)] for code in met}
    lowest = [code for code in met if met <= set(lines[code])]
    tops = [code for code in met if not met & set(lines[code][:-1])]
    chosen = lowest or tops
    return chosen[0] if len(chosen) == 1 else None


def _words(name: str) -> set[str]:
    return set(re.split(r"[^a-z]+", name.casefold()))
