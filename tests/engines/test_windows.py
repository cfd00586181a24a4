"""Scenes are labelled window by window, with the result and the memory of one look at the whole."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import rasterio

from rsclass.core.arrays import ArrayStream
from rsclass.core.types import Window
from rsclass.datasets import simulate
from rsclass.engines.kmeans import KMeans
from rsclass.engines.uic import UIC
from rsclass.flow.scene import stream_of

ENGINES = {
    "kmeans": KMeans(4),
    "uic": UIC(
        3,
        epochs=2,
        warmup=1,
        tiles=4,
        width=4,
        overcluster=1,
        receptive_field=5,
        inputs="bands",
        seams=0,
    ),
}


class Watched(ArrayStream):
    """Remembers which windows were read."""

    def read(self, window):
        self.__dict__.setdefault("windows", []).append(window)
        return super().read(window)


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = simulate("sentinel2", height=70, width=1100, seed=3)
    path = made.write(tmp_path_factory.mktemp("long"), "long")["scene"]
    with rasterio.open(path) as source:
        values, valid = source.read(), source.dataset_mask() > 0
    bands = stream_of(path).bands
    return path, values, valid, bands


@pytest.mark.parametrize("method", ENGINES)
def test_a_path_is_labelled_like_one_block_of_the_whole_array(method, scene):
    path, values, valid, bands = scene
    stream = Watched(values, valid=valid, bands=bands)
    engine = ENGINES[method].fit(stream)
    stream.windows = []
    layers = ("confidence", "membership")
    of_array = engine._predict(stream, layers)
    halo = engine.halo
    assert stream.windows == [
        Window(0, 0, 70, 1024 + halo),
        Window(0, 1024 - halo, 70, 76 + halo),
    ]
    of_path = engine._predict(path, layers)
    whole = Window(0, 0, 70, 1100)
    at_once = engine.predict_block(stream.read(whole), whole, layers)
    for found in (of_array, of_path):
        np.testing.assert_array_equal(found.labels, at_once.labels)
        for name in layers:
            np.testing.assert_array_equal(found.layers[name], at_once.layers[name])
    assert (at_once.labels < 0).any()


@pytest.mark.parametrize("layers", [(), ("confidence",), ("membership", "entropy")], ids=str)
def test_labelling_takes_the_memory_that_it_announces_and_no_less_than_half(layers):
    image = np.random.default_rng(0).normal(size=(3, 200, 200))
    engine = KMeans(10).fit(image)
    stream = ArrayStream(image)
    whole = Window(0, 0, 200, 200)
    engine.predict_block(stream.read(whole), whole, layers)
    tracemalloc.start()
    try:
        engine.predict_block(stream.read(whole), whole, layers)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    announced = engine.label_bytes(layers) * whole.pixels
    assert announced / 2 < peak < announced
