"""Maps compared with references of every kind."""

from __future__ import annotations

import csv
import io
import json
import math
from itertools import pairwise
from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
from made_maps import UTM, write_map
from pyproj import Geod
from rasterio.transform import from_origin
from sklearn import metrics

import rsclass
from rsclass.errors import DataError, OutputExistsError, UsageError
from rsclass.run.settings import Running

NAMES = {1: "Water", 4: "Bare soil", 5: "Forest"}
HEIGHT, WIDTH = 120, 90


def truth() -> np.ndarray:
    values = np.full((HEIGHT, WIDTH), 5, np.uint8)
    values[:, :30] = 1
    values[80:, 20:] = 4
    return values


def mapped() -> np.ndarray:
    rng = np.random.default_rng(2)
    values = truth()
    wrong = rng.random(values.shape) < 0.2
    values[wrong] = rng.choice([1, 4, 5], wrong.sum())
    values[:5] = 0
    return values


@pytest.fixture(scope="module")
def class_map(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_map(tmp_path_factory.mktemp("map") / "map.tif", mapped(), NAMES)


def at_points(path: Path, rows, cols, labels, **columns) -> Path:
    x, y = 500_000 + 30 * (np.asarray(cols) + 0.3), 5_000_000 - 30 * (np.asarray(rows) + 0.6)
    frame = geopandas.GeoDataFrame(
        {"label": labels, **columns}, geometry=shapely.points(x, y), crs=UTM
    )
    frame.to_file(path)
    return path


def random_places(n: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    return rng.integers(5, HEIGHT, n), rng.integers(0, WIDTH, n)


def names_of(values: np.ndarray) -> list[str]:
    return [NAMES[int(v)] for v in values]


# -- published examples, from file to figure ------------------------------------------------


def write_table(path: Path, head: str, lines: list[str]) -> Path:
    path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return path


def test_olofsson_2014_from_a_map_of_ten_million_pixels(tmp_path):
    sizes = [200_000, 150_000, 3_200_000, 6_450_000]
    names = ["Deforestation", "Forest gain", "Stable forest", "Stable non-forest"]
    values = np.repeat(np.arange(1, 5, dtype=np.uint8), sizes).reshape(2500, 4000)
    path = write_map(tmp_path / "map.tif", values, dict(enumerate(names, 1)))
    published = [[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]]
    lines = [f"{names[i]},{names[j]},{published[i][j]}" for i in range(4) for j in range(4)]
    table = write_table(tmp_path / "units.csv", "map,reference,count", lines)
    found = rsclass.assess(path, table, assume_design="stratified").accuracy
    hectares = [c.area_hectares for c in found.classes]
    assert [round(h.value, 2) for h in hectares] == [21157.76, 11686.15, 285769.93, 581386.15]
    assert [round(h.margin, 2) for h in hectares] == [6157.63, 3755.83, 15509.84, 16281.66]
    assert [round(f.value, 6) for f in found.users] == [0.88, 0.733333, 0.927273, 0.963077]
    assert [round(f.margin, 6) for f in found.producers] == [0.213310, 0.254408, 0.034324, 0.018362]
    assert round(found.overall.value, 4) == 0.9465
    assert [c.mapped_hectares for c in found.classes] == pytest.approx([s * 0.09 for s in sizes])


def test_stehman_2014_from_a_table_with_strata(tmp_path):
    sizes = [40_000, 30_000, 20_000, 10_000]
    values = np.repeat(np.arange(1, 5, dtype=np.uint8), sizes).reshape(250, 400)
    path = write_map(tmp_path / "map.tif", values, dict(enumerate("ABCD", 1)))
    shown = "AAAAAAABBB ABBBBBBBBB BBCCCCCCBB DDDDDDDDDD".replace(" ", "")
    right = "AAAAACBABC ABBBBBAABB CCCCCDDBBA DDDDDDDCCB".replace(" ", "")
    lines = [
        f"{m};{r};{'ABCD'[i // 10]}" for i, (m, r) in enumerate(zip(shown, right, strict=True))
    ]
    table = write_table(tmp_path / "units.csv", "map;truth;zone", lines)
    found = rsclass.assess(path, table, field="truth", strata="zone")
    assert found.basis.kind == "stratified"
    assert "not the map classes" in found.basis.told
    accuracy = found.accuracy
    assert [round(f.value, 2) for f in accuracy.area_shares] == [0.35, 0.34, 0.2, 0.11]
    assert [round(f.error, 6) for f in accuracy.area_shares] == [
        0.082248, 0.075853, 0.064280, 0.030722,
    ]  # fmt: skip
    assert [round(f.error, 6) for f in accuracy.users] == [0.164542, 0.124782, 0.215112, 0.152676]
    assert round(accuracy.overall.error, 6) == 0.084642


def test_an_area_weighted_matrix_found_in_the_wild(shared_data, tmp_path):
    """The counts and mapped areas of Olofsson 2014 as a project on the web has typed them."""
    file = shared_data / "accuracy_tables" / "olofsson_style_confusion_matrix.csv"
    head, *rows = list(csv.reader(io.StringIO(file.read_text()), delimiter=";"))
    classes = [row for row in rows if row[0] != "Total"]
    names = head[1:5]
    sizes = [int(row[6]) for row in classes]
    values = np.repeat(np.arange(1, 5, dtype=np.uint8), sizes).reshape(2500, 4000)
    path = write_map(tmp_path / "map.tif", values, dict(enumerate(names, 1)))
    lines = [
        f"{row[0]},{name},{n}" for row in classes for name, n in zip(names, row[1:5], strict=True)
    ]
    table = write_table(tmp_path / "units.csv", "map,reference,count", lines)
    found = rsclass.assess(path, table, assume_design="stratified").accuracy
    pixels = found.area_shares[0]
    assert round(pixels.value * 1e7, 2) == 235086.25
    assert round(pixels.margin * 1e7, 2) == 68418.16


# -- points ---------------------------------------------------------------------------------


def test_points_are_compared_with_the_pixel_that_they_fall_into(class_map, tmp_path):
    rows, cols = random_places(150)
    right, shown = truth()[rows, cols], mapped()[rows, cols]
    path = at_points(tmp_path / "p.gpkg", rows, cols, names_of(right))
    found = rsclass.assess(class_map, path, field="label")
    classes = [1, 4, 5]
    matrix = metrics.confusion_matrix(right, shown, labels=classes)
    np.testing.assert_array_equal(found.accuracy.confusion.counts, matrix)
    assert found.accuracy.names == tuple(NAMES.values())
    assert found.overall == pytest.approx(metrics.accuracy_score(right, shown))
    assert found.accuracy.kappa.value == pytest.approx(metrics.cohen_kappa_score(right, shown))
    assert found.figure("nmi") == pytest.approx(metrics.normalized_mutual_info_score(right, shown))


def test_points_of_unknown_design_get_no_intervals_and_no_areas(class_map, tmp_path):
    rows, cols = random_places(50)
    path = at_points(tmp_path / "p.gpkg", rows, cols, names_of(truth()[rows, cols]))
    found = rsclass.assess(class_map, path, field="label")
    assert found.basis.kind == "unknown"
    assert any("--assume-design" in warning for warning in found.warnings)
    assert math.isnan(found.accuracy.overall.error)
    assert all(math.isnan(c.area_hectares.value) for c in found.accuracy.classes)
    sizes = [np.count_nonzero(mapped() == v) for v in NAMES]
    assert [c.mapped_pixels for c in found.accuracy.classes] == sizes
    assert [c.mapped_hectares for c in found.accuracy.classes] == pytest.approx(
        [0.09 * n for n in sizes]
    )


def test_a_simple_random_sample_has_binomial_errors(class_map, tmp_path):
    rows, cols = random_places(200)
    right, shown = truth()[rows, cols], mapped()[rows, cols]
    path = at_points(tmp_path / "p.gpkg", rows, cols, right.astype(int))
    overall = rsclass.assess(
        class_map, path, field="label", assume_design="simple"
    ).accuracy.overall
    p, n, whole = (right == shown).mean(), 200, np.count_nonzero(mapped())
    assert overall.error == pytest.approx(math.sqrt(p * (1 - p) / (n - 1) * (1 - n / whole)))
    assert overall.high - overall.value == pytest.approx(1.96 * overall.error)


def test_labels_are_names_in_any_letters_or_values(class_map, tmp_path):
    rows, cols = random_places(60)
    right = truth()[rows, cols]
    spelled = {1: "WATER", 4: "bare_soil", 5: "5"}
    path = at_points(tmp_path / "p.gpkg", rows, cols, [spelled[int(v)] for v in right])
    found = rsclass.assess(class_map, path, field="label")
    assert found.accuracy.names == tuple(NAMES.values())
    assert found.overall == pytest.approx((right == mapped()[rows, cols]).mean())


def test_what_cannot_be_compared_is_counted(class_map, tmp_path):
    labels = ["Water", "Water", None, "Water"]
    path = at_points(tmp_path / "p.gpkg", [50, 2, 60, 900], [10, 10, 10, 10], labels)
    found = rsclass.assess(class_map, path, field="label")
    assert found.accuracy.confusion.n == 1
    assert found.skipped == {
        "without a label": 1,
        "outside of the map": 1,
        "without a class in the map": 1,
        "outside of the strata": 0,
    }
    assert "1 outside of the map" in found.summary()


def test_labels_that_are_no_classes_are_named_with_those_that_are(class_map, tmp_path):
    rows, cols = random_places(60)
    labels = names_of(truth()[rows, cols])
    labels[:3] = ["Snow", "Ice", "Snow"]
    path = at_points(tmp_path / "p.gpkg", rows, cols, labels)
    with pytest.raises(DataError, match=r"'Ice', 'Snow'.*1 'Water', 4 'Bare soil', 5 'Forest'"):
        rsclass.assess(class_map, path, field="label")
    skipped = rsclass.assess(class_map, path, field="label", on_unknown="skip")
    assert skipped.accuracy.confusion.n == 57
    as_class = rsclass.assess(class_map, path, field="label", on_unknown="class")
    assert as_class.accuracy.names == (*NAMES.values(), "Ice", "Snow")
    assert as_class.accuracy.confusion.n == 60
    assert as_class.figure("snow.producers") == 0
    assert math.isnan(as_class.figure("snow.users"))


def test_points_far_apart_are_looked_up_in_their_own_blocks(tmp_path):
    rng = np.random.default_rng(6)
    values = rng.integers(1, 200, (1100, 1300)).astype(np.uint8)
    path = write_map(tmp_path / "m.tif", values)
    rows, cols = rng.integers(0, 1100, 400), rng.integers(0, 1300, 400)
    file = at_points(tmp_path / "p.gpkg", rows, cols, values[rows, cols].astype(int))
    found = rsclass.assess(path, file, field="label")
    assert found.overall == 1
    assert found.accuracy.confusion.n == 400


def test_strata_from_a_raster(class_map, tmp_path):
    zones = np.where(np.arange(HEIGHT)[:, None] < 60, 1, 2) + np.zeros(WIDTH, int)
    zones[:5] = 3  # where the map has no class
    legend = {1: "north", 2: "south", 3: "beyond"}
    raster = write_map(tmp_path / "zones.tif", zones.astype(np.uint8), legend)
    rows, cols = random_places(90)
    path = at_points(tmp_path / "p.gpkg", rows, cols, names_of(truth()[rows, cols]))
    found = rsclass.assess(class_map, path, field="label", strata=raster)
    sample = found.accuracy.sample
    assert sample.strata == ("north", "south")
    assert sample.units.tolist() == [np.count_nonzero(rows < 60), np.count_nonzero(rows >= 60)]
    assert sample.sizes.tolist() == [55 * WIDTH, 60 * WIDTH]


# -- the samples of rsclass -----------------------------------------------------------------


def fill(path: Path, n: int | None = None) -> None:
    """Label points by the truth, as an interpreter would in QGIS."""
    import pyogrio

    frame = pyogrio.read_dataframe(path, layer="sample")
    rows = np.floor((5_000_000 - frame.geometry.y) / 30).astype(int)
    cols = np.floor((frame.geometry.x - 500_000) / 30).astype(int)
    labels = names_of(truth()[rows, cols])
    frame["reference"] = [label if n is None or i < n else None for i, label in enumerate(labels)]
    units, design = (
        pyogrio.read_dataframe(path, layer=f"rsclass_{t}") for t in ("units", "design")
    )
    path.unlink()
    pyogrio.write_dataframe(frame, path, layer="sample", driver="GPKG")
    pyogrio.write_dataframe(units, path, layer="rsclass_units", driver="GPKG", append=True)
    pyogrio.write_dataframe(design, path, layer="rsclass_design", driver="GPKG", append=True)


@pytest.mark.parametrize("hide_class", [False, True])
@pytest.mark.parametrize("design", ["simple", "systematic", "stratified"])
def test_a_sample_is_assessed_by_the_design_that_it_records(
    class_map, tmp_path, design, hide_class
):
    path = tmp_path / "s.gpkg"
    rsclass.plan_sample(class_map, path, design=design, n=150, least=30, hide_class=hide_class)
    fill(path)
    found = rsclass.assess(class_map, path)
    assert (found.basis.kind, found.basis.source) == (design, "recorded")
    assert ("map classes" in found.basis.told) == (design == "stratified")
    low, high = found.accuracy.overall.low, found.accuracy.overall.high
    valid = mapped() > 0
    assert low < (mapped() == truth())[valid].mean() < high
    for one, value in zip(found.accuracy.classes, NAMES, strict=True):
        area = np.count_nonzero(truth()[valid] == value) * 0.09
        # Four standard errors: one of some thousand right estimators fails.
        assert abs(one.area_hectares.value - area) < 4 * one.area_hectares.error
    whole = sum(c.area_hectares.value for c in found.accuracy.classes)
    assert whole == pytest.approx(np.count_nonzero(valid) * 0.09)


def test_a_sample_drawn_from_one_map_assesses_another(class_map, tmp_path):
    path = tmp_path / "s.gpkg"
    rsclass.plan_sample(class_map, path, n=200, least=40)
    fill(path)
    better = truth()
    better[:5] = 0
    other = write_map(tmp_path / "other.tif", better, NAMES)
    found = rsclass.assess(other, path)
    assert found.overall == pytest.approx(1)
    assert "not the map classes" in found.basis.told
    assert found.accuracy.sample.finite


@pytest.mark.parametrize("suffix", [".geojson", ".fgb"])
def test_a_sample_saved_in_another_format_keeps_its_design(class_map, tmp_path, suffix):
    import pyogrio

    path = tmp_path / "s.gpkg"
    rsclass.plan_sample(class_map, path, n=150, least=30)
    fill(path)
    copy = path.with_suffix(suffix)
    pyogrio.write_dataframe(pyogrio.read_dataframe(path, layer="sample"), copy)
    whole, copied = (rsclass.assess(class_map, p).accuracy for p in (path, copy))
    assert copied.overall == whole.overall
    assert copied.area_shares == whole.area_shares


def test_points_added_by_hand_are_no_part_of_a_random_sample(class_map, tmp_path):
    import pyogrio

    path = tmp_path / "s.gpkg"
    rsclass.plan_sample(class_map, path, n=100, least=20)
    fill(path)
    frame = pyogrio.read_dataframe(path, layer="sample").iloc[:1]
    frame["id"] = 4711
    pyogrio.write_dataframe(frame, path, layer="sample", append=True)
    with pytest.raises(DataError, match="id 4711; a point that was added by hand"):
        rsclass.assess(class_map, path)
    assumed = rsclass.assess(class_map, path, assume_design="simple")
    assert assumed.accuracy.confusion.n == 101


def test_points_not_labelled_yet_are_counted(class_map, tmp_path):
    path = tmp_path / "s.gpkg"
    rsclass.plan_sample(class_map, path, n=100, least=20)
    with pytest.raises(DataError, match=r"no point of .* has a label in 'reference' yet"):
        rsclass.assess(class_map, path)
    fill(path, 80)
    found = rsclass.assess(class_map, path)
    assert found.skipped["without a label"] == 20
    assert any("20 of 100 points have no label" in warning for warning in found.warnings)


# -- polygons and rasters -------------------------------------------------------------------


def test_pixels_of_polygons_are_compared_but_never_taken_for_a_random_sample(class_map, tmp_path):
    boxes = [(2, 10, 20, 30), (40, 60, 30, 50), (95, 110, 40, 80)]
    shapes = [
        shapely.box(
            500_000 + 30 * left, 5_000_000 - 30 * low, 500_000 + 30 * right, 5_000_000 - 30 * top
        )
        for top, low, left, right in boxes
    ]
    labels = ["Water", "Forest", "Bare soil"]
    path = tmp_path / "p.gpkg"
    geopandas.GeoDataFrame({"label": labels}, geometry=shapes, crs=UTM).to_file(path)
    found = rsclass.assess(class_map, path, field="label")
    right, shown = [], []
    for (top, low, left, end), label in zip(boxes, labels, strict=True):
        part = mapped()[top:low, left:end].ravel()
        shown += [NAMES[int(v)] for v in part if v]
        right += [label] * np.count_nonzero(part)
    matrix = metrics.confusion_matrix(right, shown, labels=list(NAMES.values()))
    np.testing.assert_array_equal(found.accuracy.confusion.counts, matrix)
    assert found.basis.kind == "unknown"
    assert found.skipped["without a class in the map"] == 3 * 10
    assumed = rsclass.assess(class_map, path, field="label", assume_design="simple")
    assert assumed.accuracy.overall.error > 0
    assert any("pixels of one polygon are alike" in w for w in assumed.warnings)


def test_a_raster_that_covers_the_map_is_no_sample_and_needs_no_estimate(class_map, tmp_path):
    reference = write_map(tmp_path / "truth.tif", truth())
    found = rsclass.assess(class_map, reference)
    valid = mapped() > 0
    assert found.basis.kind == "census"
    matrix = metrics.confusion_matrix(truth()[valid], mapped()[valid], labels=[1, 4, 5])
    np.testing.assert_array_equal(found.accuracy.confusion.counts, matrix)
    assert [c.area_hectares.value for c in found.accuracy.classes] == pytest.approx(
        [np.count_nonzero(truth()[valid] == v) * 0.09 for v in NAMES]
    )
    assert any("1 is 'Water', 4 is 'Bare soil', 5 is 'Forest'" in w for w in found.warnings)
    assert math.isnan(found.accuracy.overall.error)


def test_classes_of_the_map_that_no_label_means_are_named(class_map, tmp_path):
    rows, cols = random_places(80)
    labels = np.array(names_of(truth()[rows, cols]))
    coarse = np.where(labels == "Bare soil", "Forest", labels)
    files = [
        at_points(tmp_path / f"{i}.gpkg", rows, cols, some)
        for i, some in enumerate((coarse, labels))
    ]
    warnings = [rsclass.assess(class_map, file, field="label").warnings for file in files]
    silent = [[text for text in every if text.startswith("no label of")] for every in warnings]
    assert len(silent[0]) == 1
    assert "no label of 0.gpkg is 'Bare soil' of the map" in silent[0][0]
    assert silent[1] == []


def test_a_raster_with_gaps_is_of_unknown_design(class_map, tmp_path):
    part = truth()
    part[::3] = 0
    reference = write_map(tmp_path / "truth.tif", part, NAMES)
    found = rsclass.assess(class_map, reference)
    assert found.basis.kind == "unknown"
    assert found.accuracy.confusion.n == np.count_nonzero((part > 0) & (mapped() > 0))


def test_a_smaller_raster_is_laid_where_it_belongs(class_map, tmp_path):
    grid = from_origin(500_000 + 30 * 20, 5_000_000 - 30 * 40, 30, 30)
    reference = write_map(tmp_path / "t.tif", truth()[40:70, 20:60], NAMES, transform=grid)
    found = rsclass.assess(class_map, reference)
    agree = (truth() == mapped())[40:70, 20:60]
    assert found.overall == pytest.approx(agree.mean())


def test_a_raster_on_another_grid_is_read_below_the_centers_of_the_map(class_map, tmp_path):
    finer = truth().repeat(3, 0).repeat(3, 1)
    grid = from_origin(500_000, 5_000_000, 10, 10)
    reference = write_map(tmp_path / "t.tif", finer, NAMES, transform=grid)
    found = rsclass.assess(class_map, reference)
    assert any("another grid" in warning for warning in found.warnings)
    same = rsclass.assess(class_map, write_map(tmp_path / "s.tif", truth(), NAMES))
    assert found.accuracy.confusion == same.accuracy.confusion


def test_the_same_figures_for_all_tiles_and_threads_also_in_degrees(tmp_path):
    rng = np.random.default_rng(1)
    grid = from_origin(10, 70, 0.001, 0.01)
    shown = rng.integers(0, 4, (1100, 600)).astype(np.uint8)
    path = write_map(tmp_path / "m.tif", shown, crs="EPSG:4326", transform=grid)
    part = np.where(rng.random(shown.shape) < 0.5, shown, rng.integers(0, 4, shown.shape))
    reference = write_map(
        tmp_path / "r.tif", part.astype(np.uint8), crs="EPSG:4326", transform=grid
    )
    found = [
        json.dumps(
            rsclass.assess(path, reference, assume_design="simple", running=running).to_dict()
        )
        for running in (Running(jobs=1), Running(jobs=3, tile=512))
    ]
    assert found[0] == found[1]
    areas = json.loads(found[0])["classes"][0]
    edges = [70 - 0.01 * row for row in range(1101)]
    strips = [shapely.box(10, low, 10.001, high) for high, low in pairwise(edges)]
    ellipsoid = Geod(ellps="WGS84")
    weights = np.array([ellipsoid.geometry_area_perimeter(s)[0] for s in strips])[:, None]
    both = (shown > 0) & (part > 0)
    by_area = (weights * (both & (part == 1))).sum() / (weights * both).sum()
    # Areas of pixels are told apart to 2**14 steps, which errs by nothing on average.
    assert areas["area_share"]["value"] == pytest.approx(by_area, rel=1e-6)
    hectares = (weights * (shown == 1)).sum() / 1e4
    # A strip ends on parallels, a box of the oracle on geodesics.
    assert areas["mapped_hectares"] == pytest.approx(hectares, rel=1e-6)


# -- clusters -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clustered(small_scene, tmp_path_factory) -> tuple[Path, Path]:
    """A map of k-means, and the truth beside its scene."""
    out = tmp_path_factory.mktemp("clustered") / "map.tif"
    path = rsclass.classify(small_scene, out, method="kmeans", classes=5).path
    return path, next(small_scene.parent.glob("*truth*.tif"))


def test_clusters_without_names_get_scores_that_need_none(clustered):
    class_map, reference = clustered
    found = rsclass.assess(class_map, reference)
    assert found.accuracy is None
    assert any("clusters without names" in warning for warning in found.warnings)
    with rasterio.open(class_map) as a, rasterio.open(reference) as b:
        shown, right = a.read(1), b.read(1)
    good = (shown > 0) & (right > 0)
    shown, right = shown[good], right[good]
    assert found.figure("nmi") == pytest.approx(metrics.normalized_mutual_info_score(right, shown))
    assert found.figure("ari") == pytest.approx(metrics.adjusted_rand_score(right, shown))
    assert found.overall == found.figure("paired")
    assert "adjusted Rand index" in found.summary()
    assert "adjusted Rand index" in found._repr_html_()
    labels, clusters = found.clusters.table.shape
    assert found.to_frame().shape == (labels, clusters + 1)
    with pytest.raises(UsageError, match="nmi, ari, purity and paired"):
        found.figure("users")


def test_whoever_says_so_gets_classes_or_clusters(clustered, class_map, tmp_path):
    path, reference = clustered
    with pytest.raises(DataError, match="'grassland', 'cropland'"):
        rsclass.assess(path, reference, clusters=False)
    found = rsclass.assess(class_map, write_map(tmp_path / "t.tif", truth()), clusters=True)
    assert found.accuracy is None


# -- outputs and errors ---------------------------------------------------------------------


def test_the_table_names_its_axes_and_holds_counts_and_areas(class_map, tmp_path):
    rows, cols = random_places(90)
    path = at_points(tmp_path / "p.gpkg", rows, cols, names_of(truth()[rows, cols]))
    out = tmp_path / "a.csv"
    found = rsclass.assess(class_map, path, field="label", assume_design="stratified", table=out)
    lines = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"))))
    assert [line["reference"] for line in lines] == list(NAMES.values())
    counts = [[int(line[f"map: {name}"]) for name in NAMES.values()] for line in lines]
    assert counts == found.accuracy.confusion.counts.tolist()
    shares = [[float(line[f"area, map: {name}"]) for name in NAMES.values()] for line in lines]
    assert shares == found.accuracy.matrix.counts.tolist()
    frame = found.to_frame()
    assert frame["producers"].tolist() == [f.value for f in found.accuracy.producers]


def test_the_report_stands_alone_and_escapes_names(tmp_path):
    names = {1: "<script>alert(1)</script>", 4: "a & b", 5: "=Forest()"}
    path = write_map(tmp_path / "m.tif", mapped(), names)
    reference = write_map(tmp_path / "t.tif", truth(), names)
    page = tmp_path / "r.html"
    out = tmp_path / "a.csv"
    found = rsclass.assess(path, reference, report=page, table=out, assume_design="simple")
    assert "<script" not in found._repr_html_()
    assert "\n'=Forest()," in out.read_text(encoding="utf-8")
    text = page.read_text(encoding="utf-8")
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert text.count("data:image/svg+xml") == 3
    assert "95 % intervals" in text


def test_nothing_is_written_when_one_output_cannot_be(class_map, tmp_path):
    reference = write_map(tmp_path / "t.tif", truth(), NAMES)
    (tmp_path / "r.html").write_text("mine")
    with pytest.raises(OutputExistsError):
        rsclass.assess(class_map, reference, table=tmp_path / "a.csv", report=tmp_path / "r.html")
    assert not (tmp_path / "a.csv").exists()
    assert (tmp_path / "r.html").read_text() == "mine"


def test_an_output_is_never_the_reference(class_map, tmp_path):
    table = write_table(tmp_path / "a.csv", "map,reference", ["Water,Water"])
    with pytest.raises(UsageError, match="same file as the input"):
        rsclass.assess(class_map, table, table=table, overwrite=True)
    assert table.read_text().startswith("map,reference")


@pytest.mark.parametrize(
    ("head", "line", "told"),
    [
        ("map,label", "Water,Water", "no column 'reference'"),
        ("map,reference", "Lava,Water", "'Lava'.*1 'Water'"),
        ("map,reference,count", "Water,Water,many", "whole numbers"),
        ("map,reference,count", "Water,Water,-3", "negative"),
        ("map,reference", ",Water", "has no label where"),
    ],
)
def test_tables_that_make_no_sense_are_told_so(class_map, tmp_path, head, line, told):
    table = write_table(tmp_path / "a.csv", head, [line])
    with pytest.raises((DataError, UsageError), match=told):
        rsclass.assess(class_map, table)


def test_a_column_has_to_be_chosen_and_those_there_are_named(class_map, tmp_path):
    path = at_points(tmp_path / "p.gpkg", [50], [10], ["Water"], kind=["x"])
    with pytest.raises(UsageError, match=r"--field; its columns: label, kind"):
        rsclass.assess(class_map, path)
    with pytest.raises(UsageError, match="Did you mean 'label'"):
        rsclass.assess(class_map, path, field="labl")


def test_a_reference_of_another_place_is_refused_with_both_extents(class_map, tmp_path):
    """V02"""
    path = at_points(tmp_path / "p.gpkg", [50_000], [10], ["Water"])
    with pytest.raises(DataError, match="outside of map"):
        rsclass.assess(class_map, path, field="label")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"assume_design": "snowball"}, "stratified"),
        ({"confidence": 95}, "0.95 is usual"),
        ({"on_unknown": "guess"}, "skip"),
        ({"strata": "zone", "assume_design": "simple"}, "no strata"),
        ({"field": "label"}, "has no columns"),
    ],
)
def test_impossible_requests_are_refused(class_map, tmp_path, settings, told):
    reference = write_map(tmp_path / "t.tif", truth(), NAMES)
    with pytest.raises(UsageError, match=told):
        rsclass.assess(class_map, reference, **settings)
