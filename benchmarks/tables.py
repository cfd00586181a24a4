"""The tables in docs/performance.md; what is not measured again stays as it was."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from pathlib import Path

from benchmarks.bench import Finding
from benchmarks.pairs import Measurement

GOALS = ("goal", "what", "measured", "wanted", "met", "detail", "date")
RUNS = ("command", "scene", "seconds", "least to most", "processors' s", "peak MiB", "runs", "date")


def goal_rows(findings: Iterable[Finding]) -> list[tuple[str, ...]]:
    """A row for each finding."""
    met = {None: "", True: "yes", False: "**no**"}
    return [
        (one.goal, one.what, one.measured, one.wanted, met[one.met], one.detail, _today())
        for one in findings
    ]


def run_rows(measurements: Iterable[Measurement]) -> list[tuple[str, ...]]:
    """A row for each command on each scene."""
    return [
        (
            one.contestant.name,
            one.contestant.scene.label,
            f"{one.wall:.2f}",
            f"{min(run.wall for run in one.runs):.2f} to {max(run.wall for run in one.runs):.2f}",
            f"{one.cpu:.2f}",
            f"{one.peak / 2**20:.0f}",
            str(len(one.runs)),
            _today(),
        )
        for one in measurements
    ]


def fill(
    page: Path,
    about: Sequence[str],
    findings: Sequence[Finding],
    measurements: Sequence[Measurement],
    order: Sequence[str],
) -> None:
    """Write what was measured between the marks of ``page``.

    Parameters
    ----------
    page : Path
        Has marks ``<!-- NAME -->`` and ``<!-- /NAME -->`` for ``machine``, ``goals`` and ``runs``.
    about : sequence of str
    findings, measurements
        Rows of goals that were measured now replace all earlier rows of theirs.
    order : sequence of str
        Of the goals.

    Raises
    ------
    ValueError
        A mark is missing.
    """
    text = page.read_text(encoding="utf-8")
    goals, runs = goal_rows(findings), run_rows(measurements)
    kept = _others(_rows(text, "goals"), {row[0] for row in goals}, width=1)
    table = sorted([*kept, *goals], key=lambda row: order.index(row[0]))
    text = between(text, "goals", markdown(GOALS, table))
    kept = _others(_rows(text, "runs"), {" ".join(row[:2]) for row in runs}, width=2)
    text = between(text, "runs", markdown(RUNS, sorted([*kept, *runs])))
    page.write_text(between(text, "machine", "\n".join(about)), encoding="utf-8")


def _today() -> str:
    return date.today().isoformat()


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _mark(text: str, name: str) -> re.Match[str]:
    found = re.search(rf"(<!-- {name} -->\n)(.*?)(<!-- /{name} -->)", text, flags=re.DOTALL)
    if found is None:
        raise ValueError(f"the page has no marks <!-- {name} --> and <!-- /{name} -->.")
    return found


def _rows(text: str, name: str) -> list[tuple[str, ...]]:
    lines = [line for line in _mark(text, name)[2].splitlines() if line.startswith("| ")]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines[2:]]


def _others(
    rows: Iterable[tuple[str, ...]], measured: Collection[str], width: int
) -> list[tuple[str, ...]]:
    return [row for row in rows if " ".join(row[:width]) not in measured]


def between(text: str, name: str, content: str) -> str:
    """``text`` with other words between the marks of that name."""
    found = _mark(text, name)
    return f"{text[: found.start()]}{found[1]}{content}\n{found[3]}{text[found.end() :]}"
