"""Class statistics say what they are, in JSON and in CSV."""

import io
import json

import numpy as np
import pandas as pd
import pytest

from rsclass.core.legend import Legend, LegendClass
from rsclass.core.stats import ClassStats
from rsclass.core.types import Band
from rsclass.errors import UsageError
from rsclass.io.tables import stats_csv, stats_json

BANDS = (Band("B04", "red", 665.0, 1e-4, -0.1), Band("B08", "nir", 842.0, 1e-4, -0.1))
LEGEND = Legend(
    (
        LegendClass(1, "Water", (31, 119, 180)),
        LegendClass(4, '=HYPERLINK("http://x","y")', (44, 160, 44)),
        LegendClass(9, "Wald, naß", (0, 0, 0)),
    )
)
STATS = ClassStats(
    BANDS,
    np.array([30, 10, 0]),
    np.array([[0.02, 0.01], [0.03, 0.4], [np.nan, np.nan]]),
    np.array([[[0.04, 0.01], [0.01, 0.09]], [[1.0, 0.0], [0.0, 4.0]], np.full((2, 2), np.nan)]),
)
HECTARES = np.array([0.3, 0.1, np.nan])


def test_json_names_axes_units_and_bands():
    content = json.loads(stats_json(STATS, LEGEND, HECTARES, {"scene": {"path": "s.tif"}}))
    assert content["format"] == "rsclass-class-statistics"
    assert content["axes"]["covariance"] == ["band", "band"]
    assert set(content["units"]) == {"pixels", "share", "hectares", "mean", "std", "covariance"}
    assert [b["name"] for b in content["bands"]] == ["B04", "B08"]
    assert [b["wavelength_nm"] for b in content["bands"]] == [665.0, 842.0]
    assert content["scene"] == {"path": "s.tif"}


def test_json_holds_the_statistics_of_every_class():
    first, second, empty = json.loads(stats_json(STATS, LEGEND, HECTARES))["classes"]
    assert (first["value"], first["name"], first["color"]) == (1, "Water", "#1f77b4")
    assert (first["pixels"], first["share"], first["hectares"]) == (30, 0.75, 0.3)
    assert first["mean"] == [0.02, 0.01]
    assert first["std"] == pytest.approx([0.2, 0.3])
    assert first["covariance"] == [[0.04, 0.01], [0.01, 0.09]]
    assert second["value"] == 4
    assert empty["mean"] == [None, None]
    assert empty["covariance"] == [[None, None], [None, None]]
    assert empty["hectares"] is None


def test_json_has_one_class_a_line():
    lines = stats_json(STATS, LEGEND).decode().splitlines()
    assert sum(line.startswith('  {"value": ') for line in lines) == 3


def test_csv_reads_in_pandas_with_named_columns_and_empty_cells():
    table = pd.read_csv(io.BytesIO(stats_csv(STATS, LEGEND, HECTARES)), dtype={"mean_B08": str})
    assert list(table.columns) == [
        "value",
        "name",
        "color",
        "pixels",
        "share",
        "hectares",
        "mean_B04",
        "mean_B08",
        "std_B04",
        "std_B08",
    ]
    assert list(table["value"]) == [1, 4, 9]
    assert table["pixels"].sum() == 40
    assert [float(text) for text in table["mean_B08"][:2]] == [0.01, 0.4]
    assert list(table["std_B04"][:2]) == pytest.approx([0.2, 1.0])
    assert np.isnan(table["hectares"][2])
    assert b"nan" not in stats_csv(STATS, LEGEND, HECTARES)


def test_a_formula_as_class_name_is_defused():
    """H14."""
    table = pd.read_csv(io.BytesIO(stats_csv(STATS, LEGEND)))
    assert table["name"][1] == '\'=HYPERLINK("http://x","y")'


def test_csv_is_utf8_with_unix_line_ends():
    data = stats_csv(STATS, LEGEND)
    assert b"\r" not in data
    assert '"Wald, naß"' in data.decode("utf-8")


def test_bands_of_one_name_keep_their_own_columns():
    stats = ClassStats((Band("x"), Band("x")), STATS.count, STATS.mean, STATS.covariance)
    header = stats_csv(stats, LEGEND).decode().splitlines()[0]
    assert header.endswith("mean_x_1,mean_x_2,std_x_1,std_x_2")


def test_a_map_without_a_pixel_has_no_shares():
    stats = ClassStats(BANDS, np.zeros(3, int), STATS.mean, STATS.covariance)
    assert json.loads(stats_json(stats, LEGEND))["classes"][0]["share"] is None


def test_statistics_of_another_map_are_refused():
    with pytest.raises(UsageError, match="2 classes and the legend 3"):
        stats_csv(ClassStats(BANDS, STATS.count[:2], STATS.mean[:2], STATS.covariance[:2]), LEGEND)


def test_what_is_added_cannot_hide_the_statistics():
    with pytest.raises(UsageError, match="'bands' is taken"):
        stats_json(STATS, LEGEND, extra={"bands": 3})
