"""HumanEval+ and MBPP+ in evalplus's release format: rows to problems.

Base inputs are the public tests, plus inputs the hidden ones; a task without plus inputs is judged by its base inputs
alone, as evalplus does, and flagged. The files hold no expected outputs: those
come from the canonical solution, run once inside an executor (turnwise.runners.judging.expected), which also
sets the limits. Inputs of about 60 MBPP+ tasks stand in the file as lists but mean tuples, sets or
complex numbers; they are converted as the task needs.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from keyword import iskeyword
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from turnwise.benchmarks import values
from turnwise.benchmarks.contradictions import contradiction_of_solution, contradiction_of_starter
from turnwise.benchmarks.mbpp_inputs import convert_arguments
from turnwise.benchmarks.oracles import ORACLE_BY_ENTRY_POINT
from turnwise.benchmarks.rows import Row, validated
from turnwise.records.problem import (
    FUNCTION_MEMORY_LIMIT_BYTES,
    FUNCTION_TIME_LIMIT_SECONDS,
    Comparison,
    Flag,
    Limits,
    MatchRule,
    Problem,
    TestCase,
)

HUMANEVAL_PLUS, MBPP_PLUS = "humaneval_plus", "mbpp_plus"
# evalplus takes any result of this task: its canonical answer is disputed (Mbpp/164, are_equivalent).
_DISPUTED_ORACLE = "anything"


class _EvalPlusRow(BaseModel):
    model_config = ConfigDict(strict=True)
    task_id: str
    prompt: str
    entry_point: str
    canonical_solution: str
    base_input: list[list[Any] | tuple[Any, ...]]  # tuples where evalplus has converted them already
    plus_input: list[list[Any] | tuple[Any, ...]]
    atol: float = Field(0.0, ge=0.0, allow_inf_nan=False)

    @field_validator("plus_input", mode="before")
    @classmethod
    def _read_none(cls, inputs: Any) -> Any:
        """The released file writes ``{}`` where a task has no plus inputs (Mbpp/793)."""
        return [] if inputs == {} else inputs


def parse_evalplus(row: Row, *, benchmark: str, split: str) -> Problem:
    """Return the problem of one HumanEval+ or MBPP+ row; raises RowError if it cannot be one."""
    fields = validated(row, _EvalPlusRow)
    if not fields.task_id.strip():
        raise row.fail("field 'task_id' is empty.")
    if benchmark == MBPP_PLUS and not fields.task_id.rsplit("/", 1)[-1].isdecimal():
        raise row.fail(f"field 'task_id' is {fields.task_id!r}, not a number such as Mbpp/2.")
    if not fields.entry_point.isidentifier() or iskeyword(fields.entry_point):
        raise row.fail(f"field 'entry_point' is {fields.entry_point!r}, not the name of a function.")
    if not fields.base_input:
        raise row.fail("field 'base_input' holds no test.")
    family = benchmark.removeprefix("sample_")
    is_completion = family == HUMANEVAL_PLUS
    starter_code = fields.prompt if is_completion else ""
    solution = starter_code + fields.canonical_solution
    contradiction = contradiction_of_starter(starter_code, called=fields.entry_point) or contradiction_of_solution(
        solution, called=fields.entry_point
    )
    oracle = ORACLE_BY_ENTRY_POINT[family].get(fields.entry_point, "")
    return Problem(
        id=f"{benchmark}/{fields.task_id}",
        benchmark=benchmark,
        split=split,
        statement=fields.prompt,
        public_tests=_cases(row, fields.task_id, fields.base_input, benchmark),
        hidden_tests=_cases(row, fields.task_id, fields.plus_input, benchmark),
        limits=Limits(FUNCTION_TIME_LIMIT_SECONDS, FUNCTION_MEMORY_LIMIT_BYTES),
        rule=MatchRule(Comparison.EVALPLUS, tolerance=fields.atol, oracle=oracle),
        entry_point=fields.entry_point,
        starter_code=starter_code,
        flags=_flags(fields, oracle, contradictory=bool(contradiction)),
        solutions=(solution,),
        contradiction=contradiction,
    )


def with_stub_imports(problem: Problem) -> Problem:
    """Return a HumanEval+ problem whose programs find the imports and helper functions of its stub; others as they are.

    evalplus runs a program as it stands, so that one without them fails; this is for replies that were asked for the
    function alone.
    """
    if problem.benchmark.removeprefix("sample_") != HUMANEVAL_PLUS:
        return problem
    start = re.search(rf"^(?:async )?def {re.escape(problem.entry_point)}\b", problem.starter_code, re.MULTILINE)
    return problem if start is None else replace(problem, prelude=problem.starter_code[: start.start()])


def _cases(row: Row, task_id: str, inputs: Sequence[Sequence[Any]], benchmark: str) -> tuple[TestCase, ...]:
    try:
        if benchmark == MBPP_PLUS:
            inputs = [convert_arguments(task_id, arguments) for arguments in inputs]
        return tuple(TestCase(values.dumps(list(arguments)), None) for arguments in inputs)
    except (TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise row.fail(f"an input does not have the form the task needs ({error}).") from None


def _flags(fields: _EvalPlusRow, oracle: str, *, contradictory: bool) -> tuple[Flag, ...]:
    conditions = {
        Flag.INCOMPLETE: not (fields.prompt.strip() and fields.canonical_solution.strip()),
        Flag.CONTRADICTORY: contradictory,
        Flag.BASE_TESTS_ONLY: not fields.plus_input,
        Flag.MULTIPLE_ANSWERS: oracle == _DISPUTED_ORACLE,
    }
    return tuple(flag for flag, holds in conditions.items() if holds)
