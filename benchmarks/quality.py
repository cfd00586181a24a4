"""How well classes fit a land cover that is known: python -m benchmarks.quality --work FOLDER.

Every method clusters all pixels of every scene and knows nothing of their land cover; the labelled
pixels are scored. What was measured stays in FOLDER/quality.jsonl: a run can be stopped, resumed,
and made piece by piece.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.contenders import CONTENDERS, available
from benchmarks.labelled import FURTHER, STUDY, SYNTHETIC, TASKS, Case, absence, cases
from benchmarks.quality_page import fill
from benchmarks.records import Key, Records, code_version
from benchmarks.scores import scores

EVERY = (*STUDY, *FURTHER)
FACTORS = (1, 2, 4)  # classes that are asked for, by those that are known


@dataclass(frozen=True)
class Job:
    """All that one contender does on one case."""

    case: Case
    method: str
    runs: tuple[Key, ...]


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality", description=(__doc__ or "").splitlines()[0]
    )
    add = parser.add_argument
    add("--work", type=Path, required=True, help="folder that keeps what was measured")
    add("--scenes", default=",".join(EVERY), help="comma-separated (%(default)s)")
    add("--methods", default=",".join(CONTENDERS), metavar="METHODS", help="comma-separated (all)")
    add("--tasks", default="single", help=f"comma-separated, of {', '.join(TASKS)}; %(default)s")
    add("--seeds", type=int, default=5, help="runs of each (%(default)s)")
    add("--factors", default="1,2,4", help="classes asked for, by those known (%(default)s)")
    add("--jobs", type=int, default=1, help="processes (%(default)s)")
    add("--any-version", action="store_true", help="take what other versions of the code gave")
    add("--no-runs", action="store_true", help="measure nothing, show what there is")
    add("--docs", type=Path, help="page whose marks are filled in, as docs/uic.md")
    given = parser.parse_args(words)
    given.scenes = tuple(given.scenes.split(","))
    given.tasks = tuple(given.tasks.split(","))
    given.factors = tuple(int(one) for one in given.factors.split(","))
    given.methods = tuple(given.methods.split(","))
    known = {"scene": (*EVERY, SYNTHETIC), "task": tuple(TASKS), "method": tuple(CONTENDERS)}
    for kind, names in known.items():
        if unknown := set(getattr(given, f"{kind}s")) - set(names):
            parser.error(f"no {kind} is {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    if given.seeds < 1 or given.jobs < 1:
        parser.error("--seeds and --jobs must be 1 or more")
    return given


def jobs(given: argparse.Namespace, records: Records) -> Iterator[Job]:
    """What is not measured yet."""
    methods = [name for name in given.methods if available(name) is None]
    for task in given.tasks:
        for case in cases(task, given.scenes):
            for method in methods:
                keys = (
                    Key(task, case.title, method, factor, seed, code_version())
                    for factor in (given.factors if task == "single" else (1,))
                    for seed in range(given.seeds)
                )
                missing = tuple(key for key in keys if records.find(key) is None)
                if missing:
                    yield Job(case, method, missing)


def measure(job: Job) -> list[tuple[Key, dict[str, Any]]]:
    """The scores of a job, and the seconds that learning and labelling took."""
    found = []
    learned, scored = job.case.images()
    for key in job.runs:
        started = time.perf_counter()
        label = CONTENDERS[job.method].learn(learned, key.k * scored.classes, key.seed)
        labels = label(scored)
        seconds = time.perf_counter() - started
        result = scores(labels, scored.truth)
        found.append((key, result.fields() | {"seconds": round(seconds, 2)}))
    return found


def run(given: argparse.Namespace, records: Records) -> None:
    """Measure what is missing, telling of each job."""
    with ExitStack() as stack:
        spread: Callable[..., Iterator[list[tuple[Key, dict[str, Any]]]]] = map
        if given.jobs > 1:
            spread = stack.enter_context(ProcessPoolExecutor(given.jobs)).map
        for found in spread(measure, jobs(given, records)):
            for key, one in found:
                records.add(key, one)
            mean = sum(one["q"] for _, one in found) / len(found)
            took = sum(one["seconds"] for _, one in found)
            about = " ".join((found[0][0].task, found[0][0].scene, found[0][0].method))
            print(f"{about}: q {mean:.3f}, {len(found)} runs, {took:.1f} s", flush=True)


def main(words: Sequence[str] | None = None) -> int:
    given = arguments(words)
    given.work.mkdir(parents=True, exist_ok=True)
    records = Records(given.work / "quality.jsonl", given.any_version)
    for name in given.scenes:
        if why := absence(name):
            print(f"{name} is left out: {why}.", flush=True)
    for name in given.methods:
        if why := available(name):
            print(f"{name} is left out: {why}.", flush=True)
    if not given.no_runs:
        run(given, records)
    if given.docs is not None:
        fill(given.docs, records, code_version())
        print(f"The tables stand in {given.docs}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
