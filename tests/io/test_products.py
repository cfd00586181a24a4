"""Product folders, archives and lists of band files."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from made_rasters import ramp, write_raster

from rsclass.core.types import Window
from rsclass.errors import DataError, UnreadableRasterError
from rsclass.io.products import band_tokens, natural_key
from rsclass.io.source import Reading, open_source, source_from_recipe

L1C = "S2A_MSIL1C_20240405T102021_N{baseline}_R065_T32UPU_20240405T121212.SAFE"
L2A = L1C.replace("MSIL1C", "MSIL2A")
SIZES = dict.fromkeys(("B02", "B03", "B04", "B08"), 10) | dict.fromkeys(("B01", "B09", "B10"), 60)
S2_BANDS = (*(f"B{i:02}" for i in range(1, 9)), "B8A", "B09", "B10", "B11", "B12")


def grid(size: int) -> Affine:
    return Affine(size, 0, 600000, 0, -size, 5400000)


def whole(source):
    return source.read(Window(0, 0, source.height, source.width))


def metadata(level: str, offsets: bool) -> str:
    kind, quantification, offset = {
        "1C": ("Level-1C", "QUANTIFICATION_VALUE", "RADIO_ADD_OFFSET"),
        "2A": ("Level-2A", "BOA_QUANTIFICATION_VALUE", "BOA_ADD_OFFSET"),
    }[level]
    listed = "".join(
        f'<{offset} band_id="{i}">{-1000 - i}</{offset}>' for i in range(len(S2_BANDS))
    )
    return f"""<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<n1:{kind}_User_Product xmlns:n1="https://psd-15.sentinel2.eo.esa.int/PSD/x.xsd">
