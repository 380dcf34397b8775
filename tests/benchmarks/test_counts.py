"""Every row of the public test sets is read, and docs/data.md counts what is flagged."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from turnwise.benchmarks.catalog import load_problems
from turnwise.benchmarks.taco import DIFFICULTIES, UNKNOWN_DIFFICULTY
from turnwise.records.problem import Flag

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "data.md"


def _documented(heading: str) -> dict[str, dict[str, int]]:
    """Return the table whose first column is called ``heading``."""
    lines = DOCUMENT.read_text(encoding="utf-8").partition("## Counts")[2].partition(f"| {heading} |")
    table = (lines[1] + lines[2]).partition("\n\n")[0]
    header, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return {
        name: {column: int(cell or 0) for column, cell in zip(header[1:], cells, strict=True)} for name, *cells in rows
    }


@pytest.mark.data
def test_the_counts_of_the_public_test_sets_are_those_of_the_documentation(full_dir: Path) -> None:
    """By the command, with the names of all flags."""
    documented = _documented("benchmark")
    names = ",".join(f"{name}_singleturn" for name in documented)
    command = [sys.executable, "-m", "turnwise", "tasks", names, "--data-dir", str(full_dir), "--json"]
    tasks = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    counts = {
        task["benchmark"]: {"problems": task["problems"], "scorable": task["scorable"]}
        | {flag.value: task["flags"].get(flag.value, 0) for flag in Flag}
        for task in tasks
    }
    assert counts == documented


@pytest.mark.data
def test_the_levels_of_taco_are_those_of_the_documentation(full_dir: Path) -> None:
    """All five, and those rows that tell none."""
    found = load_problems("taco", data_dir=full_dir)
    levels = (*DIFFICULTIES, UNKNOWN_DIFFICULTY)
    counts = [Counter(one.difficulty for one in problems) for problems in (found.problems, found.scorable)]
    assert {level: {"problems": counts[0][level], "scorable": counts[1][level]} for level in levels} == _documented(
        "level"
    )
    assert set(counts[0]) <= set(levels)
