"""Pixels whose class is known: what a supervised classifier learns from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsclass.core.types import Float


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Labelled pixels of one or several scenes.

    Parameters
    ----------
    values : float64 array (pixels, bands)
        Physical values.
    classes : int32 array (pixels,)
        Position in ``names``.
    features : int64 array (pixels,)
        Number of the drawn feature that the pixel lies in, which keeps neighbors together when
        pixels are split; from 0.
    rows, cols : int64 arrays (pixels,)
        Place in the scene.
    names : tuple of str
        Of the classes, each with at least one pixel.
    integer : bool
        The scene stores whole numbers.
    """

    values: Float
    classes: NDArray[np.int32]
    features: NDArray[np.int64]
    rows: NDArray[np.int64]
    cols: NDArray[np.int64]
    names: tuple[str, ...]
    integer: bool = False

    def __len__(self) -> int:
        return len(self.values)

    @property
    def n_classes(self) -> int:
        """How many classes there are."""
        return len(self.names)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Pixels of every class: (classes,)."""
        return np.bincount(self.classes, minlength=len(self.names)).astype(np.int64)

    def of_class(self, number: int) -> Float:
        """Pixel table (pixels, bands) of one class."""
        table: Float = self.values[self.classes == number]
        return table

    def take(self, chosen: Sequence[int] | NDArray[np.int64] | NDArray[np.bool_]) -> TrainingSet:
        """Some of the pixels, with the same class names."""
        return TrainingSet(
            self.values[chosen],
            self.classes[chosen],
            self.features[chosen],
            self.rows[chosen],
            self.cols[chosen],
            self.names,
            self.integer,
        )
