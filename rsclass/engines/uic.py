"""Unsupervised image classification: a network that learns from its own answers.

Chen, Pu, Xie, Yang, Guo, Lin 2020, Unsupervised Image Classification for Deep Representation
Learning, ECCV Workshops, arXiv:2006.11480.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from rsclass.core.tree import Tree, ward
from rsclass.core.types import Block, Float, PixelStream, Prediction, Window
from rsclass.engines.base import Engine, Parameter, is_table
from rsclass.errors import BrokenModelError, RsclassWarning, UsageError

if TYPE_CHECKING:
    from rsclass.deep import model
    from rsclass.deep.infer import Labeler

__all__ = ["UIC"]

_FEWEST_CLUSTERS, _MOST_CLUSTERS = 16, 64
_making = threading.Lock()


class UIC(Engine):
    """Find classes with a convolutional network that is trained on its own labels.

    The forward result of one epoch is the pseudo label of the next. ``mode="landcover"`` departs
    from the paper where land-cover maps gain by it: it starts from k-means on smoothed pixels kept
    for ``warmup`` epochs, learns on dense tiles with weights in place of a sampler, takes its
    labels from an exponential average of the network, finds more clusters than classes and merges
    them by size-weighted Ward. ``mode="paper"`` keeps to the paper: random labels, quota sampler,
    labels from the trained view.

    Parameters
    ----------
    n_classes : int, default=12
        Classes to find.
    mode : {"landcover", "paper"}
    epochs : int, default=20
    overcluster : int, default=6
        Clusters for each class before merging; 16 to 64 in all (landcover).
    warmup : int, default=6
        Epochs that keep the start labels (landcover).
    receptive_field : int, default=7
        Side in pixels of the square around a pixel that decides its class; odd.
    width : int, default=48
        Channels of the network.
    head : {"linear", "mlp"}
    sobel : bool, default=False
        The gradients of every input are inputs too.
    logit_norm : bool, default=False
        Batch normalization of the logits.
    balance : float, default=1.0
        Exponent b of the pixel weights ``class size ** -b`` (landcover); 0 turns the quota sampler
        off (paper).
    decay : float, default=0.97
        Of the averaged network that labels (landcover).
    gain : float, default=0.05
        Standard deviation of the random gain of the illumination, in raw units. One such
        deviation shifts no band by more than a quarter of its 2-98 % range, wherever its zero is
        (a departure).
    noise : float, default=0.05
        Standard deviation of the noise added to scaled inputs.
    learning_rate : float, default=0.05
    schedule : {"cosine", "linear"}
    batch : int or None
        Tiles (landcover, 8) or patches (paper, 256) of one step.
    tiles : int, default=128
        Tiles of 32 x 32 pixels of one epoch (landcover).
    samples : int, default=16384
        Patches (paper).
    merge_space : {"spectra", "embedding", "logits"}
        Where clusters are merged: ``spectra`` unless the light varies over the scene.
    training_pixels : int, default=1,000,000
        Pixels of the training areas, held in memory. Smaller scenes are used whole.
    random_state : int, default=0

    Attributes
    ----------
    jobs : int or None
        Worker threads; None: one for each core. Sets the speed, never the result.
    device : str
        ``auto``, ``cpu`` or ``cuda``; without an accelerator all are ``cpu``. A graphics processor
        rounds in another way than a processor.
    tree_ : Tree
        The merges from clusters to one class.
    n_clusters_ : int
        Clusters that hold pixels.

    Notes
    -----
    A pixel belongs to the class of its most probable cluster. Layers: ``membership`` in a class is
    the probability of the class's most probable cluster, divided by the sum over classes (a sum
    over clusters would favor classes of many clusters), ``confidence`` its maximum, ``entropy`` is
    in nats, and ``distance`` is -log of the confidence.
    """

    method: ClassVar[str] = "uic"
    title: ClassVar[str] = "Unsupervised image classification (UIC)"
    paper: ClassVar[str] = (
        "Chen, Pu, Xie, Yang, Guo, Lin 2020, Unsupervised Image Classification for Deep "
        "Representation Learning, ECCV Workshops, arXiv:2006.11480"
    )
    block: ClassVar[int] = 128
    parameters: ClassVar[dict[str, Parameter]] = {
        "n_classes": Parameter("classes to find", low=1, high=1024),
        "mode": Parameter(
            "land-cover maps or fidelity to the paper", choices=("landcover", "paper")
        ),
        "epochs": Parameter("passes", low=1, high=10_000),
        "overcluster": Parameter("clusters for each class before merging", low=1, high=64),
        "warmup": Parameter("epochs that keep the start labels", low=0, high=10_000),
        "receptive_field": Parameter(
            "side of the square that decides a pixel's class, odd", low=1, high=63, unit="pixels"
        ),
        "width": Parameter("channels of the network", low=4, high=1024),
        "head": Parameter("layers before the classifier", choices=("linear", "mlp")),
        "sobel": Parameter("add the gradients of every input"),
        "logit_norm": Parameter("batch normalization of the logits"),
        "balance": Parameter("exponent of the class weights", low=0, high=2),
        "decay": Parameter("of the averaged network that labels", low=0, high=0.99999),
        "gain": Parameter("random gain of the illumination in training", low=0, high=1),
        "noise": Parameter("noise added in training", low=0, high=2),
        "learning_rate": Parameter("of stochastic gradient descent", low=1e-6, high=10),
        "schedule": Parameter("how the learning rate falls", choices=("cosine", "linear")),
        "batch": Parameter("tiles or patches of one step", low=2, high=65_536),
        "tiles": Parameter("training tiles of one epoch", low=2, high=1_000_000),
        "samples": Parameter("training patches", low=2, high=10_000_000),
        "merge_space": Parameter(
            "where clusters are merged", choices=("spectra", "embedding", "logits")
        ),
        "training_pixels": Parameter(
            "pixels of the training areas",
            low=1,
            high=100_000_000,
            aliases=("sample",),
            unit="pixels",
        ),
        "random_state": Parameter("seed", low=0, aliases=("seed",)),
    }

    jobs: int | None = None
    device: str = "auto"

    tree_: Tree
    n_clusters_: int
    _labeler: tuple[str, Labeler] | None = None

    def __init__(
        self,
        n_classes: int = 12,
        *,
        mode: str = "landcover",
        epochs: int = 20,
        overcluster: int = 6,
        warmup: int = 6,
        receptive_field: int = 7,
        width: int = 48,
        head: str = "linear",
        sobel: bool = False,
        logit_norm: bool = False,
        balance: float = 1.0,
        decay: float = 0.97,
        gain: float = 0.05,
        noise: float = 0.05,
        learning_rate: float = 0.05,
        schedule: str = "cosine",
        batch: int | None = None,
        tiles: int = 128,
        samples: int = 16_384,
        merge_space: str = "spectra",
        training_pixels: int = 1_000_000,
        random_state: int = 0,
    ) -> None:
        self.n_classes = n_classes
        self.mode = mode
        self.epochs = epochs
        self.overcluster = overcluster
        self.warmup = warmup
        self.receptive_field = receptive_field
        self.width = width
        self.head = head
        self.sobel = sobel
        self.logit_norm = logit_norm
        self.balance = balance
        self.decay = decay
        self.gain = gain
        self.noise = noise
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.batch = batch
        self.tiles = tiles
        self.samples = samples
        self.merge_space = merge_space
        self.training_pixels = training_pixels
        self.random_state = random_state

    @property
    def halo(self) -> int:
        """Pixels of context needed on each side of a predicted window."""
        return self.receptive_field // 2

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the classes of an image.

        Parameters
        ----------
        X : array (bands, height, width), path, open dataset or DataArray
        y : ignored

        Raises
        ------
        UsageError
            X is a table: its pixels have no neighbors.
        """
        _refuse_table(X)
        return super().fit(X, y)

    def check_parameters(self) -> None:
        """Raise UsageError when a parameter is outside of its range."""
        super().check_parameters()
        least = 3 if self.sobel else 1
        if self.receptive_field % 2 == 0 or self.receptive_field < least:
            raise UsageError(
                f"uic: receptive_field is {self.receptive_field}; it must be an odd number of "
                f"{least} or more."
            )

    def use_machine(self, workers: int, device: str) -> None:
        """Tell the engine what it may use.

        Parameters
        ----------
        workers : int
            Threads; sets speed, never the result.
        device : str
            ``auto``, ``cpu`` or ``cuda``.

        Warns
        -----
        RsclassWarning
            ``cuda`` was asked for, there is none, and the processor computes.
        """
        self.jobs, self.device = workers, device
        if device == "cuda" and _deep().choose_device(device).type != "cuda":
            warnings.warn(
                "the device cuda was asked for and this machine has none that PyTorch can use; "
                "uic computes on the processor.",
                RsclassWarning,
                stacklevel=2,
            )

    def label_bytes(self, layers: Collection[str]) -> float:
        """Working memory of ``predict_block`` in bytes for one pixel, beside a tile's network."""
        of_layers = sum(self.n_classes_ if name == "membership" else 1 for name in layers)
        return 8.0 + 4.0 * of_layers

    def learn_bytes(self, n_bands: int, n_valid: int) -> int:
        """Memory in bytes that ``fit`` holds at once: training areas, labels, networks at work."""
        deep = _deep()
        needed: int = deep.learn_bytes(self._plan(deep), n_bands, n_valid)
        return needed

    @property
    def device_used(self) -> str:
        """Where the labels are computed."""
        return str(_deep().choose_device(self.device).type)

    def fit_trial(self, stream: PixelStream) -> float:
        """Train for one epoch; all of them take so many times as long."""
        epochs = self.epochs
        try:
            self.epochs = 1
            self.fit_stream(stream)
        finally:
            self.epochs = epochs
        return 1 / epochs

    def pixels_learned_from(self, n_valid: int) -> int:
        """An epoch has a fixed number of tiles or patches, whatever the size of the scene."""
        return 0

    def _learn(self, stream: PixelStream) -> None:
        if getattr(stream, "is_table", False):
            raise UsageError("uic needs an image (bands, height, width), and X is a table.")
        deep = _deep()
        learned = deep.learn(stream, self._plan(deep), self._workers(), self.device)
        self.warnings_ += learned.warnings
        self.history_ = learned.history
        self._clusters = {
            "count": learned.clusters.count,
            "spectra": learned.clusters.spectra,
        }
        self.tree_ = ward(learned.clusters.count, learned.clusters.features)
        self._scaling = learned.scaling
        self._shape = learned.net.shape.card()
        self._weights = learned.net.arrays()
        self._finish(learned.n_classes)

    def _plan(self, deep: Any) -> model.Plan:
        landcover = self.mode == "landcover"
        many = int(np.clip(self.overcluster * self.n_classes, _FEWEST_CLUSTERS, _MOST_CLUSTERS))
        clusters = max(many, self.n_classes) if landcover else self.n_classes
        recipe = deep.Recipe(
            clusters=clusters,
            epochs=self.epochs,
            batch=self.batch or (8 if landcover else 256),
            tiles=self.tiles,
            samples=self.samples,
            warmup=self.warmup,
            learning_rate=self.learning_rate,
            schedule=self.schedule,
            balance=self.balance,
            decay=self.decay,
            seed=self.random_state,
        )
        shape = deep.Shape(
            channels=1,
            clusters=1,
            receptive_field=self.receptive_field,
            width=self.width,
            head=self.head,
            sobel=self.sobel,
            logit_norm=self.logit_norm,
        )
        plan: model.Plan = deep.Plan(
            mode=self.mode,
            n_classes=self.n_classes,
            recipe=recipe,
            shape=shape,
            gain=self.gain,
            noise=self.noise,
            space=self.merge_space,
            training_pixels=self.training_pixels,
        )
        return plan

    def _workers(self) -> int:
        if self.jobs is not None:
            return self.jobs
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1

    def _finish(self, n_classes: int) -> None:
        """Cut the tree, and order the classes by brightness."""
        count, spectra = self._clusters["count"], self._clusters["spectra"]
        cut = self.tree_.cut(n_classes)
        weighted = np.zeros((n_classes, spectra.shape[1]))
        np.add.at(weighted, cut, spectra * count[:, None])
        means = weighted / np.bincount(cut, weights=count)[:, None]
        order = sorted(range(n_classes), key=lambda c: (means[c].mean(), *means[c]))
        rank = np.empty(n_classes, dtype=np.int64)
        rank[order] = np.arange(n_classes)
        self.n_classes_ = n_classes
        self.n_clusters_ = len(count)
        self._means: Float = means[order]
        self._group: NDArray[np.int64] = rank[cut]
        self._labeler = None

    def predict_block(self, block: Block, core: Window, layers: Collection[str] = ()) -> Prediction:
        """Label ``core``; ``block`` covers it and ``halo`` pixels around it, cut at the scene.

        ``core`` begins at multiples of 128 and ends at multiples of 128 or at the scene's edge.
        """
        return self._labeler_here().label(block, core, layers)

    def layer_features(self, block: Block, core: Window) -> dict[str, NDArray[np.float32]]:
        """The features (channels, height, width) of ``core`` in each layer, by name."""
        seen: dict[str, NDArray[np.float32]] = _deep().layer_features(
            self._labeler_here(), block, core
        )
        return seen

    def _predict(self, X: Any, layers: Collection[str]) -> Prediction:
        _refuse_table(X)
        return super()._predict(X, layers)

    def _labeler_here(self) -> Labeler:
        """The network on the device in use, made by the first thread that needs it."""
        with _making:
            if self._labeler is None or self._labeler[0] != self.device:
                self._labeler = (self.device, self._labeler_on(self.device))
            return self._labeler[1]

    def _labeler_on(self, device: str) -> Labeler:
        made: Labeler = _deep().labeler(
            self._shape, self._weights, self._scaling, self._group, device
        )
        return made

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the network in use: another process makes its own."""
        return vars(self) | {"_labeler": None}

    def signatures(self) -> Float:
        """Mean spectra (classes, bands) of the training pixels in physical units."""
        return self._means.copy()

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What must be kept to label again: a JSON-able card and named arrays."""
        scaling = {"scaling.center": self._scaling.center, "scaling.scale": self._scaling.scale}
        if self._scaling.projection is not None:
            scaling["scaling.projection"] = self._scaling.projection
        card = {
            "n_classes": self.n_classes_,
            "network": self._shape,
            "history": self.history_,
            "warnings": self.warnings_,
        }
        arrays: dict[str, NDArray[Any]] = {
            **scaling,
            **{f"network.{name}": value for name, value in self._weights.items()},
            **{f"clusters.{name}": value for name, value in self._clusters.items()},
            "tree.merges": self.tree_.merges,
            "tree.costs": self.tree_.costs,
        }
        return card, arrays

    def restore(self, card: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Set the fitted attributes from what ``state`` gave.

        Raises
        ------
        BrokenModelError
            Something is missing or does not fit together.
        """
        deep = _deep()
        try:
            self._scaling = deep.Scaling(
                arrays["scaling.center"],
                arrays["scaling.scale"],
                arrays.get("scaling.projection"),
            )
            self._shape = dict(card["network"])
            self._weights = _named("network.", arrays)
            self._clusters = _named("clusters.", arrays)
            self.tree_ = Tree(arrays["tree.merges"], arrays["tree.costs"])
            self.history_ = list(card["history"])
            self.warnings_ = list(card["warnings"])
            self.n_features_in_ = len(self._scaling.center)
            self.receptive_field = int(self._shape["receptive_field"])
            self._finish(int(card["n_classes"]))
            self._labeler_on("cpu")  # a network that does not fit is found now
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise BrokenModelError(
                f"the uic model cannot be restored: {error}; train it again."
            ) from error


def _refuse_table(X: Any) -> None:
    if is_table(X):
        raise UsageError(
            "uic needs an image (bands, height, width), because it looks at the surroundings "
            "of a pixel; X is a table, for which k-means and the like are made."
        )


def _named(prefix: str, arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {name[len(prefix) :]: a for name, a in arrays.items() if name.startswith(prefix)}


def _deep() -> Any:
    """The networks; loaded on use, because torch takes a second."""
    try:
        from rsclass.deep import model
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "torch":
            raise
        raise UsageError(
            "uic needs PyTorch, which is not installed; run: pip install 'torch>=2.4'"
        ) from error
    return model
