from __future__ import annotations

import numpy as np
import pytest
import rasterio.features
from scipy import ndimage

from rsclass.core.grid import TileGrid
from rsclass.core.patches import find_patches
from rsclass.core.sieve import Sieve, Sieving
from rsclass.core.types import Window
from rsclass.errors import UsageError

CROSS, SQUARE = ndimage.generate_binary_structure(2, 1), np.ones((3, 3))


def sieved(values, rule, tile=10**6, weights=None):
    """The whole way over the tiles of an image."""
    grid = TileGrid(*values.shape, tile, tile)
    if weights is None:
        weights = np.ones(values.shape[0], np.int64)
    sieving = Sieving(rule, grid, weights)
    tiles = list(grid)
    whole = Window(0, 0, *values.shape)
    cut = [values[window.inside(whole)] for window in tiles]
    for window, part in zip(tiles, cut, strict=True):
        sieving.add(sieving.survey(window, part))
    sieving.join()
    while sieving.pending:
        sieving.spread({i: sieving.solve(i, cut[i])[1] for i in sieving.pending})
    out = np.empty_like(values)
    for i, window in enumerate(tiles):
        out[window.inside(whole)] = sieving.solve(i, cut[i])[0]
    return out


def scipy_patches(values, diagonal):
    """Labels from 1, class and pixels of each patch, by scipy."""
    labels, n = np.zeros(values.shape, int), 0
    for value in np.unique(values[values > 0]):
        found, many = ndimage.label(values == value, SQUARE if diagonal else CROSS)
        labels[found > 0] = found[found > 0] + n
        n += many
    index = np.arange(1, n + 1)
    return labels, ndimage.maximum(values, labels, index).astype(int), index


def oracle(values, rule, weights=None):
    """The rule told as rounds over the graph of patches that scipy finds."""
    labels, classes, index = scipy_patches(values, rule.diagonal)
    per_pixel = np.ones(values.shape, int) * (1 if weights is None else weights[:, None])
    sizes = ndimage.sum(per_pixel, labels, index).astype(int)
    beside = {i: set() for i in index}
    for i in index:
        around = ndimage.binary_dilation(labels == i, SQUARE if rule.diagonal else CROSS)
        beside[i] = set(labels[around]) - {0, i}
    master = {i: i for i in index if sizes[i - 1] >= rule.smallest}
    while True:
        won = {}
        for i in index:
            if i in master or classes[i - 1] in rule.protected:
                continue
            offers = [master[j] for j in beside[i] if j in master]
            if offers:
                won[i] = min(offers, key=lambda m: (-sizes[m - 1], classes[m - 1]))
        if not won:
            break
        master |= won
    new = np.array([0, *(classes[master.get(i, i) - 1] for i in index)])
    return new[labels]


def noise(seed, shape=(40, 53), classes=4):
    """Patches of all sizes, with nodata among them."""
    rng = np.random.default_rng(seed)
    coarse = np.kron(rng.integers(1, classes + 1, (8, 8)), np.ones((7, 7), int))
    values = coarse[: shape[0], : shape[1]]
    speckled = np.where(rng.random(shape) < 0.45, rng.integers(0, classes + 1, shape), values)
    return speckled.astype(np.uint8)


