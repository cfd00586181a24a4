from __future__ import annotations

import json

import numpy as np
import pytest

from rsclass.core.legend import Legend
from rsclass.core.stats import ClassStats
from rsclass.core.types import Band
from rsclass.errors import DataError
from rsclass.io.stats_file import read_stats, stats_beside
from rsclass.io.tables import stats_json

LEGEND = Legend.of(["water", "wood & heath", "roof"], [(0, 0, 9), (0, 9, 0), (9, 0, 0)])
STATS = ClassStats(
    (Band("B04", "red", 665.0, 1e-4, -0.1), Band("band 2")),
    np.array([70_000, 900, 0]),
    np.array([[0.1, 7.0], [1 / 3, 9.5], [np.nan, np.nan]]),
    np.array([[[2.0, 0.3], [0.3, 1.0]], [[1e-9, 0], [0, 4]], np.full((2, 2), np.nan)]),
)
HECTARES = np.array([1234.5, 1 / 3, np.nan])
CONTENT = stats_json(STATS, LEGEND, HECTARES, {"scene": "a.tif"})


def test_what_was_written_is_read_to_the_last_bit(tmp_path):
    (tmp_path / "map.stats.json").write_bytes(CONTENT)
    found = stats_beside(tmp_path / "map.tif")
    assert found.legend == LEGEND
    assert found.stats.bands == STATS.bands
    for name in ("count", "mean", "covariance"):
        np.testing.assert_array_equal(getattr(found.stats, name), getattr(STATS, name))
    np.testing.assert_array_equal(found.hectares, HECTARES)
    assert found.head["scene"] == "a.tif"
    assert stats_beside(tmp_path / "map.safetensors").stats.bands == STATS.bands


def test_a_map_without_statistics_has_none(tmp_path):
    assert stats_beside(tmp_path / "map.tif") is None


def _broken(change):
    content = json.loads(CONTENT)
    change(content)
    return json.dumps(content).encode()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", "no readable JSON"),
        (b"[" * 100_000, "no readable JSON"),
        (b"[]", "holds no class statistics"),
        (_broken(lambda c: c.update(format_version=9)), "format version 9"),
        (_broken(lambda c: c.pop("bands")), "is damaged"),
        (_broken(lambda c: c["classes"][0].pop("covariance")), "is damaged"),
        (_broken(lambda c: c["classes"][0]["mean"].pop()), "is damaged"),
        (_broken(lambda c: c["classes"][1].update(value=1)), "lists class 1 twice"),
    ],
)
def test_a_broken_file_is_refused_in_a_sentence(tmp_path, content, told):
    path = tmp_path / "map.stats.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=told):
        read_stats(path)
