"""``rsclass train``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rsclass.cli import values
from rsclass.cli.command import command as make_command
from rsclass.cli.features import TRAINING
from rsclass.cli.options import LEARNING, MACHINE, READING, SCENES, WRITING, Option
from rsclass.cli.precision import PRECISION
from rsclass.cli.session import Session
from rsclass.cli.together import together
from rsclass.cli.translate import learning_of, reading_of, running_of, scene_of, training_of
from rsclass.io.digests import begin

_WRITING = [option for option in WRITING if option.name in ("output", "overwrite")]

_SCENES = (
    Option(
        "--each",
        group="Scene",
        is_flag=True,
        default=False,
        show_default=False,
        help="Every SCENE is one of its own, on one grid, too. [default: files on one grid are the "
        "bands of one scene, files that lie apart are scenes]",
    ),
    Option(
        "--scale-each",
        group="Scene",
        is_flag=True,
        default=False,
        show_default=False,
        help="Bring every scene to the mean and spread of the first, band by band; so will "
        "'rsclass predict'.",
    ),
)

_KEEPING = (
    Option(
        "--resume",
        group="Output",
        is_flag=True,
        default=False,
        show_default=False,
        help="Keep the state of the training, and go on from the one that an earlier run left, to "
        "the same result (networks).",
    ),
    Option(
        "--checkpoint",
        group="Output",
        metavar="FILE",
        type=values.path,
        help="Where that state is kept until the model is written. [default: <model>.checkpoint "
        "with --resume, else nowhere]",
    ),
    Option(
        "--log",
        group="Output",
        metavar="FILE",
        type=values.path,
        help="CSV table of the training: loss, changed labels, sizes of the clusters and seconds "
        "of every epoch.",
    ),
)

_EXAMPLES = """\
  rsclass train north.tif south.tif west.tif -k 12 -o region.safetensors
  rsclass train scene.tif -m kmeans -k 10 -o km.safetensors
  rsclass train scene.tif -m rf --training areas.gpkg --field class -o rf.safetensors
  torchrun --nproc-per-node 2 -m rsclass train scene.tif -k 12 -o net.safetensors
  rsclass predict km.safetensors other.tif -o other_map.tif
"""


@make_command(
    "train",
    SCENES,
    *READING,
    *_SCENES,
    *LEARNING,
    *TRAINING,
    *_WRITING,
    *_KEEPING,
    *MACHINE,
    PRECISION,
    examples=_EXAMPLES,
)
def command(session: Session, **flags: Any) -> None:
    """Find or learn classes in SCENE and write the model that tells them apart.

    The model is one file that 'rsclass predict' applies to this scene or to others. It learns from
    several scenes of the same bands at once where they lie apart, or with --each.
    """
    begin(flags["scene"])
    with together(session) as leads, session.work() as progress:
        from rsclass.flow.train import train

        session.resumable = flags["resume"] or flags["checkpoint"] is not None
        result = train(
            scene_of(flags),
            flags["output"],
            training=training_of(flags),
            reading=reading_of(flags),
            running=replace(running_of(flags, progress), precision=flags["precision"]),
            overwrite=flags["overwrite"],
            each=flags["each"],
            scale_each=flags["scale_each"],
            resume=flags["resume"],
            checkpoint=flags["checkpoint"],
            log=flags["log"],
            **learning_of(flags),
        )
    if leads:
        session.deliver(result)
