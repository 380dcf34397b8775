"""What a row's flags mean for a run, through its command: judged all the same, or left out by name."""

import json
import subprocess
import sys
from collections.abc import Iterable
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


STATEMENT = {"description": "Add one.", "private_tests": {"input": [], "output": []}, "memory_limit_bytes": 0}
CONTESTS_ROW = {**STATEMENT, "name": "A", "public_tests": {"input": ["1\n"], "output": ["2.0 yes\n"]}}
HUMANEVAL_ROW = {
    **MBPP_ROW,
    "task_id": "HumanEval/0",
    "prompt": "def add_one(number):\n",
    "canonical_solution": "    return number + 1\n",
    "plus_input": [[2]],
}
# Rows that contradict themselves by place and problem, each with what is said of it, or nothing where it does not.
CONTRADICTORY: dict[tuple[str, str], tuple[dict[str, Any], str]] = {
    ("codecontests/test", "codecontests/A"): (
        {**CONTESTS_ROW, "private_tests": {"input": ["3", "1\n"], "output": ["4", "3"]}},
        "its test 3 demands another output of an input that stands twice",
    ),
    ("codecontests/test", "codecontests/B"): (
        {**CONTESTS_ROW, "name": "B", "private_tests": {"input": ["1\n"], "output": ["2 YES"]}},
        "",
    ),
    ("codecontests/test", "codecontests/C"): (
        {
            **CONTESTS_ROW,
            "name": "C",
            "description": "If there are several answers, print any of them.",
            "private_tests": {"input": ["1\n"], "output": ["3"]},
        },
        "",
    ),
    ("codecontests/test", "codecontests/D"): (
        {**CONTESTS_ROW, "name": "D", "time_limit": {"seconds": 0, "nanos": 1}},
        "its time limit of 1e-09 s is less than any program takes",
    ),
    ("codecontests/test", "codecontests/E"): (
        {**CONTESTS_ROW, "name": "E", "memory_limit_bytes": 256},
        "its memory limit of 256 bytes is less than any program takes",
    ),
    ("taco/test", "taco/0"): (TACO_ROW, "its starter code defines Solution, add, which its tests do not call"),
    ("taco/test", "taco/1"): (
        {**TACO_ROW, "starter_code": "", "input_output": '{"inputs": ["1", "1"], "outputs": ["2", "3"]}'},
        "its test 2 demands another output of an input that stands twice",
    ),
    ("taco/test", "taco/2"): (
        {**TACO_ROW, "starter_code": "", "input_output": '{"inputs": ["1", "2"], "outputs": ["2", null]}'},
        "its tests hold null or an object in place of a text",
    ),
    ("taco/test", "taco/3"): (
        {**TACO_ROW, "input_output": '{"fn_name": "add", "inputs": [[1], [2]], "outputs": [null, null]}'},
        "every result that its tests expect is null",
    ),
    ("humanevalplus/HumanEvalPlus", "humaneval_plus/HumanEval/0"): (HUMANEVAL_ROW, ""),
    ("humanevalplus/HumanEvalPlus", "humaneval_plus/HumanEval/1"): (
        {**HUMANEVAL_ROW, "task_id": "HumanEval/1", "entry_point": "add_two"},
        "its starter code defines add_one, which its tests do not call",
    ),
    ("mbppplus/MbppPlus", "mbpp_plus/Mbpp/9001"): (MBPP_ROW, ""),
    ("mbppplus/MbppPlus", "mbpp_plus/Mbpp/9002"): (
        {**MBPP_ROW, "task_id": "Mbpp/9002", "entry_point": "one"},
        "its canonical solution does not define 'one'",
    ),
    ("mbppplus/MbppPlus", "mbpp_plus/Mbpp/9003"): (
        {**MBPP_ROW, "task_id": "Mbpp/9003", "canonical_solution": "import math\nadd_one = math.ceil\n"},
        "",
    ),
}
TASKS = "codecontests_singleturn,taco_singleturn,humaneval_plus_singleturn,mbpp_plus_singleturn"


def _turnwise(tmp_path: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "turnwise", *arguments]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)


def _write_rows(folder: Path, rows: Iterable[tuple[str, dict[str, Any] | str]]) -> None:
    for place, row in rows:
        path = folder / f"{place}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write((row if isinstance(row, str) else json.dumps(row)) + "\n")


def _run(tmp_path: Path, *, task: str, place: str, row: dict[str, Any], problem: str, program: str) -> Any:
    answers = tmp_path / "answers.jsonl"
    _write_rows(tmp_path / "data", [(place, row)])
    answers.write_text(json.dumps({"task_id": problem, "solution": program}) + "\n")
    options = ["-M", "replay", "-a", f"path={answers}", "-t", task, "--data-dir", "data", "-o", "run"]
    return _turnwise(tmp_path, "run", *options)


