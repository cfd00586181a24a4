"""A part of a class map, as a class map of its own."""

from __future__ import annotations

from rsclass.core.types import Float, Labels, Window
from rsclass.io.class_map import ClassMap
from rsclass.io.grids import cropped

__all__ = ["MapPart"]


class MapPart(ClassMap):
    """A window of a class map.

    Parameters
    ----------
    whole : ClassMap
        Which stays open and is closed by whoever opened it.
    window : Window
    """

    def __init__(self, whole: ClassMap, window: Window) -> None:
        self.__dict__.update(whole.__dict__)
        self._whole, self._window = whole, window
        self.height, self.width = window.height, window.width
        self.georef = cropped(whole.georef, window)
        self.statistics = None  # of the whole map

    def read(self, window: Window) -> Labels:
        """The values (height, width) of a window of the part."""
        return self._whole.read(self._moved(window))

    def row_areas(self, window: Window) -> Float | None:
        """Area in square meters of a pixel of each row (height,) of a window; None if unknown."""
        return self._whole.row_areas(self._moved(window))

    def _moved(self, window: Window) -> Window:
        return window._replace(row=window.row + self._window.row, col=window.col + self._window.col)
