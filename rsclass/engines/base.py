"""What every classifier is: a scikit-learn estimator that also learns from a stream of pixels.

A new engine is one file and one line in :mod:`rsclass.engines.catalogue`. It declares its
parameters in ``__init__`` (which only stores them), learns in ``_learn`` and labels in ``_scores``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from math import lcm
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from rsclass.core.arrays import ArrayStream, as_stream
from rsclass.core.grid import split
from rsclass.core.training import TrainingSet
from rsclass.core.types import (
    NO_CLASS,
    Band,
    Block,
    Float,
    Labels,
    PixelStream,
    Prediction,
    Sample,
    Window,
)
from rsclass.engines.estimator import Estimator
from rsclass.engines.parameters import Parameter, kinds_of
from rsclass.errors import UsageError

KEPT_PIXELS = 20_000
"""Pixels that ``fit`` keeps in ``training_sample_``, for the statistics in a model file."""

WINDOW = 1024
"""Side in pixels of the windows in which ``predict`` reads a scene."""

_keepers: list[Callable[[Any, Any, bool], Any]] = []


def register_keeper(keeper: Callable[[Any, Any, bool], Any]) -> None:
    """Let ``save`` of every engine write files through ``keeper(engine, path, overwrite)``."""
    _keepers.append(keeper)


LAYERS = ("confidence", "distance", "entropy", "membership")

PREPARING: dict[str, Parameter] = {
    "features": Parameter("bands, or views of them", choices=("bands", "views")),
    "smooth": Parameter("filter that keeps edges", choices=("none", "bilateral")),
}
"""Parameters that every method takes besides its own; see :mod:`rsclass.engines.prepared`."""


class Engine(Estimator):
    """A classifier of pixels.

    Class attributes
    ----------------
    method : str
        Name on the command line.
    title, paper : str
        What it is, and where it was published.
    parameters : dict of str to Parameter
        Every constructor argument.
    halo : int
        Pixels of context that ``predict_block`` needs on each side.
    block : int
        Predicted windows start at multiples of this, so that every run computes the same tiles.
    layers : tuple of str
        What it can tell of a pixel besides its class.
    takes_training, needs_training : bool
        Whether it can, and must, learn from pixels whose class is known.
    prepares_itself : bool
        Whether it forms views of a scene and smooths them.

    Attributes
    ----------
    n_classes_ : int
        Classes found, at most the number asked for.
    bands_ : tuple of Band
    n_features_in_ : int
    warnings_ : list of str
        Sentences the user should read.
    history_ : list of dict
        One entry for each pass, epoch or event.
    training_sample_ : Sample
        Some of the pixels given to ``fit``.
    """

    method: ClassVar[str]
    title: ClassVar[str]
    paper: ClassVar[str]
    parameters: ClassVar[dict[str, Parameter]]
    block: ClassVar[int] = 1
    layers: ClassVar[tuple[str, ...]] = LAYERS
    takes_training: ClassVar[bool] = False
    needs_training: ClassVar[bool] = False
    prepares_itself: ClassVar[bool] = False

    n_classes_: int
    n_features_in_: int
    bands_: tuple[Band, ...]
    warnings_: list[str]
    history_: list[dict[str, Any]]
    training_sample_: Sample

    @property
    def halo(self) -> int:
        """Pixels of context needed on each side of a predicted window."""
        return 0

    # -- learning ---------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the classes.

        Parameters
        ----------
        X : array (pixels, bands), array (bands, height, width), path, open dataset or DataArray
            Physical values; a path and the like are streamed and may be larger than memory.
        y : ignored
        """
        if not is_table(X):
            stream = as_stream(X)
            self.n_features_in_ = len(stream.bands)
        else:
            stream = ArrayStream.of_table(self._checked(X, reset=True))
        self.fit_stream(stream)
        self.training_sample_ = stream.sample(KEPT_PIXELS, 0)
        return self

    def fit_predict(self, X: Any, y: Any = None, **kwargs: Any) -> Labels:
        """Find the classes and label the same pixels; see :meth:`fit` and :meth:`predict`."""
        self.fit(X, y, **kwargs)
        return self.labels_ if is_table(X) else self.predict(X)

    def fit_stream(self, stream: PixelStream) -> Self:
        """Find the classes of a stream of pixels."""
        self.check_parameters()
        for earlier in ("labels_", "training_sample_"):
            self.__dict__.pop(earlier, None)
        self.bands_ = tuple(stream.bands)
        self.n_features_in_ = len(self.bands_)
        self.warnings_ = []
        self.history_ = []
        self._learn(stream)
        if isinstance(stream, ArrayStream) and stream.is_table:
            self.labels_ = self._table_labels(stream)
        return self

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """Names of the classes, where they were learned with them."""
        return None

    def fit_training(self, training: TrainingSet, bands: Sequence[Band]) -> Self:
        """Learn from pixels whose class is known; see ``takes_training``.

        Parameters
        ----------
        bands : sequence of Band
            Those of the pixels.
        """
        raise UsageError(f"{self.method} finds its classes itself and takes no training samples.")

    def _learn(self, stream: PixelStream) -> None:
        """Set the fitted attributes from ``stream``; ``n_classes_`` among them."""
        raise NotImplementedError

    def use_machine(self, workers: int, device: str) -> None:
        """Tell the engine what it may use; most need not know.

        Parameters
        ----------
        workers : int
            Threads; sets speed, never the result.
        device : str
            ``auto``, ``cpu`` or ``cuda``.
        """

    def prepare(self, stream: PixelStream) -> None:
        """Look at the scene in which the samples lie that ``fit_training`` will learn from."""

    def meet(self, stream: PixelStream) -> list[str]:
        """Get to know a scene that is to be labelled; most engines need not.

        Parameters
        ----------
        stream : PixelStream
            The scene, perhaps another one than ``fit`` saw.

        Returns
        -------
        list of str
            What was done about it that whoever reads the map should know, in sentences.
        """
        return []

    def adapted(self, stream: PixelStream) -> Self:
        """A copy whose network is fitted to another scene; see :func:`rsclass.predict`.

        Raises
        ------
        UsageError
            The method has no network.
        """
        raise UsageError(
            f"{self.method} has no network that could be adapted to a scene; leave --adapt out, or "
            "train on this scene."
        )

    @property
    def device_used(self) -> str:
        """Where the labels are computed: ``cpu``, or ``cuda``, which rounds in its own way."""
        return "cpu"

    def fit_trial(self, stream: PixelStream) -> float:
        """Fit a part of the way, to see how long all of it takes; returns that part, up to 1."""
        self.fit_stream(stream)
        return 1.0

    def pixels_learned_from(self, n_valid: int) -> int:
        """How many pixels of a scene with ``n_valid`` of them ``fit`` works on."""
        sample = getattr(self, "sample", None)
        return n_valid if sample is None else min(n_valid, sample)

    def learn_bytes(self, n_bands: int, n_valid: int) -> int:
        """Memory in bytes that ``fit`` holds beside the tiles; 0 where it keeps no pixels.

        Parameters
        ----------
        n_bands, n_valid : int
            Of the scene.
        """
        return 0

    def label_bytes(self, layers: Collection[str]) -> float:
        """Working memory of ``predict_block`` in bytes for one pixel."""
        every = bool(set(layers) & {"confidence", "entropy", "membership"})
        return 24.0 + (40.0 * self.n_classes_ if every else 0.0)

    @property
    def tells_confidence(self) -> bool:
        """Whether there is a confidence for each label."""
        return "confidence" in self.layers

    @classmethod
    def refuse_layers(cls, wanted: Collection[str]) -> None:
        """Raise UsageError when a layer is wanted that the method does not have."""
        if "distance" in wanted and "distance" not in cls.layers:
            raise UsageError(
                f"{cls.method} measures no distance to its classes; leave the layer 'distance' and "
                "--max-distance out, or use confidence."
            )

    def check_parameters(self) -> None:
        """Raise UsageError when a parameter is not of its type or outside of its range."""
        kinds = kinds_of(type(self))
        for name, spec in self.parameters.items():
            spec.check(f"{self.method}: {name}", getattr(self, name), kinds[name])

    # -- labelling --------------------------------------------------------------------------

    def predict_block(self, block: Block, core: Window, layers: Collection[str] = ()) -> Prediction:
        """Label ``core``; ``block`` covers it and ``halo`` pixels around it, cut at the scene.

        Returns
        -------
        Prediction
            Of ``core``.
        """
        raise NotImplementedError

    def layer_features(self, block: Block, core: Window) -> dict[str, NDArray[np.float32]]:
        """The features (channels, height, width) of ``core`` in each layer of a network, by name.

        Empty where there is no network. ``block`` is that of :meth:`predict_block`.
        """
        return {}

    def predict(self, X: Any) -> Labels:
        """Class of every pixel, from 0; -1 where a pixel is invalid.

        Parameters
        ----------
        X : array (pixels, bands) or (bands, height, width), or anything ``fit`` takes
        """
        return self._predict(X, ()).labels

    def predict_proba(self, X: Any) -> NDArray[np.float32]:
        """Membership in every class: (pixels, classes); of an image (classes, height, width)."""
        membership = self._predict(X, ("membership",)).layers["membership"]
        return membership if _is_image(X) else np.ascontiguousarray(membership[:, :, 0].T)

    def _validated(self, X: Any) -> Float:
        self._require_fitted()
        return self._checked(X, reset=False)

    def _predict(self, X: Any, layers: Collection[str]) -> Prediction:
        self._require_fitted()
        if is_table(X):
            table = self._validated(X)
            prediction = self._predict_stream(ArrayStream.of_table(table), layers)
            return Prediction(prediction.labels[:, 0], prediction.layers)
        stream = as_stream(X)
        if len(stream.bands) != self.n_features_in_:
            raise UsageError(
                f"X has {len(stream.bands)} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input."
            )
        return self._predict_stream(stream, layers)

    def _predict_stream(self, stream: PixelStream, layers: Collection[str]) -> Prediction:
        self.meet(stream)
        whole = Window(0, 0, stream.height, stream.width)
        if getattr(stream, "is_table", False):
            return self.predict_block(stream.read(whole), whole, layers)
        labels = np.empty((stream.height, stream.width), dtype=np.int32)
        found: dict[str, NDArray[np.float32]] = {}
        for core in split(whole, lcm(WINDOW, self.block)):
            around = stream.read(core.grow(self.halo, stream.height, stream.width))
            part = self.predict_block(around, core, layers)
            place = core.inside(whole)
            labels[place] = part.labels
            for name, layer in part.layers.items():
                if name not in found:
                    found[name] = np.empty((*layer.shape[:-2], *labels.shape), dtype=np.float32)
                found[name][(..., *place)] = layer
        return Prediction(labels, found)

    def _table_labels(self, stream: ArrayStream) -> Labels:
        return self._predict_stream(stream, ()).labels[:, 0]

    # -- keeping ----------------------------------------------------------------------------

    def save(self, path: Any, *, overwrite: bool = False) -> Any:
        """Write the fitted engine to a model file, which ``rsclass.load`` reads.

        Parameters
        ----------
        path : path
            Ends in ``.safetensors`` by custom.
        overwrite : bool
            Whether an existing file may be replaced.

        Returns
        -------
        Path

        Raises
        ------
        OutputExistsError
            The file exists and ``overwrite`` is false.
        UsageError
            The engine was not fitted by its own ``fit``; its model can be saved.
        """
        self._require_fitted()
        if not hasattr(self, "training_sample_"):
            raise UsageError(
                f"this {type(self).__name__} is part of a model and does not hold the pixels it "
                "learned from; call save of the model (rsclass.Model) instead."
            )
        return _keepers[-1](self, path, overwrite)

    def plain_parameters(self) -> dict[str, Any]:
        """The parameters as JSON-able values."""
        return {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in self.get_params(deep=False).items()
        }

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What must be kept to label again: a JSON-able card and named arrays."""
        raise NotImplementedError

    def restore(self, card: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Set the fitted attributes from what ``state`` gave."""
        raise NotImplementedError

    def signatures(self) -> Float:
        """Class centers (classes, bands) in physical units, for ordering, matching and colors."""
        raise NotImplementedError


def _is_image(X: Any) -> bool:
    return not is_table(X)


def is_table(X: Any) -> bool:
    """Whether X is what scikit-learn calls X, and no image, path or stream."""
    if isinstance(X, str) or hasattr(X, "__fspath__"):
        return False
    if getattr(X, "ndim", 2) == 3 or hasattr(X, "read") or hasattr(X, "fold"):
        return False
    return not (hasattr(X, "dims") and hasattr(X, "coords"))


__all__ = ["LAYERS", "NO_CLASS", "Engine", "Parameter"]
