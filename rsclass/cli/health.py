"""The checks of ``rsclass doctor``; each looks at one thing and never raises."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

__all__ = ["CHECKS", "Check"]

GIB = 2**30
_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9_.-]+)[^;]*?(>=(?P<least>[0-9.]+))?[^;]*?"
    r"(;.*extra == ['\"](?P<extra>\w+)['\"].*)?"
)
_OTHER_GDAL = ("PROJ_LIB", "PROJ_DATA", "GDAL_DATA", "GDAL_DRIVER_PATH", "LD_PRELOAD")


@dataclass
class Check:
    """What one look found.

    Parameters
    ----------
    name : str
    status : {"ok", "warn", "fail"}
    detail : str
    """

    name: str
    status: str
    detail: str


def _python() -> list[Check]:
    fits = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return [
        Check("python", "ok" if fits else "warn", f"{platform.python_version()}, {sys.executable}"),
        Check("rsclass", "ok", f"{version('rsclass')} on {platform.platform()}"),
    ]


def _libraries() -> list[Check]:
    return list(_library_checks())


def _library_checks() -> Iterator[Check]:
    for text in requires("rsclass") or []:
        found = _REQUIREMENT.fullmatch(text)
        if found is None or found["extra"] == "dev":
            continue
        name, least, extra = found["name"], found["least"], found["extra"]
        wanted = f"{least} or newer" if least else "any version"
        try:
            present = version(name)
        except PackageNotFoundError:
            if extra:
                yield Check(name, "ok", f"absent; only for pip install 'rsclass[{extra}]'")
            else:
                # All but the networks work without torch.
                status = "warn" if name == "torch" else "fail"
                yield Check(name, status, f"absent; pip install '{name}' ({wanted})")
            continue
        enough = least is None or _numbers(present) >= _numbers(least)
        detail = present if enough else f"{present}, but {wanted} is needed"
        yield Check(name, "ok" if enough else "fail", detail)


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", release.split("+")[0])[:3])


def _gdal() -> list[Check]:
    try:
        from rsclass.io.about import gdal

        about = gdal()
    except Exception as error:
        return [Check("GDAL", "fail", _told(error))]
    foreign = [name for name in _OTHER_GDAL if os.environ.get(name)]
    hint = f"; unset {', '.join(foreign)}" if foreign else ""
    detail = f"{about.version} with {', '.join(about.drivers)}"
    if about.missing:
        detail += f"; without {', '.join(about.missing)}"
    return [
        Check("GDAL", "ok" if {"GTiff", "COG"} <= set(about.drivers) else "fail", detail),
        Check("PROJ", "ok", about.proj)
        if about.knows_crs
        else Check("PROJ", "fail", f"{about.proj} does not find its database{hint}"),
    ]


def _compiler() -> list[Check]:
    try:
        from rsclass.core import kernels
        from rsclass.core.compiling import Kernel

        folder = next(k.folder for k in vars(kernels).values() if isinstance(k, Kernel))
    except Exception as error:
        return [Check("compiled code", "fail", _told(error))]
    if folder is None:
        told = "no folder can be written: every run compiles anew; set NUMBA_CACHE_DIR"
        return [Check("compiled code", "warn", told)]
    if not os.access(folder, os.W_OK):
        told = f"{folder} cannot be written: every run compiles anew; set NUMBA_CACHE_DIR"
        return [Check("compiled code", "warn", told)]
    return [Check("compiled code", "ok", f"kept in {folder}")]


def _torch() -> list[Check]:
    try:
        from rsclass.deep.about import torch_about

        return [Check("networks", "ok", torch_about())]
    except Exception as error:
        return [Check("networks", "warn", f"uic cannot run: {_told(error)}")]


def _machine() -> list[Check]:
    import psutil

    from rsclass.run.settings import Running

    memory = psutil.virtual_memory()
    limit = Running().max_mem
    enough = memory.available >= limit
    detail = f"{memory.available / GIB:.1f} of {memory.total / GIB:.1f} GiB free"
    if not enough:
        detail += f", less than the default --max-mem of {limit / GIB:g} GiB"
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    return [
        Check("cores", "ok", str(Running().workers)),
        Check("memory", "ok" if enough else "warn", detail),
        Check("disk", "ok" if free > GIB else "warn", f"{free / GIB:.1f} GiB free in {folder}"),
    ]


def _round_trip() -> list[Check]:
    started = time.perf_counter()
    try:
        from rsclass.datasets import simulate
        from rsclass.flow.classify import classify
        from rsclass.flow.replay import replay

        with tempfile.TemporaryDirectory(prefix="rsclass-doctor-") as folder:
            scene = simulate("sentinel2", height=64, width=64).write(folder, "scene")["scene"]
            made = classify(scene, Path(folder) / "map.tif", method="kmeans", classes=4)
            again = replay(made.path)
            found = len(set(made.read().ravel().tolist()) - {0})
    except Exception as error:
        return [Check("a small map", "fail", _told(error))]
    seconds = time.perf_counter() - started
    good = again.identical and found == len(made.legend)
    detail = f"{found} classes in {seconds:.1f} s, {'the same' if again.identical else 'another'}"
    return [Check("a small map", "ok" if good else "fail", f"{detail} when made again")]


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".replace("\n", " ")


CHECKS: tuple[Callable[[], list[Check]], ...] = (
    _python,
    _libraries,
    _gdal,
    _compiler,
    _torch,
    _machine,
    _round_trip,
)
