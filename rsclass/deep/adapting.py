"""First layers for other bands than those that they were learned on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["Wavelengths", "counterparts", "for_bands"]

Wavelengths = Sequence[float | None]
"""Center wavelengths in nanometers of a network's inputs; None where unknown or none."""

_NEAR = 0.1  # bands are alike if their wavelengths differ by less than this share


def counterparts(known: Wavelengths, wanted: Wavelengths) -> list[int | None]:
    """For each wanted input the known one that stands for it, if any.

    By wavelength where all inputs of both have one: the nearest within 10 %. Otherwise by order.
    """
    by_wavelength = [
        (np.array([w for w in some if w is not None], dtype=float), len(some))
        for some in (known, wanted)
    ]
    if any(len(values) < n for values, n in by_wavelength):
        return [i if i < len(known) else None for i in range(len(wanted))]
    (at, _), (here, _) = by_wavelength
    nearest = np.abs(at[None, :] - here[:, None]).argmin(axis=1)
    far = np.abs(at[nearest] - here) / here
    return [int(i) if share < _NEAR else None for i, share in zip(nearest, far, strict=True)]


def for_bands(weight: NDArray[np.float32], found: Sequence[int | None]) -> NDArray[np.float32]:
    """Weights (outputs, wanted inputs, ...) from those (outputs, known inputs, ...) of others.

    An input takes the weights of its counterpart, and one without counterpart the mean over all
    known inputs. All are scaled by the number of known inputs over that of wanted ones, so that
    inputs that are alike in all bands excite the layer as before.

    Parameters
    ----------
    weight : float32 array
    found : sequence
        From :func:`counterparts`.
    """
    n = weight.shape[1]
    if list(found) == list(range(n)):
        return weight
    mean = weight.mean(axis=1, dtype=np.float64)
    taken = [mean if i is None else weight[:, i].astype(np.float64) for i in found]
    adapted: NDArray[np.float64] = np.stack(taken, axis=1) * (n / len(taken))
    return adapted.astype(np.float32)
