"""``rsclass compare`` as it is typed."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin


@pytest.fixture
def maps(tmp_path):
    values = np.ones((40, 50), np.uint8)
    other = values.copy()
    other[:10] = 2
    paths = []
    for name, array in (("a", values), ("b", other), ("coarse", values[:20, :25])):
        side = 20 if name == "coarse" else 10
        paths.append(tmp_path / f"{name}.tif")
        with rasterio.open(
            paths[-1],
            "w",
            driver="GTiff",
            height=array.shape[0],
            width=array.shape[1],
            count=1,
            dtype="uint8",
            nodata=0,
            crs="EPSG:32632",
            transform=from_origin(0, 400, side, side),
        ) as dataset:
            dataset.write(array, 1)
    return paths


def test_two_maps_are_compared_with_all_that_can_be_written(call, maps, tmp_path):
    places = {
        "change": tmp_path / "changes.tif",
        "table": tmp_path / "changes.csv",
        "report": tmp_path / "page.html",
    }
    found = call(
        *("compare", maps[0], maps[1], "--json", "-o", places["change"]),
        *("--table", places["table"], "--report", places["report"]),
    )
    assert found.code == 0, found.err
    assert found.data["pixels"]["changed"] == 500
    assert found.data["changed_hectares"] == 5.0
    for kind, place in places.items():
        assert found.data["files"][kind] == str(place)
        assert place.stat().st_size > 0


def test_a_summary_is_told_without_any_file(call, maps, tmp_path):
    before = sorted(tmp_path.iterdir())
    found = call("compare", maps[0], maps[1])
    assert found.code == 0
    assert "500 of 2,000 pixels changed (25.0%, 5.00 ha)" in found.out
    assert sorted(tmp_path.iterdir()) == before


def test_other_grids_and_missing_maps_end_with_3(call, maps):
    found = call("compare", maps[0], maps[2])
    assert found.code == 3
    assert "do not coincide" in found.err
    assert call("compare", maps[0], "missing.tif").code == 3


@pytest.mark.parametrize(
    "flags", [["--by", "color"], ["--table", "x.xlsx"], ["--report", "page.pdf"]]
)
def test_flags_that_make_no_sense_end_with_2(call, maps, flags):
    assert call("compare", maps[0], maps[1], *flags).code == 2
