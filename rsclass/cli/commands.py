"""The commands by name; the module of each is loaded when it is called."""

from __future__ import annotations

from importlib import import_module

import click

__all__ = ["COMMANDS", "load"]

COMMANDS = {
    "classify": "Find classes in a scene and write their map.",
    "train": "Find classes in a scene and write the model alone.",
    "predict": "Apply a model to a scene and write the map.",
    "probe": "Judge what a model has learned, layer by layer.",
    "training": "List training samples and judge them.",
    "separate": "Tell how well classes can be told apart, and which may be one.",
    "suggest": "Propose names for clusters, with the evidence for each.",
    "schema": "List land-cover schemas, or show and convert one.",
    "merge": "Join and name the classes of a map.",
    "tidy": "Clear a class map of lone pixels and small patches.",
    "edit": "Correct a class map by hand, inside drawn features.",
    "sample": "Draw reference points over a map, to be labelled.",
    "assess": "Tell how right a map is, and how large its classes really are.",
    "compare": "Tell what changed from one class map to another.",
    "methods": "List the methods, or the parameters of one.",
    "replay": "Make a map again from its recipe and compare.",
    "qgis": "Put rsclass into the toolbox of QGIS.",
    "demo": "Simulate a scene, classify it and show what came out.",
    "doctor": "Check whether this computer has what rsclass needs.",
}


def load(name: str) -> click.Command:
    """The command of that name, which must be one of ``COMMANDS``."""
    command: click.Command = import_module(f"rsclass.cli.{name}").command
    return command
