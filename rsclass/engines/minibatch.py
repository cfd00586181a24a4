"""K-means that moves its centers after every small batch of pixels."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rsclass.core import kernels
from rsclass.core.types import Float
from rsclass.engines.base import Parameter
from rsclass.engines.online import ONLINE, OnlineEngine


class MiniBatchKMeans(OnlineEngine):
    """Mini-batch K-means: each batch is labeled, then its pixels pull their centers one by one.

    A center that has seen n pixels moves by 1 / n toward the next, so it stays the mean of all
    pixels it was given. A batch never reaches over the border of a block of the scene.

    Parameters
    ----------
    n_classes : int, default=12
        Classes to find, 1 to 65,534.
    scale : {"standard", "robust", "none"}, default="standard"
        Whether bands are brought to a common spread before distances are measured.
    sample : int or None, default=1,000,000
        Pixels to learn from; None: every pixel, block by block.
    batch_size : int, default=4096
        Pixels that are labeled with the same centers.
    epochs : int, default=10
        Times that every pixel is shown.
    tolerance : float, default=1e-4
        Stop when the squared moves of all centers in an epoch add up to no more than this share
        of the mean variance of the bands, in engine space.
    reassignment_ratio : float, default=0.01
        In the first half of the epochs a class that has seen fewer pixels than this share of the
        largest class's starts anew at a pixel of the largest. Lower it where rare classes matter;
        0 keeps all that have seen any pixel.
    restarts : int, default=4
        k-means++ starts of which the best is taken.
    init : "k-means++" or array (n_classes, bands)
        An array gives the starting centers in physical units.
    random_state : int, default=0

    Attributes
    ----------
    centers_ : float64 array (classes, bands)
        In physical units.
    inertia_ : float
        Sum of squared distances to the own center after the last epoch, in engine space.
    n_iter_ : int
        Epochs.

    References
    ----------
    Sculley 2010, Web-scale k-means clustering, WWW, doi:10.1145/1772690.1772862.
    """

    method: ClassVar[str] = "minibatch"
    title: ClassVar[str] = "mini-batch K-means"
    paper: ClassVar[str] = "Sculley 2010, doi:10.1145/1772690.1772862"
    parameters: ClassVar[dict[str, Parameter]] = ONLINE | {
        "batch_size": Parameter("pixels labeled with the same centers", 1, unit="pixels"),
        "reassignment_ratio": Parameter("classes below this share of the largest start anew", 0, 1),
    }

    def __init__(
        self,
        n_classes: int = 12,
        *,
        scale: str = "standard",
        sample: int | None = 1_000_000,
        batch_size: int = 4096,
        epochs: int = 10,
        tolerance: float = 1e-4,
        reassignment_ratio: float = 0.01,
        restarts: int = 4,
        init: Any = "k-means++",
        random_state: int = 0,
    ) -> None:
        self.n_classes = n_classes
        self.scale = scale
        self.sample = sample
        self.batch_size = batch_size
        self.epochs = epochs
        self.tolerance = tolerance
        self.reassignment_ratio = reassignment_ratio
        self.restarts = restarts
        self.init = init
        self.random_state = random_state

    def _see(self, table: Float, centers: Float, wins: NDArray[np.int64]) -> None:
        kernels.minibatch_updates(table, self.batch_size, centers, wins)

    def _weak(self, wins: NDArray[np.int64], before: NDArray[np.int64]) -> NDArray[np.intp]:
        return np.flatnonzero((wins == 0) | (wins < self.reassignment_ratio * wins.max()))
