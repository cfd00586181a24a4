"""Learning from several scenes at once."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from small_runs import SMALL

import rsclass
from rsclass.core.types import Window
from rsclass.datasets import simulate
from rsclass.errors import BandMismatchError, DataError, UsageError
from rsclass.flow.joint import open_streams
from rsclass.flow.scenes import open_scenes
from rsclass.io.source import Reading
from rsclass.run.settings import Running

BRIEFLY = {"epochs": 1, "inputs": "bands"}


def rewritten(path: Path, out: Path, change, **profile) -> Path:
    """A copy of a raster with other values; 0 stays nodata."""
    with rasterio.open(path) as raster:
        values, names = raster.read(), raster.descriptions
        scale = (raster.scales, raster.offsets)
        kept = raster.profile | profile
    values = np.where(values == 0, 0, change(values.astype(np.float64)))
    with rasterio.open(out, "w", **kept) as raster:
        raster.write(values.astype(kept["dtype"]))
        raster.descriptions = names
        raster.scales, raster.offsets = scale
    return out


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two scenes of different size, with clouds."""
    folder = tmp_path_factory.mktemp("pair")
    sizes = {"north": (90, 110, 2), "south": (130, 70, 3)}
    made = [
        simulate("sentinel2", height=height, width=width, seed=seed).write(folder, name)["scene"]
        for name, (height, width, seed) in sizes.items()
    ]
    return Path(made[0]), Path(made[1])


@pytest.fixture(scope="module")
def pixels(pair) -> list[np.ndarray]:
    """The valid pixels of both, row by row."""
    tables = []
    for path in pair:
        with rasterio.open(path) as raster:
            values, valid = raster.read(), raster.dataset_mask() > 0
        tables.append(values[:, valid].T.astype(np.float64))
    return tables


@pytest.fixture
def joint(pair):
    scenes = open_scenes(list(pair), Reading())
    with open_streams(scenes, Running(jobs=1)) as stream:
        yield stream
    scenes.close()


def scaled(table, bands):
    return table * [b.gain for b in bands] + [b.offset for b in bands]


def test_the_pixels_of_all_scenes_are_there_once(joint, pixels) -> None:
    bands = joint.parts[0].bands
    expected = np.concatenate([scaled(table, bands) for table in pixels])
    sample = joint.sample(None, 0)
    assert sample.n_valid == len(expected)
    np.testing.assert_allclose(
        np.sort(sample.values, axis=0), np.sort(expected, axis=0), rtol=1e-6
    )  # float32 keeps seven digits
    total = joint.fold(lambda block: np.array([block.valid.sum(), block.pixels().sum()]))
    scanned = sum(block.pixels().sum() for block in joint.scan())
    assert total[0] == len(expected)
    np.testing.assert_allclose([total[1], scanned], expected.sum(), rtol=1e-6)


def test_what_is_read_is_what_is_drawn_and_nothing_lies_between_the_scenes(joint) -> None:
    whole = joint.read(Window(0, 0, joint.height, joint.width))
    sample = joint.sample(500, 4)
    assert whole.valid[sample.rows, sample.cols].all()
    np.testing.assert_array_equal(
        scaled(whole.values[:, sample.rows, sample.cols].T.astype(np.float64), joint.bands),
        sample.values,
    )
    first, second = joint.starts
    assert (first, second) == (0, 512)
    assert not whole.valid[90:512].any()
    assert not whole.valid[:, 110:].any()
    across = Window(80, 60, 440, 30)
    part = joint.read(across)
    cut = whole.cut(across)
    np.testing.assert_array_equal(part.valid, cut.valid)
    np.testing.assert_array_equal(part.values, cut.values)


def test_every_pixel_is_as_likely_to_be_drawn_as_any_other(joint, pixels) -> None:
    drawn = [joint.sample(400, seed) for seed in range(20)]
    assert all(len(one) == 400 for one in drawn)
    share = np.mean([(one.rows < 512).mean() for one in drawn])
    expected = len(pixels[0]) / sum(map(len, pixels))
    assert abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / 8000)
    places = {(r, c) for one in drawn for r, c in zip(one.rows, one.cols, strict=True)}
    assert len(places) > 4000  # seeds draw other pixels


def test_a_few_pixels_make_a_stream_of_their_own(joint) -> None:
    few = joint.drawn(300, 1)
    np.testing.assert_array_equal(few.sample(None, 0).values, joint.sample(300, 1).values)
    assert joint.drawn(10**6, 1) is None


