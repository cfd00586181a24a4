"""Goals 1 to 5: seconds against the floor and against the peers."""

from __future__ import annotations

from benchmarks import ours
from benchmarks.bench import Bench, Comparison
from benchmarks.pairs import Contestant
from benchmarks.workplace import Scene


def _against_peers(
    bench: Bench, goal: str, made: Contestant, scene: Scene, limits: dict[str, float | None]
) -> None:
    bench.duels(
        goal,
        [
            Comparison(made, bench.peers.contestant(work, scene), limit)
            for work, limit in limits.items()
        ],
    )


def sampled_kmeans(bench: Bench) -> None:
    """K-means on a uniform sample of a million pixels, and the map of the whole scene."""
    scene = bench.scene()
    floor, usual = bench.floor(scene), ours.kmeans(scene)
    bench.race(
        "1",
        [
            Comparison(usual, floor, 1.9),
            Comparison(ours.kmeans(scene, *ours.SMALL, note="350 MiB"), floor, 2.5),
            Comparison(ours.kmeans(scene, "--no-report", note="no report"), floor),
        ],
    )
    limits: dict[str, float | None] = {
        "GRASS i.cluster + i.maxlik": 0.45,
        "scikit-learn k-means, sample": 0.45,
        "faiss k-means, sample": 0.55,
    }
    _against_peers(bench, "1", usual, scene, limits)


def exact_kmeans(bench: Bench) -> None:
    """K-means on every pixel, twenty passes."""
    scene = bench.scene()
    limits = {
        "scikit-learn k-means, all pixels": 0.25,
        "faiss k-means, all pixels": 0.15,
        "OpenCV k-means, all pixels": None,
        "SAGA k-means, all pixels": None,
    }
    _against_peers(bench, "2", ours.exact("kmeans", scene), scene, limits)


def maximum_likelihood(bench: Bench) -> None:
    """Gaussian maximum likelihood from training squares."""
    scene = bench.scene()
    floor, usual = bench.floor(scene), ours.maxlike(scene)
    plain = ours.maxlike(scene, "--no-report", note="no report")
    trained = ours.trained(scene)
    bench.race(
        "3", [Comparison(trained, floor, 1.8), Comparison(usual, floor), Comparison(plain, floor)]
    )
    limits = {
        "GRASS i.gensig + i.maxlik": 0.15,
        "scikit-learn QDA": 0.15,
        "Orfeo ToolBox bayes": None,
        "SAGA maximum likelihood": None,
    }
    _against_peers(bench, "3", usual, scene, limits)
    _against_peers(bench, "3", trained, scene, {"Orfeo ToolBox bayes": 0.05})


def other_exact(bench: Bench) -> None:
    """ISODATA, migrating means and fuzzy k-means on every pixel."""
    scene = bench.scene()
    saga = bench.peers.contestant("SAGA ISODATA, all pixels", scene)
    fuzzy = ours.exact("fuzzy", scene)
    bench.race("4", [Comparison(fuzzy, ours.exact("kmeans", scene), 2.0)])
    methods = ("isodata", "migrating", "fuzzy")
    bench.race("4", [Comparison(ours.exact(name, scene), saga, 0.3) for name in methods])


def whole_process(bench: Bench) -> None:
    """A small scene, where starting counts as much as working."""
    scene = bench.scene("S")
    limits: dict[str, float | None] = {"GRASS i.cluster + i.maxlik": 1.0}
    usual = ours.kmeans(scene)
    _against_peers(bench, "5", usual, scene, limits)
    bench.race("5", [Comparison(usual, bench.floor(scene))])
