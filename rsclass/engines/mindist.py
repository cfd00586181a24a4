"""Minimum distance: each pixel to the class with the nearest mean."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rsclass.core.scaling import KINDS, Scaling
from rsclass.core.training import TrainingSet
from rsclass.core.types import NO_CLASS, Block, Float, Prediction, Window
from rsclass.engines.base import Parameter
from rsclass.engines.centers import CenterEngine
from rsclass.engines.supervised import SupervisedEngine, fits_together


class MinimumDistance(SupervisedEngine, CenterEngine):
    """Minimum distance to means: each pixel to the class whose training mean is nearest.

    Parameters
    ----------
    scale : {"none", "standard", "robust"}, default="none"
        Whether bands are brought to a common spread before distances are measured.
    max_std_from_mean : float or None, default=None
        Pixels farther from the mean than this many deviations of the class get no class; a class's
        deviation is the root of the mean squared distance of its training pixels to their mean.

    Attributes
    ----------
    centers_ : float64 array (classes, bands)
        Means of the training pixels, in physical units.
    spread_ : float64 array (classes,)
        Deviation of each class in engine space.

    References
    ----------
    Richards and Jia 2006, Remote Sensing Digital Image Analysis, section 8.3,
    doi:10.1007/3-540-29711-1.
    """

    method: ClassVar[str] = "mindist"
    title: ClassVar[str] = "minimum distance to means"
    paper: ClassVar[str] = "Richards and Jia 2006, section 8.3, doi:10.1007/3-540-29711-1"
    parameters: ClassVar[dict[str, Parameter]] = {
        "scale": Parameter("space in which distances are measured", choices=KINDS),
        "max_std_from_mean": Parameter(
            "farther pixels get no class", 0, aliases=("max_stdev_from_mean",), unit="deviations"
        ),
    }

    def __init__(self, *, scale: str = "none", max_std_from_mean: float | None = None) -> None:
        self.scale = scale
        self.max_std_from_mean = max_std_from_mean

    def _learn_training(self, training: TrainingSet) -> None:
        self.scaling_ = Scaling.fit(training.values, self.scale)
        self.centers_ = self.class_stats_.mean
        apart = (training.values - self.centers_[training.classes]) / self.scaling_.scale
        total = np.zeros(self.n_classes_)
        np.add.at(total, training.classes, (apart * apart).sum(axis=1))
        self.spread_: Float = np.sqrt(total / self.class_stats_.count)

    def fit_transform(self, X: Any, y: Any = None) -> Float:
        """Learn from a table and give its distances to the means; see :meth:`transform`."""
        return self.fit(X, y).transform(X)

    def predict_block(self, block: Block, core: Window, layers: Collection[str] = ()) -> Prediction:
        """Label each pixel with the class of the nearest mean, unless it is too far from it.

        See :meth:`CenterEngine.predict_block`; layers keep their values at such pixels.
        """
        if self.max_std_from_mean is None:
            return super().predict_block(block, core, layers)
        found = super().predict_block(block, core, {*layers, "distance"})
        # Invalid pixels have no distance, and no class already.
        reach = self.max_std_from_mean * self.spread_
        far = found.layers["distance"] > reach[np.maximum(found.labels, 0)]
        kept = {name: layer for name, layer in found.layers.items() if name in layers}
        return Prediction(np.where(far, np.int32(NO_CLASS), found.labels), kept)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Labels, signatures, scaling and spreads."""
        card, arrays = super().state()
        return card | {"scaling": self.scaling_.to_dict()}, arrays | {"spread": self.spread_}

    def restore(self, card: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Set the fitted attributes from what ``state`` gave."""
        super().restore(card, arrays)
        self.scaling_ = Scaling.from_dict(card["scaling"])
        self.centers_ = self.class_stats_.mean
        self.spread_ = arrays["spread"]
        fits_together(
            self.spread_.shape == (self.n_classes_,),
            self.scaling_.scale.shape == self.centers_.shape[1:],
        )
