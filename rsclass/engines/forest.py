"""Random forest: many trees, each grown on other pixels and bands, that vote."""

from __future__ import annotations

from typing import ClassVar

from rsclass.core.training import TrainingSet
from rsclass.core.trees import Trees
from rsclass.engines.adapter import AdaptedEngine, trees_of_forest
from rsclass.engines.base import Parameter


class RandomForest(AdaptedEngine):
    """Random forest: the class for which most of many trees speak.

    Every tree is grown by scikit-learn on pixels drawn with replacement, and asks for one of a few
    bands drawn anew at each node. A pixel's memberships are the means of its classes' shares in the
    leaves that it comes to.

    Parameters
    ----------
    n_trees : int, default=100
    max_depth : int or None, default=None
        Questions from the root to a leaf at most; None: until leaves are pure.
    min_leaf : int, default=1
        Pixels in a leaf at least.
    balanced : bool, default=False
        Whether classes weigh the same, however many pixels they have.
    random_state : int, default=0

    References
    ----------
    Breiman 2001, Machine Learning 45, doi:10.1023/A:1010933404324.
    """

    method: ClassVar[str] = "rf"
    title: ClassVar[str] = "random forest"
    paper: ClassVar[str] = "Breiman 2001, doi:10.1023/A:1010933404324"
    parameters: ClassVar[dict[str, Parameter]] = {
        "n_trees": Parameter("trees", 1, 10_000, aliases=("n_estimators", "trees")),
        "max_depth": Parameter("questions from root to leaf at most; none: any number", 1),
        "min_leaf": Parameter(
            "pixels in a leaf at least", 1, aliases=("min_samples_leaf",), unit="pixels"
        ),
        "balanced": Parameter("let classes weigh the same, however many pixels they have"),
        "random_state": Parameter("seed of every random choice", 0, aliases=("seed",)),
    }

    rule_kind: ClassVar[type[Trees]] = Trees

    def __init__(
        self,
        *,
        n_trees: int = 100,
        max_depth: int | None = None,
        min_leaf: int = 1,
        balanced: bool = False,
        random_state: int = 0,
    ) -> None:
        self.n_trees = n_trees
        self.max_depth = max_depth
        self.min_leaf = min_leaf
        self.balanced = balanced
        self.random_state = random_state

    def _train(self, training: TrainingSet) -> Trees:
        from sklearn.ensemble import RandomForestClassifier

        forest = RandomForestClassifier(
            self.n_trees,
            max_depth=self.max_depth,
            min_samples_leaf=self.min_leaf,
            class_weight="balanced" if self.balanced else None,
            random_state=self.random_state,
            n_jobs=self._workers,
        ).fit(training.values, training.classes)
        return trees_of_forest(forest.estimators_)
