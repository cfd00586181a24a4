from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from rsclass.core.arrays import ArrayStream
from rsclass.core.types import Window
from rsclass.deep.patches import TrainingArea, chunk_windows, padded, smoothed
from rsclass.deep.scaling import Scaling


def area_of(values, valid=None, halo=3, budget=10**6, seed=0):
    stream = ArrayStream(values, valid)
    return TrainingArea(stream, Scaling.of_sample(stream.sample(None, 0)), halo, budget, seed)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (128, 129), (400, 77)])
def test_chunks_cover_the_scene_once(size):
    covered = np.zeros(size, dtype=int)
    for window in chunk_windows(*size):
        assert window.height <= 128
        assert window.width <= 128
        covered[window.inside(Window(0, 0, *size))] += 1
    assert (covered == 1).all()


def test_inputs_of_a_part_are_those_of_the_whole_scene_mirrored_at_its_edge():
    values = np.random.default_rng(0).normal(size=(2, 30, 40))
    stream = ArrayStream(values)
    scaling = Scaling.of_sample(stream.sample(None, 0))
    halo = 4
    scaled = scaling.inputs(stream.read(Window(0, 0, 30, 40)))
    mirrored = np.pad(scaled, ((0, 0), (halo, halo), (halo, halo)), mode="reflect")
    for core in (Window(0, 0, 10, 10), Window(10, 20, 20, 20), Window(0, 0, 30, 40)):
        block = stream.read(core.grow(halo, 30, 40))
        part, _ = padded(block, core, halo, scaling)
        rows = slice(core.row, core.row_end + 2 * halo)
        cols = slice(core.col, core.col_end + 2 * halo)
        np.testing.assert_array_equal(part, mirrored[:, rows, cols])


def test_only_pixels_with_a_whole_receptive_field_are_usable():
    valid = np.ones((40, 50), dtype=bool)
    valid[20, 25] = valid[0, 0] = False
    values = np.random.default_rng(1).normal(size=(2, 40, 50))
    area = area_of(values, valid, halo=3)
    mirrored = np.pad(valid, 3, mode="reflect")
    expected = ndimage.minimum_filter(mirrored, 7)[3:-3, 3:-3]
    np.testing.assert_array_equal(area.usable.reshape(40, 50), expected)
    assert area.strict


def test_where_no_pixel_has_a_whole_receptive_field_every_valid_one_serves():
    valid = np.indices((30, 30)).sum(axis=0) % 2 == 0
    area = area_of(np.random.default_rng(1).normal(size=(2, 30, 30)), valid)
    assert not area.strict
    np.testing.assert_array_equal(area.usable.reshape(30, 30), valid)


def test_areas_are_drawn_by_place_until_they_hold_the_budget():
    values = np.random.default_rng(2).normal(size=(1, 640, 640)).astype(np.float32)
    few = area_of(values, budget=40_000)
    assert [chunk.window for chunk in few.chunks] == sorted(chunk.window for chunk in few.chunks)
    assert 40_000 <= len(few.pixels) < 40_000 + 128**2
    other = area_of(values, budget=40_000, seed=1)
    assert {c.window for c in other.chunks} != {c.window for c in few.chunks}
    more = area_of(values, budget=80_000)
    assert {c.window for c in few.chunks} < {c.window for c in more.chunks}
    assert len(area_of(values).pixels) == 640 * 640


def test_areas_without_valid_pixels_do_not_count():
    valid = np.zeros((300, 300), dtype=bool)
    valid[250:, 250:] = True
    area = area_of(np.random.default_rng(2).normal(size=(1, 300, 300)), valid, budget=10)
    assert len(area.pixels) > 0


def test_patches_and_tiles_are_cut_around_their_pixels():
    values = np.random.default_rng(3).normal(size=(2, 140, 150))
    area = area_of(values, halo=2)
    assert len(area.chunks) == 4
    numbers = np.arange(area.size, dtype=np.int32)
    pixels = np.array([0, 5_000, 20_000])
    places = area.locate(pixels)
    np.testing.assert_array_equal(area.cut_labels(numbers, places, 1, 1).ravel(), pixels)
    patches = area.cut(places, 1, 1)
    assert patches.shape == (3, 2, 5, 5)
    table = area.gather(pixels, lambda chunk: chunk.inputs[:, 2:-2, 2:-2])
    np.testing.assert_array_equal(patches[:, :, 2, 2], table)


def test_tiles_lie_inside_of_their_chunks_at_many_offsets():
    area = area_of(np.random.default_rng(3).normal(size=(1, 140, 33)), halo=1)
    tiles = area.scatter_tiles(300, np.random.default_rng(0))
    assert area.tile == (32, 32)
    assert tiles.row.min() >= 0
    assert (tiles.row.max(), tiles.col.max()) <= (70 - 32, 33 - 32)
    assert len(np.unique(tiles.row)) > 20
    assert area.cut(tiles, 32, 32).shape == (300, 1, 34, 34)


def test_pixels_are_drawn_by_their_place_in_the_scene():
    values = np.random.default_rng(4).normal(size=(1, 130, 90))
    area = area_of(values)
    some, more = area.draw_pixels(100, 7), area.draw_pixels(200, 7)
    assert len(some) == 100
    assert set(some.tolist()) < set(more.tolist())
    assert len(area.draw_pixels(10**9, 7)) == 130 * 90


def test_smoothing_is_the_mean_of_the_valid_pixels():
    rng = np.random.default_rng(5)
    valid = rng.random((20, 20)) < 0.7
    image = np.where(valid, rng.normal(size=(20, 20)), 0).astype(np.float32)
    mean = smoothed(image[None], valid, 2)[0]
    total = ndimage.uniform_filter(image.astype(float), 5)[2:-2, 2:-2]
    share = ndimage.uniform_filter(valid.astype(float), 5)[2:-2, 2:-2]
    np.testing.assert_allclose(mean, total / share, atol=1e-5)
