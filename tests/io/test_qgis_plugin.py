"""The QGIS plugin as an archive and in a folder of plugins."""

from __future__ import annotations

import ast
import io
import json
import os
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from rsclass.errors import OutputError, OutputExistsError
from rsclass.io import qgis_plugin
from rsclass.io.qgis_plugin import (
    PLUGIN,
    archive,
    install,
    plugin_files,
    plugin_version,
    uninstall,
)

SOURCE = Path(qgis_plugin.__file__).parents[1] / "qgis"

# Those that the repository of QGIS plugins wants in metadata.txt, and those for Processing.
REQUIRED = {
    "name", "description", "version", "qgisMinimumVersion", "author", "email", "about", "tracker",
    "repository", "homepage", "hasProcessingProvider", "category", "tags", "icon",
}  # fmt: skip


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(archive())) as packed:
        packed.extractall(tmp_path)
    return tmp_path / PLUGIN


def test_the_archive_keeps_the_rules_of_the_plugin_repository() -> None:
    with zipfile.ZipFile(io.BytesIO(archive())) as packed:
        entries = packed.infolist()
    names = [entry.filename for entry in entries]
    assert names == sorted(names)
    for name in ("__init__.py", "metadata.txt", "LICENSE", "icon.svg"):
        assert f"{PLUGIN}/{name}" in names
    assert {name.partition("/")[0] for name in names} == {PLUGIN}
    assert not [n for n in names if "__pycache__" in n or n.endswith(".pyc") or "/." in n]
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}
    assert len({entry.date_time for entry in entries}) == 1
    assert sum(entry.compress_size for entry in entries) < 25 * 2**20


def test_the_archive_has_the_same_bytes_whenever_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither times and rights of the files count, nor what Python and editors leave there."""
    copy = tmp_path / "copy"
    for name, content in reversed(plugin_files().items()):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes(content)
        (copy / name).chmod(0o755)
    (copy / "__pycache__").mkdir()
    (copy / "__pycache__" / "plugin.cpython-311.pyc").touch()
    (copy / ".plugin.py.swp").touch()
    before = archive()
    monkeypatch.setattr(qgis_plugin, "plugin_files", lambda: plugin_files(copy))
    assert archive() == before


def test_metadata_are_complete_and_of_this_version(unpacked: Path) -> None:
    lines = (unpacked / "metadata.txt").read_text(encoding="utf-8").splitlines()
    found = dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#")
    assert found.keys() >= REQUIRED
    assert all(found[name].strip() for name in REQUIRED)
    assert found["version"] == version("rsclass") == plugin_version()
    assert "installed separately" in found["about"]
    assert (unpacked / found["icon"]).is_file()


def test_bandit_finds_nothing(unpacked: Path) -> None:
    """The repository refuses plugins for it; no finding is suppressed, either."""
    pytest.importorskip("bandit")
    done = subprocess.run(
        [sys.executable, "-m", "bandit", "-q", "-r", "-f", "json", str(unpacked)],
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(done.stdout)
    assert report["results"] == report["errors"] == []
    totals = report["metrics"]["_totals"]
    assert totals["loc"] > 1000
    assert totals["nosec"] == totals["skipped_tests"] == 0


def test_the_plugin_imports_pyqgis_and_the_standard_library_alone(unpacked: Path) -> None:
    known = {"qgis", "processing", *sys.stdlib_module_names}
    for path in unpacked.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert {alias.name.partition(".")[0] for alias in node.names} <= known, path
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                assert str(node.module).partition(".")[0] in known, path


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    return tmp_path / "profile" / "python" / "plugins"


def _tree(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_installing_twice_is_as_installing_once(plugins: Path) -> None:
    place = install(plugins, overwrite=False)
    assert place == plugins / PLUGIN
    assert _tree(place) == plugin_files(SOURCE)
    (place / "__pycache__").mkdir()  # QGIS has used it
    (place / "__pycache__" / "plugin.pyc").touch()
    assert install(plugins, overwrite=False) == place
    assert sorted(p.name for p in plugins.parent.iterdir()) == ["plugins"]


def test_another_version_is_replaced_whole_and_only_when_asked_to(plugins: Path) -> None:
    place = plugins / PLUGIN
    place.mkdir(parents=True)
    (place / "metadata.txt").write_text("[general]\nversion=0.0.9\n")
    (place / "gone.py").touch()
    with pytest.raises(OutputExistsError, match=r"holds version 0\.0\.9 .* add --overwrite"):
        install(plugins, overwrite=False)
    assert (place / "gone.py").exists()
    install(plugins, overwrite=True)
    assert _tree(place) == plugin_files(SOURCE)
    assert sorted(p.name for p in plugins.parent.iterdir()) == ["plugins"]


@pytest.mark.skipif(os.name != "posix", reason="links of POSIX")
def test_of_a_link_the_link_alone_goes(plugins: Path, tmp_path: Path) -> None:
    mine = tmp_path / "checkout"
    mine.mkdir()
    (mine / "work.py").touch()
    plugins.mkdir(parents=True)
    (plugins / PLUGIN).symlink_to(mine)
    with pytest.raises(OutputExistsError):
        install(plugins, overwrite=False)
    install(plugins, overwrite=True)
    assert not (plugins / PLUGIN).is_symlink()
    assert (mine / "work.py").exists()


def test_uninstalling_leaves_the_other_plugins(plugins: Path) -> None:
    other = plugins / "other" / "plugin.py"
    other.parent.mkdir(parents=True)
    other.touch()
    install(plugins, overwrite=False)
    assert uninstall(plugins) is True
    assert uninstall(plugins) is False
    assert _tree(plugins.parent) == {"plugins/other/plugin.py": b""}


def test_a_place_that_is_no_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "python").write_text("a file")
    with pytest.raises(OutputError, match="the plugin cannot be put into"):
        install(tmp_path / "python" / "plugins", overwrite=True)
