"""Support vector machine: the widest margin between classes, in a curved space."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from rsclass.core.machines import Machines
from rsclass.core.sampling import place_keys
from rsclass.core.scaling import KINDS, Scaling
from rsclass.core.training import TrainingSet
from rsclass.engines.adapter import AdaptedEngine, machines_of_svc
from rsclass.engines.base import Parameter


class SupportVectorMachine(AdaptedEngine):
    """Support vector machines with a Gaussian kernel, one for each pair of classes, that vote.

    Bands are scaled first, because the kernel looks at all of them alike. Time and memory grow with
    the square of the samples, so at most ``max_samples`` are learned from: of every class the same
    share, chosen by their places.

    Parameters
    ----------
    cost : float, default=10
        Of a training pixel on the wrong side; higher follows the samples more closely.
    gamma : float or None, default=None
        Kernel ``exp(-gamma |x - v|^2)`` in scaled units; None: 1 / (bands * variance).
    scale : {"standard", "robust", "none"}, default="standard"
    balanced : bool, default=False
        Whether classes weigh the same, however many pixels they have.
    max_samples : int or None, default=20,000
        Training pixels at most; None: all.

    References
    ----------
    Cortes and Vapnik 1995, Machine Learning 20, doi:10.1007/BF00994018; Chang and Lin 2011, LIBSVM,
    doi:10.1145/1961189.1961199.
    """

    method: ClassVar[str] = "svm"
    title: ClassVar[str] = "support vector machine"
    paper: ClassVar[str] = "Cortes and Vapnik 1995, doi:10.1007/BF00994018"
    parameters: ClassVar[dict[str, Parameter]] = {
        "cost": Parameter("of a training pixel on the wrong side", 1e-9, aliases=("C", "c")),
        "gamma": Parameter("width of the kernel; none: 1 / (bands * variance)", 1e-12),
        "scale": Parameter("space in which distances are measured", choices=KINDS),
        "balanced": Parameter("let classes weigh the same, however many pixels they have"),
        "max_samples": Parameter("training pixels at most; none: all", 2, unit="pixels"),
    }

    rule_kind: ClassVar[type[Machines]] = Machines

    def __init__(
        self,
        *,
        cost: float = 10.0,
        gamma: float | None = None,
        scale: str = "standard",
        balanced: bool = False,
        max_samples: int | None = 20_000,
    ) -> None:
        self.cost = cost
        self.gamma = gamma
        self.scale = scale
        self.balanced = balanced
        self.max_samples = max_samples

    def _train(self, training: TrainingSet) -> Machines:
        from sklearn.svm import SVC

        if self.max_samples is not None and len(training) > self.max_samples:
            self.warnings_.append(
                f"learned from {self.max_samples:,} of {len(training):,} training pixels, because "
                "time grows with their square; set max_samples to change that."
            )
            training = training.take(_thinned(training, self.max_samples))
        scaling = Scaling.fit(training.values, self.scale)
        table = scaling.forward(training.values)
        variance = float(table.var()) or 1.0
        gamma = 1.0 / (table.shape[1] * variance) if self.gamma is None else self.gamma
        weights = "balanced" if self.balanced else None
        fitted = SVC(C=self.cost, gamma=gamma, class_weight=weights).fit(table, training.classes)
        return machines_of_svc(fitted, scaling, gamma)


def _thinned(training: TrainingSet, most: int) -> NDArray[np.int64]:
    """About ``most`` pixels, in their order: of every class the same share, one at least."""
    keys = place_keys(training.rows, training.cols, 0)
    chosen = []
    for k, count in enumerate(training.counts):
        own = np.flatnonzero(training.classes == k)
        n = max(int(count) * most // len(training), 1)
        chosen.append(own[np.argsort(keys[own], kind="stable")[:n]])
    return np.sort(np.concatenate(chosen)).astype(np.int64)
