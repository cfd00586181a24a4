"""The place where an output will stand: checked and locked before the work, filled at its end."""

from __future__ import annotations

import os
import re
import threading
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from rsclass.errors import OutputError, OutputExistsError, UsageError
from rsclass.io.disk import write_failures
from rsclass.io.locks import OutputLock
from rsclass.io.swap import replace_together, write_synced

__all__ = ["BELONGINGS", "EDIT_LOG", "MERGE_TABLE", "Target", "abandon", "belonging"]

EDIT_LOG = ".edits.jsonl"
MERGE_TABLE = ".merged.csv"

# What lies beside a map and speaks of it; all of it goes when the map is replaced.
BELONGINGS = (
    ".aux.xml",
    ".ovr",
    ".msk",
    ".vat.dbf",
    ".qml",
    ".clr",
    ".stats.json",
    ".stats.csv",
    ".stac.json",
    ".html",
    EDIT_LOG,
    MERGE_TABLE,
)
_RASTERS = {".tif", ".tiff"}
_LONGEST_NAME = 200
_APPENDED = {".aux.xml", ".ovr", ".msk", ".vat.dbf"}  # GDAL and ArcGIS keep the map's full name


def belonging(output: Path, suffix: str) -> Path:
    """The file that belongs to ``output``: ``map.tif.aux.xml``, but ``map.qml``."""
    stem = output.name if suffix in _APPENDED else output.stem
    return output.with_name(stem + suffix)


class Target:
    """A locked place for one output and what belongs to it.

    Parameters
    ----------
    path : path
        Where the output will stand.
    inputs : sequence of paths
        Files that the run reads; none of them may be touched.
    overwrite : bool
        Whether what stands there may be replaced.
    belongings : sequence of str
        Suffixes of the files that belong to the output.
    raster : bool
        Whether the output is a raster, which has the name of a GeoTIFF.

    Raises
    ------
    UsageError
        The output is one of the inputs, its name cannot be a file name, or is that of another
        format.
    OutputExistsError
        It exists and ``overwrite`` is not set.
    OutputLockedError
        Another run is writing it.
    OutputError
        Its folder is missing or cannot be written to, or it is a folder itself.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        inputs: Sequence[str | os.PathLike[str]] = (),
        *,
        overwrite: bool = False,
        belongings: Sequence[str] = BELONGINGS,
        raster: bool = False,
    ) -> None:
        self.path = _named(path)
        self.belongings = tuple(belonging(self.path, suffix) for suffix in belongings)
        _refuse_inputs(self.path, self.belongings, inputs)
        if not os.path.isdir(self.path.parent):
            raise OutputError(f"the folder {self.path.parent} does not exist; create it first.")
        if os.path.isdir(self.path):
            raise OutputError(f"{self.path} is a folder; give the name of a file.")
        if raster:
            _refuse_other_formats(self.path)
        self._filling = threading.Lock()
        self._lock = OutputLock(self.path)
        try:
            if not overwrite:
                self._refuse_existing()
            self.remove_parts()
        except BaseException:
            self._lock.release()
            raise
        _claimed.add(self)

    def __enter__(self) -> Target:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def part(self, suffix: str) -> Path:
        """A temporary name in the same folder, so that a rename suffices."""
        return self.path.with_name(f"{self.path.name}.{os.getpid()}.part{suffix}")

    def remove_parts(self) -> None:
        """Remove every temporary file of this output; the lock says that no other run has one."""
        ours = re.compile(re.escape(self.path.name) + r"\.\d+\.part\..+", re.DOTALL)
        for entry in list(self.path.parent.iterdir()):
            if ours.fullmatch(entry.name):
                entry.unlink(missing_ok=True)

    def fill(self, finished: Path, sidecars: Mapping[str, bytes]) -> None:
        """Put ``finished`` and its sidecars in place of what was there: all of it or nothing.

        Parameters
        ----------
        finished : Path
            A complete file, named by :meth:`part`.
        sidecars : mapping of suffix to content
        """
        new = {self.path: finished}
        for suffix, content in sidecars.items():
            staged, beside = self.part(f".new{suffix}"), belonging(self.path, suffix)
            write_synced(staged, content, beside)
            new[beside] = staged
        old = dict.fromkeys((*self.belongings, *new))
        aside = {path: self.part(f".old.{i}") for i, path in enumerate(old)}
        with self._filling:
            replace_together(new, self.belongings, aside)

    def put(self, content: bytes) -> None:
        """Write a small file, read it back, and put it in place of what was there.

        Raises
        ------
        IncompleteOutputError, DiskFullError, OutputError
            What stood there before is untouched.
        """
        part = self.part(".new")
        with write_failures(self.path, part):
            write_synced(part, content, self.path)
            self.fill(part, {})

    def abandon(self) -> None:
        """Give the place up from another thread, for good; a place being filled is filled first."""
        self._filling.acquire()
        self.release()

    def release(self) -> None:
        """Remove what is unfinished and give the place free; may be called twice."""
        if not self._lock.held:
            return
        try:
            self.remove_parts()
        finally:
            self._lock.release()

    def _refuse_existing(self) -> None:
        for path in (self.path, *self.belongings):
            if os.path.lexists(path):
                raise OutputExistsError(
                    f"{path} exists; add --overwrite to replace it.", path=str(path)
                )


_claimed: weakref.WeakSet[Target] = weakref.WeakSet()


def abandon() -> None:
    """Remove what is unfinished in every place this process holds; it must end right after."""
    for target in list(_claimed):
        target.abandon()


def _refuse_other_formats(output: Path) -> None:
    if output.suffix.lower() not in _RASTERS:
        raise UsageError(
            f"the output {output} is not named as a GeoTIFF, the format that rsclass writes; "
            f"name it {output.stem}.tif.",
            output=str(output),
        )


def _named(path: str | os.PathLike[str]) -> Path:
    name = os.fspath(path)
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raise UsageError(
            f"the output name {name!a} is not valid Unicode; choose another."
        ) from None
    if "\0" in name:
        raise UsageError(f"the output name {name!a} holds a NUL character; choose another.")
    if not name:
        raise UsageError("the output has no name.")
    if len(os.path.basename(name).encode()) > _LONGEST_NAME:
        raise UsageError(
            f"the output name {os.path.basename(name)} is too long; at most {_LONGEST_NAME} bytes "
            "leave room for the names of temporary files."
        )
    if "<VRTDataset" in name:
        raise UsageError(f"GDAL takes {name!r} for the text of a VRT; choose another output.")
    # The link itself is replaced, never what it points to; so only the folder is resolved.
    whole = Path(os.path.abspath(name))
    return Path(os.path.realpath(whole.parent)) / whole.name


def _refuse_inputs(
    output: Path, belongings: Sequence[Path], inputs: Sequence[str | os.PathLike[str]]
) -> None:
    present = [p for p in (output, *belongings) if os.path.exists(p)]
    for given in inputs:
        if not os.path.exists(given):  # a remote scene cannot be a local file
            continue
        for path in present:
            if os.path.samefile(given, path):
                raise UsageError(
                    f"the output {path} is the same file as the input {os.fspath(given)}; "
                    "choose another output.",
                    output=str(path),
                    input=os.fspath(given),
                )
