"""Share of the pixels of known class on which two maps agree: agreement MAP OTHER TRUTH."""

from __future__ import annotations

import sys

import rasterio


def main(*paths: str) -> None:
    one, other, truth = (rasterio.open(path).read(1) for path in paths)
    print((one == other)[truth > 0].mean())


if __name__ == "__main__":
    main(*sys.argv[1:])
