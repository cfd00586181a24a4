"""What the layers of a network see in a pixel."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from rsclass.core.types import Window
from rsclass.deep.infer import Labeler
from rsclass.deep.layers import layer_features


@pytest.fixture
def labeler(toy):
    net = toy.net(6, seed=3, head="mlp")
    group = np.array([0, 1, 2, 0, 1, 2])
    return Labeler(net, toy.scaling, group, torch.device("cpu"))


def test_every_layer_tells_of_the_same_pixels(labeler, toy) -> None:
    whole = Window(0, 0, 48, 48)
    seen = layer_features(labeler, toy.stream.read(whole), whole)
    names = ["stem", "block 1", "block 2", "embedding", "head 1", "head 2", "logits"]
    assert list(seen) == names
    assert all(image.shape[1:] == (48, 48) for image in seen.values())
    # The stem is a linear map of a pixel's own inputs: an oracle that knows no surroundings.
    inputs = torch.from_numpy(toy.scaling.inputs(toy.stream.read(whole)))[None]
    stem = labeler.net.stem
    expected = functional.conv2d(inputs, stem.weight, stem.bias)[0]
    np.testing.assert_allclose(seen["stem"], expected.detach().numpy(), atol=1e-5)


def test_the_last_layer_decides_the_classes(labeler, toy) -> None:
    whole = Window(0, 0, 48, 48)
    block = toy.stream.read(whole)
    seen = layer_features(labeler, block, whole)
    labels = labeler.label(block, whole).labels
    np.testing.assert_array_equal(labeler.group[seen["logits"].argmax(axis=0)], labels)


def test_a_part_of_the_scene_sees_what_the_whole_saw(labeler, toy) -> None:
    whole, part = Window(0, 0, 48, 48), Window(10, 20, 16, 12)
    all_seen = layer_features(labeler, toy.stream.read(whole), whole)
    around = part.grow(labeler.halo, 48, 48)
    seen = layer_features(labeler, toy.stream.read(around), part)
    for name, image in seen.items():
        np.testing.assert_allclose(
            image, all_seen[name][:, 10:26, 20:32], rtol=1e-4, atol=1e-5, err_msg=name
        )
