"""Every row of the public test sets is read, and docs/data.md counts what is flagged."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from turnwise.benchmarks.records import Flag

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "data.md"


def _documented() -> dict[str, dict[str, int]]:
    lines = DOCUMENT.read_text(encoding="utf-8").partition("## Counts")[2].splitlines()
    header, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return {
        name: {column: int(cell or 0) for column, cell in zip(header[1:], cells, strict=True)} for name, *cells in rows
    }


@pytest.mark.data
def test_the_counts_of_the_public_test_sets_are_those_of_the_documentation(full_dir: Path) -> None:
    """By the command, with the names of all flags."""
    documented = _documented()
    names = ",".join(f"{name}_singleturn" for name in documented)
    command = [sys.executable, "-m", "turnwise", "tasks", names, "--data-dir", str(full_dir), "--json"]
    tasks = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    counts = {
        task["benchmark"]: {"problems": task["problems"], "scorable": task["scorable"]}
        | {flag.value: task["flags"].get(flag.value, 0) for flag in Flag}
        for task in tasks
    }
    assert counts == documented
