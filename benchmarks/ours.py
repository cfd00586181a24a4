"""The commands of rsclass that are measured, as a user types them."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.pairs import Contestant
from benchmarks.processes import output_of
from benchmarks.workplace import Scene

CLASSES = 12
PASSES = ("--set", "max_iter=20")
SMALL = ("--max-mem", "350MiB")
TITLES = {
    "kmeans": "k-means",
    "minibatch": "mini-batch k-means",
    "competitive": "competitive k-means",
    "isodata": "ISODATA",
    "fuzzy": "fuzzy k-means",
    "migrating": "migrating means",
    "maxlike": "maximum likelihood",
}
# Every pass is run, on every pixel, whether or not anything still moves.
EXACT = {
    "kmeans": ("--sample", "all", *PASSES, "--set", "tolerance=0"),
    "fuzzy": ("--sample", "all", *PASSES, "--set", "tolerance=0"),
    "isodata": ("--sample", "all", *PASSES, "--set", "change_threshold=0"),
    "migrating": ("--sample", "all", *PASSES, "--set", "unchanged=100"),
}


def rsclass() -> tuple[str, ...]:
    """The installed command, beside the interpreter that runs this."""
    script = Path(sys.executable).with_name("rsclass")
    return (str(script),) if script.exists() else (sys.executable, "-m", "rsclass")


def classify(
    scene: Scene,
    method: str,
    work: str,
    learning: tuple[str, ...],
    machine: tuple[str, ...] = (),
    note: str = "",
    launcher: tuple[str, ...] | None = None,
) -> Contestant:
    """``rsclass classify`` with all that it writes by default.

    Parameters
    ----------
    scene : Scene
    method : str
    work : str
        What is done, as the tables name it.
    learning : tuple of str
        Options that decide the map.
    machine : tuple of str
        Options that may not change it.
    note : str
        What ``machine`` asks for, as the tables name it.
    launcher : tuple of str or None
        Instead of the installed command.
    """
    name = f"rsclass {work}{', ' if note else ''}{note}"
    out = scene.out(name)
    command = [*(launcher or rsclass()), "classify", str(scene.path), "-m", method, *learning]
    command += [*machine, "-o", str(out), "--overwrite"]
    known = method == "maxlike" or ("-k" in learning and method != "isodata")
    return Contestant(name, scene, tuple(command), out, CLASSES if known else None, work)


def kmeans(scene: Scene, *machine: str, note: str = "") -> Contestant:
    """K-means on the default sample."""
    learning = ("-k", str(CLASSES), *PASSES)
    return classify(scene, "kmeans", "k-means, sample", learning, machine, note)


def exact(method: str, scene: Scene, *machine: str, note: str = "") -> Contestant:
    """Twenty passes over every pixel."""
    learning = ("-k", str(CLASSES), *EXACT[method])
    return classify(scene, method, f"{TITLES[method]}, all pixels", learning, machine, note)


def maxlike(scene: Scene, *machine: str, note: str = "") -> Contestant:
    """Maximum likelihood from the training squares."""
    learning = ("--training", str(scene.training(".gpkg")), "--field", "class")
    return classify(scene, "maxlike", TITLES["maxlike"], learning, machine, note)


def trained(scene: Scene, *machine: str, note: str = "") -> Contestant:
    """Maximum likelihood from a model that was trained before, which is not counted."""
    model = scene.folder / f"{scene.name}_maxlike.safetensors"
    features = ("--training", str(scene.training(".gpkg")), "--field", "class")
    command = [*rsclass(), "train", str(scene.path), "-m", "maxlike", *features]
    output_of([*command, "-o", str(model), "--overwrite"], scene.folder)
    name = f"rsclass maximum likelihood, trained before{', ' if note else ''}{note}"
    out = scene.out(name)
    made = (*rsclass(), "predict", str(model), str(scene.path), *machine, "-o", str(out))
    return Contestant(name, scene, (*made, "--overwrite"), out, CLASSES, "predict")
