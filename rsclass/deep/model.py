"""From a stream of pixels to a trained network and its clusters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.types import Block, PixelStream, Readable, Sample, Window
from rsclass.deep.adaptation import adapted
from rsclass.deep.adapting import Wavelengths
from rsclass.deep.augment import Augmentation
from rsclass.deep.cleaning import clean
from rsclass.deep.clusters import Clusters, survey
from rsclass.deep.infer import Forward, Labeler
from rsclass.deep.layers import layer_features
from rsclass.deep.loop import Trained, train
from rsclass.deep.nets import PixelNet, Shape
from rsclass.deep.objective import Clustering
from rsclass.deep.objectives.deepcluster import DeepCluster
from rsclass.deep.objectives.iic import IIC
from rsclass.deep.objectives.scan import SCAN
from rsclass.deep.objectives.selfclassifier import SelfClassifier
from rsclass.deep.objectives.selflabel import SelfLabel
from rsclass.deep.objectives.uic import UIC
from rsclass.deep.patches import CHUNK, SPARSEST, TrainingArea, area_bytes
from rsclass.deep.recipe import Recipe, Stream, Training
from rsclass.deep.scaling import WIDEST, Scaling
from rsclass.deep.shards import SHARDS, Shards
from rsclass.deep.starting import Given, Start
from rsclass.deep.threads import choose_device

__all__ = [
    "Given",
    "Learned",
    "Plan",
    "Shape",
    "Sight",
    "Start",
    "adapted",
    "choose_device",
    "labeler",
    "layer_features",
    "learn",
    "learn_bytes",
]

_SCALING_VALUES = 4_000_000  # numbers from which the scaling is computed
_PIXEL_BYTES = 3 * 4  # of a pixel in a layer: convolved, normalized and cut at zero

OBJECTIVES: dict[str, type[Clustering]] = {
    "uic": UIC,
    "deepcluster": DeepCluster,
    "selflabel": SelfLabel,
    "scan": SCAN,
    "iic": IIC,
    "self-classifier": SelfClassifier,
}
"""The methods that can be learned, by name."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked of one training.

    Parameters
    ----------
    method : str
        One of ``OBJECTIVES``.
    options : dict
        Its parameters; ``patches`` where it learns from patches instead of tiles.
    n_classes : int
        Classes asked for.
    recipe : Recipe
        ``recipe.clusters`` is an upper bound.
    shape : Shape
        ``channels`` and ``clusters`` are set from the scene.
    gain, noise : float
        Of the augmentation.
    space : str
        Where clusters are merged.
    training_pixels : int
        Pixels held in memory.
    learn_centroids : bool
        The classifier is learned, and not fixed to orthonormal rows.
    start : Start
        The first weights.
    clean : int
        Epochs in which the labels are cleaned at the end.
    """

    method: str
    n_classes: int
    recipe: Recipe
    shape: Shape
    gain: float
    noise: float
    space: str
    training_pixels: int
    options: dict[str, Any] = field(default_factory=dict)
    learn_centroids: bool = True
    start: Start = field(default_factory=Start)
    clean: int = 0

    @property
    def patches(self) -> bool:
        """Whether the method learns from patches."""
        return bool(self.options.get("patches"))


@dataclass(frozen=True, slots=True)
class Learned:
    """A trained network.

    Parameters
    ----------
    net : PixelNet
        With an output for each cluster that holds pixels.
    scaling : Scaling
    clusters : Clusters
    n_classes : int
        Classes that the scene can give, at most those asked for.
    history, log : lists of dict
        See :class:`rsclass.deep.loop.Trained`.
    warnings : list of str
    """

    net: PixelNet
    scaling: Scaling
    clusters: Clusters
    n_classes: int
    history: list[dict[str, Any]]
    log: list[dict[str, Any]]
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class Sight:
    """What a network looks at in place of the bands.

    Parameters
    ----------
    scene : Readable
        Of the size of the scene itself.
    scaling : Scaling
    """

    scene: Readable
    scaling: Scaling


def learn(
    stream: PixelStream, plan: Plan, jobs: int, device_name: str, sight: Sight | None = None
) -> Learned:
    """Train on ``stream`` as ``plan`` says; ``jobs`` threads change the speed only."""
    recipe = plan.recipe
    sample = stream.sample(_scaling_pixels(len(stream.bands)), recipe.seed)
    scaling = Scaling.of_sample(sample)
    warnings = _constant_bands(stream, scaling)
    scene: Readable = stream
    if sight is not None:
        scene, scaling = sight.scene, sight.scaling
    area = TrainingArea(scene, scaling, plan.shape.halo, plan.training_pixels, recipe.seed)
    if not area.strict:
        warnings.append(
            f"no pixel has {plan.shape.receptive_field} x {plan.shape.receptive_field} valid "
            "pixels around it; every valid pixel was trained on, with gaps filled by band means."
        )
    n_classes = min(plan.n_classes, _distinct(sample, plan.n_classes), len(area.pixels))
    # As many clusters as classes: no more than the scene can give.
    clusters = recipe.clusters if recipe.clusters > plan.n_classes else n_classes
    recipe = replace(recipe, clusters=clusters if n_classes > 1 else 1)
    device = choose_device(device_name)
    wavelengths = _wavelengths(stream, scaling, of_bands=sight is None)
    options, known = plan.options, None
    if "start" in options and n_classes > 1 and sight is None:
        shape = replace(plan.shape, channels=scaling.channels)
        known = plan.start.clusters(plan.method, n_classes, shape, wavelengths)
    if known is not None:
        recipe, options = replace(recipe, clusters=known), options | {"start": "forward"}
    view = Augmentation(scaling, gain=plan.gain, offset=plan.gain, noise=plan.noise)
    training = Training(area, view, recipe, jobs, device, stream.report)
    objective = OBJECTIVES[plan.method](training, **options)
    shape = replace(plan.shape, channels=scaling.channels, clusters=objective.outputs)
    net = PixelNet(shape, recipe.seed)
    begun = plan.start.begin(net, training, wavelengths, heads=options is not plan.options)
    if not plan.learn_centroids:
        net.fix_classifier(recipe.rng(Stream.HEAD))
    trained = Trained(net, [], [])
    if recipe.clusters > 1:
        trained = train(net, training, objective)
        net = trained.net
        sentence = objective.collapse(trained.history)
        # Clusters of a space that was made of classes stand in for each other: few may remain.
        if sentence and sight is None:
            warnings.append(sentence)
    history = begun + trained.history
    if plan.clean and recipe.clusters > 1:
        cleaned = clean(net, training, plan.clean)
        net, history = cleaned.net, history + cleaned.history
    with Shards(net, jobs) as shards:
        found = survey(stream, area, Forward(net, device), shards, plan.space)
    n_classes = min(n_classes, len(found.index))
    if n_classes < plan.n_classes:
        warnings.append(f"{plan.n_classes} classes were asked for and {n_classes} found.")
    kept = net.keep(found.index)
    return Learned(kept, scaling, found, n_classes, history, trained.log, warnings)


def learn_bytes(plan: Plan, n_bands: int, n_valid: int) -> int:
    """About the memory in bytes that :func:`learn` holds at once, beside a block of the stream.

    Parameters
    ----------
    n_bands, n_valid : int
        Of the scene; all of its pixels where it is not known how many are valid.
    """
    shape, recipe = plan.shape, plan.recipe
    held = min(SPARSEST * plan.training_pixels, n_valid)
    area = area_bytes(min(n_bands, WIDEST), shape.halo, held)
    scaling = 3 * 8 * n_bands * min(_scaling_pixels(n_bands), n_valid)
    layers = shape.depth + 2 + (2 if shape.head == "mlp" else 0)
    lesson = layers * _PIXEL_BYTES * shape.features * plan.start.step_pixels(shape)
    method = OBJECTIVES[plan.method]
    seen = method.step_pixels(recipe, shape.halo, plan.options)
    step = layers * _PIXEL_BYTES * shape.features * seen
    kept = method.kept_bytes(recipe, plan.options, held)
    return area + scaling + kept + max(step, lesson) + SHARDS * _layer_bytes(shape, CHUNK)


def _scaling_pixels(n_bands: int) -> int:
    return max(10_000, min(100_000, _SCALING_VALUES // n_bands))


def _layer_bytes(shape: Shape, side: int) -> int:
    """What a layer holds of a tile of ``side`` pixels."""
    return _PIXEL_BYTES * shape.features * (side + 2 * shape.halo) ** 2


def labeler(
    shape: dict[str, Any],
    weights: dict[str, NDArray[np.float32]],
    scaling: Scaling,
    group: NDArray[np.int64],
    device_name: str,
    sees: Callable[[Block, Window], Block] | None = None,
) -> Labeler:
    """What labels blocks, from what a model file keeps; ``sees`` as :class:`Labeler` takes it."""
    net = PixelNet(Shape(**shape))
    net.load(weights)
    return Labeler(net, scaling, group, choose_device(device_name), sees)


def _wavelengths(stream: PixelStream, scaling: Scaling, of_bands: bool) -> Wavelengths:
    """Of the inputs: those of the bands, unless these are mixed."""
    if not of_bands or scaling.projection is not None:
        return [None] * scaling.channels
    return [band.wavelength for band in stream.bands]


def _constant_bands(stream: PixelStream, scaling: Scaling) -> list[str]:
    names = [stream.bands[i].name for i in scaling.constant]
    if not names:
        return []
    return [f"bands that hold one value only say nothing about the classes: {', '.join(names)}."]


def _distinct(sample: Sample, enough: int) -> int:
    """Different spectra among the sampled pixels, counted up to ``enough``."""
    count = 0
    for size in (2_000, len(sample)):
        count = len(np.unique(sample.values[:size], axis=0))
        if count >= enough:
            break
    return count
