"""Minimum distance, spectral angle and parallelepiped against their formulas."""

from __future__ import annotations

import numpy as np
import pytest
from labelled import BANDS, overlapping, scene, training_set
from sklearn.neighbors import NearestCentroid
from sklearn.preprocessing import StandardScaler

from rsclass.core.arrays import ArrayStream
from rsclass.core.types import Window
from rsclass.engines.mindist import MinimumDistance
from rsclass.engines.parallelepiped import Parallelepiped
from rsclass.engines.sam import SpectralAngle
from rsclass.errors import SingularClassError

WHOLE = Window(0, 0, 61, 83)


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    """The pixels of the scene (pixels, bands)."""
    return scene().reshape(5, -1).T.astype(float)


@pytest.fixture(scope="module")
def means() -> np.ndarray:
    values, classes = overlapping()
    return np.array([values[classes == k].mean(axis=0) for k in range(4)])


def layers_of(engine, *names):
    found = engine.predict_block(ArrayStream(scene()).read(WHOLE), WHOLE, names)
    return found.labels.ravel(), {name: found.layers[name].ravel() for name in names}


def test_minimum_distance_is_the_nearest_centroid_of_scikit_learn(pixels):
    values, classes = overlapping()
    other = NearestCentroid().fit(values, classes)
    engine = MinimumDistance().fit(values, classes)
    np.testing.assert_array_equal(engine.predict(pixels), other.predict(pixels))
    scaler = StandardScaler().fit(values)
    other = NearestCentroid().fit(scaler.transform(values), classes)
    engine = MinimumDistance(scale="standard").fit(values, classes)
    np.testing.assert_array_equal(engine.predict(pixels), other.predict(scaler.transform(pixels)))


def test_distances_to_all_means_are_euclidean(pixels, means):
    values, classes = overlapping()
    expected = np.linalg.norm(pixels[:, None] - means, axis=2)
    engine = MinimumDistance().fit(values, classes)
    np.testing.assert_allclose(engine.transform(pixels), expected)
    _, found = layers_of(engine, "distance")
    np.testing.assert_allclose(found["distance"], expected.min(axis=1), rtol=1e-6)
    np.testing.assert_allclose(
        engine.fit_transform(values, classes), np.linalg.norm(values[:, None] - means, axis=2)
    )


def test_pixels_beyond_so_many_deviations_of_their_class_have_none(pixels, means):
    values, classes = overlapping()
    spread = [
        np.sqrt(((values[classes == k] - means[k]) ** 2).sum(axis=1).mean()) for k in range(4)
    ]
    distance = np.linalg.norm(pixels[:, None] - means, axis=2)
    nearest = distance.argmin(axis=1)
    far = distance.min(axis=1) > 0.8 * np.array(spread)[nearest]
    found = MinimumDistance(max_std_from_mean=0.8).fit(values, classes).predict(pixels)
    np.testing.assert_array_equal(found, np.where(far, -1, nearest))
    assert 0.1 < far.mean() < 0.9


def test_the_spectral_angle_is_that_of_the_formula(pixels, means):
    unit = pixels / np.linalg.norm(pixels, axis=1, keepdims=True)
    angles = np.arccos(unit @ (means / np.linalg.norm(means, axis=1, keepdims=True)).T)
    engine = SpectralAngle().fit_training(training_set(), BANDS)
    labels, found = layers_of(engine, "distance")
    np.testing.assert_array_equal(labels, angles.argmin(axis=1))
    np.testing.assert_allclose(found["distance"], angles.min(axis=1), rtol=1e-5)
    limited = SpectralAngle(max_angle=0.05).fit_training(training_set(), BANDS)
    labels, _ = layers_of(limited)
    far = angles.min(axis=1) > 0.05
    np.testing.assert_array_equal(labels, np.where(far, -1, angles.argmin(axis=1)))
    assert 0.1 < far.mean() < 0.9


def test_light_and_shade_do_not_change_the_spectral_angle(pixels):
    values, classes = overlapping()
    engine = SpectralAngle().fit(values, classes)
    # A power of two changes no digit.
    np.testing.assert_array_equal(engine.predict(pixels / 8), engine.predict(pixels))


def test_a_pixel_of_zeros_has_no_direction_and_no_class():
    values, classes = overlapping()
    engine = SpectralAngle().fit(values, classes)
    assert engine.predict(np.zeros((1, 5))).tolist() == [-1]
    values[classes == 2] = 0
    with pytest.raises(SingularClassError, match="the mean spectrum of 2 is 0 in every band"):
        SpectralAngle().fit(values, classes)


@pytest.mark.parametrize("max_std", [None, 1.5, 3.0])
def test_a_pixel_is_in_the_box_with_the_nearest_mean_or_in_none(max_std, pixels, means):
    values, classes = overlapping()
    parts = [values[classes == k] for k in range(4)]
    if max_std is None:
        low, high = ([getattr(p, side)(axis=0) for p in parts] for side in ("min", "max"))
    else:
        half = [max_std * p.std(axis=0, ddof=1) for p in parts]
        low, high = means - half, means + half
    inside = ((pixels[:, None] >= low) & (pixels[:, None] <= high)).all(axis=2)
    distance = np.where(inside, np.linalg.norm(pixels[:, None] - means, axis=2), np.inf)
    expected = np.where(inside.any(axis=1), distance.argmin(axis=1), -1)
    engine = Parallelepiped(max_std=max_std).fit_training(training_set(), BANDS)
    labels, found = layers_of(engine, "distance")
    np.testing.assert_array_equal(labels, expected)
    held = expected >= 0
    np.testing.assert_allclose(found["distance"][held], distance.min(axis=1)[held], rtol=1e-6)
    assert np.isnan(found["distance"][~held]).all()
    assert (inside.sum(axis=1) > 1).any()


def test_every_training_pixel_lies_in_a_box_of_its_own_class():
    values, classes = overlapping()
    engine = Parallelepiped().fit(values, classes)
    share = engine.predict_proba(values)
    assert (share[np.arange(len(values)), classes] > 0).all()
