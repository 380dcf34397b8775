"""The release format of evalplus, which HumanEval+ and MBPP+ have: rows to problems.

Base inputs are the public tests, plus inputs the hidden ones; a task without plus inputs is judged by its base inputs
alone, as evalplus does, and flagged. The files hold no expected outputs: those come from the canonical solution, run
once inside an executor (turnwise.runners.judging.expected), which also sets the limits.
"""

from collections.abc import Callable, Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field, field_validator

from turnwise.benchmarks import values
from turnwise.benchmarks.benchmark import JSON_ENDINGS, Split
from turnwise.benchmarks.flags import contradiction_of_solution, contradiction_of_starter
from turnwise.benchmarks.rows import Row, is_function_name, validated
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

# evalplus takes any result of this task: its canonical answer is disputed (Mbpp/164, are_equivalent).
_DISPUTED_ORACLE = "anything"

_Converter = Callable[[str, Sequence[object]], Sequence[object]]


class _EvalPlusRow(BaseModel):
    model_config = ConfigDict(strict=True)
    task_id: str
    prompt: str
    entry_point: str
    canonical_solution: str
    base_input: list[list[object] | tuple[object, ...]]  # tuples where evalplus has converted them already
    plus_input: list[list[object] | tuple[object, ...]]
    atol: float = Field(0.0, ge=0.0, allow_inf_nan=False)

    @field_validator("plus_input", mode="before")
    @classmethod
    def _read_none(cls, inputs: object) -> object:
        """The released file writes ``{}`` where a task has no plus inputs (Mbpp/793)."""
        return [] if inputs == {} else inputs


def release_files(name: str) -> tuple[str, ...]:
    """Return how the files of evalplus's release of ``name`` may be called."""
    return tuple(f"{name}{version}{ending}" for version in ("", "-v*") for ending in JSON_ENDINGS)


def parse_evalplus(
    row: Row,
    split: Split,
    *,
    oracles: Mapping[str, str],
    is_completion: bool = False,
    convert: _Converter | None = None,
) -> Problem:
    """Return the problem of one row; raises RowError if it cannot be one.

    ``oracles`` are the special comparisons by entry point; a program that ``is_completion`` goes on with the prompt;
    ``convert`` makes of the inputs of a numbered task what it means.
    """
    fields = validated(row, _EvalPlusRow)
    if not fields.task_id.strip():
        raise row.fail("field 'task_id' is empty.")
    if convert is not None and not fields.task_id.rsplit("/", 1)[-1].isdecimal():
        raise row.fail(f"field 'task_id' is {fields.task_id!r}, not a number such as Mbpp/2.")
    if not is_function_name(fields.entry_point):
        raise row.fail(f"field 'entry_point' is {fields.entry_point!r}, not the name of a function.")
    if not fields.base_input:
        raise row.fail("field 'base_input' holds no test.")
    starter_code = fields.prompt if is_completion else ""
    solution = starter_code + fields.canonical_solution
    contradiction = contradiction_of_starter(starter_code, called=fields.entry_point) or contradiction_of_solution(
        solution, called=fields.entry_point
    )
    oracle = oracles.get(fields.entry_point, "")
    return Problem(
        id=split.problem_id(fields.task_id),
        benchmark=split.benchmark,
        split=split.name,
        statement=fields.prompt,
        public_tests=_cases(row, fields.task_id, fields.base_input, convert),
        hidden_tests=_cases(row, fields.task_id, fields.plus_input, convert),
        limits=Limits(FUNCTION_TIME_LIMIT_SECONDS, FUNCTION_MEMORY_LIMIT_BYTES),
        rule=MatchRule(Comparison.EVALPLUS, tolerance=fields.atol, oracle=oracle),
        entry_point=fields.entry_point,
        starter_code=starter_code,
        flags=_flags(fields, oracle, contradictory=bool(contradiction)),
        solutions=(solution,),
        contradiction=contradiction,
    )


def _cases(
    row: Row, task_id: str, inputs: Sequence[Sequence[object]], convert: _Converter | None
) -> tuple[TestCase, ...]:
    try:
        if convert is not None:
            inputs = [convert(task_id, arguments) for arguments in inputs]
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
