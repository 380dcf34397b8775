"""The bundled sample behaves as written down: references, wrong solutions and every recorded turn."""

import json
from collections import Counter
from pathlib import Path

import pytest

from turnwise.benchmarks.catalog import load_problems
from turnwise.records.problem import Problem
from turnwise.records.report import Verdict
from turnwise.runners.execution.interface import Executor
from turnwise.runners.judging.expected import resolve_expected
from turnwise.runners.judging.judge import Judge
from turnwise.runners.models.replay import ReplaySampler
from turnwise.runners.models.sampler import Request
from turnwise.tasks.extraction import extract_program

SAMPLE = Path(__file__).resolve().parents[2] / "benchmarks" / "sample"
BENCHMARKS = ("sample_codecontests", "sample_taco", "sample_humaneval_plus", "sample_mbpp_plus")
EXPECTATIONS = [json.loads(line) for line in (SAMPLE / "expectations.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def problems(executor: Executor, cache_dir: Path) -> dict[str, Problem]:
    """All problems of the sample by id, expected outputs computed."""
    loaded = [problem for name in BENCHMARKS for problem in load_problems(name).problems]
    return {problem.id: problem for problem in resolve_expected(loaded, executor, cache_dir=cache_dir)}


def test_reference_solutions_pass(problems: dict[str, Problem], executor: Executor) -> None:
    """Every problem has one, and can be scored."""
    judge = Judge(executor)
    for problem in problems.values():
        assert problem.is_scorable
        assert judge.judge(problem, problem.solutions[0]).passed, problem.id


def test_incorrect_solutions_fail(problems: dict[str, Problem], executor: Executor) -> None:
    """The rows' own wrong programs do not pass."""
    judge = Judge(executor)
    for line in (SAMPLE / "codecontests.jsonl").read_text().splitlines():
        row = json.loads(line)
        for source in row["incorrect_solutions"]["solution"]:
            assert not judge.judge(problems[f"sample_codecontests/{row['name']}"], source).passed, row["name"]


@pytest.mark.slow
@pytest.mark.parametrize("model", ["steady", "repairing", "careless"])
def test_recorded_turns_get_the_verdicts_written_down(
    model: str, problems: dict[str, Problem], executor: Executor
) -> None:
    """Turn by turn on the public tests, and the last program on the hidden ones."""
    sampler = ReplaySampler(SAMPLE / "answers" / f"{model}.jsonl", benchmarks=BENCHMARKS)
    judge = Judge(executor)
    for expected in (row for row in EXPECTATIONS if row["model"] == model):
        problem = problems[f"{expected['benchmark']}/{expected['task_id']}"]
        verdicts, program = [], None
        for turn in range(len(expected["turn_verdicts"])):
            reply = sampler.answer(Request("t", problem.id, expected["sample"], turn, 0, (), 0))
            assert reply is not None
            program = extract_program(reply.text)
            verdicts.append(judge.judge(problem, program, hidden=False).verdict)
        assert verdicts == expected["turn_verdicts"], (problem.id, expected["sample"])
        assert judge.judge(problem, program).passed == expected["passes_hidden"], (problem.id, expected["sample"])


def test_every_verdict_of_a_program_is_in_the_sample() -> None:
    """All words but infrastructure_failure, several times each; and repairs over turns."""
    words = Counter(word for row in EXPECTATIONS for word in row["turn_verdicts"])
    assert set(words) == {verdict.value for verdict in Verdict} - {"infrastructure_failure"}
    assert min(words.values()) >= 3
    repaired = [row for row in EXPECTATIONS if len(row["turn_verdicts"]) > 1 and row["passes_hidden"]]
    assert len(repaired) >= 20
