"""K-means over every pixel of a scene, or over a sample of them."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from rsclass.core.types import PixelStream, Window
from rsclass.engines.base import Parameter
from rsclass.engines.centers import COMMON, CenterPass
from rsclass.engines.starting import StartedEngine


class KMeans(StartedEngine):
    """K-means: each pixel to the nearest center, each center to the mean of its pixels.

    Starts come from greedy k-means++ on a part of the sample; the best of several breathes, which
    leaves poor optima (:mod:`rsclass.core.breathing`); then Lloyd's passes run over the sample or,
    with ``sample=None``, over every pixel of the scene, however large it is. A class that loses
    all its pixels is dropped.

    Parameters
    ----------
    n_classes : int, default=12
        Classes to find, 1 to 65,534.
    scale : {"standard", "robust", "none"}, default="standard"
        Whether bands are brought to a common spread before distances are measured.
    sample : int or None, default=1,000,000
        Pixels to learn from; None: every pixel. A scene with fewer pixels is used whole.
    max_iter : int, default=100
        Passes at most.
    tolerance : float, default=1e-4
        Stop when the squared moves of all centers add up to no more than this share of the mean
        variance of the bands, in engine space.
    restarts : int, default=2
        Starts that are tried.
    init : "k-means++" or array (n_classes, bands)
        An array gives the starting centers in physical units.
    random_state : int, default=0

    Attributes
    ----------
    centers_ : float64 array (classes, bands)
        In physical units.
    inertia_ : float
        Sum of squared distances to the own center at the last pass, in engine space.
    n_iter_ : int

    References
    ----------
    Lloyd 1982, IEEE Transactions on Information Theory 28, doi:10.1109/TIT.1982.1056489.
    Fritzke 2020, The breathing k-means algorithm, arXiv:2006.15666.
    """

    method: ClassVar[str] = "kmeans"
    title: ClassVar[str] = "K-means"
    paper: ClassVar[str] = (
        "Lloyd 1982, doi:10.1109/TIT.1982.1056489; start: Arthur and Vassilvitskii 2007"
    )
    parameters: ClassVar[dict[str, Parameter]] = COMMON | {
        "max_iter": Parameter("passes at most", 1, aliases=("iterations", "max_iterations")),
        "tolerance": Parameter("share of the variance that centers may still move", 0),
        "restarts": Parameter("starts that are tried", 1),
        "init": Parameter("k-means++, or starting centers as an array"),
    }

    def __init__(
        self,
        n_classes: int = 12,
        *,
        scale: str = "standard",
        sample: int | None = 1_000_000,
        max_iter: int = 100,
        tolerance: float = 1e-4,
        restarts: int = 2,
        init: Any = "k-means++",
        random_state: int = 0,
    ) -> None:
        self.n_classes = n_classes
        self.scale = scale
        self.sample = sample
        self.max_iter = max_iter
        self.tolerance = tolerance
        self.restarts = restarts
        self.init = init
        self.random_state = random_state

    def _learn(self, stream: PixelStream) -> None:
        pixels, drawn = self._pixels(stream)
        table = self._start_table(drawn)
        centers = self._start(table)
        limit = self.tolerance * float(table.var(axis=0).mean())
        some_block = pixels.read(Window(0, 0, 1, 1))
        memory = self._memory(pixels, len(centers))
        for passes in range(1, self.max_iter + 1):
            self.n_iter_ = passes
            step = CenterPass(self.scaling_, centers, memory=memory)
            tally = pixels.fold(step, f"k-means, pass {self.n_iter_}")
            moved = np.where(tally.count[:, None] > 0, step.means(tally, some_block), centers)
            shift = float(((moved - centers) ** 2).sum())
            self.inertia_ = float(step.inertia(tally, some_block).sum())
            self.history_.append(
                {
                    "pass": self.n_iter_,
                    "inertia": self.inertia_,
                    "shift": shift,
                    "empty": int((tally.count == 0).sum()),
                }
            )
            centers = moved
            if shift <= limit:
                break
        else:
            self.warnings_.append(
                f"k-means was stopped after {self.max_iter} passes before its centers settled."
            )
        self._settle(centers, tally.count)
