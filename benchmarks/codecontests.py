"""CodeContests (deepmind/code_contests): rows of the public schema to problems.

Public tests feed the dialogue; private and generated tests together are the hidden ones. A problem
without hidden tests is flagged and never scored: 44 of the 165 test problems have no private tests, and
local copies may lack the generated ones.
"""

from functools import partial
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from turnwise.benchmarks.benchmark import SPLIT_FILES, Benchmark, Split, Stem
from turnwise.benchmarks.checkers.kinds import Answers, Kind, kind_of
from turnwise.benchmarks.flags import (
    admits_multiple_answers,
    contradiction_of_limits,
    contradiction_of_tests,
    is_interactive,
)
from turnwise.benchmarks.hub import read_repository
from turnwise.benchmarks.limits import parse_memory_limit, parse_time_limit
from turnwise.benchmarks.rows import Row, validated
from turnwise.records.problem import (
    DEFAULT_MEMORY_LIMIT_BYTES,
    DEFAULT_TIME_LIMIT_SECONDS,
    TRAINING_SPLIT,
    Flag,
    Limits,
    MatchRule,
    Problem,
    TestCase,
)

PYTHON3 = 3
_INCORRECT_SOLUTIONS = 16  # kept of each problem: some have hundreds, and few are ever shown


class _Tests(BaseModel):
    model_config = ConfigDict(strict=True)
    input: list[str]
    output: list[str]

    @model_validator(mode="after")
    def _same_length(self) -> "_Tests":
        if len(self.input) != len(self.output):
            raise ValueError(f"{len(self.input)} inputs but {len(self.output)} outputs")
        return self

    def cases(self) -> tuple[TestCase, ...]:
        return tuple(map(TestCase, self.input, self.output))


class _Solutions(BaseModel):
    model_config = ConfigDict(strict=True)
    language: list[int] = []
    solution: list[str] = []

    @model_validator(mode="after")
    def _same_length(self) -> "_Solutions":
        if len(self.language) != len(self.solution):
            raise ValueError(f"{len(self.language)} languages but {len(self.solution)} programs")
        return self

    def in_python3(self) -> tuple[str, ...]:
        pairs = zip(self.language, self.solution, strict=True)
        return tuple(text for language, text in pairs if language == PYTHON3)


class _CodeContestsRow(BaseModel):
    model_config = ConfigDict(strict=True)
    name: str
    description: str
    public_tests: _Tests
    private_tests: _Tests
    generated_tests: _Tests = _Tests(input=[], output=[])
    solutions: _Solutions | None = None
    incorrect_solutions: _Solutions | None = None
    time_limit: object = None
    memory_limit_bytes: object = 0
    input_file: str | None = ""
    output_file: str | None = ""
    cf_tags: list[str] | None = None
    cf_rating: int | None = Field(0, ge=0, le=9999)


def parse_codecontests(row: Row, split: Split) -> Problem:
    """Return the problem of one CodeContests row; raises RowError if it cannot be one."""
    fields = validated(row, _CodeContestsRow)
    if not fields.name.strip():
        raise row.fail("field 'name' is empty.")
    if not fields.public_tests.input:
        raise row.fail("field 'public_tests' holds no test.")
    hidden = fields.private_tests.cases() + fields.generated_tests.cases()
    rule = MatchRule(ignore_case=True)
    kind = kind_of(split.benchmark, split.name, fields.name)
    has_several = admits_multiple_answers(fields.description) if kind is None else kind.has_several
    limits = parse_limits(row, fields.time_limit, fields.memory_limit_bytes)
    contradiction = contradiction_of_limits(limits)
    if not (contradiction or has_several):
        contradiction = contradiction_of_tests(fields.public_tests.cases() + hidden, rule)
    return Problem(
        id=split.problem_id(fields.name),
        benchmark=split.benchmark,
        split=split.name,
        statement=fields.description,
        public_tests=fields.public_tests.cases(),
        hidden_tests=hidden,
        limits=limits,
        rule=rule,
        input_file=_file_name(row, "input_file", fields.input_file),
        output_file=_file_name(row, "output_file", fields.output_file),
        difficulty=str(fields.cf_rating) if fields.cf_rating else "",
        flags=_flags(fields, kind, has_several, is_contradictory=bool(contradiction)),
        solutions=(fields.solutions or _Solutions()).in_python3(),
        incorrect_solutions=(fields.incorrect_solutions or _Solutions()).in_python3()[:_INCORRECT_SOLUTIONS],
        contradiction=contradiction,
        stated=kind.stated_rule(rule) if kind else None,
        generated_tests=len(fields.generated_tests.input),
    )


def parse_limits(row: Row, time_limit: object, memory_limit: object) -> Limits:
    """Return the limits a row gives in any known form, with the defaults for those it does not give."""
    try:
        seconds, size = parse_time_limit(time_limit), parse_memory_limit(memory_limit)
    except ValueError as error:
        raise row.fail(f"{error}.") from None
    return Limits(seconds or DEFAULT_TIME_LIMIT_SECONDS, size or DEFAULT_MEMORY_LIMIT_BYTES)


def _flags(
    fields: _CodeContestsRow, kind: Kind | None, has_several: bool, *, is_contradictory: bool
) -> tuple[Flag, ...]:
    found = {
        Flag.NO_HIDDEN_TESTS: not (fields.private_tests.input or fields.generated_tests.input),
        Flag.INCOMPLETE: not fields.description.strip(),
        Flag.CONTRADICTORY: is_contradictory,
        Flag.INTERACTIVE: (kind is not None and kind.answers is Answers.INTERACTIVE)
        or is_interactive(fields.description)
        or "interactive" in (fields.cf_tags or ()),
        Flag.MULTIPLE_ANSWERS: has_several,
        Flag.GUESSED_KIND: has_several and kind is None,
    }
    return tuple(flag for flag, holds in found.items() if holds)


def _file_name(row: Row, field: Literal["input_file", "output_file"], name: str | None) -> str:
    name = (name or "").strip()
    if name.lower() in ("", "stdin", "stdout", "standard input", "standard output"):
        return ""
    if "/" in name or "\0" in name or name in (".", ".."):
        raise row.fail(f"field {field!r} is {name!r}, not a plain file name.")
    return name


CODECONTESTS = Benchmark(
    name="codecontests",
    description="CodeContests",
    parse=parse_codecontests,
    splits=("test", "valid", "train"),
    folder="codecontests",
    patterns=SPLIT_FILES,
    hub=partial(read_repository, "deepmind/code_contests", "data/{split}-*.parquet"),
    stems=(Stem("codecontests"), Stem("codecontests_valid", "valid"), Stem("codecontests_train", TRAINING_SPLIT)),
)
