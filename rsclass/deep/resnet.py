"""The first layers of a ResNet for every pixel: no stride, no padding.

He, Zhang, Ren, Sun 2016, Deep Residual Learning for Image Recognition, CVPR,
DOI 10.1109/CVPR.2016.90. Where the published network takes every second pixel, this one takes all
and spreads later kernels by as much (à trous; Chen et al. 2018, DeepLab, IEEE TPAMI 40(4),
DOI 10.1109/TPAMI.2017.2699184): at every pixel it sees what the published network sees in a
picture whose grid begins there.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

__all__ = ["RESNETS", "Bottleneck", "Pair", "ResNet", "Residual", "Stem", "absorb"]


@dataclass(frozen=True, slots=True)
class ResNet:
    """What the layers of a ResNet look like.

    Parameters
    ----------
    blocks : tuple of int
        Residual blocks of each stage.
    bottleneck : bool
        Blocks of three convolutions, of which one is 3x3, instead of two.
    """

    blocks: tuple[int, ...]
    bottleneck: bool

    def dilations(self, stages: int) -> list[tuple[int, ...]]:
        """Distance between the taps of each 3x3 convolution of every block."""
        count = 1 if self.bottleneck else 2
        spread: list[tuple[int, ...]] = []
        dilation = 4  # the stem took every fourth pixel
        for stage, blocks in enumerate(self.blocks[:stages]):
            for block in range(blocks):
                first = dilation
                if stage and not block:
                    dilation *= 2
                spread.append((first, *[dilation] * (count - 1)))
        return spread

    def halo(self, stages: int) -> int:
        """Pixels of context on each side."""
        return Stem.halo + sum(sum(block) for block in self.dilations(stages))

    def channels(self, stages: int) -> int:
        """Features of a pixel after so many stages."""
        return int(64 * 2 ** (stages - 1)) * (4 if self.bottleneck else 1)

    def names(self, stages: int) -> list[str]:
        """The published name of every block: ``layer1.0``."""
        return [f"layer{s + 1}.{b}" for s in range(stages) for b in range(self.blocks[s])]

    def trunk(self, inputs: int, stages: int) -> tuple[Stem, nn.Sequential]:
        """The stem and the residual blocks of the first ``stages`` stages."""
        kind: type[Pair | Bottleneck] = Bottleneck if self.bottleneck else Pair
        blocks: list[nn.Module] = []
        known = Stem.channels
        for name, dilations in zip(self.names(stages), self.dilations(stages), strict=True):
            width = 64 * 2 ** (int(name[5]) - 1)
            block = kind(known, width, dilations)
            blocks.append(block)
            known = block.channels
        return Stem(inputs), nn.Sequential(*blocks)


RESNETS = {
    "resnet18": ResNet((2, 2, 2, 2), bottleneck=False),
    "resnet50": ResNet((3, 4, 6, 3), bottleneck=True),
}


class Stem(nn.Module):
    """A 7x7 convolution and a 3x3 maximum."""

    halo = 5
    channels = 64

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, self.channels, 7, bias=False)
        self.bn1 = nn.BatchNorm2d(self.channels)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, stride=1, dilation=2)

    def forward(self, x: Tensor) -> Tensor:
        """Features (n, 64, h - 10, w - 10)."""
        pooled: Tensor = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        return pooled

    def fold(self) -> None:
        """Absorb the normalization into the convolution."""
        absorb(self, "conv1", "bn1")


class Residual(nn.Module):
    """Convolutions whose result is added to what they were given."""

    convolutions: int

    def __init__(self, inputs: int, channels: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        self.channels = channels
        self.halo = sum(dilations)
        self.relu = nn.ReLU()
        self.downsample = (
            nn.Sequential(nn.Conv2d(inputs, channels, 1, bias=False), nn.BatchNorm2d(channels))
            if inputs != channels
            else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        """Features (n, channels, h - 2 halo, w - 2 halo)."""
        seen = x
        for i in range(1, self.convolutions + 1):
            seen = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(seen))
            if i < self.convolutions:
                seen = self.relu(seen)
        halo = self.halo
        kept = self.downsample(x[:, :, halo : x.shape[2] - halo, halo : x.shape[3] - halo])
        added: Tensor = self.relu(seen + kept)
        return added

    def fold(self) -> None:
        """Absorb the normalization into the convolutions."""
        for i in range(1, self.convolutions + 1):
            absorb(self, f"conv{i}", f"bn{i}")
        if isinstance(self.downsample, nn.Sequential):
            absorb(self.downsample, "0", "1")


class Pair(Residual):
    """Two 3x3 convolutions."""

    convolutions = 2

    def __init__(self, inputs: int, width: int, dilations: tuple[int, ...]) -> None:
        super().__init__(inputs, width, dilations)
        first, second = dilations
        self.conv1 = nn.Conv2d(inputs, width, 3, dilation=first, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, dilation=second, bias=False)
        self.bn2 = nn.BatchNorm2d(width)


class Bottleneck(Residual):
    """A 3x3 convolution between two of 1x1, the last of which is four times as wide."""

    convolutions = 3

    def __init__(self, inputs: int, width: int, dilations: tuple[int, ...]) -> None:
        super().__init__(inputs, 4 * width, dilations)
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, dilation=dilations[0], bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)


def absorb(holder: nn.Module, convolution: str, norm: str) -> None:
    """Make a convolution do what the normalization after it does in evaluation mode."""
    fused = nn.utils.fusion.fuse_conv_bn_eval(getattr(holder, convolution), getattr(holder, norm))
    setattr(holder, convolution, fused)
    setattr(holder, norm, nn.Identity())
