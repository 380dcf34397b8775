"""A benchmark of the user's own as JSON lines: one problem a line, in the fields that docs/data.md says.

Tests of a program that reads stdin are texts; those of a function are the list of arguments and the result, as JSON
values. A field that is unknown or of another type is refused with file, line and field.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from turnwise.benchmarks.benchmark import Split, call_test
from turnwise.benchmarks.codecontests import parse_limits
from turnwise.benchmarks.flags import contradiction_of_limits, contradiction_of_starter, contradiction_of_tests
from turnwise.benchmarks.rows import Row, is_function_name, validated
from turnwise.records.problem import Comparison, Flag, MatchRule, Problem, TestCase
from turnwise.texts import shown


class _Test(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    input: Any
    output: Any


class _Row(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    name: str
    statement: str
    public_tests: list[_Test]
    hidden_tests: list[_Test]
    entry_point: str = ""
    starter_code: str = ""
    time_limit_seconds: float | None = None
    memory_limit_bytes: int | None = None
    tolerance: float = Field(MatchRule().tolerance, ge=0.0, lt=1.0, allow_inf_nan=False)
    difficulty: str = ""
    solutions: list[str] = []


def parse_json_lines(row: Row, split: Split) -> Problem:
    """Return the problem of one line; raises RowError, naming the field, if it cannot be one."""
    fields = validated(row, _Row)
    for field in ("name", "statement", "public_tests"):
        if not getattr(fields, field):
            raise row.fail(f"field {field!r} is empty.")
    if fields.entry_point and not is_function_name(fields.entry_point):
        raise row.fail(f"field 'entry_point' is {shown(fields.entry_point)}, not the name of a function.")
    if fields.starter_code and not fields.entry_point:
        raise row.fail("field 'starter_code' is there and 'entry_point', the function to be called, is not.")
    public, hidden = (
        tuple(_case(row, fields, f"{field}.{number}", test) for number, test in enumerate(getattr(fields, field)))
        for field in ("public_tests", "hidden_tests")
    )
    rule = MatchRule(Comparison.VALUE if fields.entry_point else Comparison.TEXT, tolerance=fields.tolerance)
    limits = parse_limits(row, fields.time_limit_seconds, fields.memory_limit_bytes)
    contradiction = (
        contradiction_of_starter(fields.starter_code, called=fields.entry_point)
        or contradiction_of_limits(limits)
        or contradiction_of_tests(public + hidden, rule)
    )
    flags = {Flag.NO_HIDDEN_TESTS: not hidden, Flag.CONTRADICTORY: bool(contradiction)}
    return Problem(
        id=split.problem_id(fields.name),
        benchmark=split.benchmark,
        split=split.name,
        statement=fields.statement,
        public_tests=public,
        hidden_tests=hidden,
        limits=limits,
        rule=rule,
        entry_point=fields.entry_point,
        starter_code=fields.starter_code,
        difficulty=fields.difficulty,
        flags=tuple(flag for flag, holds in flags.items() if holds),
        solutions=tuple(fields.solutions),
        contradiction=contradiction,
    )


def _case(row: Row, fields: _Row, field: str, test: _Test) -> TestCase:
    if fields.entry_point:
        if not isinstance(test.input, list):
            raise row.fail(f"field '{field}.input' is {shown(test.input)}, not the list of arguments.")
        try:
            return call_test(test.input, test.output)
        except ValueError as error:
            raise row.fail(f"field '{field}' cannot be used ({error}).") from None
    for part, value in (("input", test.input), ("output", test.output)):
        if not isinstance(value, str):
            raise row.fail(f"field '{field}.{part}' is {shown(value)}, not a text; a function has an 'entry_point'.")
    return TestCase(test.input, test.output)
