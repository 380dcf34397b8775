"""Landlock confines a process to what it was given, by what the kernel's ABI can express."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from turnwise.runners.execution.sandbox import landlock

needs_landlock = pytest.mark.skipif(landlock.abi_version() < 1, reason="this kernel has no Landlock")


@pytest.mark.parametrize(
    ("abi", "rights"),
    [
        (1, (0x1FFF, 0, 0)),
        (2, (0x3FFF, 0, 0)),
        (3, (0x7FFF, 0, 0)),
        (4, (0x7FFF, 3, 0)),
        (5, (0xFFFF, 3, 0)),
        (6, (0xFFFF, 3, 3)),
        (7, (0xFFFF, 3, 3)),
        (9, (0xFFFF, 3, 3)),
    ],
)
def test_each_abi_takes_all_rights_it_knows(abi: int, rights: tuple[int, int, int]) -> None:
    """A right that the kernel does not know would make it refuse the ruleset; one left out would stay."""
    assert landlock.handled_rights(abi) == rights


def _confined(tmp_path: Path, attempt: str) -> str:
    code = f"""
import json, os, pathlib
from turnwise.runners.execution.sandbox import landlock
folder = pathlib.Path({str(tmp_path)!r})
readable, file, box = (str(folder / name) for name in ("readable", "file", "box"))
landlock.restrict([readable], writable_files=[file], writable_folder=box)
try:
    {attempt}
    print("done")
except PermissionError:
    print("refused")
"""
    for name in ("readable", "box", "hidden"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "data").write_text("data")
    (tmp_path / "file").write_text("data")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@needs_landlock
@pytest.mark.parametrize(
    ("attempt", "outcome"),
    [
        ("(folder / 'readable/data').read_text()", "done"),
        ("os.listdir(folder / 'readable')", "done"),
        ("(folder / 'file').write_text('x')", "done"),
        ("(folder / 'box/new').write_text('x')", "done"),
        ("(folder / 'box/data').rename(folder / 'box/other')", "done"),
        ("(folder / 'hidden/data').read_text()", "refused"),
        ("os.listdir(folder / 'hidden')", "refused"),
        ("(folder / 'readable/data').write_text('x')", "refused"),
        ("(folder / 'readable/new').touch()", "refused"),
        ("(folder / 'readable/data').unlink()", "refused"),
        ("os.truncate(folder / 'readable/data', 0)", "refused"),
        ("os.symlink('/', folder / 'box/link')", "refused"),
        ("os.mkfifo(folder / 'box/pipe')", "refused"),
        ("os.execv('/bin/true', ['true'])", "refused"),
        ("__import__('socket').create_connection(('127.0.0.1', 9))", "refused"),
        ("os.kill(os.getppid(), 0)", "refused"),
    ],
)
def test_what_a_confined_process_can_do(tmp_path: Path, attempt: str, outcome: str) -> None:
    """Reading where allowed, writing where allowed, starting nothing, reaching nobody."""
    needed = {"socket": 4, "kill": 6, "truncate": 3}
    if any(word in attempt and landlock.abi_version() < abi for word, abi in needed.items()):
        pytest.skip("this kernel's Landlock cannot refuse it")
    assert _confined(tmp_path, attempt) == outcome, json.dumps(attempt)
