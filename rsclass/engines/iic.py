"""Invariant information clustering: two views of a pixel tell as much as they can of each other.

Ji, Henriques, Vedaldi 2019, Invariant Information Clustering for Unsupervised Image Classification
and Segmentation, ICCV, arXiv:1807.06653.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rsclass.engines.base import Parameter
from rsclass.engines.networks import NetworkEngine

if TYPE_CHECKING:
    from rsclass.deep import model

__all__ = ["IIC"]


class IIC(NetworkEngine):
    """Find classes whose answers to a tile and to a random view of it tell most of each other.

    The loss is minus the mutual information of the two answers at pixels up to ``reach`` apart,
    the turn of the second view undone. Two heads are trained in turn, one with as many clusters as
    classes and one with more: the second is reported and merged in ``mode="landcover"``, the first
    is reported in ``mode="paper"``.

    Parameters
    ----------
    n_classes : int, default=12
        Classes to find.
    mode : {"landcover", "paper"}
        More clusters than classes, merged by size-weighted Ward; or as many clusters as classes.
    epochs : int, default=30
    overcluster : int, default=6
        Clusters for each class before merging; 16 to 64 in all in one of the heads.
    reach : int, default=1
        Displacements in pixels, in rows and columns, at which answers are compared.
    apart : bool, default=False
        The mean of the information at each displacement; else that of all displacements together.
    entropy_weight : float, default=1.0
        Weight of the entropy of the classes in the head of few clusters; with 1 the loss is minus
        the mutual information, and more asks for classes of more equal sizes.
    receptive_field : int, default=7
        Side in pixels of the square around a pixel that decides its class; odd.
    width : int, default=48
        Channels of the network.
    head : {"linear", "mlp"}
    sobel : bool, default=False
        The gradients of every input are inputs too.
    color : bool, default=True
        False, with ``sobel``: nothing is seen but the gradients of the mean of all inputs.
    logit_norm : bool, default=True
        Batch normalization of the logits: without it the answers are all alike at first, and the
        information hardly grows.
    trunk : {"plain", "resnet18", "resnet50"}
        Layers before the embedding: 3x3 convolutions, or the first stages of a ResNet, which set
        receptive field and width themselves.
    stages : int, default=1
        Of the ResNet, from the first.
    init : str, default="random"
        The first weights: ``random``; learned from the scene by a pretext, ``rotnet``, ``jigsaw``,
        ``exemplar``, ``simclr`` or ``moco``; or those of a file, a model of rsclass with a
        network or the state dict of a ResNet.
    init_epochs : int, default=8
        Passes of the pretext.
    freeze : {"none", "trunk"}
        What stays as ``init`` gave it.
    trunk_rate : float, default=1.0
        Learning rate of what ``init`` gave, as a share of that of the rest.
    clean : {"none", "ruc"}
        Clean the labels at the end and learn from them anew (Park et al. 2021, RUC).
    clean_epochs : int, default=4
        Passes of the cleaning.
    gain : float, default=0.05
        Standard deviation of the random gain of the illumination, in raw units.
    noise : float, default=0.05
        Standard deviation of the noise added to scaled inputs.
    optimizer : {"sgd", "adam"}, default="adam"
    learning_rate : float, default=0.003
    weight_decay : float, default=0.0
    schedule : {"cosine", "linear", "one-cycle", "steps", "constant"}, default="cosine"
    batch : int or None
        Tiles (8) of one step.
    tiles : int, default=128
        Tiles of 32 x 32 pixels of one epoch.
    merge_space : {"spectra", "embedding", "logits"}
        Where clusters are merged.
    training_pixels : int, default=1,000,000
        Pixels of the training areas, held in memory. Smaller scenes are used whole.
    random_state : int, default=0

    Attributes
    ----------
    tree_ : Tree
        The merges from clusters to one class.
    n_clusters_ : int
        Clusters that hold pixels.
    """

    method: ClassVar[str] = "iic"
    title: ClassVar[str] = "Invariant information clustering (IIC)"
    paper: ClassVar[str] = (
        "Ji, Henriques, Vedaldi 2019, Invariant Information Clustering for Unsupervised Image "
        "Classification and Segmentation, ICCV, arXiv:1807.06653"
    )
    own_parameters: ClassVar[dict[str, Parameter]] = {
        "reach": Parameter("displacements compared", low=0, high=31, unit="pixels"),
        "apart": Parameter("information of each displacement by itself"),
        "entropy_weight": Parameter("weight of the entropy of the classes", low=0, high=100),
    }

    reach: int
    apart: bool
    entropy_weight: float

    def __init__(
        self,
        n_classes: int = 12,
        *,
        mode: str = "landcover",
        epochs: int = 30,
        overcluster: int = 6,
        reach: int = 1,
        apart: bool = False,
        entropy_weight: float = 1.0,
        receptive_field: int = 7,
        width: int = 48,
        head: str = "linear",
        sobel: bool = False,
        color: bool = True,
        logit_norm: bool = True,
        trunk: str = "plain",
        stages: int = 1,
        init: str = "random",
        init_epochs: int = 8,
        freeze: str = "none",
        trunk_rate: float = 1.0,
        clean: str = "none",
        clean_epochs: int = 4,
        gain: float = 0.05,
        noise: float = 0.05,
        optimizer: str = "adam",
        learning_rate: float = 0.003,
        weight_decay: float = 0.0,
        schedule: str = "cosine",
        batch: int | None = None,
        tiles: int = 128,
        merge_space: str = "spectra",
        training_pixels: int = 1_000_000,
        random_state: int = 0,
    ) -> None:
        self._store(locals())

    def _plan(self, deep: Any) -> model.Plan:
        many, few = (self._overclusters(), 1.0), (self.n_classes, self.entropy_weight)
        reported, other = (many, few) if self.mode == "landcover" else (few, many)
        options = {
            "other": other[0],
            "weights": (reported[1], other[1]),
            "reach": self.reach,
            "apart": self.apart,
        }
        return self._asked(deep, options=options)
