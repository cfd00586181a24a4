"""A network that is made ready to label gives the answers that it gave before."""

from __future__ import annotations

import pytest
import torch

from rsclass.deep.nets import PixelNet, Shape
from rsclass.deep.quick import quick


@pytest.fixture
def taught():
    """A network whose normalizations have seen something."""

    def make(**shape) -> PixelNet:
        torch.manual_seed(0)
        net = PixelNet(Shape(5, 12, width=16, **shape), 3)
        with torch.no_grad():
            if isinstance(net.stem, torch.nn.Conv2d) and net.stem.bias is not None:
                net.stem.bias.normal_()
            for _ in range(10):
                net.train()(torch.randn(4, 5, 20, 20))
        return net.eval()

    return make


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"receptive_field": 3},
        {"receptive_field": 1},
        {"sobel": True},
        {"sobel": True, "receptive_field": 3},
        {"head": "mlp", "logit_norm": True},
        {"sobel": True, "color": False, "receptive_field": 5},
    ],
)
def test_the_answers_stay_the_same(taught, shape) -> None:
    net = taught(**shape)
    x = torch.randn(2, 5, 30, 34)
    with torch.no_grad():
        before, after = net(x), quick(net)(x)
    # Products are summed in another order; float32 keeps seven digits.
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-5)


def test_there_is_less_to_compute_and_the_network_itself_stays(taught) -> None:
    net = taught()
    state = {name: value.clone() for name, value in net.state_dict().items()}
    ready = quick(net)
    assert isinstance(ready.stem, torch.nn.Identity)
    assert [block[0].in_channels for block in ready.blocks] == [5, 16, 16]
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
