"""A part of a class map, as a class map of its own."""

from __future__ import annotations

from functools import cached_property

from rsclass.core.ground import Ground
from rsclass.core.types import Labels, Window
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
        self.__dict__.update({k: v for k, v in whole.__dict__.items() if k != "ground"})
        self._whole, self._window = whole, window
        self.height, self.width = window.height, window.width
        self.georef = cropped(whole.georef, window)
        self.statistics = None  # of the whole map

    def read(self, window: Window) -> Labels:
        """The values (height, width) of a window of the part."""
        return self._whole.read(self._moved(window))

    @cached_property
    def ground(self) -> Ground:
        """What a pixel of each row of the part weighs on the ground."""
        areas = self._whole.source.pixel_areas()
        rows = slice(self._window.row, self._window.row_end)
        return Ground.of_rows(None if areas is None else areas[rows], self.height)

    def _moved(self, window: Window) -> Window:
        return window._replace(row=window.row + self._window.row, col=window.col + self._window.col)
