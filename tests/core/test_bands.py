"""Bands by number, range, name and role."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsclass.core.bands import (
    ROLES,
    distinct_names,
    parse_bands,
    role_of_name,
    wavelength_in_nm,
    with_roles,
)
from rsclass.core.types import Band
from rsclass.errors import UsageError

S2 = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")


def bands(*names: str, hints: tuple[str, ...] = ()) -> tuple[Band, ...]:
    return with_roles([Band(name) for name in names], hints)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (None, tuple(range(13))),
        ("4,3,2", (3, 2, 1)),
        ("1..6", (0, 1, 2, 3, 4, 5)),
        ("1-3", (0, 1, 2)),
        ("B04,B08", (3, 7)),
        ("b4, b8a", (3, 8)),
        ("B02..B04", (1, 2, 3)),
        ("red,nir", (3, 7)),
        ("rededge,swir1,swir22", (4, 11, 12)),
        ("B02,3,red,11..12", (1, 2, 3, 10, 11)),
        ((4, "B03", "blue"), (3, 2, 1)),
        (5, (4,)),
    ],
)
def test_numbers_ranges_names_and_roles_mean_the_same_bands(spec, expected):
    assert parse_bands(spec, bands(*S2)) == expected


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("0", "numbered 1 to 13"),
        ("14", "numbered 1 to 13"),
        ("-1", "numbered 1 to 13"),
        ("6..2", "backwards"),
        ("4,red", "twice"),
        ("gren", "Did you mean 'green'"),
        ("B13", "no band is named 'B13'"),
        ("", "no band is named ''"),
        ((), "empty"),
    ],
)
def test_a_band_that_is_not_there_is_refused_with_a_remedy(spec, said):
    with pytest.raises(UsageError, match=said):
        parse_bands(spec, bands(*S2))


@given(
    st.integers(1, 500).flatmap(lambda n: st.tuples(st.just(n), st.permutations(range(1, n + 1))))
)
def test_any_order_of_numbers_is_kept(case):
    count, numbers = case
    scene = [Band(f"band {i + 1}") for i in range(count)]
    spec = ",".join(map(str, numbers))
    assert parse_bands(spec, scene) == tuple(number - 1 for number in numbers)


def test_sentinel2_names_give_the_common_names_of_stac():
    roles = [band.role for band in bands(*S2)]
    assert roles == [
        *("coastal", "blue", "green", "red", "rededge071", "rededge074", "rededge078"),
        *("nir", "nir08", "nir09", "cirrus", "swir16", "swir22"),
    ]
    assert set(roles) <= set(ROLES)


def test_ten_sentinel2_bands_without_leading_zeros_are_known_by_their_b8a():
    ten = bands("B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B11", "B12")
    assert parse_bands("red,nir,nir08,swir16", ten) == (2, 6, 7, 8)


@pytest.mark.parametrize(
    ("hint", "red", "nir"),
    [
        ("LC08_L2SP_190026_20200401", 3, 4),
        ("LANDSAT_9", 3, 4),
        ("LE07_L1TP_190026", 2, 3),
        ("landsat5_scene.tif", 2, 3),
        ("S2B_MSIL2A_20240101", 3, 7),
    ],
)
def test_the_same_band_name_means_other_bands_on_other_sensors(hint, red, nir):
    count = 7 if "5" in hint else 8
    scene = bands(*(f"B{i + 1}" for i in range(count)), hints=(hint,))
    assert parse_bands("red,nir", scene) == (red, nir)


def test_band_numbers_of_an_unknown_sensor_have_no_role():
    assert [band.role for band in bands("B1", "B2", "B3", "B4")] == [None] * 4


def test_places_in_a_file_are_not_numbers_of_a_sensor():
    assert [b.role for b in bands("band 1", "band 2", hints=("landsat8.tif",))] == [None, None]


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Red (665 nm)", "red"),
        ("NIR", "nir"),
        ("SWIR 1", "swir16"),
        ("sr_green", "green"),
        ("Vegetation Red Edge", "rededge071"),
        ("Coastal aerosol", "coastal"),
        ("near infrared", "nir"),
        ("panchromatic", "pan"),
        ("elevation", None),
        ("infrared", None),
        ("reduced", None),
    ],
)
def test_a_name_in_words_gives_the_role(name, role):
    assert role_of_name(name) == role


def test_of_many_bands_in_one_range_of_wavelengths_the_central_one_has_the_role():
    scene = with_roles([Band(f"band {i}", wavelength=400 + 10 * i) for i in range(60)])
    having = {band.role: band.wavelength for band in scene if band.role}
    assert having["red"] == 660
    assert having["green"] == 560
    assert len(having) == len([band for band in scene if band.role])


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.665, "", 665.0),
        (665, "", 665.0),
        (0.4, "Micrometers", 400.0),
        (10.9, "um", 10900.0),
        (50, "nm", 50.0),
        (-1, "", None),
        (float("nan"), "", None),
    ],
)
def test_wavelengths_come_out_in_nanometers(value, unit, expected):
    assert wavelength_in_nm(value, unit) == expected


def test_bands_that_share_a_name_are_told_apart_by_number_and_said_so():
    """R41"""
    scene, warnings = distinct_names([Band("ndvi"), Band("red"), Band("NDVI")])
    assert [band.name for band in scene] == ["band 1", "red", "band 3"]
    assert len(warnings) == 1
    assert "bands 1, 3 share the name" in warnings[0]
    assert parse_bands("3,red", scene) == (2, 1)


def test_a_role_that_two_bands_have_must_be_chosen_by_number():
    scene = with_roles([Band("red may"), Band("red june")])
    with pytest.raises(UsageError, match=r"may be band 1 .* and 2 .*; choose by number"):
        parse_bands("red", scene)
