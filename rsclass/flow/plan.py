"""What a run would do and cost, found out without doing it."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from rsclass.core.arrays import ArrayStream
from rsclass.core.grid import TileGrid
from rsclass.core.types import Block, Window
from rsclass.engines.base import Engine
from rsclass.flow.label import plan_labelling
from rsclass.flow.learn import Classes, ending, prepared_engine, wanted_classes
from rsclass.flow.models import Model
from rsclass.flow.outputs import MapOutputs, default_output
from rsclass.flow.parameters import read_parameters
from rsclass.flow.scene import open_scene, open_stream
from rsclass.flow.stream import SceneStream
from rsclass.flow.training import Samples, Training, collect
from rsclass.io.sink import Writing, class_dtype
from rsclass.io.source import Reading
from rsclass.run.memory import resident
from rsclass.run.settings import Running

MIB = 2**20
TRIAL_SIDE = 256


@dataclass(frozen=True)
class Plan:
    """What a run would do.

    Attributes
    ----------
    scene : str
    height, width : int
    bands : list of str
    dtype : str
    method : str
    output : str
    tile : tuple of int
        (height, width) in pixels of a unit of work.
    tiles : int
        Units in one pass.
    jobs : int
    block : int
        Side of the blocks over which sums are formed; units are multiples of it.
    kept_in_memory : bool
        Decoded units are kept between passes; otherwise they are read again.
    memory_bytes, memory_limit : int
        Expected peak, and ``--max-mem``.
    disk_bytes, disk_free : int
        Outputs before compression, and room in their folder.
    seconds : float
        Estimate from a trial on a part of the scene.
    """

    scene: str
    height: int
    width: int
    bands: list[str]
    dtype: str
    method: str
    output: str
    tile: tuple[int, int]
    tiles: int
    jobs: int
    block: int
    kept_in_memory: bool
    memory_bytes: int
    memory_limit: int
    disk_bytes: int
    disk_free: int
    seconds: float
    warnings: list[str]

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        return asdict(self)

    def summary(self) -> str:
        """A few lines for people."""
        kept = "kept in memory between passes" if self.kept_in_memory else "read again in each pass"
        return "\n".join(
            [
                f"{self.scene}: {self.height} x {self.width} pixels, {len(self.bands)} bands "
                f"({', '.join(self.bands[:12])}{', ...' if len(self.bands) > 12 else ''}), "
                f"{self.dtype}",
                f"  would write  {self.output}",
                f"  tiles        {self.tiles} of {self.tile[0]} x {self.tile[1]} pixels on "
                f"{self.jobs} threads, {kept}",
                f"  memory       about {self.memory_bytes // MIB} MiB of {self.memory_limit // MIB}"
                " MiB allowed",
                f"  disk         at most {math.ceil(self.disk_bytes / MIB)} MiB before "
                f"compression, {self.disk_free // MIB} MiB free",
                f"  time         about {_spoken(self.seconds)}",
            ]
        )


def plan(
    scene: Any,
    out: str | Path | None = None,
    *,
    method: str = "uic",
    classes: Classes | None = None,
    parameters: Mapping[str, Any] | None = None,
    seed: int = 0,
    training: Training | None = None,
    reading: Reading | None = None,
    running: Running | None = None,
    writing: Writing | None = None,
) -> Plan:
    """Tell what :func:`rsclass.classify` would do with the same arguments; nothing is written.

    The time is scaled up from a trial: reading one unit, and fitting and labelling a square of
    at most 256 pixels a side from the middle of the scene.

    Returns
    -------
    Plan

    Raises
    ------
    UsageError, DataError, OutputError, MemoryLimitError
        As the run itself would raise before its first pass.
    """
    running, writing = running or Running(), writing or Writing()
    wanted = wanted_classes(method, classes)
    source = open_scene(scene, reading or Reading())
    try:
        path = Path(out or default_output(source, ending(method, wanted) + ".tif"))
        values = read_parameters(method, parameters)
        engine = prepared_engine(method, wanted, values, seed, training is not None)
        engine.refuse_layers(writing.needed_layers)
        engine.use_machine(running.workers, running.device)
        with (
            MapOutputs(
                path, source, writing, inputs=training.files() if training else ()
            ) as outputs,
            open_stream(source, running) as stream,
        ):
            samples = None if training is None else collect(stream, training, seed)
            seconds, model = _trial(stream, engine, seed, samples)
            labelling = plan_labelling(stream, model, writing.layers)
            work = stream.plan
            stored = source.dtype.itemsize * len(source.bands) + 1
            decoded = stored * stream.height * stream.width
            occupied = resident(running.max_mem)
            units = max(
                work.ahead * work.unit_bytes + min(decoded, stream.kept_bytes),
                labelling.ahead * labelling.unit_bytes,
            )
            grid = TileGrid(stream.height, stream.width, work.tile_height, work.tile_width)
            return Plan(
                scene=source.name,
                height=stream.height,
                width=stream.width,
                bands=[band.name for band in source.bands],
                dtype=str(source.dtype),
                method=method,
                output=str(outputs.path),
                tile=(min(work.tile_height, stream.height), min(work.tile_width, stream.width)),
                tiles=len(grid),
                jobs=running.workers,
                block=stream.side,
                kept_in_memory=decoded <= stream.kept_bytes,
                memory_bytes=min(occupied + units, running.max_mem),
                memory_limit=running.max_mem,
                disk_bytes=_disk_bytes(stream, _most(wanted, model), writing),
                disk_free=psutil.disk_usage(str(outputs.path.parent)).free,
                seconds=seconds,
                warnings=[*source.warnings, *(samples.warnings if samples else ())],
            )
    finally:
        source.close()


def _trial(
    stream: SceneStream, engine: Engine, seed: int, samples: Samples | None
) -> tuple[float, Model]:
    """Estimated seconds of the run, and a model of a small part of the scene."""
    part = _middle(stream)
    started = time.perf_counter()
    block = stream.read(part)
    reading = time.perf_counter() - started
    small = ArrayStream(block.values, block.valid, stream.bands)
    if not small.valid.any():
        # The middle is nodata: look at pixels from everywhere instead.
        drawn = stream.sample(TRIAL_SIDE**2, seed)
        side = max(int(math.sqrt(len(drawn))), 1)
        table = drawn.values[: side * side]
        plain = [band.__class__(band.name, band.role, band.wavelength) for band in stream.bands]
        small = ArrayStream(np.ascontiguousarray(table.T).reshape(-1, side, side), None, plain)
    started = time.perf_counter()
    if samples is None:
        share = engine.fit_trial(small)
    else:
        engine.prepare(stream)
        engine.fit_training(samples.pixels, stream.bands)
        share = 1.0
    fitting = (time.perf_counter() - started) / share
    whole = Window(0, 0, small.height, small.width)
    first: Block = small.read(whole)
    started = time.perf_counter()
    engine.predict_block(first, whole, ())
    labelling = time.perf_counter() - started
    model = Model.of(engine, small.sample(10_000, seed), {}, seed)
    n_small, n_all = small.height * small.width, stream.height * stream.width
    per_pixel = labelling / n_small + 2 * reading / part.pixels
    learned = min(engine.pixels_learned_from(n_all) / n_small, n_all / n_small)
    if samples is not None:
        learned = 1.0
    workers = stream.running.workers
    return (fitting * max(learned, 1.0) + per_pixel * n_all) / workers + 1.0, model


def _middle(stream: SceneStream) -> Window:
    height, width = min(stream.height, TRIAL_SIDE), min(stream.width, TRIAL_SIDE)
    return Window((stream.height - height) // 2, (stream.width - width) // 2, height, width)


def _most(wanted: int | tuple[int, int] | None, model: Model) -> int:
    """Classes of the map at most."""
    if wanted is None:
        return model.engine.n_classes_
    return wanted if isinstance(wanted, int) else wanted[1]


def _disk_bytes(stream: SceneStream, n_classes: int, writing: Writing) -> int:
    pixel = class_dtype(n_classes).itemsize
    for layer in writing.layers:
        pixel += 4 * (n_classes if layer == "membership" else 1)
    return pixel * stream.height * stream.width


def _spoken(seconds: float) -> str:
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
