"""Accuracies on polygons that were held out, by rsclass and by scikit-learn; prints JSON.

    python -m benchmarks.holdout SCENE POLYGONS

The polygons of each class are dealt to two halves in turn; each half is predicted from the other,
so that every pixel of a polygon is judged once, by a classifier that saw none of its neighbors.
Both learn from the same pixels: those whose center lies in a polygon.
"""

from __future__ import annotations

import json
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.features import rasterize
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier

import rsclass

METHODS = ("maxlike", "rf", "hybrid")


class Case:
    """A scene, its polygons, and the two halves that they are dealt to."""

    def __init__(self, scene: str, polygons: str) -> None:
        self.scene = scene
        with rasterio.open(scene) as source:
            self.values = source.read()
            self.valid = (source.read_masks() > 0).all(axis=0)
            self.crs, transform = source.crs, source.transform
        if np.issubdtype(self.values.dtype, np.floating):
            self.valid &= np.isfinite(self.values).all(axis=0)
        frame = geopandas.read_file(polygons).to_crs(self.crs)
        turn = frame.groupby("name").cumcount()
        # A class of one polygon cannot be held out.
        self.frame = frame[frame["name"].map(frame["name"].value_counts()) > 1]
        self.half = (turn % 2).loc[self.frame.index].to_numpy()
        self.names = sorted(self.frame["name"].unique())
        shapes = ((shape, i + 1) for i, shape in enumerate(self.frame.geometry))
        self.polygon = rasterize(shapes, out_shape=self.valid.shape, transform=transform)

    def inside(self, half: int) -> NDArray[Any]:
        """Valid pixels (rows, cols) of the polygons of ``half``."""
        members = np.flatnonzero(self.half == half) + 1
        here: NDArray[Any] = np.isin(self.polygon, members) & self.valid
        return here

    def codes(self, here: NDArray[Any]) -> NDArray[Any]:
        """Class, from 0, of each of the pixels ``here``."""
        of_polygon: NDArray[Any] = self.frame["name"].map(self.names.index).to_numpy()
        codes: NDArray[Any] = of_polygon[self.polygon[here] - 1]
        return codes

    def accuracy(self, predict: Callable[[int], NDArray[Any]]) -> float:
        """Share of right pixels; ``predict`` gets the half to predict and learns from the other."""
        right = [predict(half) == self.codes(self.inside(half)) for half in (0, 1)]
        return float(np.concatenate(right).mean())

    def by_rsclass(self, method: str, folder: Path) -> Callable[[int], NDArray[Any]]:
        """Predictions of a map that was learned from the other half's polygons."""

        def predict(half: int) -> NDArray[Any]:
            drawn = folder / f"half{1 - half}.gpkg"
            self.frame[self.half != half].to_file(drawn)
            result = rsclass.classify(
                self.scene,
                folder / "map.tif",
                method=method,
                training=rsclass.Training(drawn, "name"),
                writing=rsclass.Writing(overwrite=True),
            )
            table = np.full(int(max(entry.value for entry in result.legend)) + 1, -1)
            for entry in result.legend:
                table[entry.value] = self.names.index(entry.name)
            codes: NDArray[Any] = table[result.read()[self.inside(half)]]
            return codes

        return predict

    def by_sklearn(self, model: Any) -> Callable[[int], NDArray[Any]]:
        """Predictions of ``model``, fitted to the pixels of the other half."""

        def predict(half: int) -> NDArray[Any]:
            known, unknown = self.inside(1 - half), self.inside(half)
            model.fit(self.values[:, known].T, self.codes(known))
            codes: NDArray[Any] = model.predict(self.values[:, unknown].T)
            return codes

        return predict


def _by_sklearn(case: Case, model: Any) -> float | None:
    """None where scikit-learn has no such method, or refuses classes of too few pixels."""
    try:
        return None if model is None else case.accuracy(case.by_sklearn(model))
    except np.linalg.LinAlgError:
        return None


def main(scene: str, polygons: str) -> None:
    case = Case(scene, polygons)
    k = len(case.names)
    theirs = {
        "maxlike": QuadraticDiscriminantAnalysis(priors=np.full(k, 1 / k)),
        "rf": RandomForestClassifier(100, random_state=0),
    }
    found: dict[str, tuple[float, float | None]] = {}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for method in METHODS:
            mine = case.accuracy(case.by_rsclass(method, Path(folder)))
            found[method] = (mine, _by_sklearn(case, theirs.get(method)))
    print(json.dumps({"classes": k, "polygons": len(case.frame), "accuracy": found}))


if __name__ == "__main__":
    main(*sys.argv[1:])
