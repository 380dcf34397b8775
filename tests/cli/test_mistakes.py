"""Lines that cannot be parsed: one sentence with option, value and remedy, as for every other mistake."""

import subprocess
import sys
from pathlib import Path

import pytest


def _turnwise(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "turnwise", *arguments], capture_output=True, text=True, cwd=cwd)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("run --limit x", "--limit is 'x': give a number; see turnwise run --help."),
        ("run -L x -L2y", "--limit is '2y': give a number; see turnwise run --help."),
        ("run --limit=", "--limit is '': give a number; see turnwise run --help."),
        ("run -C bad.yaml", "--limit is 'x': give a number; see turnwise run --help."),
        ("noise --problems 1.5", "--problems is '1.5': give a whole number; see turnwise noise --help."),
        ("run --limit", "--limit has no value: write one after it."),
        ("run --dry-run=3", "--dry-run has the value '3' and takes none: leave it out."),
        ("run --limt 3", "--limt is no option of turnwise run: did you mean --limit? Else see turnwise run --help."),
        ("run --frob", "--frob is no option of turnwise run: see turnwise run --help."),
        ("scor", "'scor' is no command of turnwise: did you mean score? Else see turnwise --help."),
        ("prompts frob", "'frob' is no command of turnwise prompts: see turnwise prompts --help."),
        ("judge", "turnwise judge needs RUN: see turnwise judge --help."),
        ("check", "turnwise check needs PROGRAM: see turnwise check --help."),
        ("tasks a b", "'b' is more than turnwise tasks takes: leave it out, or see turnwise tasks --help."),
    ],
)
def test_a_line_that_cannot_be_parsed_is_one_sentence(line: str, said: str, tmp_path: Path) -> None:
    """Exit status 2, nothing on standard output."""
    (tmp_path / "bad.yaml").write_text("limit: x")
    done = _turnwise(*line.split(), cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"turnwise: {said}\n")


@pytest.mark.parametrize("group", [(), ("prompts",)])
def test_a_group_without_a_command_shows_its_help(group: tuple[str, ...], tmp_path: Path) -> None:
    """Exit status 2, where asking for the help is 0."""
    bare, asked = _turnwise(*group, cwd=tmp_path), _turnwise(*group, "--help", cwd=tmp_path)
    assert (bare.returncode, asked.returncode, asked.stderr) == (2, 0, "")
    assert bare.stderr.startswith("Usage: turnwise ") and bare.stderr == asked.stdout
