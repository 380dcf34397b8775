"""The levels of TACO to their end: each scored by its own problems, all by the mean over problems."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chat_server import ChatServer, Completion
from lm_eval_runs import Done
from recorded_answers import text_of
from taco_levels import LEVELS, write_levels

TASKS = {f"taco_{level.lower()}_singleturn": solved / problems for level, (problems, solved) in LEVELS.items()}
PROBLEMS, SOLVED = (sum(counts) for counts in zip(*LEVELS.values(), strict=True))


def _turnwise(folder: Path, *arguments: str, cache_dir: Path) -> str:
    command = [sys.executable, "-m", "turnwise", *arguments]
    environ = {"PATH": "/usr/bin:/bin", "TURNWISE_CACHE": str(cache_dir)}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=True).stdout


def test_each_level_has_its_row_and_its_point_on_the_page(tmp_path: Path, cache_dir: Path) -> None:
    """From the easiest to the hardest, whatever the order of the rows; a level that nobody solves is 0."""
    programs = write_levels(tmp_path, LEVELS)
    answers = [json.dumps({"task_id": at, "solution": code}) + "\n" for at, code in enumerate(programs.values())]
    (tmp_path / "answers.jsonl").write_text("".join(answers))
    options = ["-M", "replay", "-a", "path=answers.jsonl", "-t", "taco_singleturn", "--data-dir", ".", "-o", "run"]
    _turnwise(tmp_path, "run", *options, cache_dir=cache_dir)
    table = _turnwise(tmp_path, "score", "run", "--by", "difficulty", cache_dir=cache_dir).splitlines()[2:]
    assert [line.split("  ")[1].strip() for line in table[:6]] == [
        "taco_singleturn",
        *(f"- difficulty {level}" for level in LEVELS),
    ]
    assert [line.split()[-3:] for line in table[:6]] == [
        [str(problems), str(problems), f"{100 * solved / problems:.1f}"]
        for problems, solved in ((PROBLEMS, SOLVED), *LEVELS.values())
    ]
    assert not any("no problem of difficulty" in line for line in table)
    _turnwise(tmp_path, "publish", "run", "-o", "site", cache_dir=cache_dir)
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(page.partition('<script type="application/json" id="data">')[2].split("</")[0])
    (estimates,) = _found(data, "estimates")
    assert {name.split("|")[0]: one[:2] for name, one in estimates.items() if name.startswith("difficulty ")} == {
        f"difficulty {level}": [pytest.approx(solved / problems), problems]
        for level, (problems, solved) in LEVELS.items()
    }


def _found(data: Any, name: str) -> list[Any]:
    """Return all that is called ``name`` in ``data``."""
    if isinstance(data, dict):
        return [*([data[name]] if name in data else []), *(one for item in data.values() for one in _found(item, name))]
    return [one for item in data for one in _found(item, name)] if isinstance(data, list) else []


@pytest.mark.long
def test_the_group_of_lm_eval_is_the_mean_over_problems(lm_eval: Callable[..., Done], tmp_path: Path) -> None:
    """Not over levels, which have few problems or many; each level is a task of its own, with its problems alone."""
    programs = write_levels(tmp_path, LEVELS)

    def answer(body: dict[str, Any]) -> Completion:
        (code,) = (code for statement, code in programs.items() if statement in text_of(body))
        return Completion(f"```python\n{code}\n```")

    with ChatServer(answer) as server:
        done = lm_eval("--tasks", "taco_singleturn", server=server, metadata={"data_dir": "."}, cwd=tmp_path)
    assert done.process.returncode == 0, done.said
    assert {task: done.metrics(task)["pass@1"] for task in TASKS} == pytest.approx(TASKS)
    assert [len(done.samples(task)) for task in TASKS] == [problems for problems, _ in LEVELS.values()]
    assert done.metrics("taco_singleturn")["pass@1"] == pytest.approx(SOLVED / PROBLEMS)
    assert pytest.approx(sum(TASKS.values()) / len(TASKS)) != SOLVED / PROBLEMS
