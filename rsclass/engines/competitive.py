"""K-means as a network of one layer whose units compete for the pixels."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rsclass.core import kernels
from rsclass.core.types import Float
from rsclass.engines.base import Parameter
from rsclass.engines.online import ONLINE, OnlineEngine


class CompetitiveKMeans(OnlineEngine):
    """K-means as a one-layer network with winner-take-all updates.

    Unit k answers a pixel x with ``w_k . x + b_k``, where the bias ``b_k = -|w_k|^2 / 2`` makes
    the largest answer that of the nearest weight vector. The winner alone learns:
    ``w += rate * (x - w)``. With a rate of 1 over the unit's wins this is MacQueen's online
    K-means. A unit that never won in an epoch starts anew at a pixel of the unit that won most,
    as the empty classes of unsupervised image classification do.

    Parameters
    ----------
    n_classes : int, default=12
        Units, 1 to 65,534.
    scale : {"standard", "robust", "none"}, default="standard"
        Whether bands are brought to a common spread before distances are measured.
    sample : int or None, default=1,000,000
        Pixels to learn from; None: every pixel, block by block.
    rate : float or None, default=None
        Learning rate, up to 1; None: 1 over the wins of the unit so far.
    epochs : int, default=10
        Times that every pixel is shown.
    tolerance : float, default=1e-4
        Stop when the squared moves of all weights in an epoch add up to no more than this share
        of the mean variance of the bands, in engine space.
    restarts : int, default=4
        k-means++ starts of which the best is taken.
    init : "k-means++" or array (n_classes, bands)
        An array gives the starting weights in physical units.
    random_state : int, default=0

    Attributes
    ----------
    centers_ : float64 array (classes, bands)
        The weights in physical units.
    inertia_ : float
        Sum of squared distances to the own center after the last epoch, in engine space.
    n_iter_ : int
        Epochs.

    References
    ----------
    MacQueen 1967, Some methods for classification and analysis of multivariate observations,
    Berkeley Symposium on Mathematical Statistics and Probability 1, pages 281-297. Rumelhart and
    Zipser 1985, Cognitive Science 9, doi:10.1207/s15516709cog0901_5.
    """

    method: ClassVar[str] = "competitive"
    title: ClassVar[str] = "competitive K-means"
    paper: ClassVar[str] = (
        "MacQueen 1967; Rumelhart and Zipser 1985, doi:10.1207/s15516709cog0901_5"
    )
    parameters: ClassVar[dict[str, Parameter]] = ONLINE | {
        "rate": Parameter("learning rate; none: 1 over the wins", 1e-9, 1, aliases=("eta",)),
    }

    def __init__(
        self,
        n_classes: int = 12,
        *,
        scale: str = "standard",
        sample: int | None = 1_000_000,
        rate: float | None = None,
        epochs: int = 10,
        tolerance: float = 1e-4,
        restarts: int = 4,
        init: Any = "k-means++",
        random_state: int = 0,
    ) -> None:
        self.n_classes = n_classes
        self.scale = scale
        self.sample = sample
        self.rate = rate
        self.epochs = epochs
        self.tolerance = tolerance
        self.restarts = restarts
        self.init = init
        self.random_state = random_state

    def _see(self, table: Float, centers: Float, wins: NDArray[np.int64]) -> None:
        kernels.compete(table, self.rate or 0.0, centers, wins)

    def _weak(self, wins: NDArray[np.int64], before: NDArray[np.int64]) -> NDArray[np.intp]:
        return np.flatnonzero(wins == before)
