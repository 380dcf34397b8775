"""What a model is told of its program's public tests; hidden tests never reach this module.

Sizes (ours, in characters so that every driver agrees): one test at most 512, the whole at most 4,096.
"""

from typing import Any

from turnwise.benchmarks import values
from turnwise.records.problem import Comparison, Problem, TestCase
from turnwise.records.report import Report, TestResult, Verdict
from turnwise.tasks.prompts import PromptSet
from turnwise.tasks.traces import describe_runs, fewer_runs

FEEDBACK_CHARACTERS = 4096
TEST_CHARACTERS = 512


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


def _describe(problem: Problem, test: TestCase, result: TestResult) -> dict[str, Any]:
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
