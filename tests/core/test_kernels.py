"""Every compiled loop against a plain version that adds in the same order: equal bits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import silhouette_samples

from rsclass.core import kernels
from rsclass.core.assign import nearest, retally
from rsclass.core.compiling import UNROLLED
from rsclass.core.labelled import LabelledBlock
from rsclass.core.memberships import _logarithms, fuzzy_tally
from rsclass.core.types import Block, Window

TYPES = ("uint8", "uint16", "int16", "float32", "float64")
N_BANDS, N_PIXELS, N_CLASSES = 4, 1300, 5  # three runs of 512, the last one short


class Scene:
    """Pixels of one type with a map into engine space and centers there."""

    def __init__(self, dtype: str) -> None:
        rng = np.random.default_rng(TYPES.index(dtype))
        self.dtype = np.dtype(dtype)
        if self.dtype.kind in "iu":
            info = np.iinfo(dtype)
            self.values = rng.integers(info.min, info.max, (N_BANDS, N_PIXELS), endpoint=True)
        else:
            self.values = rng.normal(500, 300, (N_BANDS, N_PIXELS))
        self.values = np.ascontiguousarray(self.values.astype(dtype))
        self.valid = rng.random(N_PIXELS) < 0.9
        self.gain = rng.uniform(0.001, 0.01, N_BANDS)
        self.offset = rng.normal(0, 1, N_BANDS)
        self.z = self.values.astype(np.float64) * self.gain[:, None] + self.offset[:, None]
        self.centers = np.ascontiguousarray(self.z[:, :N_CLASSES].T + 0.001)
        self.labels = rng.integers(-1, N_CLASSES, N_PIXELS).astype(np.int32)
        self.origin = (
            np.zeros(N_BANDS, np.int64)
            if self.dtype.kind in "iu"
            else self.values.mean(axis=1, dtype=np.float64)
        )

    def distance2(self) -> np.ndarray:
        """Squared distances (classes, pixels), bands added in ascending order."""
        total = np.zeros((N_CLASSES, N_PIXELS))
        for b in range(N_BANDS):
            difference = self.z[b] - self.centers[:, b, None]
            total += difference * difference
        return total

    def tally(self, centers: np.ndarray) -> tuple[np.ndarray, ...]:
        """Count, sums, squares and distances of each class, added pixel by pixel."""
        total = np.zeros((len(centers), N_PIXELS))
        for b in range(N_BANDS):
            difference = self.z[b] - centers[:, b, None]
            total += difference * difference
        label, best = total.argmin(axis=0), total.min(axis=0)
        x = self.values.astype(self.origin.dtype) - self.origin[:, None]
        distance = np.zeros(len(centers))
        sums, squares = self.zeros(len(centers), N_BANDS), self.zeros(len(centers), N_BANDS)
        for i in np.flatnonzero(self.valid):
            distance[label[i]] += math.sqrt(best[i])
            sums[label[i]] += x[:, i]
            squares[label[i]] += x[:, i] * x[:, i]
        return np.bincount(label[self.valid], minlength=len(centers)), sums, squares, distance

    @property
    def block(self) -> Block:
        """The same pixels as a block one row high."""
        return Block(
            Window(0, 0, 1, N_PIXELS),
            self.values[:, None],
            self.valid[None],
            self.gain,
            self.offset,
        )

    def zeros(self, *shape: int) -> np.ndarray:
        return np.zeros(shape, self.origin.dtype)


@pytest.fixture(params=TYPES)
def scene(request) -> Scene:
    return Scene(request.param)


def test_nearest_labels_and_measures_valid_pixels(scene):
    labels, distance2 = np.empty(N_PIXELS, np.int32), np.empty(N_PIXELS)
    nearest(scene.values, scene.valid, scene.gain, scene.offset, scene.centers, labels, distance2)
    expected = scene.distance2()
    np.testing.assert_array_equal(labels, np.where(scene.valid, expected.argmin(axis=0), -1))
    np.testing.assert_array_equal(distance2, np.where(scene.valid, expected.min(axis=0), np.nan))


def test_of_centers_at_equal_distance_the_lowest_wins():
    values = np.array([[5]], np.uint8)
    labels, distance2 = np.empty(1, np.int32), np.empty(1)
    centers = np.array([[9.0], [4.0], [6.0], [4.0]])
    one, zero = np.ones(1), np.zeros(1)
    nearest(values, np.ones(1, bool), one, zero, centers, labels, distance2)
    assert labels.tolist() == [1]


def test_all_distances_are_those_to_every_center(scene):
    out = np.empty((N_CLASSES, N_PIXELS))
    kernels.all_distances2(scene.values, scene.valid, scene.gain, scene.offset, scene.centers, out)
    np.testing.assert_array_equal(out, np.where(scene.valid, scene.distance2(), np.nan))


def retallied(scene, labelled, centers, distance=None) -> int:
    return retally(
        scene.values,
        scene.valid,
        scene.gain,
        scene.offset,
        scene.origin,
        centers,
        labelled.labels,
        labelled.count,
        labelled.sums,
        labelled.squares,
        distance,
    )


def test_a_first_tally_adds_up_in_the_order_of_pixels(scene):
    labelled = LabelledBlock.fresh(scene.block, N_CLASSES, scene.origin.dtype)
    distance = np.zeros(N_CLASSES + 1)
    moved = retallied(scene, labelled, scene.centers, distance)
    assert moved == scene.valid.sum()
    count, sums, squares, own_distance = scene.tally(scene.centers)
    np.testing.assert_array_equal(labelled.count[:-1], count)
    np.testing.assert_array_equal(labelled.sums[:-1], sums)
    np.testing.assert_array_equal(labelled.squares[:-1], squares)
    np.testing.assert_array_equal(distance[:-1], own_distance)


@pytest.mark.parametrize("scene", ["uint8", "uint16", "int16"], indirect=True)
def test_later_tallies_add_up_changes_and_come_out_exact(scene):
    labelled = LabelledBlock.fresh(scene.block, N_CLASSES + 2, scene.origin.dtype)
    retallied(scene, labelled, scene.centers)
    for centers in (scene.centers + 0.3, scene.centers[[3, 0]], np.vstack([scene.z[:, 5:11].T])):
        before = labelled.labels.copy()
        moved = retallied(scene, labelled, centers)
        n = len(centers)
        count, sums, squares, _ = scene.tally(centers)
        np.testing.assert_array_equal(labelled.count[:n], count)
        np.testing.assert_array_equal(labelled.sums[:n], sums)
        np.testing.assert_array_equal(labelled.squares[:n], squares)
        assert not labelled.count[n:-1].any()
        assert moved == (before != labelled.labels).sum()


def test_the_same_centers_again_move_no_pixel(scene):
    labelled = LabelledBlock.fresh(scene.block, N_CLASSES, scene.origin.dtype)
    retallied(scene, labelled, scene.centers)
    assert retallied(scene, labelled, scene.centers) == 0


@pytest.mark.parametrize("n_bands", [1, 3, UNROLLED, UNROLLED + 1])
@pytest.mark.parametrize("n_classes", [1, 2, 3, 8])
def test_loops_of_any_number_of_bands_give_the_bits_of_plain_sums(n_bands, n_classes):
    rng = np.random.default_rng(n_bands * 10 + n_classes)
    values = rng.integers(0, 2**16, (n_bands, 600)).astype(np.uint16)
    gain, offset = rng.uniform(0.001, 0.01, n_bands), rng.normal(0, 1, n_bands)
    centers = rng.normal(30, 20, (n_classes, n_bands))
    labels, distance2 = np.empty(600, np.int32), np.empty(600)
    nearest(values, np.ones(600, bool), gain, offset, centers, labels, distance2)
    z = values * gain[:, None] + offset[:, None]
    total = np.zeros((n_classes, 600))
    for b in range(n_bands):
        difference = z[b] - centers[:, b, None]
        total += difference * difference
    np.testing.assert_array_equal(labels, total.argmin(axis=0))
    np.testing.assert_array_equal(distance2, total.min(axis=0))


@pytest.mark.parametrize("tally", ["scatter_tally", "variance_tally"])
def test_class_tallies_add_up_in_the_order_of_pixels(scene, tally):
    count = np.zeros(N_CLASSES, np.int64)
    sums = scene.zeros(N_CLASSES, N_BANDS)
    products = scene.zeros(N_CLASSES, N_BANDS, N_BANDS)
    if tally == "variance_tally":
        products = scene.zeros(N_CLASSES, N_BANDS)
    getattr(kernels, tally)(scene.values, scene.labels, scene.origin, count, sums, products)
    x = scene.values.astype(scene.origin.dtype) - scene.origin[:, None]
    own_sums, own_products = np.zeros_like(sums), np.zeros_like(products)
    for i in np.flatnonzero(scene.labels >= 0):
        own_sums[scene.labels[i]] += x[:, i]
        if tally == "scatter_tally":
            own_products[scene.labels[i]] += np.triu(x[:, i, None] * x[None, :, i])
        else:
            own_products[scene.labels[i]] += x[:, i] * x[:, i]
    labeled = scene.labels[scene.labels >= 0]
    np.testing.assert_array_equal(count, np.bincount(labeled, minlength=N_CLASSES))
    np.testing.assert_array_equal(sums, own_sums)
    np.testing.assert_array_equal(products, own_products)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
def test_sums_of_whole_numbers_are_those_of_python(dtype):
    """N01: no arithmetic in the raster's own type."""
    scene = Scene(dtype)
    scene.values[:, :900] = np.iinfo(dtype).max
    count = np.zeros(N_CLASSES, np.int64)
    sums = np.zeros((N_CLASSES, N_BANDS), np.int64)
    products = np.zeros((N_CLASSES, N_BANDS, N_BANDS), np.int64)
    kernels.scatter_tally(scene.values, scene.labels, scene.origin, count, sums, products)
    for k in range(N_CLASSES):
        own = [[int(v) for v in pixel] for pixel in scene.values[:, scene.labels == k].T]
        assert sums[k].tolist() == [sum(p[b] for p in own) for b in range(N_BANDS)]
        assert products[k, 0, 3] == sum(p[0] * p[3] for p in own)
        assert products[k, 3, 0] == 0


