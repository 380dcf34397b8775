"""The tracer against a slow one made in another way: the same blocks and values, on programs that models wrote."""

import ast
import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from slow_tracer import slow_trace

from turnwise.benchmarks.catalog import load_problems
from turnwise.benchmarks.ids import problem_id
from turnwise.records.problem import Problem
from turnwise.records.report import Verdict
from turnwise.runners.execution.interface import Executor
from turnwise.runners.execution.tracing import trace_run
from turnwise.runners.judging.expected import resolve_expected
from turnwise.runners.judging.judge import Judge, program_of

Case = tuple[Problem, str]


def _compare(executor: Executor, problem: Problem, source: str) -> float | None:
    """Compare both traces of a program on the first public test it fails; return the seconds of the fast one."""
    report = Judge(executor).judge(problem, source, hidden=False)
    failed = [one for one in report.public if one.verdict in (Verdict.WRONG_ANSWER, Verdict.RUNTIME_ERROR)]
    if not failed or problem.input_file:
        return None
    data = problem.public_tests[failed[0].index].input.encode()
    program = program_of(problem, source)
    started = time.monotonic()
    fast = trace_run(executor, program, data, problem.limits)
    seconds = time.monotonic() - started
    slow = slow_trace(executor, program, data)
    if slow is None or fast is None:
        assert slow is None or slow[0] == 0 or fast is not None, source
        return None
    count, runs = slow
    places = [(run.line, run.last_line) for run in fast.runs]
    assert (fast.executed, places) == (count, [(run.line, run.last_line) for run in runs]), source
    for one, other in zip(fast.runs, runs, strict=True):
        for mine, theirs in ((one.before, other.before), (one.after, other.after)):
            known = {name: text for name, text in list(theirs.items())[:12] if text is not None}
            assert {name: mine.get(name) for name in known} == known, (source, one, other)
            assert set(mine) <= set(theirs) and all(len(text) <= 105 for text in mine.values())
    return seconds


def _is_plain(source: str) -> bool:
    """Return whether no line holds two statements, which no line-based trace can tell apart."""
    try:
        nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt)]
    except SyntaxError:
        return False
    lines = [node.lineno for node in nodes]
    return len(lines) == len(set(lines)) and "lambda" not in source


def test_both_tracers_agree_on_the_samples_incorrect_programs(executor: Executor) -> None:
    """Those of the bundled sample."""
    problems = load_problems("sample_codecontests").problems
    cases = [(problem, source) for problem in problems for source in problem.incorrect_solutions]
    assert sum(_compare(executor, *case) is not None for case in cases) >= 2


def _contest_cases(data_dir: Path) -> Iterator[Case]:
    problems = {one.id: one for one in load_problems("codecontests", data_dir=data_dir).problems}
    with gzip.open(data_dir / "recorded" / "codecontests.jsonl.gz", "rt") as lines:
        for row in map(json.loads, lines):
            source = row["turns"][-1].get("code") if row["turns"] else None
            key = problem_id("codecontests", row["task_id"])
            if source and key in problems and not row["_our_verdict"]["public_passed"] and _is_plain(source):
                yield problems[key], source


def _function_cases(data_dir: Path, executor: Executor, cache_dir: Path) -> Iterator[Case]:
    problems = {one.id: one for one in load_problems("humaneval_plus", data_dir=data_dir).problems}
    with gzip.open(data_dir / "recorded" / "humaneval.jsonl.gz", "rt") as lines:
        rows = [row for row in map(json.loads, lines) if not row["is_solved_reported"]]
    for row in rows:
        source = row["turns"][-1].get("code") if row["turns"] else None
        key = problem_id("humaneval_plus", row["task_id"])
        if source and key in problems and _is_plain(source):
            (problem,) = resolve_expected([problems[key]], executor, cache_dir=cache_dir)
            yield problem, source


@pytest.mark.data
@pytest.mark.long
def test_both_tracers_agree_on_programs_that_models_wrote(
    executor: Executor, data_dir: Path, cache_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """At least 50 recorded failing programs, values of each block before and after."""
    seconds: dict[str, list[float]] = {"programs": [], "functions": []}
    for problem, source in _contest_cases(data_dir):
        found = _compare(executor, problem, source)
        seconds["programs"] += [found] if found is not None else []
        if len(seconds["programs"]) == 50:
            break
    for problem, source in _function_cases(data_dir, executor, cache_dir):
        found = _compare(executor, problem, source)
        seconds["functions"] += [found] if found is not None else []
        if len(seconds["functions"]) == 15:
            break
    assert len(seconds["programs"]) == 50 and len(seconds["functions"]) >= 10
    with capsys.disabled():
        for kind, found in seconds.items():
            middle = sorted(found)[len(found) // 2]
            print(f"\n{len(found)} traces of {kind}: median {1000 * middle:.0f} ms, longest {max(found):.2f} s")
