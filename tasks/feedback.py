"""What a model is told of its program's public tests; hidden tests never reach this module.

Sizes (ours, in characters so that every driver agrees): one test at most 512, the whole at most 4,096. Of a trace each
block's lines are shown between the values of its variables before and after; what is told of a value is what changed,
so that a trace fits in.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from turnwise.benchmarks import values
from turnwise.records.problem import Comparison, Problem, TestCase
from turnwise.records.report import BlockRun, Report, TestResult, Trace, Verdict
from turnwise.tasks.prompts import PromptSet

FEEDBACK_CHARACTERS = 4096
TEST_CHARACTERS = 512
_BLOCK_LINES = 10
_LINE_END = re.compile(r"\r\n|\r|\n")  # Python's own: str.splitlines knows more
_LINE_CHARACTERS = 120


def form_of(problem: Problem) -> str:
    """Return how the model is asked: ``program``, ``function`` or ``completion`` (of a given stub)."""
    if not problem.is_function_call:
        return "program"
    is_stub = problem.rule.comparison is Comparison.EVALPLUS and bool(problem.starter_code)
    return "completion" if is_stub else "function"


def feedback_kind(kind: str, report: Report) -> str:
    """Return ``kind``, or failed_tests for ldb where the program could not be traced."""
    return "failed_tests" if kind == "ldb" and report.trace is None else kind


def feedback_text(
    kind: str,
    problem: Problem,
    report: Report,
    prompts: PromptSet,
    *,
    form: str = "",
    reasons: bool = False,
    program: str = "",
) -> str:
    """Return the feedback of ``kind`` on a program, with as many tests, or blocks of its trace, as the size allows.

    ``form`` is how the dialogue's problem is asked where ``problem`` is another one. With ``reasons`` the message
    goes on with reasoning prompts, so it does not ask for the program. ldb needs the ``program`` that was traced.
    """
    known = [result for result in report.public if result.verdict is not Verdict.INFRASTRUCTURE_FAILURE]
    told = [result for result in known if _is_told(kind, result, report)]
    tests = [_describe(problem, problem.public_tests[result.index], result) for result in told]
    runs = describe_runs(report.trace, program) if kind == "ldb" and report.trace is not None else []
    context = {
        "form": form or form_of(problem),
        "reasons": reasons,
        "passed": report.public_passed,
        "error": _shorten(report.error, FEEDBACK_CHARACTERS // 2),
        "failed": sum(result.verdict is not Verdict.PASSED for result in known),
        "total": len(known),
        "has_several": problem.is_checked,
    }
    for shown in range(len(runs or tests), -1, -1):
        kept = tests if runs else tests[:shown]
        parts = {"tests": kept, "omitted": len(tests) - len(kept), "blocks": fewer_runs(runs, shown) if runs else []}
        text = prompts.render(f"feedback/{kind}", **context, **parts)
        if len(text) <= FEEDBACK_CHARACTERS:
            break
    return text[:FEEDBACK_CHARACTERS]


def _is_told(kind: str, result: TestResult, report: Report) -> bool:
    if kind == "ldb":
        return report.trace is not None and result.index == report.trace.test
    return kind == "failed_and_passed" or result.verdict is not Verdict.PASSED


def _describe(problem: Problem, test: TestCase, result: TestResult) -> dict[str, object]:
    quarter = TEST_CHARACTERS // 4
    return {
        "number": result.index + 1,
        "verdict": result.verdict.value,
        "input": _shorten(shown_input(problem, test), quarter),
        "expected": _shorten(shown_expected(problem, test), quarter),
        "output": _shorten(result.output.strip("\n"), quarter),
        "error": shorten_traceback(result.error, 2 * quarter),
        "time_limit": f"{problem.limits.time_limit_seconds:g} seconds",
        "memory_limit": f"{problem.limits.memory_limit_bytes // 10**6} MB",
    }


def shown_input(problem: Problem, test: TestCase) -> str:
    """Return a test's input as a reader sees it: stdin text, or the call."""
    if not problem.is_function_call:
        return test.input.strip("\n")
    arguments = ", ".join(map(repr, values.loads(test.input)))
    return f"{problem.entry_point}({arguments})"


def shown_expected(problem: Problem, test: TestCase) -> str:
    """Return a test's expected output as a reader sees it: stdout text, or the value."""
    if not problem.is_function_call:
        return (test.output or "").strip("\n")
    value = values.loads(test.output or "null")
    if problem.rule.comparison is Comparison.VALUE and isinstance(value, list) and len(value) == 1:
        value = value[0]  # TACO wraps results in a list
    return repr(value)


def shorten_traceback(text: str, limit: int) -> str:
    """Return ``text``, or its first line and as many of its last lines as ``limit`` characters hold."""
    if len(text) <= limit:
        return text
    first, *rest = text.split("\n")
    mark = "  ..."
    kept: list[str] = []
    room = limit - min(len(first), limit // 4) - len(mark) - 2
    while rest and len(rest[-1]) + 1 <= room:
        room -= len(rest[-1]) + 1
        kept.insert(0, rest.pop())
    if not kept:  # a last line that is longer than all
        return _shorten(text, limit)
    return "\n".join([_shorten(first, limit // 4), mark, *kept])


def _shorten(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    mark = " ... "
    head = (limit - len(mark)) // 2
    return text[:head] + mark + text[-(limit - len(mark) - head) :]


def describe_runs(trace: Trace, program: str) -> list[dict[str, object]]:
    """Return what the template ``ldb`` shows of each run of a block; ``number`` counts all runs from 1."""
    lines = _LINE_END.split(program)
    first = (len(trace.runs) + 1) // 2
    found = []
    for index, run in enumerate(trace.runs):
        is_early = trace.executed == len(trace.runs) or index < first
        number = index + 1 if is_early else trace.executed - len(trace.runs) + index + 1
        found.append({"number": number, "skipped": 0, **_describe_run(run, lines)})
    return found


def fewer_runs(runs: Sequence[dict[str, Any]], shown: int) -> list[dict[str, Any]]:
    """Return ``shown`` of the runs, the first and the last ones, each with how many were ``skipped`` before it."""
    early = (shown + 1) // 2
    kept = [*runs[:early], *runs[len(runs) - (shown - early) :]] if shown else []
    before = [0, *(run["number"] for run in kept)]
    return [{**run, "skipped": run["number"] - last - 1} for run, last in zip(kept, before, strict=False)]


def _describe_run(run: BlockRun, lines: Sequence[str]) -> dict[str, object]:
    code = [line[:_LINE_CHARACTERS].rstrip() for line in lines[run.line - 1 : run.last_line]]
    if len(code) > _BLOCK_LINES:
        half = _BLOCK_LINES // 2
        code = [*code[:half], "...", *code[-half:]]
    changed = {name: text for name, text in run.after.items() if run.before.get(name) != text}
    return {"line": run.line, "code": "\n".join(code), "before": _said(run.before), "after": _said(changed)}


def _said(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name} = {text}" for name, text in values.items())
