"""K-means of scikit-learn: sklearn_kmeans.py sample|all SCENE MAP."""

import sys

from sklearn.cluster import KMeans
from strips import CLASSES, PASSES, Scene


def main(learn_from: str, scene_path: str, out: str) -> None:
    scene = Scene(scene_path)
    if learn_from == "sample":
        model = KMeans(CLASSES, n_init=1, max_iter=PASSES, random_state=0).fit(scene.sample())
        scene.label(out, model.predict)
        return
    valid, pixels = scene.everything()
    # Tolerance 0: all passes are run, as by those that it is compared with.
    model = KMeans(CLASSES, n_init=1, max_iter=PASSES, tol=0, random_state=0).fit(pixels)
    print(f"passes: {model.n_iter_}")
    scene.write(out, valid, model.labels_)


main(*sys.argv[1:])
