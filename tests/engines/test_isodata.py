"""ISODATA against a slow version of Tou and Gonzalez, and against cases made by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
from recut import Recut
from sklearn.utils.estimator_checks import parametrize_with_checks

from rsclass.core.arrays import ArrayStream
from rsclass.engines.isodata import Isodata
from rsclass.errors import UsageError


@parametrize_with_checks([Isodata(n_classes=3)])
def test_keeps_the_contract_of_scikit_learn(estimator, check):
    check(estimator)


class SlowIsodata:
    """Tou and Gonzalez 1974, section 3.3.6, on a table, one step after the other."""

    def __init__(self, X, K, theta_n, theta_s, theta_c, L, passes, gamma, threshold, least, most):
        self.X, self.K, self.theta_n, self.theta_s, self.theta_c = X, K, theta_n, theta_s, theta_c
        self.L, self.passes, self.gamma, self.threshold = L, passes, gamma, threshold
        self.least, self.most = least, most
        self.events = []
        self.run()

    def labels(self, centers):
        return np.array([((centers - x) ** 2).sum(axis=1).argmin() for x in self.X])

    def run(self):
        X = self.X
        t = np.linspace(-1, 1, self.K)
        z = np.array([X.mean(axis=0) + a * X.std(axis=0) for a in t])
        kept_labels = None
        for iteration in range(1, self.passes + 1):
            self.iteration = iteration
            label = self.labels(z)
            sizes = np.array([(label == j).sum() for j in range(len(z))])
            small = [j for j in range(len(z)) if sizes[j] < max(self.theta_n, 1)]
            small = [j for j in small if j != sizes.argmax()]
            if small:
                self.events += [(iteration, "delete", (j,)) for j in small]
                z = np.array([c for j, c in enumerate(z) if j not in small])
                label = self.labels(z)
                kept_labels = None
            groups = [X[label == j] for j in range(len(z))]
            dbar = [
                np.mean(np.sqrt(((g - c) ** 2).sum(axis=1))) for g, c in zip(groups, z, strict=True)
            ]
            overall = sum(d * len(g) for d, g in zip(dbar, groups, strict=True)) / len(X)
            changed = None if kept_labels is None else 100 * (kept_labels != label).mean()
            kept_labels = label
            z = np.array([g.mean(axis=0) for g in groups])
            if iteration == self.passes:
                break
            split_turn = len(z) <= self.least or (iteration % 2 == 1 and len(z) < self.most)
            new = self.split(z, groups, dbar, overall) if split_turn else self.merge(z, groups)
            if new is not None:
                z, kept_labels = new, None
            elif changed is not None and changed <= self.threshold:
                break
        self.centers = z

    def split(self, z, groups, dbar, overall):
        sigma = [g.std(axis=0) for g in groups]
        wide = []
        for j, g in enumerate(groups):
            loose = dbar[j] > overall and len(g) > 2 * (self.theta_n + 1)
            if sigma[j].max() > self.theta_s and (loose or len(z) <= self.least):
                wide.append(j)
        wide = sorted(wide, key=lambda j: -sigma[j].max())[: self.most - len(z)]
        if not wide:
            return None
        out = list(z.copy())
        for j in wide:
            step = np.zeros(z.shape[1])
            step[sigma[j].argmax()] = self.gamma * sigma[j].max()
            out.append(out[j] + step)
            out[j] = out[j] - step
            self.events.append((self.iteration, "split", (j,)))
        return np.array(out)

    def merge(self, z, groups):
        pairs = []
        for i in range(len(z)):
            for j in range(i + 1, len(z)):
                d = np.sqrt(((z[i] - z[j]) ** 2).sum())
                if d < self.theta_c:
                    pairs.append((d, i, j))
        busy, gone, out = set(), set(), z.copy()
        for _, i, j in sorted(pairs):
            if len(gone) == min(self.L, len(z) - max(self.least, 1)):
                break
            if i in busy or j in busy:
                continue
            busy |= {i, j}
            gone.add(j)
            ni, nj = len(groups[i]), len(groups[j])
            out[i] = (ni * z[i] + nj * z[j]) / (ni + nj)
            self.events.append((self.iteration, "merge", (i, j)))
        return np.array([c for k, c in enumerate(out) if k not in gone]) if gone else None


def scattered(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    means = rng.uniform(0, 20, (7, 3))
    widths = rng.uniform(0.3, 3, (7, 3))
    sizes = rng.integers(3, 120, 7)
    return np.concatenate(
        [rng.normal(m, w, (n, 3)) for m, w, n in zip(means, widths, sizes, strict=True)]
    )


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("bounds", [(8, 4, 8), (4, 2, 8), (6, 6, 12)])
def test_makes_the_same_splits_merges_deletions_and_centers_as_the_book(seed, bounds):
    table = scattered(seed)
    n_classes, least, most = bounds
    slow = SlowIsodata(table, n_classes, 6, 1.5, 4.0, 2, 15, 0.5, 1.0, least, most)
    fast = Isodata(
        n_classes,
        scale="none",
        start_classes=n_classes,
        min_classes=least,
        max_classes=most,
        min_class_size=6,
        max_std=1.5,
        min_distance=4.0,
        max_merges=2,
        max_iter=15,
        split_fraction=0.5,
        change_threshold=1.0,
    ).fit(table)
    events = [
        (entry["pass"], entry["event"], tuple(entry["classes"]))
        for entry in fast.history_
        if entry["event"] != "assign"
    ]
    assert events == slow.events
    assert fast.n_iter_ == slow.iteration
    order = np.lexsort((*slow.centers.T[::-1], slow.centers.mean(axis=1)))
    np.testing.assert_allclose(fast.centers_, slow.centers[order], rtol=1e-10)


def test_the_book_cases_contain_every_kind_of_event():
    kinds = set()
    for seed in range(8):
        kinds |= {
            e[1] for e in SlowIsodata(scattered(seed), 8, 6, 1.5, 4.0, 2, 15, 0.5, 1, 4, 8).events
        }
    assert kinds == {"split", "merge", "delete"}


def of_kind(engine: Isodata, kind: str) -> list[dict]:
    return [entry for entry in engine.history_ if entry["event"] == kind]


def test_two_centers_in_one_cloud_are_merged():
    rng = np.random.default_rng(0)
    table = np.concatenate([rng.normal(0, 1, (500, 2)), rng.normal(30, 1, (500, 2))])
    engine = Isodata(
        12,
        scale="none",
        start_classes=12,
        min_classes=2,
        max_std=5,
        min_distance=9,
        min_class_size=1,
    ).fit(table)
    merges = of_kind(engine, "merge")
    assert engine.n_classes_ == 2
    assert merges
    assert all(entry["distance"] < 9 for entry in merges)
    assert all(sum(entry["sizes"]) <= 500 for entry in merges)


def test_one_long_cloud_is_split_along_its_longest_band():
    rng = np.random.default_rng(1)
    cloud = np.stack([rng.normal(0, 1, 2000), rng.uniform(-20, 20, 2000)], axis=1)
    engine = Isodata(
        1, scale="none", min_classes=1, max_classes=2, max_std=5, min_distance=1, max_iter=10
    ).fit(cloud)
    (split,) = of_kind(engine, "split")
    assert split["band"] == 1
    assert split["deviation"] == pytest.approx(cloud[:, 1].std())
    assert split["sizes"] == [2000]
    np.testing.assert_allclose(engine.centers_, [[0, -10], [0, 10]], atol=0.7)


def test_a_tiny_class_is_deleted_and_its_pixels_go_to_another():
    table = np.concatenate([np.zeros((100, 1)), np.full((3, 1), 50.0), np.full((100, 1), 100.0)])
    options = {
        "scale": "none",
        "start_classes": 3,
        "min_classes": 1,
        "min_distance": 1.0,
        "max_std": 99.0,
    }
    without = Isodata(3, min_class_size=5, **options).fit(table)
    assert [e["sizes"] for e in of_kind(without, "delete")] == [[3]]
    assert without.n_classes_ == 2
    assert without.n_iter_ == 2  # nobody changes class between the first and the second pass
    assert (without.predict(table) >= 0).all()
    assert Isodata(3, min_class_size=3, **options).fit(table).n_classes_ == 3


def test_merges_no_more_pairs_in_a_pass_than_asked():
    rng = np.random.default_rng(2)
    table = rng.normal(0, 1, (3000, 2))
    engine = Isodata(8, scale="none", min_classes=1, max_merges=1, min_distance=9).fit(table)
    passes = [entry["pass"] for entry in of_kind(engine, "merge")]
    assert passes
    assert len(passes) == len(set(passes))


def test_merges_never_lead_below_the_fewest_classes():
    table = np.random.default_rng(6).normal(0, 1, (3000, 2))
    engine = Isodata(
        4,
        scale="none",
        start_classes=4,
        min_classes=3,
        max_merges=5,
        min_distance=99,
        max_std=99,
    ).fit(table)
    assert [entry["pass"] for entry in of_kind(engine, "merge")] == [1]
    assert engine.n_classes_ == 3


@pytest.mark.parametrize("n_classes", [1, 2, 5, 11])
def test_finds_at_most_as_many_classes_as_asked(n_classes):
    engine = Isodata(n_classes, max_std=0.01, min_distance=0).fit(scattered(3))
    assert engine.n_classes_ <= n_classes


def test_pixels_beyond_the_distance_error_get_no_class():
    table = np.concatenate([np.zeros((50, 2)), np.full((50, 2), 10.0), [[3.0, 4.0]]])
    engine = Isodata(2, scale="none", max_distance_error=4.0).fit(table)
    labels = engine.predict(table)
    assert labels[-1] == -1
    assert (labels[:-1] >= 0).all()


def test_pixels_beyond_so_many_deviations_get_no_class():
    rng = np.random.default_rng(4)
    table = rng.normal(0, 2, (4000, 3))
    engine = Isodata(1, scale="none", max_std_from_mean=1.5, max_std=99).fit(table)
    distance = np.linalg.norm(table - table.mean(axis=0), axis=1)
    deviation = np.sqrt((distance**2).mean())
    np.testing.assert_array_equal(engine.predict(table) < 0, distance > 1.5 * deviation)
    card, arrays = engine.state()
    again = Isodata(1, scale="none", max_std_from_mean=1.5)
    again.restore(json.loads(json.dumps(card)), arrays)
    again.n_features_in_ = 3
    np.testing.assert_array_equal(again.predict(table), engine.predict(table))


def test_the_log_is_json():
    engine = Isodata(8).fit(scattered(1))
    assert json.loads(json.dumps(engine.history_, allow_nan=False)) == engine.history_


def test_whole_numbers_give_the_same_classes_however_the_scene_is_cut():
    rng = np.random.default_rng(5)
    image = rng.integers(0, 4000, (3, 70, 90)).astype(np.uint16)
    whole = Isodata(8, sample=None, max_std=0.4).fit(ArrayStream(image))
    for side in (7, 32):
        cut = Isodata(8, sample=None, max_std=0.4).fit(Recut.of(image, side))
        np.testing.assert_array_equal(cut.centers_, whole.centers_)
    floats = Isodata(8, sample=None, max_std=0.4).fit(image.astype(np.float32))
    np.testing.assert_allclose(floats.centers_, whole.centers_, rtol=1e-12)


def test_bounds_that_leave_no_room_are_refused():
    with pytest.raises(UsageError, match="must lie between min_classes"):
        Isodata(5, max_classes=3).fit(np.zeros((4, 2)))


def real_scene(path: Path) -> ArrayStream:
    with rasterio.open(path) as source:
        return ArrayStream(source.read(), valid=source.dataset_mask() > 0)


SAMPLE_SCENE = Path(__file__).parents[2] / "data_samples" / "sentinel2.tif"
LANDSAT = "nc_landsat7_2002_landclass96/image.tif"


def is_grown_from_four_to_eight(path: Path) -> bool:
    engine = Isodata(8, sample=20_000).fit(real_scene(path))
    first = next(entry for entry in engine.history_ if entry["event"] == "assign")
    more = len(of_kind(engine, "split")) - len(of_kind(engine, "merge"))
    return (first["n_classes"], more, engine.n_classes_) == (4, 4, 8)


def test_starts_from_half_the_classes_and_splits_up_to_all_of_them():
    assert is_grown_from_four_to_eight(SAMPLE_SCENE)


def test_starts_from_half_the_classes_of_a_landsat_scene_too(shared_data):
    assert is_grown_from_four_to_eight(shared_data / LANDSAT)


def test_wider_classes_stay_whole_where_a_greater_deviation_is_allowed():
    scene = real_scene(SAMPLE_SCENE)
    found = [Isodata(12, sample=20_000, max_std=std).fit(scene) for std in (0.5, 1.0)]
    splits = [len(of_kind(engine, "split")) for engine in found]
    assert splits[1] < splits[0]
    assert found[1].n_classes_ < found[0].n_classes_


def test_more_pairs_are_merged_where_a_greater_distance_is_close():
    scene = real_scene(SAMPLE_SCENE)
    found = [Isodata(12, sample=20_000, min_distance=far).fit(scene) for far in (0.4, 1.5)]
    merges = [len(of_kind(engine, "merge")) for engine in found]
    assert merges[0] == 0
    assert merges[1] > 0
    assert found[0].centers_.tolist() != found[1].centers_.tolist()


@pytest.mark.parametrize(("asked", "begins"), [(1, 1), (2, 1), (7, 4), (8, 4)])
def test_half_of_the_classes_is_rounded_up(asked, begins):
    engine = Isodata(asked, min_class_size=0).fit(scattered(2))
    assert engine.history_[0]["n_classes"] == begins


def test_an_end_before_the_classes_settle_is_told():
    table = scattered(4)
    stopped = Isodata(8, max_iter=2).fit(table)
    assert any("was stopped after 2 passes" in told for told in stopped.warnings_)
    settled = Isodata(8, max_iter=200).fit(table)
    assert settled.n_iter_ < 200
    assert not any("was stopped" in told for told in settled.warnings_)


def test_a_start_from_more_classes_than_allowed_is_refused():
    with pytest.raises(UsageError, match=r"start_classes is 9; .* max_classes \(6\)"):
        Isodata(6, start_classes=9).fit(np.zeros((4, 2)))