def test_logarithms_are_those_of_numpy_in_single_precision():
    u = np.concatenate([np.geomspace(1e-30, 1, 9000), np.linspace(0.5, 1, 9000)]).astype(np.float32)
    found = np.empty_like(u)
    _logarithms(u, np.empty_like(u), found)
    np.testing.assert_allclose(found, np.log(u.astype(float)), rtol=3e-7, atol=1e-9)
    nothing = np.zeros(1, np.float32)
    _logarithms(nothing, np.empty_like(nothing), nothing)
    assert np.isfinite(nothing).all()


@pytest.mark.parametrize("fuzzifier", [2.0, 1.5, 1.01, 3.0])
def test_fuzzy_tally_adds_up_what_memberships_weigh(scene, fuzzifier):
    weight, sums, totals = fuzzy_tally(
        scene.values, scene.valid, scene.gain, scene.offset, scene.centers, fuzzifier, True
    )
    d = scene.distance2()
    own_weight, own_sums, own_totals = (np.zeros_like(a) for a in (weight, sums, totals))
    for i in np.flatnonzero(scene.valid):
        closeness = [_power(d[:, i].min() / d[k, i], 1 / (fuzzifier - 1)) for k in range(5)]
        total = 0.0
        for part in closeness:  # sum() rounds in another way from Python 3.12 on
            total += part
        for k in range(N_CLASSES):
            u = closeness[k] / total
            um = _power(u, fuzzifier)
            own_weight[k] += um
            own_sums[k] += um * scene.z[:, i]
            own_totals += [um * d[k, i], u * u, -u * math.log(u) if u > 0 else 0.0]
    # Memberships have the 24 bits of single precision, and errors of many pixels even out.
    np.testing.assert_allclose(weight, own_weight, rtol=1e-5)
    np.testing.assert_allclose(sums, own_sums, atol=1e-5 * np.abs(own_sums).max())
    np.testing.assert_allclose(totals, own_totals, rtol=1e-5)


