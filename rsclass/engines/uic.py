"""Unsupervised image classification: a network that learns from its own answers.

Chen, Pu, Xie, Yang, Guo, Lin 2020, Unsupervised Image Classification for Deep Representation
Learning, ECCV Workshops, arXiv:2006.11480.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Collection
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from rsclass.core.light import EvenStream, Light
from rsclass.core.tree import Tree, grouped_ward
from rsclass.core.types import Block, Float, PixelStream, Prediction, Window
from rsclass.engines.base import Parameter
from rsclass.engines.consensus import Consensus
from rsclass.engines.networks import NetworkEngine
from rsclass.engines.seen import SeenScene, seen_block
from rsclass.errors import UsageError

if TYPE_CHECKING:
    from rsclass.deep import model

__all__ = ["UIC"]

_LEAST_TREND = 0.15
_MOST_SEAMS = 4
_SPACE_SCALE = 2.0  # the space has a variance of 1: its inputs are cut at 8 mean deviations


class UIC(NetworkEngine):
    """Find classes with a convolutional network that is trained on its own labels.

    The forward result of one epoch is the pseudo label of the next. ``mode="landcover"`` departs
    from the paper where land-cover maps gain by it: it takes a trend of the light out, looks at the
    common space of the method ``consensus``, starts from k-means in it kept for ``warmup`` epochs,
    learns on dense tiles with weights in place of a sampler, takes its labels from an exponential
    average of the network, and finds more clusters than classes, which are merged.
    ``mode="paper"`` keeps to the paper: random labels, quota sampler, labels from the trained view.

    Parameters
    ----------
    n_classes : int, default=12
        Classes to find.
    mode : {"landcover", "paper"}
        Sets what the parameters ``seen``, ``start``, ``labels_from``, ``inputs``, ``trend`` and
        ``seams`` are by default.
    epochs : int, default=16
    seen : {"auto", "tiles", "patches"}
        What is trained on: dense tiles with class weights (landcover), or patches around drawn
        pixels with the published quota sampler and a learning rate that changes once an epoch
        (paper).
    start : {"auto", "kmeans", "random", "forward"}
        The first labels: k-means (landcover; of 5 x 5 means, where the network looks at bands),
        uniform random (paper), or the answers of the untrained network.
    labels_from : {"auto", "teacher", "views", "clean"}
        The later labels: the exponential average of the network in the clean view (landcover),
        the very logits of the random view that are trained on, before the step (paper), or the
        network itself in the clean view after each epoch.
    inputs : {"auto", "bands", "consensus"}
        What the network looks at: the scaled bands (paper), or the common space of the method
        ``consensus``, fitted to the scene first, whose classes the clusters are then merged to
        (landcover).
    overcluster : int, default=6
        Clusters for each class before merging; 16 to 64 in all (landcover).
    warmup : int, default=6
        Epochs that keep the start labels (landcover).
    receptive_field : int or None
        Side in pixels of the square around a pixel that decides its class; odd. None: 7, or 3
        where the network looks at a consensus, which has seen the surroundings.
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
    clean : {"none", "ruc"}
        Clean the labels at the end and learn from them anew (Park et al. 2021, RUC).
    clean_epochs : int, default=4
        Passes of the cleaning.
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
    tiles : int, default=48
        Tiles of 32 x 32 pixels of one epoch.
    samples : int, default=16384
        Patches.
    merge_space : {"spectra", "embedding", "logits"}
        Where clusters are merged, where the network looks at bands: ``spectra`` unless the light
        varies over the scene. Else they are merged to the classes of the consensus.
    trend : float or None
        Logarithm of the gain from which on a trend of the light is taken out, at the edge or
        corner where it is strongest: 0.15 is 16 % more light than in the middle. None: 0.15
        (landcover), or never (paper). Several scenes at once keep their light.
    seams : int or None
        Lines from edge to edge, at most, at which a changed calibration of the bands is undone, as
        in mosaics. None: 4 (landcover) or 0 (paper).
    training_pixels : int, default=300,000
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
    light_ : Light or None
        The trend and the changes of calibration that were taken out of the scene seen last.

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
    own_parameters: ClassVar[dict[str, Parameter]] = {
        "start": Parameter("the first labels", choices=("auto", "kmeans", "random", "forward")),
        "labels_from": Parameter("the later labels", choices=("auto", "teacher", "views", "clean")),
        "inputs": Parameter("what the network looks at", choices=("auto", "bands", "consensus")),
        "learn_centroids": Parameter("learn the last layer"),
        "trend": Parameter(
            "trend of the light that is taken out, from this log gain on (none: 0.15, or never in "
            "paper)",
            low=0,
        ),
        "seams": Parameter(
            "lines of changed calibration that are undone, at most (none: 4, or 0 in paper)", 0
        ),
    }

    inputs: str
    trend: float | None
    seams: int | None
    random_state: int

    light_: Light | None = None
    _eyes: Consensus | None = None

    def __init__(
        self,
        n_classes: int = 12,
        *,
        mode: str = "landcover",
        epochs: int = 16,
        seen: str = "auto",
        start: str = "auto",
        labels_from: str = "auto",
        inputs: str = "auto",
        overcluster: int = 6,
        warmup: int = 6,
        receptive_field: int | None = None,
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
        clean: str = "none",
        clean_epochs: int = 4,
        learn_centroids: bool = True,
        balance: float = 1.0,
        decay: float = 0.97,
        gain: float = 0.05,
        noise: float = 0.05,
        learning_rate: float = 0.05,
        schedule: str = "cosine",
        batch: int | None = None,
        tiles: int = 48,
        samples: int = 16_384,
        merge_space: str = "spectra",
        trend: float | None = None,
        seams: int | None = None,
        training_pixels: int = 300_000,
        random_state: int = 0,
    ) -> None:
        self._store(locals())

    def _plan(self, deep: Any) -> model.Plan:
        landcover = self.mode == "landcover"
        usual = ("tiles", "kmeans", "teacher") if landcover else ("patches", "random", "views")
        given = (self.seen, self.start, self.labels_from)
        seen, start, source = (u if g == "auto" else g for g, u in zip(given, usual, strict=True))
        plan = self._asked(
            deep,
            warmup=self.warmup if landcover else 0,
            options={
                "patches": seen == "patches",
                "start": start,
                "source": source,
                "smooth": not self._sees_consensus,
            },
        )
        if not self._sees_consensus:
            return plan
        return replace(plan, gain=0.0, space="inputs")

    def meet(self, stream: PixelStream) -> list[str]:
        """Look at the light and the calibration of a scene that is to be labelled."""
        least, seams = self._least_trend, self._most_seams
        # Scenes side by side have no common light.
        self.light_ = None
        if hasattr(stream, "parts") or (least is None and not seams):
            return []
        light = Light.of(stream, self.random_state, seams)
        if least is None or light.reach < least:
            light = replace(light, down=0.0, right=0.0)
        self.light_ = light if light.reach or light.steps else None
        told = [
            f"the calibration of the bands changes at {'column' if step.axis else 'row'} "
            f"{step.at}; that was undone, and training with --set seams=0 leaves it."
            for step in light.steps
        ]
        if light.reach:
            told.append(
                f"the light grows by {math.expm1(light.reach):.0%} from the middle of the scene to "
                "where it is strongest; that was taken out, and training with --set trend=10 "
                "leaves it."
            )
        return told

    @property
    def _least_trend(self) -> float | None:
        return _LEAST_TREND if self.trend is None and self.mode == "landcover" else self.trend

    @property
    def _most_seams(self) -> int:
        if self.seams is None:
            return _MOST_SEAMS if self.mode == "landcover" else 0
        return self.seams

    @property
    def _sees_consensus(self) -> bool:
        # What a file's network has learned to see are bands.
        free = not self._starts_from_file and self.trunk == "plain"
        usual = "consensus" if self.mode == "landcover" and free else "bands"
        return (usual if self.inputs == "auto" else self.inputs) == "consensus"

    @property
    def _usual_field(self) -> int:
        return 3 if self._sees_consensus else 7

    @property
    def halo(self) -> int:
        """Pixels of context needed on each side of a predicted window."""
        return super().halo + (self._eyes.halo if self._eyes is not None else 0)

    def learn_bytes(self, n_bands: int, n_valid: int) -> int:
        """Memory in bytes that ``fit`` holds at once."""
        needed = super().learn_bytes(n_bands, n_valid)
        if self._sees_consensus:
            needed += self._made_eyes().learn_bytes(n_bands, n_valid)
        return needed

    def _learn(self, stream: PixelStream) -> None:
        self._eyes = None
        if not getattr(stream, "is_table", False):
            self.warnings_ += self.meet(stream)
        super()._learn(stream if self.light_ is None else EvenStream(stream, self.light_))

    def _made_eyes(self) -> Consensus:
        return Consensus(self.n_classes, random_state=self.random_state)

    def _sight(self, stream: PixelStream, deep: Any) -> Any:
        if not self._sees_consensus:
            return None
        eyes = self._made_eyes()
        eyes.use_machine(self._workers(), "cpu")
        self._eyes = eyes.fit_stream(stream)
        n = eyes.dimensions
        scaling = deep.Scaling(np.zeros(n), np.full(n, _SPACE_SCALE / np.sqrt(n)))
        return deep.Sight(SeenScene(stream, eyes), scaling)

    def _merged(self, count: NDArray[np.int64], features: Float) -> Tree:
        if self._eyes is None:
            return super()._merged(count, features)
        places = features * _SPACE_SCALE / np.sqrt(features.shape[1])
        return grouped_ward(count, features, self._eyes.classes_at(places))

    def adapted(self, stream: PixelStream) -> Self:
        """A copy whose network is fitted to another scene, where it looks at bands.

        Raises
        ------
        UsageError
            It looks at the space of a consensus.
        """
        if self._eyes is not None:
            raise UsageError(
                "this uic model looks at the space of a consensus, which belongs to its scene; "
                "leave --adapt out, or train with --set inputs=bands."
            )
        other = copy.copy(self)
        other.meet(stream)
        light = other.light_
        return super(UIC, other).adapted(stream if light is None else EvenStream(stream, light))

    @property
    def _sees(self) -> Callable[[Block, Window], Block] | None:
        return None if self._eyes is None else partial(seen_block, self._eyes)

    def predict_block(self, block: Block, core: Window, layers: Collection[str] = ()) -> Prediction:
        """Label ``core``, under even light; see :meth:`NetworkEngine.predict_block`."""
        return super().predict_block(self._evened(block), core, layers)

    def layer_features(self, block: Block, core: Window) -> dict[str, NDArray[np.float32]]:
        """The features of each layer, under even light."""
        return super().layer_features(self._evened(block), core)

    def _evened(self, block: Block) -> Block:
        return block if self.light_ is None else self.light_.evened(block)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What must be kept to label again."""
        card, arrays = super().state()
        card["light"] = None if self.light_ is None else asdict(self.light_)
        card["eyes"] = None
        if self._eyes is not None:
            card["eyes"], seen = self._eyes.state()
            arrays |= {f"eyes.{name}": value for name, value in seen.items()}
        return card, arrays

    def restore(self, card: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Set the fitted attributes from what ``state`` gave."""
        super().restore(card, arrays)
        light = card.get("light")
        self.light_ = None if light is None else Light.restored(light)
        self._eyes = None
        if card.get("eyes") is not None:
            self._eyes = self._made_eyes()
            own = {name[5:]: value for name, value in arrays.items() if name.startswith("eyes.")}
            self._eyes.restore(card["eyes"], own)
