"""Cross-validation by features and blocks, against scikit-learn's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import cohen_kappa_score, confusion_matrix, precision_score, recall_score
from sklearn.model_selection import GroupKFold, PredefinedSplit, StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB

import rsclass
import rsclass.flow.validate
from rsclass.errors import DataError, UsageError
from rsclass.flow.training import Samples, Training, read_training
from rsclass.flow.validate import Validated, Validation, cross_validate, validate
from rsclass.run.settings import Running

ONE = Running(jobs=1)


@pytest.fixture(scope="module")
def land(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("validated")
    return rsclass.datasets.simulate(height=220, width=220, seed=3).write(folder, "land")


@pytest.fixture(scope="module")
def samples(land: dict[str, Path]) -> Samples:
    return read_training(
        land["scene"], land["reference"], "class_name", layer="polygons", allow_missed=True
    )


class NormalClassifier(ClassifierMixin, BaseEstimator):
    """The likeliest of normal distributions, by SciPy; scikit-learn's own divides by n."""

    def fit(self, X: Any, y: Any) -> NormalClassifier:
        self.classes_ = np.unique(y)
        self.normals_ = [
            multivariate_normal(X[y == c].mean(axis=0), np.cov(X[y == c].T)) for c in self.classes_
        ]
        return self

    def predict(self, X: Any) -> Any:
        densities = [normal.logpdf(X) for normal in self.normals_]
        return self.classes_[np.argmax(densities, axis=0)]


METHODS: dict[str, tuple[dict[str, Any], Any]] = {
    "sklearn": ({"estimator": "GaussianNB()"}, GaussianNB()),
    "maxlike": ({}, NormalClassifier()),
}


@pytest.mark.parametrize("by", ["feature", "block"])
@pytest.mark.parametrize("method", METHODS)
def test_the_matrix_is_scikit_learns_on_the_same_folds(
    samples: Samples, method: str, by: str
) -> None:
    parameters, estimator = METHODS[method]
    asked = Validation(method, folds=4, by=by, block_size=40, parameters=parameters, seed=1)
    done = validate(samples, asked, ONE)
    X, y = samples.pixels.values, samples.pixels.classes
    expected = cross_val_predict(estimator, X, y, cv=PredefinedSplit(done.fold_of))
    assert (done.confusion.counts == confusion_matrix(y, expected)).all()
    assert done.confusion.names == samples.pixels.names
    assert done.overall == pytest.approx((expected == y).mean())
    assert done.confusion.kappa.value == pytest.approx(cohen_kappa_score(y, expected))
    producers = [row["producers"] for row in done.per_class]
    users = [row["users"] for row in done.per_class]
    assert producers == pytest.approx(recall_score(y, expected, average=None))
    assert users == pytest.approx(precision_score(y, expected, average=None))
    for fold, share in enumerate(done.by_fold):
        at = done.fold_of == fold
        assert share == pytest.approx((expected[at] == y[at]).mean())


