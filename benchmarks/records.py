"""What was measured, one line of JSON each, so that a run can be stopped, resumed and added to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from benchmarks.workplace import ROOT

__all__ = ["Key", "Records", "code_version"]

_LABELLING = ("core", "engines", "deep")  # parts of rsclass that decide a label


@dataclass(frozen=True)
class Key:
    """What a score belongs to."""

    task: str
    scene: str
    method: str
    k: int
    seed: int
    version: str


class Records:
    """Scores by key in a file; later lines replace earlier ones of the same key.

    Parameters
    ----------
    path : Path
    any_version : bool
        Whether scores of other versions of the code are as good, where this one has none.
    """

    def __init__(self, path: Path, any_version: bool = False) -> None:
        self.path, self.any_version = path, any_version
        self._exact: dict[Key, dict[str, Any]] = {}
        self._any: dict[tuple[Any, ...], Key] = {}
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        for line in lines:
            fields = json.loads(line)
            self._remember(Key(**{name: fields.pop(name) for name in Key.__annotations__}), fields)

    def find(self, key: Key) -> dict[str, Any] | None:
        """The scores of a key, or None."""
        if key not in self._exact and self.any_version:
            key = self._any.get(_apart_from_version(key), key)
        return self._exact.get(key)

    def add(self, key: Key, scores: dict[str, Any]) -> None:
        """Keep the scores, on the disk too."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(key) | scores) + "\n")
        self._remember(key, scores)

    def all(self) -> Iterator[tuple[Key, dict[str, Any]]]:
        """Every key with its scores."""
        yield from self._exact.items()

    def _remember(self, key: Key, scores: dict[str, Any]) -> None:
        self._exact[key] = scores
        self._any[_apart_from_version(key)] = key


def _apart_from_version(key: Key) -> tuple[Any, ...]:
    return key.task, key.scene, key.method, key.k, key.seed


@lru_cache
def code_version() -> str:
    """A digest of the sources that decide the labels."""
    digest = sha256()
    for part in _LABELLING:
        for source in sorted((ROOT / "rsclass" / part).glob("*.py")):
            digest.update(source.name.encode() + source.read_bytes())
    for name in ("contenders.py", "labelled.py", "scores.py"):
        digest.update((ROOT / "benchmarks" / name).read_bytes())
    return digest.hexdigest()[:10]