def test_k_means_of_two_scenes_is_at_rest_on_the_pixels_of_both(pair, pixels, tmp_path) -> None:
    settings = {"sample": None, "max_iter": 300, "tolerance": 0.0}
    found = rsclass.train(
        list(pair), tmp_path / "km.safetensors", method="kmeans", classes=5, parameters=settings
    )
    engine = found.model.engine
    with rasterio.open(pair[0]) as raster:
        table = np.concatenate(pixels) * raster.scales + raster.offsets
    labels = engine.predict(table)
    means = np.array([table[labels == c].mean(axis=0) for c in range(5)])
    np.testing.assert_allclose(means, engine.signatures(), rtol=1e-5)


@pytest.mark.parametrize("method", ["uic", "minibatch", "isodata"])
def test_the_model_is_the_same_for_any_tile_and_worker(pair, tmp_path, method) -> None:
    files = []
    for name, running in {"a": Running(jobs=1), "b": Running(jobs=3, tile=64)}.items():
        path = tmp_path / f"{name}.safetensors"
        parameters = SMALL[method] | (BRIEFLY if method == "uic" else {})
        options = {"method": method, "classes": 4, "parameters": parameters}
        rsclass.train(list(pair), path, running=running, **options)
        files.append(path.read_bytes())
    assert files[0] == files[1]


def test_a_model_of_two_scenes_tells_of_both_and_labels_a_third(pair, tmp_path) -> None:
    third = simulate("sentinel2", height=70, width=80, seed=9).write(tmp_path, "third")["scene"]
    path = tmp_path / "net.safetensors"
    rsclass.train(list(pair), path, classes=4, parameters=SMALL["uic"] | BRIEFLY)
    model = rsclass.load(path)
    told = model.scene["scenes"]
    assert [Path(one["scene"][0]).name for one in told] == ["north.tif", "south.tif"]
    for one, scene in zip(told, pair, strict=True):
        digest = hashlib.sha256(scene.read_bytes()).hexdigest()
        assert digest in one["sha256"].values()
    labels = model.predict(third, tmp_path / "third_map.tif").read()
    assert set(np.unique(labels)) <= {0, 1, 2, 3, 4}
    with pytest.raises(DataError, match="learned from 2 scenes"):
        rsclass.separate(path)


def test_scenes_of_other_gain_and_offset_get_the_same_classes_at_one_level(pair, tmp_path) -> None:
    other = rewritten(pair[0], tmp_path / "hazy.tif", lambda x: x * 1.25 + 400)
    maps = {}
    for scale_each in (False, True):
        path = tmp_path / f"{scale_each}.safetensors"
        options = {"method": "kmeans", "classes": 6, "scale_each": scale_each}
        rsclass.train(pair[0], path, **options)
        for scene in (pair[0], other):
            out = tmp_path / f"{scene.stem}_{scale_each}.tif"
            maps[scene.stem, scale_each] = rsclass.predict(path, scene, out).read()

    def agreement(scale_each):
        first, second = maps["north", scale_each], maps["hazy", scale_each]
        return (first == second)[first > 0].mean()

    assert agreement(False) < 0.7
    # What remains are values that were rounded to whole numbers.
    assert agreement(True) > 0.995


def test_files_on_one_grid_are_bands_and_files_apart_are_scenes(pair, tmp_path) -> None:
    same = rewritten(pair[0], tmp_path / "later.tif", lambda x: x + 1)
    stacked = open_scenes([pair[0], same], Reading())
    assert len(stacked.sources) == 1
    assert len(stacked.bands) == 20
    assert len(open_scenes([pair[0], same], Reading(), each=True).sources) == 2
    apart = open_scenes(list(pair), Reading())
    assert [source.name for source in apart.sources] == ["north", "south"]
    assert apart.name == "north, south"


def test_scenes_that_do_not_go_together_are_refused(pair, tmp_path) -> None:
    with rasterio.open(pair[1]) as raster:
        profile = raster.profile | {"count": 2}
        first = raster.read([1, 2])
    short = tmp_path / "short.tif"
    with rasterio.open(short, "w", **profile) as raster:
        raster.write(first)
        raster.descriptions = ("B02", "B03")
    with pytest.raises(BandMismatchError, match="short does not have north's bands"):
        open_scenes([pair[0], short], Reading())
    single = tmp_path / "single.tif"
    with rasterio.open(single, "w", **profile | {"count": 1}) as raster:
        raster.write(first[:1])
    far = Affine(10, 0, 100_000, 0, -10, 100_000)
    other = rewritten(single, tmp_path / "far.tif", lambda x: x, transform=far)
    with pytest.raises(DataError, match="cover different ground"):
        rsclass.train([single, other])
    training = rsclass.Training("areas.gpkg", "class")
    with pytest.raises(UsageError, match="--training speaks of one scene"):
        rsclass.train(list(pair), method="rf", training=training)
