"""Pixels to their nearest centers on a graphics processor: the classes that the processor finds.

One matrix product gives the distances to all centers, rounded in an order of its own. Where the two
smallest lie so close that rounding could decide between them, the processor's own loop does; so
the classes are the same to the last pixel.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rsclass.core.assign import nearest
from rsclass.core.types import Float, Mask
from rsclass.deep.threads import choose_device

__all__ = ["NearestOnDevice", "choose_device"]

WORKING_BYTES = 256 * 2**20
"""Memory of the device that one call takes at most."""

LEAST_WORK = 2**26
"""Products (pixels times bands times classes) below which the way to the device takes longer."""


class NearestOnDevice:
    """:func:`rsclass.core.assign.nearest` on a device of PyTorch; safe to share between threads.

    Parameters
    ----------
    device : torch.device
    least_work : int
        Products of pixels, bands and classes from which the device is used.
    """

    def __init__(self, device: torch.device, least_work: int = LEAST_WORK) -> None:
        self.device = device
        self.least_work = least_work

    def __call__(
        self,
        values: NDArray[Any],
        valid: Mask,
        gain: Float,
        offset: Float,
        centers: Float,
        labels: NDArray[np.int32],
    ) -> int:
        """Label every valid pixel with its nearest center, the lowest of equals; -1 elsewhere.

        Parameters
        ----------
        values : array (bands, pixels)
            Stored values; ``values * gain + offset`` leads into the space of the centers.
        valid : bool array (pixels,)
        gain, offset : float64 arrays (bands,)
        centers : float64 array (classes, bands)
        labels : int32 array (pixels,)
            Filled.

        Returns
        -------
        int
            Valid pixels that were too close to tell on the device.
        """
        if values.shape[1] * centers.size < self.least_work:
            nearest(values, valid, gain, offset, centers, labels)
            return 0
        step = max(1, WORKING_BYTES // (8 * (3 * len(values) + 2 * len(centers) + 8)))
        unsure = 0
        for start in range(0, values.shape[1], step):
            part = slice(start, start + step)
            found, close = self._search(values[:, part], gain, offset, centers)
            own = labels[part]
            own[:] = np.where(valid[part], found, -1)
            places = np.flatnonzero(close & valid[part])
            if len(places):
                exact = np.empty(len(places), np.int32)
                rest = np.ascontiguousarray(values[:, part][:, places])
                nearest(rest, np.ones(len(places), np.bool_), gain, offset, centers, exact)
                own[places] = exact
                unsure += len(places)
        return unsure

    @torch.inference_mode()
    def _search(
        self, values: NDArray[Any], gain: Float, offset: Float, centers: Float
    ) -> tuple[NDArray[np.int32], Mask]:
        """Nearest centers (pixels,), and where another one is as near but for rounding."""
        z = self._sent(values) * self._sent(gain[:, None]) + self._sent(offset[:, None])
        length2 = np.sum(centers * centers, axis=1)
        product = self._sent(centers) @ z
        # Squared distances but for the squared length of the pixel, which all have in common.
        scores = self._sent(length2[:, None]) - 2.0 * product
        best, order = scores.min(dim=0)
        second = scores.scatter_(0, order[None], torch.inf).amin(dim=0)
        # A sum of b products is rounded by b half units of its terms' sizes at most, here and in
        # the processor's sums of squares; this is twice what both add up to.
        rounding = 8 * (len(values) + 3) * np.finfo(np.float64).eps
        size = (z * z).sum(dim=0) + float(length2.max())
        # Not the other way round: values that are not finite are never told apart.
        close = ~(second - best > rounding * size)
        return order.to(torch.int32).cpu().numpy(), close.cpu().numpy()

    def _sent(self, values: NDArray[Any]) -> torch.Tensor:
        """Values as float64 on the device; whole numbers travel as they are stored."""
        bits = 8 * values.dtype.itemsize
        if values.dtype.kind != "u" or bits == 8:
            return torch.from_numpy(np.array(values)).to(self.device).to(torch.float64)
        if bits == 64:
            return self._sent(values.astype(np.float64))
        # PyTorch can do little with unsigned numbers of several bytes.
        signed = torch.from_numpy(values.astype(values.dtype, copy=True).view(f"i{bits // 8}"))
        whole: torch.Tensor = signed.to(self.device).to(torch.int64) & (2**bits - 1)
        return whole.to(torch.float64)
