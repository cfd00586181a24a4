"""``rsclass demo``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rsclass.cli import values
from rsclass.cli.command import command as make_command
from rsclass.cli.options import LEARNING, MACHINE, WRITING, Option
from rsclass.cli.session import Session
from rsclass.cli.translate import running_of
from rsclass.errors import OutputError, OutputExistsError

if TYPE_CHECKING:
    from rsclass.flow.results import Classified

_FOLDER = click.Argument(["folder"], required=False, default="rsclass-demo", type=values.path)
_CHOSEN = [o for o in (*LEARNING, *WRITING) if o.name in ("method", "seed", "overwrite")]
_SIZE = Option(
    "--size",
    group="Scene",
    metavar="N",
    default=256,
    type=click.IntRange(32, 4096),
    help="Side of the scene in pixels.",
)

_EXAMPLES = """\
  rsclass demo
  rsclass demo /tmp/look --method kmeans --size 1000
"""


@dataclass(frozen=True)
class _Demo:
    scene: dict[str, Path]
    classified: Classified

    @property
    def warnings(self) -> list[str]:
        return self.classified.warnings

    def to_dict(self) -> dict[str, Any]:
        simulated = {kind: str(path) for kind, path in self.scene.items()}
        return self.classified.to_dict() | {"simulated": simulated}

    def summary(self) -> str:
        width = max(map(len, self.classified.files))
        lines = [f"  {kind:<{width}}  {path}" for kind, path in self.scene.items()]
        return "\n".join(["Simulated a scene whose truth is known:", *lines, "Classified it:"]) + (
            f"\n{self.classified.summary()}"
        )


@make_command("demo", _FOLDER, _SIZE, *_CHOSEN, *MACHINE, examples=_EXAMPLES)
def command(session: Session, **flags: Any) -> None:
    """Simulate a scene in FOLDER, classify it, and say where everything lies.

    The scene looks like one of Sentinel-2 and its land cover is known at every pixel.
    """
    folder = Path(flags["folder"])
    _make(folder, overwrite=flags["overwrite"])
    with session.work() as progress:
        from rsclass.datasets import simulate
        from rsclass.flow.classify import classify
        from rsclass.io.sink import Writing

        progress(0, 1, "simulating")
        side = flags["size"]
        scene = simulate("sentinel2", height=side, width=side, seed=flags["seed"])
        written = scene.write(folder, "scene")
        result = classify(
            str(written["scene"]),
            folder / "map.tif",
            method=flags["method"],
            classes=len(scene.class_names),
            seed=flags["seed"],
            running=running_of(flags, progress),
            writing=Writing(overwrite=flags["overwrite"]),
            command=session.command,
        )
    session.deliver(_Demo(written, result))


def _make(folder: Path, *, overwrite: bool) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        filled = any(folder.iterdir())
    except OSError as error:
        raise OutputError(f"the folder {folder} cannot be made: {error.strerror}.") from error
    if filled and not overwrite:
        raise OutputExistsError(f"the folder {folder} is not empty; add --overwrite to use it.")
