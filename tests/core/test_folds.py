from __future__ import annotations

import numpy as np
import pytest

from rsclass.core.folds import block_numbers, group_folds, pixel_folds
from rsclass.core.training import TrainingSet


def drawn(sizes: list[tuple[int, int]], seed: int = 0) -> TrainingSet:
    """Features of (class, pixels), anywhere in a scene."""
    rng = np.random.default_rng(seed)
    features = np.repeat(np.arange(len(sizes)), [n for _, n in sizes])
    classes = np.array([sizes[f][0] for f in features], dtype=np.int32)
    rows, cols = rng.integers(0, 200, (2, len(features)))
    names = tuple(f"c{i}" for i in range(int(classes.max()) + 1))
    return TrainingSet(rng.normal(size=(len(features), 3)), classes, features, rows, cols, names)


MANY = [(c, int(n)) for c in range(4) for n in np.random.default_rng(c).integers(1, 90, 15)]


@pytest.mark.parametrize("folds", [2, 5, 10])
@pytest.mark.parametrize("seed", [0, 1])
def test_no_group_is_cut_and_every_fold_has_its_share_of_every_class(folds: int, seed: int) -> None:
    samples = drawn(MANY)
    fold_of = group_folds(samples.classes, samples.features, folds, seed)
    for feature in np.unique(samples.features):
        assert len(np.unique(fold_of[samples.features == feature])) == 1
    table = np.array(
        [np.bincount(fold_of[samples.classes == c], minlength=folds) for c in range(4)]
    )
    largest = np.array([max(n for k, n in MANY if k == c) for c in range(4)])
    # A greedy deal is off by no more than the largest group.
    assert (np.abs(table - table.mean(axis=1, keepdims=True)) <= largest[:, None]).all()
    assert (table > 0).all()


def test_the_seed_alone_decides() -> None:
    samples = drawn(MANY)
    first = group_folds(samples.classes, samples.features, 5, 3)
    assert (first == group_folds(samples.classes, samples.features, 5, 3)).all()
    assert (first != group_folds(samples.classes, samples.features, 5, 4)).any()
    order = np.random.default_rng(0).permutation(len(samples))
    shuffled = group_folds(samples.classes[order], samples.features[order], 5, 3)
    assert (shuffled == first[order]).all()


def test_groups_of_several_classes_are_spread_evenly() -> None:
    rng = np.random.default_rng(1)
    samples = drawn([(c, 300) for c in range(3)])
    blocks = block_numbers(samples, 20)
    assert len(np.unique(blocks)) == 100
    fold_of = group_folds(samples.classes, blocks, 4, 0)
    for c in range(3):
        share = np.bincount(fold_of[samples.classes == c]) / 300
        assert np.abs(share - 0.25).max() < 0.03
    for block in rng.choice(np.unique(blocks), 10):
        assert len(np.unique(fold_of[blocks == block])) == 1


def test_blocks_are_squares_of_the_scene() -> None:
    samples = drawn([(0, 500), (1, 500)])
    numbers = block_numbers(samples, 30)
    squares = {(r // 30, c // 30) for r, c in zip(samples.rows, samples.cols, strict=True)}
    assert len(np.unique(numbers)) == len(squares)
    for number in np.unique(numbers):
        inside = numbers == number
        assert len(np.unique(samples.rows[inside] // 30)) == 1
        assert len(np.unique(samples.cols[inside] // 30)) == 1


def test_pixels_at_random_are_stratified_to_the_pixel() -> None:
    samples = drawn(MANY)
    fold_of = pixel_folds(samples, 5, 0)
    for c in range(4):
        counts = np.bincount(fold_of[samples.classes == c], minlength=5)
        assert counts.max() - counts.min() <= 1
    assert (fold_of != pixel_folds(samples, 5, 1)).any()
