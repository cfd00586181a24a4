"""K-means of faiss: faiss_kmeans.py sample|all SCENE MAP.

``sample`` is what faiss does unless told otherwise: it learns from 256 pixels for each class.
"""

import sys

import faiss
import numpy as np
from strips import CLASSES, PASSES, Scene


def main(learn_from: str, scene_path: str, out: str) -> None:
    scene = Scene(scene_path)
    if learn_from == "sample":
        model = faiss.Kmeans(scene.source.count, CLASSES, niter=PASSES, seed=0)
        model.train(scene.sample())
    else:
        limit = {"max_points_per_centroid": 10**9}
        model = faiss.Kmeans(scene.source.count, CLASSES, niter=PASSES, seed=0, **limit)
        model.train(scene.everything()[1])

    def classes_of(pixels: np.ndarray) -> np.ndarray:
        return model.index.search(pixels, 1)[1][:, 0]

    scene.label(out, classes_of)


main(*sys.argv[1:])
