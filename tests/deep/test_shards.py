from __future__ import annotations

import pytest
import torch

from rsclass.deep.shards import SHARDS, Shards


def flattened(net):
    """Normalization that passes nothing of the statistics of its shard."""
    for norm in (m for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)):
        torch.nn.init.zeros_(norm.weight)
    return net


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_loss_over_all_shards_has_the_gradient_of_the_whole_batch(toy, jobs):
    net = flattened(toy.net(4))
    torch.manual_seed(0)
    x = torch.randn(8, 3, 5, 5)

    def spread(parts):
        whole = torch.cat(parts)
        return (whole - whole.mean(dim=0)).square().sum(), whole.shape

    with Shards(net, jobs) as shards:
        value, shape = shards.backward_jointly(
            lambda replica, i: replica(x[2 * i : 2 * i + 2]), spread, SHARDS
        )
    expected, _ = spread([net(x)])
    assert shape == (8, 4, 1, 1)
    assert value == pytest.approx(expected.item(), rel=1e-6)
    gradients = torch.autograd.grad(expected, list(net.parameters()))
    for weight, gradient in zip(net.parameters(), gradients, strict=True):
        torch.testing.assert_close(weight.grad, gradient, rtol=1e-4, atol=1e-7)


def test_weights_that_ask_for_no_gradient_get_none(toy):
    net = toy.net(4)
    net.stem.requires_grad_(False)
    x = torch.randn(4, 3, 5, 5)
    with Shards(net, 1) as shards:
        shards.backward(lambda replica, i: (replica(x).sum(), None), 1)
    assert net.stem.weight.grad is None
    assert net.classifier.weight.grad is not None
