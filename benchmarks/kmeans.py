"""Goal 8: how good the classes of k-means are."""

from __future__ import annotations

import json

from benchmarks import ours
from benchmarks.bench import Bench, Finding, at_most
from benchmarks.workplace import helper

PIXELS = 500_000
LIMIT = 1.005


def inertia(bench: Bench) -> None:
    """Inertia against the best of ten starts of scikit-learn, with its 300 passes for each."""
    scene = bench.scene()
    patient = ours.classify(
        scene, "kmeans", "k-means, sample, 100 passes at most", ("-k", str(ours.CLASSES))
    )
    for made in (ours.kmeans(scene), ours.exact("kmeans", scene), patient):
        bench.measure([made], rounds=1)
        found = json.loads(helper("inertia", scene.path, made.made, PIXELS))
        best, worst = min(found["scikit-learn"]), max(found["scikit-learn"])
        share = found["rsclass"] / best
        bench.note(
            Finding(
                "8",
                f"inertia of {made.name} / best of {len(found['scikit-learn'])} starts of "
                f"scikit-learn, {scene.label}",
                f"{share:.4f}",
                at_most(LIMIT),
                share <= LIMIT,
                f"on the same {found['pixels']:,} pixels; its worst start: {worst / best:.4f}",
            )
        )
