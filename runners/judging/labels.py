"""Labels: outputs that are known to be right, on tests of the problems at hand.

A file holds JSON lines, plain or as gzip, with a ``problem`` (its id, or its name in the data set), a ``group`` of its
tests (public_tests, private_tests or generated_tests), an ``index`` in that group, counted from 0, and an ``output``.
Other fields are passed over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from turnwise.benchmarks.ids import problem_id
from turnwise.benchmarks.rows import OF_ANSWERS, Row, RowError, parse_rows, read_rows, validated
from turnwise.errors import TurnwiseError
from turnwise.records.codec import reason_of
from turnwise.records.problem import Problem
from turnwise.texts import shown

Group = Literal["public_tests", "private_tests", "generated_tests"]


class OutputRow(BaseModel):
    """A row as it is read; other fields are passed over."""

    model_config = ConfigDict(strict=True)
    problem: str
    group: Group
    index: int = Field(ge=0)
    output: str


@dataclass(frozen=True, slots=True)
class Label:
    """A right output of the test with this number, counted over public and hidden tests."""

    problem: str
    test: int
    output: str


def read_labels(path: Path, problems: Sequence[Problem]) -> Mapping[str, tuple[Label, ...]]:
    """Return the labels in the file at ``path`` by problem id.

    Raises TurnwiseError for a file that cannot be read, lacks a field, or names a problem or test that is not there.
    """
    by_id = {one.id: one for one in problems}
    benchmarks = sorted({one.benchmark for one in problems})

    def parse(row: Row) -> Label:
        fields = validated(row, OutputRow)
        found = [by_id[name] for one in benchmarks if (name := problem_id(one, fields.problem)) in by_id]
        if not found:
            raise row.fail(f"problem {shown(fields.problem)} is none of {', '.join(benchmarks)} here.")
        start, count = place_of(found[0], fields.group)
        if fields.index >= count:
            raise row.fail(f"index is {fields.index}, and the {fields.group} of {found[0].id!r} here are {count}.")
        return Label(found[0].id, start + fields.index, fields.output)

    try:
        labels, _ = parse_rows(read_rows(path, bounds=OF_ANSWERS), parse)
    except RowError as error:
        raise error.without_option() from None
    except OSError as error:
        raise TurnwiseError(f"The labels {str(path)!r} cannot be read ({reason_of(error)}): give another.") from None
    if not labels:
        raise TurnwiseError(
            f"The labels {str(path)!r} hold no row: write a JSON line with problem, group, index and output for each."
        )
    found: dict[str, list[Label]] = {}
    for label in labels:
        found.setdefault(label.problem, []).append(label)
    return {problem: tuple(ones) for problem, ones in found.items()}


def name_of_test(problem: Problem, number: int) -> str:
    """Return the name of a test as labels have it, such as ``private_tests 3``, counted from 0."""
    for group in get_args(Group):
        start, count = place_of(problem, group)
        if start <= number < start + count:
            return f"{group} {number - start}"
    raise IndexError(number)


def place_of(problem: Problem, group: Group) -> tuple[int, int]:
    """Return the number of the first test of a group, counted over public and hidden tests, and how many there are."""
    public, private = len(problem.public_tests), len(problem.hidden_tests) - problem.generated_tests
    return {
        "public_tests": (0, public),
        "private_tests": (public, private),
        "generated_tests": (public + private, problem.generated_tests),
    }[group]
