from __future__ import annotations

import io
import json

import numpy as np
import pytest
import safetensors.torch
import torch
from test_resnet import published, torchvision_state

from rsclass.deep.backbone import read_state, trunk_arrays
from rsclass.deep.nets import PixelNet, Shape
from rsclass.deep.rates import optimizer_of, set_rate
from rsclass.deep.recipe import Recipe
from rsclass.deep.shards import Shards, follow
from rsclass.deep.starting import Given, Start
from rsclass.errors import BrokenModelError, UsageError

THREE = (660.0, 560.0, 490.0)


def bytes_of(state):
    content = io.BytesIO()
    torch.save(state, content)
    return content.getvalue()


def model_of(net, bands=THREE, method="uic", n_classes=3):
    """What a model file of that network gives."""
    card = {
        "method": method,
        "parameters": {"n_classes": n_classes},
        "bands": [{"name": f"b{i}", "wavelength": w} for i, w in enumerate(bands)],
        "engine": {"state": {"network": net.shape.card()}},
    }
    arrays = {f"network.{name}": value for name, value in net.arrays().items()}
    return Given("before.safetensors", b"", json.loads(json.dumps(card)), arrays)


def learned_net(shape, seed=5):
    """A network with statistics of its own."""
    net = PixelNet(shape, seed)
    side = shape.receptive_field + 3
    rng = torch.Generator().manual_seed(seed)
    net(torch.randn(4, shape.channels, side, side, generator=rng))
    return net


def begun(start, shape, toy, bands=THREE, heads=False):
    net = PixelNet(shape)
    assert start.begin(net, toy.training(clusters=4), bands, heads) == []
    return net


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"epoch": 3, "state_dict": s}])
@pytest.mark.parametrize("prefix", ["", "module.", "module.encoder_q."])
def test_a_state_dict_of_torchvision_is_loaded_into_the_trunk(toy, wrap, prefix):
    state = torchvision_state("resnet18")
    content = bytes_of(wrap({prefix + key: value for key, value in state.items()}))
    start = Start("r.pth", given=Given("r.pth", content))
    net = begun(start, Shape(3, 4, trunk="resnet18", stages=2), toy)
    arrays = net.arrays()
    pairs = {
        "stem.conv1.weight": "conv1.weight",
        "stem.bn1.running_var": "bn1.running_var",
        "blocks.0.conv2.weight": "layer1.0.conv2.weight",
        "blocks.2.downsample.1.bias": "layer2.0.downsample.1.bias",
        "blocks.3.bn2.running_mean": "layer2.1.bn2.running_mean",
    }
    for own, theirs in pairs.items():
        np.testing.assert_array_equal(arrays[own], state[theirs].numpy())


