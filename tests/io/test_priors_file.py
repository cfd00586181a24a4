"""Files of priors, good and bad."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsclass.errors import DataError
from rsclass.io.priors import read_priors

EXPECTED = {"forest": 0.4, "water, deep": 0.1, "7": 0.0}


@pytest.mark.parametrize(
    "text",
    [
        'class,prior\nforest,0.4\n"water, deep",0.1\n7,0\n',
        '\ufeffPrior,CLASS,note\r\n0.4, forest ,x\r\n1e-1,"water, deep",\r\n0,7,\r\n',
        '{"forest": 0.4, "water, deep": 0.1, "7": 0}',
        '\n {"forest": 0.4,\n "water, deep": 0.1, "7": 0.0}\n',
    ],
)
def test_csv_and_json_say_the_same(tmp_path: Path, text: str):
    path = tmp_path / "priors.txt"
    path.write_text(text, encoding="utf-8")
    assert read_priors(path) == EXPECTED


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"class,prior\nforest,0.4\nforest,0.1\n", "names the class 'forest' twice"),
        (b'{"forest": 0.4, "forest": 0.1}', "names the class 'forest' twice"),
        (b"class,prior\nforest,much\n", "gives 'forest' the prior 'much'"),
        (b"class,prior\nforest,1.2\n", "gives 'forest' the prior '1.2'"),
        (b"class,prior\nforest,nan\n", "gives 'forest' the prior 'nan'"),
        (b"class,prior\nforest\n", "gives 'forest' the prior ''"),
        (b"class,prior\n,0.5\n", "has a prior without a class"),
        (b"class,prior\na,0.7\nb,0.7\n", "add up to 1.4"),
        (b"class,prior\n", "names no class"),
        (b"{}", "names no class"),
        (b"name,share\nforest,0.4\n", "it needs class and prior"),
        (b'{"forest": true}', "gives 'forest' the prior True"),
        (b'{"forest": null}', "gives 'forest' the prior None"),
        (b'{"forest": {"a": 1}}', "gives 'forest' the prior"),
        (b'[{"class": "forest"}]', "is no object of classes and priors"),
        (b'{"forest": 0.4', "is no readable JSON"),
        (b"{" * 100_000, "is no readable JSON"),
        (b"class,prior\nforst\xff,0.4\n", "is not UTF-8"),
    ],
)
def test_what_is_no_file_of_priors_is_told(tmp_path: Path, content: bytes, told: str):
    path = tmp_path / "priors.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=told):
        read_priors(path)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(DataError, match=r"absent\.csv cannot be read"):
        read_priors(tmp_path / "absent.csv")
