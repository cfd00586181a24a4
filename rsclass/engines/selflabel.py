"""SelfLabel: optimal transport labels the pixels that a network learns from, evenly.

Asano, Rupprecht, Vedaldi 2020, Self-labelling via simultaneous clustering and representation
learning, ICLR, arXiv:1911.05371.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rsclass.engines.base import Parameter
from rsclass.engines.networks import NetworkEngine

if TYPE_CHECKING:
    from rsclass.deep import model

__all__ = ["SelfLabel"]


class SelfLabel(NetworkEngine):
    """Find classes with a network whose labels spread the pixels evenly over its clusters.

    Labels begin as random and even; at times that are denser at the start of the training they
    become those of highest likelihood among all that give every cluster the same number of
    pixels, found by Sinkhorn's iteration. Several heads with labels of their own share the
    network; the one whose labels cost least is reported.

    Land covers are not of one size, so even clusters are good for ``mode="landcover"``, where many
    are merged. Departures: labels are optimized at the end of an epoch, never within one, and the
    scales that make them even come from at most ``samples`` pixels.

    Parameters
    ----------
    n_classes : int, default=12
        Classes to find.
    mode : {"landcover", "paper"}
        More clusters than classes, merged by size-weighted Ward; or as many clusters as classes.
    epochs : int, default=20
    seen : {"auto", "tiles", "patches"}
        What is trained on: dense tiles (landcover), or patches around drawn pixels (paper).
    overcluster : int, default=6
        Clusters for each class before merging; 16 to 64 in all (landcover).
    heads : int, default=3
        Classifiers on one network.
    updates : int, default=20
        Times at which labels are optimized, squeezed toward the start; more than there are epochs
        fall together.
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
    learning_rate : float, default=0.05
    weight_decay : float, default=1e-5
    schedule : {"cosine", "linear", "one-cycle", "steps", "constant"}, default="steps"
    batch : int or None
        Tiles (8) or patches (256) of one step.
    tiles : int, default=128
        Tiles of 32 x 32 pixels of one epoch.
    samples : int, default=16384
        Patches, and pixels from which the scales of the clusters are computed.
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

    method: ClassVar[str] = "selflabel"
    title: ClassVar[str] = "SelfLabel (SeLa)"
    paper: ClassVar[str] = (
        "Asano, Rupprecht, Vedaldi 2020, Self-labelling via simultaneous clustering and "
        "representation learning, ICLR, arXiv:1911.05371"
    )
    own_parameters: ClassVar[dict[str, Parameter]] = {
        "heads": Parameter("classifiers on one network", low=1, high=64),
        "updates": Parameter("times at which labels are optimized", low=2, high=10_000),
    }

    heads: int
    updates: int

    def __init__(
        self,
        n_classes: int = 12,
        *,
        mode: str = "landcover",
        epochs: int = 20,
        seen: str = "auto",
        overcluster: int = 6,
        heads: int = 3,
        updates: int = 20,
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
        learning_rate: float = 0.05,
        weight_decay: float = 1e-5,
        schedule: str = "steps",
        batch: int | None = None,
        tiles: int = 128,
        samples: int = 16_384,
        merge_space: str = "spectra",
        training_pixels: int = 1_000_000,
        random_state: int = 0,
    ) -> None:
        self._store(locals())

    def _plan(self, deep: Any) -> model.Plan:
        options = {"patches": self._sees_patches, "heads": self.heads, "updates": self.updates}
        return self._asked(deep, options=options)
