"""UIC as it is by default: it looks at the space of a consensus, under even light."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from rsclass.core.arrays import ArrayStream
from rsclass.core.types import Window
from rsclass.engines.consensus import Consensus
from rsclass.engines.seen import seen_block
from rsclass.engines.uic import UIC

QUICK = {"width": 8, "epochs": 4, "warmup": 2, "tiles": 16, "batch": 4, "receptive_field": 3}
SIDE = 64


def fields(trend: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Sixteen fields of four covers, whose spectra differ in direction, under a trend of light."""
    rng = np.random.default_rng(0)
    truth = np.kron(rng.permutation(np.tile(np.arange(4), 4)).reshape(4, 4), np.ones((16, 16), int))
    spectra = np.array([[10, 30, 20], [30, 10, 20], [20, 20, 40], [40, 40, 10]], dtype=float)
    values = spectra[truth].transpose(2, 0, 1) * rng.normal(1, 0.05, (3, SIDE, SIDE))
    return values * np.exp(np.linspace(-trend, trend, SIDE)), truth


@pytest.fixture(scope="module")
def fitted() -> UIC:
    return UIC(4, **QUICK).fit(fields()[0])


def test_fields_are_found_as_the_consensus_finds_them(fitted):
    values, truth = fields()
    labels = fitted.predict(values)
    assert adjusted_rand_score(truth.ravel(), labels.ravel()) > 0.95
    alone = Consensus(4).fit_predict(values)
    assert adjusted_rand_score(alone.ravel(), labels.ravel()) > 0.95
    assert fitted.n_classes_ == 4
    assert fitted.warnings_ == []


def test_a_tile_is_seen_without_filtering_all_of_a_large_block(monkeypatch):
    values = np.tile(fields()[0], (1, 2, 2))
    eyes = Consensus(4).fit(values)
    block = ArrayStream(values).read(Window(0, 0, 2 * SIDE, 2 * SIDE))
    window = Window(40, 44, 10, 12)
    rows, cols = window.inside(block.window)
    expected = eyes.places(block, block.window).reshape(-1, 2 * SIDE, 2 * SIDE)[:, rows, cols]
    given = []
    places = Consensus.places
    monkeypatch.setattr(
        Consensus, "places", lambda self, *asked: (given.append(asked), places(self, *asked))[1]
    )
    np.testing.assert_array_equal(seen_block(eyes, block, window).values, expected)
    assert [near.window for near, _ in given] == [window.grow(eyes.halo, 2 * SIDE, 2 * SIDE)]


def test_a_trend_of_the_light_is_seen_and_taken_out():
    values, truth = fields(trend=0.5)
    engine = UIC(4, **QUICK)
    labels = engine.fit_predict(values)
    assert adjusted_rand_score(truth.ravel(), labels.ravel()) > 0.95
    assert engine.light_ is not None
    # what 4,096 pixels of 5 % noise tell of a slope, and covers that are not spread evenly
    assert engine.light_.right == pytest.approx(0.5, abs=0.02)
    assert any("the light grows by 6" in said for said in engine.warnings_)  # e ** 0.5 = 1.65


def test_light_that_hardly_changes_is_left_alone(fitted):
    assert fitted.light_ is None
    assert UIC(4, trend=10.0, **QUICK).fit(fields(trend=0.5)[0]).light_ is None


def test_another_scene_is_labelled_under_its_own_light(fitted):
    values, truth = fields(trend=0.5)
    labels = fitted.predict(values)
    assert adjusted_rand_score(truth.ravel(), labels.ravel()) > 0.9
    fitted.predict(fields()[0])
    assert fitted.light_ is None


def test_a_change_of_calibration_within_the_scene_is_undone_and_kept_with_the_model():
    values, truth = fields()
    values[:, :, 40:] *= np.array([1.3, 0.8, 1.1])[:, None, None]
    engine = UIC(4, **QUICK)
    labels = engine.fit_predict(values)
    assert adjusted_rand_score(truth.ravel(), labels.ravel()) > 0.95
    assert engine.light_ is not None
    (step,) = engine.light_.steps
    assert step.at == 40
    assert any("column 40" in said for said in engine.warnings_)
    assert [said for said in engine.meet(ArrayStream(values)) if "column 40" in said]
    card, arrays = engine.state()
    other = UIC(4, **QUICK)
    other.restore(json.loads(json.dumps(card)), arrays)
    assert other.light_ == engine.light_
    assert UIC(4, seams=0, **QUICK).fit(values).light_ is None


def test_runs_give_the_same_bytes_for_any_number_of_threads(fitted):
    values, _ = fields()
    for jobs in (1, 3):
        again = UIC(4, **QUICK)
        again.use_machine(jobs, "cpu")
        again.fit(values)
        assert again.predict_proba(values).tobytes() == fitted.predict_proba(values).tobytes()
        assert json.dumps(again.state()[0]) == json.dumps(fitted.state()[0])


def test_a_kept_model_labels_as_before_and_knows_its_light():
    values, _ = fields(trend=0.5)
    engine = UIC(4, **QUICK).fit(values)
    card, arrays = engine.state()
    other = UIC(4, **QUICK)
    other.restore(json.loads(json.dumps(card)), arrays)
    assert other.light_ == engine.light_
    assert other.halo == engine.halo
    assert other.n_features_in_ == 3
    assert np.array_equal(other.predict(values), engine.predict(values))


def test_a_part_of_the_scene_is_labelled_like_the_whole():
    values = np.concatenate([fields()[0]] * 3, axis=2)[:, :, : 2 * SIDE + 30]
    engine = UIC(4, **QUICK).fit(values)
    whole = engine.predict(values)
    stream = ArrayStream(values)
    core = Window(0, 128, SIDE, 30)
    around = stream.read(core.grow(engine.halo, SIDE, values.shape[2]))
    part = engine.predict_block(around, core).labels
    assert np.array_equal(part, whole[:, 128:])


def test_invalid_pixels_are_neither_learned_nor_labelled():
    values, _ = fields()
    values[:, 20:30, 10:40] = np.nan
    engine = UIC(4, **QUICK)
    labels = engine.fit_predict(values)
    assert (labels[20:30, 10:40] == -1).all()
    assert (labels >= 0).sum() == SIDE * SIDE - 300
    values[:, 20:30, 10:40] = 1e4
    masked = np.ma.masked_array(values, np.broadcast_to(labels == -1, values.shape))
    assert np.array_equal(UIC(4, **QUICK).fit_predict(masked), labels)


def test_classes_have_their_mean_spectra_in_the_units_of_the_bands(fitted):
    values, _ = fields()
    labels = fitted.predict(values)
    means = [values[:, labels == c].mean(axis=1) for c in range(4)]
    assert fitted.signatures() == pytest.approx(np.stack(means), rel=0.02)
