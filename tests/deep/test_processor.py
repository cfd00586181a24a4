"""Layers made for the processor answer as those of torch do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import rasterio
import torch
from torch import nn

from rsclass.core.arrays import ArrayStream
from rsclass.core.types import Window
from rsclass.deep.infer import Labeler
from rsclass.deep.nets import PixelNet, Shape
from rsclass.deep.processor import Pointwise, Winograd, best, for_processor
from rsclass.deep.quick import quick
from rsclass.deep.scaling import Scaling
from rsclass.engines.uic import UIC


def net_of(**shape) -> PixelNet:
    """A network whose normalizations have seen something, and whose classes are all taken."""
    torch.manual_seed(0)
    net = PixelNet(Shape(5, 12, **shape), 3)
    side = 2 * net.shape.halo + 14
    with torch.no_grad():
        net.classifier.weight.normal_()
        for _ in range(10):
            net.train()(torch.randn(4, 5, side, side))
    return net.eval()


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"width": 28, "receptive_field": 9},
        {"width": 8},
        {"sobel": True, "width": 32},
        {"head": "mlp", "logit_norm": True, "receptive_field": 5},
        {"trunk": "resnet18"},
        {"receptive_field": 1},
    ],
    ids=str,
)
@pytest.mark.parametrize("images", [1, 3])
def test_answers_are_those_of_the_plain_network(shape, images) -> None:
    net = net_of(**shape)
    side = 2 * net.shape.halo + 37
    x = torch.randn(images, 5, side, side + 6)
    with torch.inference_mode():
        expected = net.double()(x.double())
        made = for_processor(quick(net.float()))(x.contiguous(memory_format=torch.channels_last))
    # float32 keeps seven digits of sums of which the largest count.
    torch.testing.assert_close(
        made.double(), expected, rtol=0, atol=2e-5 * float(expected.abs().max())
    )


def test_wide_convolutions_and_those_of_one_pixel_are_exchanged_and_the_first_is_not() -> None:
    ready = for_processor(quick(net_of()))
    kinds = [type(layer) for layer in ready.modules() if isinstance(layer, nn.Conv2d)]
    assert kinds == [nn.Conv2d, Winograd, Winograd, Pointwise, Pointwise]
    assert not any(
        isinstance(layer, nn.ReLU) for block in list(ready.blocks)[1:] for layer in block
    )


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(32, 32, 3, padding=1),
        nn.Conv2d(32, 32, 3, stride=2),
        nn.Conv2d(32, 32, 3, dilation=2),
        nn.Conv2d(32, 32, 3, groups=2),
        nn.Conv2d(32, 32, 3, bias=False),
        nn.Conv2d(32, 32, 5),
        nn.Conv2d(32, 4, 3),
    ],
    ids=str,
)
def test_other_convolutions_stay(layer) -> None:
    assert not Winograd.suits(layer)


def test_the_class_of_a_tie_is_the_lowest() -> None:
    logits = torch.tensor([[[0.0, 3.0, -2.0]], [[1.0, 3.0, -1.0]], [[1.0, 2.0, -1.0]]])
    assert best(logits).tolist() == [[1, 0, 1]]
    values = torch.randn(9, 40, 30)
    np.testing.assert_array_equal(best(values), values.argmax(dim=0).numpy())


def test_a_real_scene_gets_the_classes_of_the_plain_network(shared_data) -> None:
    """A pixel could change its class only where answers agree in their first six digits."""
    with rasterio.open(shared_data / "landsat7_gewata" / "image.tif") as source:
        image = source.read(window=((0, 300), (0, 300)))
    engine = UIC(n_classes=6, inputs="bands", epochs=2, warmup=1, tiles=8).fit(image)
    labeler = engine._labeler_here()
    whole = Window(0, 0, *image.shape[1:])
    block = ArrayStream(image).read(whole)
    inputs = torch.from_numpy(labeler.inputs(block, whole)).double()[None]
    with torch.inference_mode():
        expected = labeler.group[labeler.net.double().eval()(inputs)[0].argmax(dim=0).numpy()]
    assert len(np.unique(expected)) == 6
    found = engine.predict_block(block, whole).labels
    np.testing.assert_array_equal(found[block.valid], expected[block.valid])


def test_threads_change_no_bit() -> None:
    stream = ArrayStream(np.random.default_rng(0).normal(100, 20, (5, 256, 200)))
    block = stream.read(Window(0, 0, 256, 200))
    cores = [Window(row, col, 128, 128 if col == 0 else 72) for row in (0, 128) for col in (0, 128)]
    scaling = Scaling.of_sample(stream.sample(None, 0))
    labeler = Labeler(net_of(), scaling, np.arange(12), torch.device("cpu"))
    assert any(isinstance(layer, Winograd) for layer in labeler.forward.net.modules())

    def membership(core: Window) -> bytes:
        return labeler.label(block, core, ("membership",)).layers["membership"].tobytes()

    alone = [membership(core) for core in cores]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(membership, cores * 3)) == alone * 3
