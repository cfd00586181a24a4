"""What the tests of the flow share."""

from __future__ import annotations

METHODS = (
    "uic",
    "consensus",
    "kmeans",
    "minibatch",
    "competitive",
    "isodata",
    "migrating",
    "fuzzy",
)

SMALL = {
    "uic": {
        "epochs": 3,
        "warmup": 1,
        "tiles": 8,
        "width": 8,
        "overcluster": 2,
        "inputs": "bands",  # the consensus is a method of this list
    },
    "consensus": {"form": "single", "overcluster": 2, "training_pixels": 20_000},
    "kmeans": {"sample": None, "max_iter": 4},
    "minibatch": {"sample": None},
    "competitive": {"sample": None},
    "isodata": {"sample": None},
    "migrating": {"sample": None},
    "fuzzy": {"sample": None},
}
"""Parameters that look at every pixel and still take no more than a second or two."""
