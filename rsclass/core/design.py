"""How a reference sample was drawn: what its estimates rest on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rsclass.errors import DataError

__all__ = ["DESIGNS", "Design", "Stratum"]

DESIGNS = {
    "simple": "simple random sample",
    "systematic": "systematic sample with a random start",
    "stratified": "stratified random sample",
}
"""What each design is called."""

FORMAT = "rsclass-sample-design"
FORMAT_VERSION = 1
WHOLE = "whole map"
"""The one stratum of a sample that is not stratified."""


@dataclass(frozen=True, slots=True)
class Stratum:
    """A part of the map in which units were drawn at random.

    Parameters
    ----------
    value : int
        That stands for it in a raster; for a map class, its value. 0: the whole map.
    name : str
    pixels : int
        Of the whole map.
    units : int
        That were drawn.
    """

    value: int
    name: str
    pixels: int
    units: int

    @property
    def inclusion(self) -> float:
        """Probability of a pixel to be drawn."""
        return self.units / self.pixels


@dataclass(frozen=True)
class Design:
    """How a sample was drawn.

    Parameters
    ----------
    kind : {"simple", "systematic", "stratified"}
    strata : tuple of Stratum
        By value.
    map : str
        Name of the map.
    strata_from : str
        What the strata are: ``"map classes"``, or the name of a raster; empty without strata.
    seed : int
    min_distance : float
        Least distance between units in meters, 0 for none.
    allocation : str
        How the units were shared out among the strata; empty without strata.
    """

    kind: str
    strata: tuple[Stratum, ...]
    map: str
    strata_from: str = ""
    seed: int = 0
    min_distance: float = 0.0
    allocation: str = ""

    def __post_init__(self) -> None:
        if self.kind not in DESIGNS:
            raise DataError(f"no sampling design is named {self.kind!r}; {_known()}.")
        if not self.strata or any(s.pixels < s.units or s.units < 0 for s in self.strata):
            raise DataError("a sampling design needs strata, each no smaller than its sample.")

    @property
    def title(self) -> str:
        """In words."""
        return DESIGNS[self.kind]

    @property
    def units(self) -> int:
        """How many were drawn."""
        return sum(stratum.units for stratum in self.strata)

    def to_json(self) -> str:
        """As one line of JSON."""
        head = {"format": FORMAT, "format_version": FORMAT_VERSION}
        return json.dumps(head | asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str, source: str) -> Design:
        """Read what :meth:`to_json` writes; ``source`` is named in errors.

        Raises
        ------
        DataError
            It is no such text, or of a newer format.
        """
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DataError(f"the design in {source} is no readable JSON: {error}.") from error
        if not isinstance(content, Mapping) or content.get("format") != FORMAT:
            raise DataError(f'the design in {source} does not say "format": "{FORMAT}".')
        if content.get("format_version") != FORMAT_VERSION:
            raise DataError(
                f"the design in {source} has format version {content.get('format_version')}, this "
                f"rsclass reads {FORMAT_VERSION}; update rsclass."
            )
        try:
            return cls(**_fields(content))
        except (TypeError, ValueError, KeyError) as error:
            raise DataError(f"the design in {source} is damaged: {error}.") from error


def _fields(content: Mapping[str, Any]) -> dict[str, Any]:
    fields = {key: content[key] for key in content if key not in ("format", "format_version")}
    strata = tuple(
        Stratum(int(s["value"]), str(s["name"]), int(s["pixels"]), int(s["units"]))
        for s in fields.pop("strata")
    )
    return fields | {"strata": strata}


def _known() -> str:
    return f"known are {', '.join(DESIGNS)}"
