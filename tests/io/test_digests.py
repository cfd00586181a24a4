from __future__ import annotations

import hashlib
import os
import subprocess

from rsclass.io import digests
from rsclass.io.digests import begin, sha256_of


def test_sums_are_those_of_another_program_begun_before_or_not(tmp_path):
    files = [tmp_path / name for name in ("a", "b é")]
    for i, file in enumerate(files):
        file.write_bytes(os.urandom(300_000 + i))
    begin([str(files[0])])
    for file, told in sha256_of(map(str, files)).items():
        other = subprocess.run(["sha256sum", file], capture_output=True, text=True, check=True)
        assert other.stdout.startswith(told)


def test_a_file_that_changes_after_the_beginning_is_summed_anew(tmp_path):
    file = tmp_path / "scene"
    file.write_bytes(b"one")
    begin([str(file)])
    sha256_of([str(file)])
    file.write_bytes(b"two")
    os.utime(file, ns=(1, 1))
    assert sha256_of([str(file)]) == {str(file): hashlib.sha256(b"two").hexdigest()}


def test_the_beginning_passes_over_what_is_no_file(tmp_path):
    begin([str(tmp_path), str(tmp_path / "absent"), "https://example.com/a.tif", "a\0b"])
    assert not {str(tmp_path), str(tmp_path / "absent")} & digests._begun.keys()
