"""Beyond the goals: threads, sizes, layouts, and the time until anything happens."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial

from benchmarks import ours
from benchmarks.bench import Bench, Comparison, Finding
from benchmarks.pairs import Contestant
from benchmarks.workplace import Scene

Maker = Callable[..., Contestant]
MAKERS: tuple[Maker, ...] = (ours.kmeans, partial(ours.exact, "kmeans"), ours.maxlike)


def threads(bench: Bench) -> None:
    """The same work by 2, 4 and 8 threads and by one, as far as there are cores."""
    scene, cores = bench.scene(), len(os.sched_getaffinity(0))
    for make in MAKERS:
        one = make(scene, "-j", "1", note="1 thread")
        more = [make(scene, "-j", str(n), note=f"{n} threads") for n in (2, 4, 8) if n <= cores]
        bench.race("threads", [Comparison(several, one) for several in more])


def sizes(bench: Bench) -> None:
    """Seconds for each further million pixels, from scene to scene."""
    scenes = [bench.scene(name) for name in bench.sizes.all]
    for make in MAKERS:
        found = bench.measure([make(scene) for scene in scenes])
        steps = [
            f"{_marginal(a.wall, b.wall, small, large):.1f} ms ({small.label} to {large.label})"
            for a, b, small, large in zip(found, found[1:], scenes, scenes[1:], strict=False)
        ]
        seconds = ", ".join(f"{one.contestant.scene.label} {one.wall:.2f} s" for one in found)
        what = f"{found[0].contestant.name}: for each further million pixels"
        bench.note(Finding("sizes", what, ", ".join(steps) or "one size only", detail=seconds))


def _marginal(before: float, after: float, small: Scene, large: Scene) -> float:
    return 1000 * (after - before) / ((large.pixels - small.pixels) / 1e6)


def layouts(bench: Bench) -> None:
    """Uncompressed and striped scenes against the floor of the same layout."""
    for layout in ("raw", "striped"):
        scene = bench.scene(layout=layout)
        floor = bench.floor(scene)
        bench.race("layouts", [Comparison(make(scene), floor) for make in MAKERS])


def start_up(bench: Bench) -> None:
    """Help, and the import of the library."""
    scene = bench.scene("S")
    bare = Contestant("python that does nothing", scene, (sys.executable, "-c", "pass"))
    helped = Contestant("rsclass --help", scene, (*ours.rsclass(), "--help"))
    imported = Contestant("import rsclass", scene, (sys.executable, "-c", "import rsclass"))
    for one in bench.measure([bare, helped, imported]):
        what = f"{one.contestant.name}: seconds from start to end"
        bench.note(
            Finding("start", what, f"{one.wall:.2f} s", detail=f"{one.peak / 2**20:.0f} MiB")
        )
