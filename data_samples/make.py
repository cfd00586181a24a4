"""Make the sample scenes: ``python data_samples/make.py [FOLDER]`` (default: beside this file).

The same versions of GDAL give the same bytes; other versions give the same pixels and shapes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pyogrio
import rasterio

from rsclass.datasets import SimulatedScene, simulate

MADE_WITH = "Made with GDAL {} (rasters) and GDAL {} (vectors)."

README = """\
# Sample scenes

Two small scenes whose land cover is known at every pixel. They are simulated, so they may be used
for anything, and the truth has no error. `python data_samples/make.py` makes them again, byte for
byte with the same versions of GDAL; `rsclass.datasets.simulate` makes others of any size.
{made_with}

| file | what it holds |
|---|---|
| `NAME.tif` | the scene: band names, wavelengths, gain; 0 = nothing seen |
| `NAME_truth.tif` | land-cover code of every pixel, with a palette, names in `.aux.xml`; \
0 = nothing seen |
| `NAME_reference.gpkg` | layer `polygons` (training areas) and layer `points` (a stratified \
random sample for checking: at least 20 a class, the rest by area); fields `class_id` and \
`class_name` |
| `NAME_schema.json` | the classes: code, name, color, description |

Most classes consist of several surfaces, so a method that finds spectral classes should be asked
for more of them than there are land-cover classes, and the schema tells what to merge them to.
The polygons avoid edges, the points do not. Points are drawn with unequal probability: weight
them by the area of their class.
{scenes}"""

SCENE = """
## {name}

{text}

{bands} bands, {height} x {width} pixels of {pixel:g} m, {dtype}.

| code | class | pixels | share |
|---|---|---|---|
{classes}
"""

TEXTS = {
    "sentinel2": """\
A river plain in summer as Sentinel-2 would see it: uint16 reflectance with gain 0.0001. Mixed
pixels at all edges, variation between fields, places and pixels, light that rises by 12 percent
from left to right, a hole where a cloud was. Hard parts: gardens inside the town, meadows beside
fields, the rare gravel bars.""",
    "aerial": """\
A suburb as a camera in an aircraft would see it: digital numbers of red, green, blue and near
infrared, not calibrated. Hard parts: shadows (the truth names what lies in them), the two sides
of a roof, gray roofs beside streets, small pools.""",
}


def samples() -> dict[str, SimulatedScene]:
    """The scenes by the stem of their files."""
    return {
        "sentinel2": simulate("sentinel2", height=240, width=240, seed=0),
        "aerial": simulate("aerial", height=320, width=320, seed=1),
    }


def made_with() -> str:
    """The versions that the bytes depend on."""
    return MADE_WITH.format(rasterio.__gdal_version__, pyogrio.__gdal_version_string__)


def describe(name: str, scene: SimulatedScene) -> str:
    """The section of the README about one scene."""
    rows = []
    for code, label in enumerate(("(nothing seen)", *scene.class_names)):
        count = int((scene.truth == code).sum())
        rows.append(f"| {code} | {label} | {count:,} | {count / scene.truth.size:.1%} |")
    bands, height, width = scene.values.shape
    return SCENE.format(
        name=name,
        text=TEXTS[name],
        bands=bands,
        height=height,
        width=width,
        pixel=scene.recipe.sensor.pixel,
        dtype=scene.values.dtype,
        classes="\n".join(rows),
    )


def main(folder: Path) -> None:
    """Write everything to ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    sections = []
    for name, scene in samples().items():
        scene.write(folder, name)
        sections.append(describe(name, scene))
    text = README.format(made_with=made_with(), scenes="".join(sections))
    (folder / "README.md").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
