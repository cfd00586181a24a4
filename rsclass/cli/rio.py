"""``rio classify``: the command as a plugin of rasterio's program."""

from __future__ import annotations

import shlex
import sys
from typing import Any

import click

from rsclass.cli.boundary import guarded
from rsclass.cli.classify import command
from rsclass.cli.command import Command
from rsclass.cli.session import Session

__all__ = ["classify"]


class _Plugin(Command):
    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> click.Context:
        extra["obj"] = Session(command=shlex.join(["rio", *sys.argv[1:]]))  # not rio's own
        return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Call the command inside rsclass's boundary; rio would print a traceback."""
        invoke = super().invoke
        sys.exit(guarded(ctx.ensure_object(Session), lambda: invoke(ctx)))


classify = _Plugin(
    "classify",
    callback=command.callback,
    params=command.params,
    help=command.help,
    epilog=(command.epilog or "").replace("rsclass classify", "rio classify"),
    context_settings=command.context_settings,
)
