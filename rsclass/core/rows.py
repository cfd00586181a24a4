"""A sum over the blocks of a scene whose bits do not depend on how the scene was cut."""

from __future__ import annotations

from typing import Generic

from rsclass.core.types import T


class RowSums(Generic[T]):
    """Blocks are added along each row of blocks, and then the rows, from top to bottom.

    That is an order which every cut of the scene into units keeps, as long as units come row by
    row. Rows that are complete leave memory.
    """

    def __init__(self) -> None:
        self._rows: dict[int, T] = {}
        self._total: T | None = None

    def add(self, row: int, part: T) -> None:
        """Add the part of a block that begins at ``row``."""
        self._rows[row] = self._rows[row] + part if row in self._rows else part

    def complete_above(self, row: int) -> None:
        """Nothing more will come from rows above ``row``."""
        for above in sorted(r for r in self._rows if r < row):
            part = self._rows.pop(above)
            self._total = part if self._total is None else self._total + part

    def total(self) -> T:
        """The sum of everything.

        Raises
        ------
        ValueError
            Nothing was added.
        """
        if self._rows:
            self.complete_above(max(self._rows) + 1)
        if self._total is None:
            raise ValueError("a sum over no block")
        return self._total
