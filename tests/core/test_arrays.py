"""Arrays of every kind that numpy has, seen as scenes."""

from __future__ import annotations

import numpy as np
import pytest

from rsclass.core.arrays import ArrayStream, as_stream
from rsclass.engines.kmeans import KMeans
from rsclass.errors import DataError, UsageError


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(1).integers(1, 1000, (2, 12, 9)).astype(np.uint16)


def test_a_pixel_masked_in_any_band_is_invalid(image):
    mask = np.zeros(image.shape, dtype=bool)
    mask[0, 2, 3] = mask[1, 5, 6] = True
    stream = as_stream(np.ma.MaskedArray(image, mask))
    np.testing.assert_array_equal(np.argwhere(~stream.valid), [[2, 3], [5, 6]])
    np.testing.assert_array_equal(stream.values, image)
    assert type(stream.values) is np.ndarray


def test_masked_pixels_get_no_class(image):
    masked = np.ma.masked_less(image, 100)
    labels = KMeans(3).fit(masked).predict(masked)
    np.testing.assert_array_equal(labels < 0, (image < 100).any(axis=0))


def test_a_table_with_masked_values_is_refused_and_one_without_is_read(image):
    table = image.reshape(2, -1).T
    masked = np.ma.masked_less(table, 100)
    for read in (as_stream, KMeans(3).fit, KMeans(3).fit(table).predict):
        with pytest.raises(UsageError, match="masked"):
            read(masked)
    np.testing.assert_array_equal(
        KMeans(3).fit(np.ma.MaskedArray(table)).labels_, KMeans(3).fit(table).labels_
    )


@pytest.mark.parametrize("dtype", [">u2", "<u2", ">i4", ">f4", ">f8", "f2", np.longdouble])
def test_every_byte_order_and_width_gives_the_same_classes(image, dtype):
    engine = KMeans(3).fit(image)
    other = KMeans(3).fit(image.astype(dtype))
    np.testing.assert_allclose(other.centers_, engine.centers_, rtol=1e-12)
    np.testing.assert_array_equal(other.predict(image.astype(dtype)), engine.predict(image))


@pytest.mark.parametrize("huge", [1e200, -1e200, np.int64(2**60), np.longdouble("1e400")], ids=str)
def test_numbers_too_large_for_statistics_are_refused(huge):
    values = np.ones((1, 4, 4), dtype=np.asarray(huge).dtype)
    values[0, 1, 1] = huge
    with pytest.raises(DataError, match="beyond"):
        ArrayStream(values)
    stream = ArrayStream(values, valid=values[0] == 1)
    assert stream.valid.sum() == 15
