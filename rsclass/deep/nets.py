"""The network: fully convolutional and unpadded: a pixel sees its surroundings and no border.

A 1x1 stem, 3x3 convolutions with batch normalization (or the first stages of a ResNet), a 1x1
embedding that also sees the raw center pixel, and a 1x1 classifier over clusters. No stride: the
answer for a pixel does not depend on where the window was cut.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rsclass.core.types import Float
from rsclass.deep.resnet import RESNETS, Residual, Stem, absorb

__all__ = ["PixelNet", "Shape", "folded", "start_weights"]


@dataclass(frozen=True, slots=True)
class Shape:
    """What a network looks like.

    Parameters
    ----------
    channels : int
        Inputs of a pixel.
    clusters : int
        Outputs of a pixel.
    receptive_field : int
        Side of the square of pixels that one output sees; odd.
    width, embedding : int
        Channels of the 3x3 convolutions and of the embedding.
    head : str
        ``linear``, or ``mlp``: two more 1x1 layers before the classifier.
    sobel : bool
        The horizontal and vertical gradients of every input are inputs too.
    color : bool
        False: the gradients of the mean of all inputs are the only inputs (Sobel as published).
    logit_norm : bool
        Batch normalization of the logits (Kanezaki 2018), which keeps every cluster reachable.
    trunk : str
        ``plain``, or one of ``RESNETS``, which sets the receptive field and the width.
    stages : int
        Of the ResNet, from the first.
    """

    channels: int
    clusters: int
    receptive_field: int = 7
    width: int = 48
    embedding: int = 32
    head: str = "linear"
    sobel: bool = False
    color: bool = True
    logit_norm: bool = False
    trunk: str = "plain"
    stages: int = 1

    def __post_init__(self) -> None:
        if self.trunk != "plain":
            sees = 2 * RESNETS[self.trunk].halo(self.stages) + 1
            object.__setattr__(self, "receptive_field", sees)

    @property
    def halo(self) -> int:
        """Pixels of context on each side."""
        return self.receptive_field // 2

    @property
    def depth(self) -> int:
        """Convolutions of 3x3 pixels and more."""
        if self.trunk == "plain":
            return self.halo
        return 1 + sum(len(block) for block in RESNETS[self.trunk].dilations(self.stages))

    @property
    def features(self) -> int:
        """Channels of what the embedding is made of, beside the raw pixel."""
        return self.width if self.trunk == "plain" else RESNETS[self.trunk].channels(self.stages)

    def card(self) -> dict[str, Any]:
        """The fields as JSON can hold them."""
        return asdict(self)


class PixelNet(nn.Module):
    """Logits (clusters) for every pixel whose whole receptive field is given.

    Parameters
    ----------
    shape : Shape
    seed : int
        Of the initial weights: Kaiming normal for convolutions, N(0, 0.01) for the classifier.
    """

    gradients: Tensor

    def __init__(self, shape: Shape, seed: int = 0) -> None:
        super().__init__()
        self.shape = shape
        self.held: dict[str, float] = {}
        raw = shape.channels if shape.color else 0
        edged = shape.channels if shape.color else 1
        stem_inputs = raw + (2 * edged if shape.sobel else 0)
        self.stem: nn.Module
        if shape.trunk == "plain":
            convolutions = shape.halo - int(shape.sobel)
            self.stem = nn.Conv2d(stem_inputs, shape.width, 1)
            self.blocks = nn.Sequential(
                *(_layer(shape.width, shape.width, 3) for _ in range(convolutions))
            )
        else:
            self.stem, self.blocks = RESNETS[shape.trunk].trunk(stem_inputs, shape.stages)
        self.embedding = _layer(shape.features + raw, shape.embedding, 1)
        layers = 2 if shape.head == "mlp" else 0
        self.head = nn.Sequential(
            *(_layer(shape.embedding, shape.embedding, 1) for _ in range(layers))
        )
        self.classifier = nn.Conv2d(shape.embedding, shape.clusters, 1)
        self.logit_norm = (
            nn.BatchNorm2d(shape.clusters, affine=False) if shape.logit_norm else nn.Identity()
        )
        if shape.sobel:
            self.register_buffer("gradients", _sobel(edged), persistent=False)
        start_weights(self, np.random.default_rng([seed, 0x4E4554]), self.classifier)
        # The layout in which the processor's convolutions are fastest.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def hold(self, parts: Collection[str], share: float) -> None:
        """Let some parts learn more slowly than the rest.

        Parameters
        ----------
        parts : collection of str
            Of ``stem``, ``blocks`` and ``embedding``.
        share : float
            Of the learning rate; 0: they, and the statistics of their normalization, stand still.
        """
        self.held = dict.fromkeys(parts, share)
        if share == 0:
            for part in parts:
                self.get_submodule(part).requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """Turn to learning or labelling; parts that stand still go on labelling."""
        super().train(mode)
        for part, share in self.held.items():
            if share == 0:
                self.get_submodule(part).eval()
        return self

    def start_classifier(self, rng: np.random.Generator) -> None:
        """New weights of the classifier: N(0, 0.01), and no bias."""
        start_weights(self.classifier, rng, self.classifier)

    def set_classifier(self, vectors: Float, bias: Float) -> None:
        """Let the classifier be ``vectors @ features + bias``.

        Parameters
        ----------
        vectors : float64 array (clusters, features)
        bias : float64 array (clusters,)
        """
        with torch.no_grad():
            rows = torch.from_numpy(vectors.astype(np.float32))[..., None, None]
            self.classifier.weight.copy_(rows)
            if self.classifier.bias is not None:
                self.classifier.bias.copy_(torch.from_numpy(bias.astype(np.float32)))

    def fix_classifier(self, rng: np.random.Generator) -> None:
        """Orthonormal class vectors that are not learned.

        With more clusters than channels of the embedding they are as near to that as can be: rows
        of unit length of a matrix with orthogonal columns.
        """
        k, d = self.shape.clusters, self.classifier.in_channels
        # Libraries of linear algebra do not give the same last bits in every call.
        axes = np.round(np.linalg.qr(rng.normal(size=(max(k, d), min(k, d))))[0], 9)
        rows = axes.T if k < d else axes
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        self.set_classifier(rows, np.zeros(k))
        self.classifier.requires_grad_(False)

    def embed(self, x: Tensor) -> Tensor:
        """Embedding (n, embedding, h, w) of inputs (n, channels, h + 2 halo, w + 2 halo)."""
        center, stem_inputs = self._split(x)
        features: Tensor = self.blocks(self.stem(stem_inputs))
        embedding: Tensor = self.embedding(torch.cat([features, center], dim=1))
        return embedding

    def layers(self, x: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Name and features of every layer in order, the last of which are the logits.

        Those before the embedding are wider than it by what the layers between them use up.
        """
        center, features = self._split(x)
        features = self.stem(features)
        yield "stem", features
        for number, block in enumerate(self.blocks, 1):
            features = block(features)
            yield f"block {number}", features
        features = self.embedding(torch.cat([features, center], dim=1))
        yield "embedding", features
        for number, layer in enumerate(self.head, 1):
            features = layer(features)
            yield f"head {number}", features
        yield "logits", self.logit_norm(self.classifier(features))

    def _split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The raw pixels that have an answer, and what the stem takes."""
        halo = self.shape.halo
        color = x if self.shape.color else x[:, :0]
        center = color[:, :, halo : x.shape[2] - halo, halo : x.shape[3] - halo]
        if self.shape.sobel:
            edged = x if self.shape.color else x.mean(dim=1, keepdim=True)
            edges = nn.functional.conv2d(edged, self.gradients, groups=edged.shape[1])
            x = torch.cat([color[:, :, 1:-1, 1:-1], edges], dim=1)
        return center, x

    def classify(self, embedding: Tensor) -> Tensor:
        """Logits of embeddings."""
        logits: Tensor = self.logit_norm(self.classifier(self.head(embedding)))
        return logits

    def forward(self, x: Tensor) -> Tensor:
        """Logits (n, clusters, h, w)."""
        return self.classify(self.embed(x))

    def keep(self, clusters: NDArray[np.int64]) -> PixelNet:
        """This network with outputs for ``clusters`` only."""
        fields = self.shape.card() | {"clusters": len(clusters)}
        smaller = PixelNet(Shape(**fields))
        weights = self.arrays()
        for name in ("classifier.weight", "classifier.bias"):
            weights[name] = weights[name][clusters]
        for name in ("logit_norm.running_mean", "logit_norm.running_var"):
            if name in weights:
                weights[name] = weights[name][clusters]
        smaller.load(weights)
        return smaller

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Weights and running statistics by name."""
        return {
            name: np.array(value.detach().cpu().contiguous().numpy())
            for name, value in self.state_dict().items()
            if value.dtype == torch.float32
        }

    def load(self, arrays: dict[str, NDArray[np.float32]]) -> None:
        """Set weights and running statistics from what ``arrays`` gave.

        Raises
        ------
        KeyError, ValueError
            An array is missing or has another shape.
        """
        with torch.no_grad():
            for name, value in self.state_dict().items():
                if value.dtype != torch.float32:
                    continue
                given = torch.from_numpy(np.ascontiguousarray(arrays[name], dtype=np.float32))
                if given.shape != value.shape:
                    raise ValueError(
                        f"{name} is {tuple(given.shape)} where the network has {tuple(value.shape)}"
                    )
                value.copy_(given)


