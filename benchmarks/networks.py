"""Goal 7: how fast a network learns and labels.

    python -m benchmarks.networks [--quick] [--work FOLDER]

prints the table of this goal alone.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import rasterio

from benchmarks import ours
from benchmarks.bench import Bench, Finding, Sizes
from benchmarks.pairs import Contestant
from benchmarks.processes import measured, output_of
from benchmarks.theirs import Peers
from benchmarks.workplace import SIZES, TINY, Scene, Workplace, helper

SPEED, ADVANTAGE = 3.5, 100.0
SIDE = 2048  # pixels of the part of the scene that is labelled in memory
THREADS = 2
LIMITS = {"1000 x 1000 x 10": 180.0, "5000 x 5000 x 6": 360.0}
"""Seconds of training and labelling on two cores."""

_SHORT = ("epochs=2", "warmup=1", "tiles=16", "training_pixels=100000", "inputs=bands")


def _trained(scene: Scene, field: int) -> Path:
    """A network that sees ``field`` pixels across; trained briefly, which changes no speed."""
    model = scene.folder / "maps" / f"{scene.name}-uic{field}.safetensors"
    command = [*ours.rsclass(), "train", str(scene.path), "-m", "uic", "-k", str(ours.CLASSES)]
    for setting in (*_SHORT, f"receptive_field={field}"):
        command += ["--set", setting]
    output_of([*command, "-o", str(model), "--overwrite"], scene.folder)
    return model


def inference(bench: Bench) -> None:
    """Labelling in memory, the loop over patches, and the whole command ``rsclass predict``."""
    scene, threads = bench.scene(), min(THREADS, len(os.sched_getaffinity(0)))
    learned_from = bench.scene("S")
    models = {field: _trained(learned_from, field) for field in (7, 9)}
    for field, model in models.items():
        found = json.loads(helper("patches", model, scene.path, threads, SIDE))
        _note_speed(bench, field, found, threads, scene)
    out = scene.out("rsclass predict")
    command = (*ours.rsclass(), "predict", str(models[7]), str(scene.path), "-o", str(out))
    predict = Contestant("rsclass predict, uic", scene, (*command, "--overwrite"), out)
    (whole,) = bench.measure([predict], rounds=min(bench.rounds, 2))
    speed = scene.pixels / 1e6 / whole.wall
    what = f"rsclass predict, uic of 7 x 7 pixels, whole process, {scene.label}"
    detail = f"{whole.wall:.1f} s, {whole.peak / 2**20:.0f} MiB"
    bench.note(Finding("7", what, f"{speed:.2f} Mpixel/s", detail=detail))


def whole(bench: Bench) -> None:
    """Training and labelling as one command, with all defaults."""
    folder = bench.scene("S").folder
    large = bench.scene("M")
    _note_whole(bench, _sentinel(folder, min(1000, large.size)), folder)
    _note_whole(bench, large.path, folder)


def _sentinel(folder: Path, side: int) -> Path:
    """A simulated scene of ten bands."""
    path = folder / f"sentinel2-{side}.tif"
    if not path.exists():
        from rsclass.datasets import simulate

        simulate("sentinel2", height=side, width=side, seed=1).write(folder, path.stem)
    return path


def _note_whole(bench: Bench, scene: Path, folder: Path) -> None:
    with rasterio.open(scene) as source:
        size = f"{source.height} x {source.width} x {source.count}"
    out = folder / "maps" / f"{scene.stem}-uic.tif"
    command = (*ours.rsclass(), "classify", str(scene), "-m", "uic", "-o", str(out))
    run = measured((*command, "-k", str(ours.CLASSES), "--overwrite", "--no-report"), folder)
    limit = LIMITS.get(size)
    bench.note(
        Finding(
            "7",
            f"rsclass classify -m uic: training and labelling, {size}",
            f"{run.wall:.0f} s",
            f"≤ {limit:.0f} s" if limit else "",
            run.wall <= limit if limit else None,
            f"peak memory {run.peak / 2**20:.0f} MiB",
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.networks")
    parser.add_argument("--quick", action="store_true", help="tiny scenes: whether all works")
    parser.add_argument("--work", type=Path, help="folder that keeps the scenes")
    given = parser.parse_args()
    sizes = TINY if given.quick else SIZES
    with tempfile.TemporaryDirectory(prefix="rsclass-benchmarks-") as temporary:
        place = Workplace(given.work or Path(temporary), sizes)
        used, none = Sizes("M", ("S", "M")), Peers(sys.executable, set())
        bench = Bench(place, none, 1, used, not given.quick)
        inference(bench)
        whole(bench)
    print("| what | measured | goal | note |\n|---|---|---|---|")
    for found in bench.findings:
        print(f"| {found.what} | {found.measured} | {found.wanted} | {found.detail} |")


def _note_speed(
    bench: Bench, field: int, found: dict[str, float], threads: int, scene: Scene
) -> None:
    agreement = f"same class at {found['agreement']:.5%} of pixels"
    usual = field == 7
    bench.note(
        Finding(
            "7",
            f"labelling by a network of {field} x {field} pixels, {threads} threads, {scene.label}",
            f"{found['dense']:.2f} Mpixel/s",
            f"≥ {SPEED} Mpixel/s" if usual else "",
            found["dense"] >= SPEED if usual else None,
        )
    )
    ratio = found["dense"] / found["loop"]
    bench.note(
        Finding(
            "7",
            f"the same / a loop over {field} x {field} patches",
            f"{ratio:.0f} times as fast",
            "" if usual else f"≥ {ADVANTAGE:g} times",
            None if usual else ratio >= ADVANTAGE,
            f"the loop: {found['loop']:.3f} Mpixel/s; {agreement}",
        )
    )


if __name__ == "__main__":
    main()
