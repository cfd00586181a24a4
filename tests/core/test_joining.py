"""Tables made by a schema's levels, by a map's own codes, and by the dendrogram."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage

from rsclass.core.joining import cut_classes, lifted, own_codes, schema_of_table
from rsclass.core.legend import Legend
from rsclass.core.merging import MergeRow, MergeTable
from rsclass.core.schema import Schema, SchemaClass
from rsclass.core.stats import ClassStats
from rsclass.core.types import Band
from rsclass.errors import DataError, UsageError

RED, GREEN, BLUE, GRAY = (255, 0, 0), (0, 128, 0), (0, 0, 255), (9, 9, 9)
SCHEMA = Schema(
    (
        SchemaClass(1, "Land", RED),
        SchemaClass(11, "Forest", GREEN, parent=1),
        SchemaClass(12, "Field", GRAY, parent=1),
        SchemaClass(2, "Water", BLUE),
    )
)
LEGEND = Legend.of(["a", "b", "c", "d"], [RED, GREEN, BLUE, GRAY])


def codes(table: MergeTable) -> dict[int, int | None]:
    return {row.cluster: row.code for row in table}


def test_classes_are_lifted_and_named_after_those_above():
    table = MergeTable((MergeRow(1, 11), MergeRow(2, 12), MergeRow(3, 2), MergeRow(4, 0)))
    up = lifted(table, SCHEMA, 1)
    assert codes(up) == {1: 1, 2: 1, 3: 2, 4: 0}
    assert [row.class_name for row in up] == ["Land", "Land", "Water", ""]
    assert codes(lifted(table, SCHEMA, 2)) == codes(table)


def test_a_map_of_codes_is_its_own_table():
    legend = Legend((LEGEND.classes[0], LEGEND.classes[1]))
    assert codes(own_codes(legend, SCHEMA)) == {1: 1, 2: 2}
    with pytest.raises(DataError, match="classes 3, 4, which are no codes of the schema"):
        own_codes(LEGEND, SCHEMA)


def test_where_names_and_values_of_a_map_mean_different_classes_names_speak():
    legend = Legend.of(["field", "Forest", "water"], [GRAY, GREEN, BLUE])
    assert codes(own_codes(legend, SCHEMA)) == {1: 12, 2: 11, 3: 2}
    numbers = Legend.of(["11", "2"], [GREEN, BLUE])
    assert codes(own_codes(numbers, SCHEMA)) == {1: 11, 2: 2}


def test_a_class_without_a_place_in_the_schema_is_not_guessed_from_its_value():
    legend = Legend.of(["bog", "Forest"], [GRAY, GREEN])
    with pytest.raises(DataError, match="'bog', which the schema does not name"):
        own_codes(legend, SCHEMA)


def test_classes_of_a_table_have_the_color_of_their_largest_cluster():
    table = MergeTable(
        (
            MergeRow(1, 7, class_name="wet"),
            MergeRow(2, 7),
            MergeRow(3, 9),
            MergeRow(4, 0),
        )
    )
    schema = schema_of_table(table, LEGEND, {1: 10, 2: 50, 3: 5})
    assert [(c.code, c.name, c.color) for c in schema] == [(7, "wet", GREEN), (9, "class 9", BLUE)]
    # Of equals, and where counts are unknown, the first.
    assert schema_of_table(table, LEGEND, {})[7].color == RED


def test_a_code_with_two_names_is_refused():
    table = MergeTable((MergeRow(1, 7, class_name="wet"), MergeRow(2, 7, class_name="dry")))
    with pytest.raises(DataError, match="calls code 7 'wet' and 'dry'"):
        schema_of_table(table, LEGEND, {})
    with pytest.raises(DataError, match="gives no cluster a class"):
        schema_of_table(MergeTable((MergeRow(1, 0),)), LEGEND, {})


def spectra(count: list[int], n_bands: int = 3) -> ClassStats:
    rng = np.random.default_rng(3)
    n = len(count)
    mean = rng.normal(size=(n, n_bands)) * [1, 100, 0.01]
    covariance = np.stack([np.diag([0.1, 900.0, 1e-6])] * n)
    bands = tuple(Band(f"b{i}") for i in range(n_bands))
    return ClassStats(bands, np.array(count, dtype=np.int64), mean, covariance)


@pytest.mark.parametrize("n_classes", [1, 2, 4, 7, 9])
def test_the_cut_is_that_of_ward_on_as_many_points_as_pixels(n_classes):
    """Against scipy on every class mean, repeated for each of its pixels."""
    stats = spectra([3, 9, 1, 12, 5, 2, 7, 4, 6])
    legend = Legend.of([f"c{i}" for i in range(9)], [GRAY] * 9)
    table, costs = cut_classes(legend, stats, n_classes)
    n = stats.count[:, None].astype(float)
    center = (n * stats.mean).sum(0) / n.sum()
    within = (n - 1) * np.diagonal(stats.covariance, axis1=1, axis2=2)
    std = np.sqrt((within + n * (stats.mean - center) ** 2).sum(0) / n.sum())
    points = np.repeat(stats.mean / std, stats.count, axis=0)
    tree = linkage(points, "ward")
    expected = fcluster(tree, n_classes, "maxclust")[np.cumsum(stats.count) - 1]
    found = [row.code for row in table]
    pairs = set(zip(found, expected.tolist(), strict=True))
    assert len(pairs) == len(set(found)) == n_classes
    # scipy's height is the root of twice the increase of the sum of squares.
    heights = tree[np.argsort(tree[:, 2]), 2][-8:]
    np.testing.assert_allclose(costs, heights[: 9 - n_classes] ** 2 / 2, rtol=1e-9)


def test_classes_are_numbered_by_their_first_member_and_named_by_all():
    stats = spectra([5, 0, 5, 5])
    stats.mean[:] = [[0, 0, 0], [np.nan] * 3, [9, 900, 0.09], [0.1, 1, 0]]
    table, _ = cut_classes(LEGEND, stats, 2)
    assert codes(table) == {1: 1, 2: 0, 3: 2, 4: 1}
    assert [row.class_name for row in table] == ["a + d", "", "c", "a + d"]
    assert table[2].why == "no pixel"
    assert table[1].why == "tree cut at 2 classes"


def test_long_names_are_cut_short_and_equal_ones_told_apart():
    names = ["a very long name of a class"] * 8
    legend = Legend.of(names, [GRAY] * 8)
    table, _ = cut_classes(legend, spectra([5] * 8), 2)
    schema = schema_of_table(table, legend, {})
    assert len(set(schema.names)) == 2
    assert max(map(len, schema.names)) < 90
    assert any("more" in name for name in schema.names)


@pytest.mark.parametrize("n_classes", [0, -1, 4])
def test_more_classes_than_there_are_is_refused(n_classes):
    with pytest.raises(UsageError, match=f"{n_classes} classes were asked for; the map has 3 with"):
        cut_classes(LEGEND, spectra([5, 0, 5, 5]), n_classes)
