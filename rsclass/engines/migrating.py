"""Migrating means: K-means from evenly spread starting means, without any random choice."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from rsclass.core import starts
from rsclass.core.types import Float, PixelStream, Window
from rsclass.engines.base import Parameter
from rsclass.engines.centers import COMMON, CenterEngine, CenterPass


class MigratingMeans(CenterEngine):
    """Migrating means: evenly spread means, moved until hardly a pixel changes its class.

    The seed serves the choice of the sample only; with ``sample=None`` nothing is left to chance.
    A class without pixels keeps its mean and is dropped at the end.

    Parameters
    ----------
    n_classes : int, default=12
        Classes to find, 1 to 65,534.
    scale : {"standard", "robust", "none"}, default="standard"
        Whether bands are brought to a common spread before distances are measured.
    sample : int or None, default=1,000,000
        Pixels to learn from; None: every pixel of the scene.
    start : {"diagonal", "principal"}, default="diagonal"
        The line on which the means are spread: through mean - reach and mean + reach standard
        deviations of all bands, or along the first principal axis.
    reach : float, default=1
        Half the length of that line in standard deviations.
    unchanged : float, default=98
        Stop when at least this percentage of the pixels keeps its class in a pass.
    max_iter : int, default=100
        Passes at most.
    random_state : int, default=0

    Attributes
    ----------
    centers_ : float64 array (classes, bands)
        In physical units.
    inertia_ : float
        Sum of squared distances to the own center at the last pass, in engine space.
    n_iter_ : int

    References
    ----------
    Swain and Davis 1978, Remote Sensing: The Quantitative Approach, McGraw-Hill.
    """

    method: ClassVar[str] = "migrating"
    title: ClassVar[str] = "migrating means"
    paper: ClassVar[str] = "Swain and Davis 1978, Remote Sensing: The Quantitative Approach"
    parameters: ClassVar[dict[str, Parameter]] = COMMON | {
        "start": Parameter("line on which the means are spread", choices=("diagonal", "principal")),
        "reach": Parameter("half the length of that line", 0, unit="standard deviations"),
        "unchanged": Parameter(
            "stop when so many pixels keep their class", 0, 100, aliases=("convergence",), unit="%"
        ),
        "max_iter": Parameter("passes at most", 1, aliases=("iterations", "max_iterations")),
    }

    def __init__(
        self,
        n_classes: int = 12,
        *,
        scale: str = "standard",
        sample: int | None = 1_000_000,
        start: str = "diagonal",
        reach: float = 1.0,
        unchanged: float = 98.0,
        max_iter: int = 100,
        random_state: int = 0,
    ) -> None:
        self.n_classes = n_classes
        self.scale = scale
        self.sample = sample
        self.start = start
        self.reach = reach
        self.unchanged = unchanged
        self.max_iter = max_iter
        self.random_state = random_state

    def _learn(self, stream: PixelStream) -> None:
        pixels, drawn = self._pixels(stream)
        line = {"diagonal": starts.diagonal, "principal": starts.principal}[self.start]
        table = self.scaling_.forward(drawn.values)
        centers = np.unique(line(table, self.n_classes, self.reach), axis=0)
        previous: Float | None = None
        some_block = pixels.read(Window(0, 0, 1, 1))
        memory = self._memory(pixels, len(centers))
        for n_iter in range(1, self.max_iter + 1):
            self.n_iter_ = n_iter
            step = CenterPass(self.scaling_, centers, previous, memory)
            tally = pixels.fold(step, f"migrating means, pass {n_iter}")
            n_pixels = int(tally.count.sum())
            # In the first pass every pixel is new to its class.
            moved = tally.moved if previous is not None else n_pixels
            self.inertia_ = float(step.inertia(tally, some_block).sum())
            self.history_.append(
                {
                    "pass": n_iter,
                    "inertia": self.inertia_,
                    "unchanged": 100.0 * (1.0 - moved / n_pixels),
                    "empty": int((tally.count == 0).sum()),
                }
            )
            means = step.means(tally, some_block)
            previous, centers = centers, np.where(tally.count[:, None] > 0, means, centers)
            if 100.0 * (n_pixels - moved) >= self.unchanged * n_pixels:
                break
        else:
            self.warnings_.append(
                f"migrating means were stopped after {self.max_iter} passes, when "
                f"{self.history_[-1]['unchanged']:.1f} % of the pixels kept their class."
            )
        self._settle(centers, tally.count)

    def _note_missing_classes(self) -> None:
        if self.n_classes_ < self.n_classes:
            self.warnings_.append(
                f"{self.n_classes} classes were asked for and {self.n_classes_} found: no pixel "
                "was nearest to the other starting means."
            )
