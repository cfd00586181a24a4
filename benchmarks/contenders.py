"""What is compared: plain clustering of pixels and of windows, and methods of rsclass."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from benchmarks.labelled import Labelled
from rsclass.core.arrays import ArrayStream
from rsclass.core.grid import split
from rsclass.core.level import PIXELS, Level
from rsclass.core.types import Band, Sample, Window
from rsclass.engines.base import Engine
from rsclass.engines.catalogue import make_engine, method_names
from rsclass.errors import RsclassWarning

__all__ = ["CONTENDERS", "PLAIN", "Contender", "Features", "available"]

SAMPLE = 20_000
_GAP = 64  # rows without data between two scenes
WIDEST = 12
Labels = NDArray[np.integer]
Labeler = Callable[[Labelled], Labels]


@dataclass(frozen=True)
class Features:
    """What plain clustering is given: bands of mean 0 and variance 1, or 12 components of more.

    Parameters
    ----------
    side : int
        Pixels on a side of the window over which the features are averaged.
    unit : bool
        Spectra are brought to a length of 1 before.
    """

    side: int = 1
    unit: bool = False

    def spectra(self, scene: Labelled) -> NDArray[np.float32]:
        """The valid pixels (pixels, bands)."""
        table = scene.values[:, scene.valid].T
        if self.unit:
            length = np.linalg.norm(table, axis=1, keepdims=True)
            table = table / np.where(length > 0, length, 1)
        return table

    def learn(self, scenes: Sequence[Labelled]) -> Callable[[Labelled], NDArray[np.float32]]:
        """A map from scenes to features (features, height, width); NaN where nothing was seen."""
        table = np.concatenate([self.spectra(scene) for scene in scenes])
        mean, deviation = table.mean(axis=0), table.std(axis=0)
        factor = 1 / np.where(deviation > 0, deviation, np.inf)
        axes = np.eye(len(mean), dtype=np.float32)
        if len(mean) > WIDEST:
            _, vectors = np.linalg.eigh(np.cov((table - mean) * factor, rowvar=False))
            axes = vectors[:, ::-1][:, :WIDEST].astype(np.float32)

        def features(scene: Labelled) -> NDArray[np.float32]:
            image = np.full((axes.shape[1], *scene.truth.shape), np.nan, dtype=np.float32)
            image[:, scene.valid] = (((self.spectra(scene) - mean) * factor) @ axes).T
            return mean_of_windows(image, self.side)

        return features


def mean_of_windows(image: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Means over the valid pixels of windows around the valid pixels."""
    if side == 1:
        return image
    valid = np.isfinite(image[0])
    share = uniform_filter(valid.astype(np.float64), side, mode="constant")
    means = np.full_like(image, np.nan)
    for mean, band in zip(means, image, strict=True):
        total = uniform_filter(np.where(valid, band, 0).astype(np.float64), side, mode="constant")
        mean[valid] = (total[valid] / share[valid]).astype(np.float32)
    return means


@dataclass(frozen=True)
class Contender:
    """A way to find classes.

    Parameters
    ----------
    name : str
    method : str
        Of rsclass; or ``mixture``: scikit-learn's Gaussian mixture.
    features : Features or None
        None: the method is given the bands as they are.
    values : dict
        Parameters that are not the usual ones.
    level : bool
        Scenes are brought to the level of the first one that was learned from.
    """

    name: str
    method: str
    features: Features | None = None
    values: dict[str, Any] = field(default_factory=dict)
    level: bool = False

    @property
    def plain(self) -> bool:
        """Whether it is one of those that any toolbox has."""
        return self.features is not None or self.method == "kmeans"

    def learn(self, scenes: Sequence[Labelled], k: int, seed: int) -> Labeler:
        """Find ``k`` classes in some scenes; returns what labels a scene (-1: no class, or not
        needed to score it)."""
        if self.features is None:
            return self._engine(scenes, k, seed)
        features = self.features.learn(scenes)
        tables = [image[:, np.isfinite(image[0])].T for image in map(features, scenes)]
        table = np.concatenate(tables)
        rng = np.random.default_rng(seed)
        drawn = table[rng.choice(len(table), min(SAMPLE, len(table)), replace=False)]
        predict = _mixture(drawn, k, seed) if self.method == "mixture" else None
        if predict is None:
            values = {"n_classes": k, "random_state": seed, "scale": "none", **self.values}
            predict = make_engine(self.method, values).fit(drawn).predict

        def label(scene: Labelled) -> Labels:
            image = features(scene)
            valid = np.isfinite(image[0])
            labels = np.full(valid.shape, -1, dtype=np.int32)
            labels[valid] = predict(np.ascontiguousarray(image[:, valid].T))
            return labels

        return label

    def _engine(self, scenes: Sequence[Labelled], k: int, seed: int) -> Labeler:
        engine = make_engine(self.method, {"n_classes": k, "random_state": seed, **self.values})
        level = Level.of(_sample(scenes[0]))
        learned = [scenes[0], *(_leveled(scene, level) for scene in scenes[1:])]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RsclassWarning)
            engine.fit(_side_by_side(learned) if len(learned) > 1 else scenes[0].values)

        def label(scene: Labelled) -> Labels:
            if self.level:
                scene = _leveled(scene, level)
            return _labels_near_truth(engine, scene)

        return label


