from __future__ import annotations

import numpy as np
import torch

from rsclass.core.arrays import ArrayStream
from rsclass.deep.adaptation import adapted
from rsclass.deep.nets import PixelNet, Shape
from rsclass.deep.scaling import Scaling


def test_statistics_are_those_of_the_new_scene():
    """One tile is all of a scene of 32 x 32 pixels, so the oracle is a pass over it."""
    rng = np.random.default_rng(0)
    shape = Shape(2, 3, 3, 8, logit_norm=True)
    net = PixelNet(shape)
    old = Scaling(np.zeros(2), np.ones(2))
    stream = ArrayStream(rng.gamma(2, 30, (2, 32, 32)) + 500)
    weights, scaling = adapted(shape.card(), net.arrays(), old, stream, 0)
    fresh = Scaling.of_sample(stream.sample(None, 0))
    np.testing.assert_allclose(scaling.center, fresh.center)
    np.testing.assert_allclose(scaling.scale, fresh.scale)
    z = np.clip((stream.values - fresh.center[:, None, None]) / fresh.scale[:, None, None], -4, 4)
    x = torch.from_numpy(np.pad(z, ((0, 0), (1, 1), (1, 1)), mode="reflect")).float()[None]
    with torch.no_grad():
        first = net.blocks[0][0](net.stem(x))
        net.train()
        logits = net.classifier(net.head(net.embed(x)))
    # float32 sums over the same pixels sixteen times in place of once
    mean, variance = first.mean(dim=(0, 2, 3)), first.var(dim=(0, 2, 3), unbiased=False)
    np.testing.assert_allclose(weights["blocks.0.1.running_mean"], mean, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(weights["blocks.0.1.running_var"], variance, rtol=1e-3)
    mean = logits.mean(dim=(0, 2, 3))
    np.testing.assert_allclose(weights["logit_norm.running_mean"], mean, rtol=1e-3, atol=1e-5)
    for name, value in net.arrays().items():
        if "running" not in name:
            np.testing.assert_array_equal(weights[name], value)


def test_components_stay_those_of_the_model():
    rng = np.random.default_rng(0)
    projection = rng.normal(size=(12, 14))
    old = Scaling(np.zeros(14), np.ones(14), projection)
    shape = Shape(12, 3, 3, 8)
    stream = ArrayStream(rng.normal(5, 2, (14, 20, 20)))
    _, scaling = adapted(shape.card(), PixelNet(shape).arrays(), old, stream, 0)
    assert scaling.projection is projection
    np.testing.assert_allclose(scaling.center, 5, atol=0.5)
