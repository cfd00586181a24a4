"""Train on one scene, label another, and keep class numbers when a third is clustered anew.

python examples/neighboring_scene.py [FOLDER]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import rsclass
from rsclass.datasets import simulate


def main(folder: Path) -> None:
    scenes = [
        simulate("sentinel2", height=200, width=200, seed=seed).write(folder, f"scene{seed}")[
            "scene"
        ]
        for seed in (1, 2, 3)
    ]
    trained = rsclass.train(scenes[0], folder / "model.safetensors", method="kmeans", classes=8)

    neighbor = rsclass.load(trained.path).predict(scenes[1], folder / "neighbor.tif")
    print(neighbor.summary())
    print(*neighbor.warnings, sep="\n")

    third = rsclass.classify(
        scenes[2], folder / "third.tif", method="kmeans", classes=8, match_to=trained.path
    )
    same = third.legend.colors == trained.model.legend.colors
    print(f"class 3 is the same class in all three maps: {same}")
    print(third.summary())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp()))
