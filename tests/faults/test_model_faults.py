"""Faults of models and of the names they carry: damage, pickles, other scales, formulas."""

from __future__ import annotations

import csv
import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fault_scenes import stripes, vrt, write
from workplace import BESIDE_MAP, Workplace

from rsclass.core.legend import Legend
from rsclass.flow.models import Model

BY_PLACE = "bands are matched by their place"
SCRIPT = "<script>alert(1)</script>"
FORMULA = '=HYPERLINK("http://example.com")'


class Trap:
    """Runs code when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_a_scene_in_the_models_own_units_is_labelled(place: Workplace, model: Path) -> None:
    """R09: other scale in the file, the same reflectances."""
    scene = write(place.inputs / "a.tif", stripes(dtype="float64") / 2, scale=0.0002)
    place.predict(model, scene).done(files=BESIDE_MAP)


@pytest.mark.parametrize("flags", [(), ("--unscaled",)])
def test_a_scene_in_other_units_than_the_model_is_refused(
    place: Workplace, model: Path, flags: tuple[str, ...]
) -> None:
    """R09."""
    scene = write(place.inputs / "a.tif", scale=0.0001 if flags else None)
    place.predict(model, scene, *flags).refused(
        3, "a is read with scale 1", "the model was trained with 0.0001", "--unscaled"
    )


def test_a_scene_with_other_bands_than_the_model_is_refused(place: Workplace, model: Path) -> None:
    scene = write(place.inputs / "a.tif", stripes(2), scale=0.0001)
    place.predict(model, scene).refused(3, "a does not have the model's bands", "missing band 3")


@pytest.mark.parametrize("name", ["model.pkl", "model.safetensors", "model.joblib"])
def test_a_pickle_is_never_opened(place: Workplace, scene: Path, name: str) -> None:
    """H09."""
    model, sprung = place.inputs / name, place.outputs / "sprung"
    model.write_bytes(pickle.dumps(Trap(sprung)))
    place.predict(model, scene).refused(3, f"{name} is a pickle", "give a .safetensors model")
    assert not sprung.exists()


@pytest.mark.parametrize(
    "array",
    [
        pytest.param(np.array([{}], dtype=object), id="H10"),
        pytest.param(np.zeros(10**8, "uint8"), id="H11"),
    ],
)
def test_archives_of_numpy_are_no_models(place: Workplace, scene: Path, array: Any) -> None:
    model = place.inputs / "model.npz"
    np.savez_compressed(model, array=array)
    assert model.stat().st_size < 200_000
    place.predict(model, scene).refused(3, "model.npz is a pickle or an archive")


def damaged(model: bytes) -> dict[str, bytes]:
    """What becomes of a model file on bad disks and in bad hands."""
    flipped = bytearray(model)
    flipped[-9] ^= 1
    return {
        "long": (10**12).to_bytes(8, "little") + model[8:],
        "short": model[:-8],
        "flipped": bytes(flipped),
        "empty": b"",
        "text": b"method = kmeans",
    }


@pytest.mark.parametrize("way", ["long", "short", "flipped", "empty", "text"])
def test_a_damaged_model_is_refused(
    place: Workplace, scene: Path, model: Path, sound_model: bytes, way: str
) -> None:
    """H12."""
    model.write_bytes(damaged(sound_model)[way])
    said = "its own SHA-256" if way == "flipped" else "model of rsclass"
    place.predict(model, scene).refused(3, "model.safetensors is", said)
    place.classify(scene, "--match-to", model).refused(3, "model.safetensors is", said)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("scene.tif", "scene.tif carries no recipe", id="R28-scene"),
        pytest.param("text.tif", "text.tif cannot be opened as a raster", id="R28-text"),
        pytest.param("none.tif", "none.tif does not exist; check the path", id="R28-none"),
        pytest.param("virtual.tif", "virtual.tif is a virtual raster", id="H04"),
    ],
)
def test_what_is_no_map_cannot_be_made_again(
    place: Workplace, scene: Path, name: str, said: str
) -> None:
    (place.inputs / "text.tif").write_text("no raster")
    (place.inputs / "virtual.tif").write_text(vrt(scene))
    place.run("replay", place.inputs / name, "--progress", "none").refused(3, said)


@pytest.mark.parametrize("name", ["none.safetensors", "."])
def test_a_model_that_is_not_there_is_refused(place: Workplace, scene: Path, name: str) -> None:
    """R28."""
    place.predict(place.inputs / name, scene).refused(3, "model", str(place.inputs))


def named(model: Path, name: str) -> None:
    """Give the first class of a model another name."""
    known = Model.read(model)
    first, *others = known.legend
    renamed = replace(known, legend=Legend((replace(first, name=name), *others)))
    renamed.save(model, overwrite=True)


def test_markup_in_names_stays_text(place: Workplace, model: Path) -> None:
    """H13: names of the file, of a band and of a class."""
    named(model, SCRIPT)
    bands = ("<i>blue", "red", "nir")
    scene = write(place.inputs / "<b>scene.tif", scale=0.0001, names=bands)
    place.predict(model, scene, "--report").done(BY_PLACE, files=BESIDE_MAP | {"map.html"})
    page = (place.outputs / "map.html").read_text()
    for markup in (SCRIPT, "<b>scene", "<i>blue"):
        assert markup not in page
    assert "&lt;script&gt;" in page
    assert "&lt;b&gt;scene" in page
    assert "default-src 'none'" in page


def test_a_formula_as_a_class_name_stays_text(place: Workplace, model: Path) -> None:
    """H14."""
    named(model, FORMULA)
    scene = write(place.inputs / "a.tif", scale=0.0001, names=("@band", "red", "nir"))
    place.predict(model, scene).done(BY_PLACE, files=BESIDE_MAP)
    with (place.outputs / "map.stats.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert f"'{FORMULA}" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "@", "+", "\t"))]
    stats = json.loads((place.outputs / "map.stats.json").read_text())
    assert stats["classes"][0]["name"] == FORMULA
