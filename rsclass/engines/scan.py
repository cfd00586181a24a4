"""SCAN: a pixel and its nearest neighbors in a learned space belong to one class.

Van Gansbeke, Vandenhende, Georgoulis, Proesmans, Van Gool 2020, SCAN: Learning to Classify Images
without Labels, ECCV, arXiv:2005.12320.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rsclass.engines.base import Parameter
from rsclass.engines.networks import NetworkEngine

if TYPE_CHECKING:
    from rsclass.deep import model

__all__ = ["SCAN"]


class SCAN(NetworkEngine):
    """Find classes that a patch shares with its nearest neighbors in the features of a pretext.

    First, patches and their neighbors are to get the same answer and all classes to be used. In
    the last ``self_epochs`` epochs the network learns from its own sure answers: those to weakly
    changed tiles are the labels of the same tiles under three times as large changes.

    Without a pretext (``init="random"``) neighbors are those of a random network's features, which
    are close to those of the spectra.

    Departures: neighbors are sought among ``samples`` patches of the scene; stronger changes are
    those of light and noise, since cut-outs and changes of color ratios remove what tells land
    covers apart; one head; one learning rate for both parts.

    Parameters
    ----------
    n_classes : int, default=12
        Classes to find.
    mode : {"landcover", "paper"}
        More clusters than classes, merged by size-weighted Ward; or as many clusters as classes.
    epochs : int, default=15
    overcluster : int, default=6
        Clusters for each class before merging; 16 to 64 in all (landcover).
    neighbors : int, default=20
        Of each patch.
    entropy_weight : float, default=5.0
        Of the entropy of the classes; more where there are more of them.
    self_epochs : int, default=5
        Of ``epochs``, the last ones, which learn from sure answers.
    threshold : float, default=0.99
        Probability of a sure answer.
    patches : int, default=256
        Patches of one step; many more than there are clusters.
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
        Batch normalization of the logits: without it the answers are all alike at first, and
        neighbors take long to agree.
    trunk : {"plain", "resnet18", "resnet50"}
        Layers before the embedding: 3x3 convolutions, or the first stages of a ResNet, which set
        receptive field and width themselves.
    stages : int, default=1
        Of the ResNet, from the first.
    init : str, default="simclr"
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
    weight_decay : float, default=1e-4
    schedule : {"cosine", "linear", "one-cycle", "steps", "constant"}, default="cosine"
    batch : int or None
        Tiles (8) of the self-labelling epochs, in each of one step.
    tiles : int, default=128
        Tiles of 32 x 32 pixels of one epoch.
    samples : int, default=4096
        Patches whose neighbors are sought.
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

    method: ClassVar[str] = "scan"
    title: ClassVar[str] = "Semantic clustering by adopting nearest neighbors (SCAN)"
    paper: ClassVar[str] = (
        "Van Gansbeke, Vandenhende, Georgoulis, Proesmans, Van Gool 2020, SCAN: Learning to "
        "Classify Images without Labels, ECCV, arXiv:2005.12320"
    )
    own_parameters: ClassVar[dict[str, Parameter]] = {
        "neighbors": Parameter("nearest neighbors of a patch", low=1, high=1000),
        "entropy_weight": Parameter("weight of the entropy of the classes", low=0, high=100),
        "self_epochs": Parameter("epochs that learn from sure answers", low=0, high=10_000),
        "threshold": Parameter("probability of a sure answer", low=0, high=1),
        "patches": Parameter("patches of one step", low=2, high=65_536),
    }

    neighbors: int
    entropy_weight: float
    self_epochs: int
    threshold: float
    patches: int

    def __init__(
        self,
        n_classes: int = 12,
        *,
        mode: str = "landcover",
        epochs: int = 15,
        overcluster: int = 6,
        neighbors: int = 20,
        entropy_weight: float = 5.0,
        self_epochs: int = 5,
        threshold: float = 0.99,
        patches: int = 256,
        receptive_field: int = 7,
        width: int = 48,
        head: str = "linear",
        sobel: bool = False,
        color: bool = True,
        logit_norm: bool = True,
        trunk: str = "plain",
        stages: int = 1,
        init: str = "simclr",
        init_epochs: int = 8,
        freeze: str = "none",
        trunk_rate: float = 1.0,
        clean: str = "none",
        clean_epochs: int = 4,
        gain: float = 0.05,
        noise: float = 0.05,
        optimizer: str = "adam",
        learning_rate: float = 0.003,
        weight_decay: float = 1e-4,
        schedule: str = "cosine",
        batch: int | None = None,
        tiles: int = 128,
        samples: int = 4096,
        merge_space: str = "spectra",
        training_pixels: int = 1_000_000,
        random_state: int = 0,
    ) -> None:
        self._store(locals())

    def _plan(self, deep: Any) -> model.Plan:
        options = {
            "neighbors": self.neighbors,
            "entropy_weight": self.entropy_weight,
            "self_epochs": self.self_epochs,
            "threshold": self.threshold,
        }
        return self._asked(deep, options=options)
