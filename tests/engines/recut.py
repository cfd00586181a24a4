"""Images cut into blocks of any side."""

from __future__ import annotations

from rsclass.core.arrays import ArrayStream
from rsclass.core.types import Sample


class Recut(ArrayStream):
    """An image cut into blocks of ``side`` pixels, whatever its bands."""

    side = 0
    whole: ArrayStream

    @classmethod
    def of(cls, values, side: int, **options) -> Recut:
        stream = cls(values, **options)
        stream.whole = ArrayStream(values, **options)
        stream.side = side
        return stream

    def sample(self, n: int | None, seed: int) -> Sample:
        """That of the image as it is usually cut, for samples have the order of its blocks."""
        return self.whole.sample(n, seed)

    def drawn(self, n: int, seed: int) -> ArrayStream | None:
        """As :meth:`sample`."""
        return self.whole.drawn(n, seed)
