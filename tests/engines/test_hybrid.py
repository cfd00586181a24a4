"""Clusters as signatures of maximum likelihood."""

from __future__ import annotations

import numpy as np
import pytest
from labelled import BANDS, NAMES, scene, training_set
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis

from rsclass.core.arrays import ArrayStream
from rsclass.core.types import Window
from rsclass.engines.hybrid import Hybrid
from rsclass.engines.kmeans import KMeans
from rsclass.engines.maxlike import MaximumLikelihood
from rsclass.errors import DataError, UsageError


def two_sided(n: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    """A class of two blobs on either side of another class: no single normal distribution."""
    rng = np.random.default_rng(0)
    sides = [rng.normal((-6, 0), 1, (n, 2)), rng.normal((6, 0), 1, (n, 2))]
    return np.concatenate([*sides, rng.normal(0, 1, (n, 2))]), np.repeat([7, 7, 9], n)


def blobs(side: int = 60) -> np.ndarray:
    """A uint16 image (3, side, side) of four kinds of ground in squares."""
    rng = np.random.default_rng(3)
    centers = rng.uniform(200, 4000, (4, 3))
    kind = np.kron(np.arange(4).reshape(2, 2), np.ones((side // 2, side // 2), int))
    mix = rng.normal(size=(3, 3)) * 30
    noise = rng.normal(size=(side, side, 3)) @ mix
    return np.round(centers[kind] + noise).clip(0).transpose(2, 0, 1).astype(np.uint16)


def test_a_class_of_two_kinds_of_ground_becomes_two_distributions():
    values, classes = two_sided()
    engine = Hybrid(n_classes=2).fit(values, classes)
    assert engine.groups_.tolist() == [0, 0, 1]
    three = np.repeat([0, 1, 2], 2000)
    other = QuadraticDiscriminantAnalysis(priors=[0.25, 0.25, 0.5]).fit(values, three)
    expected = np.array([7, 7, 9])[other.predict(values)]
    assert (engine.predict(values) == expected).mean() > 0.999
    alone = MaximumLikelihood().fit(values, classes)
    assert engine.score(values, classes) > alone.score(values, classes) + 0.01
    # The two blobs share the prior of their class by their pixels.
    np.testing.assert_allclose(engine.priors_, [0.25, 0.25, 0.5])


def test_the_probability_of_a_class_is_that_of_its_distributions_together():
    values, classes = two_sided()
    engine = Hybrid(n_classes=2).fit(values, classes)
    mean, covariance = engine.signatures_.mean, engine.signatures_.covariance
    density = []
    for m, s, p in zip(mean, covariance, engine.priors_, strict=True):
        apart = values - m
        square = np.einsum("ib,bc,ic->i", apart, np.linalg.inv(s), apart)
        density.append(p * np.exp(-square / 2) / np.sqrt(np.linalg.det(s)))
    share = np.array([density[0] + density[1], density[2]]) / np.sum(density, axis=0)
    np.testing.assert_allclose(engine.predict_proba(values), share.T, atol=1e-6)


def test_kinds_that_cannot_be_told_apart_stay_one():
    values, classes = two_sided()
    values[2000:4000] += [-12, 0]
    engine = Hybrid(n_classes=4).fit(values, classes)
    assert engine.groups_.tolist() == [0, 1]
    alone = MaximumLikelihood().fit(values, classes)
    np.testing.assert_array_equal(engine.predict(values), alone.predict(values))
    np.testing.assert_allclose(engine.signatures_.mean, alone.signatures_.mean, rtol=1e-12)


def test_without_any_merging_all_clusters_stay():
    engine = Hybrid(n_classes=3, min_separability=0).fit_training(training_set(), BANDS)
    assert len(engine.groups_) > 4
    assert engine.n_classes_ == 4
    assert (engine.predict(training_set().values) == np.array(NAMES)[training_set().classes]).mean()


def test_clusters_of_few_pixels_join_the_nearest_of_their_class():
    values, classes = two_sided()
    values[:30] = [-60, 0]
    engine = Hybrid(n_classes=3, min_separability=0, min_pixels=50, scale="none")
    engine.fit(values, classes)
    assert engine.history_[0]["clusters"] == 2
    assert np.bincount(engine.groups_).tolist()[0] == 2
    left = values[:2000].mean(axis=0)
    assert np.abs(engine.signatures_.mean - left).sum(axis=1).min() < 1e-9


def test_a_scene_alone_gives_signatures_of_its_clusters():
    image = blobs()
    engine = Hybrid(n_classes=4).fit(image)
    clusters = KMeans(n_classes=4).fit(image)
    labels = clusters.predict(image)
    table = image.reshape(3, -1).T.astype(float)
    for k in range(4):
        own = table[labels.ravel() == k]
        np.testing.assert_allclose(engine.signatures_.mean[k], own.mean(axis=0), rtol=1e-9)
        np.testing.assert_allclose(engine.signatures_.covariance[k], np.cov(own.T), rtol=1e-7)
    assert engine.n_classes_ == 4
    assert engine.class_names is None
    assert engine.history_[-1]["event"] == "signatures"


def test_clusters_of_one_kind_of_ground_are_merged_and_told():
    image = blobs()
    engine = Hybrid(n_classes=10, min_separability=1.7).fit(image)
    assert engine.n_classes_ == 4
    assert "too like another one; 4 are left" in engine.warnings_[-1]
    kinds = np.kron(np.arange(4).reshape(2, 2), np.ones((30, 30), int))
    found = engine.predict(image)
    # Every kind of ground is one class, and no two are the same.
    pairs = {(int(a), int(b)) for a, b in zip(kinds.ravel(), found.ravel(), strict=True)}
    assert len(pairs) == 4


@pytest.mark.parametrize("cluster_method", ["isodata", "migrating", "fuzzy", "minibatch"])
def test_clusters_may_come_from_another_method(cluster_method):
    engine = Hybrid(n_classes=6, cluster_method=cluster_method, min_separability=1.7)
    engine.fit(blobs())
    assert engine.n_classes_ == 4


def test_far_pixels_are_rejected_by_the_nearest_distribution():
    values, classes = two_sided()
    engine = Hybrid(n_classes=2, reject=0.01).fit(values, classes)
    assert engine.predict([[0, 0], [6, 0], [3, 9]]).tolist() == [9, 7, -1]


def test_clusters_that_are_all_too_small_are_refused():
    with pytest.raises(DataError, match="none of 12 clusters has 50 pixels"):
        Hybrid(min_pixels=50).fit(scene()[:, :8, :9])


def test_priors_of_classes_need_samples():
    with pytest.raises(UsageError, match="without training samples there are none"):
        Hybrid(priors={"water": 0.5}).fit(blobs())


def test_shares_of_the_scene_can_be_priors():
    engine = Hybrid(n_classes=4, priors="sample").fit(blobs())
    np.testing.assert_allclose(engine.priors_, engine.class_stats_.count / 3600)


def test_invalid_pixels_have_no_say_in_the_signatures():
    image = blobs().astype(np.float32)
    hole = image.copy()
    hole[1, :20, :20] = np.nan
    filled = np.where(np.isnan(hole).any(axis=0), 9999, image).astype(np.float32)
    one = Hybrid(n_classes=4).fit(hole)
    other = Hybrid(n_classes=4).fit(ArrayStream(filled, valid=~np.isnan(hole).any(axis=0)))
    np.testing.assert_allclose(one.signatures_.mean, other.signatures_.mean, rtol=1e-12)
    assert (one.predict(hole)[:20, :20] == -1).all()


def test_samples_of_a_scene_are_learned_like_a_table():
    engine = Hybrid().fit_training(training_set(), BANDS)
    whole = Window(0, 0, 61, 83)
    found = engine.predict_block(ArrayStream(scene()).read(whole), whole, ["distance"])
    assert set(np.unique(found.labels)) == {0, 1, 2, 3}
    assert (found.layers["distance"] >= 0).all()
