"""TACO (BAAI/TACO): rows of its parquet files to problems, by stdin or by calling a function.

The first test is public, the rest is hidden (arXiv 2410.08105); which of those were generated is not told, so any may
be. ``input_output`` and ``solutions`` are JSON inside strings. The official list of special-judge tasks
(data/taco_special_judge.json) is honoured as far as outputs alone allow: case 2 ignores case, case 3 gives expected
integers the float tolerance too; case 1 (non-deterministic output) is flagged, so that scores can be read without it.
"""

import json
from dataclasses import replace
from functools import cache, partial
from importlib import resources
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from turnwise.benchmarks.benchmark import SPLIT_FILES, Benchmark, Split, Stem, call_test
from turnwise.benchmarks.checkers.kinds import Answers, Kind, kind_of
from turnwise.benchmarks.codecontests import parse_limits
from turnwise.benchmarks.flags import (
    admits_multiple_answers,
    contradiction_of_limits,
    contradiction_of_starter,
    contradiction_of_tests,
    is_interactive,
)
from turnwise.benchmarks.hub import read_repository
from turnwise.benchmarks.integers import format_integer
from turnwise.benchmarks.rows import Row, is_function_name, load_json, validated
from turnwise.records.problem import TRAINING_SPLIT, Comparison, Flag, MatchRule, Problem, TestCase
from turnwise.texts import shown

DIFFICULTIES = ("EASY", "MEDIUM", "MEDIUM_HARD", "HARD", "VERY_HARD")
UNKNOWN_DIFFICULTY = "UNKNOWN_DIFFICULTY"
NON_DETERMINISTIC, IGNORE_CASE, FLOAT_TOLERANCE = 1, 2, 3
TEST_SPLIT_ROWS = 1000
_TEXT_DEPTH = 4

# Names that call-based tasks, written for judges that import them, use without importing.
CALL_PRELUDE = """\
import bisect, collections, copy, functools, heapq, itertools, math, operator, random, re, string, sys
from bisect import bisect_left, bisect_right, insort
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from functools import cache, cmp_to_key, lru_cache, reduce
from heapq import heapify, heappop, heappush, heappushpop, nlargest, nsmallest
from itertools import accumulate, chain, combinations, count, groupby, permutations, product
from math import ceil, comb, factorial, floor, gcd, inf, sqrt
from typing import *
"""


class _TacoRow(BaseModel):
    model_config = ConfigDict(strict=True)
    question: str
    input_output: str
    solutions: str | list[str] | None = None
    starter_code: str | None = ""
    difficulty: str | None = UNKNOWN_DIFFICULTY
    time_limit: object = None
    memory_limit: object = None
    index: int | None = Field(None, ge=0, lt=10**9)
    tests: str | None = None
    form: str | None = None


def parse_taco(row: Row, split: Split) -> Problem:
    """Return the problem of one TACO row; raises RowError if it cannot be one.

    A problem's name is its row index in the data set: the row's own ``_index`` where a local copy holds
    a part of the rows, else its position. The special-judge list speaks of the test split's indices, so
    it is applied only where those are known (``_index`` given, or the whole split present).
    """
    renamed = {"index": "_index", "tests": "_tests", "form": "_format"}
    local = {field: row.data[key] for field, key in renamed.items() if key in row.data}
    fields = validated(replace(row, data={**row.data, **local}), _TacoRow)
    index = row.position if fields.index is None else fields.index
    document = _load(row, "input_output", fields.input_output) if fields.input_output.strip() else {}
    tests = _parse_tests(row, document) if document else ()
    entry_point = document.get("fn_name") or ""
    is_known = split.rows == TEST_SPLIT_ROWS or fields.index is not None
    listed = split.name == "test" and not split.is_sample and is_known
    case = special_judge_cases().get(index) if listed else None
    missing_name = fields.form == "call" and not entry_point
    rule = MatchRule(
        Comparison.VALUE if entry_point else Comparison.TEXT,
        ignore_case=case == IGNORE_CASE,
        any_number=case == FLOAT_TOLERANCE,
    )
    kind = kind_of(split.benchmark, split.name, str(index)) if is_known else None
    has_several = case == NON_DETERMINISTIC or admits_multiple_answers(fields.question)
    if kind is not None:
        has_several = kind.has_several
    limits = parse_limits(row, fields.time_limit, fields.memory_limit)
    contradiction = _contradiction(fields, document) or contradiction_of_limits(limits)
    if kind is not None and kind.answers is Answers.MISMATCHED:
        contradiction = kind.reason
    if not (contradiction or has_several):
        contradiction = contradiction_of_tests(tests, rule)
    return Problem(
        # Each split counts from 0, and checkers are found by the id.
        id=split.problem_id(str(index) if split.name == "test" else f"{split.name}/{index}"),
        benchmark=split.benchmark,
        split=split.name,
        statement=fields.question,
        public_tests=tests[:1],
        hidden_tests=tests[1:],
        limits=limits,
        rule=rule,
        entry_point=entry_point,
        starter_code=fields.starter_code or "",
        prelude=CALL_PRELUDE if entry_point else "",
        difficulty=fields.difficulty or UNKNOWN_DIFFICULTY,
        flags=_flags(
            fields,
            tests=len(tests),
            incomplete=missing_name,
            contradictory=bool(contradiction),
            kind=kind,
            has_several=has_several,
            is_listed=case is not None,
        ),
        special_judge_case=case,
        solutions=_parse_solutions(row, fields.solutions),
        contradiction=contradiction,
        stated=kind.stated_rule(rule) if kind else None,
        generated_tests=len(tests[1:]),
    )


