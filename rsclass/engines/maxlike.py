"""Maximum likelihood: the class under whose normal distribution a pixel is likeliest."""

from __future__ import annotations

from typing import Any, ClassVar

from rsclass.core.priors import class_priors
from rsclass.core.signatures import regular, steps
from rsclass.core.training import TrainingSet
from rsclass.engines.base import Parameter
from rsclass.engines.gaussian import GAUSSIAN, GaussianEngine


class MaximumLikelihood(GaussianEngine):
    """Gaussian maximum likelihood from training samples.

    A class is the normal distribution with the mean and covariance of its training pixels. A pixel
    x goes to the class with the largest ``ln P - ln|S| / 2 - (x - m)' S^-1 (x - m) / 2``.

    Covariances are used as they are where they can be inverted. Where a class has no more pixels
    than there are bands, or bands repeat each other, its covariance is shrunk to its variances by
    the share with the least expected error (Schäfer and Strimmer 2005,
    doi:10.2202/1544-6115.1175), and a warning says so.

    Parameters
    ----------
    priors : {"equal", "sample"} or mapping of class to prior, default="equal"
        How likely a class is beforehand. Classes that the mapping leaves out share equally what is
        left of 1; a class with prior 0 is never chosen. On the command line: a CSV or JSON file.
    reject : float or None, default=None
        Pixels farther from their class than all but this share of a normal distribution's own
        pixels (chi-square quantile of the squared Mahalanobis distance) get no class.
    shrinkage : float or None, default=None
        Share by which every covariance is drawn to its variances, 0 to 1; None: only where it is
        needed.

    References
    ----------
    Richards and Jia 2006, Remote Sensing Digital Image Analysis, section 8.2,
    doi:10.1007/3-540-29711-1.
    """

    method: ClassVar[str] = "maxlike"
    title: ClassVar[str] = "maximum likelihood"
    paper: ClassVar[str] = "Richards and Jia 2006, section 8.2, doi:10.1007/3-540-29711-1"
    parameters: ClassVar[dict[str, Parameter]] = GAUSSIAN

    def __init__(
        self,
        *,
        priors: Any = "equal",
        reject: float | None = None,
        shrinkage: float | None = None,
    ) -> None:
        self.priors = priors
        self.reject = reject
        self.shrinkage = shrinkage

    def _learn_training(self, training: TrainingSet) -> None:
        names = self.class_names or training.names
        priors = class_priors(self.priors, names, training.counts)
        found = regular(self.class_stats_, steps(training.values), names, self.shrinkage)
        self.warnings_ += found.notes
        self._settle(found, priors, range(self.n_classes_))
