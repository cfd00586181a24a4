"""DeepCluster: k-means of a network's features labels the pixels that the network learns from.

Caron, Bojanowski, Joulin, Douze 2018, Deep Clustering for Unsupervised Learning of Visual Features,
ECCV, arXiv:1807.05520.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rsclass.engines.networks import NetworkEngine

if TYPE_CHECKING:
    from rsclass.deep import model

__all__ = ["DeepCluster"]


class DeepCluster(NetworkEngine):
    """Find classes with a network that learns the k-means clusters of its own features.

    In each epoch the features of the clean view are whitened and set to unit length, k-means of
    20 iterations clusters them anew (an empty cluster takes a slightly moved copy of another's
    center), the classifier starts again, and the network learns the clusters, all of them equally
    often. As cluster numbers mean nothing from one epoch to the next, the history's ``nmi`` tells
    how much they agree, and its ``change`` does not.

    The map is drawn by centers of the features after the last epoch, which are set to unit length
    and become the classifier; merged by size-weighted Ward in ``mode="landcover"``.

    Departures: centers are those of at most ``samples`` pixels; the classifier's optimizer has the
    learning rate of the rest.

    Parameters
    ----------
    n_classes : int, default=12
        Classes to find.
    mode : {"landcover", "paper"}
        More clusters than classes, merged by size-weighted Ward; or as many clusters as classes.
    epochs : int, default=20
    seen : {"auto", "tiles", "patches"}
        What is trained on: dense tiles with class weights (landcover), or patches around drawn
        pixels and the quota sampler (paper).
    overcluster : int, default=6
        Clusters for each class before merging; 16 to 64 in all (landcover).
    receptive_field : int, default=7
        Side in pixels of the square around a pixel that decides its class; odd.
    width : int, default=48
        Channels of the network.
    head : {"linear", "mlp"}
    sobel : bool, default=False
        The gradients of every input are inputs too.
    color : bool, default=True
        False, with ``sobel``: nothing is seen but the gradients of the mean of all inputs.
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
    balance : float, default=1.0
        Exponent b of the pixel weights ``class size ** -b`` (tiles); 0 turns the quota sampler
        off (patches).
    gain : float, default=0.05
        Standard deviation of the random gain of the illumination, in raw units.
    noise : float, default=0.05
        Standard deviation of the noise added to scaled inputs.
    learning_rate : float, default=0.05
    weight_decay : float, default=1e-5
    schedule : {"cosine", "linear", "one-cycle", "steps", "constant"}, default="constant"
    batch : int or None
        Tiles (4) or patches (256) of one step.
    tiles : int, default=128
        Tiles of 32 x 32 pixels of one epoch.
    samples : int, default=16384
        Patches, and pixels from which centers are computed.
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

    method: ClassVar[str] = "deepcluster"
    title: ClassVar[str] = "DeepCluster"
    paper: ClassVar[str] = (
        "Caron, Bojanowski, Joulin, Douze 2018, Deep Clustering for Unsupervised Learning of "
        "Visual Features, ECCV, arXiv:1807.05520"
    )

    # The classifier begins anew in each epoch, and needs many steps.
    _tiles: ClassVar[int] = 4

    def __init__(
        self,
        n_classes: int = 12,
        *,
        mode: str = "landcover",
        epochs: int = 20,
        seen: str = "auto",
        overcluster: int = 6,
        receptive_field: int = 7,
        width: int = 48,
        head: str = "linear",
        sobel: bool = False,
        color: bool = True,
        trunk: str = "plain",
        stages: int = 1,
        init: str = "random",
        init_epochs: int = 8,
        freeze: str = "none",
        trunk_rate: float = 1.0,
        clean: str = "none",
        clean_epochs: int = 4,
        balance: float = 1.0,
        gain: float = 0.05,
        noise: float = 0.05,
        learning_rate: float = 0.05,
        weight_decay: float = 1e-5,
        schedule: str = "constant",
        batch: int | None = None,
        tiles: int = 128,
        samples: int = 16_384,
        merge_space: str = "spectra",
        training_pixels: int = 1_000_000,
        random_state: int = 0,
    ) -> None:
        self._store(locals())

    def _plan(self, deep: Any) -> model.Plan:
        return self._asked(deep, options={"patches": self._sees_patches})
