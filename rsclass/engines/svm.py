"""Support vector machine: the widest margin between classes, in a curved space."""

from __future__ import annotations

from typing import ClassVar

from rsclass.core.machines import Machines
from rsclass.core.scaling import KINDS, Scaling
from rsclass.core.training import TrainingSet
from rsclass.engines.adapter import AdaptedEngine, machines_of_svc
from rsclass.engines.base import Parameter


class SupportVectorMachine(AdaptedEngine):
    """Support vector machines with a Gaussian kernel, one for each pair of classes, that vote.

    Bands are scaled first, because the kernel looks at all of them alike. Learning takes time that
    grows with the square of the samples: limit them to some ten thousand.

    Parameters
    ----------
    cost : float, default=10
        Of a training pixel on the wrong side; higher follows the samples more closely.
    gamma : float or None, default=None
        Kernel ``exp(-gamma |x - v|^2)`` in scaled units; None: 1 / (bands * variance).
    scale : {"standard", "robust", "none"}, default="standard"
    balanced : bool, default=False
        Whether classes weigh the same, however many pixels they have.

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
    }

    rule_kind: ClassVar[type[Machines]] = Machines

    def __init__(
        self,
        *,
        cost: float = 10.0,
        gamma: float | None = None,
        scale: str = "standard",
        balanced: bool = False,
    ) -> None:
        self.cost = cost
        self.gamma = gamma
        self.scale = scale
        self.balanced = balanced

    def _train(self, training: TrainingSet) -> Machines:
        from sklearn.svm import SVC

        scaling = Scaling.fit(training.values, self.scale)
        table = scaling.forward(training.values)
        variance = float(table.var()) or 1.0
        gamma = 1.0 / (table.shape[1] * variance) if self.gamma is None else self.gamma
        weights = "balanced" if self.balanced else None
        fitted = SVC(C=self.cost, gamma=gamma, class_weight=weights).fit(table, training.classes)
        return machines_of_svc(fitted, scaling, gamma)
