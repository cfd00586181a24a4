"""Goal 9: what it costs that a map is read back before it appears."""

from __future__ import annotations

import sys
from dataclasses import replace

from benchmarks import ours
from benchmarks.bench import Bench, Comparison
from benchmarks.pairs import Contestant
from benchmarks.workplace import ROOT

LIMIT = 1.15
# The package is found from any folder; its name is given, so that its modules hide no others.
_START = f"import runpy, sys; sys.path.insert(0, {str(ROOT)!r}); "
_START += "runpy.run_module('benchmarks.unverified', run_name='__main__', alter_sys=True)"


def verified_writing(bench: Bench) -> None:
    """The same command with the verified writer and with one that trusts the disk."""
    scene = bench.scene()
    pairs = []
    for made in (ours.kmeans(scene), ours.maxlike(scene)):
        verified, trusting = (_launched(made, how) for how in ("with", "without"))
        pairs.append(Comparison(verified, trusting, LIMIT))
    bench.duels("9", pairs)


def _launched(made: Contestant, how: str) -> Contestant:
    command = (sys.executable, "-c", _START, how, *made.command[len(ours.rsclass()) :])
    return replace(made, name=f"{made.name}, {how} verification", command=command)
