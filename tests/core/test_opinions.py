from __future__ import annotations

import numpy as np
import pytest

from rsclass.core.covers import COVERS, ROLES, index_values
from rsclass.core.opinions import opinions
from rsclass.core.types import Band

BANDS = tuple(Band(f"B{i}", role) for i, role in enumerate(ROLES, 1))
TYPICAL = [
    (cover, variety, spectrum)
    for cover, entry in COVERS.items()
    for variety, spectrum in entry.spectra.items()
]


def judged(*spectra, bands=BANDS):
    return opinions(np.array(spectra, float), bands)


@pytest.mark.parametrize(("cover", "variety", "spectrum"), TYPICAL, ids=[t[1] for t in TYPICAL])
def test_a_typical_spectrum_is_called_what_it_is(cover, variety, spectrum):
    (opinion,), units = judged(spectrum)
    assert units.known
    assert opinion.cover == cover
    assert opinion.confidence >= 0.5
    assert f"nearest typical spectra: {variety} (0.0 degrees)" in opinion.evidence[1]


@pytest.mark.parametrize("factor", [1e3, 1e4])
def test_reflectances_times_a_factor_are_called_the_same_but_for_what_brightness_tells(factor):
    found, units = judged(*(np.array(spectrum) * factor for _, _, spectrum in TYPICAL))
    assert "unknown factor" in units.note
    for (cover, _, _), opinion in zip(TYPICAL, found, strict=True):
        # A cloud is known by its brightness, which cannot be told.
        assert opinion.cover == (None if cover == "cloud" else cover)
        assert "cloud" not in opinion.scores


def test_gentle_changes_of_a_spectrum_give_no_other_name_but_for_soils_and_towns():
    """Noise of a tenth in every band; bright soil and concrete are known to look alike."""
    rng = np.random.default_rng(5)
    for cover, _, spectrum in TYPICAL:
        noisy = np.array(spectrum) * rng.normal(1, 0.1, (40, 6))
        found, _ = judged(*noisy)
        named = {opinion.cover for opinion in found} - {None}
        alike = {"bare soil", "built-up"}
        assert named <= (alike if cover in alike else {cover})


def test_indices_are_normalized_differences():
    spectrum = {"blue": 0.1, "green": 0.2, "red": 0.3, "nir": 0.5, "swir16": 0.4}
    assert index_values(spectrum) == pytest.approx(
        {
            "NDVI": 0.2 / 0.8,
            "NDWI": -0.3 / 0.7,
            "MNDWI": -0.2 / 0.6,
            "NDBI": -0.1 / 0.9,
            "redness": 0.2 / 0.4,
        }
    )
    assert index_values({"red": 0.0, "nir": 0.0}) == {}


def test_the_evidence_is_written_out():
    (opinion,), _ = judged((0.03, 0.06, 0.03, 0.42, 0.2, 0.09))
    assert opinion.evidence == (
        "NDVI 0.87, NDWI -0.75, MNDWI -0.54, NDBI -0.35, redness 0.00, brightness 0.04",
        "nearest typical spectra: leaves and grass (2.1 degrees), town (32.6 degrees)",
        "vegetation asks for NDVI above 0.5, NDWI below -0.35: fits to 100%",
    )


def test_a_spectrum_like_nothing_known_is_unknown():
    (opinion,), _ = judged((0.5, 0.05, 0.5, 0.05, 0.5, 0.05))
    assert opinion.cover is None
    assert opinion.confidence < 0.5


@pytest.mark.parametrize(
    ("bands", "why"),
    [
        ([Band("band 1"), Band("band 2"), Band("band 3")], "known to be red or nir"),
        ([Band("R", "red"), Band("G", "green"), Band("B", "blue")], "known to be nir"),
        ([Band("N", "nir"), Band("G", "green"), Band("T", "lwir11")], "known to be red"),
    ],
)
def test_without_red_and_near_infrared_nothing_is_named(bands, why):
    (opinion,), units = judged((0.1, 0.2, 0.3), bands=bands)
    assert opinion.cover is None
    assert why in opinion.evidence[0]
    assert units.trust == 0


@pytest.mark.parametrize(
    ("spectra", "note"),
    [
        ([(-1.2, 0.3, 0.1, 2.0, 1.0, 0.4)], "no reflectances"),
        ([(np.nan,) * 6], "no mean spectrum is known"),
    ],
)
def test_values_that_are_no_reflectances_name_nothing(spectra, note):
    (opinion,), units = judged(*spectra)
    assert opinion.cover is None
    assert units.trust == 0
    assert note in units.note


def test_digital_numbers_lower_every_confidence():
    spectrum = np.array(COVERS["vegetation"].spectra["leaves and grass"])
    (bright,), _ = judged(spectrum)
    (number,), units = judged(spectrum * 500)
    assert "digital numbers" in units.note
    assert number.confidence == pytest.approx(0.6 * bright.confidence)


def test_a_class_without_pixels_is_unknown_and_the_others_are_named():
    found, _ = judged((np.nan,) * 6, COVERS["water"].spectra["clear water"])
    assert [opinion.cover for opinion in found] == [None, "water"]
    assert found[0].evidence == ("the class has no pixel",)


def test_soil_and_towns_are_not_judged_without_a_band_in_the_shortwave_infrared():
    (opinion,), _ = judged((0.10, 0.14, 0.19, 0.27), bands=BANDS[:4])
    assert set(opinion.scores) <= {"water", "vegetation", "cloud"}
    assert opinion.cover is None


def test_the_narrow_near_infrared_stands_in_for_the_broad_one_and_never_displaces_it():
    leaves = COVERS["vegetation"].spectra["leaves and grass"]
    narrow = [*BANDS[:3], Band("B8A", "nir08"), *BANDS[4:]]
    assert judged(leaves, bands=narrow)[0][0].cover == "vegetation"
    both = [Band("B8A", "nir08"), *BANDS]
    assert judged((0.0, *leaves), bands=both)[0][0].cover == "vegetation"
