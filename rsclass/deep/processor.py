"""The layers of a network that labels, in the form in which a processor computes them fastest."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rsclass.core import winograd
from rsclass.core.compiling import compiled
from rsclass.core.types import Labels
from rsclass.deep.nets import PixelNet

__all__ = ["Pointwise", "Winograd", "best", "for_processor"]

_FEWEST = 768  # inputs times outputs of a 3x3 convolution for which fewer products are less work


class Winograd(nn.Conv2d):
    """A convolution of 3x3 pixels; of one large image it forms a quarter of the products.

    Parameters
    ----------
    layer : Conv2d
        As :meth:`suits` wants it.
    cut : bool
        Whether sums below 0 become 0.
    """

    factors: NDArray[np.float32]

    def __init__(self, layer: nn.Conv2d, cut: bool = False) -> None:
        super().__init__(layer.in_channels, layer.out_channels, 3)
        _take(self, layer)
        weight = layer.weight.detach().double().contiguous().numpy()
        self.factors = winograd.transformed(weight)
        self.cut = cut

    @staticmethod
    def suits(layer: nn.Conv2d) -> bool:
        """Whether a layer is of a kind that can be formed so, and gains by it."""
        return _plain(layer, 3) and layer.in_channels * layer.out_channels >= _FEWEST

    def forward(self, x: Tensor) -> Tensor:
        """Sums (n, outputs, h - 2, w - 2) of images (n, inputs, h, w)."""
        if len(x) > 1 or min(x.shape[2:]) < winograd.SMALLEST or self.bias is None:
            sums = super().forward(x)
            return sums.relu_() if self.cut else sums
        least = 0.0 if self.cut else -torch.inf
        image = x[0].permute(1, 2, 0).numpy()
        made = winograd.convolved(image, self.factors, self.bias.numpy(), least)
        return torch.from_numpy(made)[None].permute(0, 3, 1, 2)


class Pointwise(nn.Conv2d):
    """A convolution of one pixel, as the product of two matrices.

    Parameters
    ----------
    layer : Conv2d
        Of 1x1 pixels.
    planes : bool
        Whether the result is held channel by channel, and not pixel by pixel.
    """

    def __init__(self, layer: nn.Conv2d, planes: bool = False) -> None:
        super().__init__(layer.in_channels, layer.out_channels, 1)
        _take(self, layer)
        self.planes = planes

    def forward(self, x: Tensor) -> Tensor:
        """Sums (n, outputs, h, w) of images (n, inputs, h, w)."""
        n, inputs, height, width = x.shape
        if self.bias is None:
            return super().forward(x)
        pixels = x.permute(0, 2, 3, 1).reshape(-1, inputs)
        matrix = self.weight.reshape(self.out_channels, inputs)
        if self.planes:
            whole = torch.addmm(self.bias[:, None], matrix, pixels.T)
            return whole.view(-1, n, height, width).transpose(0, 1)
        rows = torch.addmm(self.bias, pixels, matrix.T)
        return rows.view(n, height, width, -1).permute(0, 3, 1, 2)


def for_processor(net: PixelNet) -> PixelNet:
    """``net``, whose layers are exchanged for those that a processor computes fastest.

    Parameters
    ----------
    net : PixelNet
        That labels, as :func:`rsclass.deep.quick.quick` gives it.
    """
    for name, layer in list(net.named_modules()):
        if isinstance(layer, nn.Sequential):
            _join(layer)
        elif isinstance(layer, nn.Conv2d) and _plain(layer, 1):
            net.set_submodule(name, Pointwise(layer, planes=layer is net.classifier))
    net.requires_grad_(False)
    return net


def best(logits: Tensor) -> Labels:
    """The most probable cluster (h, w) by logits (clusters, h, w); ties to the lowest."""
    if logits.device.type != "cpu":
        return logits.argmax(dim=0).to(torch.int32).cpu().numpy()
    clusters, height, width = logits.shape
    found = np.empty(height * width, dtype=np.int32)
    _best(logits.reshape(clusters, -1).numpy(), found)
    return found.reshape(height, width)


@compiled
def _best(logits: NDArray[np.float32], out: Labels) -> None:
    """The row of the largest value in every column."""
    top = logits[0].copy()
    out[:] = 0
    for k in range(1, len(logits)):
        row = logits[k]
        for i in range(len(row)):
            if row[i] > top[i]:
                top[i] = row[i]
                out[i] = k


def _join(layers: nn.Sequential) -> None:
    """Let a convolution of 3x3 pixels cut its sums itself where that is what comes next."""
    parts = [part for part in layers if not isinstance(part, nn.Identity)]
    match parts:
        case [nn.Conv2d() as first, nn.ReLU()] if Winograd.suits(first):
            for place in range(len(layers)):
                layers[place] = nn.Identity()
            layers[0] = Winograd(first, cut=True)


def _plain(layer: nn.Conv2d, side: int) -> bool:
    """Whether a convolution of so many pixels to each side has no options, and a bias."""
    usual = nn.Conv2d(layer.in_channels, layer.out_channels, side)
    names = ("kernel_size", "stride", "padding", "dilation", "groups")
    return layer.bias is not None and all(
        getattr(layer, name) == getattr(usual, name) for name in names
    )


def _take(own: nn.Conv2d, layer: nn.Conv2d) -> None:
    """Take the numbers of another layer."""
    own.requires_grad_(False)
    own.weight.copy_(layer.weight)
    if own.bias is not None and layer.bias is not None:
        own.bias.copy_(layer.bias)