<n1:General_Info><Product_Info><PROCESSING_BASELINE>05.10</PROCESSING_BASELINE></Product_Info>
<Product_Image_Characteristics>
<Special_Values><SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT>
<SPECIAL_VALUE_INDEX>0</SPECIAL_VALUE_INDEX></Special_Values>
<Special_Values><SPECIAL_VALUE_TEXT>SATURATED</SPECIAL_VALUE_TEXT>
<SPECIAL_VALUE_INDEX>65535</SPECIAL_VALUE_INDEX></Special_Values>
<{quantification} unit="none">10000</{quantification}>
{f"<List>{listed}</List>" if offsets else ""}
</Product_Image_Characteristics></n1:General_Info></n1:{kind}_User_Product>"""


def write_safe(folder: Path, level: str, baseline: str = "0510", offsets: bool = True) -> Path:
    """A small SAFE folder of 120 m x 120 m."""
    safe = folder / (L1C if level == "1C" else L2A).format(baseline=baseline)
    images = safe / "GRANULE" / f"L{level}_T32UPU_A045555" / "IMG_DATA"
    for i, band in enumerate(S2_BANDS):
        native = SIZES.get(band, 20)
        if level == "1C":
            write_band(images / f"T32UPU_20240405T102021_{band}.tif", native, i)
        elif band != "B10":
            for size in (10, 20, 60):
                if size >= native:
                    write_band(images / f"R{size}m" / f"T32UPU_x_{band}_{size}m.tif", size, i)
    write_band(images / "T32UPU_20240405T102021_TCI.tif", 10, 99)
    (safe / f"MTD_MSIL{level}.xml").write_text(metadata(level, offsets), encoding="utf-8")
    return safe


def write_band(path: Path, size: int, first: int) -> None:
    side = 120 // size
    write_raster(path, ramp(1, side, side) + np.uint16(100 * first), transform=grid(size))


@pytest.mark.parametrize(("level", "count"), [("1C", 13), ("2A", 12)])
def test_a_sentinel2_folder_gives_every_band_at_its_finest(tmp_path, level, count):
    """Pain 39: B8A comes after B08, never after B12."""
    source = open_source(write_safe(tmp_path, level))
    names = [band.name for band in source.bands]
    assert names == [band for band in S2_BANDS if level == "1C" or band != "B10"]
    assert len(names) == count
    assert (source.height, source.width) == (12, 12)
    files = {Path(f).name for f in source.files if f.endswith("tif")}
    if level == "2A":
        assert {name[-7:-4] for name in files if "B04" in name} == {"10m"}
        assert {name[-7:-4] for name in files if "B8A" in name} == {"20m"}
        assert {name[-7:-4] for name in files if "B01" in name} == {"60m"}
    fine = ramp(1, 12, 12)[0] + 100
    np.testing.assert_array_equal(whole(source).values[names.index("B02")], fine)
    coarse = (ramp(1, 6, 6)[0] + 800).repeat(2, axis=0).repeat(2, axis=1)
    np.testing.assert_array_equal(whole(source).values[names.index("B8A")], coarse)


@pytest.mark.parametrize("level", ["1C", "2A"])
def test_the_offsets_of_the_metadata_make_reflectance(tmp_path, level):
    """Pain 42"""
    source = open_source(write_safe(tmp_path, level), Reading(bands="B04,B12"))
    assert [(b.gain, b.offset) for b in source.bands] == [(1e-4, -0.1003), (1e-4, -0.1012)]
    block = whole(source)
    np.testing.assert_allclose(
        block.pixels()[0], (np.array([301, 1201]) - [1003, 1012]) / 10000, rtol=1e-12
    )


@pytest.mark.parametrize(
    ("baseline", "offset"), [("0208", 0.0), ("0301", 0.0), ("0400", -0.1), ("0511", -0.1)]
)
def test_the_baseline_in_the_name_decides_where_no_offset_is_listed(tmp_path, baseline, offset):
    source = open_source(write_safe(tmp_path, "2A", baseline, offsets=False))
    assert {band.offset for band in source.bands} == {offset}


def test_zero_is_no_data_in_sentinel2(tmp_path):
    safe = write_safe(tmp_path, "1C")
    band = next(safe.rglob("*_B04.tif"))
    write_raster(band, np.eye(12, dtype="uint16"), transform=grid(10))
    np.testing.assert_array_equal(whole(open_source(safe)).valid, np.eye(12) == 1)


def test_a_file_from_inside_a_product_keeps_its_offset(tmp_path):
    safe = write_safe(tmp_path, "1C")
    files = sorted(safe.rglob("*_B0[234].tif"))
    source = open_source(files)
    assert [band.name for band in source.bands] == ["B02", "B03", "B04"]
    assert [band.offset for band in source.bands] == [-0.1001, -0.1002, -0.1003]
    assert open_source(files[0]).bands[0].role == "blue"


def test_roles_and_resolution_choose_from_a_product(tmp_path):
    safe = write_safe(tmp_path, "2A")
    source = open_source(safe, Reading(bands="swir16,rededge"))
    assert [band.name for band in source.bands] == ["B11", "B05"]
    assert (source.height, source.width) == (6, 6)
    assert open_source(safe, Reading(resolution=60)).width == 2


@pytest.mark.parametrize("wrap", [True, False])
def test_a_zipped_sentinel2_product_is_read_in_place(tmp_path, wrap):
    safe = write_safe(tmp_path, "1C")
    archive = tmp_path / "product.zip"
    with zipfile.ZipFile(archive, "w") as target:
        for file in sorted(safe.rglob("*")):
            target.write(file, file.relative_to(safe.parent if wrap else safe))
    source = open_source(archive, Reading(bands="B8A,red"))
    np.testing.assert_array_equal(
        whole(source).values, whole(open_source(safe, Reading(bands="B8A,red"))).values
    )
    assert source.bands[1].offset == -0.1003
    assert source.files == (str(archive),)


def test_the_metadata_file_stands_for_its_product(tmp_path):
    safe = write_safe(tmp_path, "1C")
    source = open_source(safe / "MTD_MSIL1C.xml")
    assert len(source.bands) == 13
    assert source.name == safe.name.removesuffix(".SAFE")
    assert str(safe / "MTD_MSIL1C.xml") in source.files


def test_a_product_opens_again_from_its_recipe(tmp_path):
    source = open_source(write_safe(tmp_path, "1C"), Reading(bands="nir,red"))
    again = source_from_recipe(json.loads(json.dumps(source.recipe())))
    assert again.bands == source.bands
    assert source.recipe()["product"] == "Sentinel-2 Level-1C"


def test_damaged_or_emptied_products_are_refused(tmp_path):
    safe = write_safe(tmp_path / "a", "1C")
    (safe / "MTD_MSIL1C.xml").write_text("<n1:Level-1C")
    with pytest.raises(UnreadableRasterError, match="is damaged"):
        open_source(safe)
    bare = write_safe(tmp_path / "b", "1C")
    for file in bare.rglob("*.tif"):
        file.unlink()
    with pytest.raises(UnreadableRasterError, match="no band files"):
        open_source(bare)
    double = write_safe(tmp_path / "c", "1C")
    write_band(double / "GRANULE/L1C_T32UPV/IMG_DATA/T32UPV_x_B04.tif", 10, 0)
    with pytest.raises(DataError, match="holds 2 granules"):
        open_source(double)


# -- Landsat -----------------------------------------------------------------------------------

L2SP = "LC08_L2SP_190026_20200401_20200822_02_T1"
L1TP = "LE07_L1TP_190026_20010401_20200917_02_T1"


def groups(level2: bool) -> dict[str, dict[str, str]]:
    if level2:
        contents = {f"FILE_NAME_BAND_{i}": f"{L2SP}_SR_B{i}.TIF" for i in range(1, 8)}
        contents["FILE_NAME_BAND_ST_B10"] = f"{L2SP}_ST_B10.TIF"
        contents["FILE_NAME_QUALITY_L1_PIXEL"] = f"{L2SP}_QA_PIXEL.TIF"
        surface = {f"REFLECTANCE_MULT_BAND_{i}": "2.75e-05" for i in range(1, 8)}
        surface |= {f"REFLECTANCE_ADD_BAND_{i}": "-0.2" for i in range(1, 8)}
        first = {f"REFLECTANCE_MULT_BAND_{i}": "2.0000E-05" for i in range(1, 10)}
        first |= {f"REFLECTANCE_ADD_BAND_{i}": "-0.100000" for i in range(1, 10)}
        return {
            "PRODUCT_CONTENTS": contents,
            "IMAGE_ATTRIBUTES": {"SPACECRAFT_ID": "LANDSAT_8"},
            "LEVEL2_SURFACE_REFLECTANCE_PARAMETERS": surface,
            "LEVEL2_SURFACE_TEMPERATURE_PARAMETERS": {
                "TEMPERATURE_MULT_BAND_ST_B10": "0.00341802",
                "TEMPERATURE_ADD_BAND_ST_B10": "149.0",
            },
            "LEVEL1_RADIOMETRIC_RESCALING": first,
        }
    ids = ["1", "2", "3", "4", "5", "6_VCID_1", "6_VCID_2", "7", "8"]
    rescaling = {}
    for band in ids:
        quantity = "RADIANCE" if band.startswith("6") else "REFLECTANCE"
        rescaling[f"{quantity}_MULT_BAND_{band}"] = "0.002"
        rescaling[f"{quantity}_ADD_BAND_{band}"] = "-0.01"
    return {
        "PRODUCT_CONTENTS": {f"FILE_NAME_BAND_{b}": f"{L1TP}_B{b}.TIF" for b in ids},
        "IMAGE_ATTRIBUTES": {"SPACECRAFT_ID": "LANDSAT_7"},
        "LEVEL1_RADIOMETRIC_RESCALING": rescaling,
    }


def write_landsat(folder: Path, level2: bool, as_json: bool = False) -> Path:
    content, title = groups(level2), L2SP if level2 else L1TP
    folder.mkdir()
    for i, name in enumerate(content["PRODUCT_CONTENTS"].values()):
        pan = name.endswith("_B8.TIF")
        corner = 7.5 if pan else 0
        side = 15 if pan else 30
        write_raster(
            folder / name,
            ramp(1, 19 if pan else 10, 19 if pan else 10) + np.uint16(1000 * i),
            transform=Affine(side, 0, 300000 + corner, 0, -side, 5400000 - corner),
        )
    if as_json:
        tree = {"LANDSAT_METADATA_FILE": content}
        (folder / f"{title}_MTL.json").write_text(json.dumps(tree))
    else:
        lines = ["GROUP = LANDSAT_METADATA_FILE"]
        for group, values in content.items():
            lines.append(f"  GROUP = {group}")
            lines += [f"    {key} = " + (v if v[0] in "-0123456789" else f'"{v}"')
                      for key, v in values.items()]  # fmt: skip
            lines.append(f"  END_GROUP = {group}")
        lines += ["END_GROUP = LANDSAT_METADATA_FILE", "END"]
        (folder / f"{title}_MTL.txt").write_text("\n".join(lines))
    return folder


@pytest.mark.parametrize("as_json", [False, True], ids=["txt", "json"])
def test_a_landsat_level2_folder_has_surface_reflectance_and_kelvin(tmp_path, as_json):
    source = open_source(write_landsat(tmp_path / "x", level2=True, as_json=as_json))
    assert source.name == L2SP
    assert [band.name for band in source.bands] == [*(f"SR_B{i}" for i in range(1, 8)), "ST_B10"]
    assert [band.role for band in source.bands][3:] == [
        *("red", "nir08", "swir16", "swir22", "lwir11")
    ]
    assert {(b.gain, b.offset) for b in source.bands[:7]} == {(2.75e-05, -0.2)}
    assert (source.bands[7].gain, source.bands[7].offset) == (0.00341802, 149.0)
    assert open_source(tmp_path / "x", Reading(bands="B4,nir")).band_numbers == (4, 5)


def test_a_landsat_level1_folder_has_reflectance_radiance_and_pan(tmp_path):
    folder = write_landsat(tmp_path / "x", level2=False)
    source = open_source(folder / f"{L1TP}_MTL.txt", Reading(bands="B1..B5,B6_VCID_1,pan"))
    assert [band.role for band in source.bands] == [
        *("blue", "green", "red", "nir08", "swir16", "lwir11", "pan")
    ]
    assert {(band.gain, band.offset) for band in source.bands} == {(0.002, -0.01)}
    assert (source.height, source.width) == (19, 19)
    assert open_source(folder, Reading(bands="B1..B5")).width == 10


def test_a_band_that_landsat_lists_but_is_not_there_is_named(tmp_path):
    folder = write_landsat(tmp_path / "x", level2=True)
    (folder / f"{L2SP}_SR_B3.TIF").unlink()
    source = open_source(folder)
    assert len(source.bands) == 7
    assert any(f"{L2SP}_SR_B3.TIF not found" in text for text in source.warnings)
    for file in folder.glob("*.TIF"):
        file.unlink()
    with pytest.raises(UnreadableRasterError, match="none of the bands"):
        open_source(folder)


def test_landsat_files_given_as_a_list_keep_their_scale(tmp_path):
    folder = write_landsat(tmp_path / "x", level2=True)
    source = open_source([folder / f"{L2SP}_SR_B{i}.TIF" for i in (5, 4, 3)])
    assert [band.role for band in source.bands] == ["nir08", "red", "green"]
    assert {band.offset for band in source.bands} == {-0.2}


# -- folders, lists, archives ------------------------------------------------------------------


def test_a_folder_of_band_files_comes_in_natural_order(tmp_path):
    """Pain 39"""
    names = ["B2", "B3", "B4", "B8", "B8A", "B11", "B12"]
    for i, name in enumerate(names):
        write_raster(tmp_path / f"scene_{name}.tif", ramp(1, 3, 4) + np.uint16(100 * i))
    source = open_source(tmp_path)
    assert [band.name for band in source.bands] == names
    assert source.bands[4].role == "nir08"
    assert list(whole(source).values[:, 0, 0]) == [1, 101, 201, 301, 401, 501, 601]


def test_a_list_keeps_the_order_in_which_it_was_given(tmp_path):
    for name in ("red", "nir"):
        write_raster(tmp_path / f"x_{name}.tif", ramp(1, 3, 4))
    source = open_source([tmp_path / "x_red.tif", tmp_path / "x_nir.tif"])
    assert [band.role for band in source.bands] == ["red", "nir"]


def test_multiband_files_of_a_list_keep_the_names_of_their_bands(tmp_path):
    write_raster(tmp_path / "opt.tif", ramp(2, 3, 4), names=("red", "nir"))
    write_raster(tmp_path / "sar.tif", ramp(2, 3, 4))
    source = open_source([tmp_path / "opt.tif", tmp_path / "sar.tif"])
    assert [band.name for band in source.bands] == ["red", "nir", "sar band 1", "sar band 2"]


@pytest.mark.parametrize(
    ("names", "tokens"),
    [
        (["T32UPU_2024_B02_10m.tif", "T32UPU_2024_B8A_10m.tif"], ["B02", "B8A"]),
        (["LC08_x_SR_B4.TIF", "LC08_x_SR_B5.TIF"], ["B4", "B5"]),
        (["red.tif", "near.infrared.tif"], ["red", "infrared"]),
        (["a_1.tif", "b_1.tif", "a_2.tif"], ["a_1", "b_1", "a_2"]),
    ],
)
def test_files_are_named_by_what_tells_them_apart(names, tokens):
    assert band_tokens(names) == tokens


def test_natural_order_puts_b8a_between_b8_and_b9():
    shuffled = ["B12", "B8A", "B1", "B10", "B9", "B8", "B2"]
    assert sorted(shuffled, key=natural_key) == ["B1", "B2", "B8", "B8A", "B9", "B10", "B12"]


@pytest.mark.parametrize(
    "spelled", ["{0}", "zip://{0}!in/one.tif", "/vsizip/{0}/in/one.tif", "zip://{0}"]
)
def test_a_raster_in_a_zip_is_read_in_place(tmp_path, spelled):
    values = ramp(2, 5, 6)
    write_raster(tmp_path / "one.tif", values)
    archive = tmp_path / "packed.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        target.write(tmp_path / "one.tif", "in/one.tif")
        target.writestr("in/readme.txt", "a scene")
    source = open_source(spelled.format(archive))
    np.testing.assert_array_equal(whole(source).values, values)
    assert str(archive) in source.files


def test_an_archive_or_folder_without_rasters_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("readme.txt", "none")
    with pytest.raises(UnreadableRasterError, match="holds no rasters"):
        open_source(tmp_path / "x.zip")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnreadableRasterError, match="holds no rasters"):
        open_source(tmp_path / "empty")
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 no more")
    with pytest.raises(UnreadableRasterError, match="zip archive"):
        open_source(tmp_path / "broken.zip")
