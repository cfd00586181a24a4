"""Engines whose starting centers may be given."""

from __future__ import annotations

from typing import Any

import numpy as np

from rsclass.core.breathing import breathe
from rsclass.core.lloyd import best_of
from rsclass.core.magnitude import SQUARABLE
from rsclass.core.types import Float
from rsclass.engines.centers import CenterEngine
from rsclass.errors import UsageError

PLUS_PLUS = "k-means++"


class StartedEngine(CenterEngine):
    """A center engine that starts from k-means++ or from the centers in ``init``."""

    restarts: int
    init: Any

    def check_parameters(self) -> None:
        """Raise UsageError when a parameter, the starting centers among them, cannot be used."""
        super().check_parameters()
        self._given_start()

    def _start(self, table: Float, max_iter: int = 20) -> Float:
        """Starting centers (classes, bands) in engine space.

        Parameters
        ----------
        table : float64 array (pixels, bands)
            In engine space, for k-means++.
        max_iter : int
            K-means passes from each k-means++ start, of which the best is taken.
        """
        given = self._given_start()
        if given is None:
            best = best_of(table, self.n_classes, self.random_state, self.restarts, max_iter)
            return breathe(table, best, np.random.default_rng(self.random_state))
        if given.shape[1] != table.shape[1]:
            raise UsageError(
                f"{self.method}: init has {given.shape[1]} bands and the pixels have "
                f"{table.shape[1]}; give every starting center one value for each band."
            )
        return self.scaling_.forward(given)

    def _given_start(self) -> Float | None:
        """The centers in ``init``, in physical units; None: k-means++."""
        if isinstance(self.init, str):
            if self.init == PLUS_PLUS:
                return None
            raise UsageError(
                f"{self.method}: init is {self.init!r}; it must be {PLUS_PLUS!r} or an array of "
                "starting centers (n_classes, bands)."
            )
        try:
            given: Float = np.asarray(self.init, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise UsageError(
                f"{self.method}: init is no array of numbers; starting centers are "
                "(n_classes, bands)."
            ) from error
        if given.ndim != 2 or len(given) != self.n_classes:
            raise UsageError(
                f"{self.method}: init is an array {given.shape}; for {self.n_classes} classes it "
                f"must be ({self.n_classes}, bands)."
            )
        if not (np.abs(given) <= SQUARABLE).all():
            raise UsageError(
                f"{self.method}: init holds values that are not finite or beyond {SQUARABLE:g}."
            )
        return given
