from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import click
import pytest
from calls import Caller

from rsclass.cli.commands import COMMANDS, load
from rsclass.cli.main import cli

HEAVY = {
    "dask", "geopandas", "matplotlib", "numba", "numpy", "pandas", "pyogrio", "rasterio", "rich",
    "scipy", "shapely", "sklearn", "torch",
}  # fmt: skip


@pytest.mark.parametrize(
    "lines",
    [
        "import rsclass",
        "from rsclass.cli.main import main; main(['--help'])",
        "from rsclass.cli.main import main; main(['classify', '--help'])",
        "from rsclass.cli.main import main; main(['--version'])",
        "import rsclass.cli.rio",
    ],
)
def test_importing_and_asking_for_help_load_no_heavy_library(lines: str) -> None:
    lines += "\nimport sys; sys.stderr.write(' '.join({n.partition('.')[0] for n in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "rsclass" in loaded
    assert loaded & HEAVY == set()


def test_help_of_the_group_does_not_load_the_commands() -> None:
    lines = (
        "import sys; from rsclass.cli.main import main; main(['-h']);"
        "sys.exit('rsclass.cli.classify' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", lines], capture_output=True).returncode == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_headings_and_examples(call: Caller, name: str) -> None:
    told = call(name, "--help")
    assert told.code == 0
    assert told.out.startswith(f"Usage: rsclass {name} [OPTIONS]")
    assert "General:" in told.out
    assert f"  rsclass {name}" in told.out.split("Examples:")[1]
    assert load(name).name == name


def test_the_group_lists_every_command(call: Caller) -> None:
    told = call("--help")
    assert told.code == 0
    for name, line in COMMANDS.items():
        assert f"{name:<8}  {line}" in told.out


def test_no_command_at_all_shows_the_help_as_an_error(call: Caller) -> None:
    told = call()
    assert told.code == 2
    assert told.out == ""
    assert "Commands:" in told.err


def test_an_unknown_command_is_answered_with_the_nearest(call: Caller) -> None:
    told = call("clasify", "scene.tif")
    assert told.code == 2
    assert told.out == ""
    assert told.err.startswith(
        "rsclass: no command is named 'clasify'. Did you mean 'classify'? Known: classify, train"
    )
    assert told.err.count("\n") == 1


def test_an_unknown_flag_is_answered_with_the_nearest(call: Caller) -> None:
    told = call("classify", "--clases", "3", "scene.tif")
    assert told.code == 2
    assert told.err == (
        "rsclass: there is no option --clases. Did you mean --classes? See 'rsclass classify -h'.\n"
    )


def test_a_missing_scene_argument_is_one_sentence(call: Caller) -> None:
    told = call("classify")
    assert told.code == 2
    assert told.err == "rsclass: missing argument 'SCENE...'. See 'rsclass classify -h'.\n"


def test_python_m_rsclass_is_the_same_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rsclass", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"rsclass {version('rsclass')}\n"


def _flags(command: click.Command) -> set[str]:
    return {
        flag
        for param in command.params
        if isinstance(param, click.Option)
        for flag in (*param.opts, *param.secondary_opts)
    }


def test_the_usage_as_json_knows_every_flag_of_every_command(call: Caller) -> None:
    told = call("--json-usage")
    assert told.code == 0
    commands = told.data["commands"]
    assert list(commands) == list(COMMANDS)
    for name, usage in commands.items():
        listed = {f for o in usage["options"] for f in (*o["flags"], *o["off_flags"])}
        assert listed == _flags(load(name))
        assert all(option["help"] for option in usage["options"])
    assert told.data["exit_codes"]["130"] == "stopped"


def test_the_usage_of_one_command_says_type_default_choices_and_variable(call: Caller) -> None:
    told = call("classify", "--json-usage")
    options = {option["name"]: option for option in told.data["options"]}
    assert told.data["arguments"] == [{"name": "scene", "required": True, "multiple": True}]
    tile = options["tile"]
    assert (tile["type"], tile["default"], tile["low"]) == ("integer", 512, 1)
    assert tile["variable"] == "RSCLASS_TILE"
    assert options["format"]["choices"] == ["GTiff", "COG"]
    assert options["set"]["multiple"]
    assert options["src-nodata"]["default"] is None
    assert (options["scaled"]["type"], options["scaled"]["default"]) == ("boolean", True)
    assert options["verbose"]["flags"] == ["-v", "--verbose"]


def _lines() -> list[str]:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    text = "\n".join([readme, *(str(load(name).epilog) for name in COMMANDS)])
    text = re.sub(r"\\\n\s*", "", text)  # lines that go on
    return sorted({line.strip() for line in re.findall(r"^ {2,}rsclass .*$", text, re.M)})


@pytest.mark.parametrize("line", _lines())
def test_every_command_line_in_the_readme_and_the_help_is_understood(line: str) -> None:
    _, name, *args = shlex.split(line, comments=True)
    with load(name).make_context(name, args) as ctx:
        assert ctx.command.name == name


def test_no_two_flags_share_a_spelling() -> None:
    for name in COMMANDS:
        flags = [f for p in load(name).params for f in (*p.opts, *p.secondary_opts)]
        assert len(flags) == len(set(flags)), name


def test_completion_of_the_shell_offers_the_commands(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rsclass"],
        capture_output=True,
        text=True,
        env={"_RSCLASS_COMPLETE": "bash_complete", "COMP_WORDS": "rsclass pre", "COMP_CWORD": "1"},
    )
    assert done.stdout == "plain,predict\n"


def test_the_group_and_the_table_agree() -> None:
    with click.Context(cli) as ctx:
        assert cli.list_commands(ctx) == list(COMMANDS)
        assert json.dumps(COMMANDS)  # plain words only


def test_coordinate_systems_are_known_although_the_starter_leads_to_those_of_another_proj(
    tmp_path: Path,
) -> None:
    """QGIS and GRASS set PROJ_LIB for themselves, and what they start inherits it."""
    (tmp_path / "proj.db").touch()
    lines = (
        "from rsclass.cli.main import main; main(['methods', '-q']);"
        "from rsclass.io.about import gdal; assert gdal().knows_crs"
    )
    env = {**os.environ, "PROJ_LIB": str(tmp_path), "PROJ_DATA": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", lines], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
