"""Goal 6: what the processes occupy, on one scene and on a larger one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmarks import ours
from benchmarks.bench import Bench, Finding, at_most
from benchmarks.pairs import Contestant
from benchmarks.processes import CommandError
from benchmarks.workplace import Scene

MIB = 2**20
DEFAULT, SMALL, GROWTH = 2048, 350, 1.15
NO_MEMORY = 6  # exit code of rsclass where a limit of memory is too small for the work
# A few passes over every pixel show as much memory as many.
FEW_PASSES = {
    "kmeans": ("--sample", "all", "--set", "max_iter=3"),
    "minibatch": ("--sample", "all"),
    "competitive": ("--sample", "all"),
    "isodata": ("--sample", "all", "--set", "max_iter=4"),
    "migrating": ("--sample", "all", "--set", "max_iter=3"),
    "fuzzy": ("--sample", "all", "--set", "max_iter=3"),
}


def _few_passes(method: str, scene: Scene) -> Contestant:
    learning = ("-k", str(ours.CLASSES), *FEW_PASSES[method])
    work = f"{ours.TITLES[method]}, all pixels, few passes"
    return ours.classify(scene, method, work, learning, ours.SMALL, "350 MiB")


def _small_kmeans(scene: Scene) -> Contestant:
    return ours.kmeans(scene, *ours.SMALL, note="350 MiB")


def _small_maxlike(scene: Scene) -> Contestant:
    return ours.trained(scene, *ours.SMALL, note="350 MiB")


def peak_memory(bench: Bench) -> None:
    """Peaks by default, and of every classical method under ``--max-mem 350MiB``."""
    scenes = [bench.scene(name) for name in bench.sizes.all[-2:]]
    for scene in scenes:
        for made in (ours.kmeans(scene), ours.exact("kmeans", scene), ours.maxlike(scene)):
            _bounded(bench, made, DEFAULT)
    makers: list[Callable[[Scene], Contestant]] = [partial(_few_passes, m) for m in FEW_PASSES]
    makers += [_small_kmeans, _small_maxlike]
    for make in makers:
        peaks = [peak for scene in scenes if (peak := _bounded(bench, make(scene), SMALL))]
        if len(peaks) < len(scenes):
            continue
        growth = peaks[-1] / peaks[0]
        names = " / ".join(scene.label for scene in reversed(scenes))
        what = f"peak memory of {make(scenes[0]).name}, {names}"
        wanted = at_most(GROWTH)
        bench.note(Finding("6", what, f"{growth:.2f}", wanted, growth <= GROWTH))


def _bounded(bench: Bench, made: Contestant, limit: int) -> float | None:
    """Note and return the peak in MiB, None where so little memory was refused.

    One run, because memory hardly varies between them.
    """
    what = f"peak memory of {made.name}, {made.scene.label}"
    wanted = at_most(limit, " MiB")
    try:
        (found,) = bench.measure([made], rounds=1)
    except CommandError as error:
        if error.code != NO_MEMORY:
            raise
        bench.note(
            Finding("6", what, "refused", wanted, False, str(error).splitlines()[-1].strip())
        )
        return None
    peak = found.peak / MIB
    bench.note(Finding("6", what, f"{peak:.0f} MiB", wanted, peak <= limit, f"{found.wall:.2f} s"))
    return peak
