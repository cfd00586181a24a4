"""Faults of pixels: values that are none, odd types, too few or too many of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
from fault_scenes import HEIGHT, PIXELS, WIDTH, classes_of, stripes, vrt, write
from rasterio.enums import ColorInterp
from workplace import Workplace

TOP_ROWS = 2
BELOW = PIXELS - TOP_ROWS * WIDTH


def with_top_rows(value: float, dtype: str, bands: slice = slice(None)) -> np.ndarray:
    """The plain scene with ``value`` in its first two rows."""
    values = stripes(dtype=dtype)
    values[bands, :TOP_ROWS] = value
    return values


# -- pixels that are none ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "nodata"),
    [
        pytest.param(np.nan, None, id="R01"),
        pytest.param(np.nan, -9999, id="R02"),
        pytest.param(np.inf, None, id="R03"),
        pytest.param(-np.inf, None, id="R03-minus"),
        pytest.param(-9999.1, -9999.1, id="R05"),
    ],
)
def test_pixels_that_are_none_get_no_class_and_are_counted(
    place: Workplace, value: float, nodata: float | None
) -> None:
    values = with_top_rows(value, "float32", bands=slice(1, 2))
    if nodata is not None:
        values[0, -1, -1] = nodata
    scene = write(place.inputs / "a.tif", values, nodata=nodata)
    ended = place.classify(scene, "--json")
    ended.done()
    classes = classes_of(place.map)
    left = BELOW - (nodata is not None)
    assert not classes[:TOP_ROWS].any()
    assert (classes != 0).sum() == left
    result = json.loads(ended.out)
    assert (result["pixels"], result["classified"]) == (PIXELS, left)


def test_a_value_that_looks_like_nodata_is_told(place: Workplace) -> None:
    """R04."""
    scene = write(place.inputs / "a.tif", with_top_rows(-9999, "int16"))
    place.classify(scene).done("8% of its pixels at -9999")
    place.map = place.outputs / "set.tif"
    assert "--src-nodata" not in place.classify(scene, "--src-nodata", "-9999").err
    assert (classes_of(place.map) == 0).sum() == TOP_ROWS * WIDTH


def test_nodata_that_no_float_holds_is_refused(place: Workplace) -> None:
    """R06."""
    values = with_top_rows(2**53 + 1, "uint64")
    scene = write(place.inputs / "a.tif", values, nodata=2**53 + 1)
    place.classify(scene).refused(3, "a.tif holds uint64 values beyond 2^53", "rescale it")


def test_alpha_and_nodata_both_leave_pixels_out(place: Workplace) -> None:
    """R07."""
    values = np.concatenate([stripes(3, dtype="uint8"), np.full((1, HEIGHT, WIDTH), 255, "uint8")])
    values[0, 0], values[3, 1] = 0, 0
    scene = write(place.inputs / "a.tif", values, nodata=0)
    with rasterio.open(scene, "r+") as dataset:
        dataset.colorinterp = [*dataset.colorinterp[:3], ColorInterp.alpha]
    place.classify(scene).done("is tagged alpha, so it masks")
    classes = classes_of(place.map)
    assert not classes[:2].any()
    assert classes[2:].all()


def test_each_band_has_its_own_nodata_value(place: Workplace) -> None:
    """R08."""
    values = stripes(2) + np.uint16(10)
    values[0, 0, :5], values[1, 0, 5:9] = 1, 2
    write(place.inputs / "a.tif", values)
    virtual = place.inputs / "a.vrt"
    virtual.write_text(vrt(place.inputs / "a.tif", bands=2, nodata=True))
    place.classify(virtual).done()
    assert np.flatnonzero(classes_of(place.map) == 0).tolist() == list(range(9))


def test_a_scene_without_a_valid_pixel_is_refused(place: Workplace) -> None:
    """R10."""
    scene = write(place.inputs / "a.tif", np.zeros((3, 9, 9), "uint16"), nodata=0)
    place.classify(scene).refused(
        3, "a has no valid pixel in bands 1,2,3", "Its nodata value is 0; set --src-nodata"
    )


def test_nodata_kept_beside_the_scene_alone_counts(place: Workplace) -> None:
    """R31."""
    scene = write(place.inputs / "a.tif", with_top_rows(7, "uint16"))
    bands = "".join(
        f'<PAMRasterBand band="{i}"><NoDataValue>7</NoDataValue></PAMRasterBand>' for i in (1, 2, 3)
    )
    Path(f"{scene}.aux.xml").write_text(f"<PAMDataset>{bands}</PAMDataset>")
    place.classify(scene).done()
    assert not classes_of(place.map)[:TOP_ROWS].any()


# -- values ------------------------------------------------------------------------------------


def test_a_constant_band_is_told_and_does_no_harm(place: Workplace) -> None:
    """R11."""
    values = stripes()
    values[1] = 7
    scene = write(place.inputs / "a.tif", values, names=("red", "flat", "nir"))
    place.classify(scene).done("flat is constant")
    assert np.unique(classes_of(place.map)).tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("width", "found"), [pytest.param(1, 1, id="R12-one"), pytest.param(2, 2, id="R12-two")]
)
def test_fewer_spectra_than_classes_give_fewer_classes(
    place: Workplace, width: int, found: int
) -> None:
    values = np.arange(10, 10 + width, dtype="uint16").reshape(1, 1, width)
    scene = write(place.inputs / "a.tif", values.repeat(2, axis=0))
    ended = place.classify(scene)
    ended.done(f"3 classes were asked for and {found} found")
    assert len(np.unique(classes_of(place.map))) == found


@pytest.mark.parametrize(
    "shape", [(1, 7), (7, 1), (1, 1)], ids=["R13-row", "R13-column", "R13-pixel"]
)
def test_the_narrowest_scenes_work(place: Workplace, shape: tuple[int, int]) -> None:
    """R13."""
    scene = write(place.inputs / "a.tif", stripes(2, *shape))
    ended = place.classify(scene, "-k", "1")
    ended.done()
    assert classes_of(place.map).tolist() == np.ones(shape, int).tolist()


@pytest.mark.parametrize("bands", [1, 300])
def test_one_band_and_hundreds_of_bands_work(place: Workplace, bands: int) -> None:
    """R15."""
    place.classify(write(place.inputs / "a.tif", stripes(bands))).done()
    assert np.unique(classes_of(place.map)).tolist() == [1, 2, 3]


def test_more_bands_than_can_be_meant_are_refused(place: Workplace) -> None:
    """R15."""
    virtual = place.inputs / "a.vrt"
    virtual.write_text(vrt("none.tif", bands=5000))
    place.classify(virtual).refused(3, "a.vrt has 5000 bands; at most 4096")


def test_complex_numbers_are_refused_with_advice(place: Workplace) -> None:
    """R16."""
    scene = write(place.inputs / "a.tif", stripes().astype("complex64"))
    place.classify(scene).refused(3, "a.tif holds complex numbers", "modulus or angle")


@pytest.mark.parametrize(
    "dtype",
    [
        "int8",
        "uint8",
        "int16",
        "uint16",
        "int32",
        "uint32",
        "int64",
        "uint64",
        "float32",
        "float64",
    ],
)
def test_the_type_of_the_numbers_does_not_change_the_map(place: Workplace, dtype: str) -> None:
    """R17."""
    place.classify(write(place.inputs / "a.tif", stripes(dtype=dtype))).done()
    expected = np.arange(PIXELS).reshape(HEIGHT, WIDTH) * 3 // PIXELS + 1
    np.testing.assert_array_equal(classes_of(place.map), expected)


def test_numbers_beyond_what_a_float_holds_are_refused(place: Workplace) -> None:
    """R17."""
    scene = write(place.inputs / "a.tif", stripes(dtype="uint64") + np.uint64(2**53))
    place.classify(scene).refused(3, "a.tif holds uint64 values beyond 2^53", "rescale it")


@pytest.mark.parametrize("value", [1.7976931348623157e308, -1e200])
def test_numbers_whose_squares_overflow_are_refused(place: Workplace, value: float) -> None:
    """R04: the lowest and highest float64 are usual fill values."""
    scene = write(place.inputs / "a.tif", with_top_rows(value, "float64"))
    place.classify(scene).refused(3, "a.tif holds values beyond 1e+140", "set --src-nodata")
    place.classify(scene, "--src-nodata", repr(value)).done()
    assert (classes_of(place.map) != 0).sum() == BELOW


def test_a_color_table_is_refused_unless_asked_for(place: Workplace) -> None:
    """R18."""
    scene = write(place.inputs / "a.tif", stripes(1, dtype="uint8"), photometric="palette")
    with rasterio.open(scene, "r+") as dataset:
        dataset.write_colormap(1, {i: (i, i, i, 255) for i in range(256)})
    place.classify(scene).refused(3, "a.tif holds indices of a color table", "--palette-as-values")
    place.classify(scene, "--palette-as-values").done()


@pytest.mark.parametrize("method", ["kmeans", "isodata", "competitive", "migrating", "fuzzy"])
def test_one_count_in_sixty_thousand_is_seen(place: Workplace, method: str) -> None:
    """N01, N03, N04: in the files' own type squares wrap, in float32 the variance is negative."""
    values = np.full((2, 30, 30), 60000, "uint16")
    values[:, 10:20] += 1
    values[:, 20:] += 3
    scene = write(place.inputs / "a.tif", values)
    assert place.classify(scene, "-m", method).code == 0
    classes = classes_of(place.map)
    assert [np.unique(classes[rows : rows + 10]).tolist() for rows in (0, 10, 20)] == [
        [1],
        [2],
        [3],
    ]
