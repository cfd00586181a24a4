"""The command as a plugin of rasterio's own program."""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rasterio.rio.main import main_group

from rsclass.cli.rio import classify

QUICK = ("-m", "kmeans", "-k", "3", "-q")


def _rio(*args: str | Path) -> Result:
    return CliRunner().invoke(main_group, ["classify", *map(str, args)])


def test_the_entry_point_leads_to_the_command() -> None:
    (point,) = entry_points(group="rasterio.rio_plugins", name="classify")
    assert point.load() is classify
    assert main_group.get_command(None, "classify") is classify  # type: ignore[arg-type]


def test_rio_classify_writes_the_map(scene: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.tif"
    result = _rio(scene, *QUICK, "-o", out, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["path"] == str(out)
    assert out.exists()


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        (("absent.tif",), 3, "rsclass: absent.tif does not exist"),
        (("absent.tif", "-m", "kmaens"), 2, "rsclass: no method is named 'kmaens'"),
        ((), 2, "Missing argument 'SCENE...'"),
    ],
)
def test_errors_have_the_codes_of_rsclass(flags: tuple[str, ...], code: int, words: str) -> None:
    result = _rio(*flags)
    assert result.exit_code == code
    assert words in result.stderr


def test_the_help_speaks_of_rio() -> None:
    result = _rio("--help")
    assert "rio classify scene.tif" in result.output
    assert "rsclass classify" not in result.output
