"""The Python API on everything it takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio

import rsclass
from rsclass.errors import OutputExistsError, UsageError


def test_import_loads_no_heavy_library():
    code = (
        "import sys, rsclass; "
        "heavy = {'torch', 'sklearn', 'rasterio', 'geopandas', 'numba', 'matplotlib', 'scipy'}; "
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_public_name_exists():
    for name in rsclass.__all__:
        assert getattr(rsclass, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Kmean'"):
        rsclass.Kmean  # noqa: B018


@pytest.fixture
def engine(small_scene: Path) -> rsclass.KMeans:
    return rsclass.KMeans(n_classes=5).fit(small_scene)


def test_path_dataset_array_and_dataarray_give_the_same_classes(small_scene, engine):
    xarray = pytest.importorskip("xarray")
    with rasterio.open(small_scene) as dataset:
        from_dataset = rsclass.KMeans(n_classes=5).fit(dataset)
        stored = dataset.read()
        valid = dataset.dataset_mask() > 0
        scaled = stored * np.array(dataset.scales)[:, None, None]
        scaled += np.array(dataset.offsets)[:, None, None]
    physical = np.where(valid, scaled, np.nan)
    from_array = rsclass.KMeans(n_classes=5).fit(physical)
    data = xarray.DataArray(physical, dims=("band", "y", "x"))
    from_xarray = rsclass.KMeans(n_classes=5).fit(data)
    np.testing.assert_array_equal(from_dataset.centers_, engine.centers_)
    np.testing.assert_allclose(from_array.centers_, engine.centers_, rtol=1e-9)
    np.testing.assert_array_equal(from_xarray.centers_, from_array.centers_)
    labels = from_array.predict(physical)
    np.testing.assert_array_equal(labels, engine.predict(small_scene))
    assert ((labels < 0) == ~valid).all()


@pytest.mark.parametrize(
    "dims", [("y", "x", "band"), ("lon", "wavelength", "lat"), ("dim_0", "dim_1", "dim_2")]
)
def test_the_dimensions_of_a_dataarray_are_known_by_name(dims):
    xarray = pytest.importorskip("xarray")
    image = np.random.default_rng(0).integers(0, 99, (3, 8, 11))
    place = {"band": 0, "wavelength": 0, "y": 1, "lat": 1, "x": 2, "lon": 2}
    order = [place.get(dim, i) for i, dim in enumerate(dims)]
    turned = xarray.DataArray(image.transpose(order), dims=dims)
    expected = rsclass.KMeans(n_classes=3).fit(image)
    found = rsclass.KMeans(n_classes=3).fit(turned)
    np.testing.assert_array_equal(found.centers_, expected.centers_)
    np.testing.assert_array_equal(found.predict(turned), expected.predict(image))


def test_a_dataarray_of_two_dimensions_is_one_band():
    xarray = pytest.importorskip("xarray")
    image = np.random.default_rng(0).integers(0, 99, (8, 11))
    engine = rsclass.KMeans(n_classes=3).fit(image[None])
    labels = engine.predict(xarray.DataArray(image.T, dims=("x", "y")))
    np.testing.assert_array_equal(labels, engine.predict(image[None]))


@pytest.mark.parametrize("dims", [("time", "y", "x"), ("band", "x"), ("t", "band", "y", "x"), "y"])
def test_dimensions_of_a_dataarray_that_are_no_image_are_refused(dims):
    xarray = pytest.importorskip("xarray")
    dims = tuple(dims)
    with pytest.raises(UsageError, match="dimensions"):
        rsclass.KMeans(2).fit(xarray.DataArray(np.ones((4,) * len(dims)), dims=dims))


def test_a_saved_engine_labels_another_scene(small_scene, engine, tmp_path):
    path = engine.save(tmp_path / "km.safetensors")
    result = rsclass.load(path).predict(small_scene, tmp_path / "map.tif")
    np.testing.assert_array_equal(result.read(), engine.predict(small_scene) + 1)


def test_saving_twice_needs_to_be_asked_for(engine, tmp_path):
    engine.save(tmp_path / "km.safetensors")
    with pytest.raises(OutputExistsError, match="overwrite"):
        engine.save(tmp_path / "km.safetensors")
    engine.save(tmp_path / "km.safetensors", overwrite=True)


def test_other_numbers_of_bands_are_refused(engine):
    with pytest.raises(UsageError, match="3 features"):
        engine.predict(np.zeros((3, 4, 4)))


def test_what_cannot_be_read_is_refused():
    with pytest.raises(UsageError, match="cannot read pixels from object"):
        rsclass.KMeans().fit(type("object", (), {"dims": 1, "read": 2})())


def test_the_result_shows_itself_in_a_notebook(small_scene, tmp_path):
    result = rsclass.classify(small_scene, tmp_path / "map.tif", method="kmeans", classes=4)
    page = result._repr_html_()
    assert page.count("<tr>") == 5
    assert "class 4" in page
    assert sum(entry["pixels"] for entry in result.to_dict()["classes"]) == result.n_classified
