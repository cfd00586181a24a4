"""Maximum likelihood by scikit-learn: sklearn_qda.py SCENE SAMPLES.npz MAP."""

import sys

import numpy as np
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from strips import Scene


def main(scene_path: str, samples: str, out: str) -> None:
    known = np.load(samples)
    classes = len(np.unique(known["y"]))
    model = QuadraticDiscriminantAnalysis(priors=np.full(classes, 1 / classes))
    model.fit(known["X"], known["y"] - 1)
    Scene(scene_path).label(out, model.predict)


main(*sys.argv[1:])
