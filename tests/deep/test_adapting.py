from __future__ import annotations

import numpy as np
import pytest

from rsclass.deep.adapting import counterparts, for_bands

RGB = (660.0, 560.0, 490.0)
LANDSAT = (480.0, 560.0, 655.0, 865.0, 1610.0, 2200.0)


def test_inputs_are_paired_by_wavelength():
    assert counterparts(RGB, LANDSAT) == [2, 1, 0, None, None, None]
    assert counterparts(LANDSAT, RGB) == [2, 1, 0]
    assert counterparts(LANDSAT, LANDSAT) == [0, 1, 2, 3, 4, 5]


def test_inputs_without_wavelengths_are_paired_by_order():
    assert counterparts((None, None), (None, None, None)) == [0, 1, None]
    assert counterparts(RGB, (None, 560.0)) == [0, 1]


def test_the_same_bands_keep_their_weights():
    weight = np.arange(12, dtype=np.float32).reshape(2, 3, 2, 1)
    np.testing.assert_array_equal(for_bands(weight, [0, 1, 2]), weight)


@pytest.mark.parametrize("found", [[0, 1, 2, None, None], [1, None], [2, 2, 0, 1, None, None]])
def test_inputs_alike_in_all_bands_excite_the_layer_as_before(found):
    """Exact where every known input is taken as often as any other, on the mean elsewhere."""
    rng = np.random.default_rng(0)
    weight = rng.normal(0, 1, (4000, 3, 1, 1)).astype(np.float32)
    adapted = for_bands(weight, found)
    assert adapted.shape == (4000, len(found), 1, 1)
    before, after = weight.sum(axis=1).ravel(), adapted.sum(axis=1).ravel()
    if sorted(i for i in found if i is not None) == [0, 1, 2]:
        np.testing.assert_allclose(after, before, atol=1e-5)  # float32
    # Otherwise the sums go together, and are by no factor larger or smaller.
    slope = float(after @ before / (before @ before))
    assert slope == pytest.approx(1, abs=0.05)


def test_known_weights_stand_at_the_place_of_their_counterpart():
    weight = np.array([[[[3.0]], [[6.0]]]], dtype=np.float32)
    adapted = for_bands(weight, [1, None, 0])
    np.testing.assert_allclose(adapted[0, :, 0, 0], np.array([6, 4.5, 3]) * 2 / 3)