def test_the_loaded_trunk_sees_what_the_published_network_sees(toy):
    state = torchvision_state("resnet18")
    start = Start("r.pth", given=Given("r.pth", bytes_of(state)))
    net = begun(start, Shape(3, 4, trunk="resnet18"), toy).eval()
    x = torch.randn(1, 3, 49, 49, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        dense = net.blocks(net.stem(x[:, :, 3:-3, 3:-3]))
        strided = published(state, x, "resnet18", 1)
    # The pixel in the middle of 43, and that of the strided grid around the same one.
    torch.testing.assert_close(dense[0, :, 0, 0], strided[0, :, 6, 6], rtol=1e-4, atol=1e-4)


def test_a_safetensors_file_and_half_numbers_are_read():
    state = {"conv1.weight": torch.randn(4, 3, 7, 7).half()}
    read = read_state(safetensors.torch.save(state), "r.safetensors")
    assert torch.equal(read["conv1.weight"], state["conv1.weight"])


def test_a_first_convolution_for_other_bands_excites_gray_as_before():
    state = torchvision_state("resnet18")
    bands = (490.0, 560.0, 660.0, 835.0, 1610.0, 2200.0)
    arrays = trunk_arrays(state, Shape(6, 4, trunk="resnet18"), bands, "r.pth")
    first = torch.from_numpy(arrays["stem.conv1.weight"])
    known = state["conv1.weight"]
    torch.testing.assert_close(first.sum(dim=1), known.sum(dim=1), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(2 * first[:, :3], known.flip(1), rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(2 * first[:, 5], known.mean(dim=1), rtol=1e-5, atol=1e-7)


def test_missing_keys_are_named():
    state = torchvision_state("resnet18")
    del state["layer1.1.conv2.weight"], state["bn1.bias"]
    with pytest.raises(BrokenModelError, match=r"2 of 25 keys.*bn1.bias, layer1.1.conv2.weight"):
        trunk_arrays(state, Shape(3, 4, trunk="resnet18"), THREE, "r.pth")
    with pytest.raises(BrokenModelError, match=r"neither a model of rsclass nor .* of a ResNet"):
        trunk_arrays({"a": torch.zeros(1)}, Shape(3, 4), THREE, "r.pth")


def test_the_trunk_that_the_file_needs_is_told():
    state = torchvision_state("resnet50")
    for shape in (Shape(3, 4), Shape(3, 4, trunk="resnet18")):
        with pytest.raises(UsageError, match="set trunk=resnet50"):
            trunk_arrays(state, shape, THREE, "r.pth")


class Evil:
    def __reduce__(self):
        return (print, ("this code ran",))


@pytest.mark.parametrize(
    "content", [bytes_of({"conv1.weight": Evil()}), b"PK nonsense", b"", bytes_of([1, 2])]
)
def test_a_file_that_holds_more_than_tensors_is_refused_and_runs_nothing(content, capsys):
    with pytest.raises(BrokenModelError):
        read_state(content, "evil.pth")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("sobel", [False, True])
def test_a_trunk_of_a_model_for_the_same_bands_is_taken_as_it_is(toy, sobel):
    before = learned_net(Shape(3, 7, 5, 8, sobel=sobel))
    start = Start("before", given=model_of(before))
    net = begun(start, Shape(3, 4, 5, 8, sobel=sobel), toy)
    x = torch.randn(1, 3, 9, 9)
    with torch.no_grad():
        assert torch.equal(net.eval().embed(x), before.eval().embed(x))
    fresh = PixelNet(Shape(3, 4, 5, 8, sobel=sobel)).classifier.weight
    assert torch.equal(net.classifier.weight, fresh)


@pytest.mark.parametrize("sobel", [False, True])
def test_a_trunk_for_other_bands_sees_gray_as_before(toy, sobel):
    """Three bands that are alike and six of which two are alike those say the same."""
    before = learned_net(Shape(3, 7, 5, 8, sobel=sobel))
    start = Start("before", given=model_of(before))
    six = (490.0, 835.0, 560.0, 1610.0, 660.0, 2200.0)
    net = begun(start, Shape(6, 4, 5, 8, sobel=sobel), toy, six)
    gray = torch.randn(1, 1, 9, 9)
    with torch.no_grad():
        seen = net.eval().embed(gray.expand(1, 6, 9, 9))
        expected = before.eval().embed(gray.expand(1, 3, 9, 9))
    torch.testing.assert_close(seen, expected, rtol=1e-4, atol=1e-4)  # float32 sums


def test_a_model_of_another_shape_tells_what_to_set(toy):
    start = Start("before", given=model_of(PixelNet(Shape(3, 4, 5, 8))))
    with pytest.raises(UsageError, match="set receptive_field=5 width=8 to start from it"):
        begun(start, Shape(3, 4, 7, 16), toy)


def test_a_model_without_a_network_is_refused(toy):
    given = Given("k.safetensors", b"", {"method": "kmeans", "engine": {"state": {}}}, {})
    with pytest.raises(BrokenModelError, match="a model of kmeans, which has no network"):
        begun(Start("k", given=given), Shape(3, 4), toy)


def test_clusters_go_on_where_method_classes_bands_and_head_are_the_same(toy):
    before = learned_net(Shape(3, 7, 5, 8))
    start, shape = Start("before", given=model_of(before)), Shape(3, 1, 5, 8)
    assert start.clusters("uic", 3, shape, THREE) == 7
    assert start.clusters("uic", 4, shape, THREE) is None
    assert start.clusters("iic", 3, shape, THREE) is None
    assert start.clusters("uic", 3, shape, (660.0, 560.0, 835.0)) is None
    assert start.clusters("uic", 3, Shape(3, 1, 5, 8, head="mlp"), THREE) is None
    assert Start().clusters("uic", 3, shape, THREE) is None
    net = begun(start, Shape(3, 7, 5, 8), toy, heads=True)
    assert all(np.array_equal(net.arrays()[name], value) for name, value in before.arrays().items())


def test_a_frozen_trunk_stands_still_with_its_statistics(toy):
    net = PixelNet(Shape(3, 4, 5, 8))
    Start("before", given=model_of(learned_net(net.shape)), freeze=True).begin(
        net, toy.training(clusters=4), THREE, False
    )
    teacher = PixelNet(Shape(3, 4, 5, 8))
    teacher.load(net.arrays())
    before = net.arrays()
    optimizer = optimizer_of(net, Recipe(clusters=4))
    x = torch.randn(8, 3, 7, 7)
    with Shards(net, 2) as shards:
        for _ in range(3):
            shards.backward(
                lambda replica, i: (replica(x[4 * i : 4 * i + 4]).square().sum(), None), 2
            )
            optimizer.step()
            follow(teacher, net, 0.9)
    for name, value in net.arrays().items():
        moved = not np.array_equal(value, before[name])
        assert moved == name.startswith("classifier")
        assert np.array_equal(teacher.arrays()[name], before[name]) != moved


def test_what_was_learned_before_may_learn_more_slowly(toy):
    net = PixelNet(Shape(3, 4, 5, 8))
    Start("before", given=model_of(learned_net(net.shape)), rate=0.1).begin(
        net, toy.training(clusters=4), THREE, False
    )
    for recipe in (Recipe(clusters=4), Recipe(clusters=4, optimizer="adam")):
        optimizer = optimizer_of(net, recipe)
        set_rate(optimizer, recipe, 0.5)
        rates = {id(w): group["lr"] for group in optimizer.param_groups for w in group["params"]}
        assert len(rates) == len(list(net.parameters()))
        assert rates[id(net.stem.weight)] == pytest.approx(0.1 * 0.05 / 2)
        assert rates[id(net.classifier.weight)] == pytest.approx(0.05 / 2)


def test_a_frozen_backbone_leaves_the_embedding_free(toy):
    content = bytes_of(torchvision_state("resnet18"))
    net = PixelNet(Shape(3, 4, trunk="resnet18"))
    start = Start("r.pth", given=Given("r.pth", content), freeze=True)
    start.begin(net, toy.training(clusters=4), THREE, False)
    free = {name.partition(".")[0] for name, w in net.named_parameters() if w.requires_grad}
    assert free == {"embedding", "classifier"}
    assert not net.train().blocks.training


def test_a_pretext_is_told_in_the_history(toy):
    net, fresh = toy.net(4), toy.net(4)
    history = Start("rotnet", epochs=2).begin(net, toy.training(clusters=4), THREE, False)
    assert [entry["pretext"] for entry in history] == ["rotnet", "rotnet"]
    assert not torch.equal(net.stem.weight, fresh.stem.weight)
