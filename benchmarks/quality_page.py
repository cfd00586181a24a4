"""The tables of docs/uic.md, from what was measured."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.contenders import CONTENDERS
from benchmarks.labelled import FURTHER, STUDY, TASKS
from benchmarks.machine import LIBRARIES, machine
from benchmarks.records import Records
from benchmarks.scores import t_interval
from benchmarks.tables import between, markdown

__all__ = ["Grid", "fill", "held_out_choice"]

MEASURES = ("pairing", "majority", "nmi", "ari", "q")
Array = NDArray[np.float64]


class Grid:
    """Scores of one task by method, scene, seed and number of classes.

    Parameters
    ----------
    records : Records
    task : str
    scenes : sequence of str or None
        The task's own ones where None.
    """

    def __init__(self, records: Records, task: str, scenes: Sequence[str] | None = None) -> None:
        self._found: dict[tuple[str, int], dict[tuple[str, int], dict[str, Any]]] = {}
        for key, scores in records.all():
            if key.task == task and (scenes is None or key.scene in scenes):
                runs = self._found.setdefault((key.method, key.k), {})
                runs[key.scene, key.seed] = scores
        every = (run for runs in self._found.values() for run in runs)
        present = {scene for scene, _ in every}
        self.scenes = tuple(s for s in scenes or sorted(present) if s in present)

    def methods(self, k: int = 1) -> list[str]:
        """Those with a score on every scene, in the order of the contenders."""
        return [name for name in CONTENDERS if self.seeds(name, k)]

    def seeds(self, method: str, k: int = 1) -> list[int]:
        """Runs that have a score on every scene."""
        runs = self._found.get((method, k), {})
        seeds = sorted({seed for _, seed in runs})
        return [s for s in seeds if all((scene, s) in runs for scene in self.scenes)]

    def cell(self, method: str, scene: str) -> Array:
        """The values of q (seeds,) of a method on a scene, perhaps none."""
        runs = self._found.get((method, 1), {})
        return np.array([runs[at]["q"] for at in sorted(runs) if at[0] == scene])

    def values(self, method: str, measure: str = "q", k: int = 1) -> Array:
        """Scores (scenes, seeds)."""
        runs, seeds = self._found[method, k], self.seeds(method, k)
        return np.array([[runs[scene, s][measure] for s in seeds] for scene in self.scenes])

    def mean(self, method: str) -> float:
        """Of q, over scenes and seeds."""
        return float(self.values(method).mean())


def held_out_choice(grid: Grid, methods: Iterable[str]) -> tuple[Array, list[str]]:
    """For each scene the mean q of the method that is best on all other scenes, and which it is."""
    names = list(methods)
    means = np.array([grid.values(name).mean(axis=1) for name in names])
    others = means.sum(axis=1, keepdims=True) - means
    best = others.argmax(axis=0)
    return means[best, np.arange(len(grid.scenes))], [names[i] for i in best]


def overview(grid: Grid) -> str:
    """One row for each method, of its means over the scenes; rows of the held-out choice below."""
    best = _best_plain(grid)
    head = ("method", "pairing", "majority", "NMI", "ARI", "**q**", "sd over seeds", "seeds")
    head += ("majority, 2C", "majority, 4C", f"q - q of {best}", "scenes won")
    rows = []
    for name in sorted(grid.methods(), key=grid.mean, reverse=True):
        means = [f"{grid.values(name, of).mean():.3f}" for of in MEASURES[:-1]]
        q = grid.values(name)
        spread = q.mean(axis=0).std(ddof=1) if q.shape[1] > 1 else np.nan
        over = [_majority(grid, name, k) for k in (2, 4)]
        ours = not CONTENDERS[name].plain
        bold = f"**{name}**" if ours else name
        versus = _versus(grid, name, best)
        rows.append(
            (bold, *means, f"**{q.mean():.3f}**", _number(spread), f"{q.shape[1]}", *over, *versus)
        )
    for title, chosen in _choices(grid):
        q, which = held_out_choice(grid, chosen)
        blank = [""] * 4
        row = (f"*{title}*", *blank, f"*{q.mean():.3f}*", "", "", "", "", _kinds(which), "")
        rows.append(row)
    return markdown(head, rows)


def by_scene(grid: Grid) -> str:
    """Mean q of every method on every scene, its deviation over the seeds, and their number.

    The last column is the mean over all scenes, where a method ran on all.
    """
    rows = []
    for name in CONTENDERS:
        found = [grid.cell(name, scene) for scene in grid.scenes]
        if not any(map(len, found)):
            continue
        whole = all(map(len, found))
        mean = float(np.mean([one.mean() for one in found])) if whole else np.nan
        cells = [
            f"{one.mean():.3f} ± {_number(_deviation(one))} ({len(one)})" if len(one) else "-"
            for one in found
        ]
        bold = name if CONTENDERS[name].plain else f"**{name}**"
        rows.append((mean, (bold, *cells, f"{mean:.3f}" if whole else "-")))
    rows.sort(key=lambda row: -np.nan_to_num(row[0], nan=-1.0))
    return markdown(("q", *grid.scenes, "mean"), [row for _, row in rows])


def fill(page: Path, records: Records, version_now: str) -> None:
    """Write all tables between the marks of ``page``.

    Raises
    ------
    ValueError
        A mark is missing.
    """
    text = page.read_text(encoding="utf-8")
    study = Grid(records, "single", STUDY)
    tables: dict[str, Callable[[], str]] = {
        "about": lambda: "\n".join(_about(records, study, version_now)),
        "overview": lambda: overview(study),
        "by scene": lambda: by_scene(study),
        "further": lambda: by_scene(Grid(records, "single", FURTHER)),
    }
    for task in TASKS:
        if task != "single":
            tables[task] = partial(by_scene, Grid(records, task))
    for name, made in tables.items():
        text = between(text, name, made())
    page.write_text(text, encoding="utf-8")


def _about(records: Records, grid: Grid, now: str) -> list[str]:
    versions = {key.version for key, _ in records.all()}
    runs = sum(1 for _ in records.all())
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    seeds = max((len(grid.seeds(name)) for name in grid.methods()), default=0)
    return [
        f"- Measured on {date.today().isoformat()}; {runs:,} runs, up to {seeds} seeds, "
        f"on {machine()}.",
        f"- rsclass {version('rsclass')}, sources {', '.join(sorted(versions))} (now {now}); "
        f"Python {platform.python_version()}, {libraries}.",
    ]


def _best_plain(grid: Grid) -> str:
    plain = [name for name in grid.methods() if CONTENDERS[name].plain]
    return max(plain, key=grid.mean, default="")


def _versus(grid: Grid, name: str, best: str) -> tuple[str, str]:
    if not best or name == best:
        return "", ""
    difference = grid.values(name).mean(axis=1) - grid.values(best).mean(axis=1)
    mean, half = t_interval(difference)
    return f"{mean:+.3f} ± {_number(half)}", f"{(difference > 0).sum()} of {len(difference)}"


def _majority(grid: Grid, name: str, k: int) -> str:
    return f"{grid.values(name, 'majority', k).mean():.3f}" if grid.seeds(name, k) else ""


def _choices(grid: Grid) -> list[tuple[str, list[str]]]:
    names = grid.methods()
    plain = [name for name in names if CONTENDERS[name].plain]
    ours = [name for name in names if not CONTENDERS[name].plain]
    titled = (("best plain one on the other scenes", plain), ("best of ours on the others", ours))
    return [(title, chosen) for title, chosen in titled if chosen and len(grid.scenes) > 1]


def _kinds(which: Sequence[str]) -> str:
    counts: Mapping[str, int] = {name: which.count(name) for name in dict.fromkeys(which)}
    return "; ".join(f"{name} ({count})" for name, count in counts.items())


def _deviation(values: Array) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else float("nan")


def _number(value: float) -> str:
    return "?" if np.isnan(value) else f"{value:.3f}"
