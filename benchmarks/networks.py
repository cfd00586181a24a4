"""Goal 7: how fast a trained network labels."""

from __future__ import annotations

import json
import os
from pathlib import Path

from benchmarks import ours
from benchmarks.bench import Bench, Finding
from benchmarks.pairs import Contestant
from benchmarks.processes import output_of
from benchmarks.workplace import Scene, helper

SPEED, ADVANTAGE = 3.5, 100.0
SIDE = 2048  # pixels of the part of the scene that is labelled in memory
THREADS = 2
_SHORT = ("epochs=2", "warmup=1", "tiles=16", "training_pixels=100000")


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
