"""What engines whose classes are normal distributions have in common."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.gauss import Gaussians, likeliest, posterior
from rsclass.core.priors import check_priors
from rsclass.core.signatures import Regular
from rsclass.core.types import NO_CLASS, Block, Float, Prediction, Window
from rsclass.engines.base import Parameter
from rsclass.engines.supervised import (
    SupervisedEngine,
    fits_together,
    probability_bytes,
    share_layers,
)

GAUSSIAN: dict[str, Parameter] = {
    "priors": Parameter(
        "how likely a class is beforehand: equal, sample (as in the training pixels), or a CSV or "
        "JSON file of classes and their priors",
        aliases=("a_priori_probability_weighting", "prior"),
    ),
    "reject": Parameter(
        "share of a class's own pixels, those least like it, that get no class; none: every pixel "
        "gets one",
        0,
        1,
        aliases=("reject_fraction",),
    ),
    "shrinkage": Parameter(
        "share by which covariances are drawn to their variances; none: only where they are nearly "
        "singular",
        0,
        1,
    ),
}


class GaussianEngine(SupervisedEngine):
    """An engine that gives a pixel to the likeliest of normal distributions.

    Attributes
    ----------
    signatures_ : Regular
        Means and covariances of the distributions.
    priors_ : float64 array (distributions,)
    groups_ : int32 array (distributions,)
        Class of each distribution.
    """

    priors: Any
    reject: float | None
    shrinkage: float | None
    signatures_: Regular
    priors_: Float
    groups_: NDArray[np.int32]

    def check_parameters(self) -> None:
        """Raise UsageError when a parameter, the priors among them, is impossible."""
        super().check_parameters()
        check_priors(self.priors)

    def _settle(self, signatures: Regular, priors: Float, groups: Sequence[int]) -> None:
        self.signatures_, self.priors_ = signatures, priors
        self.groups_ = np.array(groups, np.int32)
        self.gaussians_ = Gaussians.of(
            signatures.bands, signatures.mean, signatures.covariance, priors
        )

    def predict_block(self, block: Block, core: Window, layers: Collection[str] = ()) -> Prediction:
        """Label each pixel with its likeliest class; see :meth:`Engine.predict_block`.

        ``distance`` is that of Mahalanobis to the likeliest distribution, ``membership`` the
        probability of a class given the pixel, ``confidence`` that of the pixel's class and
        ``entropy`` the entropy of all in nats. Layers keep their values at rejected pixels.
        """
        block = block.cut(core)
        shape = block.valid.shape
        shares = set(layers) & {"confidence", "entropy", "membership"}
        found = likeliest(
            block.flat,
            block.flat_valid,
            block.gain,
            block.offset,
            self.gaussians_,
            distances="distance" in layers or self.reject is not None,
            discriminants=bool(shares),
        )
        labels = found.labels
        if (self.groups_ != np.arange(len(self.groups_))).any():
            labels = np.append(self.groups_, np.int32(NO_CLASS))[labels]
        made: dict[str, NDArray[np.float32]] = {}
        if "distance" in layers and found.distance2 is not None:
            made["distance"] = np.sqrt(found.distance2).astype(np.float32).reshape(shape)
        if found.discriminant is not None:
            probability = posterior(found.discriminant, self.groups_, self.n_classes_)
            made |= share_layers(probability, labels, shape, shares)
        if self.reject is not None and found.distance2 is not None:
            from scipy.special import chdtri  # which takes as long to load as a small scene

            labels[found.distance2 > chdtri(len(self.signatures_.bands), self.reject)] = NO_CLASS
        return Prediction(labels.reshape(shape), made)

    def label_bytes(self, layers: Collection[str]) -> float:
        """Working memory of ``predict_block`` in bytes for one pixel."""
        probable = probability_bytes(self.n_classes_, layers)
        return 40.0 + probable + (8.0 * len(self.groups_) if probable else 0.0)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Labels, distributions, their priors and classes."""
        card, arrays = super().state()
        return card, arrays | {
            "bands": self.signatures_.bands.astype(np.int64),
            "mean": self.signatures_.mean,
            "covariance": self.signatures_.covariance,
            "priors": self.priors_,
            "groups": self.groups_,
        }

    def restore(self, card: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Set the fitted attributes from what ``state`` gave."""
        super().restore(card, arrays)
        kept = Regular(arrays["bands"], arrays["mean"], arrays["covariance"], ())
        groups = arrays["groups"]
        n, b = len(groups), len(kept.bands)
        fits_together(
            kept.mean.shape == (n, b),
            kept.covariance.shape == (n, b, b),
            arrays["priors"].shape == (n,),
            b > 0 and kept.bands.min() >= 0 and int(kept.bands.max()) < len(self.bands_),
            n > 0 and groups.min() >= 0 and int(groups.max()) < self.n_classes_,
        )
        self._settle(kept, arrays["priors"], groups.tolist())