def start_weights(
    module: nn.Module, rng: np.random.Generator, classifier: nn.Module | None = None
) -> None:
    """Kaiming normal weights and no bias in all convolutions; N(0, 0.01) in ``classifier``."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            fan_out = part.out_channels * part.kernel_size[0] * part.kernel_size[1]
            sigma = 0.01 if part is classifier else (2 / fan_out) ** 0.5
            values = rng.normal(0, sigma, part.weight.shape).astype(np.float32)
            with torch.no_grad():
                part.weight.copy_(torch.from_numpy(values))
                if part.bias is not None:
                    part.bias.zero_()


def folded(net: PixelNet) -> PixelNet:
    """A copy of ``net`` for labelling: batch normalization is absorbed into the convolutions."""
    quick = copy.deepcopy(net).eval()
    for layer in [quick.stem, *quick.blocks, quick.embedding, *quick.head]:
        if isinstance(layer, Stem | Residual):
            layer.fold()
        elif isinstance(layer, nn.Sequential):
            absorb(layer, "0", "1")
    if isinstance(quick.logit_norm, nn.BatchNorm2d):
        quick.classifier = nn.utils.fusion.fuse_conv_bn_eval(quick.classifier, quick.logit_norm)
        quick.logit_norm = nn.Identity()
    quick.requires_grad_(False)
    quick.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return quick


def _layer(inputs: int, outputs: int, side: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, side, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


def _sobel(channels: int) -> Tensor:
    smooth, slope = torch.tensor([1.0, 2.0, 1.0]), torch.tensor([-1.0, 0.0, 1.0])
    across = torch.outer(smooth, slope) / 8
    pair = torch.stack([across, across.T])[:, None]
    return pair.repeat(channels, 1, 1, 1)
