"""Unsupervised image classification: a network that learns from its own answers.

Chen, Pu, Xie, Yang, Guo, Lin 2020, Unsupervised Image Classification for Deep Representation
Learning, ECCV Workshops, arXiv:2006.11480.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rsclass.engines.base import Parameter
from rsclass.engines.networks import NetworkEngine, shared_parameters

if TYPE_CHECKING:
    from rsclass.deep import model

__all__ = ["UIC"]


class UIC(NetworkEngine):
    """Find classes with a convolutional network that is trained on its own labels.

    The forward result of one epoch is the pseudo label of the next. ``mode="landcover"`` departs
    from the paper where land-cover maps gain by it: it starts from k-means on smoothed pixels kept
    for ``warmup`` epochs, learns on dense tiles with weights in place of a sampler, takes its
    labels from an exponential average of the network, finds more clusters than classes and merges
    them by size-weighted Ward. ``mode="paper"`` keeps to the paper: random labels, quota sampler,
    labels from the trained view.

    Parameters
    ----------
    n_classes : int, default=12
        Classes to find.
    mode : {"landcover", "paper"}
        Sets what the parameters ``seen``, ``start`` and ``labels_from`` are by default.
    epochs : int, default=20
    seen : {"auto", "tiles", "patches"}
        What is trained on: dense tiles with class weights (landcover), or patches around drawn
        pixels with the published quota sampler and a learning rate that changes once an epoch
        (paper).
    start : {"auto", "kmeans", "random", "forward"}
        The first labels: k-means on 5 x 5 means (landcover), uniform random (paper), or the
        answers of the untrained network.
    labels_from : {"auto", "teacher", "views", "clean"}
        The later labels: the exponential average of the network in the clean view (landcover),
        the very logits of the random view that are trained on, before the step (paper), or the
        network itself in the clean view after each epoch.
    overcluster : int, default=6
        Clusters for each class before merging; 16 to 64 in all (landcover).
    warmup : int, default=6
        Epochs that keep the start labels (landcover).
    receptive_field : int, default=7
        Side in pixels of the square around a pixel that decides its class; odd.
    width : int, default=48
        Channels of the network.
    head : {"linear", "mlp"}
    sobel : bool, default=False
        The gradients of every input are inputs too.
    color : bool, default=True
        False, with ``sobel``: nothing is seen but the gradients of the mean of all inputs, which
        is the Sobel input of the paper.
    logit_norm : bool, default=False
        Batch normalization of the logits.
    trunk : {"plain", "resnet18", "resnet50"}
        Layers before the embedding: 3x3 convolutions, or the first stages of a ResNet, which set
        receptive field and width themselves (43 or 35 pixels after one stage, 99 or 91 after two).
    stages : int, default=1
        Of the ResNet, from the first.
    init : str, default="random"
        The first weights: ``random``; learned from the scene by a pretext, ``rotnet``, ``jigsaw``,
        ``exemplar``, ``simclr`` or ``moco``; or those of a file: a model of rsclass with a
        network, or the state dict of a ResNet as torchvision names it (``.pth``,
        ``.safetensors``), for which ``trunk`` must be set. First layers are fitted to the bands.
        From a model of the same method, for as many classes and the same bands, the clusters go
        on, too, and the first labels are the network's own.
    init_epochs : int, default=8
        Passes of the pretext.
    freeze : {"none", "trunk"}
        What stays as ``init`` gave it.
    trunk_rate : float, default=1.0
        Learning rate of what ``init`` gave, as a share of that of the rest.
    learn_centroids : bool, default=True
        Learn the last layer, as the released code does; else its rows are fixed and orthonormal
        (of unit length and as far apart, where there are more clusters than features), as the
        paper's analysis suggests.
    balance : float, default=1.0
        Exponent b of the pixel weights ``class size ** -b`` (tiles); 0 turns the quota sampler
        off (patches).
    decay : float, default=0.97
        Of the averaged network that labels.
    gain : float, default=0.05
        Standard deviation of the random gain of the illumination, in raw units. One such
        deviation shifts no band by more than a quarter of its 2-98 % range, wherever its zero is
        (a departure).
    noise : float, default=0.05
        Standard deviation of the noise added to scaled inputs.
    learning_rate : float, default=0.05
    schedule : {"cosine", "linear", "one-cycle", "steps", "constant"}
    batch : int or None
        Tiles (landcover, 8) or patches (paper, 256) of one step.
    tiles : int, default=128
        Tiles of 32 x 32 pixels of one epoch.
    samples : int, default=16384
        Patches.
    merge_space : {"spectra", "embedding", "logits"}
        Where clusters are merged: ``spectra`` unless the light varies over the scene.
    training_pixels : int, default=1,000,000
        Pixels of the training areas, held in memory. Smaller scenes are used whole.
    random_state : int, default=0

    Attributes
    ----------
    jobs : int or None
        Worker threads; None: one for each core. Sets the speed, never the result.
    device : str
        ``auto``, ``cpu`` or ``cuda``; without an accelerator all are ``cpu``. A graphics processor
        rounds in another way than a processor.
    tree_ : Tree
        The merges from clusters to one class.
    n_clusters_ : int
        Clusters that hold pixels.

    Notes
    -----
    A pixel belongs to the class of its most probable cluster. Layers: ``membership`` in a class is
    the probability of the class's most probable cluster, divided by the sum over classes (a sum
    over clusters would favor classes of many clusters), ``confidence`` its maximum, ``entropy`` is
    in nats, and ``distance`` is -log of the confidence.
    """

    method: ClassVar[str] = "uic"
    title: ClassVar[str] = "Unsupervised image classification (UIC)"
    paper: ClassVar[str] = (
        "Chen, Pu, Xie, Yang, Guo, Lin 2020, Unsupervised Image Classification for Deep "
        "Representation Learning, ECCV Workshops, arXiv:2006.11480"
    )
    parameters: ClassVar[dict[str, Parameter]] = {
        **shared_parameters("n_classes", "mode", "epochs"),
        "seen": Parameter("what is trained on", choices=("auto", "tiles", "patches")),
        "start": Parameter("the first labels", choices=("auto", "kmeans", "random", "forward")),
        "labels_from": Parameter("the later labels", choices=("auto", "teacher", "views", "clean")),
        **shared_parameters(
            "overcluster",
            "warmup",
            "receptive_field",
            "width",
            "head",
            "sobel",
            "color",
            "logit_norm",
            "trunk",
            "stages",
            "init",
            "init_epochs",
            "freeze",
            "trunk_rate",
        ),
        "learn_centroids": Parameter("learn the last layer"),
        **shared_parameters(
            "balance",
            "decay",
            "gain",
            "noise",
            "learning_rate",
            "schedule",
            "batch",
            "tiles",
            "samples",
            "merge_space",
            "training_pixels",
            "random_state",
        ),
    }

    def __init__(
        self,
        n_classes: int = 12,
        *,
        mode: str = "landcover",
        epochs: int = 20,
        seen: str = "auto",
        start: str = "auto",
        labels_from: str = "auto",
        overcluster: int = 6,
        warmup: int = 6,
        receptive_field: int = 7,
        width: int = 48,
        head: str = "linear",
        sobel: bool = False,
        color: bool = True,
        logit_norm: bool = False,
        trunk: str = "plain",
        stages: int = 1,
        init: str = "random",
        init_epochs: int = 8,
        freeze: str = "none",
        trunk_rate: float = 1.0,
        learn_centroids: bool = True,
        balance: float = 1.0,
        decay: float = 0.97,
        gain: float = 0.05,
        noise: float = 0.05,
        learning_rate: float = 0.05,
        schedule: str = "cosine",
        batch: int | None = None,
        tiles: int = 128,
        samples: int = 16_384,
        merge_space: str = "spectra",
        training_pixels: int = 1_000_000,
        random_state: int = 0,
    ) -> None:
        self._store(locals())

    def _plan(self, deep: Any) -> model.Plan:
        landcover = self.mode == "landcover"
        usual = ("tiles", "kmeans", "teacher") if landcover else ("patches", "random", "views")
        given = (self.seen, self.start, self.labels_from)
        seen, start, source = (u if g == "auto" else g for g, u in zip(given, usual, strict=True))
        return self._asked(
            deep,
            clusters=self._overclusters() if landcover else self.n_classes,
            warmup=self.warmup if landcover else 0,
            options={"patches": seen == "patches", "start": start, "source": source},
        )
