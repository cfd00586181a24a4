"""GDAL and QGIS read the legend that stands beside a map."""

import json
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from hypothesis import given
from hypothesis import strategies as st

from rsclass.core.legend import Legend, LegendClass, clean_name
from rsclass.errors import DataError, OutputExistsError, UsageError
from rsclass.io.legend_file import read_legend, write_legend
from rsclass.io.sidecars import clr, pam_xml, qml

HOSTILE = "</Category><script>alert('x')</script> & \"Fläche\" 水"
LEGEND = Legend(
    (
        LegendClass(1, "Water", (31, 119, 180)),
        LegendClass(2, HOSTILE, (44, 160, 44)),
        LegendClass(5, "2nd growth", (0, 0, 0)),
    )
)
COUNT = np.array([3, 4, 2])
HECTARES = np.array([0.03, 0.04, 0.02])


@pytest.fixture
def class_map(tmp_path):
    path = tmp_path / "map.tif"
    profile = {"driver": "GTiff", "width": 3, "height": 3, "count": 1, "dtype": "uint8"}
    profile |= {"transform": rasterio.Affine(10, 0, 4e5, 0, -10, 6e6)}
    with rasterio.open(path, "w", **profile, nodata=0) as dataset:
        dataset.write(np.array([[1, 1, 1], [2, 2, 2], [2, 5, 5]], np.uint8), 1)
        dataset.write_colormap(1, LEGEND.colormap())
    Path(f"{path}.aux.xml").write_bytes(pam_xml(LEGEND, COUNT, HECTARES))
    return path


def parse(xml: bytes):
    return ET.fromstring(xml)  # noqa: S314 - written a moment ago


def attribute_table(xml: bytes):
    band = parse(xml).find("PAMRasterBand")
    categories = [c.text or "" for c in band.find("CategoryNames")]
    table = band.find("GDALRasterAttributeTable")
    usages = {f.findtext("Name"): int(f.findtext("Usage")) for f in table.findall("FieldDefn")}
    rows = [[f.text for f in row] for row in table.findall("Row")]
    return categories, usages, rows


def test_gdal_lists_the_names_and_carries_names_and_table_through_a_copy(class_map, tmp_path):
    with rasterio.open(class_map) as dataset:
        assert f"{class_map}.aux.xml" in dataset.files
    copy = tmp_path / "copy.tif"
    rasterio.shutil.copy(class_map, copy, driver="GTiff")
    categories, usages, rows = attribute_table(Path(f"{copy}.aux.xml").read_bytes())
    assert categories == ["No data", "Water", HOSTILE, "", "", "2nd growth"]
    # GDALRATFieldUsage: MinMax 5, PixelCount 1, Name 2, Red to Alpha 6 to 9, Generic 0.
    assert usages == {
        "Value": 5,
        "Count": 1,
        "Class": 2,
        "Red": 6,
        "Green": 7,
        "Blue": 8,
        "Alpha": 9,
        "Area_ha": 0,
    }
    assert [row[:7] for row in rows] == [
        ["1", "3", "Water", "31", "119", "180", "255"],
        ["2", "4", HOSTILE, "44", "160", "44", "255"],
        ["5", "2", "2nd growth", "0", "0", "0", "255"],
    ]
    assert [float(row[7]) for row in rows] == list(HECTARES)


@pytest.mark.skipif(shutil.which("gdalinfo") is None, reason="gdalinfo is not installed")
def test_gdalinfo_shows_the_table(class_map):
    run = subprocess.run(["gdalinfo", "-json", class_map], capture_output=True, check=True)
    info = json.loads(run.stdout)
    table = info["rat"]
    assert [f["name"] for f in table["fieldDefn"]][:3] == ["Value", "Count", "Class"]
    assert [row["f"][0:3] for row in table["row"]] == [
        [1, 3, "Water"],
        [2, 4, HOSTILE],
        [5, 2, "2nd growth"],
    ]


def test_counts_beyond_32_bits_stay_exact_in_gdal(class_map, tmp_path):
    many = np.array([2**40 + 1, 4, 2])
    Path(f"{class_map}.aux.xml").write_bytes(pam_xml(LEGEND, many))
    copy = tmp_path / "copy.tif"
    rasterio.shutil.copy(class_map, copy, driver="GTiff")
    rows = attribute_table(Path(f"{copy}.aux.xml").read_bytes())[2]
    assert float(rows[0][1]) == 2**40 + 1


def test_an_unknown_area_leaves_the_column_out():
    _, usages, _ = attribute_table(pam_xml(LEGEND, COUNT, np.array([1.0, np.nan, 2.0])))
    assert "Area_ha" not in usages


def test_the_style_is_complete_and_names_every_class():
    text = qml(LEGEND)
    assert text.startswith(b"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n")
    renderer = parse(text).find("pipe/rasterrenderer")
    assert renderer.get("type") == "paletted"
    assert renderer.get("band") == "1"
    assert [
        (e.get("value"), e.get("color"), e.get("alpha"), e.get("label"))
        for e in renderer.find("colorPalette")
    ] == [
        ("1", "#1f77b4", "255", "Water"),
        ("2", "#2ca02c", "255", HOSTILE),
        ("5", "#000000", "255", "2nd growth"),
    ]


@given(st.text().filter(clean_name))
def test_every_name_survives_both_xml_files(name):
    """H13."""
    legend = Legend.of([name], [(1, 2, 3)])
    assert attribute_table(pam_xml(legend, np.array([1])))[0][1] == legend.names[0]
    entry = parse(qml(legend)).find(".//paletteEntry")
    assert entry.get("label") == legend.names[0]


def test_the_color_table_has_value_red_green_blue_alpha_name():
    assert clr(LEGEND).decode().splitlines()[0] == "1 31 119 180 255 Water"


@pytest.mark.parametrize("suffix", [".json", ".csv", ".clr"])
def test_a_legend_file_keeps_the_legend(tmp_path, suffix):
    path = tmp_path / f"legend{suffix}"
    write_legend(path, LEGEND, overwrite=False)
    assert read_legend(path) == LEGEND
    with pytest.raises(OutputExistsError):
        write_legend(path, LEGEND, overwrite=False)


def test_a_legend_file_of_another_kind_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"\.json, \.csv or \.clr"):
        read_legend(tmp_path / "legend.xls")


def test_a_legend_that_is_missing_or_no_text_is_one_sentence(tmp_path):
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_legend(tmp_path / "gone.json")
    (tmp_path / "latin.csv").write_bytes("value,name,color\n1,Fläche,#000000\n".encode("latin-1"))
    with pytest.raises(DataError, match="not UTF-8"):
        read_legend(tmp_path / "latin.csv")
