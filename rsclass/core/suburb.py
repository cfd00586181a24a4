"""Where which surface lies in a suburb, as an aircraft sees it: fine, cornered, with shadows."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from rsclass.core.landscape import Canvas, Ground
from rsclass.core.placefield import Bricks, bricks, discs, fractal, smooth, uniform
from rsclass.core.surfaces import Palette
from rsclass.core.types import Float, Mask

# All lengths in units of half a metre.
_BLOCK = 118.0  # from street to street
_STREET = 13.0
_PAVEMENT = 2.6
_PLOT = 44.0  # along the street
_DEPTH = (_BLOCK - _STREET) / 2.0
_SUN_SLOPE = 0.75  # columns per row on the way of a shadow

_IN_SHADOW = 0.38
_TURNED_AWAY = 0.72


class Plots:
    """The streets and plots around given positions.

    Parameters
    ----------
    y, x : float64 arrays
        Position.
    seed : int
    """

    def __init__(self, y: Float, x: Float, seed: int) -> None:
        self.seed = seed
        # Streets bend gently.
        across = 0.98 * y + 0.2 * x + 12.0 * smooth(y, x, 170.0, seed + 2)
        self.along = 0.98 * x - 0.2 * y + 12.0 * smooth(y, x, 170.0, seed + 3)
        block = np.floor(across / _BLOCK)
        self.across = across - block * _BLOCK
        inner = np.clip(self.across - _STREET, 0.0, 2.0 * _DEPTH - 1e-6)
        self.plot: Bricks = bricks(
            inner + 2.0 * _DEPTH * block, self.along, _DEPTH, _PLOT, seed + 4, jitter=0.0
        )
        self.upper = self.plot.row % 2 == 0
        # Distance from the street that the plot opens to; plots lie back to back.
        self.depth = np.where(self.upper, self.plot.down, _DEPTH - self.plot.down)

    def fate(self, k: int) -> Float:
        """A number in [0, 1) for every plot."""
        return uniform(self.plot.row, self.plot.col, self.seed + 100 + k)

    @property
    def street(self) -> Mask:
        """Asphalt, and the crossing streets at every eighth plot."""
        return (self.across < _STREET) | (self.along % (8 * _PLOT) < _STREET)

    @property
    def pavement(self) -> Mask:
        """A strip along both sides of a street."""
        beside = (self.across < _STREET + _PAVEMENT) | (self.across > _BLOCK - _PAVEMENT)
        return beside & ~self.street

    @property
    def site(self) -> Mask:
        """Plots without a house yet."""
        return (self.fate(0) < 0.1) & ~self.street & ~self.pavement

    @property
    def house(self) -> Mask:
        """One rectangle on every plot that is no building site."""
        front = 11.0 + 5.0 * self.fate(1)
        back = front + 17.0 + 7.0 * self.fate(2)
        left = 12.0 + 5.0 * self.fate(3)
        right = left + 19.0 + 8.0 * self.fate(4)
        inside = (self.depth > front) & (self.depth < back)
        inside &= (self.plot.right > left) & (self.plot.right < right)
        return inside & (self.fate(0) >= 0.1) & ~self.street

    @property
    def away_from_sun(self) -> Mask:
        """The lower half of each gabled roof."""
        middle = 11.0 + 5.0 * self.fate(1) + 8.5 + 3.5 * self.fate(2)
        return np.where(self.upper, self.depth > middle, self.depth < middle)

    @property
    def driveway(self) -> Mask:
        """From the street to beside the house."""
        near = (self.plot.right > 3.0) & (self.plot.right < 9.5)
        return near & (self.depth < 24.0) & (self.fate(0) >= 0.1)

    @property
    def pool(self) -> Mask:
        """At the back of about one plot in three."""
        inside = (np.abs(self.plot.right - 26.0) < 6.0) & (np.abs(self.depth - 45.0) < 3.6)
        return inside & (self.fate(0) > 0.65) & ~self.street


def suburb(y: Float, x: Float, seed: int, palette: Palette, covers: Collection[str]) -> Ground:
    """Streets, plots with a house and a garden each, trees with shadows, pools, building sites.

    Parameters
    ----------
    y, x : float64 arrays (height, 1) and (1, width)
        Position in units of half a metre.
    seed : int
    palette : Palette
    covers : collection of str
        The land-cover classes to paint.
    """
    canvas = Canvas(palette, np.broadcast_shapes(y.shape, x.shape), covers)
    plots = Plots(y, x, seed)
    canvas.paint("dry grass", fractal(y, x, 70.0, seed + 10) > 0.3)
    canvas.paint("earth", plots.site & (smooth(y, x, 14.0, seed + 11) > -0.35))
    canvas.paint("earth", discs(y, x, 30.0, 5.0, 0.25, seed + 12) > 0.0)
    canvas.paint("pool", plots.pool)
    canvas.paint("concrete", plots.driveway | plots.pavement)
    canvas.paint("asphalt", plots.street)
    canvas.paint("crown", _crowns(y, x, seed) > 0.0)
    house = plots.house & ("building" in covers)
    red = plots.fate(5) < 0.6
    canvas.paint("red roof", house & red)
    canvas.paint("gray roof", house & ~red)

    shadow = np.zeros(canvas.surface.shape, dtype=np.bool_)
    for step in (2.0, 4.0, 6.0):
        # The sun stands at the lower right: what lies there casts its shadow here.
        from_y, from_x = y + step, x + _SUN_SLOPE * step
        if "building" in covers:
            shadow |= Plots(from_y, from_x, seed).house
        if "tree" in covers:
            shadow |= _crowns(from_y, from_x, seed) > step / 9.0
    shade = np.where(shadow & ~house, _IN_SHADOW, 1.0)
    shade = np.where(house & ~plots.away_from_sun, _TURNED_AWAY, shade)
    return Ground(canvas.surface, np.stack([plots.plot.row, plots.plot.col]), shade)


def _crowns(y: Float, x: Float, seed: int) -> Float:
    """Single trees, and a grove where they stand close."""
    single = discs(y, x, 24.0, 9.0, 0.3, seed + 20)
    grove = discs(y, x, 9.0, 8.0, 0.85, seed + 30)
    wooded = smooth(y, x, 150.0, seed + 40) > 0.45
    return np.where(wooded, np.maximum(single, grove), single)
