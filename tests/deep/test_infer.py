from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from rsclass.core.arrays import ArrayStream
from rsclass.core.grid import TileGrid
from rsclass.core.types import Window
from rsclass.deep.infer import BLOCK, Labeler
from rsclass.deep.nets import PixelNet, Shape
from rsclass.deep.scaling import Scaling

LAYERS = ("confidence", "distance", "entropy", "membership")
HEIGHT, WIDTH = 2 * BLOCK + 5, BLOCK + 60


@pytest.fixture(scope="module")
def stream():
    rng = np.random.default_rng(0)
    valid = rng.random((HEIGHT, WIDTH)) < 0.95
    valid[:BLOCK, :BLOCK] = False
    return ArrayStream(rng.normal(100, 20, (3, HEIGHT, WIDTH)), valid)


@pytest.fixture(scope="module")
def labeler(stream):
    net = PixelNet(Shape(3, 6, receptive_field=7, width=8), seed=2)
    torch.manual_seed(1)
    torch.nn.init.normal_(net.classifier.weight)
    scaling = Scaling.of_sample(stream.sample(None, 0))
    return Labeler(net, scaling, np.array([0, 1, 1, 2, 0, 2]), torch.device("cpu"))


def label(labeler, stream, core, layers=()):
    block = stream.read(core.grow(labeler.halo, stream.height, stream.width))
    return labeler.label(block, core, layers)


@pytest.mark.parametrize("side", [BLOCK, 2 * BLOCK, 4 * BLOCK])
@pytest.mark.parametrize("jobs", [1, 3])
def test_labels_do_not_depend_on_the_tiles_or_threads(labeler, stream, side, jobs):
    whole = label(labeler, stream, Window(0, 0, HEIGHT, WIDTH), LAYERS)
    windows = list(TileGrid(HEIGHT, WIDTH, side, side))
    with ThreadPoolExecutor(jobs) as pool:
        parts = list(pool.map(lambda core: label(labeler, stream, core, LAYERS), windows))
    for core, part in zip(windows, parts, strict=True):
        rows, cols = core.inside(Window(0, 0, HEIGHT, WIDTH))
        assert part.labels.tobytes() == whole.labels[rows, cols].tobytes()
        for name in LAYERS:
            assert part.layers[name].tobytes() == whole.layers[name][..., rows, cols].tobytes()


def test_tiles_of_inference_leave_no_seam(labeler, stream):
    """Valid convolutions: the answer is that of the whole image at once."""
    whole = label(labeler, stream, Window(0, 0, HEIGHT, WIDTH), ("membership",))
    inputs = labeler.scaling.inputs(stream.read(Window(0, 0, HEIGHT, WIDTH)))
    mirrored = np.pad(inputs, ((0, 0), (3, 3), (3, 3)), mode="reflect")
    net = labeler.forward.net
    assert net.shape.clusters == 6  # classes 0, 1 and 2 have two each
    share = torch.softmax(labeler.forward.logits(mirrored), dim=0).numpy().reshape(3, 2, -1)
    best = share.max(axis=1).reshape(3, HEIGHT, WIDTH)
    expected = best / best.sum(axis=0)
    membership = whole.layers["membership"]
    # another tile size sums the same products in another order
    np.testing.assert_allclose(membership[:, stream.valid], expected[:, stream.valid], atol=1e-5)


def test_only_valid_pixels_are_labelled(labeler, stream):
    result = label(labeler, stream, Window(0, 0, HEIGHT, WIDTH), LAYERS)
    np.testing.assert_array_equal(result.labels >= 0, stream.valid)
    for image in result.layers.values():
        assert (np.isnan(image) == ~stream.valid).all()


def test_what_stands_at_invalid_pixels_has_no_meaning(labeler, stream):
    values = stream.values.copy()
    values[:, ~stream.valid] = 1e30
    other = ArrayStream(values, stream.valid)
    core = Window(0, 0, HEIGHT, WIDTH)
    assert (label(labeler, other, core).labels == label(labeler, stream, core).labels).all()


def test_layers_tell_the_same_story(labeler, stream):
    result = label(labeler, stream, Window(0, 0, HEIGHT, WIDTH), LAYERS)
    ok = stream.valid
    membership = result.layers["membership"][:, ok].astype(float)
    np.testing.assert_allclose(membership.sum(axis=0), 1, atol=1e-5)
    np.testing.assert_array_equal(membership.argmax(axis=0), result.labels[ok])
    confidence = membership.max(axis=0)
    np.testing.assert_allclose(result.layers["confidence"][ok], confidence, atol=1e-6)
    np.testing.assert_allclose(result.layers["distance"][ok], -np.log(confidence), atol=1e-5)
    # terms of probabilities below float32 count as 0
    terms = -membership * np.log(np.maximum(membership, 1e-37))
    np.testing.assert_allclose(result.layers["entropy"][ok], terms.sum(axis=0), atol=1e-5)


def test_layers_do_not_change_the_labels(labeler, stream):
    core = Window(0, 0, HEIGHT, WIDTH)
    with_layers = label(labeler, stream, core, LAYERS).labels
    assert label(labeler, stream, core).labels.tobytes() == with_layers.tobytes()


@pytest.mark.parametrize("size", [(1, 1), (1, 200), (200, 1), (2, 3)])
def test_scenes_smaller_than_the_receptive_field_are_labelled(labeler, size):
    """R13."""
    stream = ArrayStream(np.random.default_rng(1).normal(100, 20, (3, *size)))
    result = label(labeler, stream, Window(0, 0, *size))
    assert result.labels.shape == size
    assert (result.labels >= 0).all()
