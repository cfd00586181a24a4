"""From a raw scene to a land-cover map with areas and their intervals; docs/tutorial.md in Python.

python examples/land_cover.py [FOLDER]

The scene is simulated, so its truth stands in for the person who would look at every sample point.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import geopandas
import rasterio

import rsclass

HERE = Path(__file__).parent
SAMPLES = HERE.parent / "data_samples"
SCENE, TRUTH, SCHEMA, REFERENCE = (
    SAMPLES / f"sentinel2{end}" for end in (".tif", "_truth.tif", "_schema.json", "_reference.gpkg")
)
PLAIN = rsclass.Writing(report=False)


def from_clusters(folder: Path) -> Path:
    """Spectral classes, named after reference polygons, tidied, and corrected by hand."""
    clusters = rsclass.classify(
        SCENE, folder / "clusters.tif", method="kmeans", classes=16, writing=PLAIN
    )
    alike = rsclass.separate(clusters.path, report=folder / "separability.html")
    print(alike.summary())
    table = folder / "table.csv"
    rsclass.suggest(
        clusters.path,
        reference=REFERENCE,
        layer="polygons",
        field="class_name",
        spectra=False,
        schema=SCHEMA,
        min_confidence=0.2,
        table=table,
        apply=True,
    )
    suggested = rsclass.read_merge_table(table)
    # The brightest cluster holds sand bars and roofs; the roofs come back with the town below.
    gravel = replace(suggested[16], code=8, class_name="gravel", by="me", why="sand bars")
    decided = suggested.with_rows([gravel])
    named = rsclass.merge(clusters.path, folder / "named.tif", schema=SCHEMA, table=decided)
    tidied = rsclass.tidy(named.path, folder / "tidy.tif", majority=3, min_area=2000)
    edited = rsclass.edit(
        tidied.path, folder / "edited.tif", polygons=HERE / "town.geojson", field="cover"
    )
    return edited.path


def from_samples(folder: Path) -> Path:
    """A hybrid classification: clusters inside each training class as its signatures."""
    training = rsclass.Training(REFERENCE, "class_name", layer="polygons")
    print(rsclass.check_training(SCENE, training).summary())
    learned = rsclass.classify(
        SCENE, folder / "hybrid.tif", method="hybrid", training=training, writing=PLAIN
    )
    # The schema's codes and colors instead of numbers in the order of the alphabet.
    named = rsclass.merge(learned.path, folder / "learned.tif", schema=SCHEMA)
    return rsclass.tidy(named.path, folder / "supervised.tif", majority=3).path


def interpret(points: Path) -> None:
    """Write what is really there into the points of a sample, as a person would."""
    names = dict(enumerate(rsclass.read_schema(SCHEMA).names, start=1))
    table = geopandas.read_file(points, layer="sample")
    with rasterio.open(TRUTH) as truth:
        seen = truth.sample(zip(table.geometry.x, table.geometry.y, strict=True))
        table["reference"] = [names[int(code[0])] for code in seen]
    table.to_file(points, layer="sample")


def main(folder: Path) -> None:
    maps = [from_clusters(folder), from_samples(folder)]
    planned = rsclass.plan_sample(maps[1], folder / "points.gpkg", n=500, least=40, hide_class=True)
    interpret(planned.path)
    for path in maps:
        found = rsclass.assess(path, planned.path, report=folder / f"{path.stem}.html")
        print(path.name, found.summary(), sep="\n")
    print(rsclass.compare(*maps, folder / "changes.tif").summary())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp()))
