"""A classification loads nothing that it does not need: most of it takes longer than the work."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "PIL",
    "dask",
    "distributed",
    "geopandas",
    "matplotlib",
    "pandas",
    "pyogrio",
    "pyproj",
    "rich",
    "shapely",
    "sklearn",
    "torch",
    "xarray",
    # To compile a loop that is not kept yet, numba itself loads scipy.linalg.
    "scipy.cluster",
    "scipy.ndimage",
    "scipy.optimize",
    "scipy.spatial",
    "scipy.stats",
}
METHODS = ("kmeans", "minibatch", "isodata", "fuzzy", "migrating", "competitive")
SCRIPT = """
import json, sys
from rsclass.cli.main import main
scene, out, *methods = sys.argv[1:]
codes = [main(["classify", scene, "-q", "-m", m, "-k", "3", "-o", f"{out}/{m}.tif"])
         for m in methods]
print(json.dumps([codes, sorted(sys.modules)]))
"""


def test_classifying_with_map_and_report_loads_no_library_of_other_work(
    scene: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(scene), str(tmp_path), *METHODS],
        capture_output=True,
        text=True,
        check=True,
    )
    codes, loaded = json.loads(done.stdout)
    assert codes == [0] * len(METHODS)
    assert {"llvmlite", "rasterio", "rsclass.report.html"} <= set(loaded)
    assert HEAVY & set(loaded) == set()
    assert all((tmp_path / f"{method}.html").exists() for method in METHODS)


ENDING = """
import atexit, sys
from rsclass.cli.main import main

class Library:
    def __del__(self):
        print("taken down")

library = Library()
atexit.register(print, "exit functions ran")
sys.argv[1:] = ["methods", "isodata"] if sys.argv[1] == "good" else ["methods", "no-such"]
main()
print("went on")
"""


@pytest.mark.parametrize(("kind", "code"), [("good", 0), ("bad", 2)])
def test_a_finished_run_ends_its_process_without_taking_down_libraries(
    kind: str, code: int
) -> None:
    done = subprocess.run([sys.executable, "-c", ENDING, kind], capture_output=True, text=True)
    assert done.returncode == code
    assert done.stdout.splitlines()[-1:] == ["exit functions ran"]
    assert ("max_std" in done.stdout) == (code == 0)
    assert ("no-such" in done.stderr) == (code == 2)