def _labels_near_truth(engine: Engine, scene: Labelled) -> Labels:
    """Labels of the squares in which some land cover is known; -1 elsewhere.

    A label does not depend on the squares in which a scene is labelled.
    """
    stream = ArrayStream(scene.values)
    whole = Window(0, 0, stream.height, stream.width)
    labels = np.full(scene.truth.shape, -1, dtype=np.int32)
    engine.meet(stream)
    for core in split(whole, 128):
        place = core.inside(whole)
        if (scene.truth[place] > 0).any():
            around = stream.read(core.grow(engine.halo, stream.height, stream.width))
            labels[place] = engine.predict_block(around, core).labels
    return labels


def _sample(scene: Labelled) -> Sample:
    return ArrayStream(scene.values).sample(PIXELS, 0)


def _leveled(scene: Labelled, level: Level) -> Labelled:
    """The scene brought to the level of another, as ``--scale-each`` does."""
    bands = [Band(f"band {i}") for i in range(len(scene.values))]
    moved = Level.of(_sample(scene)).brought_to(level, bands)
    gain = np.array([band.gain for band in moved])[:, None, None]
    offset = np.array([band.offset for band in moved])[:, None, None]
    return replace(scene, values=(scene.values * gain + offset).astype(np.float32))


def _side_by_side(scenes: Sequence[Labelled]) -> NDArray[np.float32]:
    """Scenes one below the other, so far apart that no pixel sees two of them."""
    width = max(scene.truth.shape[1] for scene in scenes)
    rows = []
    for scene in scenes:
        missing = width - scene.truth.shape[1]
        edges = ((0, 0), (0, _GAP), (0, missing))
        rows.append(np.pad(scene.values, edges, constant_values=np.nan))
    return np.concatenate(rows, axis=1)


def _mixture(table: NDArray[np.float32], k: int, seed: int) -> Callable[[Any], Labels]:
    mixture = GaussianMixture(k, random_state=seed, reg_covar=1e-4, max_iter=100)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture.fit(table.astype(np.float64))
    predict: Callable[[Any], Labels] = mixture.predict
    return predict


_VIEWS = {
    "pixels": Features(),
    "3x3 means": Features(3),
    "5x5 means": Features(5),
    "unit-norm spectra": Features(unit=True),
    "5x5 means of unit-norm spectra": Features(5, unit=True),
}
_CLUSTERERS = {
    "k-means": "kmeans",
    "ISODATA": "isodata",
    "fuzzy K-means": "fuzzy",
    "Gaussian mixture": "mixture",
}
PLAIN = tuple(
    Contender(f"{name} on {of}", method, features)
    for name, method in _CLUSTERERS.items()
    for of, features in _VIEWS.items()
)
_OURS = (
    Contender("consensus", "consensus"),
    Contender("consensus-fast", "consensus", values={"form": "single"}),
    Contender("uic", "uic"),
    Contender("uic-paper", "uic", values={"mode": "paper"}),
    Contender("uic on bands", "uic", values={"inputs": "bands"}),
    Contender("k-means at one level", "kmeans", level=True),
    Contender("consensus at one level", "consensus", level=True),
    Contender("uic at one level", "uic", level=True),
)
CONTENDERS = {one.name: one for one in (*PLAIN, *_OURS)}


def available(name: str) -> str | None:
    """Why a contender cannot run here, or None where it can."""
    one = CONTENDERS[name]
    if one.plain or one.method in method_names():
        return None
    return f"rsclass has no method {one.method!r}"