@pytest.mark.parametrize("diagonal", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_patches_are_those_of_scipy_in_the_order_of_their_first_pixels(seed, diagonal):
    values = noise(seed)
    found = find_patches(values, np.ones(len(values), np.int64), diagonal)
    labels, classes, index = scipy_patches(values, diagonal)
    np.testing.assert_array_equal(found.labels >= 0, values > 0)
    pairs = np.unique(np.stack([found.labels[values > 0], labels[values > 0]]), axis=1)
    assert len(found) == pairs.shape[1] == len(index)
    np.testing.assert_array_equal(found.value[pairs[0]], classes[pairs[1] - 1])
    np.testing.assert_array_equal(found.weight[pairs[0]], np.bincount(labels.ravel())[pairs[1]])
    firsts = np.unique(found.labels, return_index=True)[1][1:]
    assert (np.diff(firsts) > 0).all()


@pytest.mark.parametrize("diagonal", [False, True])
@pytest.mark.parametrize("smallest", [2, 5, 40])
@pytest.mark.parametrize("protected", [(), (2,)])
def test_small_patches_go_where_the_graph_of_scipys_patches_sends_them(
    diagonal, smallest, protected
):
    for seed in range(3):
        values = noise(seed)
        rule = Sieve(smallest, diagonal, protected)
        found = sieved(values, rule)
        np.testing.assert_array_equal(found, oracle(values, rule))
        assert (found != values).any()
        kept = (values == 0) | np.isin(values, protected)
        np.testing.assert_array_equal(found[kept], values[kept])


@pytest.mark.parametrize("tile", [2, 8, 17, 40])
@pytest.mark.parametrize("diagonal", [False, True])
@pytest.mark.parametrize("smallest", [4, 30, 200])
def test_the_result_does_not_depend_on_the_tiles(tile, diagonal, smallest):
    values = noise(7)
    rule = Sieve(smallest, diagonal, protected=(3,))
    np.testing.assert_array_equal(sieved(values, rule, tile), sieved(values, rule))


@pytest.mark.parametrize("tile", [5, 64])
def test_a_way_that_winds_through_many_tiles_is_followed_to_its_end(tile):
    """A spiral of small patches: each but the outermost learns its class from the one before."""
    values = np.zeros((41, 41), np.uint16)
    row = col = 0
    steps, turn, length = [(0, 1), (1, 0), (0, -1), (-1, 0)], 0, 40
    path = [(0, 0)]
    while length > 0:
        for _ in range(2 if length < 40 else 3):
            for _ in range(length):
                row, col = row + steps[turn][0], col + steps[turn][1]
                path.append((row, col))
            turn = (turn + 1) % 4
        length -= 2
    for i, place in enumerate(path):
        values[place] = 9 if i < 20 else 1 + i % 2
    found = sieved(values, Sieve(20), tile)
    assert (found[values > 0] == 9).all()
    assert len(path) > 700


def test_where_small_patches_touch_large_ones_the_result_is_that_of_gdal():
    rng = np.random.default_rng(3)
    values = rng.integers(1, 6, (5, 6)).astype(np.uint8)
    values = values.repeat([14, 17, 22, 27, 33], axis=0).repeat([13, 16, 19, 23, 28, 32], axis=1)
    values[rng.random(values.shape) < 0.02] = 7
    for diagonal in (False, True):
        sizes = find_patches(values, np.ones(len(values), np.int64), diagonal).weight
        large = sizes[sizes >= 10]
        assert len(set(large)) == len(large)  # GDAL leaves open who wins of equal neighbors
        expected = rasterio.features.sieve(values, 10, connectivity=8 if diagonal else 4)
        found = sieved(values, Sieve(10, diagonal), 32)
        np.testing.assert_array_equal(found, expected)
        assert (values == 7).sum() > 100
        assert not (found == 7).any()


def test_no_small_patch_is_left_but_on_islands_of_small_ones():
    values = noise(11, classes=2)
    values[:, 30] = 0
    values[:6, 31:40] = np.random.default_rng(0).integers(1, 4, (6, 9))
    values[6, 30:41] = values[:6, 40] = 0
    found = sieved(values, Sieve(60), 16)
    labels, _, index = scipy_patches(found, False)
    regions, _ = ndimage.label(found > 0, CROSS)
    sizes = ndimage.sum(found > 0, labels, index)
    for i in index[sizes < 60]:
        region = regions[labels == i][0]
        others = np.unique(labels[regions == region])
        assert (sizes[others - 1] < 60).all()
    np.testing.assert_array_equal(found[:6, 31:40], values[:6, 31:40])
    assert (sizes >= 60).any()


def test_tiles_of_one_pixel_are_as_good_as_any():
    values = noise(7, (19, 23))
    np.testing.assert_array_equal(sieved(values, Sieve(30), 1), sieved(values, Sieve(30)))


def test_a_second_sieve_changes_nothing():
    found = sieved(noise(5), Sieve(25))
    np.testing.assert_array_equal(sieved(found, Sieve(25)), found)


def test_weights_of_rows_count_as_sizes_beyond_32_bits():
    """N02: the weight of a patch passes 2^31 long before its pixels do."""
    values = np.ones((6, 6), np.uint8)
    values[0, 0] = values[5, 5] = 2
    weights = np.array([5, 1, 1, 1, 1, 1]) * 2**31
    found = sieved(values, Sieve(5 * 2**31), 4, weights)
    assert found[0, 0] == 2
    assert found[5, 5] == 1
    np.testing.assert_array_equal(found, oracle(values, Sieve(5 * 2**31), weights))


@pytest.mark.parametrize("shape", [(1, 1), (1, 12), (12, 1)])
def test_scenes_of_one_row_or_column_are_sieved_too(shape):
    """R13"""
    values = np.array([1, 1, 1, 2, 1, 1, 0, 3, 0, 2, 2, 2][: shape[0] * shape[1]], np.uint8)
    values = values.reshape(shape)
    found = sieved(values, Sieve(3), 5)
    np.testing.assert_array_equal(found, oracle(values, Sieve(3)))


def test_a_scene_of_nodata_stays_nodata():
    """R10"""
    assert not sieved(np.zeros((9, 9), np.uint8), Sieve(5), 4).any()


def test_a_patch_of_less_than_a_pixel_cannot_be_asked_for():
    with pytest.raises(UsageError, match="1 or more"):
        Sieve(0)


def test_what_a_tile_tells_the_others_does_not_keep_its_patches_in_memory():
    values = noise(0)
    grid = TileGrid(*values.shape, 20, 53)
    sieving = Sieving(Sieve(9), grid, np.ones(len(values), np.int64))
    for window in grid:
        sieving.add(sieving.survey(window, values[window.row : window.row_end]))
    sieving.join()
    _, finding = sieving.solve(0, values[:20])
    standing = finding.standing
    assert len(finding.at) == len(standing.level) > 0
    for array in (finding.at, standing.level, standing.size, standing.value):
        kept = array if array.base is None else array.base
        assert kept.nbytes <= 4 * array.nbytes
