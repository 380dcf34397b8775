"""The README's commands print what the README shows."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[2] / "README.md"
# What differs between machines: costs of a run, and the interpreter; and the digest of the checkers.
_VARYING = [
    (re.compile(r"\(\d\.\d+ s CPU, \d+ MB\)"), "(COST)"),
    (re.compile(r"CPython [\d.]+, (no numpy|numpy [\d.]+)"), "PYTHON"),
    (re.compile(r"checkers-1 \(sha256 [0-9a-f]{12}\)"), "CHECKERS"),  # any change of a checker changes it
]


def _examples() -> list[tuple[str, str]]:
    """Return the commands of the console blocks with the output shown below each."""
    blocks = re.findall(r"^```console\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    parts = [part for block in blocks for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    return [(command, output) for command, _, output in (part.partition("\n") for part in parts)]


def _normalised(text: str) -> str:
    for pattern, word in _VARYING:
        text = pattern.sub(word, text)
    return text.strip()


def _check(example: tuple[str, str], folder: Path, cache_dir: Path) -> None:
    command, shown = example
    environment = dict(os.environ, TURNWISE_CACHE=str(cache_dir))
    words = command.replace("turnwise ", f"{sys.executable} -m turnwise ", 1)
    done = subprocess.run(words, shell=True, capture_output=True, text=True, cwd=folder, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert _normalised(done.stdout) == _normalised(shown)


def _with_data(example: tuple[str, str]) -> bool:
    return "--data-dir data" in example[0]


@pytest.mark.slow
@pytest.mark.parametrize("example", [one for one in _examples() if "demo" in one[0]], ids=str)
def test_the_demo_prints_its_table(example: tuple[str, str], tmp_path: Path, cache_dir: Path) -> None:
    """The bundled sample gives the same table everywhere."""
    _check(example, tmp_path, cache_dir)


def test_the_check_example_is_true(tmp_path: Path, cache_dir: Path) -> None:
    """Files shown by cat are written, and the command on them prints what is shown."""
    examples = [one for one in _examples() if not _with_data(one) and "demo" not in one[0]]
    for command, shown in examples:
        if command.startswith("cat "):
            (tmp_path / command.removeprefix("cat ")).write_text(shown)
    commands = [one for one in examples if one[0].startswith("turnwise ")]
    assert len(commands) == 1
    _check(commands[0], tmp_path, cache_dir)


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize(
    "example",
    [
        pytest.param(one, marks=pytest.mark.long if "humaneval" in one[0] else ())  # a minute of canonical solutions
        for one in _examples()
        if _with_data(one)
    ],
    ids=lambda example: re.findall(r"--tasks (\w+)", example[0])[0],
)
def test_the_runs_on_real_data_print_their_tables(
    example: tuple[str, str], data_dir: Path, tmp_path: Path, cache_dir: Path
) -> None:
    """Recorded answers to real problems, through the whole job."""
    (tmp_path / "data").symlink_to(data_dir)
    _check(example, tmp_path, cache_dir)
