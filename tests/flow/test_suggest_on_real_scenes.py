"""What spectra suggest for real scenes, held against their ground truth.

The floors are what was measured, rounded down: suggestions are made from a few published spectra,
and where people call a green field "barren" or a suburb "urban" they cannot know.
"""

from __future__ import annotations

import numpy as np
import pytest
import rasterio

import rsclass
from rsclass import Writing
from rsclass.core.opinions import opinions
from rsclass.flow.signatures import signatures_of

PLANTS, WATER, SOIL, TOWN = "vegetation", "water", "bare soil", "built-up"
SCENES = {
    "sentinel2_aberystwyth": ({1: PLANTS, 2: PLANTS, 3: TOWN, 4: WATER}, 0.9, 0.9),
    "landsat7_ogt": ({1: PLANTS, 2: WATER, 3: PLANTS, 4: SOIL, 5: TOWN}, 0.75, 0.85),
    "landsat8_rondonia_points": ({1: WATER, 2: SOIL, 3: PLANTS, 4: PLANTS}, 0.9, 0.5),
}


@pytest.mark.parametrize("name", SCENES)
def test_what_is_named_is_mostly_right_and_most_is_named(shared_data, tmp_path, name):
    kinds, least_right, least_named = SCENES[name]
    folder = shared_data / name
    made = rsclass.classify(
        folder / "image.tif",
        tmp_path / "map.tif",
        method="kmeans",
        classes=10,
        writing=Writing(report=False),
    )
    found = rsclass.suggest(made.path)
    with rasterio.open(made.path) as one, rasterio.open(folder / "gt.tif") as other:
        values, truth = one.read(1), other.read(1)
    labelled = right = named = 0
    for proposal in found.proposals:
        below = truth[(values == proposal.cluster) & (truth > 0)].tolist()
        labelled += len(below)
        if proposal.name is not None:
            named += len(below)
            right += sum(kinds[code] == proposal.name for code in below)
    assert right / named > least_right
    assert named / labelled > least_named


def test_polygons_name_the_clusters_of_a_real_scene_as_they_were_digitized(shared_data, tmp_path):
    folder = shared_data / "sentinel2_aberystwyth"
    made = rsclass.classify(
        folder / "image.tif",
        tmp_path / "map.tif",
        method="kmeans",
        classes=10,
        writing=Writing(report=False),
    )
    polygons = rsclass.suggest(
        made.path, reference=folder / "training_polygons.gpkg", field="name", spectra=False
    )
    raster = rsclass.suggest(made.path, reference=folder / "gt.tif", spectra=False)
    names = {"class 1": "forest", "class 2": "grass", "class 3": "urban", "class 4": "water"}
    # The raster is what its publisher burnt from the same polygons.
    assert polygons.purity == raster.purity
    for one, other in zip(polygons.votes, raster.votes, strict=True):
        assert one.label == names[other.label]
        assert (one.pixels, one.purity) == (other.pixels, other.purity)
        assert other.witnesses <= one.witnesses
        assert other.confidence <= one.confidence
    assert polygons.purity > 0.95


def test_digital_numbers_of_an_old_scene_are_not_named_by_their_spectra(shared_data, tmp_path):
    folder = shared_data / "nc_landsat7_2002_landclass96"
    made = rsclass.classify(
        folder / "image.tif",
        tmp_path / "map.tif",
        method="kmeans",
        classes=6,
        writing=Writing(report=False),
    )
    signatures = signatures_of(made.path)
    found, units = opinions(signatures.stats.mean, signatures.stats.bands)
    assert "digital numbers" in units.note
    assert all(np.isfinite(opinion.confidence) for opinion in found)
    assert [opinion.cover for opinion in found] == [None] * 6
