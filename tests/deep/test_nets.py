from __future__ import annotations

import numpy as np
import pytest
import torch

from rsclass.deep.nets import PixelNet, Shape, folded

SHAPES = [
    Shape(3, 5, receptive_field=5, width=8),
    Shape(3, 5, receptive_field=1, width=8),
    Shape(3, 5, receptive_field=5, width=8, head="mlp", sobel=True, logit_norm=True),
    Shape(3, 5, trunk="resnet50"),
]


def trained_statistics(net):
    torch.manual_seed(0)
    net.train()
    side = net.shape.receptive_field + 7
    for _ in range(20 if net.shape.trunk == "plain" else 3):
        net(torch.randn(4, 3, side, side))
    return net.eval()


@pytest.mark.parametrize("shape", SHAPES)
def test_an_output_sees_its_receptive_field_and_nothing_else(shape):
    net = trained_statistics(PixelNet(shape))
    side = shape.receptive_field
    x = torch.randn(1, 3, side + 4, side + 4, requires_grad=True)
    logits = net(x)
    assert logits.shape == (1, 5, 5, 5)
    logits[0, :, 2, 2].square().sum().backward()
    seen = x.grad.abs().sum(dim=(0, 1)) > 0
    assert not seen[:2].any()
    assert not seen[-2:].any()
    assert not seen[:, :2].any()
    assert not seen[:, -2:].any()
    assert seen[2 + shape.halo, 2 + shape.halo]
    # a rectifier may silence single pixels of a random network, never a whole border
    if side > 1:
        assert seen[2].any()
        assert seen[:, -3].any()


@pytest.mark.parametrize("shape", SHAPES)
def test_folding_the_normalization_changes_nothing(shape):
    net = trained_statistics(PixelNet(shape))
    x = torch.randn(2, 3, shape.receptive_field + 6, shape.receptive_field + 6)
    with torch.no_grad():
        torch.testing.assert_close(folded(net)(x), net(x), rtol=1e-4, atol=1e-5)


def test_a_resnet_sets_its_receptive_field():
    shapes = [
        Shape(3, 5, trunk=kind, stages=s) for kind in ("resnet18", "resnet50") for s in (1, 2)
    ]
    assert [shape.receptive_field for shape in shapes] == [43, 99, 35, 91]
    assert [shape.halo for shape in shapes] == [21, 49, 17, 45]
    assert Shape(**shapes[0].card()) == shapes[0]


def test_weights_survive_as_arrays():
    net = trained_statistics(PixelNet(SHAPES[2], seed=1))
    other = PixelNet(SHAPES[2], seed=2)
    other.load(net.arrays())
    x = torch.randn(1, 3, 9, 9)
    assert torch.equal(other.eval()(x), net(x))


def test_weights_of_another_shape_are_refused():
    arrays = PixelNet(SHAPES[0]).arrays()
    with pytest.raises(ValueError, match=r"classifier\.weight is \(5, 32, 1, 1\)"):
        PixelNet(Shape(3, 6, receptive_field=5, width=8)).load(arrays)


def test_kept_clusters_answer_as_before():
    net = trained_statistics(PixelNet(SHAPES[2]))
    x = torch.randn(1, 3, 9, 9)
    kept = net.keep(np.array([0, 3, 4])).eval()
    with torch.no_grad():
        torch.testing.assert_close(kept(x), net(x)[:, [0, 3, 4]])


def test_start_weights_are_those_of_the_paper():
    net = PixelNet(Shape(3, 400, width=64), seed=3)
    classifier = net.classifier.weight.detach().numpy()
    assert abs(classifier.std() - 0.01) < 0.0005
    assert not net.classifier.bias.detach().numpy().any()
    convolution = net.blocks[0][0].weight.detach().numpy()
    np.testing.assert_allclose(convolution.std(), np.sqrt(2 / (64 * 9)), rtol=0.02)
    assert net.blocks[0][1].weight.detach().eq(1).all()


def test_the_seed_alone_makes_the_weights():
    torch.manual_seed(1)
    first = PixelNet(SHAPES[0], seed=5).arrays()
    torch.manual_seed(2)
    second = PixelNet(SHAPES[0], seed=5).arrays()
    other = PixelNet(SHAPES[0], seed=6).arrays()
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert not np.array_equal(first["classifier.weight"], other["classifier.weight"])
