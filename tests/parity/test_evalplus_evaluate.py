"""evalplus's own ``evaluate`` on a file that we exported gives the verdicts and the pass@k that ours gives."""

import gzip
import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from turnwise.commands.exchange import export_command, import_command
from turnwise.commands.judge import judge_command
from turnwise.commands.options import JudgeOptions
from turnwise.exchange.imported import Options
from turnwise.exchange.runs import read_runs
from turnwise.leaderboard.report import score_runs
from turnwise.tasks.extraction import extract_program

Rows = Callable[[str], list[dict[str, Any]]]

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("evalplus_evaluate")]

TASKS, SAMPLES = 6, 10
SAMPLE = Path(__file__).resolve().parents[2] / "benchmarks" / "sample"
FOLDERS = {"humaneval": "humanevalplus/HumanEvalPlus.jsonl", "mbpp": "mbppplus/MbppPlus.jsonl"}


@pytest.fixture(scope="session")
def evalplus_python(python_with: Callable[[str], str]) -> str:
    """The Python that has evalplus: TURNWISE_TEST_EVALPLUS, or this one."""
    return python_with("evalplus")


def _answers(dataset: str, recorded: Rows) -> dict[str, list[str]]:
    """Return some tasks with recorded programs: ten samples of HumanEval, one of MBPP."""
    if dataset == "mbpp":
        rows = recorded("recorded/mbppplus_evalplus.jsonl.gz")
        return {row["task_id"]: [row["turns"][0]["code"]] for row in rows}
    rows = recorded("recorded/humaneval_samples100.jsonl.gz")
    return {row["task_id"]: [row["prompt"] + one for one in row["samples"][:SAMPLES]] for row in rows}


def _subset(dataset: str, data_dir: Path, target: Path, wanted: set[str]) -> list[str]:
    """Write the data of the first few tasks that have answers below ``target``; return their names."""
    kept = []
    path = target / FOLDERS[dataset]
    path.parent.mkdir(parents=True)
    with gzip.open(data_dir / f"{FOLDERS[dataset]}.gz", "rt", encoding="utf-8") as lines, path.open("w") as out:
        for line in lines:
            name = json.loads(line)["task_id"]
            if name in wanted and len(kept) < TASKS:
                out.write(line)
                kept.append(name)
    return kept


def _evaluate(python: str, dataset: str, samples: Path, data: Path, cache: Path) -> tuple[dict[str, Any], str]:
    names = ("HUMANEVAL_OVERRIDE_PATH", "MBPP_OVERRIDE_PATH")
    overrides = dict.fromkeys(names, str(data / FOLDERS[dataset]))
    environment = {**os.environ, **overrides, "XDG_CACHE_HOME": str(cache)}
    environment.pop("PYTHONPATH", None)
    command = [python, "-m", "evalplus.evaluate", dataset, "--samples", str(samples), "--parallel", "1"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=500)
    assert done.returncode == 0, done.stderr[-2000:]
    results = samples.with_name(samples.name.replace(".jsonl", "_eval_results.json"))
    return json.loads(results.read_text())["eval"], done.stdout


@pytest.mark.data
@pytest.mark.long
@pytest.mark.parametrize("dataset", FOLDERS)
def test_evalplus_agrees_on_an_exported_file(
    dataset: str, data_dir: Path, recorded: Rows, evalplus_python: str, tmp_path: Path
) -> None:
    """Of recorded answers to real tasks."""
    answers = _answers(dataset, recorded)
    names = _subset(dataset, data_dir, tmp_path / "data", set(answers))
    _check_agreement(dataset, {name: answers[name] for name in names}, evalplus_python, tmp_path)


@pytest.mark.parametrize("dataset", FOLDERS)
def test_evalplus_agrees_on_the_bundled_sample(dataset: str, evalplus_python: str, tmp_path: Path) -> None:
    """Of the answers of three models to our own tasks, each turn a sample: right ones, wrong ones, and some between."""
    benchmark = f"sample_{dataset}_plus"
    tasks = SAMPLE / f"{dataset}_plus.jsonl"
    path = tmp_path / "data" / FOLDERS[dataset]
    path.parent.mkdir(parents=True)
    own, of_evalplus = '"Sample/', '"HumanEval/' if dataset == "humaneval" else '"Mbpp/'  # which evalplus knows
    path.write_text(tasks.read_text().replace(own, of_evalplus))
    answers: dict[str, list[str]] = {}
    for model in ("careless", "repairing", "steady"):
        for line in (SAMPLE / "answers" / f"{model}.jsonl").read_text().splitlines():
            row = json.loads(line.replace(own, of_evalplus))
            if row["benchmark"] == benchmark:
                programs = [extract_program(turn["response"]) for turn in row["turns"]]
                answers.setdefault(row["task_id"], []).extend(one for one in programs if one is not None)
    fewest = min(map(len, answers.values()))
    ours = _check_agreement(dataset, {name: one[:fewest] for name, one in answers.items()}, evalplus_python, tmp_path)
    found = {_passed(one) for several in ours.values() for one in several}
    assert found == {(True, True), (True, False), (False, False)}


def _check_agreement(
    dataset: str, answers: dict[str, list[str]], evalplus_python: str, tmp_path: Path
) -> dict[str, list[dict[str, Any]]]:
    """Compare each program's base and plus status, and pass@k with every digit that evalplus prints; return ours."""
    lines = [json.dumps({"task_id": name, "solution": one}) + "\n" for name in answers for one in answers[name]]
    (tmp_path / "m.jsonl").write_text("".join(lines))
    environ = {"TURNWISE_CACHE": str(tmp_path / "cache")}
    options = Options("evalplus", tasks=f"{dataset}_plus_singleturn", data_dir=tmp_path / "data")
    import_command([tmp_path / "m.jsonl"], options, tmp_path / "run", environ=environ, arguments=[])
    judging = JudgeOptions(tmp_path / "judged", data_dir=tmp_path / "data", workers=1)
    judge_command(tmp_path / "run", judging, environ=environ)
    for target in ("ours.jsonl", "judged_eval_results.json"):
        export_command([tmp_path / "judged"], "evalplus", tmp_path / target)
    theirs, said = _evaluate(evalplus_python, dataset, tmp_path / "ours.jsonl", tmp_path / "data", tmp_path / "xdg")
    ours: dict[str, list[dict[str, Any]]] = json.loads((tmp_path / "judged_eval_results.json").read_text())["eval"]
    assert {name: [_passed(one) for one in several] for name, several in theirs.items()} == {
        name: [_passed(one) for one in several] for name, several in ours.items()
    }
    (scored,) = score_runs(read_runs([tmp_path / "judged"]))
    estimates = {one.metric: one.value for one in scored.estimates if one.group == "all" and one.value is not None}
    printed = re.findall(r"(pass@\d+):\s+([\d.]+)", said.partition("base + extra")[2])
    assert printed
    assert {name: float(value) for name, value in printed} == {name: round(estimates[name], 3) for name, _ in printed}
    return ours


def _passed(result: dict[str, Any]) -> tuple[bool, bool]:
    """Return whether the base tests passed, and whether all did (plus tests alone are not judged here)."""
    base = result["base_status"] == "pass"
    return base, base and result["plus_status"] == "pass"
