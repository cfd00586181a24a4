"""All subjects that can be measured, in their order."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks import bounds, growth, kmeans, networks, speed, writing
from benchmarks.bench import Bench

GOALS: dict[str, Callable[[Bench], None]] = {
    "1": speed.sampled_kmeans,
    "2": speed.exact_kmeans,
    "3": speed.maximum_likelihood,
    "4": speed.other_exact,
    "5": speed.whole_process,
    "6": bounds.peak_memory,
    "7": networks.inference,
    "8": kmeans.inertia,
    "9": writing.verified_writing,
    "threads": growth.threads,
    "sizes": growth.sizes,
    "layouts": growth.layouts,
    "start": growth.start_up,
}
