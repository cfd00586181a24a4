"""The flag for the numbers that networks are trained in."""

from __future__ import annotations

import click

from rsclass.cli.options import Option

__all__ = ["PRECISION"]

PRECISION = Option(
    "--precision",
    group="Machine",
    default="auto",
    type=click.Choice(["auto", "float32", "bf16"]),
    help="Numbers that networks are trained in; auto: bf16 on a graphics processor, else float32.",
)
