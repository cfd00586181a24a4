"""Self-Classifier: one view of a pixel is classified as the other, with even classes.

Amrani, Karlinsky, Bronstein 2022, Self-Supervised Classification Network, ECCV, arXiv:2103.10994.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rsclass.engines.networks import NetworkEngine

if TYPE_CHECKING:
    from rsclass.deep import model

__all__ = ["SelfClassifier"]


class SelfClassifier(NetworkEngine):
    """Find classes that two random views of a pixel share, all of them equally often in a batch.

    The loss is the cross-entropy between the two views' answers, which are cosines, with a uniform
    prior of the clusters inside: targets are softmaxes over the pixels of the batch, predictions
    are divided by their sums over it. It needs no labels, sampler or averaged network.

    Departures: pixels of tiles in place of images, one classifier, no views of other sizes.

    Parameters
    ----------
    n_classes : int, default=12
        Classes to find.
    mode : {"landcover", "paper"}
        More clusters than classes, merged by size-weighted Ward; or as many clusters as classes.
    epochs : int, default=20
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
    gain : float, default=0.05
        Standard deviation of the random gain of the illumination, in raw units.
    noise : float, default=0.05
        Standard deviation of the noise added to scaled inputs.
    optimizer : {"sgd", "adam"}, default="sgd"
    learning_rate : float, default=0.05
    weight_decay : float, default=1e-4
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

    method: ClassVar[str] = "self-classifier"
    title: ClassVar[str] = "Self-Classifier"
    paper: ClassVar[str] = (
        "Amrani, Karlinsky, Bronstein 2022, Self-Supervised Classification Network, ECCV, "
        "arXiv:2103.10994"
    )

    def __init__(
        self,
        n_classes: int = 12,
        *,
        mode: str = "landcover",
        epochs: int = 20,
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
        gain: float = 0.05,
        noise: float = 0.05,
        optimizer: str = "sgd",
        learning_rate: float = 0.05,
        weight_decay: float = 1e-4,
        schedule: str = "cosine",
        batch: int | None = None,
        tiles: int = 128,
        merge_space: str = "spectra",
        training_pixels: int = 1_000_000,
        random_state: int = 0,
    ) -> None:
        self._store(locals())

    def _plan(self, deep: Any) -> model.Plan:
        return self._asked(deep, options={})
