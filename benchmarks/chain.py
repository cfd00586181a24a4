"""The chain of commands from training polygons to a judged map, on real scenes.

    python -m benchmarks.chain FOLDER [--method maxlike|rf|hybrid|...]

FOLDER holds scenes, each a folder with ``image.tif``, ``training_polygons.gpkg`` with the column
``name``, and ``classes.csv`` with the columns ``code`` and ``name``. Of each class, every other
polygon teaches and the rest judge. The commands are printed with their time, then a table of the
accuracies of the plain and of the tidied map; for accuracies beside scikit-learn's see
``benchmarks.supervised``. Ends with 1 where a command fails, and with 2 where FOLDER has no scene.
"""

from __future__ import annotations

import argparse
import csv
import json
import shlex
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import geopandas

RSCLASS = Path(sys.executable).with_name("rsclass")
COLORS = ("#2962b8", "#408a36", "#c43c39", "#edcd54", "#a67447", "#d8cdbe", "#7a5195", "#0f9b8e")


@dataclass(frozen=True)
class Judged:
    """What was found on a scene."""

    scene: str
    classes: int
    teaching: int
    judging: int
    plain: float
    tidied: float


def split(polygons: Path, folder: Path) -> tuple[int, int, int]:
    """Write every other polygon of each class to ``teach.gpkg``, the rest to ``judge.gpkg``.

    Told are the classes, and the polygons of either file.
    """
    frame = geopandas.read_file(polygons)
    judging = frame.groupby("name").cumcount() % 2 == 1
    frame[~judging].to_file(folder / "teach.gpkg")
    frame[judging].to_file(folder / "judge.gpkg")
    return frame["name"].nunique(), int((~judging).sum()), int(judging.sum())


def write_schema(classes: Path, out: Path) -> None:
    """Write the classes of a scene as a schema."""
    with classes.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    with out.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(("code", "name", "color"))
        for i, row in enumerate(rows):
            writer.writerow((row["code"], row["name"], COLORS[i % len(COLORS)]))


def told(folder: Path, *arguments: str) -> dict[str, object]:
    """Run a command of rsclass in ``folder``, print it with its time, and read its result."""
    started = time.perf_counter()
    done = subprocess.run(
        [RSCLASS, *arguments, "--json", "--quiet"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    print(f"{time.perf_counter() - started:6.1f} s  rsclass {shlex.join(arguments)}", flush=True)
    if done.returncode:
        raise SystemExit(f"exit code {done.returncode}: {done.stderr}")
    found: dict[str, object] = json.loads(done.stdout)
    return found


def chain(scene: Path, folder: Path, method: str) -> Judged:
    """Train, predict, name, tidy and judge in ``folder``."""
    classes, teaching, judging = split(scene / "training_polygons.gpkg", folder)
    write_schema(scene / "classes.csv", folder / "schema.csv")
    image = str(scene / "image.tif")
    samples = ("--training", "teach.gpkg", "--field", "name")
    told(folder, "training", image, "teach.gpkg", "--field", "name")
    told(folder, "train", image, "-m", method, *samples, "-o", "model.safetensors")
    told(folder, "predict", "model.safetensors", image, "-o", "learned.tif")
    told(folder, "merge", "learned.tif", "--schema", "schema.csv", "-o", "plain.tif")
    told(folder, "tidy", "plain.tif", "--majority", "3", "-o", "tidied.tif")
    told(folder, "separate", "learned.tif", "--scene", image)
    accuracy = [
        told(folder, "assess", name, "--reference", "judge.gpkg", "--field", "name")["overall"]
        for name in ("plain.tif", "tidied.tif")
    ]
    plain, tidied = (one["value"] if isinstance(one, dict) else one for one in accuracy)
    return Judged(scene.name, classes, teaching, judging, float(plain), float(tidied))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="real scenes")
    parser.add_argument("--method", default="hybrid", help="of training (%(default)s)")
    given = parser.parse_args()
    scenes = [path.parent for path in sorted(given.folder.glob("*/training_polygons.gpkg"))]
    if not scenes:
        print(
            f"{given.folder} holds no scene with training_polygons.gpkg; nothing to run on.",
            file=sys.stderr,
        )
        return 2
    found = []
    for scene in scenes:
        with tempfile.TemporaryDirectory(prefix="rsclass-chain-") as folder:
            print(f"\n{scene.name}")
            found.append(chain(scene.resolve(), Path(folder), given.method))
    print(f"\n| scene | classes | polygons to learn, to judge | {given.method} | tidied |")
    print("|---|---|---|---|---|")
    for one in found:
        counts = f"{one.classes} | {one.teaching}, {one.judging}"
        print(f"| {one.scene} | {counts} | {one.plain:.3f} | {one.tidied:.3f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
