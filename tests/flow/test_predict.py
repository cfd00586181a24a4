"""A model on other scenes."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio

from rsclass.core.matching import match_bands
from rsclass.core.types import Band
from rsclass.datasets import simulate
from rsclass.errors import BandMismatchError, DataError, OutputExistsError, UsageError
from rsclass.flow.classify import classify
from rsclass.flow.predict import predict
from rsclass.flow.train import train
from rsclass.io.sink import Writing
from rsclass.io.source import Reading

QUICK = Writing(report=False)


@pytest.fixture(scope="module")
def model(small_scene: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("model") / "km.safetensors"
    return train(small_scene, out, method="kmeans", classes=5).path


def test_training_and_predicting_equals_classifying(small_scene, model, tmp_path):
    whole = classify(small_scene, tmp_path / "a.tif", method="kmeans", classes=5, writing=QUICK)
    again = predict(model, small_scene, tmp_path / "b.tif", writing=QUICK)
    np.testing.assert_array_equal(whole.read(), again.read())
    assert whole.legend == again.legend
    assert not again.warnings


def test_a_uic_model_predicts_what_it_classified(small_scene, tmp_path):
    few = {"epochs": 2, "warmup": 1, "tiles": 8, "width": 8}
    whole = classify(
        small_scene, tmp_path / "a.tif", method="uic", classes=4, parameters=few, writing=QUICK
    )
    again = predict(whole.files["model"], small_scene, tmp_path / "b.tif", writing=QUICK)
    np.testing.assert_array_equal(whole.read(), again.read())


def rewritten(scene: Path, path: Path, order: list[int], names: bool = True, gain: int = 1) -> Path:
    """A copy with bands in another order, or in other stored units of the same physics."""
    with rasterio.open(scene) as source:
        values = source.read([i + 1 for i in order]).astype(np.int32)
        with rasterio.open(
            path, "w", **(source.profile | {"count": len(order), "dtype": "int32"})
        ) as target:
            nodata = int(source.nodata)
            target.write(np.where(values == nodata, nodata, values * gain))
            if names:
                for i, band in enumerate(order, start=1):
                    target.set_band_description(i, source.descriptions[band])
            target.scales = [source.scales[i] / gain for i in order]
            target.offsets = [source.offsets[i] for i in order]
    return path


def test_bands_are_matched_by_name_and_values_in_physical_units(small_scene, model, tmp_path):
    shuffled = rewritten(small_scene, tmp_path / "s.tif", [9, 3, 1, 0, 2, 4, 5, 6, 8, 7], gain=3)
    first = predict(model, small_scene, tmp_path / "a.tif", writing=QUICK)
    second = predict(model, shuffled, tmp_path / "b.tif", writing=QUICK)
    np.testing.assert_array_equal(first.read(), second.read())


def test_a_missing_band_is_refused_in_one_sentence(small_scene, model, tmp_path):
    few = rewritten(small_scene, tmp_path / "few.tif", [0, 1, 2])
    with pytest.raises(BandMismatchError, match=r"expected B02.*found.*missing.*extra none"):
        predict(model, few, tmp_path / "map.tif")


def test_another_number_of_chosen_bands_is_refused(small_scene, model, tmp_path):
    with pytest.raises(BandMismatchError, match="--bands gives 3"):
        predict(model, small_scene, tmp_path / "map.tif", reading=Reading(bands="1,2,3"))


def test_bands_without_names_are_matched_by_their_place():
    named = [Band("B04", "red"), Band("B08", "nir")]
    plain = [Band("band 1"), Band("band 2")]
    assert match_bands(plain, named, "scene") == [0, 1]
    assert match_bands([named[1], replace(named[0], name="Red")], named, "scene") == [1, 0]
    with pytest.raises(BandMismatchError):
        match_bands(plain[:1], named, "scene")


def test_a_scene_of_other_spectra_is_reported(small_scene, model, tmp_path):
    brighter = Path(shutil.copy(small_scene, tmp_path / "bright.tif"))
    with rasterio.open(brighter, "r+") as dataset:
        values = dataset.read()
        dataset.write(np.where(values == dataset.nodata, values, values + 5000))
    result = predict(model, brighter, tmp_path / "map.tif", writing=QUICK)
    assert any("lie outside of the spectra" in told for told in result.warnings)


@pytest.mark.parametrize("offset", [0.5, -0.1])
def test_a_scene_that_fits_only_with_the_models_scale_is_refused(
    small_scene, model, tmp_path, offset
):
    """R09."""
    wrong = Path(shutil.copy(small_scene, tmp_path / "wrong.tif"))
    with rasterio.open(wrong, "r+") as dataset:
        dataset.offsets = [offset] * dataset.count
        dataset.scales = [1.0] * dataset.count
    with pytest.raises(BandMismatchError, match=r"read with scale 1 .* trained with 0\.0001"):
        predict(model, wrong, tmp_path / "map.tif")


def test_a_scene_of_the_same_kind_is_not_reported(model, tmp_path):
    other = simulate("sentinel2", height=90, width=110, seed=9).write(tmp_path, "o")["scene"]
    assert not predict(model, other, tmp_path / "map.tif", writing=QUICK).warnings


def test_a_missing_model_is_a_sentence(small_scene, tmp_path):
    with pytest.raises(DataError, match="there is no model"):
        predict(tmp_path / "none.safetensors", small_scene)


def test_a_model_is_not_overwritten_and_not_its_own_map(small_scene, model, tmp_path):
    with pytest.raises(OutputExistsError):
        train(small_scene, model, method="kmeans", classes=3)
    with pytest.raises(UsageError):
        predict(model, small_scene, model, writing=Writing(overwrite=True))


def test_bands_matched_by_place_are_reported(small_scene, model, tmp_path):
    plain = rewritten(small_scene, tmp_path / "plain.tif", list(range(10)), names=False)
    result = predict(model, plain, tmp_path / "map.tif", writing=QUICK)
    assert any("matched by their place" in told for told in result.warnings)
    assert not predict(model, small_scene, tmp_path / "b.tif", writing=QUICK).warnings


def test_no_band_of_a_scene_serves_twice():
    """A role does not take the band that another name asks for."""
    wanted = [Band("SR_B5", "nir"), Band("B08", "nir"), Band("B04", "red")]
    found = [Band("B08", "nir"), Band("x", "nir"), Band("B04", "red")]
    assert match_bands(found, wanted, "scene") == [1, 0, 2]
    with pytest.raises(BandMismatchError, match="missing SR_B5"):
        match_bands([found[0], found[2], Band("y")], wanted, "scene")
