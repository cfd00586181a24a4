"""From the values of flags to the settings of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from rsclass.cli.options import LAYERS
from rsclass.errors import UsageError

if TYPE_CHECKING:
    from rsclass.flow.training import Training
    from rsclass.io.sink import Writing
    from rsclass.io.source import Reading
    from rsclass.run.settings import Running

__all__ = ["deriving_of", "learning_of", "reading_of", "running_of", "scene_of", "training_of"]
__all__ += ["field_of", "refuse_alone", "training_features", "writing_of"]

Flags = Mapping[str, Any]


def scene_of(flags: Flags) -> str | list[str]:
    """One scene as a path, several as a list of them."""
    paths = list(flags["scene"])
    return paths[0] if len(paths) == 1 else paths


def reading_of(flags: Flags) -> Reading:
    """How the scene is read."""
    from rsclass.io.source import Reading

    names = ["src_nodata", "mask", "bounds", "resolution", "scaled", "palette_as_values"]
    names += ["max_pixels", "on_bad_tile"]
    bands = ",".join(part.strip(", ") for part in flags["bands"])
    return Reading(bands=bands or None, **{name: flags[name] for name in names})


def writing_of(flags: Flags) -> Writing:
    """How the outputs are written."""
    from rsclass.io.sink import Writing

    names = ["format", "overwrite", "min_confidence", "max_distance", "report", "report_to"]
    names += ["stac", "resume"]
    listed = {name for part in flags["layers"] for name in part}
    layers = tuple(name for name in LAYERS if name in listed or flags[name])
    return Writing(
        creation=tuple(flags["co"]), layers=layers, **{name: flags[name] for name in names}
    )


def deriving_of(flags: Flags) -> Writing:
    """How a map made from another one is written."""
    from rsclass.io.sink import Writing

    names = ("format", "overwrite", "stac")
    return Writing(creation=tuple(flags["co"]), **{name: flags[name] for name in names})


def running_of(flags: Flags, progress: Callable[[float, float, str], None]) -> Running:
    """How the machine is used."""
    from rsclass.run.settings import Running

    names = ("jobs", "max_mem", "tile", "device", "scheduler")
    return Running(progress=progress, **{name: flags[name] for name in names})


def learning_of(flags: Flags) -> dict[str, Any]:
    """Method, classes, parameters with first weights, seed and earlier model."""
    parameters = dict(flags["set"])
    if flags["sample"] == "all":
        _refuse_all(flags["method"])
    if flags["sample"] is not None:
        parameters["sample"] = flags["sample"]
    if flags["init"] is not None:
        parameters["init"] = flags["init"]
    parameters |= {name: flags[name] for name in ("features", "smooth") if flags[name] is not None}
    names = ("method", "classes", "seed", "match_to")
    return {name: flags[name] for name in names} | {"parameters": parameters}


def training_of(flags: Flags) -> Training | None:
    """The features to learn from; None where there are none."""
    if flags["training"] is not None:
        return training_features(flags["training"], flags)
    refuse_alone(_OF_TRAINING, "training features; give them with --training")
    return None


def refuse_alone(names: Sequence[str], subject: str) -> None:
    """Raise UsageError if the command line has one of these flags, whose subject is missing.

    A settings file may hold them, as it may be shared with commands that need the subject.
    """
    source = click.get_current_context().get_parameter_source
    for name in names:
        if source(name) is ParameterSource.COMMANDLINE:
            raise UsageError(f"--{name.replace('_', '-')} speaks of {subject}.")


def training_features(path: str, flags: Flags) -> Training:
    """The features of ``path``, chosen by the flags that speak of them."""
    from rsclass.flow.training import Training

    return Training(
        path,
        field_of(flags, path),
        layer=flags["layer"],
        vector_crs=flags["vector_crs"],
        encoding=flags["encoding"],
        per_class=flags["samples_per_class"],
        allow_missed=flags["allow_missed"],
    )


def field_of(flags: Flags, path: str) -> str:
    """The column of the classes.

    Raises
    ------
    UsageError
        None was named; those that exist are told.
    """
    if flags["field"] is not None:
        return str(flags["field"])
    from rsclass.io.layers import open_layer

    layer = open_layer(path, flags["layer"], flags["encoding"])
    raise UsageError(
        f"{path} needs --field NAME, the column that holds the classes; it has "
        f"{', '.join(layer.fields) or 'none'}."
    )


_OF_TRAINING = (
    "field",
    "layer",
    "vector_crs",
    "encoding",
    "samples_per_class",
    "allow_missed",
)


def _refuse_all(method: str) -> None:
    """Some methods learn from a number of pixels that has a limit."""
    from rsclass.engines.catalogue import engine_class

    kind = engine_class(method)
    for name, spec in kind.parameters.items():
        if "sample" in spec.aliases and spec.high is not None:
            raise UsageError(
                f"--sample is all, and {method} learns from at most {spec.high:,} pixels "
                f"({name}); give a number."
            )
