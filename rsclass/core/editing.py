"""The rule by which drawn features change the classes of a map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rsclass.core.legend import HIGHEST_VALUE
from rsclass.core.types import Labels

__all__ = ["EditRule"]


class EditRule:
    """What becomes of the pixels of each feature.

    Parameters
    ----------
    targets : sequence of int
        New value of the pixels of each feature.
    only : sequence of tuple of int, or None
        Values that the pixels of each feature must have to be changed; None: any class.
    fill : bool
        Pixels without a class are changed too.
    """

    def __init__(
        self, targets: Sequence[int], only: Sequence[tuple[int, ...] | None], fill: bool = False
    ) -> None:
        kinds = list(dict.fromkeys(only))
        self._allowed: NDArray[np.bool_] = np.zeros((len(kinds), HIGHEST_VALUE + 1), np.bool_)
        for i, values in enumerate(kinds):
            self._allowed[i, slice(None) if values is None else list(values)] = True
        self._allowed[:, 0] = fill
        self._kind: NDArray[np.int64] = np.array([kinds.index(values) for values in only])
        self._target: Labels = np.array(targets, dtype=np.int32)

    def apply(self, values: Labels, owner: Labels) -> Labels:
        """New values of an image.

        Parameters
        ----------
        values : int32 array (height, width)
            0 is no class.
        owner : int32 array (height, width)
            Feature that each pixel belongs to; negative: none.
        """
        out = values.copy()
        owned = owner >= 0
        feature, old = owner[owned], values[owned]
        out[owned] = np.where(self._allowed[self._kind[feature], old], self._target[feature], old)
        return out
