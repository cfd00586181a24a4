"""Classifiers of scikit-learn, kept as arrays and applied by our own compiled loops.

scikit-learn learns; what it learned is taken out as plain arrays. So a model file holds no pickle,
labels do not depend on threads, tiles or the version of scikit-learn, and to label a scene loads no
scikit-learn.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from rsclass.core.machines import Machines
from rsclass.core.planting import Planting
from rsclass.core.scaling import Scaling
from rsclass.core.training import TrainingSet
from rsclass.core.trees import Trees
from rsclass.core.types import Block, Prediction, Window
from rsclass.engines.supervised import (
    SupervisedEngine,
    fits_together,
    probability_bytes,
    share_layers,
)
from rsclass.errors import DataError

Rule = Trees | Machines
"""What was learned: labels pixels."""


class AdaptedEngine(SupervisedEngine):
    """An engine that scikit-learn trains.

    Class attributes
    ----------------
    rule_kind : type
        Of what is learned.

    Attributes
    ----------
    rule_ : Trees or Machines
        What was learned.
    """

    layers: ClassVar[tuple[str, ...]] = ("confidence", "entropy", "membership")
    rule_kind: ClassVar[type[Trees] | type[Machines]]
    rule_: Rule
    _workers: int = 1

    def use_machine(self, workers: int, device: str) -> None:
        """Tell how many threads may learn; they set speed, never the result."""
        self._workers = workers

    def _train(self, training: TrainingSet) -> Rule:
        """The rule that scikit-learn finds."""
        raise NotImplementedError

    def _learn_training(self, training: TrainingSet) -> None:
        if training.n_classes < 2:
            raise DataError(
                f"{self.method} tells classes apart, and the samples have 1 class; draw another."
            )
        # Sums of several threads would be rounded in another order in every run.
        with threadpool_limits(1):
            self.rule_ = self._train(training)

    def predict_block(self, block: Block, core: Window, layers: Collection[str] = ()) -> Prediction:
        """Label each pixel; see :meth:`Engine.predict_block`.

        There is no ``distance``; ``confidence`` is the membership of the pixel's class.
        """
        self.refuse_layers(layers)
        block = block.cut(core)
        shape = block.valid.shape
        shares = set(layers) & {"confidence", "entropy", "membership"}
        labels, membership = self.rule_.label(
            block.flat, block.flat_valid, block.gain, block.offset, shares=bool(shares)
        )
        made: dict[str, NDArray[np.float32]] = {}
        if membership is not None:
            made = share_layers(membership, labels, shape, shares)
        return Prediction(labels.reshape(shape), made)

    def label_bytes(self, layers: Collection[str]) -> float:
        """Working memory of ``predict_block`` in bytes for one pixel."""
        return 16.0 + 16.0 * self.n_classes_ + probability_bytes(self.n_classes_, layers)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Labels, signatures and the rule."""
        card, arrays = super().state()
        kind = self.rule_.kind if isinstance(self.rule_, Trees) else self.rule_.scaling.kind
        return card | {"kind": kind}, arrays | self.rule_.to_arrays()

    def restore(self, card: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Set the fitted attributes from what ``state`` gave."""
        super().restore(card, arrays)
        self.rule_ = self.rule_kind.from_arrays(arrays, card["kind"])
        fits_together(
            self.rule_.n_classes == self.n_classes_, self.rule_.n_bands <= len(self.bands_)
        )


def trees_of_forest(estimators: Collection[Any]) -> Trees:
    """The trees of a fitted forest (``estimators_``), or one fitted tree in a list.

    A forest compares values in float32 with thresholds in float64. The greatest float32 number that
    does not exceed a threshold parts float32 values in the same way.
    """
    planted = Planting()
    for estimator in estimators:
        tree = estimator.tree_
        leaf = tree.children_left < 0
        threshold = tree.threshold.astype(np.float32)
        above = threshold.astype(np.float64) > tree.threshold
        threshold[above] = np.nextafter(threshold[above], np.float32(-np.inf))
        left, right = tree.children_left, tree.children_right
        planted.add(leaf, tree.feature, threshold, left, right, tree.value[:, 0, :])
    return planted.trees(np.zeros(tree.value.shape[2]), "votes")


def trees_of_boosting(predictors: Collection[Any], baseline: NDArray[Any]) -> Trees:
    """The trees of a fitted histogram gradient boosting of numbers.

    Parameters
    ----------
    predictors : list of lists
        For every iteration, one tree for each score.
    baseline : array (1, scores)
    """
    planted = Planting()
    for iteration in predictors:
        for score, predictor in enumerate(iteration):
            nodes = predictor.nodes
            leaf = nodes["is_leaf"] > 0
            planted.add(
                leaf,
                nodes["feature_idx"],
                nodes["num_threshold"],
                nodes["left"],
                nodes["right"],
                nodes["value"][:, None],
                score,
            )
    return planted.trees(np.ravel(baseline).astype(np.float64), "logits")


def machines_of_svc(fitted: Any, scaling: Scaling, gamma: float) -> Machines:
    """The machines of a fitted ``SVC`` with the RBF kernel.

    Parameters
    ----------
    scaling : Scaling
        How its table was scaled.
    gamma : float
        As it was fitted with.
    """
    # Of two classes scikit-learn turns the sign, so that the second is the positive one.
    sign = -1.0 if len(fitted.n_support_) == 2 else 1.0
    return Machines(
        scaling,
        np.ascontiguousarray(fitted.support_vectors_, np.float64),
        np.concatenate([[0], np.cumsum(fitted.n_support_)]).astype(np.int64),
        np.ascontiguousarray(sign * fitted.dual_coef_),
        np.ascontiguousarray(sign * fitted.intercept_),
        float(gamma),
    )