def test_the_matrix_is_that_of_group_folds(
    samples: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y, groups = samples.pixels.values, samples.pixels.classes, samples.pixels.features
    fold_of = np.zeros(len(y), np.int64)
    for fold, (_, test) in enumerate(GroupKFold(5).split(X, y, groups)):
        fold_of[test] = fold
    monkeypatch.setattr(rsclass.flow.validate, "group_folds", lambda *args: fold_of)
    done = validate(samples, Validation("sklearn", parameters={"estimator": "GaussianNB()"}), ONE)
    expected = cross_val_predict(GaussianNB(), X, y, groups=groups, cv=GroupKFold(5))
    assert (done.confusion.counts == confusion_matrix(y, expected)).all()


def test_the_random_split_is_as_flattering_as_scikit_learns(samples: Samples) -> None:
    done = validate(samples, Validation("rf", parameters={"n_estimators": 15}), ONE)
    X, y = samples.pixels.values, samples.pixels.classes
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    forest = RandomForestClassifier(15, random_state=0)
    expected = (cross_val_predict(forest, X, y, cv=folds) == y).mean()
    # Other folds and other trees: three standard errors of a share of so many pixels.
    assert abs(done.random.overall - expected) < 3 * np.sqrt(expected * (1 - expected) / len(y))
    assert done.optimism > 0.01


def test_neither_threads_nor_a_second_run_change_anything(land: dict[str, Path]) -> None:
    training = Training(land["reference"], "class_name", layer="polygons", allow_missed=True)
    runs = [
        cross_validate(
            land["scene"],
            training,
            "rf",
            parameters={"n_estimators": 10},
            running=Running(jobs=jobs),
        )
        for jobs in (1, 3)
    ]
    assert runs[0].to_dict() == runs[1].to_dict()
    assert (runs[0].predicted == runs[1].predicted).all()


def of_classes(samples: Samples, keep: np.ndarray) -> Samples:
    return replace(samples, pixels=samples.pixels.take(keep))


def test_a_class_of_one_feature_is_learned_from_and_never_tested(samples: Samples) -> None:
    pixels = samples.pixels
    mine = pixels.classes == 2
    lone = pixels.features == pixels.features[mine][0]
    done = validate(of_classes(samples, ~mine | lone), Validation("mindist"), ONE)
    assert done.confusion.reference_totals[2] == 0
    assert done.random.reference_totals[2] == 0
    assert done.confusion.n == (~mine).sum()
    assert done.confusion.map_totals[2] > 0  # others may be taken for it
    assert any(f"all samples of {pixels.names[2]} lie in one feature" in w for w in done.warnings)
    assert done.per_class[2]["producers"] is None


def test_rejected_pixels_are_counted_apart(samples: Samples) -> None:
    done = validate(samples, Validation("maxlike", parameters={"reject": 0.2}), ONE)
    assert done.rejected == (done.predicted == -1).sum() > 0
    assert done.confusion.n == len(samples.pixels) - done.rejected
    assert "got no class" in done.summary()


def test_points_hold_out_no_neighbors_and_that_is_said(land: dict[str, Path]) -> None:
    training = Training(land["reference"], "class_name", layer="points", allow_missed=True)
    done = cross_validate(land["scene"], training, "mindist")
    assert any("--by block does" in warning for warning in done.warnings)
    blocks = cross_validate(land["scene"], training, "mindist", by="block")
    assert not any("--by block does" in warning for warning in blocks.warnings)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"by": "tile"}, "--by is 'tile'; choose one of feature, block"),
        ({"folds": 1}, "--folds is 1; it must be 2 or more"),
        ({"block_size": 0}, "--block-size is 0; it must be 1 or more"),
        ({"method": "kmeans"}, "kmeans finds its classes itself"),
        ({"method": "maxlik"}, "Did you mean 'maxlike'"),
        ({"parameters": {"rejct": 1}}, "Did you mean 'reject'"),
    ],
)
def test_what_cannot_be_validated_is_refused_before_the_scene_is_read(
    asked: dict[str, Any], told: str
) -> None:
    settings = {"method": "maxlike"} | asked
    with pytest.raises(UsageError, match=told):
        cross_validate("absent.tif", Training("absent.gpkg", "class"), **settings)


def test_too_few_groups_for_the_folds_are_an_error(samples: Samples) -> None:
    with pytest.raises(DataError, match="too few for 10 folds"):
        validate(samples, Validation("mindist", folds=10, by="block", block_size=150), ONE)


# Overall accuracy of random forests with whole polygons held out, as published with the data.
PUBLISHED = {
    "landsat7_ogt": 0.800,
    "sentinel2_aberystwyth": 0.963,
    "sentinel2_rachelcarson": 0.937,
}


@pytest.mark.parametrize("folder", PUBLISHED)
def test_real_polygons_are_predicted_as_well_as_others_found(
    shared_data: Path, folder: str
) -> None:
    place = shared_data / folder
    training = Training(place / "training_polygons.gpkg", "code")
    done: Validated = cross_validate(
        place / "image.tif", training, "rf", parameters={"n_estimators": 20}
    )
    # Five other splits of some 30 polygons.
    assert done.overall == pytest.approx(PUBLISHED[folder], abs=0.06)
    assert done.optimism > 0
