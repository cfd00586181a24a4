"""Parallelepiped: each pixel to the class in whose box of values it lies."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rsclass.core.boxes import distances_in_boxes
from rsclass.core.scaling import KINDS, Scaling
from rsclass.core.training import TrainingSet
from rsclass.core.types import NO_CLASS, Block, Float, Labels, Prediction, Window
from rsclass.engines.base import Parameter
from rsclass.engines.centers import membership_layers, memberships
from rsclass.engines.supervised import SupervisedEngine, fits_together


class Parallelepiped(SupervisedEngine):
    """Parallelepiped: a pixel is in a class if each of its bands is in the class's range.

    Of several boxes that a pixel lies in, that with the nearest mean wins. A pixel that lies in no
    box gets no class.

    Parameters
    ----------
    max_std : float or None, default=None
        Boxes reach this many standard deviations of the class from its mean, band by band; None:
        from the smallest to the largest value of its training pixels.
    scale : {"none", "standard", "robust"}, default="none"
        Whether bands are brought to a common spread before distances to means are measured.

    Attributes
    ----------
    low_, high_ : float64 arrays (classes, bands)
        Sides of the boxes in physical units; they belong to the box.

    References
    ----------
    Richards and Jia 2006, Remote Sensing Digital Image Analysis, section 8.4,
    doi:10.1007/3-540-29711-1.
    """

    method: ClassVar[str] = "parallelepiped"
    title: ClassVar[str] = "parallelepiped"
    paper: ClassVar[str] = "Richards and Jia 2006, section 8.4, doi:10.1007/3-540-29711-1"
    parameters: ClassVar[dict[str, Parameter]] = {
        "max_std": Parameter(
            "half width of the boxes; none: from the smallest to the largest training pixel",
            0,
            unit="deviations",
        ),
        "scale": Parameter("space in which distances are measured", choices=KINDS),
    }

    def __init__(self, *, max_std: float | None = None, scale: str = "none") -> None:
        self.max_std = max_std
        self.scale = scale

    def _learn_training(self, training: TrainingSet) -> None:
        self.scaling_ = Scaling.fit(training.values, self.scale)
        mean = self.class_stats_.mean
        if self.max_std is not None:
            half = self.max_std * np.nan_to_num(self.class_stats_.std)
            self.low_, self.high_ = mean - half, mean + half
            return
        self.low_, self.high_ = np.full(mean.shape, np.inf), np.full(mean.shape, -np.inf)
        np.minimum.at(self.low_, training.classes, training.values)
        np.maximum.at(self.high_, training.classes, training.values)

    def predict_block(self, block: Block, core: Window, layers: Collection[str] = ()) -> Prediction:
        """Label each pixel with the class whose box it lies in; see :meth:`Engine.predict_block`.

        ``distance`` is that to the mean of the pixel's class in engine space; ``membership`` is
        that of fuzzy K-means to the classes whose boxes hold the pixel, ``confidence`` its largest
        value and ``entropy`` its entropy in nats; NaN at pixels in no box.
        """
        block = block.cut(core)
        shape = block.valid.shape
        inside = np.empty((self.n_classes_, block.valid.size))
        distances_in_boxes(
            block.flat,
            block.flat_valid,
            block.gain,
            block.offset,
            self.low_,
            self.high_,
            self.class_stats_.mean,
            self.scaling_.scale,
            inside,
        )
        nearest = inside.min(axis=0)
        held = np.isfinite(nearest)
        labels: Labels = np.where(held, inside.argmin(axis=0), NO_CLASS).astype(np.int32)
        made: dict[str, NDArray[np.float32]] = {}
        if "distance" in layers:
            distance: Float = np.where(held, np.sqrt(nearest), np.nan)
            made["distance"] = distance.astype(np.float32).reshape(shape)
        if set(layers) & {"confidence", "entropy", "membership"}:
            inside[:, ~held] = np.nan
            made |= membership_layers(memberships(inside, 2.0), shape, layers)
        return Prediction(labels.reshape(shape), made)

    def label_bytes(self, layers: Collection[str]) -> float:
        """Working memory of ``predict_block`` in bytes for one pixel."""
        every = bool(set(layers) & {"confidence", "entropy", "membership"})
        return 32.0 + (48.0 if every else 8.0) * self.n_classes_

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Labels, signatures, scaling and boxes."""
        card, arrays = super().state()
        boxes = {"low": self.low_, "high": self.high_}
        return card | {"scaling": self.scaling_.to_dict()}, arrays | boxes

    def restore(self, card: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Set the fitted attributes from what ``state`` gave."""
        super().restore(card, arrays)
        self.scaling_ = Scaling.from_dict(card["scaling"])
        self.low_, self.high_ = arrays["low"], arrays["high"]
        shape = self.class_stats_.mean.shape
        fits_together(
            self.low_.shape == shape,
            self.high_.shape == shape,
            self.scaling_.scale.shape == shape[1:],
        )