def test_a_task_without_plus_inputs_is_judged_by_its_base_tests(tmp_path: Path) -> None:
    """It is scored, and its flag stands in run.json."""
    program = "def add_one(number):\n    return number + 1\n"
    done = _run(
        tmp_path,
        task="mbpp_plus_singleturn",
        place="mbppplus/MbppPlus",
        row=MBPP_ROW,
        problem="Mbpp/9001",
        program=program,
    )
    assert done.returncode == 0, done.stderr
    (task,) = json.loads((tmp_path / "run" / "run.json").read_text())["tasks"]
    assert task["asked"][0]["flags"] == ["base_tests_only"] and not task["left_out"]
    assert done.stdout.splitlines()[2].split()[1:] == ["mbpp_plus_singleturn", "1", "of", "1", "1", "100.0", "1"]


def test_a_row_that_contradicts_itself_is_never_scored(tmp_path: Path) -> None:
    """Where no other row is left, one sentence names the flag and the reason."""
    done = _run(tmp_path, task="taco_singleturn", place="taco/test", row=TACO_ROW, problem="taco/0", program="print(3)")
    assert done.returncode == 2
    assert "contradictory" in done.stderr and "Traceback" not in done.stderr
    assert "taco/0 since its starter code defines Solution, add, which its tests do not call" in done.stderr


def test_rows_that_contradict_themselves_are_named_with_the_reason(tmp_path: Path) -> None:
    """Of every data set, and no other row."""
    _write_rows(tmp_path, ((place, row) for (place, _), (row, _) in CONTRADICTORY.items()))
    done = _turnwise(tmp_path, "tasks", TASKS, "--data-dir", ".")
    wanted = [f"{problem} is contradictory: {why}." for (_, problem), (_, why) in CONTRADICTORY.items() if why]
    assert [line for line in done.stdout.splitlines() if "is contradictory" in line] == wanted
    assert done.returncode == 0 and not done.stderr


def test_rows_left_out_are_named_each_with_what_is_wrong(tmp_path: Path) -> None:
    """Without the option the first of them ends the command, in one sentence."""
    rows: list[tuple[str, dict[str, Any] | str]] = [
        ("codecontests/test", CONTESTS_ROW),
        ("codecontests/test", CONTESTS_ROW),
        ("codecontests/test", {**CONTESTS_ROW, "name": "D", "public_tests": {"input": ["1", "2"], "output": ["1"]}}),
        ("codecontests/test", {**CONTESTS_ROW, "name": "E", "time_limit": {"seconds": -1, "nanos": 0}}),
        ("codecontests/test", {**CONTESTS_ROW, "name": "F", "time_limit": float("nan")}),
        ("codecontests/test", {**CONTESTS_ROW, "name": "G", "public_tests": {"input": ["1"], "output": [None]}}),
        ("taco/test", "[]"),
        ("taco/test", TACO_ROW),
        ("humanevalplus/HumanEvalPlus", {**HUMANEVAL_ROW, "plus_input": None}),
        ("mbppplus/MbppPlus", MBPP_ROW),
        ("mbppplus/MbppPlus", {key: value for key, value in MBPP_ROW.items() if key != "base_input"}),
    ]
    _write_rows(tmp_path, rows)
    done = _turnwise(tmp_path, "tasks", TASKS, "--data-dir", ".", "--skip-broken-rows", "--json")
    said = [sentence for task in json.loads(done.stdout) for sentence in task["broken_rows"]]
    wanted = [
        "test.jsonl row 2 (A): the problem 'codecontests/A' stands already at test.jsonl row 1 (A).",
        "test.jsonl row 3 (D): field 'public_tests' is dict",
        "test.jsonl row 4 (E): time limit -1",
        "test.jsonl row 5 (F): time limit nan is not a number >= 0.",
        "test.jsonl row 6 (G): field 'public_tests.output.0' is NoneType None",
        "test.jsonl row 1: is a JSON list, not an object.",
        "HumanEvalPlus.jsonl row 1 (HumanEval/0): field 'plus_input' is NoneType None",
        "MbppPlus.jsonl row 2 (Mbpp/9001): field 'base_input' is missing.",
    ]
    assert all(sentence.startswith(start) for sentence, start in zip(said, wanted, strict=True)), said
    strict = _turnwise(tmp_path, "tasks", TASKS, "--data-dir", ".")
    reason = wanted[0].rstrip(".")
    assert (strict.returncode, strict.stderr) == (
        2,
        f"turnwise: {reason}. Mend the row, or leave it out with --skip-broken-rows.\n",
    )
