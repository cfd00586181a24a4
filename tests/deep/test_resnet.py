"""The dense trunk against a plain forward with strides and padding, as published."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from rsclass.deep.resnet import RESNETS


def torchvision_state(kind, inputs=3, seed=0, scale=1.0):
    """A state dict with the names and shapes of torchvision's resnet18 and resnet50."""
    rng = torch.Generator().manual_seed(seed)
    state = {}

    def convolution(name, outputs, channels, side):
        shape = (outputs, channels, side, side)
        spread = (2 / (channels * side * side)) ** 0.5
        state[f"{name}.weight"] = scale * spread * torch.randn(shape, generator=rng)

    def norm(name, channels):
        state[f"{name}.weight"] = 0.5 + torch.rand(channels, generator=rng)
        state[f"{name}.bias"] = 0.2 * torch.randn(channels, generator=rng)
        state[f"{name}.running_mean"] = 0.2 * torch.randn(channels, generator=rng)
        state[f"{name}.running_var"] = 0.5 + torch.rand(channels, generator=rng)
        state[f"{name}.num_batches_tracked"] = torch.tensor(7)

    convolution("conv1", 64, inputs, 7)
    norm("bn1", 64)
    blocks, factor = ([2, 2, 2, 2], 1) if kind == "resnet18" else ([3, 4, 6, 3], 4)
    known = 64
    for stage, count in enumerate(blocks, 1):
        width = 64 * 2 ** (stage - 1)
        for block in range(count):
            name = f"layer{stage}.{block}"
            sides = [3, 3] if factor == 1 else [1, 3, 1]
            channels = known
            for i, side in enumerate(sides, 1):
                outputs = width * factor if i == len(sides) else width
                convolution(f"{name}.conv{i}", outputs, channels, side)
                norm(f"{name}.bn{i}", outputs)
                channels = outputs
            if block == 0 and known != width * factor:
                convolution(f"{name}.downsample.0", width * factor, known, 1)
                norm(f"{name}.downsample.1", width * factor)
            known = width * factor
    state["fc.weight"] = torch.randn(1000, known, generator=rng)
    state["fc.bias"] = torch.zeros(1000)
    return state


def published(state, x, kind, stages):
    """Features after ``stages`` stages, with strides 2, 2 and 2 and with padding."""

    def normed(name, seen):
        parts = (state[f"{name}.{part}"] for part in ("running_mean", "running_var"))
        return functional.batch_norm(seen, *parts, state[f"{name}.weight"], state[f"{name}.bias"])

    seen = functional.conv2d(x, state["conv1.weight"], stride=2, padding=3)
    seen = functional.max_pool2d(functional.relu(normed("bn1", seen)), 3, stride=2, padding=1)
    sides, strided = ([3, 3], 1) if kind == "resnet18" else ([1, 3, 1], 2)
    for stage in range(1, stages + 1):
        block = 0
        while (name := f"layer{stage}.{block}") + ".conv1.weight" in state:
            stride = 2 if stage > 1 and block == 0 else 1
            kept = seen
            for i, side in enumerate(sides, 1):
                weight = state[f"{name}.conv{i}.weight"]
                step = stride if i == strided else 1
                seen = functional.conv2d(seen, weight, stride=step, padding=side // 2)
                seen = normed(f"{name}.bn{i}", seen)
                seen = functional.relu(seen) if i < len(sides) else seen
            if f"{name}.downsample.0.weight" in state:
                weight = state[f"{name}.downsample.0.weight"]
                kept = functional.conv2d(kept, weight, stride=stride)
                kept = normed(f"{name}.downsample.1", kept)
            seen = functional.relu(seen + kept)
            block += 1
    return seen


def loaded(kind, state, stages):
    stem, blocks = RESNETS[kind].trunk(3, stages)
    stem.load_state_dict({k: v for k, v in state.items() if k.startswith(("conv1", "bn1"))})
    for name, block in zip(RESNETS[kind].names(stages), blocks, strict=True):
        start = f"{name}."
        own = {k.removeprefix(start): v for k, v in state.items() if k.startswith(start)}
        block.load_state_dict(own)
    return torch.nn.Sequential(stem, blocks).eval()


@pytest.mark.parametrize(
    ("kind", "stages", "halo"),
    [("resnet18", 1, 21), ("resnet18", 2, 49), ("resnet50", 1, 17), ("resnet50", 2, 45)],
)
def test_the_dense_trunk_sees_in_every_pixel_what_the_published_one_sees(kind, stages, halo):
    state = torchvision_state(kind)
    net = loaded(kind, state, stages)
    assert RESNETS[kind].halo(stages) == halo
    stride = 4 * stages  # 4 after the first stage, 8 after the second
    side = 2 * halo + 9 + 2 * stride
    x = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        dense = net(x[:, :, stride:-stride, stride:-stride])
        assert dense.shape == (1, RESNETS[kind].channels(stages), 9, 9)
        for row, col in ((3, 5),) if stages == 2 else ((0, 0), (3, 5)):
            # A grid that begins so that one of its pixels lies here, halo or more from the edge.
            (down, top), (right, left) = (divmod(p + halo + stride, stride) for p in (row, col))
            at = published(state, x[:, :, top:, left:], kind, stages)[0, :, down, right]
            # float32 sums in another order
            torch.testing.assert_close(dense[0, :, row, col], at, rtol=1e-4, atol=1e-4)


def test_folding_changes_nothing():
    net = loaded("resnet50", torchvision_state("resnet50"), 1)
    x = torch.randn(1, 3, 36, 36, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        before = net(x)
        net[0].fold()
        for block in net[1]:
            block.fold()
        # float32: normalization is absorbed into the weights
        torch.testing.assert_close(net(x), before, rtol=1e-4, atol=1e-4)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in net.modules())
