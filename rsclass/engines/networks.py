"""What the engines with a network share: parameters, memory, labelling, and what is kept."""

from __future__ import annotations

import copy
import os
import threading
import warnings
from abc import abstractmethod
from collections.abc import Callable, Collection
from inspect import signature
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

__all__ = ["PRETEXTS", "NetworkEngine", "register_weights_reader"]

_FEWEST_CLUSTERS, _MOST_CLUSTERS = 16, 64
_PATCHES = 256  # of one step
_OF_RECIPE = (
    "epochs",
    "tiles",
    "patches",
    "samples",
    "optimizer",
    "learning_rate",
    "momentum",
    "weight_decay",
    "schedule",
    "balance",
    "decay",
)
_OF_SHAPE = (
    "receptive_field",
    "width",
    "head",
    "sobel",
    "color",
    "logit_norm",
    "trunk",
    "stages",
)
PRETEXTS = ("rotnet", "jigsaw", "exemplar", "simclr", "moco")
_making = threading.Lock()
_weight_readers: list[Callable[[str], Any]] = []

_SHARED = {
    "n_classes": Parameter("classes to find", low=1, high=1024),
    "mode": Parameter("land-cover maps or fidelity to the paper", choices=("landcover", "paper")),
    "epochs": Parameter("passes", low=1, high=10_000),
    "seen": Parameter("what is trained on", choices=("auto", "tiles", "patches")),
    "overcluster": Parameter("clusters for each class before merging", low=1, high=64),
    "warmup": Parameter("epochs that keep the start labels", low=0, high=10_000),
    "receptive_field": Parameter(
        "side of the square that decides a pixel's class, odd", low=1, high=63, unit="pixels"
    ),
    "width": Parameter("channels of the network", low=4, high=1024),
    "head": Parameter("layers before the classifier", choices=("linear", "mlp")),
    "sobel": Parameter("add the gradients of every input"),
    "color": Parameter("see the inputs themselves, not only their mean's gradients"),
    "logit_norm": Parameter("batch normalization of the logits"),
    "trunk": Parameter("layers before the embedding", choices=("plain", "resnet18", "resnet50")),
    "stages": Parameter("of a ResNet, from the first", low=1, high=2),
    "init": Parameter(f"first weights: random, {', '.join(PRETEXTS)}, or a file"),
    "init_epochs": Parameter("passes of the pretext", low=1, high=10_000),
    "freeze": Parameter("what stays as init gave it", choices=("none", "trunk")),
    "trunk_rate": Parameter(
        "learning rate of what init gave, as a share of that of the rest", low=0.0001, high=1
    ),
    "clean": Parameter("how labels are cleaned at the end", choices=("none", "ruc")),
    "clean_epochs": Parameter("passes of the cleaning", low=1, high=10_000),
    "balance": Parameter("exponent of the class weights", low=0, high=2),
    "decay": Parameter("of the averaged network that labels", low=0, high=0.99999),
    "gain": Parameter("random gain of the illumination in training", low=0, high=1),
    "noise": Parameter("noise added in training", low=0, high=2),
    "optimizer": Parameter("how weights are moved", choices=("sgd", "adam")),
    "learning_rate": Parameter("of the optimizer", low=1e-6, high=10),
    "weight_decay": Parameter("pull of the weights toward zero", low=0, high=1),
    "schedule": Parameter(
        "how the learning rate changes",
        choices=("cosine", "linear", "one-cycle", "steps", "constant"),
    ),
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


def register_weights_reader(reader: Callable[[str], Any]) -> None:
    """Let ``init`` of every network be a file, whose weights ``reader(path)`` gives.

    It gives the path, the file's bytes, and card and arrays of a model of rsclass, or None twice.
    """
    _weight_readers.append(reader)


class NetworkEngine(Engine):
    """A classifier that is a convolutional network with more outputs than classes.

    A subclass names its parameters in its constructor and says in ``_plan`` what is to be trained;
    the outputs of the network are merged to classes by size-weighted Ward.

    Class attributes
    ----------------
    own_parameters : dict of str to Parameter
        Those that the other engines with a network do not have.

    Attributes
    ----------
    tree_ : Tree
        Over the clusters.
    n_clusters_ : int
        Clusters that hold pixels.
    epochs_ : list of dict
        Of every epoch of this fit its ``seconds`` and the ``sizes`` of the clusters.
    init_file_ : dict or None
        Name and SHA-256 of the file of the first weights.
    """

    block: ClassVar[int] = 128
    own_parameters: ClassVar[dict[str, Parameter]] = {}

    n_classes: int
    mode: str
    epochs: int
    seen: str
    start: str
    labels_from: str
    overcluster: int
    warmup: int
    receptive_field: int | None
    random_state: int
    sobel: bool = False
    color: bool = True
    trunk: str = "plain"
    stages: int = 1
    init: str = "random"
    init_epochs: int = 8
    freeze: str = "none"
    trunk_rate: float = 1.0
    clean: str = "none"
    clean_epochs: int = 4

    _tiles: ClassVar[int] = 8  # of one step
    jobs: int | None = None
    device: str = "auto"

    tree_: Tree
    n_clusters_: int
    epochs_: list[dict[str, Any]]
    init_file_: dict[str, str] | None = None
    _labeler: tuple[str, Labeler] | None = None

    def __init_subclass__(cls, **options: Any) -> None:
        """Describe the parameters that the constructor names."""
        super().__init_subclass__(**options)
        known = _SHARED | cls.own_parameters
        cls.parameters = {name: known[name] for name in signature(cls).parameters}

    def _store(self, arguments: dict[str, Any]) -> None:
        """Keep the arguments of a constructor under their names."""
        for name, value in arguments.items():
            if name not in ("self", "__class__"):
                setattr(self, name, value)

    @property
    def halo(self) -> int:
        """Pixels of context needed on each side of a predicted window."""
        if self.trunk != "plain":
            return int(self._deep().Shape(1, 1, trunk=self.trunk, stages=self.stages).halo)
        return self._field // 2

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
        self._refuse_table(X)
        return super().fit(X, y)

    def check_parameters(self) -> None:
        """Raise UsageError when a parameter is outside of its range."""
        super().check_parameters()
        if not (self.color or self.sobel):
            raise UsageError(
                f"{self.method}: without color nothing is seen but gradients; set sobel."
            )
        if self.trunk != "plain" and self.sobel:
            raise UsageError(
                f"{self.method}: a trunk of {self.trunk} takes no gradients; leave sobel out."
            )
        least = 3 if self.sobel else 1
        if self._field % 2 == 0 or self._field < least:
            raise UsageError(
                f"{self.method}: receptive_field is {self._field}; it must be an odd "
                f"number of {least} or more."
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
        if device == "cuda" and self._deep().choose_device(device).type != "cuda":
            warnings.warn(
                "the device cuda was asked for and this machine has none that PyTorch can use; "
                f"{self.method} computes on the processor.",
                RsclassWarning,
                stacklevel=2,
            )

    def label_bytes(self, layers: Collection[str]) -> float:
        """Working memory of ``predict_block`` in bytes for one pixel, beside a tile's network."""
        of_layers = sum(self.n_classes_ if name == "membership" else 1 for name in layers)
        return 8.0 + 4.0 * of_layers

    def learn_bytes(self, n_bands: int, n_valid: int) -> int:
        """Memory in bytes that ``fit`` holds at once: training areas, labels, networks at work."""
        deep = self._deep()
        needed: int = deep.learn_bytes(self._plan(deep), n_bands, n_valid)
        return needed

    @property
    def device_used(self) -> str:
        """Where the labels are computed."""
        return str(self._deep().choose_device(self.device).type)

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

    @abstractmethod
    def _plan(self, deep: Any) -> model.Plan:
        """What is to be trained; ``deep`` is the module of networks."""

    @property
    def _sees_patches(self) -> bool:
        """Whether patches are seen instead of tiles, as published."""
        return self.seen == "patches" or (self.seen == "auto" and self.mode == "paper")

    def _asked(self, deep: Any, options: dict[str, Any], warmup: int = 0) -> model.Plan:
        """A plan of the parameters as they stand, with more clusters than classes for maps.

        Parameters
        ----------
        options : dict
            What the objective takes beside the recipe.
        warmup : int
            Epochs that keep the start labels.
        """
        own = vars(self)
        clusters = self._overclusters() if self.mode == "landcover" else self.n_classes
        patches = bool(options.get("patches"))
        recipe = {name: own[name] for name in _OF_RECIPE if name in own}
        shape = {name: own[name] for name in _OF_SHAPE if name in own}
        shape["receptive_field"] = self._field
        batch = own["batch"] or (_PATCHES if patches else self._tiles)
        plan: model.Plan = deep.Plan(
            method=self.method,
            options=options,
            n_classes=self.n_classes,
            recipe=deep.Recipe(
                clusters=clusters, warmup=warmup, seed=own["random_state"], batch=batch, **recipe
            ),
            shape=deep.Shape(channels=1, clusters=1, **shape),
            gain=own["gain"],
            noise=own["noise"],
            space=own["merge_space"],
            training_pixels=own["training_pixels"],
            learn_centroids=own.get("learn_centroids", True),
            start=self._start(deep),
            clean=self.clean_epochs if self.clean == "ruc" else 0,
        )
        return plan

    @property
    def _starts_from_file(self) -> bool:
        return self.init not in ("random", *PRETEXTS)

    def _start(self, deep: Any) -> Any:
        """Where the first weights come from."""
        given = None
        if self._starts_from_file:
            if not _weight_readers:
                raise UsageError(
                    f"{self.method}: init={self.init!r} is a file, and files are read by engines "
                    "of the package itself: rsclass.UIC and the like."
                )
            given = deep.Given(*_weight_readers[-1](self.init))
            if given.card is not None and given.card["engine"]["state"].get("eyes") is not None:
                raise UsageError(
                    f"{given.name} looks at the space of a consensus, which belongs to its scene; "
                    "to start other networks, train it with --set inputs=bands."
                )
        return deep.Start(
            self.init, self.init_epochs, given, self.freeze == "trunk", self.trunk_rate
        )

    def _overclusters(self) -> int:
        """Clusters of a land-cover map: some for each class, 16 to 64, no fewer than classes."""
        wanted = self.overcluster * self.n_classes
        return max(int(np.clip(wanted, _FEWEST_CLUSTERS, _MOST_CLUSTERS)), self.n_classes)

    def _learn(self, stream: PixelStream) -> None:
        if getattr(stream, "is_table", False):
            raise UsageError(
                f"{self.method} needs an image (bands, height, width), and X is a table."
            )
        deep = self._deep()
        sight = self._sight(stream, deep)
        plan = self._plan(deep)
        given = plan.start.given
        self.init_file_ = None if given is None else given.told()
        learned = deep.learn(stream, plan, self._workers(), self.device, sight)
        self.warnings_ += learned.warnings
        self.history_ = learned.history
        self.epochs_ = learned.log
        self._clusters = {
            "count": learned.clusters.count,
            "spectra": learned.clusters.spectra,
        }
        self.tree_ = self._merged(learned.clusters.count, learned.clusters.features)
        self._scaling = learned.scaling
        self._shape = learned.net.shape.card()
        self._weights = learned.net.arrays()
        self._finish(learned.n_classes)

    def _sight(self, stream: PixelStream, deep: Any) -> Any:
        """What the network looks at in place of the bands; None: the bands."""
        return None

    @property
    def _sees(self) -> Callable[[Block, Window], Block] | None:
        """What gives a window as the network looks at it; None: the bands."""
        return None

    @property
    def _field(self) -> int:
        """Side of the square of pixels that the network sees."""
        return self._usual_field if self.receptive_field is None else self.receptive_field

    @property
    def _usual_field(self) -> int:
        return 7

    def _merged(self, count: NDArray[np.int64], features: Float) -> Tree:
        """The merges of the clusters."""
        return ward(count, features)

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

    def adapted(self, stream: PixelStream) -> Self:
        """A copy with the input scaling and the normalization of another scene."""
        other = copy.copy(self)
        other._weights, other._scaling = self._deep().adapted(
            self._shape, self._weights, self._scaling, stream, self.random_state
        )
        other._labeler = None
        return other

    def layer_features(self, block: Block, core: Window) -> dict[str, NDArray[np.float32]]:
        """The features (channels, height, width) of ``core`` in each layer, by name."""
        seen: dict[str, NDArray[np.float32]] = self._deep().layer_features(
            self._labeler_here(), block, core
        )
        return seen

    def _predict(self, X: Any, layers: Collection[str]) -> Prediction:
        self._refuse_table(X)
        return super()._predict(X, layers)

    def _labeler_here(self) -> Labeler:
        """The network on the device in use, made by the first thread that needs it."""
        with _making:
            if self._labeler is None or self._labeler[0] != self.device:
                self._labeler = (self.device, self._labeler_on(self.device))
            return self._labeler[1]

    def _labeler_on(self, device: str) -> Labeler:
        made: Labeler = self._deep().labeler(
            self._shape, self._weights, self._scaling, self._group, device, self._sees
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
        } | ({} if self.init_file_ is None else {"init_file": self.init_file_})
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
        deep = self._deep()
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
            self.init_file_ = card.get("init_file")
            self.n_features_in_ = self._clusters["spectra"].shape[1]
            self.receptive_field = int(self._shape["receptive_field"])
            self._finish(int(card["n_classes"]))
            self._labeler_on("cpu")  # a network that does not fit is found now
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise BrokenModelError(
                f"the {self.method} model cannot be restored: {error}; train it again."
            ) from error

    def _refuse_table(self, X: Any) -> None:
        if is_table(X):
            raise UsageError(
                f"{self.method} needs an image (bands, height, width), because it looks at the "
                "surroundings of a pixel; X is a table, for which k-means and the like are made."
            )

    def _deep(self) -> Any:
        """The networks; loaded on use, because torch takes a second."""
        try:
            from rsclass.deep import model
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "torch":
                raise
            raise UsageError(
                f"{self.method} needs PyTorch, which is not installed; "
                "run: pip install 'torch>=2.4'"
            ) from error
        return model


def _named(prefix: str, arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {name[len(prefix) :]: a for name, a in arrays.items() if name.startswith(prefix)}
