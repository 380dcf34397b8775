"""The examples of docs/data.md are benchmarks as they stand there."""

import re
from pathlib import Path

import pytest

from turnwise.benchmarks.catalog import load_problems
from turnwise.benchmarks.own import find_benchmarks
from turnwise.records.problem import Problem
from turnwise.runners.execution.interface import Executor
from turnwise.runners.judging.judge import Judge

DOCUMENT = Path(__file__).parents[2] / "docs" / "data.md"
RIGHT = {
    "toy/next": "print(int(input()) + 1)",
    "toy/mean": "def mean(numbers):\n    return sum(numbers) / len(numbers)",
    "plus/1": "print(int(input()) + 1)",
    "plus/2": "print(int(input()) + 2)",
}


@pytest.fixture(scope="module")
def problems(tmp_path_factory: pytest.TempPathFactory) -> list[Problem]:
    """The problems of the examples, each written to a file of the name that stands before it."""
    folder, text = tmp_path_factory.mktemp("examples"), DOCUMENT.read_text()
    blocks = re.findall(r"This is a whole one, `(\w+\.\w+)`:\n\n```\w+\n(.*?)```", text, re.DOTALL)
    for name, content in blocks:
        (folder / name).write_text(content)
    owns = (find_benchmarks(str(folder / name))[name.partition(".")[0]] for name, _ in blocks)
    return [problem for own in owns for problem in load_problems(own).scorable]


def test_a_right_program_passes_and_a_wrong_one_does_not(problems: list[Problem], executor: Executor) -> None:
    """On each problem of the examples."""
    judge = Judge(executor)
    verdicts = {one.id: [judge.judge(one, program).passed for program in (RIGHT[one.id], "x = 1")] for one in problems}
    judge.close()
    assert verdicts == {name: [True, False] for name in RIGHT}


def test_every_field_of_a_row_is_described() -> None:
    """In the table of fields."""
    from turnwise.benchmarks.json_lines import _Row

    section = DOCUMENT.read_text().split("## Your own benchmark")[1].split("\n## ")[0]
    assert [name for name in _Row.model_fields if f"`{name}`" not in section] == []
