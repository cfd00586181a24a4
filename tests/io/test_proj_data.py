"""A database of another PROJ that the environment leads to is not used."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import rasterio

from rsclass.io import proj_data
from rsclass.io.proj_data import VARIABLES, forget_foreign

OWN = Path(rasterio.__file__).parent / "proj_data"

pytestmark = pytest.mark.skipif(
    not OWN.is_dir(), reason="this rasterio brings no database of coordinate systems"
)


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def _database(folder: Path, major: int, minor: int) -> str:
    folder.mkdir()
    with closing(sqlite3.connect(folder / "proj.db")) as database, database:
        database.execute("CREATE TABLE metadata (key TEXT, value TEXT)")
        rows = [("MAJOR", major), ("MINOR", minor)]
        database.executemany(
            "INSERT INTO metadata VALUES ('DATABASE.LAYOUT.VERSION.' || ?, ?)", rows
        )
    return str(folder)


@pytest.mark.parametrize("name", VARIABLES)
def test_an_older_database_is_forgotten(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Layout 1.2 is that of PROJ 9.1, which rasterio's own PROJ refuses."""
    monkeypatch.setenv(name, _database(tmp_path / "proj é", 1, 2))
    assert forget_foreign() == [name]
    assert name not in os.environ


def test_what_is_no_database_counts_as_older(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "proj.db").write_bytes(b"not a database at all" * 100)
    monkeypatch.setenv("PROJ_DATA", str(tmp_path))
    assert forget_foreign() == ["PROJ_DATA"]


def test_the_own_and_newer_databases_and_folders_of_grids_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "grids").mkdir()
    newer = _database(tmp_path / "newer", 1, 99)
    for folders in (
        str(OWN),
        newer,
        str(tmp_path / "grids"),
        f"{tmp_path / 'grids'}{os.pathsep}{OWN}",
        "",
    ):
        monkeypatch.setenv("PROJ_DATA", folders)
        assert forget_foreign() == []
        assert os.environ["PROJ_DATA"] == folders


def test_without_a_database_of_its_own_nothing_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in conda, where the variable leads to the only one there is."""
    monkeypatch.setattr(proj_data, "find_spec", lambda name: None)
    monkeypatch.setenv("PROJ_DATA", _database(tmp_path / "conda", 1, 2))
    assert forget_foreign() == []
