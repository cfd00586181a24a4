"""Training samples listed, judged and merged, against pandas and closed forms."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from rasterio import open as open_raster

import rsclass
from rsclass.errors import (
    DataError,
    DiskFullError,
    IncompleteOutputError,
    OutputExistsError,
    UsageError,
)
from rsclass.flow.training import Training
from rsclass.flow.training_check import CheckedTraining, check_training
from rsclass.flow.validate import Validation


@pytest.fixture(scope="module")
def land(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("checked")
    return rsclass.datasets.simulate(height=200, width=200, seed=4).write(folder, "land")


def polygons(land: dict[str, Path], field: str = "class_name") -> Training:
    return Training(land["reference"], field, layer="polygons", allow_missed=True)


@pytest.fixture(scope="module")
def checked(land: dict[str, Path]) -> CheckedTraining:
    return check_training(land["scene"], polygons(land))


def test_classes_are_described_as_pandas_describes_them(checked: CheckedTraining) -> None:
    pixels = checked.samples.pixels
    bands = [band.name for band in checked.samples.bands]
    frame = pd.DataFrame(pixels.values, columns=bands)
    frame["class"] = np.array(pixels.names)[pixels.classes]
    frame["feature"] = pixels.features
    grouped = frame.groupby("class")
    for row in checked.to_dict()["classes"]:
        mine = grouped.get_group(row["name"])
        assert row["pixels"] == len(mine)
        assert row["features"] == mine["feature"].nunique()
        assert [row["mean"][b] for b in bands] == pytest.approx(mine[bands].mean().tolist())
        assert [row["std"][b] for b in bands] == pytest.approx(mine[bands].std().tolist())
        enough = "few" if len(mine) < 100 else "some" if len(mine) < 1000 else "enough"
        assert row["size"] == enough


def test_every_feature_is_listed_with_its_pixels(
    land: dict[str, Path], checked: CheckedTraining
) -> None:
    frame = geopandas.read_file(land["reference"], layer="polygons", fid_as_index=True)
    listed = pd.DataFrame(checked.to_dict()["features"]).set_index("id")
    assert listed.index.tolist() == frame.index.tolist()
    assert listed["class"].tolist() == frame["class_name"].tolist()
    pixels = pd.Series(checked.samples.pixels.features).value_counts().sort_index()
    assert listed["pixels"][listed["pixels"] > 0].tolist() == pixels.tolist()


def test_pairs_are_ranked_by_their_jeffries_matusita_distance(checked: CheckedTraining) -> None:
    pixels = checked.samples.pixels
    pairs = checked.to_dict()["pairs"]
    assert len(pairs) == pixels.n_classes * (pixels.n_classes - 1) // 2
    distances = [pair["jm"] for pair in pairs]
    assert distances == sorted(distances)
    one, other = (pixels.of_class(pixels.names.index(name)) for name in pairs[0]["names"])
    s1, s2 = np.cov(one.T), np.cov(other.T)
    mixed, apart = (s1 + s2) / 2, one.mean(axis=0) - other.mean(axis=0)
    logs = [np.linalg.slogdet(s)[1] for s in (mixed, s1, s2)]
    b = apart @ np.linalg.solve(mixed, apart) / 8 + (logs[0] - (logs[1] + logs[2]) / 2) / 2
    assert distances[0] == pytest.approx(2 * (1 - np.exp(-b)))


def test_the_summary_tells_sizes_spectra_and_pairs(checked: CheckedTraining) -> None:
    text = checked.summary()
    for row in checked.rows:
        assert row["name"] in text
        assert f"{row['pixels']:,}  {row['size']}" in text
    assert "10 for each band" in text
    assert "mean ± std" in text
    json.dumps(checked.to_dict(), allow_nan=False)


def write_areas(path: Path, areas: list[tuple[Any, Any]], scene: Path) -> Path:
    with open_raster(scene) as dataset:
        t, crs = dataset.transform, dataset.crs
    ground = [
        shapely.transform(
            shape, lambda xy: np.column_stack((t.a * xy[:, 0] + t.c, t.e * xy[:, 1] + t.f))
        )
        for shape, _ in areas
    ]
    labels = [label for _, label in areas]
    note = [f"n{i}" for i in range(len(areas))]
    frame = geopandas.GeoDataFrame({"class": labels, "note": note}, geometry=ground, crs=crs)
    frame.to_file(path, layer="areas")
    return path


@pytest.fixture
def drawn(land: dict[str, Path], tmp_path: Path) -> Path:
    """Four classes in numbers, of which two overlap, and one feature without a label."""
    areas = [
        (shapely.box(10, 10, 20, 20), 1),
        (shapely.box(16, 16, 26, 26), 2),
        (shapely.box(40, 10, 50, 20), 7),
        (shapely.box(40, 40, 50, 50), 9),
        (shapely.box(60, 60, 70, 70), None),
    ]
    return write_areas(tmp_path / "areas.gpkg", areas, land["scene"])


def test_merged_classes_no_longer_contest_their_pixels(land: dict[str, Path], drawn: Path) -> None:
    training = Training(drawn, "class")
    before = check_training(land["scene"], training)
    after = check_training(land["scene"], training, mergers=["1,2=3"])
    assert before.samples.contested == 16
    assert after.samples.contested == 0
    assert after.samples.pixels.names == ("3", "7", "9")
    assert after.samples.pixels.counts.tolist() == [184, 100, 100]


def test_merged_classes_are_written_beside_the_old_ones(
    land: dict[str, Path], drawn: Path, tmp_path: Path
) -> None:
    out = tmp_path / "merged.gpkg"
    before = drawn.read_bytes()
    checked = check_training(
        land["scene"], Training(drawn, "class"), mergers=["1,2=3", "7=8"], out=out
    )
    assert checked.files == {"training": out}
    assert drawn.read_bytes() == before
    old, new = (geopandas.read_file(path, fid_as_index=True) for path in (drawn, out))
    assert new["class"].dropna().tolist() == [3, 3, 8, 9]
    assert pd.isna(new["class"].iloc[4])
    assert new["class_before"].dropna().tolist() == [1, 2, 7, 9]
    assert new["note"].tolist() == old["note"].tolist()
    assert new.crs == old.crs
    assert new.geometry.geom_equals(old.geometry).all()
    assert [name for name, _ in pyogrio.list_layers(out)] == ["areas"]
    assert pyogrio.read_info(out)["dtypes"][0] in ("int32", "int64")
    again = check_training(land["scene"], Training(out, "class"))
    assert again.samples.pixels.counts.tolist() == checked.samples.pixels.counts.tolist()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["areas.gpkg", "merged.gpkg"]


@pytest.mark.parametrize("suffix", ["shp", "geojson", "csv"])
def test_any_format_can_be_merged_into_a_geopackage(
    land: dict[str, Path], tmp_path: Path, suffix: str
) -> None:
    """Whatever number a format gives to its first feature."""
    with open_raster(land["scene"]) as dataset:
        t, crs = dataset.transform, dataset.crs
    places = [(5.5, 6.5), (20.5, 9.5), (33.5, 40.5), (50.5, 60.5), (52.5, 61.5)]
    points = [shapely.Point(t.a * c + t.c, t.e * r + t.f) for c, r in places]
    columns = {"kind": ["oak", "elm", "lake", "lake", "elm"], "n": [5, 4, 3, 2, 1]}
    path = tmp_path / f"a.{suffix}"
    if suffix == "csv":
        frame = pd.DataFrame(columns | {"x": [p.x for p in points], "y": [p.y for p in points]})
        frame.to_csv(path, index=False)
    else:
        ground = geopandas.GeoDataFrame(columns, geometry=points, crs=crs)
        (ground.to_crs(4326) if suffix == "geojson" else ground).to_file(path)
    out = tmp_path / "out.gpkg"
    done = check_training(land["scene"], Training(path, "kind"), mergers=["oak,elm=wood"], out=out)
    new = geopandas.read_file(out)
    assert new["kind"].tolist() == ["wood", "wood", "lake", "lake", "wood"]
    assert new["kind_before"].tolist() == columns["kind"]
    assert new["n"].tolist() == columns["n"]
    again = check_training(land["scene"], Training(out, "kind"))
    assert (again.samples.pixels.rows == done.samples.pixels.rows).all()
    assert (again.samples.pixels.classes == done.samples.pixels.classes).all()


def test_the_same_merger_gives_the_same_bytes(
    land: dict[str, Path], drawn: Path, tmp_path: Path
) -> None:
    for name in ("a.gpkg", "b.gpkg"):
        training = Training(drawn, "class")
        check_training(land["scene"], training, mergers=["1,2=wood"], out=tmp_path / name)
    assert (tmp_path / "a.gpkg").read_bytes() == (tmp_path / "b.gpkg").read_bytes()


def test_an_output_is_replaced_only_if_told_so(
    land: dict[str, Path], drawn: Path, tmp_path: Path
) -> None:
    out = tmp_path / "merged.gpkg"
    out.write_bytes(b"precious")
    training = Training(drawn, "class")
    with pytest.raises(OutputExistsError):
        check_training(land["scene"], training, mergers=["1,2=3"], out=out)
    assert out.read_bytes() == b"precious"
    check_training(land["scene"], training, mergers=["1,2=3"], out=out, overwrite=True)
    assert len(geopandas.read_file(out)) == 5


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"out": "m.gpkg"}, "say with --merge which are to be one"),
        ({"out": "m.shp", "mergers": ["1,2=3"]}, "name it m.gpkg"),
        ({"out": "areas.gpkg", "mergers": ["1,2=3"]}, "is the same file as the input"),
        ({"mergers": ["1,3=2"]}, "'3', which is no class"),
    ],
)
def test_a_merger_that_cannot_be_changes_nothing(
    land: dict[str, Path], drawn: Path, tmp_path: Path, settings: dict[str, Any], told: str
) -> None:
    before = drawn.read_bytes()
    if "out" in settings:
        settings = settings | {"out": tmp_path / settings["out"], "overwrite": True}
    with pytest.raises(UsageError, match=told):
        check_training(land["scene"], Training(drawn, "class"), **settings)
    assert drawn.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["areas.gpkg"]


@pytest.mark.parametrize("cause", ["full", "wrong"])
def test_a_merged_file_is_whole_or_absent(
    land: dict[str, Path],
    drawn: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    cause: str,
) -> None:
    """P04, and a disk that keeps something else than it was given."""
    out = tmp_path / "merged.gpkg"
    out.write_bytes(b"precious")
    write = pyogrio.write_dataframe

    def failing(frame: Any, path: Any, **options: Any) -> None:
        write(frame.assign(**{"class": 1}) if cause == "wrong" else frame, path, **options)
        if cause == "full":
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pyogrio, "write_dataframe", failing)
    with pytest.raises(DiskFullError if cause == "full" else IncompleteOutputError):
        check_training(
            land["scene"], Training(drawn, "class"), mergers=["1,2=3"], out=out, overwrite=True
        )
    assert out.read_bytes() == b"precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["areas.gpkg", "merged.gpkg"]


def test_a_validation_may_stand_beside_the_check(land: dict[str, Path]) -> None:
    checked = check_training(land["scene"], polygons(land), validation=Validation("mindist"))
    assert checked.validated is not None
    told = checked.to_dict()["validation"]
    assert told["overall"] == checked.validated.overall
    assert told["confusion"]["rows"] == "samples"
    assert "Cross-validation of mindist in 5 folds" in checked.summary()


def test_merging_all_classes_leaves_nothing_to_learn(land: dict[str, Path], drawn: Path) -> None:
    """V08."""
    with pytest.raises(DataError, match="one class only"):
        check_training(land["scene"], Training(drawn, "class"), mergers=["1,2,7,9=3"])


def test_a_mislabelled_polygon_of_a_real_scene_is_told(shared_data: Path) -> None:
    """Feature 7 has the number of urban land; its publisher's text says barren."""
    folder = shared_data / "landsat7_ogt"
    training = Training(folder / "training_polygons.gpkg", "code")
    checked = check_training(folder / "image.tif", training)
    told = {row["feature"]: row for row in checked.to_dict()["outliers"]}
    assert told[7]["class"] == "5"
    assert told[7]["like"] == "4"
    assert told[7]["share"] == 1.0
