"""Spectral angle mapper: each pixel to the class whose spectrum has the most similar shape."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rsclass.core.angles import smallest_angle
from rsclass.core.training import TrainingSet
from rsclass.core.types import NO_CLASS, Block, Float, Prediction, Window
from rsclass.engines.base import Parameter
from rsclass.engines.centers import membership_layers, memberships
from rsclass.engines.supervised import SupervisedEngine, probability_bytes
from rsclass.errors import SingularClassError


class SpectralAngle(SupervisedEngine):
    """Spectral angle mapper: the class at the smallest angle, seen from the origin.

    The angle between a pixel and the mean spectrum of a class does not change when the pixel is
    lit more or less, as long as its values are physical ones without an offset. A pixel that is 0
    in every band has no direction and gets no class.

    Parameters
    ----------
    max_angle : float or None, default=None
        Pixels at a larger angle from their class get no class, in radians; 0.1 is a common choice.

    References
    ----------
    Kruse et al. 1993, Remote Sensing of Environment 44, doi:10.1016/0034-4257(93)90013-N.
    """

    method: ClassVar[str] = "sam"
    title: ClassVar[str] = "spectral angle mapper"
    paper: ClassVar[str] = "Kruse et al. 1993, doi:10.1016/0034-4257(93)90013-N"
    parameters: ClassVar[dict[str, Parameter]] = {
        "max_angle": Parameter(
            "pixels at a larger angle get no class", 0, math.pi, aliases=("angle",), unit="radians"
        )
    }

    def __init__(self, *, max_angle: float | None = None) -> None:
        self.max_angle = max_angle

    def _learn_training(self, training: TrainingSet) -> None:
        length = np.sqrt((self.class_stats_.mean**2).sum(axis=1))
        dark = [
            name
            for name, size in zip(self.class_names or training.names, length, strict=True)
            if size == 0
        ]
        if dark:
            raise SingularClassError(
                f"the mean spectrum of {', '.join(dark)} is 0 in every band and has no direction; "
                "choose another method, or leave the class out."
            )
        self._direct()

    def _direct(self) -> None:
        mean = self.class_stats_.mean
        self.directions_: Float = mean / np.sqrt((mean**2).sum(axis=1))[:, None]

    def predict_block(self, block: Block, core: Window, layers: Collection[str] = ()) -> Prediction:
        """Label each pixel with the class at the smallest angle; see :meth:`Engine.predict_block`.

        ``distance`` is the angle in radians; ``membership`` is that of fuzzy K-means to the classes
        by angle, ``confidence`` its largest value and ``entropy`` its entropy in nats.
        """
        block = block.cut(core)
        shape = block.valid.shape
        shares = set(layers) & {"confidence", "entropy", "membership"}
        labels, angle = np.empty(block.valid.size, np.int32), np.empty(block.valid.size)
        every = np.empty((self.n_classes_ if shares else 0, block.valid.size))
        smallest_angle(
            block.flat,
            block.flat_valid,
            block.gain,
            block.offset,
            self.directions_,
            labels,
            angle,
            every,
        )
        made: dict[str, NDArray[np.float32]] = {}
        if "distance" in layers:
            made["distance"] = angle.astype(np.float32).reshape(shape)
        if shares:
            made |= membership_layers(memberships(every**2, 2.0), shape, shares)
        if self.max_angle is not None:
            labels[angle > self.max_angle] = NO_CLASS
        return Prediction(labels.reshape(shape), made)

    def label_bytes(self, layers: Collection[str]) -> float:
        """Working memory of ``predict_block`` in bytes for one pixel."""
        return 24.0 + probability_bytes(self.n_classes_, layers)

    def restore(self, card: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Set the fitted attributes from what ``state`` gave."""
        super().restore(card, arrays)
        self._direct()
