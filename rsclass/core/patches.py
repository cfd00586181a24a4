"""Connected patches of one class, and who lies beside whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.kernels import compiled

__all__ = [
    "UNREACHED",
    "Neighbors",
    "Patches",
    "find_patches",
    "neighbors_in",
    "settle",
    "unite_pairs",
]

UNREACHED = np.iinfo(np.int32).max


@dataclass(frozen=True, slots=True)
class Patches:
    """The patches of one image, numbered in the order of their first pixels.

    Parameters
    ----------
    labels : int32 array (height, width)
        Patch of each pixel; -1 at nodata.
    value : uint16 array (patches,)
        Class of each patch.
    weight : int64 array (patches,)
        Sum of the weights of its pixels.
    """

    labels: NDArray[np.int32]
    value: NDArray[np.uint16]
    weight: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.value)


def find_patches(values: NDArray[Any], weights: NDArray[np.int64], diagonal: bool) -> Patches:
    """Find the connected patches of equal values.

    Parameters
    ----------
    values : uint8 or uint16 array (height, width)
        0 is nodata, which is in no patch.
    weights : int64 array (height,)
        What a pixel of each row counts.
    diagonal : bool
        Pixels that touch at a corner are connected too.

    Notes
    -----
    Two passes with a union-find in between (Rosenfeld & Pfaltz 1966, Sequential Operations in
    Digital Picture Processing, J. ACM 13, doi:10.1145/321356.321357).
    """
    labels = np.empty(values.shape, np.int32)
    n = _label(values, diagonal, labels)
    value, weight = np.zeros(n, np.uint16), np.zeros(n, np.int64)
    _measure(values, labels, weights, value, weight)
    return Patches(labels, value, weight)


@compiled
def _root(parent: NDArray[Any], at: int) -> int:
    while parent[at] != at:
        parent[at] = parent[parent[at]]
        at = parent[at]
    return at


@compiled
def _unite(parent: NDArray[Any], a: int, b: int) -> int:
    """Unite two sets; the lower number becomes the root of both."""
    a, b = _root(parent, a), _root(parent, b)
    low = min(a, b)
    parent[max(a, b)] = low
    return low


def unite_pairs(n: int, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """The lowest member of the set of each of ``n`` members, after uniting ``pairs`` (pairs, 2)."""
    parent = np.arange(n)
    _unite_pairs(parent, pairs)
    return parent


@compiled
def _unite_pairs(parent: NDArray[np.int64], pairs: NDArray[np.int64]) -> None:
    for i in range(len(pairs)):
        _unite(parent, pairs[i, 0], pairs[i, 1])
    for i in range(len(parent)):
        parent[i] = parent[parent[i]]


@compiled
def _label(values: NDArray[Any], diagonal: bool, labels: NDArray[np.int32]) -> int:
    height, width = values.shape
    parent = np.empty(height * width, np.int32)
    n = 0
    for r in range(height):
        for c in range(width):
            v = values[r, c]
            own = -1
            if v != 0:
                if c > 0 and values[r, c - 1] == v:
                    own = labels[r, c - 1]
                if r > 0:
                    for x in range(c - 1, c + 2):
                        aside = x != c
                        if 0 <= x < width and values[r - 1, x] == v and (diagonal or not aside):
                            other = labels[r - 1, x]
                            if own < 0:
                                own = other
                            elif own != other:
                                own = _unite(parent, own, other)
                if own < 0:
                    own = n
                    parent[n] = n
                    n += 1
            labels[r, c] = own
    # Roots are the lowest of their sets, so numbers in order of the roots follow the first pixels.
    found = 0
    for i in range(n):
        if parent[i] == i:
            parent[i] = found
            found += 1
        else:
            parent[i] = parent[parent[i]]
    for r in range(height):
        for c in range(width):
            if labels[r, c] >= 0:
                labels[r, c] = parent[labels[r, c]]
    return found


@compiled
def _measure(
    values: NDArray[Any],
    labels: NDArray[np.int32],
    weights: NDArray[np.int64],
    value: NDArray[np.uint16],
    weight: NDArray[np.int64],
) -> None:
    height, width = values.shape
    for r in range(height):
        for c in range(width):
            patch = labels[r, c]
            if patch >= 0:
                value[patch] = values[r, c]
                weight[patch] += weights[r]


@dataclass(frozen=True, slots=True)
class Neighbors:
    """For every node the nodes beside it that can be won over.

    Parameters
    ----------
    starts : int64 array (nodes + 1,)
        The neighbors of node ``i`` are ``nodes[starts[i]:starts[i + 1]]``; some come repeatedly.
    nodes : int32 array
    """

    starts: NDArray[np.int64]
    nodes: NDArray[np.int32]

    @classmethod
    def of_pairs(
        cls, pairs: NDArray[np.int64], n_nodes: int, receptive: NDArray[np.bool_]
    ) -> Neighbors:
        """From pairs (pairs, 2) of neighbors."""
        both = np.concatenate([pairs, pairs[:, ::-1]])
        both = both[receptive[both[:, 1]]]
        order = np.argsort(both[:, 0], kind="stable")
        starts = np.searchsorted(both[order, 0], np.arange(n_nodes + 1))
        return cls(starts.astype(np.int64), both[order, 1].astype(np.int32))


def neighbors_in(
    labels: NDArray[np.int32],
    node: NDArray[np.int32],
    receptive: NDArray[np.bool_],
    diagonal: bool,
) -> Neighbors:
    """Which nodes touch each other in an image of patches.

    Parameters
    ----------
    labels : int32 array (height, width)
        Patch of each pixel; -1 at nodata.
    node : int32 array (patches,)
        Node that each patch belongs to.
    receptive : bool array (nodes,)
        Nodes that can be won over.
    diagonal : bool
        Nodes that touch at a corner are neighbors too.
    """
    starts = np.zeros(len(receptive) + 1, np.int64)
    _count_neighbors(labels, node, receptive, diagonal, starts)
    starts = np.cumsum(starts)
    nodes = np.empty(starts[-1], np.int32)
    _list_neighbors(labels, node, receptive, diagonal, starts[:-1].copy(), nodes)
    return Neighbors(starts, nodes)


_RIGHT_AND_BELOW = np.array([(0, 1), (1, 0), (1, -1), (1, 1)])


@compiled
def _count_neighbors(
    labels: NDArray[np.int32],
    node: NDArray[np.int32],
    receptive: NDArray[np.bool_],
    diagonal: bool,
    starts: NDArray[np.int64],
) -> None:
    height, width = labels.shape
    for r in range(height):
        for c in range(width):
            if labels[r, c] < 0:
                continue
            a = node[labels[r, c]]
            for k in range(4 if diagonal else 2):
                y, x = r + _RIGHT_AND_BELOW[k, 0], c + _RIGHT_AND_BELOW[k, 1]
                if y < height and 0 <= x < width and labels[y, x] >= 0:
                    b = node[labels[y, x]]
                    if a != b:
                        starts[a + 1] += receptive[b]
                        starts[b + 1] += receptive[a]


@compiled
def _list_neighbors(
    labels: NDArray[np.int32],
    node: NDArray[np.int32],
    receptive: NDArray[np.bool_],
    diagonal: bool,
    at: NDArray[np.int64],
    nodes: NDArray[np.int32],
) -> None:
    height, width = labels.shape
    for r in range(height):
        for c in range(width):
            if labels[r, c] < 0:
                continue
            a = node[labels[r, c]]
            for k in range(4 if diagonal else 2):
                y, x = r + _RIGHT_AND_BELOW[k, 0], c + _RIGHT_AND_BELOW[k, 1]
                if y < height and 0 <= x < width and labels[y, x] >= 0:
                    b = node[labels[y, x]]
                    if a != b:
                        if receptive[b]:
                            nodes[at[a]] = b
                            at[a] += 1
                        if receptive[a]:
                            nodes[at[b]] = a
                            at[b] += 1


def settle(
    level: NDArray[np.int32],
    size: NDArray[np.int64],
    value: NDArray[np.uint16],
    neighbors: Neighbors,
) -> None:
    """Let every node find its master: the nearest one; of several, the largest; the lowest value.

    Parameters
    ----------
    level : int32 array (nodes,)
        Steps from the master, as known so far: 0 for masters, ``UNREACHED`` without one. Changed.
    size : int64 array (nodes,)
        Size of the master. Changed.
    value : uint16 array (nodes,)
        Class of the master. Changed.
    neighbors : Neighbors

    Notes
    -----
    A breadth-first search that starts from all masters at once; nodes with a level from elsewhere
    join it at that level. The result is the shortest path of every node, whatever the order.
    """
    known = np.flatnonzero(level < UNREACHED)
    order = known[np.argsort(level[known], kind="stable")]
    _settle(level, size, value, order, neighbors.starts, neighbors.nodes)


@compiled
def _settle(
    level: NDArray[np.int32],
    size: NDArray[np.int64],
    value: NDArray[np.uint16],
    order: NDArray[np.int64],
    starts: NDArray[np.int64],
    nodes: NDArray[np.int32],
) -> None:
    queue = np.empty(len(level), np.int64)
    queued = np.zeros(len(level), np.bool_)
    head = tail = next_known = 0
    while True:
        while next_known < len(order) and queued[order[next_known]]:
            next_known += 1
        if head < tail:
            now = level[queue[head]]
        elif next_known < len(order):
            now = level[order[next_known]]
        else:
            break
        while next_known < len(order) and (
            queued[order[next_known]] or level[order[next_known]] == now
        ):
            if not queued[order[next_known]]:
                queue[tail] = order[next_known]
                queued[order[next_known]] = True
                tail += 1
            next_known += 1
        end = tail
        while head < end:
            u = queue[head]
            head += 1
            for k in range(starts[u], starts[u + 1]):
                v = nodes[k]
                if level[v] <= now:
                    continue
                nearer = level[v] > now + 1
                if nearer or size[u] > size[v] or (size[u] == size[v] and value[u] < value[v]):
                    level[v], size[v], value[v] = now + 1, size[u], value[u]
                if not queued[v]:
                    queue[tail] = v
                    queued[v] = True
                    tail += 1