@cache
def special_judge_cases() -> dict[int, int]:
    """Return the official list: test-split index to case (0 unlabelled, 1, 2 or 3 as above)."""
    text = resources.files("turnwise.benchmarks").joinpath("data/taco_special_judge.json").read_text("utf-8")
    return {index: int(case) for case, indices in json.loads(text)["idx"].items() for index in indices}


def _flags(
    fields: _TacoRow,
    *,
    tests: int,
    incomplete: bool,
    contradictory: bool,
    kind: Kind | None,
    has_several: bool,
    is_listed: bool,
) -> tuple[Flag, ...]:
    partial = fields.tests is not None and fields.tests != "full-from-source-dataset"
    conditions = {
        Flag.NO_HIDDEN_TESTS: tests < 2,
        Flag.INCOMPLETE: incomplete or partial or not tests or not fields.question.strip(),
        Flag.CONTRADICTORY: contradictory,
        Flag.INTERACTIVE: (kind is not None and kind.answers is Answers.INTERACTIVE) or is_interactive(fields.question),
        Flag.MULTIPLE_ANSWERS: has_several,
        Flag.GUESSED_KIND: has_several and kind is None and not is_listed,
        Flag.SPECIAL_JUDGE: is_listed,
    }
    return tuple(flag for flag, holds in conditions.items() if holds)


def _contradiction(fields: _TacoRow, document: dict[str, Any]) -> str:
    """Return how starter code contradicts the tests, or that these hold nothing to compare.

    That is texts that are null or objects, and calls whose results are all null (they may change their arguments).
    """
    name = document.get("fn_name") or ""
    contradiction = contradiction_of_starter(fields.starter_code or "", called=name)
    if contradiction:
        return contradiction
    inputs, outputs = document.get("inputs", []), document.get("outputs", [])
    if name:
        is_empty = bool(outputs) and all(output is None for output in outputs)
        return "every result that its tests expect is null" if is_empty else ""
    return "" if all(map(_is_text, [*inputs, *outputs])) else "its tests hold null or an object in place of a text"


def _is_text(value: object) -> bool:
    if isinstance(value, list):
        return all(map(_is_text, value))
    return value is not None and not isinstance(value, dict)


def _load(row: Row, field: str, text: str) -> dict[str, Any]:
    try:
        document = load_json(text)
    except ValueError as error:
        raise row.fail(f"field {field!r} holds no JSON ({str(error).split(':')[0].lower()}).") from None
    if not isinstance(document, dict):
        raise row.fail(f"field {field!r} is {shown(document)}, not an object of inputs and outputs.")
    name = document.get("fn_name")
    if name and not (isinstance(name, str) and is_function_name(name)):
        raise row.fail(f"field {field!r} has the fn_name {shown(name)}, not the name of a function.")
    return document


def _parse_tests(row: Row, document: dict[str, object]) -> tuple[TestCase, ...]:
    inputs, outputs = document.get("inputs"), document.get("outputs")
    if not isinstance(inputs, list) or not isinstance(outputs, list):
        raise row.fail("field 'input_output' lacks the list 'inputs' or 'outputs'.")
    if len(inputs) != len(outputs):
        raise row.fail(f"field 'input_output' has {len(inputs)} inputs but {len(outputs)} outputs.")
    if not inputs:
        raise row.fail("field 'input_output' holds no test.")
    make = partial(_call_case, row) if document.get("fn_name") else _text_case
    try:
        return tuple(map(make, inputs, outputs))
    except ValueError as error:
        raise row.fail(f"field 'input_output' holds a test that cannot be used ({error}).") from None


def _text_case(given: object, wanted: object) -> TestCase:
    return TestCase(_text(given), _text(wanted))


def _call_case(row: Row, given: object, wanted: object) -> TestCase:
    if isinstance(given, str):  # one JSON document a line, one line an argument
        try:
            given = [load_json(line) for line in given.rstrip("\n").split("\n")]
        except ValueError:
            raise row.fail(f"the call input {shown(given)} is no line of JSON for each argument.") from None
    if not isinstance(given, list):
        raise row.fail(f"a call input is a JSON {type(given).__name__}, not the list of arguments.")
    arguments = [_integer_keys(argument) for argument in given]
    return call_test(arguments, wanted)


def _integer_keys(argument: object) -> object:
    """Undo what JSON did to a dict with integer keys (as TACO's own harness does)."""
    if isinstance(argument, dict) and argument:
        try:
            return {int(key): item for key, item in argument.items()}
        except ValueError:
            return argument
    return argument


def _text(value: object, depth: int = 0) -> str:
    if depth > _TEXT_DEPTH:
        raise ValueError("a text is nested too deeply")
    if isinstance(value, list):
        return "\n".join(_text(item, depth + 1) for item in value)
    return format_integer(value) if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _parse_solutions(row: Row, solutions: str | list[str] | None) -> tuple[str, ...]:
    if not solutions:
        return ()
    try:
        programs = load_json(solutions) if isinstance(solutions, str) else solutions
    except ValueError:
        raise row.fail("field 'solutions' holds no JSON.") from None
    if not isinstance(programs, list) or not all(isinstance(program, str) for program in programs):
        raise row.fail(f"field 'solutions' is {shown(programs)}, not a list of programs.")
    return tuple(programs)


TACO = Benchmark(
    name="taco",
    description="TACO",
    parse=parse_taco,
    splits=("test", "train"),
    folder="taco",
    patterns=(*SPLIT_FILES, "ALL/{split}-*.parquet"),
    hub=partial(read_repository, "BAAI/TACO", "ALL/{split}-*.parquet"),
    stems=(
        Stem("taco"),
        *(Stem(f"taco_{level.lower()}", difficulty=level) for level in DIFFICULTIES),
        Stem("taco_train", TRAINING_SPLIT),
    ),
    difficulties=(*DIFFICULTIES, UNKNOWN_DIFFICULTY),
)
