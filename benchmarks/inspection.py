"""Looks at every map that a contestant made: fast and wrong does not count."""

from __future__ import annotations

import hashlib

from benchmarks.pairs import Contestant
from benchmarks.processes import CommandError
from benchmarks.workplace import helper


class Inspection:
    """Checks each contestant's first map, and that all that must be alike are the same bytes."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._digests: dict[tuple[str, str], tuple[str, str]] = {}

    def look(self, contestant: Contestant) -> None:
        """Look at the map that a run left.

        Raises
        ------
        CommandError
            There is none, it is no map of the scene, or it differs from one that it must equal.
        """
        if contestant.made is None:
            return
        if not contestant.made.exists():
            raise CommandError(f"{contestant.name} on {contestant.scene.label} wrote no map.")
        if str(contestant.made) not in self._seen:
            helper("checks", contestant.made, contestant.scene.truth, contestant.classes or 0)
            self._seen.add(str(contestant.made))
        if contestant.alike:
            self._compare(contestant, hashlib.sha256(contestant.made.read_bytes()).hexdigest())

    def _compare(self, contestant: Contestant, digest: str) -> None:
        key = (contestant.scene.label, contestant.alike)
        first, expected = self._digests.setdefault(key, (contestant.name, digest))
        if digest != expected:
            raise CommandError(
                f"{contestant.name} on {contestant.scene.label} wrote other bytes than {first}."
            )
