"""rsclass and its peers, measured in one run: python -m benchmarks [GOAL ...].

Ends with 1 where a command failed or made something wrong, never because of time.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

from benchmarks.bench import Bench, Sizes
from benchmarks.goals import GOALS
from benchmarks.machine import description
from benchmarks.processes import CommandError
from benchmarks.tables import fill
from benchmarks.theirs import NAMES, Peers
from benchmarks.workplace import ROOT, SIZES, TINY, Workplace


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=(__doc__ or "").splitlines()[0]
    )
    add = parser.add_argument
    add("goals", nargs="*", metavar="GOAL", help=", ".join(GOALS))
    add("--scene", choices=SIZES, help="compare on this one, and go no further (M, growing to L)")
    add("--pairs", type=int, default=5, help="runs of each of two that are compared (%(default)s)")
    add("--quick", action="store_true", help="tiny scenes and one pair: whether all works")
    add("--out", type=Path, help="page to fill in (docs/performance.md; with --quick, none)")
    add("--work", type=Path, help="folder that keeps the scenes (a temporary one)")
    add("--peers-python", default=sys.executable, help="interpreter that has the Python peers")
    add("--peers", help=f"only these, comma-separated: {', '.join(NAMES)}, or none")
    given = parser.parse_args()
    given.goals = list(dict.fromkeys(given.goals)) or list(GOALS)
    if unknown := set(given.goals) - set(GOALS):
        parser.error(f"there is no {', '.join(sorted(unknown))}; choose of {', '.join(GOALS)}")
    given.peers = None if given.peers is None else set(given.peers.split(",")) - {"none", ""}
    if unknown := (given.peers or set()) - set(NAMES):
        parser.error(f"no peer is named {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    if given.pairs < 1:
        parser.error("--pairs must be 1 or more")
    if given.out is None and not given.quick:
        given.out = ROOT / "docs" / "performance.md"
    return given


def main() -> int:
    given = arguments()
    sizes = TINY if given.quick else SIZES
    largest = list(sizes).index(given.scene or "L") + 1
    used = Sizes(given.scene or "M", tuple(sizes)[:largest])
    rounds = 1 if given.quick else given.pairs
    peers = Peers(given.peers_python, given.peers)
    about = description(peers.versions, rounds, sizes)
    print("\n".join(about), flush=True)
    temporary = tempfile.TemporaryDirectory(prefix="rsclass-benchmarks-")
    failed = 0
    with nullcontext(given.work) if given.work else temporary as folder:
        bench = Bench(Workplace(Path(folder), sizes), peers, rounds, used, not given.quick)
        for goal in given.goals:
            try:
                GOALS[goal](bench)
            except CommandError as error:
                failed = 1
                print(f"[{goal}] FAILED: {error}", file=sys.stderr, flush=True)
    if given.out is not None:
        fill(given.out, about, bench.findings, list(bench.measurements.values()), list(GOALS))
        print(f"The tables stand in {given.out}.")
    return failed


if __name__ == "__main__":
    sys.exit(main())
