"""Contestants run in alternation, so that a slower minute of the machine is slower for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.processes import Usage, measured
from benchmarks.workplace import Scene

__all__ = ["Absent", "Contestant", "Measurement", "alternate", "ratio"]


@dataclass(frozen=True)
class Contestant:
    """A command that makes a map.

    Parameters
    ----------
    name : str
        As the tables show it.
    scene : Scene
    command : tuple of str
    made : Path or None
        The map, where one is written.
    classes : int or None
        How many the map must show, none of them in the border; None: the peer decides.
    alike : str
        All contestants of this kind must make the same bytes from one scene; empty: no such rule.
    """

    name: str
    scene: Scene
    command: tuple[str, ...]
    made: Path | None = None
    classes: int | None = None
    alike: str = ""


@dataclass(frozen=True)
class Absent:
    """A contestant that does not run, and why."""

    name: str
    why: str


@dataclass(frozen=True)
class Measurement:
    """All runs of one contestant."""

    contestant: Contestant
    runs: tuple[Usage, ...]

    @property
    def wall(self) -> float:
        """Median of the seconds."""
        return median(run.wall for run in self.runs)

    @property
    def cpu(self) -> float:
        """Median of the processors' seconds."""
        return median(run.cpu for run in self.runs)

    @property
    def peak(self) -> int:
        """Most bytes that any run occupied."""
        return max(run.peak for run in self.runs)


def alternate(
    contestants: Sequence[Contestant],
    rounds: int,
    folder: Path,
    after: Callable[[Contestant], None],
    warm: set[Contestant] | None,
) -> list[Measurement]:
    """Run A, B, ..., A, B, ... and so on, ``rounds`` times.

    Parameters
    ----------
    contestants : sequence of Contestant
    rounds : int
    folder : Path
        Where the commands run.
    after : callable (contestant)
        Looks at what each run made; raises where it is wrong.
    warm : set of Contestant or None
        Those that ran before. The others run once unmeasured, so that caches of files and of
        compiled code are filled, and are added. None: nothing runs unmeasured.
    """
    runs: dict[Contestant, list[Usage]] = {contestant: [] for contestant in contestants}
    for contestant in contestants:
        if warm is not None and contestant not in warm:
            measured(contestant.command, folder)
            after(contestant)
            warm.add(contestant)
    for _ in range(rounds):
        for contestant, found in runs.items():
            found.append(measured(contestant.command, folder))
            after(contestant)
    return [Measurement(contestant, tuple(found)) for contestant, found in runs.items()]


def ratio(ours: Measurement, theirs: Measurement) -> float:
    """Median over the rounds of our seconds by theirs."""
    return median(a.wall / b.wall for a, b in zip(ours.runs, theirs.runs, strict=True))
