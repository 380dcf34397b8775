"""What a row's flags mean for a run, through its command: judged all the same, or left out by name."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

MBPP_ROW = {
    "task_id": "Mbpp/9001",
    "prompt": '"""\nWrite a function to add one.\nassert add_one(1) == 2\n"""\n',
    "entry_point": "add_one",
    "canonical_solution": "\ndef add_one(number):\n    return number + 1\n",
    "base_input": [[1], [-1]],
    "plus_input": {},
    "atol": 0,
}
TACO_ROW = {
    "question": "Add two numbers.",
    "solutions": "[]",
    "starter_code": "class Solution:\n    def add(self, a, b):\n",
    "input_output": json.dumps({"inputs": [[1, 2], [3, 4]], "outputs": [[3], [7]]}),
    "difficulty": "EASY",
}


def _run(tmp_path: Path, *, task: str, place: str, row: dict[str, Any], problem: str, program: str) -> Any:
    data, answers = tmp_path / "data" / place, tmp_path / "answers.jsonl"
    data.parent.mkdir(parents=True)
    data.write_text(json.dumps(row) + "\n")
    answers.write_text(json.dumps({"task_id": problem, "solution": program}) + "\n")
    options = ["-M", "replay", "-a", f"path={answers}", "-t", task, "--data-dir", "data", "-o", "run"]
    return subprocess.run(
        [sys.executable, "-m", "turnwise", "run", *options], cwd=tmp_path, capture_output=True, text=True
    )


def test_a_task_without_plus_inputs_is_judged_by_its_base_tests(tmp_path: Path) -> None:
    """It is scored, and its flag stands in run.json."""
    program = "def add_one(number):\n    return number + 1\n"
    done = _run(
        tmp_path,
        task="mbpp_plus_singleturn",
        place="mbppplus/MbppPlus.jsonl",
        row=MBPP_ROW,
        problem="Mbpp/9001",
        program=program,
    )
    assert done.returncode == 0, done.stderr
    (task,) = json.loads((tmp_path / "run" / "run.json").read_text())["tasks"]
    assert task["asked"][0]["flags"] == ["base_tests_only"] and not task["left_out"]
    assert done.stdout.splitlines()[2].split()[1:] == ["mbpp_plus_singleturn", "1", "of", "1", "1", "100.0", "1"]


def test_a_row_that_contradicts_itself_is_never_scored(tmp_path: Path) -> None:
    """Where no other row is left, one sentence names the flag."""
    done = _run(
        tmp_path, task="taco_singleturn", place="taco/test.jsonl", row=TACO_ROW, problem="taco/0", program="print(3)"
    )
    assert done.returncode == 2
    assert "contradictory" in done.stderr and "Traceback" not in done.stderr
