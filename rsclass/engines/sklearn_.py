"""Any classifier of scikit-learn as an engine."""

from __future__ import annotations

import threading
from collections.abc import Collection
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from rsclass.core.grid import split
from rsclass.core.training import TrainingSet
from rsclass.core.types import NO_CLASS, Block, Float, Labels, Prediction, Window
from rsclass.engines.base import Parameter
from rsclass.engines.recipes import built, written
from rsclass.engines.supervised import SupervisedEngine, probability_bytes, share_layers
from rsclass.errors import UsageError

_alone = threading.Lock()


class SklearnClassifier(SupervisedEngine):
    """Any classifier of scikit-learn, with the guarantees of the other engines.

    The scene is labelled in squares of 128 pixels of its own grid and on one thread of the matrix
    library, so that a map does not depend on tiles and threads. A model file holds no pickle: it
    keeps the estimator's text and the training pixels, and is trained again when it is loaded. For
    random forests, gradient boosting and support vector machines ``rf``, ``gradient-boosting`` and
    ``svm`` are quicker and keep what was learned.

    Parameters
    ----------
    estimator : estimator or str, default="KNeighborsClassifier"
        An unfitted classifier, or its text: ``KNeighborsClassifier(n_neighbors=3)``,
        ``Pipeline(steps=[("scale", StandardScaler()), ("c", MLPClassifier(max_iter=500))])``.
    random_state : int, default=0
        Given to every part of the estimator that has none.

    Attributes
    ----------
    estimator_ : estimator
        Fitted.

    References
    ----------
    Pedregosa et al. 2011, Journal of Machine Learning Research 12.
    """

    method: ClassVar[str] = "sklearn"
    title: ClassVar[str] = "classifier of scikit-learn"
    paper: ClassVar[str] = "Pedregosa et al. 2011, Journal of Machine Learning Research 12"
    block: ClassVar[int] = 128
    layers: ClassVar[tuple[str, ...]] = ("confidence", "entropy", "membership")
    parameters: ClassVar[dict[str, Parameter]] = {
        "estimator": Parameter("a classifier with its parameters: SVC(kernel='linear', C=3)"),
        "random_state": Parameter("seed of every random choice", 0, aliases=("seed",)),
    }

    def __init__(self, estimator: Any = "KNeighborsClassifier", *, random_state: int = 0) -> None:
        self.estimator = estimator
        self.random_state = random_state

    def check_parameters(self) -> None:
        """Raise UsageError when the text names no classifier."""
        super().check_parameters()
        if isinstance(self.estimator, str):
            built(self.estimator)

    def plain_parameters(self) -> dict[str, Any]:
        """The parameters as JSON-able values."""
        return super().plain_parameters() | {"estimator": written(self.estimator)}

    def _learn_training(self, training: TrainingSet) -> None:
        self._train(training.values, training.classes)

    def _train(self, table: Float, classes: NDArray[np.int32]) -> None:
        from sklearn.base import clone

        estimator = (
            built(self.estimator) if isinstance(self.estimator, str) else clone(self.estimator)
        )
        seeds = {
            name: self.random_state
            for name, value in estimator.get_params().items()
            if name.rpartition("__")[2] == "random_state" and value is None
        }
        estimator.set_params(**seeds)
        with _alone, threadpool_limits(1):
            self.estimator_ = estimator.fit(table, classes)
        self._learned_from = table, classes

    @property
    def tells_confidence(self) -> bool:
        """Whether the classifier has probabilities."""
        return hasattr(self.estimator_, "predict_proba")

    def predict_block(self, block: Block, core: Window, layers: Collection[str] = ()) -> Prediction:
        """Label each pixel; see :meth:`Engine.predict_block`.

        There is no ``distance``; the other layers need an estimator with ``predict_proba``.
        """
        self.refuse_layers(layers)
        shares = set(layers) & {"confidence", "entropy", "membership"}
        if shares and not self.tells_confidence:
            raise UsageError(
                f"{type(self.estimator_).__name__} tells no probabilities; leave the layers "
                f"{', '.join(sorted(shares))} out, or choose another classifier."
            )
        labels = np.full((core.height, core.width), NO_CLASS, np.int32)
        membership = np.full((self.n_classes_ if shares else 0, *labels.shape), np.nan)
        for square in split(core, self.block):
            part = block.cut(square)
            if not part.valid.any():
                continue
            place = square.inside(core)
            table = part.pixels()
            with _alone, threadpool_limits(1):
                labels[place][part.valid] = self.estimator_.predict(table)
                if shares:
                    found = self.estimator_.predict_proba(table)
                    membership[(slice(None), *place)][:, part.valid] = found.T
        flat: Labels = labels.reshape(-1)
        made = {}
        if shares:
            made = share_layers(membership.reshape(len(membership), -1), flat, labels.shape, shares)
        return Prediction(labels, made)

    def label_bytes(self, layers: Collection[str]) -> float:
        """Working memory of ``predict_block`` in bytes for one pixel."""
        return 16.0 + 16.0 * self.n_features_in_ + probability_bytes(self.n_classes_, layers)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Labels, signatures, and what the estimator was trained on."""
        card, arrays = super().state()
        table, classes = self._learned_from
        return card, arrays | {"table": table, "table_classes": classes}

    def restore(self, card: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Train the estimator again on what ``state`` gave."""
        super().restore(card, arrays)
        self._train(arrays["table"], arrays["table_classes"])
