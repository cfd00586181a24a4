"""What the figures were measured on: they mean nothing without it."""

from __future__ import annotations

import os
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("rasterio", "numpy", "numba", "scipy", "scikit-learn", "torch")


def description(peers: dict[str, str | None], rounds: int, sizes: dict[str, int]) -> list[str]:
    """Lines about the machine, the scenes and all versions."""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    known = [f"{name} {found or 'not installed'}" for name, found in peers.items()]
    scenes = ", ".join(f"{name} {size:,} x {size:,}" for name, size in sizes.items())
    return [
        f"- Measured on {date.today().isoformat()}, {rounds} pair(s) of each comparison.",
        f"- Machine: {machine()}; load when the run began: {os.getloadavg()[0]:.1f}.",
        f"- Scenes: {scenes} pixels.",
        f"- rsclass {version('rsclass')}; Python {platform.python_version()}, {libraries}.",
        f"- Peers: {', '.join(known)}.",
    ]


def machine() -> str:
    """Processor, cores, memory and system."""
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{_processor()}, {cores} core(s), {memory:.0f} GiB; {_system()}"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def _system() -> str:
    return f"{platform.freedesktop_os_release().get('PRETTY_NAME', 'Linux')}"
