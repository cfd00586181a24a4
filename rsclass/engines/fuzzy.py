"""Fuzzy K-means: every pixel belongs to every class, to a degree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rsclass.core.memberships import fuzzy_tally
from rsclass.core.scaling import Scaling
from rsclass.core.types import Block, Float, PixelStream
from rsclass.engines.base import Parameter
from rsclass.engines.centers import COMMON
from rsclass.engines.starting import StartedEngine


@dataclass(frozen=True)
class FuzzyTally:
    """Sums over pixels, weighted by membership.

    Parameters
    ----------
    count : int
        Pixels.
    weight : float64 array (classes,)
        Of ``u^m``.
    sums : float64 array (classes, bands)
        Of ``u^m z`` in engine space.
    totals : float64 array (3,)
        Of ``u^m d^2``, ``u^2`` and ``-u ln u``.
    """

    count: int
    weight: Float
    sums: Float
    totals: Float

    def __add__(self, other: FuzzyTally) -> FuzzyTally:
        return FuzzyTally(
            self.count + other.count,
            self.weight + other.weight,
            self.sums + other.sums,
            self.totals + other.totals,
        )


@dataclass(frozen=True)
class FuzzyPass:
    """One pass over the pixels: called with a block, gives its tally.

    Parameters
    ----------
    scaling : Scaling
    centers : float64 array (classes, bands)
        In engine space.
    fuzzifier : float
    indices : bool
        Whether the sums behind the partition's coefficient and entropy are formed.
    """

    scaling: Scaling
    centers: Float
    fuzzifier: float
    indices: bool = False

    def __call__(self, block: Block) -> FuzzyTally:
        """The tally of one block."""
        gain, offset = self.scaling.affine(block)
        valid = block.flat_valid
        sums = fuzzy_tally(
            block.flat, valid, gain, offset, self.centers, float(self.fuzzifier), self.indices
        )
        return FuzzyTally(int(valid.sum()), *sums)


class FuzzyKMeans(StartedEngine):
    """Fuzzy K-means (fuzzy c-means): centers are means weighted by membership.

    A pixel's membership in class i is ``u_i = 1 / sum_k (d_i / d_k)^(2 / (m - 1))``; a center is
    the mean of all pixels weighted by ``u^m``. Labels are the largest memberships. The closer the
    fuzzifier m is to 1, the closer the result is to that of K-means.

    Its sums are floating point even where pixels are whole numbers, because memberships are not.
    They are formed per canonical block, whose size depends on the scene alone, and blocks are
    added in a fixed order, so tiles and threads do not change the result.

    Parameters
    ----------
    n_classes : int, default=12
        Classes to find, 1 to 65,534.
    scale : {"standard", "robust", "none"}, default="standard"
        Whether bands are brought to a common spread before distances are measured.
    sample : int or None, default=1,000,000
        Pixels to learn from; None: every pixel of the scene.
    fuzzifier : float, default=2
        The exponent m, 1.01 to 10; useful between 1.5 and 3.
    max_iter : int, default=100
        Passes at most.
    tolerance : float, default=1e-4
        Stop when the squared moves of all centers add up to no more than this share of the mean
        variance of the bands, in engine space.
    restarts : int, default=2
        K-means runs on a part of the sample, of which the best gives the start.
    init : "k-means++" or array (n_classes, bands)
        An array gives the starting centers in physical units.
    random_state : int, default=0

    Attributes
    ----------
    centers_ : float64 array (classes, bands)
        In physical units.
    objective_ : float
        ``J = sum u^m d^2`` over pixels and classes, in engine space.
    partition_coefficient_ : float
        Mean over pixels of the sum of ``u^2``: 1 when crisp, 1 / classes when all is alike.
    partition_entropy_ : float
        Mean over pixels of the sum of ``-u ln u``: 0 when crisp, ln(classes) when all is alike.
    xie_beni_ : float
        J over pixels and the smallest squared distance of two centers; low is good. NaN for one
        class. With m other than 2 it is the common generalization of the original index.
    n_iter_ : int

    References
    ----------
    Bezdek 1981, Pattern Recognition with Fuzzy Objective Function Algorithms,
    doi:10.1007/978-1-4757-0450-1. Xie and Beni 1991, IEEE Transactions on Pattern Analysis and
    Machine Intelligence 13, doi:10.1109/34.85677.
    """

    method: ClassVar[str] = "fuzzy"
    title: ClassVar[str] = "fuzzy K-means"
    paper: ClassVar[str] = "Bezdek 1981, doi:10.1007/978-1-4757-0450-1"
    parameters: ClassVar[dict[str, Parameter]] = COMMON | {
        "fuzzifier": Parameter("exponent of the memberships", 1.01, 10, aliases=("m",)),
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
        fuzzifier: float = 2.0,
        max_iter: int = 100,
        tolerance: float = 1e-4,
        restarts: int = 2,
        init: Any = "k-means++",
        random_state: int = 0,
    ) -> None:
        self.n_classes = n_classes
        self.scale = scale
        self.sample = sample
        self.fuzzifier = fuzzifier
        self.max_iter = max_iter
        self.tolerance = tolerance
        self.restarts = restarts
        self.init = init
        self.random_state = random_state

    def _learn(self, stream: PixelStream) -> None:
        pixels, drawn = self._pixels(stream)
        table = self._start_table(drawn)
        limit = self.tolerance * float(table.var(axis=0).mean())
        centers = self._start(table)
        for n_iter in range(1, self.max_iter + 1):
            self.n_iter_ = n_iter
            step = FuzzyPass(self.scaling_, centers, self.fuzzifier)
            tally = pixels.fold(step, f"fuzzy K-means, pass {n_iter}")
            # The weight of a center far from all pixels underflows: it stays where it is.
            weight = tally.weight[:, None]
            moved = np.where(weight > 0, tally.sums / np.where(weight > 0, weight, 1.0), centers)
            shift = float(((moved - centers) ** 2).sum())
            self.history_.append(
                {"pass": n_iter, "objective": float(tally.totals[0]), "shift": shift}
            )
            centers = moved
            if shift <= limit:
                break
        else:
            self.warnings_.append(
                f"fuzzy K-means was stopped after {self.max_iter} passes before its centers "
                "settled."
            )
        self._settle(centers)
        self._judge(pixels)

    def _judge(self, pixels: PixelStream) -> None:
        """Set the indices of the final partition."""
        centers = self.scaling_.forward(self.centers_)
        last = FuzzyPass(self.scaling_, centers, self.fuzzifier, indices=True)
        tally = pixels.fold(last, "fuzzy K-means, last pass")
        objective, squares, entropy = tally.totals.tolist()
        self.objective_ = objective
        self.partition_coefficient_ = squares / tally.count
        self.partition_entropy_ = entropy / tally.count
        nearest = smallest_distance2(centers)
        self.xie_beni_ = objective / (tally.count * nearest)


def smallest_distance2(centers: Float) -> float:
    """Smallest squared distance between two of the centers (classes, bands); NaN for one."""
    if len(centers) < 2:
        return float("nan")
    gaps = ((centers[:, None, :] - centers[None]) ** 2).sum(axis=2)
    return float(gaps[np.triu_indices(len(centers), 1)].min())
