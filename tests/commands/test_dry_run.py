"""``turnwise run --dry-run`` and ``submit --dry-run`` go through all rows of a data set, and run no program of it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from turnwise.benchmarks.catalog import ProblemSet, load_problems
from turnwise.records.problem import Problem

# Scorable problems of the public test sets (docs/data.md).
# Of CodeContests one less than the data have: no hidden test of 1586_B keeps to its statement.
SCORABLE = {"codecontests": 137, "taco": 99, "humaneval_plus": 164, "mbpp_plus": 378}
NEVER = "def f(x):\n    while True:\n        pass\n"
ROW = {"prompt": "Return x.", "entry_point": "f", "canonical_solution": NEVER, "base_input": [[1]], "plus_input": [[2]]}


def _turnwise(folder: Path, *arguments: str) -> str:
    """Return what a command says; it may compute nothing, and so its cache stays empty."""
    answers = [{"task_id": f"Mbpp/{number}", "solution": "def f(x): return x"} for number in (2, 901)]
    (folder / "answers.jsonl").write_text("".join(json.dumps(answer) + "\n" for answer in answers))
    model = ["-M", "replay", "-a", "path=answers.jsonl", "-o", "run"]
    done = subprocess.run(
        [sys.executable, "-m", "turnwise", *arguments, *model],
        cwd=folder,
        env={**os.environ, "TURNWISE_CACHE": str(folder / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not (folder / "run").exists() and not list((folder / "cache").rglob("*.json.gz"))
    return done.stdout


def _spellings(problem: Problem) -> list[str]:
    """Return the names that files use of one problem."""
    if problem.benchmark in ("codecontests", "taco"):
        return [problem.id, problem.name]
    number = problem.name.split("/")[1]
    prefix = {"humaneval_plus": "HumanEval", "mbpp_plus": "mbpp"}[problem.benchmark]
    forms = ("{0}/{1}", "{0}_{1}", "{0}-{1}", "{0}+/{1}", "{0}_{1}_some_name", "{1}")
    names = [form.format(prefix, number) for form in forms]
    names += [problem.id, problem.name, *(f"{problem.benchmark}/{name}" for name in names)]
    return list(dict.fromkeys(names))


@pytest.fixture(scope="module")
def whole(full_dir: Path) -> dict[str, ProblemSet]:
    """All problems of each public test set."""
    return {benchmark: load_problems(benchmark, data_dir=full_dir) for benchmark in SCORABLE}


@pytest.mark.data
@pytest.mark.xdist_group("whole data")
def test_every_problem_is_found_by_each_of_its_names(whole: dict[str, ProblemSet]) -> None:
    """Scorable or not; no two problems share a name."""
    for found in whole.values():
        names = [(name, problem.id) for problem in found.problems for name in _spellings(problem)]
        assert len(dict(names)) == len(names)
        assert {name: found.find(name).id for name, _ in names} == dict(names)


@pytest.mark.data
@pytest.mark.xdist_group("whole data")
def test_a_dry_run_asks_every_scorable_problem_by_any_of_its_names(
    whole: dict[str, ProblemSet], full_dir: Path, tmp_path: Path
) -> None:
    """Chosen one by one, each spelled differently from the last: as many as the data sets have, and none is run."""
    samples: dict[str, list[str]] = {}
    for benchmark, found in whole.items():
        spelled = [_spellings(problem) for problem in found.scorable]
        samples[f"{benchmark}_multiturn"] = [names[at % len(names)] for at, names in enumerate(spelled)]
    tasks = ",".join(samples)
    said = _turnwise(
        tmp_path, "run", "--dry-run", "-t", tasks, "--data-dir", str(full_dir), "--samples", json.dumps(samples)
    )
    for benchmark, count in SCORABLE.items():
        assert f"{benchmark}_multiturn: {count} of " in said
    assert f"First prompts: {sum(SCORABLE.values())}, " in said and "Nothing was sampled" in said


@pytest.mark.data
@pytest.mark.long
def test_a_submission_of_every_task_is_planned(full_dir: Path, tmp_path: Path) -> None:
    """One and several turns of all data sets, without a program run."""
    tasks = ",".join(f"{benchmark}_{turns}turn" for benchmark in SCORABLE for turns in ("single", "multi"))
    options = ["--cluster", "local", "-t", tasks, "--data-dir", str(full_dir)]
    said = _turnwise(tmp_path, "submit", "--dry-run", *options)
    assert f" {2 * sum(SCORABLE.values())} dialogues." in said and "Nothing was submitted or written" in said


def test_a_dry_run_runs_no_solution_and_counts_two_tasks_of_one_data_set(tmp_path: Path) -> None:
    """A canonical solution that never ends is no matter, nor is one that a random feedback would be told of."""
    data = tmp_path / "data" / "mbppplus" / "MbppPlus.jsonl"
    data.parent.mkdir(parents=True)
    rows: list[dict[str, Any]] = [{**ROW, "task_id": f"Mbpp/{number}"} for number in (901, 902)]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    wrong = [{"problem": f"mbpp_{number}", "program": "def f(x): return None"} for number in (901, 902)]
    (tmp_path / "wrong.jsonl").write_text("".join(json.dumps(row) + "\n" for row in wrong))
    options = ["-t", "mbpp_plus_*", "--data-dir", "data", "--incorrect-programs", "wrong.jsonl"]
    said = _turnwise(tmp_path, "run", "--dry-run", *options, "--feedback", "random")
    assert "First prompts: 4, " in said and "Dialogues: 4; model calls: 4 to 8." in said