def _power(base: float, exponent: float) -> float:
    if exponent == 1:
        return base
    return base * base if exponent == 2 else math.pow(base, exponent)


def test_a_pixel_on_two_centers_belongs_to_each_by_half():
    centers = np.array([[7.0], [7.0], [9.0]])
    one, zero = np.ones(1), np.zeros(1)
    values = np.array([[7]], np.uint8)
    weight, _, totals = fuzzy_tally(values, np.ones(1, bool), one, zero, centers, 2.0, True)
    assert weight.tolist() == [0.25, 0.25, 0]
    assert totals.tolist() == [0, 0.5, pytest.approx(math.log(2), rel=1e-7)]


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e30])
def test_memberships_do_not_depend_on_the_unit_of_the_values(size):
    rng = np.random.default_rng(3)
    values = rng.normal(5, 1, (3, 400))
    centers = np.ascontiguousarray(values[:, :4].T)
    every, one, zero = np.ones(400, bool), np.ones(3), np.zeros(3)
    plain = fuzzy_tally(values, every, one, zero, centers, 2.0, True)
    sized = fuzzy_tally(values * size, every, one, zero, centers * size, 2.0, True)
    np.testing.assert_allclose(sized[0], plain[0], rtol=1e-5)
    np.testing.assert_allclose(sized[1] / size, plain[1], rtol=1e-5)
    np.testing.assert_allclose(sized[2] / [size**2, 1, 1], plain[2], rtol=1e-5)


def test_silhouettes_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    table = rng.normal(size=(200, 3))
    labelings = np.stack([rng.integers(0, k, 200) for k in (2, 4, 7)]).astype(np.int32)
    labelings[2, 0] = 7  # alone in its class
    counts = np.array([np.bincount(labels, minlength=8) for labels in labelings])
    out = np.zeros(3)
    kernels.silhouettes(np.ascontiguousarray(table.T), labelings, counts, out)
    expected = [silhouette_samples(table, labels).sum() for labels in labelings]
    np.testing.assert_allclose(out, expected, rtol=1e-9)
