from __future__ import annotations

import shutil
from dataclasses import replace

import geopandas
import numpy as np
import pytest
import rasterio
from rasterio.features import rasterize
from rasterio.warp import Resampling, calculate_default_transform, reproject
from scipy import ndimage
from shapely.geometry import Point, box

import rsclass
from rsclass import Running, Writing
from rsclass.core.merging import MergeTable
from rsclass.core.votes import surely
from rsclass.datasets import simulate
from rsclass.errors import DataError, OutputError, UsageError
from rsclass.flow.crossing import cross_features, cross_raster
from rsclass.io.class_map import open_class_map
from rsclass.io.merge_file import read_merge_table, undo_merge_table
from rsclass.io.schema_file import read_schema


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A simulated scene with its truth, reference features and schema."""
    folder = tmp_path_factory.mktemp("suggest")
    return simulate("sentinel2", height=300, width=280, seed=5).write(folder, "scene")


@pytest.fixture(scope="module")
def made(files, tmp_path_factory):
    out = tmp_path_factory.mktemp("suggest_map") / "map.tif"
    return rsclass.classify(
        files["scene"], out, method="kmeans", classes=9, writing=Writing(report=False)
    )


def counted(path, reference, made):
    """Pixels (reference values, clusters) by numpy alone."""
    with rasterio.open(path) as one, rasterio.open(reference) as other:
        values, truth = one.read(1), other.read(1)
    clusters = made.legend.values
    return {
        (t, c): int(((truth == t) & (values == c)).sum())
        for t in np.unique(truth[truth > 0]).tolist()
        for c in clusters
    }


def test_a_reference_raster_is_counted_pixel_by_pixel(files, made):
    with open_class_map(made.path) as class_map:
        crossed = cross_raster(class_map, files["truth"], Running())
    with open_class_map(files["truth"]) as truth:
        value_of = {c.name: c.value for c in truth.legend}
    expected = counted(made.path, files["truth"], made)
    for i, label in enumerate(crossed.labels):
        for j, cluster in enumerate(made.legend.values):
            assert crossed.table[i, j] == expected[value_of[label], cluster]
    assert crossed.table.sum() == sum(expected.values())
    assert crossed.notes == ()


@pytest.mark.parametrize("running", [Running(jobs=1, tile=37), Running(jobs=3, tile=250)])
def test_counts_do_not_depend_on_tiles_and_threads(files, made, running):
    with open_class_map(made.path) as class_map:
        plain = cross_raster(class_map, files["truth"], Running())
        cut = cross_raster(class_map, files["truth"], running)
    np.testing.assert_array_equal(plain.table, cut.table)
    np.testing.assert_array_equal(plain.witnesses, cut.witnesses)


def test_connected_pixels_of_a_reference_raster_are_one_witness(files, made):
    """SciPy finds the patches of each label, corners included."""
    with rasterio.open(made.path) as one, rasterio.open(files["truth"]) as other:
        values, truth = one.read(1), other.read(1)
    expected = np.zeros(9, int)
    for code in np.unique(truth[truth > 0]):
        patches, _ = ndimage.label(truth == code, structure=np.ones((3, 3)))
        for i, cluster in enumerate(made.legend.values):
            expected[i] += len(np.unique(patches[(values == cluster) & (patches > 0)]))
    for tile in (64, 1024):
        with open_class_map(made.path) as class_map:
            crossed = cross_raster(class_map, files["truth"], Running(tile=tile))
        np.testing.assert_array_equal(crossed.witnesses, expected)


def test_a_raster_of_burnt_polygons_is_believed_no_more_than_the_polygons(files, made, tmp_path):
    polygons = geopandas.read_file(files["reference"], layer="polygons")
    names = sorted(set(polygons["class_name"]))
    with rasterio.open(made.path) as dataset:
        profile, shape = dataset.profile, dataset.shape
    shapes = [
        (geometry, names.index(name) + 1)
        for geometry, name in zip(polygons.geometry, polygons["class_name"], strict=True)
    ]
    burnt = rasterize(shapes, shape, transform=profile["transform"], dtype=profile["dtype"])
    with rasterio.open(tmp_path / "burnt.tif", "w", **(profile | {"nodata": 0})) as dataset:
        dataset.write(burnt, 1)
    of_polygons = rsclass.suggest(
        made.path,
        reference=files["reference"],
        layer="polygons",
        field="class_name",
        spectra=False,
    )
    of_raster = rsclass.suggest(made.path, reference=tmp_path / "burnt.tif", spectra=False)
    assert sum(vote.pixels > 0 for vote in of_raster.votes) > 5
    for raster, polygon in zip(of_raster.votes, of_polygons.votes, strict=True):
        assert raster.witnesses <= polygon.witnesses
        assert raster.confidence == surely(raster.purity, raster.witnesses)


def test_points_are_counted_one_by_one_and_are_their_own_witnesses(files, made, tmp_path):
    rng = np.random.default_rng(3)
    with rasterio.open(made.path) as dataset:
        values, transform, crs = dataset.read(1), dataset.transform, dataset.crs
    rows, cols = rng.integers(0, 300, 60), rng.integers(0, 280, 60)
    labels = rng.choice(["wood", "field"], 60)
    x = transform.c + (cols + 0.5) * transform.a
    y = transform.f + (rows + 0.5) * transform.e
    frame = geopandas.GeoDataFrame(
        {"cover": labels}, geometry=[Point(*xy) for xy in zip(x, y, strict=True)], crs=crs
    )
    frame.to_file(tmp_path / "points.gpkg")
    with open_class_map(made.path) as class_map:
        crossed = cross_features(class_map, tmp_path / "points.gpkg", "cover", Running())
    at = {}
    for row, col, label in zip(rows, cols, labels, strict=True):
        at.setdefault((row, col), set()).add(label)
    expected = np.zeros((2, 9), int)
    for (row, col), met in at.items():
        if len(met) == 1 and values[row, col]:
            expected[["field", "wood"].index(met.pop()), values[row, col] - 1] += 1
    np.testing.assert_array_equal(crossed.table, expected)
    np.testing.assert_array_equal(crossed.witnesses, expected.sum(axis=0))


def test_a_reference_whose_every_pixel_is_contested_is_refused(made, tmp_path):
    with rasterio.open(made.path) as dataset:
        west, south, east, north = dataset.bounds
        crs = dataset.crs
    twice = [box(west, (south + north) / 2, (west + east) / 2, north)] * 2
    geopandas.GeoDataFrame({"cover": ["wood", "field"]}, geometry=twice, crs=crs).to_file(
        tmp_path / "twice.gpkg"
    )
    with pytest.raises(DataError, match=r"claimed by several labels\); check"):
        rsclass.suggest(made.path, reference=tmp_path / "twice.gpkg", field="cover")


def test_a_reference_in_another_crs_or_without_any_is_laid_over(files, made, tmp_path):
    polygons = geopandas.read_file(files["reference"], layer="polygons")
    polygons.to_crs("EPSG:4326").to_file(tmp_path / "degrees.gpkg")
    polygons.set_crs(None, allow_override=True).to_file(tmp_path / "bare.gpkg")
    how = {"field": "class_name", "spectra": False}
    plain = rsclass.suggest(made.path, reference=files["reference"], layer="polygons", **how)
    degrees = rsclass.suggest(made.path, reference=tmp_path / "degrees.gpkg", **how)
    bare = rsclass.suggest(made.path, reference=tmp_path / "bare.gpkg", vector_crs="scene", **how)
    assert [vote.label for vote in degrees.votes] == [vote.label for vote in plain.votes]
    assert bare.votes == plain.votes
    with pytest.raises(DataError, match="--vector-crs"):
        rsclass.suggest(made.path, reference=tmp_path / "bare.gpkg", **how)


def test_suggestions_from_the_truth_are_the_commonest_class_of_each_cluster(files, made):
    found = rsclass.suggest(made.path, reference=files["truth"], spectra=False)
    expected = counted(made.path, files["truth"], made)
    with open_class_map(files["truth"]) as truth:
        name_of = {c.value: c.name for c in truth.legend}
    values = sorted({t for t, _ in expected})
    best = 0
    for proposal, vote in zip(found.proposals, found.votes, strict=True):
        counts = [expected[t, proposal.cluster] for t in values]
        assert vote.label == name_of[values[int(np.argmax(counts))]]
        best += max(counts)
    assert found.purity == pytest.approx(best / sum(expected.values()))
    assert found.table is None
    assert found.opinions is None


def test_a_reference_on_another_grid_is_read_by_nearest_neighbor_and_told(files, made, tmp_path):
    with rasterio.open(files["truth"]) as dataset:
        transform, width, height = calculate_default_transform(
            dataset.crs, "EPSG:4326", dataset.width, dataset.height, *dataset.bounds
        )
        moved = np.zeros((height, width), np.uint8)
        reproject(
            dataset.read(1),
            moved,
            src_transform=dataset.transform,
            src_crs=dataset.crs,
            dst_transform=transform,
            dst_crs="EPSG:4326",
            resampling=Resampling.nearest,
        )
    with rasterio.open(
        tmp_path / "degrees.tif",
        "w",
        driver="GTiff",
        width=width,
        height=height,
        count=1,
        dtype="uint8",
        crs="EPSG:4326",
        transform=transform,
        nodata=0,
    ) as dataset:
        dataset.write(moved, 1)
    plain = rsclass.suggest(made.path, reference=files["truth"], spectra=False)
    found = rsclass.suggest(made.path, reference=tmp_path / "degrees.tif", spectra=False)
    assert "nearest neighbor" in found.warnings[-1]
    for one, other in zip(plain.votes, found.votes, strict=True):
        assert other.purity == pytest.approx(one.purity, abs=0.05)


KINDS = {
    "grassland": "vegetation",
    "cropland": "vegetation",
    "bare soil": "bare soil",
    "broadleaf forest": "vegetation",
    "conifer forest": "vegetation",
    "built-up": "built-up",
    "water": "water",
    "gravel": "bare soil",
}


def test_what_spectra_name_in_a_simulated_scene_is_mostly_so(files, made):
    found = rsclass.suggest(made.path)
    schema = read_schema(files["schema"])
    with rasterio.open(made.path) as one, rasterio.open(files["truth"]) as other:
        values, truth = one.read(1), other.read(1)
    right = named = 0
    for proposal in found.proposals:
        assert proposal.evidence
        if proposal.name is None:
            continue
        below = truth[(values == proposal.cluster) & (truth > 0)]
        kinds = [KINDS[schema[code].name] for code in below.tolist()]
        named += len(kinds)
        right += kinds.count(proposal.name)
    assert named > 0.7 * np.count_nonzero(truth)
    assert right > 0.85 * named


def test_nothing_is_written_without_apply(files, made, tmp_path):
    found = rsclass.suggest(made.path, table=tmp_path / "merge.csv")
    assert found.table is None
    assert list(tmp_path.iterdir()) == []


def test_apply_writes_a_table_that_merge_understands(files, made, tmp_path):
    place = tmp_path / "merge.csv"
    found = rsclass.suggest(
        made.path, reference=files["truth"], schema=files["schema"], table=place, apply=True
    )
    assert found.table == place
    table = read_merge_table(place)
    for proposal, row in zip(found.proposals, table, strict=True):
        assert (row.cluster, row.code) == (proposal.cluster, proposal.code)
        assert row.by == ("rsclass suggest (reference)" if row.code else "")
        assert "confidence" in row.why
    decided = [replace(row, code=row.code or 0) for row in table]
    place.write_text(MergeTable(tuple(decided)).to_csv())
    merged = rsclass.merge(made.path, tmp_path / "merged.tif", schema=files["schema"], table=place)
    with rasterio.open(merged.path) as new, rasterio.open(made.path) as old:
        codes = {row.cluster: row.code for row in decided}
        np.testing.assert_array_equal(
            new.read(1), np.vectorize(lambda v: codes.get(v, 0))(old.read(1))
        )


def test_decisions_that_stand_in_a_table_are_kept_and_the_filling_can_be_undone(
    files, made, tmp_path
):
    place = tmp_path / "merge.csv"
    with open_class_map(made.path) as class_map:
        empty = MergeTable.empty(class_map.legend)
    text = empty.to_csv().replace("\n1,class 1,,,,", "\n1,class 1,7,Marsh,me,seen there")
    place.write_text(text)
    before = read_merge_table(place)
    found = rsclass.suggest(made.path, reference=files["truth"], table=place, apply=True)
    table = read_merge_table(place)
    assert table[1] == before[1]
    assert 1 not in found.applied
    assert set(found.applied) == {row.cluster for row in table if row.by.startswith("rsclass")}
    assert 7 not in {row.code for row in table if row.cluster != 1}
    undo_merge_table(place)
    assert read_merge_table(place) == before


def test_the_table_of_another_map_is_left_alone(made, tmp_path):
    place = tmp_path / "merge.csv"
    place.write_text("cluster,code\n1,\n2,\n77,\n")
    with pytest.raises(DataError, match="do not have the same clusters, 3 for one"):
        rsclass.suggest(made.path, table=place, apply=True)
    assert place.read_text() == "cluster,code\n1,\n2,\n77,\n"


def test_a_reference_is_enough_where_spectra_are_not_known(files, made, tmp_path):
    alone = shutil.copy(made.path, tmp_path / "alone.tif")
    with rasterio.open(alone) as dataset:
        values, profile = dataset.read(1), dataset.profile
    with rasterio.open(tmp_path / "foreign.tif", "w", **profile) as dataset:
        dataset.write(values, 1)
    found = rsclass.suggest(tmp_path / "foreign.tif", reference=files["truth"])
    assert found.opinions is None
    assert any("spectra are not judged" in warning for warning in found.warnings)
    with pytest.raises(DataError, match="give the scene with --scene"):
        rsclass.suggest(tmp_path / "foreign.tif")
    judged = rsclass.suggest(tmp_path / "foreign.tif", scene=files["scene"])
    assert [p.name for p in judged.proposals] == [
        p.name for p in rsclass.suggest(made.path).proposals
    ]


def test_a_reference_of_another_place_is_refused(made, tmp_path):
    with rasterio.open(made.path) as dataset:
        values, profile = dataset.read(1), dataset.profile
    moved = rasterio.Affine.translation(1e5, 0) @ profile["transform"]
    with rasterio.open(tmp_path / "far.tif", "w", **(profile | {"transform": moved})) as dataset:
        dataset.write(values, 1)
    with pytest.raises(DataError, match="give a reference of the same place"):
        rsclass.suggest(made.path, reference=tmp_path / "far.tif")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"spectra": False}, "nothing to go by"),
        ({"field": "cover"}, "without a reference"),
        ({"vector_crs": "EPSG:4326"}, "without a reference"),
        ({"apply": True}, "name it with --table"),
        ({"min_confidence": 1.5}, "from 0 to 1"),
        ({"apply": True, "table": "merge.json"}, "a merge table is a .csv file"),
    ],
)
def test_requests_that_do_not_go_together_are_refused(made, asked, words):
    with pytest.raises(UsageError, match=words):
        rsclass.suggest(made.path, **asked)


def test_a_vector_reference_without_a_field_says_what_to_give(files, made):
    with pytest.raises((DataError, UsageError), match="--field"):
        rsclass.suggest(made.path, reference=files["reference"])


def test_a_table_that_cannot_be_written_is_told(made, tmp_path):
    with pytest.raises(OutputError, match="does not exist"):
        rsclass.suggest(made.path, table=tmp_path / "no" / "merge.csv", apply=True)
