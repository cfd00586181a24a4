"""Gradient boosting: trees that are added up, each to mend what those before got wrong."""

from __future__ import annotations

from typing import ClassVar

from rsclass.core.training import TrainingSet
from rsclass.core.trees import Trees
from rsclass.engines.adapter import AdaptedEngine, trees_of_boosting
from rsclass.engines.base import Parameter


class GradientBoosting(AdaptedEngine):
    """Gradient boosting of trees over binned values, grown by scikit-learn.

    Parameters
    ----------
    rounds : int, default=100
        In each, a tree is grown for every class.
    learning_rate : float, default=0.1
        Share of a tree's correction that is made.
    max_leaves : int, default=31
        Leaves of a tree at most.
    min_leaf : int, default=20
        Pixels in a leaf at least.
    l2 : float, default=0
        Weight of the leaves' squares that training keeps small.
    balanced : bool, default=False
        Whether classes weigh the same, however many pixels they have.
    random_state : int, default=0
        Serves only the choice of the pixels from which bins are formed, where there are more than
        200,000.

    References
    ----------
    Friedman 2001, Annals of Statistics 29, doi:10.1214/aos/1013203451; Ke et al. 2017, LightGBM,
    Neural Information Processing Systems 30.
    """

    method: ClassVar[str] = "gradient-boosting"
    title: ClassVar[str] = "gradient boosting"
    paper: ClassVar[str] = "Friedman 2001, doi:10.1214/aos/1013203451; Ke et al. 2017"
    parameters: ClassVar[dict[str, Parameter]] = {
        "rounds": Parameter(
            "times that a tree is grown for every class",
            1,
            10_000,
            aliases=("max_iter", "iterations", "n_trees"),
        ),
        "learning_rate": Parameter("share of a tree's correction that is made", 1e-6, 1),
        "max_leaves": Parameter("leaves of a tree at most", 2, aliases=("max_leaf_nodes",)),
        "min_leaf": Parameter(
            "pixels in a leaf at least", 1, aliases=("min_samples_leaf",), unit="pixels"
        ),
        "l2": Parameter("weight of the leaves' squares", 0, aliases=("l2_regularization",)),
        "balanced": Parameter("let classes weigh the same, however many pixels they have"),
        "random_state": Parameter("seed of every random choice", 0, aliases=("seed",)),
    }

    rule_kind: ClassVar[type[Trees]] = Trees

    def __init__(
        self,
        *,
        rounds: int = 100,
        learning_rate: float = 0.1,
        max_leaves: int = 31,
        min_leaf: int = 20,
        l2: float = 0.0,
        balanced: bool = False,
        random_state: int = 0,
    ) -> None:
        self.rounds = rounds
        self.learning_rate = learning_rate
        self.max_leaves = max_leaves
        self.min_leaf = min_leaf
        self.l2 = l2
        self.balanced = balanced
        self.random_state = random_state

    def _train(self, training: TrainingSet) -> Trees:
        from sklearn.ensemble import HistGradientBoostingClassifier

        boosting = HistGradientBoostingClassifier(
            max_iter=self.rounds,
            learning_rate=self.learning_rate,
            max_leaf_nodes=self.max_leaves,
            min_samples_leaf=self.min_leaf,
            l2_regularization=self.l2,
            class_weight="balanced" if self.balanced else None,
            early_stopping=False,
            random_state=self.random_state,
        ).fit(training.values, training.classes)
        return trees_of_boosting(boosting._predictors, boosting._baseline_prediction)
