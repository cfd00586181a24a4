from __future__ import annotations

import re

import numpy as np

from rsclass.report.histogram import histogram


def bars(svg):
    """Left edge, top, width and height of every bar."""
    found = re.findall(
        r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', svg.decode()
    )
    return np.array(found, float)


def test_bars_are_as_high_as_their_share_and_stand_side_by_side():
    found = bars(histogram(np.array([100, 300, 0, 200]), 1.0, "confidence"))
    assert len(found) == 3
    heights = found[:, 3]
    np.testing.assert_allclose(heights / heights[0], [1, 3, 2], rtol=1e-2)
    bottoms = found[:, 1] + heights
    np.testing.assert_allclose(bottoms, bottoms[0], atol=0.2)
    step = found[1, 0] - found[0, 0]
    np.testing.assert_allclose(found[2, 0] - found[1, 0], 2 * step, atol=0.2)


def test_an_empty_histogram_has_axes_and_no_bar():
    svg = histogram(np.zeros(5, int), 2.0, "a < b & c")
    assert len(bars(svg)) == 0
    assert b"a &lt; b &amp; c" in svg
