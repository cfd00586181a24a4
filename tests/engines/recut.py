"""A stream whose sums are formed over other blocks than those of the scene."""

from __future__ import annotations

from rsclass.core.arrays import ArrayStream


class Recut(ArrayStream):
    """An image cut into blocks of ``side`` pixels, whatever its bands."""

    side = 0

    @classmethod
    def of(cls, values, side: int, **options) -> Recut:
        stream = cls(values, **options)
        stream.side = side
        return stream
