"""A map made again from the recipe it carries, and compared byte by byte."""

from __future__ import annotations

import filecmp
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rsclass.errors import DataError
from rsclass.flow.classify import classify
from rsclass.flow.models import Model, versions
from rsclass.flow.outputs import rasters_of
from rsclass.flow.predict import predict
from rsclass.flow.results import Replayed
from rsclass.flow.training import Training
from rsclass.io.maps import differing_pixels, read_recipe
from rsclass.io.sink import Writing
from rsclass.io.source import Reading, source_from_recipe
from rsclass.run.settings import Running


def replay(
    path: str | Path,
    *,
    scene: Any = None,
    model: str | Path | None = None,
    training: str | Path | None = None,
    running: Running | None = None,
) -> Replayed:
    """Make the map at ``path`` and its layers again, and compare them byte by byte.

    The new map is made in a temporary folder; nothing that exists is touched.

    Parameters
    ----------
    path : path
        A map written by rsclass.
    scene : path or None
        Where the scene lies now, if it was moved; for a map made from another map, where that lies.
    model : path or None
        Where the model lies now, for a map made by ``predict``.
    training : path or None
        Where the training features lie now, if they were moved.
    running : Running or None
        Its device is that of the map.

    Returns
    -------
    Replayed

    Raises
    ------
    DataError
        The map carries no recipe, or the scene or the model has changed since.
    """
    path = Path(path)
    recipe = read_recipe(path)
    if "parent" in recipe:
        return _derived_again(path, recipe, scene, running or Running())
    source = source_from_recipe(recipe["source"], scene)
    try:
        _refuse_other_scene(recipe, source.sha256())
    finally:
        source.close()
    reading = source.reading
    scenes = recipe["source"]["scene"] if scene is None else scene
    writing = _writing(recipe["writing"])
    running = replace(running or Running(), device=recipe["device"])
    with tempfile.TemporaryDirectory(prefix="rsclass-replay-") as folder:
        again = Path(folder) / path.name
        if recipe["verb"] == "predict":
            _predict_again(recipe, model, scenes, again, reading, running, writing)
        else:
            _refuse_other_model(recipe)
            classes = recipe["classes"]
            classify(
                scenes,
                again,
                method=recipe["method"],
                classes=(classes[0], classes[1]) if isinstance(classes, list) else classes,
                parameters=recipe["parameters"],
                seed=recipe["seed"],
                match_to=recipe["match_to"],
                training=_training(recipe.get("training"), training),
                reading=reading,
                running=running,
                writing=writing,
            )
        differing = differing_pixels(path, again)
        # A scene that was moved has another path in its recipe, and thus another file.
        identical = all(
            filecmp.cmp(path.with_name(file.name), file, shallow=False)
            for file in rasters_of(again, writing.layers)
        )
    notes = _changed_versions(recipe["versions"])
    return Replayed(path, identical, differing, notes, same_pixels=differing == 0)


def _derived_again(
    path: Path, recipe: Mapping[str, Any], parent: Any, running: Running
) -> Replayed:
    """The same for a map that was made from another map."""
    from rsclass.flow.remake import remake

    with tempfile.TemporaryDirectory(prefix="rsclass-replay-") as folder:
        again = Path(folder) / path.name
        remake(recipe, again, parent=parent, running=running, writing=_writing(recipe["writing"]))
        differing = differing_pixels(path, again)
        identical = filecmp.cmp(path, again, shallow=False)
    notes = _changed_versions(recipe["versions"])
    return Replayed(path, identical, differing, notes, same_pixels=differing == 0)


def _predict_again(
    recipe: Mapping[str, Any],
    model: str | Path | None,
    scenes: Any,
    again: Path,
    reading: Reading,
    running: Running | None,
    writing: Writing,
) -> None:
    place = model or recipe["model"]
    if place is None:
        raise DataError("the map was made with a model that was never saved; give it as --model.")
    known = Model.read(place)
    if known.sha256() != recipe["model_sha256"]:
        raise DataError(f"{place} is not the model that the map was made with.")
    predict(
        place,
        scenes,
        again,
        reading=reading,
        running=running,
        writing=writing,
        adapt=recipe.get("adapt", False),
    )


def _training(recipe: Mapping[str, Any] | None, moved: str | Path | None) -> Training | None:
    """The features that the map was learned from, if they are what they were."""
    if recipe is None:
        return None
    names = ("field", "layer", "vector_crs", "encoding", "per_class", "allow_missed")
    training = Training(moved or recipe["path"], **{name: recipe[name] for name in names})
    if sorted(training.sha256().values()) != sorted(recipe["sha256"].values()):
        raise DataError(
            f"{training.path} is not what the map was learned from; its SHA-256 differs."
        )
    return training


def _refuse_other_model(recipe: Mapping[str, Any]) -> None:
    path = recipe["match_to"]
    if path is not None and Model.read(path).sha256() != recipe["match_to_sha256"]:
        raise DataError(f"{path} is not the model whose classes the map keeps; it has changed.")


def _writing(choices: Mapping[str, Any]) -> Writing:
    creation = tuple((name, value) for name, value in choices["creation"])
    return Writing(
        format=choices["format"],
        creation=creation,
        layers=tuple(choices.get("layers", ())),
        min_confidence=choices.get("min_confidence"),
        max_distance=choices.get("max_distance"),
        report=False,
    )


def _refuse_other_scene(recipe: Mapping[str, Any], found: Mapping[str, str]) -> None:
    if sorted(recipe["sha256"].values()) != sorted(found.values()):
        changed = [
            file for file, digest in found.items() if digest not in recipe["sha256"].values()
        ]
        raise DataError(
            f"{', '.join(changed) or 'the scene'} is not what the map was made from: "
            "its SHA-256 differs."
        )


def _changed_versions(then: Mapping[str, str]) -> list[str]:
    return [
        f"{name} was {then.get(name, 'absent')} then and is {now} now."
        for name, now in versions().items()
        if then.get(name) != now
    ]
