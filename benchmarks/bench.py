"""One run of the benchmarks: its scenes, its peers, and all that was found so far."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.inspection import Inspection
from benchmarks.pairs import Absent, Contestant, Measurement, alternate, ratio
from benchmarks.theirs import Peers
from benchmarks.workplace import Scene, Workplace

__all__ = ["Bench", "Comparison", "Finding", "Sizes", "at_most"]


@dataclass(frozen=True)
class Finding:
    """A line of the table of goals.

    Parameters
    ----------
    goal : str
        Number of the goal, or the name of another subject.
    what : str
    measured, wanted : str
        ``wanted`` is empty where no goal was set.
    met : bool or None
        None where there is no goal, or nothing to measure it by.
    detail : str
    """

    goal: str
    what: str
    measured: str
    wanted: str = ""
    met: bool | None = None
    detail: str = ""


@dataclass(frozen=True)
class Comparison:
    """Two contestants, and the ratio of their seconds that is wanted, if any."""

    ours: Contestant
    theirs: Contestant | Absent
    limit: float | None = None


@dataclass(frozen=True)
class Sizes:
    """Which scenes serve: ``main`` for what is compared, ``all`` for what must grow evenly."""

    main: str
    all: tuple[str, ...]


class Bench:
    """What a goal needs to be measured.

    Parameters
    ----------
    workplace : Workplace
    peers : Peers
    rounds : int
        Pairs of each comparison.
    warm_up : bool
        Whether every command runs once unmeasured before.
    sizes : Sizes

    Attributes
    ----------
    findings : list of Finding
    measurements : dict of (contestant's name, scene's label) to Measurement
        The latest of each.
    """

    def __init__(
        self, workplace: Workplace, peers: Peers, rounds: int, sizes: Sizes, warm_up: bool = True
    ) -> None:
        self.workplace, self.peers = workplace, peers
        self.rounds, self.sizes = rounds, sizes
        self.findings: list[Finding] = []
        self.measurements: dict[tuple[str, str], Measurement] = {}
        self._inspection = Inspection()
        self._warm: set[Contestant] | None = set() if warm_up else None

    def scene(self, name: str = "", layout: str = "tiled") -> Scene:
        """The main scene, or another."""
        return self.workplace.scene(name or self.sizes.main, layout)

    def floor(self, scene: Scene) -> Contestant:
        """Read every block and write a ready label array, in a process of its own."""
        out = scene.out("floor")
        script = Path(__file__).with_name("floor.py")
        command = (sys.executable, str(script), str(scene.path), str(out))
        return Contestant("floor", scene, command)

    def measure(self, contestants: Sequence[Contestant], rounds: int = 0) -> list[Measurement]:
        """Run them in alternation."""
        found = alternate(
            list(dict.fromkeys(contestants)),
            rounds or self.rounds,
            self.workplace.folder,
            self._inspection.look,
            self._warm,
        )
        for one in found:
            self.measurements[one.contestant.name, one.contestant.scene.label] = one
        return found

    def race(self, goal: str, comparisons: Sequence[Comparison]) -> None:
        """Run all contestants of ``comparisons`` in alternation and note every ratio."""
        runners = [c for pair in comparisons for c in (pair.ours, pair.theirs)]
        there = [runner for runner in runners if isinstance(runner, Contestant)]
        found = {one.contestant: one for one in self.measure(there)}
        for pair in comparisons:
            if isinstance(pair.theirs, Contestant):
                self.note(_compared(goal, pair.limit, found[pair.ours], found[pair.theirs]))
            else:
                self.note(_missing(goal, pair, pair.theirs))

    def duels(self, goal: str, comparisons: Sequence[Comparison]) -> None:
        """Like :meth:`race`, but every comparison has its own pairs: ours, theirs, ours, ..."""
        for pair in comparisons:
            if isinstance(pair.theirs, Contestant):
                self.race(goal, [pair])
            else:
                self.note(_missing(goal, pair, pair.theirs))

    def note(self, finding: Finding) -> None:
        """Keep a finding and print it."""
        self.findings.append(finding)
        verdict = {None: "", True: "  met", False: "  NOT MET"}[finding.met]
        wanted = f" (wanted {finding.wanted})" if finding.wanted else ""
        print(f"[{finding.goal}] {finding.what}: {finding.measured}{wanted}{verdict}", flush=True)
        if finding.detail:
            print(f"      {finding.detail}", flush=True)


def at_most(limit: float | None, unit: str = "") -> str:
    """A limit as the tables show it."""
    return "" if limit is None else f"≤ {limit:g}{unit}"


def cost(one: Measurement) -> str:
    """Seconds, processors' seconds and peak memory in words."""
    return f"{one.wall:.2f} s ({one.cpu:.2f} s of processors, {one.peak / 2**20:.0f} MiB)"


def _compared(goal: str, limit: float | None, ours: Measurement, theirs: Measurement) -> Finding:
    found = ratio(ours, theirs)
    return Finding(
        goal,
        f"{ours.contestant.name} / {theirs.contestant.name}, {ours.contestant.scene.label}",
        f"{found:.2f}",
        at_most(limit),
        None if limit is None else found <= limit,
        f"{cost(ours)} against {cost(theirs)}",
    )


def _missing(goal: str, pair: Comparison, theirs: Absent) -> Finding:
    what = f"{pair.ours.name} / {theirs.name}, {pair.ours.scene.label}"
    return Finding(goal, what, theirs.why, at_most(pair.limit))
