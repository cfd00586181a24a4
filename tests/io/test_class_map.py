"""Class maps of any software: which values they hold and what these are called."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio
from rasterio.transform import from_origin

from rsclass.core.legend import Legend
from rsclass.core.types import Window
from rsclass.errors import DataError, NoValidPixelsError, UnreadableRasterError
from rsclass.io.class_map import open_class_map
from rsclass.io.map_legend import qml_legend
from rsclass.io.map_part import MapPart
from rsclass.io.sidecars import pam_xml, qml

VALUES = np.array([[1, 1, 2, 0], [3, 3, 2, 0]])
RED, GREEN, BLUE = (255, 0, 0), (0, 128, 0), (0, 0, 255)

PALETTED = """<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.34"><pipe><rasterrenderer type="paletted" band="1"><colorPalette>
<paletteEntry value="1" color="#ff0000" alpha="255" label="roofs &amp; roads"/>
<paletteEntry value="2" color="#008000" alpha="255" label="trees"/>
</colorPalette></rasterrenderer></pipe></qgis>"""

PSEUDOCOLOR = """<qgis><pipe><rasterrenderer type="singlebandpseudocolor"><rastershader>
<colorrampshader colorRampType="EXACT"><item value="3" color="#0000ff" label="sea" alpha="255"/>
<item value="1.5" color="#ffffff" label="no class"/></colorrampshader>
</rastershader></rasterrenderer></pipe></qgis>"""

# As GDAL writes it for a table made by other software: other column names, no usages for colors.
FOREIGN_TABLE = """<PAMDataset><PAMRasterBand band="1">
<GDALRasterAttributeTable tableType="thematic">
<FieldDefn index="0"><Name>OID</Name><Type>0</Type><Usage>0</Usage></FieldDefn>
<FieldDefn index="1"><Name>Value</Name><Type>0</Type><Usage>0</Usage></FieldDefn>
<FieldDefn index="2"><Name>Class_Name</Name><Type>2</Type><Usage>0</Usage></FieldDefn>
<FieldDefn index="3"><Name>Red</Name><Type>0</Type><Usage>0</Usage></FieldDefn>
<FieldDefn index="4"><Name>Green</Name><Type>0</Type><Usage>0</Usage></FieldDefn>
<FieldDefn index="5"><Name>Blue</Name><Type>0</Type><Usage>0</Usage></FieldDefn>
<Row index="0"><F>0</F><F>1</F><F>Urban</F><F>255</F><F>0</F><F>0</F></Row>
<Row index="1"><F>1</F><F>3</F><F>Water</F><F>0</F><F>0</F><F>255</F></Row>
</GDALRasterAttributeTable></PAMRasterBand></PAMDataset>"""

CATEGORIES = """<PAMDataset><PAMRasterBand band="1"><CategoryNames>
<Category>Unclassified</Category><Category>Urban</Category><Category/><Category>Water</Category>
</CategoryNames></PAMRasterBand></PAMDataset>"""


def write(
    folder: Path,
    values: np.ndarray = VALUES,
    dtype: str = "uint8",
    nodata: float | None = 0,
    name: str = "map.tif",
    **profile: object,
) -> Path:
    settings = {"height": values.shape[0], "width": values.shape[1], "count": 1}
    settings |= {"crs": "EPSG:32633", "transform": from_origin(500_000, 5_000_000, 10, 10)}
    settings |= profile
    path = folder / name
    with rasterio.open(path, "w", driver="GTiff", dtype=dtype, nodata=nodata, **settings) as file:
        file.write(np.broadcast_to(values, (file.count, *values.shape)).astype(dtype))
    return path


def names(path: Path) -> dict[int, str]:
    with open_class_map(path) as found:
        return dict(zip(found.legend.values, found.legend.names, strict=True))


def test_values_without_names_are_found_and_get_colors_of_their_own(tmp_path):
    with open_class_map(write(tmp_path)) as found:
        assert found.legend.values == (1, 2, 3)
        assert found.legend.names == ("class 1", "class 2", "class 3")
        assert len(set(found.legend.colors)) == 3
        np.testing.assert_array_equal(found.read(Window(0, 0, 2, 4)), VALUES)
        assert found.read(Window(0, 0, 2, 4)).dtype == np.int32
        assert found.nodata == 0
        assert found.recipe is None
        assert found.statistics is None


def test_the_palette_gives_colors(tmp_path):
    path = write(tmp_path)
    with rasterio.open(path, "r+") as file:
        file.write_colormap(1, {1: (*RED, 255), 2: (*GREEN, 255), 3: (*BLUE, 255)})
    with open_class_map(path) as found:
        assert found.legend.colors == (RED, GREEN, BLUE)


def test_a_style_of_qgis_names_classes_and_others_are_found_in_the_pixels(tmp_path):
    path = write(tmp_path)
    path.with_suffix(".qml").write_text(PALETTED, encoding="utf-8")
    assert names(path) == {1: "roofs & roads", 2: "trees", 3: "class 3"}


@pytest.mark.parametrize("text", [FOREIGN_TABLE, CATEGORIES], ids=["table", "categories"])
def test_attribute_tables_and_category_names_of_others_are_read(tmp_path, text):
    path = write(tmp_path)
    (tmp_path / "map.tif.aux.xml").write_text(text)
    assert names(path) == {1: "Urban", 2: "class 2", 3: "Water"}
    if text is FOREIGN_TABLE:
        with open_class_map(path) as found:
            assert found.legend.colors[::2] == (RED, BLUE)


def test_a_color_table_beside_the_map_is_read(tmp_path):
    path = write(tmp_path)
    (tmp_path / "map.clr").write_text("1 255 0 0 Urban\n2 0 128 0 255 Forest\n3 0 0 255\n")
    assert names(path) == {1: "Urban", 2: "Forest", 3: "class 3"}


@pytest.mark.parametrize("scale", [1.0, 255])
def test_the_table_that_arcgis_keeps_is_read(tmp_path, scale):
    path = write(tmp_path)
    colors = np.array([RED, (0, 51, 102), BLUE]) / 255 * scale
    table = pd.DataFrame({"VALUE": [1, 2, 3], "COUNT": [2, 2, 2], "NOTE": ["x", "y", "z"]})
    table["Class_name"] = ["Wald", None, "Gewässer"]
    table[["RED", "GREEN", "BLUE"]] = colors if scale == 1 else colors.round().astype(int)
    pyogrio.write_dataframe(table, tmp_path / "t.dbf", driver="ESRI Shapefile", encoding="UTF-8")
    for part in ("dbf", "cpg"):
        (tmp_path / f"t.{part}").rename(tmp_path / f"map.tif.vat.{part}")
    with open_class_map(path) as found:
        assert found.legend.names == ("Wald", "class 2", "Gewässer")
        assert found.legend.colors == (RED, (0, 51, 102), BLUE)


def test_a_damaged_table_of_arcgis_is_told_and_left_out(tmp_path):
    path = write(tmp_path)
    (tmp_path / "map.tif.vat.dbf").write_bytes(b"no table")
    with open_class_map(path) as found:
        assert found.legend.names == ("class 1", "class 2", "class 3")
        assert any("map.tif.vat.dbf" in told for told in found.warnings)


def test_names_and_colors_in_an_envi_header_are_read(tmp_path):
    VALUES.astype("uint8").tofile(tmp_path / "map.img")
    (tmp_path / "map.hdr").write_text(
        "ENVI\nsamples = 4\nlines = 2\nbands = 1\nheader offset = 0\ndata type = 1\n"
        "file type = ENVI Classification\ninterleave = bsq\nbyte order = 0\nclasses = 4\n"
        "class lookup = {0, 0, 0, 255, 0, 0,\n 0, 128, 0, 0, 0, 255}\n"
        "class names = {\n Unclassified, Wheat,\n Corn [x], Open water}\n"
    )
    with open_class_map(tmp_path / "map.img") as found:
        assert found.legend.names == ("Wheat", "Corn [x]", "Open water")
        assert found.legend.colors == (RED, GREEN, BLUE)


def test_what_people_edit_goes_before_what_programs_wrote(tmp_path):
    path = write(tmp_path)
    ours = Legend.of(["a", "b", "c"], [BLUE, BLUE, BLUE])
    (tmp_path / "map.tif.aux.xml").write_bytes(pam_xml(ours, np.array([2, 2, 2])))
    path.with_suffix(".qml").write_text(PALETTED, encoding="utf-8")
    with open_class_map(path) as found:
        assert found.legend.names == ("roofs & roads", "trees", "c")
        assert found.legend.colors == (RED, GREEN, BLUE)


def test_a_style_that_cannot_be_read_is_told_and_left_out(tmp_path):
    path = write(tmp_path)
    path.with_suffix(".qml").write_text("<qgis><pipe>")
    with open_class_map(path) as found:
        assert found.legend.names == ("class 1", "class 2", "class 3")
        assert any("map.qml cannot be used as a legend" in told for told in found.warnings)


def test_names_of_values_that_do_not_occur_are_left_out(tmp_path):
    """An attribute table of 256 rows is no legend of 256 classes."""
    path = write(tmp_path)
    many = Legend.of([f"name {i}" for i in range(1, 255)], [RED] * 254)
    (tmp_path / "map.tif.aux.xml").write_bytes(pam_xml(many, np.ones(254, int)))
    assert names(path) == {1: "name 1", 2: "name 2", 3: "name 3"}


@pytest.mark.parametrize(
    ("dtype", "nodata"),
    [("uint16", 65_535), ("int16", -9999), ("int32", -9999), ("float32", -3e38), ("float64", -1)],
)
def test_maps_of_any_type_of_numbers_are_read(tmp_path, dtype, nodata):
    """R17."""
    path = write(tmp_path, np.array([[7, 300], [nodata, 7]]), dtype, nodata)
    with open_class_map(path) as found:
        assert found.legend.values == (7, 300)
        assert found.read(Window(0, 0, 2, 2)).tolist() == [[7, 300], [0, 7]]


@pytest.mark.parametrize(
    ("values", "dtype", "sentence"),
    [
        ([[1, -3]], "int16", "holds the value -3, which is no class"),
        ([[1, 70_000]], "int32", "holds the value 70000, which is no class"),
        ([[1, 65_535]], "uint16", "holds the value 65535, which is no class"),
        ([[1, 0.25]], "float32", r"holds the value 0\.25; a class map holds whole numbers"),
    ],
)
def test_values_that_are_no_classes_are_refused(tmp_path, values, dtype, sentence):
    """W02."""
    path = write(tmp_path, np.array(values), dtype, nodata=None)
    with pytest.raises(DataError, match=sentence):
        open_class_map(path)


def test_nan_is_no_class(tmp_path):
    """R01."""
    path = write(tmp_path, np.array([[1, np.nan], [2, 2]]), "float32", nodata=None)
    with open_class_map(path) as found:
        assert found.read(Window(0, 0, 2, 2)).tolist() == [[1, 0], [2, 2]]


def test_zero_beside_another_nodata_value_is_told(tmp_path):
    path = write(tmp_path, np.array([[0, 1, 255]]), nodata=255)
    with open_class_map(path) as found:
        assert found.legend.values == (1,)
        assert any("holds the value 0 beside its nodata value 255" in w for w in found.warnings)


@pytest.mark.parametrize("nodata", [0, None])
def test_zero_as_nodata_is_the_custom_and_not_told(tmp_path, nodata):
    with open_class_map(write(tmp_path, nodata=nodata)) as found:
        assert not found.warnings


def test_a_map_without_a_class_is_refused(tmp_path):
    """R10."""
    with pytest.raises(NoValidPixelsError, match="no pixel with a class"):
        open_class_map(write(tmp_path, np.zeros((3, 3))))


def test_one_band_of_several_must_be_chosen(tmp_path):
    path = write(tmp_path, count=3)
    with pytest.raises(DataError, match="has 3 bands, and a class map has one"):
        open_class_map(path)
    with open_class_map(path, band=2) as found:
        assert found.legend.values == (1, 2, 3)


def test_a_missing_map_is_a_sentence(tmp_path):
    with pytest.raises(UnreadableRasterError, match="does not exist"):
        open_class_map(tmp_path / "none.tif")


def test_the_rows_of_a_part_weigh_what_they_weigh_in_the_whole(tmp_path):
    """On a globe, where rows differ."""
    path = write(tmp_path, np.ones((60, 4)), crs="EPSG:4326", transform=from_origin(0, 80, 1, 1))
    with open_class_map(path) as whole:
        all_rows = whole.ground.of_weights(whole.ground.weights)
        part = MapPart(whole, Window(20, 1, 30, 2)).ground
        np.testing.assert_allclose(part.of_weights(part.weights), all_rows[20:50], rtol=1e-7)
        assert not np.isclose(all_rows[20], all_rows[0], rtol=0.1)


@pytest.mark.parametrize("tiled", [False, True])
def test_values_are_found_wherever_they_stand(tmp_path, tiled):
    """Strips and blocks, over several windows of the search."""
    values = np.ones((1500, 2100))
    values[-1, -1], values[0, -1], values[-1, 0] = 9, 8, 7
    shape = {"tiled": True, "blockxsize": 256, "blockysize": 256} if tiled else {}
    seen: list[float] = []
    with open_class_map(
        write(tmp_path, values, **shape), report=lambda done, total, _: seen.append(done / total)
    ) as found:
        assert found.legend.values == (1, 7, 8, 9)
    assert seen[-1] == 1
    assert len(seen) > 1


def test_published_maps_with_palettes_are_read(shared_data):
    with open_class_map(shared_data / "odd" / "nlcd2011_palette_categorical.tif") as found:
        with rasterio.open(found.path) as file:
            values, colors = file.read(1), file.colormap(1)
        expected = [int(v) for v in np.unique(values) if v not in (0, file.nodata)]
        assert list(found.legend.values) == expected
        assert found.legend.colors == tuple(colors[v][:3] for v in expected)


def test_styles_are_legends():
    assert qml_legend(PALETTED).to_rows() == [
        {"value": 1, "name": "roofs & roads", "color": "#ff0000"},
        {"value": 2, "name": "trees", "color": "#008000"},
    ]
    assert qml_legend(PSEUDOCOLOR).to_rows() == [{"value": 3, "name": "sea", "color": "#0000ff"}]
    ours = Legend.of(["a", "b"], [RED, GREEN])
    assert qml_legend(qml(ours).decode()) == ours


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("<qgis", "s is no readable XML"),
        ("<qgis/>", "s is no style with one color for each value"),
        ("<a><item value='1' color='blau' label='x'/></a>", "s: 'blau' is no color"),
    ],
)
def test_what_is_no_style_is_refused(text, sentence):
    with pytest.raises(DataError, match=sentence):
        qml_legend(text, "s")


def test_entities_that_expand_are_refused():
    """H11."""
    bomb = '<!DOCTYPE q [<!ENTITY a0 "ha">'
    bomb += "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10))
    with pytest.raises(DataError, match="is no readable XML"):
        qml_legend(f"{bomb}]><q>&a9;</q>", "s")
