"""Reference places and patches agree with the truth; rasterio burns the patches as the oracle."""

from __future__ import annotations

import numpy as np
import pytest
from rasterio.features import rasterize
from rasterio.transform import Affine
from shapely.geometry import Polygon

from rsclass.core.groundtruth import draw_patches, draw_places
from rsclass.core.simulate import recipe
from rsclass.core.types import Window


@pytest.fixture(scope="module")
def truth():
    return recipe("sentinel2", height=200, width=200).render(Window(0, 0, 200, 200))[1]


def test_every_pixel_that_a_patch_touches_is_of_its_class(truth):
    patches = draw_patches(truth, each=10, seed=0)
    assert {p.code for p in patches} == set(np.unique(truth[truth > 0]))
    for patch in patches:
        shape = Polygon([(col, row) for row, col in patch.corners])
        # A hair less than the polygon: a shared edge is no touch.
        touched = rasterize(
            [shape.buffer(-1e-6)], truth.shape, transform=Affine.identity(), all_touched=True
        )
        assert touched.any()
        assert set(truth[touched == 1]) == {patch.code}


def test_patches_of_a_class_keep_apart(truth):
    patches = draw_patches(truth, each=10, seed=0)
    shapes = [(p.code, Polygon(p.corners)) for p in patches]
    for i, (code, one) in enumerate(shapes):
        for other_code, other in shapes[i + 1 :]:
            if code == other_code:
                assert one.distance(other) > 2.0


def test_places_are_stratified_and_name_the_class_of_their_pixel(truth):
    places = draw_places(truth, n=300, each=20, seed=1)
    assert len({(p.row, p.col) for p in places}) == len(places)
    assert all(truth[p.row, p.col] == p.code for p in places)
    count = np.bincount(truth.ravel())
    drawn = np.bincount([p.code for p in places])
    for code in range(1, len(count)):
        wanted = max(20, round(300 * count[code] / count[1:].sum()))
        assert drawn[code] == min(wanted, count[code])


def test_another_seed_draws_other_places(truth):
    one = set(draw_places(truth, n=300, each=20, seed=1))
    assert len(one & set(draw_places(truth, n=300, each=20, seed=2))) < 0.1 * len(one)
