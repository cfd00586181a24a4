"""The first weights of a network: random, learned by a pretext, or taken from a file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.deep.adapting import Wavelengths, counterparts, for_bands
from rsclass.deep.backbone import read_state, trunk_arrays
from rsclass.deep.nets import PixelNet, Shape
from rsclass.deep.pretexts.catalogue import PRETEXTS, Lessons, pretrain
from rsclass.deep.pretexts.pretext import SIDE
from rsclass.deep.recipe import Training
from rsclass.errors import BrokenModelError, UsageError

__all__ = ["Given", "Start"]

TRUNK = ("stem", "blocks", "embedding")
"""The parts of a network that see; the others tell clusters apart."""

_ALIKE = ("receptive_field", "width", "embedding", "sobel", "color", "trunk", "stages")
_VIEWS = {"rotnet": 4, "jigsaw": 9, "exemplar": 1, "simclr": 2, "moco": 2}  # of a patch
_BATCH_PIXELS = 64 * 14**2  # that a step of a pretext sees, with the plain network's default


@dataclass(frozen=True, slots=True)
class Given:
    """A file of weights.

    Parameters
    ----------
    name : str
        For messages.
    content : bytes
    card, arrays : dicts or None
        Of a model of rsclass.
    """

    name: str
    content: bytes
    card: Mapping[str, Any] | None = None
    arrays: Mapping[str, NDArray[Any]] | None = None

    def told(self) -> dict[str, str]:
        """Its name and SHA-256."""
        return {"file": self.name, "sha256": hashlib.sha256(self.content).hexdigest()}


@dataclass(frozen=True, slots=True)
class Start:
    """How a network begins.

    Parameters
    ----------
    source : str
        ``random``, the name of a pretext, or of the file that is ``given``.
    epochs : int
        Of the pretext.
    given : Given or None
    freeze : bool
        What has been learned before stays as it is.
    rate : float
        Learning rate of what has been learned before, as a share of that of the rest.
    """

    source: str = "random"
    epochs: int = 8
    given: Given | None = None
    freeze: bool = False
    rate: float = 1.0

    def clusters(self, method: str, n_classes: int, shape: Shape, bands: Wavelengths) -> int | None:
        """Clusters that go on being told apart: those of a model for the same task.

        That is one of the same method, for as many classes and for inputs of the same wavelengths,
        with the same kind of head. Otherwise None, and what tells clusters apart begins anew.
        """
        if self.given is None or self.given.card is None:
            return None
        card, known = self.given.card, _shape(self.given)
        same = card["method"] == method and card["parameters"].get("n_classes") == n_classes
        paired = counterparts(_wavelengths(self.given), bands) == list(range(known.channels))
        if not (
            same and paired and (known.head, known.logit_norm) == (shape.head, shape.logit_norm)
        ):
            return None
        return known.clusters

    def step_pixels(self, shape: Shape) -> int:
        """Pixels that a network of ``shape`` sees at once while it learns by a pretext."""
        return _VIEWS.get(self.source, 0) * _patches(shape) * _patch_pixels(shape)

    def begin(
        self, net: PixelNet, training: Training, bands: Wavelengths, heads: bool
    ) -> list[dict[str, Any]]:
        """Give ``net`` its first weights.

        Parameters
        ----------
        bands : sequence of float or None
            Wavelengths of the inputs.
        heads : bool
            The file's clusters are the network's, too.

        Returns
        -------
        list of dict
            The history of the pretext.

        Raises
        ------
        UsageError
            The file's network has another shape.
        BrokenModelError
            The file holds no network, or only a part of one.
        """
        history: list[dict[str, Any]] = []
        parts: tuple[str, ...] = TRUNK
        if self.source in PRETEXTS:
            lessons = Lessons(self.epochs, batch=_patches(net.shape))
            history = pretrain(net, training, self.source, lessons)
        elif self.given is not None and self.given.card is not None:
            net.load(net.arrays() | _fitting(self.given, net.shape, bands, heads))
        elif self.given is not None:
            state = read_state(self.given.content, self.given.name)
            net.load(net.arrays() | trunk_arrays(state, net.shape, bands, self.given.name))
            parts = ("stem", "blocks")
        else:
            parts = ()
        net.hold(parts, 0.0 if self.freeze else self.rate)
        return history


def _patches(shape: Shape) -> int:
    """Patches of a step of a pretext: fewer where each needs wide surroundings."""
    return int(np.clip(_BATCH_PIXELS // _patch_pixels(shape), 8, 64))


def _patch_pixels(shape: Shape) -> int:
    return (SIDE + 2 * shape.halo) ** 2


def _shape(given: Given) -> Shape:
    assert given.card is not None  # noqa: S101
    try:
        return Shape(**given.card["engine"]["state"]["network"])
    except (KeyError, TypeError) as error:
        raise BrokenModelError(
            f"{given.name} is a model of {given.card['method']}, which has no network; give one of "
            "a method that has."
        ) from error


def _wavelengths(given: Given) -> Wavelengths:
    """Of the inputs of a model's network."""
    assert given.card is not None  # noqa: S101
    channels, bands = _shape(given).channels, given.card["bands"]
    if len(bands) != channels or "scaling.projection" in (given.arrays or {}):
        return [None] * channels
    return [band.get("wavelength") for band in bands]


def _fitting(
    given: Given, shape: Shape, bands: Wavelengths, heads: bool
) -> dict[str, NDArray[np.float32]]:
    """Weights of a model's network, with first layers for the inputs of ``shape``."""
    known = _shape(given)
    wrong = [name for name in _ALIKE if getattr(known, name) != getattr(shape, name)]
    if wrong:
        settings = " ".join(f"{name}={getattr(known, name)}" for name in wrong)
        asked = ", ".join(f"{name}={getattr(shape, name)}" for name in wrong)
        raise UsageError(
            f"{given.name} holds a network with {settings}, and {asked} was asked for; set "
            f"{settings} to start from it."
        )
    parts = (*TRUNK, "head", "classifier", "logit_norm") if heads else TRUNK
    arrays = {
        name.removeprefix("network."): np.asarray(array, dtype=np.float32)
        for name, array in (given.arrays or {}).items()
        if name.removeprefix("network.").startswith(parts)
    }
    found = counterparts(_wavelengths(given), bands)
    if known.color and found != list(range(known.channels)):
        first = "stem.weight" if known.trunk == "plain" else "stem.conv1.weight"
        raw, edges = np.split(arrays[first], [known.channels], axis=1)
        fitted = [for_bands(raw, found)]
        if known.sobel:
            pairs = edges.reshape(len(edges), known.channels, -1)
            fitted.append(for_bands(pairs, found).reshape(len(edges), -1, *edges.shape[2:]))
        arrays[first] = np.concatenate(fitted, axis=1)
        features, center = np.split(arrays["embedding.0.weight"], [known.features], axis=1)
        center = for_bands(center, found)
        arrays["embedding.0.weight"] = np.concatenate([features, center], axis=1)
    return arrays
