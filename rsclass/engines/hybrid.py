"""Hybrid classification: clusters give the signatures, maximum likelihood gives the map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from rsclass.core.arrays import ArrayStream
from rsclass.core.priors import class_priors
from rsclass.core.separability import jeffries_matusita
from rsclass.core.signatures import class_stats, pooled, regular, steps
from rsclass.core.stats import LARGEST_COVARIANCE, ClassStats
from rsclass.core.training import TrainingSet
from rsclass.core.types import Band, Float, PixelStream
from rsclass.engines.base import Engine, Parameter
from rsclass.engines.catalogue import make_engine
from rsclass.engines.centers import COMMON
from rsclass.engines.clusters import SignaturePass, joined, large_only, ordered
from rsclass.engines.gaussian import GAUSSIAN, GaussianEngine
from rsclass.errors import DataError, UsageError

CLUSTERING = ("kmeans", "isodata", "minibatch", "competitive", "migrating", "fuzzy")
SCENE_CLUSTERS, CLASS_CLUSTERS = 12, 3
SCENE_SEPARABILITY, CLASS_SEPARABILITY = 1.0, 1.7
STEP_PIXELS = 20_000
"""From which the gap between stored values is told."""


class Hybrid(GaussianEngine):
    """Clusters as the signatures of maximum likelihood, with or without training samples.

    Without samples the scene is clustered, and mean and covariance of every cluster, taken over all
    of the scene's pixels, become a class. With samples the pixels of each training class are
    clustered, so that a class of several kinds of ground (sunny and shaded forest) becomes several
    normal distributions; a pixel goes to the class of the likeliest.

    Clusters of fewer pixels than ``min_pixels`` are dropped (of a training class: put to its
    nearest larger one), and the closest pairs are merged until all are at least
    ``min_separability`` apart; of a training class only its own.

    Parameters
    ----------
    n_classes : int or None, default=None
        Clusters of the scene, or of each training class, at most. None: 12, or 3.
    cluster_method : str, default="kmeans"
        How clusters are found: kmeans, isodata, minibatch, competitive, migrating or fuzzy.
    min_separability : float or None, default=None
        Least Jeffries-Matusita distance of two clusters, 0 to 2; 0 merges none. None: 1 for a
        scene, where clusters border on each other, and 1.7 within a training class: the halves of
        a single normal distribution are 1.2 to 1.6 apart.
    min_pixels : int or None, default=None
        Smaller clusters are dropped. None: ten for each band.
    priors : {"equal", "sample"} or mapping of class to prior, default="equal"
        Of the training classes, each shared among its distributions by their pixels. Without
        samples ``sample`` stands for the clusters' shares of the scene.
    reject : float or None, default=None
        As for maximum likelihood.
    shrinkage : float or None, default=None
        As for maximum likelihood.
    sample : int or None, default=1,000,000
        Pixels of the scene to find clusters in; None: every pixel.
    scale : {"standard", "robust", "none"}, default="standard"
        Space in which clusters are found.
    random_state : int, default=0

    References
    ----------
    Richards and Jia 2006, Remote Sensing Digital Image Analysis, section 11.6,
    doi:10.1007/3-540-29711-1; Fleming, Berkebile and Hoffer 1975, Purdue University LARS 072475.
    """

    method: ClassVar[str] = "hybrid"
    title: ClassVar[str] = "clusters and maximum likelihood"
    paper: ClassVar[str] = "Richards and Jia 2006, section 11.6, doi:10.1007/3-540-29711-1"
    needs_training: ClassVar[bool] = False
    learned_names_: bool = False
    parameters: ClassVar[dict[str, Parameter]] = {
        "n_classes": Parameter(
            "clusters of the scene (none: 12), or of each training class (none: 3)",
            1,
            1000,
            aliases=("classes", "n_clusters", "k", "number_of_classes"),
        ),
        "cluster_method": Parameter("how clusters are found", choices=CLUSTERING),
        "min_separability": Parameter(
            "least Jeffries-Matusita distance of two clusters, closer ones are merged; none: 1 for "
            "a scene, 1.7 within a training class",
            0,
            2,
        ),
        "min_pixels": Parameter(
            "smaller clusters are dropped; none: ten for each band", 2, unit="pixels"
        ),
        **GAUSSIAN,
        "sample": Parameter(
            "pixels of the scene to find clusters in; none: every pixel", 1, unit="pixels"
        ),
        "scale": Parameter("space in which clusters are found", choices=COMMON["scale"].choices),
        "random_state": COMMON["random_state"],
    }

    def __init__(
        self,
        n_classes: int | None = None,
        *,
        cluster_method: str = "kmeans",
        min_separability: float | None = None,
        min_pixels: int | None = None,
        priors: Any = "equal",
        reject: float | None = None,
        shrinkage: float | None = None,
        sample: int | None = 1_000_000,
        scale: str = "standard",
        random_state: int = 0,
    ) -> None:
        self.n_classes = n_classes
        self.cluster_method = cluster_method
        self.min_separability = min_separability
        self.min_pixels = min_pixels
        self.priors = priors
        self.reject = reject
        self.shrinkage = shrinkage
        self.sample = sample
        self.scale = scale
        self.random_state = random_state

    def _clusters(self, n_classes: int, sample: int | None) -> Engine:
        values = {
            "n_classes": n_classes,
            "scale": self.scale,
            "sample": sample,
            "random_state": self.random_state,
        }
        return make_engine(self.cluster_method, values)

    def _least(self, n_bands: int) -> int:
        return 10 * n_bands if self.min_pixels is None else self.min_pixels

    # -- without samples --------------------------------------------------------------------

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The labels as text; None where classes are clusters."""
        return super().class_names if self.learned_names_ else None

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the classes ``y`` of the pixels ``X``, or find classes where there is no ``y``.

        See :meth:`SupervisedEngine.fit`.
        """
        return super().fit(X, y) if y is not None else Engine.fit(self, X)

    def fit_stream(self, stream: PixelStream) -> Self:
        """Find the classes of a stream of pixels."""
        return Engine.fit_stream(self, stream)

    def _learn(self, stream: PixelStream) -> None:
        if isinstance(self.priors, Mapping):
            raise UsageError(
                "hybrid: priors name classes, and without training samples there are none; choose "
                "equal or sample."
            )
        self.learned_names_ = False
        clusters = self._clusters(self.n_classes or SCENE_CLUSTERS, self.sample).fit_stream(stream)
        self._refuse_many(clusters.n_classes_, len(stream.bands))
        self.history_ = list(clusters.history_)
        self.warnings_ += clusters.warnings_
        drawn = stream.sample(STEP_PIXELS, self.random_state)
        gain = np.array([band.gain for band in stream.bands])
        offset = np.array([band.offset for band in stream.bands])
        origin = (clusters.signatures().mean(axis=0) - offset) / gain
        tally = stream.fold(SignaturePass(clusters, origin), "signatures of the clusters")
        stats = tally.finish(stream.bands, origin)
        n_found = len(stats.count)
        kept = np.flatnonzero(stats.count >= self._least(len(stream.bands)))
        if len(kept) == 0:
            raise DataError(
                f"hybrid: none of {n_found} clusters has {self._least(len(stream.bands)):,} "
                "pixels, from which its spread could be told; ask for fewer classes, or lower "
                "min_pixels."
            )
        step = steps(drawn.values)
        stats = pooled(stats, [[k] for k in kept.tolist()])
        groups = self._merged(stats, step, SCENE_SEPARABILITY)
        stats = ordered(pooled(stats, groups))
        self._tell(n_found, len(kept), len(groups))
        self.classes_ = np.arange(len(groups))
        self.n_classes_ = len(groups)
        self.class_stats_ = stats
        names = [f"cluster {k + 1}" for k in range(len(groups))]
        found = regular(stats, step, names, self.shrinkage)
        self.warnings_ += found.notes
        self._settle(found, class_priors(self.priors, names, stats.count), range(len(groups)))

    def _refuse_many(self, n_clusters: int, n_bands: int) -> None:
        most = LARGEST_COVARIANCE // n_bands**2
        if n_clusters > most:
            raise UsageError(
                f"hybrid: {n_clusters} clusters of {n_bands} bands were found, and covariances of "
                f"at most {most} fit; ask for fewer classes or bands."
            )

    def learn_bytes(self, n_bands: int, n_valid: int) -> int:
        """Memory in bytes that finding clusters takes beside the tiles."""
        return self._clusters(self.n_classes or SCENE_CLUSTERS, self.sample).learn_bytes(
            n_bands, n_valid
        )

    def _tell(self, n_found: int, n_kept: int, n_left: int) -> None:
        self.history_.append(
            {
                "event": "signatures",
                "clusters": n_found,
                "dropped": n_found - n_kept,
                "merged": n_kept - n_left,
                "classes": n_left,
            }
        )
        if n_left < n_found:
            self.warnings_.append(
                f"of {n_found} clusters {n_found - n_kept} were too small for a signature and "
                f"{n_kept - n_left} too like another one; {n_left} are left."
            )

    # -- with samples -----------------------------------------------------------------------

    def _learn_training(self, training: TrainingSet) -> None:
        self.learned_names_ = True
        names = self.class_names or training.names
        step = steps(training.values)
        priors = class_priors(self.priors, names, training.counts)
        parts: list[ClassStats] = []
        parents: list[int] = []
        for k in range(training.n_classes):
            found = self._within(training.of_class(k), names[k])
            groups = self._merged(found, step, CLASS_SEPARABILITY)
            merged = ordered(pooled(found, groups))
            parts.append(merged)
            parents += [k] * len(merged.count)
            self.history_.append(
                {
                    "event": "signatures",
                    "class": names[k],
                    "clusters": len(found.count),
                    "signatures": len(merged.count),
                }
            )
        stats = joined(parts)
        shares = stats.count / self.class_stats_.count[parents]
        labels = [f"{names[k]} ({n:,} pixels)" for k, n in zip(parents, stats.count, strict=True)]
        several = [i for i, k in enumerate(parents) if parents.count(k) > 1]
        told = [labels[i] if i in several else names[k] for i, k in enumerate(parents)]
        found_regular = regular(stats, step, told, self.shrinkage)
        self.warnings_ += found_regular.notes
        self._settle(found_regular, priors[parents] * shares, parents)

    def _within(self, table: Float, name: str) -> ClassStats:
        """Signatures of the clusters of a training class, all of them large enough."""
        bands = self.bands_
        least = self._least(len(bands))
        n = min(self.n_classes or CLASS_CLUSTERS, len(table) // least)
        labels = np.zeros(len(table), np.int32)
        if n > 1:
            plain = [Band(band.name) for band in bands]
            clusters = self._clusters(n, None).fit_stream(ArrayStream.of_table(table, plain))
            labels = np.asarray(clusters.predict(table), np.int32)
            labels = large_only(table, labels, least)
        return class_stats(table, labels, int(labels.max()) + 1, bands)

    def _merged(self, stats: ClassStats, step: Float, usual: float) -> list[list[int]]:
        """Groups of signatures that are too close to be told apart, closest first."""
        least = usual if self.min_separability is None else self.min_separability
        groups = [[k] for k in range(len(stats.count))]
        while len(groups) > 1:
            now = pooled(stats, groups)
            fit = regular(now, step, [""] * len(groups), self.shrinkage)
            apart = jeffries_matusita(fit.mean, fit.covariance)
            apart[np.tril_indices(len(groups))] = np.inf
            one, other = np.unravel_index(int(apart.argmin()), apart.shape)
            if not apart[one, other] < least:
                break
            groups[one] = sorted(groups[one] + groups.pop(other))
        return groups

    # -- keeping ----------------------------------------------------------------------------

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Labels, distributions, and whether classes were learned with their names."""
        card, arrays = super().state()
        return card | {"learned_names": self.learned_names_}, arrays

    def restore(self, card: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Set the fitted attributes from what ``state`` gave."""
        self.learned_names_ = bool(card["learned_names"])
        super().restore(card, arrays)
