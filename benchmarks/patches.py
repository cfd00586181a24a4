"""Dense labelling by a trained network, and the loop over patches that it replaces.

    python -m benchmarks.patches MODEL SCENE THREADS SIDE

Labels pixels from the middle of the scene, SIDE on a side and held in memory, by both, and prints
JSON: millions of pixels in a second of each, and the share of pixels on which they agree.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import rasterio
import torch
from numpy.typing import NDArray
from rasterio.windows import Window as RasterWindow

import rsclass
from rsclass.core.grid import split
from rsclass.core.types import Block, Window

TILE, BATCH, PATCHES = 512, 1024, 60_000


def middle(scene: str, side: int) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
    """Pixels (bands, side, side) from the middle of the scene, and where they are valid."""
    with rasterio.open(scene) as source:
        side = min(side, source.height, source.width)
        at = RasterWindow((source.width - side) // 2, (source.height - side) // 2, side, side)
        values = source.read(window=at)
    return values, (values != 0).all(axis=0)


def dense(engine: Any, block: Block, threads: int) -> tuple[NDArray[np.int32], float]:
    """Labels, and millions of pixels in a second."""
    labels = np.empty(block.valid.shape, dtype=np.int32)

    def one(tile: Window) -> None:
        labels[tile.inside(block.window)] = engine.predict_block(block, tile).labels

    tiles = list(split(block.window, TILE))
    one(tiles[0])
    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, tiles))
    return labels, labels.size / 1e6 / (time.perf_counter() - started)


def looped(engine: Any, block: Block, n: int) -> tuple[NDArray[np.int32], float]:
    """Labels of the first ``n`` pixels that have whole patches, and millions in a second.

    By the network as it was trained: nothing is absorbed, and no layer exchanged.
    """
    labeler = engine._labeler_here()
    net = labeler.net.eval()
    side = 2 * engine.halo + 1
    inputs = labeler.scaling.inputs(block)
    patches = np.lib.stride_tricks.sliding_window_view(inputs, (side, side), axis=(1, 2))
    width = patches.shape[2]
    found = []
    started = time.perf_counter()
    with torch.inference_mode():
        for first in range(0, n, BATCH):
            row, col = np.divmod(np.arange(first, min(first + BATCH, n)), width)
            batch = np.ascontiguousarray(patches[:, row, col].swapaxes(0, 1))
            logits = net(torch.from_numpy(batch))
            found.append(labeler.group[logits[:, :, 0, 0].argmax(dim=1).numpy()])
    seconds = time.perf_counter() - started
    return np.concatenate(found).astype(np.int32), n / 1e6 / seconds


def main(model: str, scene: str, threads: str, side: str) -> None:
    engine = rsclass.load(model).engine
    engine.use_machine(int(threads), "cpu")
    torch.set_num_threads(int(threads))
    values, valid = middle(scene, int(side))
    whole = Window(0, 0, *valid.shape)
    block = Block(whole, values, valid, np.ones(len(values)), np.zeros(len(values)))
    labels, dense_speed = dense(engine, block, int(threads))
    reach = engine.halo
    inner = labels[reach : len(labels) - reach, reach : labels.shape[1] - reach].reshape(-1)
    n = min(PATCHES, inner.size)
    by_patch, loop_speed = looped(engine, block, n)
    seen = inner[:n] >= 0
    print(
        json.dumps(
            {
                "dense": dense_speed,
                "loop": loop_speed,
                "agreement": float((inner[:n] == by_patch)[seen].mean()),
                "side": 2 * reach + 1,
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
