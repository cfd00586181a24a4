"""ISODATA: K-means that splits wide classes, merges close ones and deletes small ones."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rsclass.core import starts
from rsclass.core.labelled import LabelMemory
from rsclass.core.types import NO_CLASS, Block, Float, PixelStream, Prediction, Window
from rsclass.engines.base import Parameter
from rsclass.engines.centers import COMMON, MOST_CLASSES, CenterEngine, CenterPass
from rsclass.engines.reshaping import Clusters, Rules, merge, split
from rsclass.errors import UsageError


class Isodata(CenterEngine):
    """ISODATA after Ball and Hall, in the form given by Tou and Gonzalez.

    It starts with fewer classes than asked for, so that splits go where the pixels call for them.
    Means start evenly spread between mean - deviation and mean + deviation of every band. In each
    pass pixels go to the nearest center, classes of fewer than ``min_class_size`` pixels are
    deleted and their pixels given to others, and means are formed anew. Then wide classes are
    split or close ones merged: split when there are ``min_classes`` or fewer; merged in even
    passes and when there are ``max_classes``; else split. The last pass does neither.

    Distances and deviations are in engine space: in standard deviations of the bands with
    ``scale="standard"``, in units of the image with ``scale="none"``.

    Parameters
    ----------
    n_classes : int, default=12
        Classes to find, 1 to 65,534: the most to end with unless ``max_classes`` says otherwise.
    scale : {"standard", "robust", "none"}, default="standard"
        Whether bands are brought to a common spread before distances are measured.
    sample : int or None, default=1,000,000
        Pixels to learn from; None: every pixel of the scene.
    start_classes : int or None, default=None
        Classes to start from, at most ``max_classes``. None: half of ``n_classes``, rounded up.
    min_classes, max_classes : int or None
        None: half of ``n_classes``; ``n_classes``. Tou and Gonzalez end splits at twice.
    max_iter : int, default=20
        Passes at most.
    change_threshold : float, default=2
        Stop when no more than this percentage of the pixels changed class in a pass without
        deletions, and neither this pass nor the one before split or merged a class.
    min_class_size : int, default=5
        Smaller classes are deleted, in pixels of the sample.
    max_std : float, default=0.4
        A class may be split when a band's standard deviation within it exceeds this.
    split_fraction : float, default=0.5
        The two new centers lie this many deviations off the old one, 0 to 1.
    min_distance : float, default=0.5
        Classes whose centers are closer may be merged.
    max_merges : int, default=2
        Pairs merged in one pass at most.
    max_std_from_mean : float or None, default=None
        Pixels farther from their center than this many deviations of the class get no class; a
        class's deviation is the root of its mean squared distance to the center.
    max_distance_error : float or None, default=None
        Pixels farther from their center than this get no class.
    random_state : int, default=0
        Serves the choice of the sample only.

    Attributes
    ----------
    centers_ : float64 array (classes, bands)
        In physical units.
    spread_ : float64 array (classes,)
        Deviation of each class in engine space, as used by ``max_std_from_mean``.
    inertia_ : float
        Sum of squared distances to the own center, in engine space.
    n_iter_ : int
    history_ : list of dict
        For each pass the deletions, then the pass itself (``event`` is ``assign``), then its
        splits and merges. ``classes`` are numbered from 0 in the order of that moment.

    References
    ----------
    Ball and Hall 1965, ISODATA, a novel method of data analysis and pattern classification,
    Stanford Research Institute. Tou and Gonzalez 1974, Pattern Recognition Principles, section
    3.3.6, Addison-Wesley. Departures: no split leads beyond ``max_classes``, the widest first;
    no merge leads below ``min_classes``; passes also stop by ``change_threshold``.
    """

    method: ClassVar[str] = "isodata"
    title: ClassVar[str] = "ISODATA"
    paper: ClassVar[str] = "Ball and Hall 1965; Tou and Gonzalez 1974"
    parameters: ClassVar[dict[str, Parameter]] = COMMON | {
        "start_classes": Parameter(
            "classes to start from; none: half of n_classes",
            1,
            MOST_CLASSES,
            aliases=("initial", "initial_classes"),
        ),
        "min_classes": Parameter(
            "classes at or below which all wide ones are split; none: half of n_classes",
            1,
            MOST_CLASSES,
        ),
        "max_classes": Parameter(
            "classes at which no more are split; none: n_classes", 1, MOST_CLASSES
        ),
        "max_iter": Parameter("passes at most", 1, aliases=("iterations", "max_iterations")),
        "change_threshold": Parameter(
            "stop when no more pixels change class",
            0,
            100,
            aliases=("change_threshold_percent",),
            unit="%",
        ),
        "min_class_size": Parameter(
            "smaller classes are deleted",
            0,
            aliases=("minimum_class_size", "min_pixels", "min_samples"),
            unit="pixels",
        ),
        "max_std": Parameter(
            "deviation beyond which a class is split", 0, aliases=("max_class_stdev", "stdv")
        ),
        "split_fraction": Parameter(
            "deviations between old and new centers", 0, 1, aliases=("gamma",)
        ),
        "min_distance": Parameter(
            "centers closer than this are merged",
            0,
            aliases=("min_class_distance", "max_merge_distance", "lump"),
        ),
        "max_merges": Parameter(
            "pairs merged in one pass at most",
            0,
            aliases=("max_merge_pairs", "max_merges_per_iteration", "maxpair"),
        ),
        "max_std_from_mean": Parameter(
            "farther pixels get no class", 0, aliases=("max_stdev_from_mean",), unit="deviations"
        ),
        "max_distance_error": Parameter("farther pixels get no class", 0),
    }

    def __init__(
        self,
        n_classes: int = 12,
        *,
        scale: str = "standard",
        sample: int | None = 1_000_000,
        start_classes: int | None = None,
        min_classes: int | None = None,
        max_classes: int | None = None,
        max_iter: int = 20,
        change_threshold: float = 2.0,
        min_class_size: int = 5,
        max_std: float = 0.4,
        split_fraction: float = 0.5,
        min_distance: float = 0.5,
        max_merges: int = 2,
        max_std_from_mean: float | None = None,
        max_distance_error: float | None = None,
        random_state: int = 0,
    ) -> None:
        self.n_classes = n_classes
        self.scale = scale
        self.sample = sample
        self.start_classes = start_classes
        self.min_classes = min_classes
        self.max_classes = max_classes
        self.max_iter = max_iter
        self.change_threshold = change_threshold
        self.min_class_size = min_class_size
        self.max_std = max_std
        self.split_fraction = split_fraction
        self.min_distance = min_distance
        self.max_merges = max_merges
        self.max_std_from_mean = max_std_from_mean
        self.max_distance_error = max_distance_error
        self.random_state = random_state

    @property
    def _start_classes(self) -> int:
        return (self.n_classes + 1) // 2 if self.start_classes is None else self.start_classes

    @property
    def _rules(self) -> Rules:
        return Rules(
            fewest=self.n_classes // 2 if self.min_classes is None else self.min_classes,
            most=self.n_classes if self.max_classes is None else self.max_classes,
            min_class_size=self.min_class_size,
            max_std=self.max_std,
            split_fraction=self.split_fraction,
            min_distance=self.min_distance,
            max_merges=self.max_merges,
        )

    def check_parameters(self) -> None:
        """Raise UsageError when a parameter is outside of its range, or the ranges disagree."""
        super().check_parameters()
        fewest, most = self._rules.fewest, self._rules.most
        if not fewest <= self.n_classes <= most:
            raise UsageError(
                f"isodata: n_classes is {self.n_classes}; it must lie between min_classes "
                f"({fewest}) and max_classes ({most})."
            )
        if self._start_classes > most:
            raise UsageError(
                f"isodata: start_classes is {self.start_classes}; it must be no more than "
                f"max_classes ({most})."
            )

    # -- learning ---------------------------------------------------------------------------

    def _learn(self, stream: PixelStream) -> None:
        pixels, drawn = self._pixels(stream)
        table = self.scaling_.forward(drawn.values)
        centers = np.unique(starts.diagonal(table, self._start_classes) + 0.0, axis=0)
        previous: Float | None = None
        memory = self._memory(pixels, max(self._rules.most, len(centers)))
        for n_iter in range(1, self.max_iter + 1):
            self.n_iter_ = n_iter
            clusters, changed, previous = self._assign(pixels, centers, previous, memory)
            centers = clusters.centers
            settled = changed is not None and changed <= self.change_threshold
            if n_iter == self.max_iter:
                if not settled:
                    self._warn_of_early_end(changed)
                break
            reshaped = self._reshape(clusters)
            if reshaped is not None:
                previous, centers = None, reshaped
            elif settled:
                break
        self._settle(centers)
        self._measure(pixels)

    def _assign(
        self,
        pixels: PixelStream,
        centers: Float,
        previous: Float | None,
        memory: LabelMemory,
    ) -> tuple[Clusters, float | None, Float]:
        """Give pixels to the nearest of ``centers``, after small classes were deleted.

        Returns
        -------
        clusters : Clusters
        changed : float or None
            Percentage of the pixels that changed class, where that can be said.
        centers : float64 array (classes, bands)
            Those left of the given ones.
        """
        clusters, moved, inertia = self._tally(pixels, centers, previous, memory)
        small = clusters.sizes < max(self.min_class_size, 1)
        small[clusters.sizes.argmax()] = False
        for k in np.flatnonzero(small):
            self._log("delete", classes=[int(k)], sizes=[int(clusters.sizes[k])])
        changed = None
        if small.any():
            centers = centers[~small]
            clusters, _, inertia = self._tally(pixels, centers, None, memory)
        elif previous is not None:
            changed = 100.0 * moved / int(clusters.sizes.sum())
        self._log("assign", n_classes=len(clusters), inertia=inertia, changed=changed)
        return clusters, changed, centers

    def _tally(
        self,
        pixels: PixelStream,
        centers: Float,
        previous: Float | None,
        memory: LabelMemory,
    ) -> tuple[Clusters, int, float]:
        """The classes, the pixels that changed class, and the sum of squared distances."""
        step = CenterPass(self.scaling_, centers, previous, memory, distances=True)
        tally = pixels.fold(step, f"ISODATA, pass {self.n_iter_}")
        some_block = pixels.read(Window(0, 0, 1, 1))
        # A class that lost all its pixels is deleted before its deviations matter.
        filled = tally.count[:, None] > 0
        return (
            Clusters(
                np.where(filled, step.means(tally, some_block), centers),
                np.where(filled, step.deviations(tally, some_block), 0.0),
                tally.count,
                tally.distance,
            ),
            tally.moved,
            float(step.inertia(tally, some_block).sum()),
        )

    def _reshape(self, clusters: Clusters) -> Float | None:
        """Centers after the splits or merges of this pass; None where there are none."""
        rules = self._rules
        few = len(clusters) <= rules.fewest
        merges = not few and (self.n_iter_ % 2 == 0 or len(clusters) >= rules.most)
        centers, events = (merge if merges else split)(clusters, rules)
        for event in events:
            self._log(**event)
        return centers if events else None

    def _log(self, event: str, **facts: Any) -> None:
        self.history_.append({"pass": self.n_iter_, "event": event, **facts})

    def _measure(self, pixels: PixelStream) -> None:
        """Set the spread of the final classes."""
        step = CenterPass(self.scaling_, self.scaling_.forward(self.centers_))
        tally = pixels.fold(step, "ISODATA, last pass")
        inertia = step.inertia(tally, pixels.read(Window(0, 0, 1, 1)))
        self.inertia_ = float(inertia.sum())
        self.spread_ = np.sqrt(inertia / np.maximum(tally.count, 1))

    def _warn_of_early_end(self, changed: float | None) -> None:
        ending = "its classes settled."
        if changed is not None:
            ending += f" {changed:.3g} % of the pixels still changed class."
        self.warnings_.append(f"ISODATA was stopped after {self.max_iter} passes before {ending}")

    def _note_missing_classes(self) -> None:
        passes_alone = len(self.history_) == self.n_iter_
        if passes_alone and self.n_classes_ < self._start_classes:
            super()._note_missing_classes()
        elif self.n_classes_ < self.n_classes:
            events = [entry["event"] for entry in self.history_]
            self.warnings_.append(
                f"{self.n_classes} classes were asked for and {self.n_classes_} found: "
                f"{events.count('merge')} pairs were merged, {events.count('delete')} small or "
                f"empty classes deleted and {events.count('split')} classes split. A lower max_std "
                "or min_distance leaves more."
            )

    # -- labelling --------------------------------------------------------------------------

    def label_bytes(self, layers: Collection[str]) -> float:
        """Working memory of ``predict_block`` in bytes for one pixel."""
        return super().label_bytes(layers if self._reach() is None else {*layers, "distance"})

    def predict_block(self, block: Block, core: Window, layers: Collection[str] = ()) -> Prediction:
        """Label each pixel with its nearest center, unless it is too far from it.

        See :meth:`CenterEngine.predict_block`; layers keep their values at such pixels.
        """
        reach = self._reach()
        if reach is None:
            return super().predict_block(block, core, layers)
        found = super().predict_block(block, core, {*layers, "distance"})
        # Invalid pixels have no distance, and no class already.
        far = found.layers["distance"] > reach[np.maximum(found.labels, 0)]
        kept = {name: layer for name, layer in found.layers.items() if name in layers}
        return Prediction(np.where(far, np.int32(NO_CLASS), found.labels), kept)

    def _reach(self) -> Float | None:
        """Greatest distance (classes,) at which a pixel gets a class; None: any."""
        if self.max_std_from_mean is None and self.max_distance_error is None:
            return None
        reach = np.full(self.n_classes_, np.inf)
        if self.max_std_from_mean is not None:
            reach = self.max_std_from_mean * self.spread_
        if self.max_distance_error is not None:
            reach = np.minimum(reach, self.max_distance_error)
        return reach

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Scaling, centers and the spread of the classes."""
        card, arrays = super().state()
        return card, arrays | {"spread": self.spread_}

    def restore(self, card: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Set scaling, centers and spread from what ``state`` gave."""
        super().restore(card, arrays)
        self.spread_ = arrays["spread"]
