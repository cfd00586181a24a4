"""Whether the supervised methods agree with others that learn from the same training data.

    python -m benchmarks.supervised [--scene S|M|L] [--real FOLDER] [--work DIR] [--peers-python PY]

On a simulated scene: ``maxlike`` against GRASS i.maxlik, Orfeo ToolBox's bayes and scikit-learn's
quadratic discriminant analysis, pixel by pixel. With ``--real``, a folder of scenes that have
``image.tif`` and ``training_polygons.gpkg`` with the column ``name``: accuracies of maxlike, rf and
hybrid beside scikit-learn's, learned from half of the polygons and judged by the other, in turn.
Ends with 1 where a map agrees with another on 99.5 % of the pixels or less.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

from benchmarks import ours
from benchmarks.pairs import Absent
from benchmarks.processes import CommandError, measured
from benchmarks.theirs import Peers
from benchmarks.workplace import SIZES, Scene, Workplace, helper

LEAST = 0.995
CONTRAST = 0.05  # agreement on pixels that could not be mistaken would prove little
WORKS = ("GRASS i.gensig + i.maxlik", "Orfeo ToolBox bayes", "scikit-learn QDA")


def agreements(peers: Peers, scene: Scene) -> bool:
    """Print the share of pixels on which each peer's map shows rsclass's class; whether all do."""
    usual = ours.maxlike(scene)
    measured(usual.command, scene.folder)
    enough = True
    right = _same(usual.made, scene.truth, scene.truth)
    print(f"rsclass maximum likelihood is right at {right:.3%} of the pixels.\n")
    print("| maximum likelihood | same class as rsclass |\n|---|---|")
    for work in WORKS:
        peer = peers.contestant(work, scene)
        if isinstance(peer, Absent):
            print(f"| {work} | {peer.why} |")
            continue
        measured(peer.command, scene.folder)
        share = _same(usual.made, peer.made, scene.truth)
        enough &= share > LEAST
        print(f"| {work} | {share:.5%} |", flush=True)
    return enough


def _same(one: Path | None, other: Path | None, truth: Path) -> float:
    return float(helper("agreement", one, other, truth))


def accuracies(folder: Path) -> None:
    """Print the accuracies on every real scene of ``folder``."""
    print("\n| scene | classes | polygons | method | rsclass | scikit-learn |")
    print("|---|---|---|---|---|---|")
    for polygons in sorted(folder.glob("*/training_polygons.gpkg")):
        found = json.loads(helper("holdout", polygons.with_name("image.tif"), polygons))
        for method, (mine, theirs) in found["accuracy"].items():
            beside = "" if theirs is None else f"{theirs:.4f}"
            scene = f"{polygons.parent.name} | {found['classes']} | {found['polygons']}"
            print(f"| {scene} | {method} | {mine:.4f} | {beside} |", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scene", choices=SIZES, default="S")
    parser.add_argument("--real", type=Path, help="folder of real scenes")
    parser.add_argument("--work", type=Path, help="folder that keeps the scenes")
    parser.add_argument("--peers-python", default=sys.executable)
    given = parser.parse_args()
    temporary = tempfile.TemporaryDirectory(prefix="rsclass-benchmarks-")
    try:
        with nullcontext(given.work) if given.work else temporary as folder:
            scene = Workplace(Path(folder), SIZES, CONTRAST).scene(given.scene)
            enough = agreements(Peers(given.peers_python), scene)
        if given.real is not None:
            accuracies(given.real)
    except CommandError as error:
        print(error, file=sys.stderr)
        return 1
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main())
