"""From a scene to a map with all that belongs to it."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio

from rsclass.core.arrays import ArrayStream
from rsclass.engines.kmeans import KMeans
from rsclass.errors import (
    BandMismatchError,
    ChangedInputError,
    MemoryLimitError,
    NoValidPixelsError,
    OutputExistsError,
    StoppedError,
    UnreadableRasterError,
    UsageError,
)
from rsclass.flow.classify import classify
from rsclass.flow.learn import parse_classes
from rsclass.io.sink import Writing
from rsclass.io.source import Reading
from rsclass.run.settings import Running

QUICK = Writing(report=False)


def contents(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
    }


@pytest.fixture
def copy(small_scene: Path, tmp_path: Path) -> Path:
    """The small scene in a folder of its own."""
    folder = tmp_path / "scene"
    folder.mkdir()
    return Path(shutil.copy(small_scene, folder / "scene.tif"))


def test_everything_that_belongs_to_a_map_lies_beside_it(copy: Path):
    result = classify(copy, method="kmeans", classes=6)
    assert set(contents(copy.parent)) == {
        "scene.tif",
        "scene_kmeans6.tif",
        "scene_kmeans6.tif.aux.xml",
        "scene_kmeans6.qml",
        "scene_kmeans6.stats.json",
        "scene_kmeans6.stats.csv",
        "scene_kmeans6.safetensors",
        "scene_kmeans6.html",
    }
    assert result.path == copy.parent / "scene_kmeans6.tif"


def test_the_input_is_untouched_and_nothing_else_appears_beside_it(copy: Path, tmp_path: Path):
    """R30."""
    before = contents(copy.parent)
    classify(copy, tmp_path / "map.tif", method="kmeans", classes=3, writing=QUICK)
    assert contents(copy.parent) == before


def test_the_map_has_palette_nodata_georeference_and_recipe(copy: Path):
    result = classify(copy, method="kmeans", classes=6, writing=QUICK)
    with rasterio.open(copy) as scene, rasterio.open(result.path) as made:
        assert (made.transform, made.crs) == (scene.transform, scene.crs)
        assert made.nodata == 0
        assert made.dtypes == ("uint8",)
        palette = made.colormap(1)
        assert [palette[i][:3] for i in range(1, 7)] == list(result.legend.colors)
        values = made.read(1)
        np.testing.assert_array_equal(values == 0, scene.dataset_mask() == 0)
        recipe = json.loads(made.tags()["RSCLASS_RECIPE"])
    assert recipe["method"] == "kmeans"
    assert list(recipe["sha256"].values()) == [contents(copy.parent)["scene.tif"]]
    np.testing.assert_array_equal(np.bincount(values.ravel(), minlength=7)[1:], result.stats.count)


def test_statistics_are_those_of_the_pixels_of_each_class(copy: Path):
    """Oracle: numpy on the whole image."""
    result = classify(copy, method="kmeans", classes=4, writing=QUICK)
    with rasterio.open(copy) as scene:
        pixels = scene.read() * np.array(scene.scales)[:, None, None]
        pixels += np.array(scene.offsets)[:, None, None]
        hectares = abs(scene.transform.determinant) / 10_000
    values = result.read()
    for value, mean, covariance, area in zip(
        result.legend.values,
        result.stats.mean,
        result.stats.covariance,
        result.hectares,
        strict=True,
    ):
        table = pixels[:, values == value]
        np.testing.assert_allclose(mean, table.mean(axis=1), rtol=1e-9)
        np.testing.assert_allclose(covariance, np.cov(table), rtol=1e-6, atol=1e-12)
        assert area == pytest.approx(table.shape[1] * hectares)


def test_streaming_equals_the_estimator_on_the_whole_array(copy: Path):
    result = classify(copy, method="kmeans", classes=5, writing=QUICK)
    with rasterio.open(copy) as scene:
        stream = ArrayStream(scene.read(), scene.dataset_mask() > 0, result.model.bands)
    expected = KMeans(5).fit(stream).predict(stream) + 1
    np.testing.assert_array_equal(result.read(), expected)


def test_layers_are_written_beside_the_map(copy: Path):
    layers = ("confidence", "distance", "entropy", "membership")
    writing = Writing(report=False, layers=layers)
    result = classify(copy, method="kmeans", classes=4, writing=writing)
    assert set(layers) <= set(result.files)
    with rasterio.open(result.files["membership"]) as made:
        membership = made.read()
    with rasterio.open(result.files["confidence"]) as made:
        confidence = made.read(1)
    valid = result.read() > 0
    np.testing.assert_allclose(membership[:, valid].sum(axis=0), 1, atol=1e-5)
    np.testing.assert_array_equal(membership[:, valid].max(axis=0), confidence[valid])
    np.testing.assert_array_equal(membership[:, valid].argmax(axis=0) + 1, result.read()[valid])
    assert np.isnan(confidence[~valid]).all()


def test_a_higher_threshold_leaves_fewer_pixels_with_a_class(copy: Path, tmp_path: Path):
    counts = []
    for threshold in (None, 0.5, 0.9):
        result = classify(
            copy,
            tmp_path / f"{threshold}.tif",
            method="kmeans",
            classes=4,
            writing=Writing(report=False, min_confidence=threshold),
        )
        counts.append(result.n_classified)
    assert counts[0] > counts[1] > counts[2] > 0


def test_a_number_of_classes_can_be_chosen_from_the_scene(copy: Path):
    result = classify(copy, method="kmeans", classes="3..6", writing=QUICK)
    assert 3 <= len(result.legend) <= 6
    assert [row["n_classes"] for row in result.evidence] == [3, 4, 5, 6]
    stats = json.loads(result.files["statistics"].read_text())
    assert stats["evidence"] == result.evidence
    assert result.path.name == "scene_kmeansauto.tif"


@pytest.mark.parametrize(
    "wrong",
    [
        *("many", "0", "6..3", "1..4", "70000", "3..", "3..4..5", ""),
        *(5.5, True, None, [6], (6, 8, 9), [6, 9.5], (9, 6), range(6, 16), -4),
    ],
)
def test_impossible_numbers_of_classes_are_refused(wrong: object):
    with pytest.raises(UsageError):
        parse_classes(wrong)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (np.int64(5), 5),
        ([6, 16], (6, 16)),
        (np.array([6, 16]), (6, 16)),
        ((4, 4), (4, 4)),
        ("6-16", (6, 16)),
        ("auto", (2, 20)),
    ],
    ids=str,
)
def test_numbers_of_classes_come_as_numbers_pairs_or_words(given: object, meant: object):
    parsed = parse_classes(given)
    assert parsed == meant
    assert isinstance(parsed, tuple) or type(parsed) is int


def test_a_range_of_classes_that_a_parameter_forbids_fails_before_the_choice(copy: Path):
    with pytest.raises(UsageError, match=r"n_classes is 3; it must lie between min_classes \(8\)"):
        classify(copy, method="isodata", classes="3..20", parameters={"min_classes": 8})


def test_an_existing_map_is_kept_unless_overwriting_is_asked_for(copy: Path):
    """P03."""
    classify(copy, method="kmeans", classes=3, writing=QUICK)
    before = contents(copy.parent)
    with pytest.raises(OutputExistsError, match="--overwrite"):
        classify(copy, method="kmeans", classes=3, writing=QUICK)
    assert contents(copy.parent) == before


def test_the_scene_cannot_be_its_own_map(copy: Path):
    """P02."""
    before = contents(copy.parent)
    with pytest.raises(UsageError):
        classify(copy, copy, method="kmeans", writing=Writing(overwrite=True))
    assert contents(copy.parent) == before


def test_a_scene_without_valid_pixels_is_refused(shared_data: Path, tmp_path: Path):
    """R10."""
    with pytest.raises(NoValidPixelsError, match=r"nodata value is 0; set --src-nodata"):
        classify(shared_data / "odd" / "all_nodata_uint16.tif", tmp_path / "map.tif")
    assert not list(tmp_path.iterdir())


def test_stopping_leaves_nothing(copy: Path, tmp_path: Path):
    def stop(done: float, total: float, message: str) -> None:
        if message == "classifying":
            raise StoppedError("stopped")

    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(StoppedError):
        classify(copy, out / "map.tif", method="kmeans", running=Running(progress=stop))
    assert not list(out.iterdir())


def test_a_scene_that_changes_while_it_is_read_is_refused(copy: Path, tmp_path: Path):
    """R27."""
    out = tmp_path / "out"
    out.mkdir()

    def touch(done: float, total: float, message: str) -> None:
        if message == "classifying":
            with copy.open("ab") as file:
                file.write(b"\0")

    with pytest.raises(ChangedInputError):
        classify(copy, out / "map.tif", method="kmeans", running=Running(progress=touch))
    assert not list(out.iterdir())


def test_too_little_memory_is_said_before_the_work(copy: Path, tmp_path: Path):
    """P08."""
    with pytest.raises(MemoryLimitError, match="--max-mem allows 50 MiB"):
        classify(copy, tmp_path / "map.tif", running=Running(max_mem=50 * 2**20))
    assert not [path for path in tmp_path.iterdir() if path.is_file()]


def test_more_than_254_classes_make_a_16_bit_map(tmp_path: Path):
    """W02."""
    from rsclass.datasets import simulate

    scene = simulate("sentinel2", height=120, width=120, seed=1).write(tmp_path, "s")["scene"]
    result = classify(
        scene,
        tmp_path / "map.tif",
        method="kmeans",
        classes=300,
        parameters={"max_iter": 2, "restarts": 1},
        writing=QUICK,
    )
    with rasterio.open(result.path) as made:
        assert made.dtypes == ("uint16",)
    assert result.read().max() == len(result.legend) > 254


def test_classes_keep_the_ids_and_colors_of_an_earlier_model(copy: Path, tmp_path: Path):
    first = classify(copy, tmp_path / "first.tif", method="kmeans", classes=6, writing=QUICK)
    # Darkness decides ids, so an inverted brightness order would change all of them.
    second = classify(
        copy,
        tmp_path / "second.tif",
        method="kmeans",
        classes=8,
        seed=3,
        match_to=first.files["model"],
        writing=QUICK,
    )
    colors = dict(zip(second.legend.values, second.legend.colors, strict=True))
    for value, color in zip(first.legend.values, first.legend.colors, strict=True):
        assert colors[value] == color
    assert second.legend.values == tuple(range(1, 9))

    def nearest(result, mean) -> int:
        return int(((result.stats.mean - mean) ** 2).sum(axis=1).argmin())

    # The pairing is by center, so an old class that is the nearest of its nearest keeps its id.
    for i, mean in enumerate(first.stats.mean):
        partner = nearest(second, mean)
        if nearest(first, second.stats.mean[partner]) == i:
            assert second.legend.values[partner] == first.legend.values[i]


def test_bounds_and_mask_limit_the_map(copy: Path, tmp_path: Path):
    with rasterio.open(copy) as scene:
        left, top = scene.transform @ (20, 10)
        right, bottom = scene.transform @ (70, 60)
    result = classify(
        copy,
        tmp_path / "map.tif",
        method="kmeans",
        classes=3,
        reading=Reading(bounds=(left, bottom, right, top)),
        writing=QUICK,
    )
    with rasterio.open(result.path) as made:
        assert made.shape == (50, 50)
        assert made.bounds == pytest.approx((left, bottom, right, top))


def test_a_stac_item_describes_the_map_on_request(copy: Path):
    result = classify(copy, method="kmeans", classes=3, writing=Writing(report=False, stac=True))
    item = json.loads(result.files["stac"].read_text())
    assert item["id"] == "scene_kmeans3"
    assert "classification:classes" in json.dumps(item)
    assert len(item["bbox"]) == 4


def test_a_damaged_block_is_named_and_nodata_only_when_asked_for(shared_data: Path, tmp_path: Path):
    """R25: a real damaged file."""
    damaged = shared_data / "odd" / "corrupt_truncated.tif"
    out = tmp_path / "map.tif"
    with pytest.raises(UnreadableRasterError, match=r"corrupt_truncated\.tif"):
        classify(damaged, out, method="kmeans", classes=3, writing=QUICK)
    assert not list(tmp_path.iterdir())
    reading = Reading(on_bad_tile="nodata")
    result = classify(damaged, out, method="kmeans", classes=3, reading=reading, writing=QUICK)
    assert any("could not be decoded and are nodata" in told for told in result.warnings)
    assert 0 < result.n_classified < result.n_pixels


def test_bands_without_a_valid_pixel_are_left_out_and_named(shared_data: Path, tmp_path: Path):
    """A hyperspectral scene with six bands where the atmosphere is opaque."""
    scene = shared_data / "enmap_potsdam" / "image.tif"
    parameters = {"max_iter": 2, "restarts": 1}
    result = classify(
        scene, tmp_path / "map.tif", method="kmeans", classes=4, parameters=parameters
    )
    with rasterio.open(scene) as dataset:
        empty = [i for i in dataset.indexes if not dataset.read_masks(i).any()]
        assert len(result.model.bands) == dataset.count - len(empty)
    assert sum("hold no valid pixel" in told for told in result.warnings) == 1
    assert result.n_classified == 18_432
    with pytest.raises(NoValidPixelsError):
        classify(scene, tmp_path / "m.tif", reading=Reading(bands=(1, empty[0])))


def test_an_earlier_model_of_other_bands_is_refused_before_the_work(copy: Path, tmp_path: Path):
    first = classify(
        copy, tmp_path / "a.tif", method="kmeans", classes=4, reading=Reading(bands="1,2,3")
    )
    with pytest.raises(BandMismatchError, match="missing B04"):
        classify(
            copy,
            tmp_path / "b.tif",
            method="kmeans",
            reading=Reading(bands="1,2"),
            match_to=first.files["model"],
        )
    assert not (tmp_path / "b.tif").exists()


def test_bands_are_compared_by_name_with_those_of_an_earlier_model(copy: Path, tmp_path: Path):
    model = classify(
        copy, tmp_path / "a.tif", method="kmeans", classes=5, reading=Reading(bands="1,8,10")
    )
    again = classify(
        copy,
        tmp_path / "b.tif",
        method="kmeans",
        classes=5,
        reading=Reading(bands="10,1,8"),
        match_to=model.files["model"],
        writing=QUICK,
    )
    for spectrum, color in zip(again.stats.mean[:, [1, 2, 0]], again.legend.colors, strict=True):
        nearest = int(((model.stats.mean - spectrum) ** 2).sum(axis=1).argmin())
        assert model.legend.colors[nearest] == color
