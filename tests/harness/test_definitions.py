"""The definitions that lm_eval reads: one a task, all of one form, groups of ours only."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from turnwise.harness.patching import DEFINITIONS
from turnwise.tasks.catalog import TASKS

FILES = sorted(DEFINITIONS.glob("*.yaml"))
GROUPED = ("taco_multiturn", "taco_singleturn")


def _read(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(path.read_text())
    return data


def test_every_task_has_a_definition() -> None:
    """Of its name; all of TACO is the group of its difficulties."""
    names = {_read(path)["task"] for path in FILES if "group" not in _read(path)}
    assert names == set(TASKS) - set(GROUPED)
    assert {_read(path)["group"] for path in FILES if "group" in _read(path)} == {"turnwise", *GROUPED}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_definitions_say_what_they_are(path: Path) -> None:
    """A task its name and what all share; a group tasks and groups that there are."""
    data = _read(path)
    if "group" in data:
        assert set(data["task"]) <= set(TASKS) and data["metadata"] == {"version": 1}
    else:
        assert data == {"include": "_turnwise", "task": path.stem, "dataset_name": path.stem}


def test_the_folder_can_be_asked_for() -> None:
    """For lm_eval --include_path."""
    done = subprocess.run([sys.executable, "-m", "turnwise", "tasks-path"], capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()).samefile(DEFINITIONS)


def test_no_python_lies_beside_them() -> None:
    """lm_eval would load a second copy of it."""
    assert not list(DEFINITIONS.glob("*.py"))
