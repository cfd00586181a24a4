"""The dendrogram of classes: which merge first, and what remains of them at any number of classes.

Ward's criterion (Ward 1963, Journal of the American Statistical Association 58,
doi:10.1080/01621459.1963.10500845) weighted by the pixels of the classes: the cost of a merge is
the exact increase of the total within-class sum of squares.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsclass.core.types import Float

__all__ = [
    "Tree",
    "class_tree",
    "grouped_ward",
    "merge_cost",
    "merge_losses",
    "standardized_means",
    "ward",
]


@dataclass(frozen=True, slots=True)
class Tree:
    """A dendrogram over ``n`` leaves.

    Parameters
    ----------
    merges : int64 array (n - 1, 2)
        The two nodes joined by each step, lower first; leaves are 0 .. n - 1 and step ``s`` makes
        node ``n + s``.
    costs : float64 array (n - 1,)
        Increase of the within-class sum of squares by each step.
    """

    merges: NDArray[np.int64]
    costs: Float

    @property
    def leaves(self) -> int:
        """Classes before the first merge."""
        return len(self.merges) + 1

    def cut(self, n_classes: int) -> NDArray[np.int64]:
        """The class (leaves,) of every leaf when ``n_classes`` remain, numbered by first leaf.

        Raises
        ------
        ValueError
            ``n_classes`` is not between 1 and the number of leaves.
        """
        if not 1 <= n_classes <= self.leaves:
            raise ValueError(f"a tree of {self.leaves} leaves has no cut of {n_classes} classes")
        node_of = np.arange(self.leaves)
        for step, (a, b) in enumerate(self.merges[: self.leaves - n_classes]):
            node_of[(node_of == a) | (node_of == b)] = self.leaves + step
        _, first, inverse = np.unique(node_of, return_index=True, return_inverse=True)
        rank = np.empty(len(first), dtype=np.int64)
        rank[np.argsort(first)] = np.arange(len(first))
        return rank[inverse]


def merge_cost(counts: Float, means: Float, i: int) -> Float:
    """Increase (classes,) of the sum of squares if class ``i`` merges with each of the others."""
    distance = ((means - means[i]) ** 2).sum(axis=1)
    cost: Float = counts * counts[i] / (counts + counts[i]) * distance
    return cost


def ward(counts: NDArray[np.number], means: Float) -> Tree:
    """Merge classes pair by pair, always the pair that costs least; ties: the lowest pair.

    Parameters
    ----------
    counts : array (classes,)
        Pixels of every class, positive.
    means : float64 array (classes, features)

    Raises
    ------
    ValueError
        A class has no pixels.
    """
    n = len(counts)
    size = np.array(counts, dtype=np.float64)
    if (size <= 0).any():
        raise ValueError("every class of a tree needs pixels")
    center = np.array(means, dtype=np.float64)
    node = np.arange(n)
    cost = np.full((n, n), np.inf)
    for i in range(n - 1):
        cost[i, i + 1 :] = merge_cost(size, center, i)[i + 1 :]
    merges = np.empty((n - 1, 2), dtype=np.int64)
    costs = np.empty(n - 1)
    for step in range(n - 1):
        i, j = divmod(int(np.argmin(cost)), n)
        merges[step] = sorted((node[i], node[j]))
        costs[step] = cost[i, j]
        both = size[i] + size[j]
        center[i] = (size[i] * center[i] + size[j] * center[j]) / both
        size[i], node[i] = both, n + step
        cost[j, :] = cost[:, j] = np.inf
        size[j] = np.inf  # its costs are never looked at again
        alive = np.isfinite(size)
        new = np.full(n, np.inf)
        new[alive] = merge_cost(size[alive], center[alive], int(alive[:i].sum()))
        cost[i, i + 1 :] = new[i + 1 :]
        cost[:i, i] = new[:i]
    return Tree(merges, costs)


def grouped_ward(counts: NDArray[np.number], means: Float, group: NDArray[np.integer]) -> Tree:
    """Merge the classes of each group first, then the groups, each by :func:`ward`.

    The cut at as many classes as there are groups gives the groups. Costs ascend within each of
    the two parts only.

    Parameters
    ----------
    counts, means
        As for :func:`ward`.
    group : int array (classes,)

    Raises
    ------
    ValueError
        A class has no pixels.
    """
    counts, n = np.asarray(counts, dtype=np.float64), len(counts)
    members = [np.flatnonzero(group == g) for g in np.unique(group)]
    merges: list[NDArray[np.int64]] = []
    costs: list[Float] = []
    roots = []
    for of in members:
        tree = ward(counts[of], means[of])
        nodes = np.concatenate([of, n + sum(map(len, merges)) + np.arange(len(of) - 1)])
        merges.append(nodes[tree.merges])
        costs.append(tree.costs)
        roots.append(int(nodes[-1]))
    size = np.array([counts[of].sum() for of in members])
    center = np.stack([np.average(means[of], axis=0, weights=counts[of]) for of in members])
    tree = ward(size, center)
    nodes = np.concatenate([roots, n + sum(map(len, merges)) + np.arange(len(members) - 1)])
    joined = np.concatenate([*merges, nodes[tree.merges]]).astype(np.int64)
    return Tree(np.sort(joined, axis=1), np.concatenate([*costs, tree.costs]))


def class_tree(count: NDArray[np.int64], mean: Float, variance: Float) -> Tree:
    """The tree of a map's classes, with every band in units of its spread over all their pixels.

    Parameters
    ----------
    count : int64 array (classes,)
        Pixels, positive.
    mean, variance : float64 arrays (classes, bands)
        Physical units, divisor n - 1; a variance that is NaN counts as none.

    Raises
    ------
    ValueError
        A class has no pixels.
    """
    return ward(count, standardized_means(count, mean, variance))


def merge_losses(count: NDArray[np.int64], mean: Float, variance: Float) -> Float:
    """What merging each pair of classes costs: a part (classes, classes) of all between them.

    The increase of the within-class sum of squares, as :func:`class_tree` counts it, divided by the
    sum of squares between all classes: 1 where there are but two.
    """
    n = np.asarray(count, np.float64)
    standard = standardized_means(count, mean, variance)
    center = (n[:, None] * standard).sum(axis=0) / n.sum()
    between = float((n * ((standard - center) ** 2).sum(axis=1)).sum())
    costs = np.stack([merge_cost(n, standard, i) for i in range(len(n))])
    return costs / between if between > 0 else costs


def standardized_means(count: NDArray[np.int64], mean: Float, variance: Float) -> Float:
    """Means (classes, bands) in units of the spread of each band over all pixels of all classes.

    Parameters are those of :func:`class_tree`.
    """
    n = np.asarray(count, np.float64)[:, None]
    within = (n - 1) * np.nan_to_num(variance)
    between = n * (mean - (n * mean).sum(axis=0) / n.sum()) ** 2
    spread = np.sqrt((within + between).sum(axis=0) / n.sum())
    return mean / np.where(spread > 0, spread, 1.0)
