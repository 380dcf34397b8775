"""``turnwise check``: judge one program on one problem, or on tests from a file, and explain."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from turnwise.benchmarks.catalog import load_problems
from turnwise.benchmarks.limits import parse_memory_limit, parse_time_limit
from turnwise.benchmarks.own import find_benchmarks
from turnwise.benchmarks.rows import load_json
from turnwise.commands.options import CheckOptions
from turnwise.errors import TurnwiseError
from turnwise.records.choices import TestsChoice
from turnwise.records.codec import first_mistake
from turnwise.records.problem import (
    DEFAULT_MEMORY_LIMIT_BYTES,
    DEFAULT_TIME_LIMIT_SECONDS,
    Flag,
    Limits,
    Problem,
    TestCase,
)
from turnwise.records.report import Report, TestResult, Verdict
from turnwise.records.settings import DEFAULT_TESTS, JudgeSettings
from turnwise.runners.execution.interface import Executor
from turnwise.runners.judging.checking import Checkers
from turnwise.runners.judging.expected import default_cache_dir, resolve_expected
from turnwise.runners.judging.judge import Judge
from turnwise.runners.loading import Machine, as_judged
from turnwise.runners.settings import check_time_factor
from turnwise.tasks.feedback import shown_expected, shown_input
from turnwise.texts import printable

_SHOWN_CHARACTERS = 400
_FORM = (
    'write {"public": [{"input": "...", "output": "..."}], "hidden": [...]}, and if you like time_limit_seconds '
    "and memory_limit_bytes"
)


class _Test(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    input: str
    output: str


class _TestsFile(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    public: list[_Test] = []
    hidden: list[_Test] = []
    time_limit_seconds: object = None
    memory_limit_bytes: object = None


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The problem that was judged, its report, and by which answers and tests, where it has a name."""

    problem: Problem
    report: Report
    judged_by: str = ""


def check_program(program: Path, options: CheckOptions, executor: Executor, *, environ: dict[str, str]) -> CheckResult:
    """Judge the program; raises TurnwiseError for a missing file, an unknown problem or bad tests."""
    own = "" if options.tests in tuple(TestsChoice) and options.problem else options.tests
    if bool(options.problem) == bool(own):
        raise TurnwiseError("Give --problem ID or --tests FILE: one of the two.")
    check_time_factor(options.time_factor)
    source = _read_program(program)
    settings = JudgeSettings(answers=options.answers, tests=options.tests or DEFAULT_TESTS)
    problem = _load_tests(Path(own)) if own else _load_problem(options, environ)
    (problem,) = resolve_expected([problem], executor, cache_dir=default_cache_dir(environ))
    with Checkers() as checkers:
        if not own:
            machine = Machine(executor, default_cache_dir(environ), checkers=checkers)
            (problem,) = as_judged("check", [problem], machine, settings)
            if not problem.is_scorable:
                raise TurnwiseError(
                    f"{problem.id} has no hidden test whose input keeps to its statement: give --tests all."
                )
        judge = Judge(executor, matcher=options.matcher.value, time_factor=options.time_factor, checkers=checkers)
        judged_by = "" if own else f"answers {settings.answers}, tests {settings.tests}, "
        return CheckResult(problem, judge.judge(problem, source), judged_by)


def render_check(result: CheckResult) -> str:
    """Return the explanation for a reader: each public test, hidden tests as verdicts only."""
    problem, report = result.problem, result.report
    lines = [f"{problem.id}: {report.verdict.value}", ""]
    if report.error:
        lines += [_indented(report.error), ""]
    for test in report.public:
        lines += _explain(problem, test)
    lines.append(_hidden_line(problem, report))
    if problem.flags:
        lines.append(f"Flags: {', '.join(problem.flags)}.")
    environment = report.environment
    lines.append(
        f"Judged with matcher {environment.matcher}, {result.judged_by}{environment.interpreter}, "
        f"executor {environment.executor} (isolation: {environment.tier})."
    )
    return "\n".join(lines)


def _measured(result: TestResult) -> dict[str, object]:
    return {
        "index": result.index,
        "verdict": result.verdict.value,
        "cpu_seconds": round(result.cpu_seconds, 6),
        "peak_memory_bytes": result.peak_memory_bytes,
    }


def _read_program(path: Path) -> str:
    try:
        # A program is bytes: what is no UTF-8 stays no UTF-8, and fails to compile.
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except OSError as error:
        raise TurnwiseError(f"The program {str(path)!r} cannot be read ({error.strerror}).") from None


def _load_tests(path: Path) -> Problem:
    try:
        fields = _TestsFile.model_validate(load_json(path.read_bytes()))
        seconds, size = (
            parse_time_limit(fields.time_limit_seconds),
            parse_memory_limit(fields.memory_limit_bytes),
        )
    except OSError as error:
        raise TurnwiseError(f"The tests {str(path)!r} cannot be read ({error.strerror}).") from None
    except ValidationError as error:
        mistake = first_mistake(error)
        problem = "the document is no object"
        if mistake.where:
            problem = printable(f"{mistake.where}: {mistake.reason.lower()}", limit=300)
        raise TurnwiseError(f"The tests {str(path)!r}: {problem}; {_FORM}.") from None
    except (ValueError, RecursionError) as error:
        raise TurnwiseError(
            f"The tests {str(path)!r} are not usable ({printable(str(error), limit=300)}); {_FORM}."
        ) from None
    if not fields.public and not fields.hidden:
        raise TurnwiseError(f"The tests {str(path)!r} hold no test: fill 'public', 'hidden' or both.")
    return Problem(
        id=f"tests/{path.name}",
        benchmark="tests",
        split="",
        statement="",
        public_tests=tuple(TestCase(test.input, test.output) for test in fields.public),
        hidden_tests=tuple(TestCase(test.input, test.output) for test in fields.hidden),
        limits=Limits(seconds or DEFAULT_TIME_LIMIT_SECONDS, size or DEFAULT_MEMORY_LIMIT_BYTES),
        flags=() if fields.hidden else (Flag.NO_HIDDEN_TESTS,),
    )


def _load_problem(options: CheckOptions, environ: dict[str, str]) -> Problem:
    name, slash, _ = options.problem.partition("/")
    benchmarks = find_benchmarks(options.benchmark, tasks=f"{name}_" if slash else "")
    if not slash or name not in benchmarks:
        raise TurnwiseError(
            f"The problem {options.problem!r} is not written <benchmark>/<name> with one of {', '.join(benchmarks)}."
        )
    found = load_problems(
        benchmarks[name],
        split=options.split,
        data_dir=options.data_dir,
        environ=environ,
        on_error="skip" if options.skip_broken_rows else "raise",
    )
    problem = found.find(options.problem)
    if not problem.is_scorable:
        raise TurnwiseError(
            f"{problem.id} cannot be scored ({problem.shown_flags}): a verdict on it would mean nothing."
        )
    return problem


def _explain(problem: Problem, result: TestResult) -> list[str]:
    test = problem.public_tests[result.index]
    cost = f"{result.cpu_seconds:.3f} s CPU, {result.peak_memory_bytes / 10**6:.0f} MB"
    lines = [f"Public test {result.index + 1}: {result.verdict.value} ({cost})"]
    if result.verdict is Verdict.PASSED:
        return lines
    parts = {"input": shown_input(problem, test), "expected": shown_expected(problem, test)}
    if result.verdict is Verdict.WRONG_ANSWER or result.output:
        parts["output"] = result.output.strip("\n") or "(nothing)"
    if result.error:
        parts["error"] = result.error
    if result.note:
        parts["checker"] = result.note
    for name, text in parts.items():
        lines += [f"  {name}:", _indented(_cut(text))]
    return [*lines, ""]


def _hidden_line(problem: Problem, report: Report) -> str:
    total = len(problem.hidden_tests)
    if not report.hidden:
        reason = "there are none" if not total else "not run, since the program failed before them"
        return f"Hidden tests: {reason}."
    last = report.hidden[-1]
    if last.verdict is Verdict.PASSED:
        return f"Hidden tests: {len(report.hidden)} of {total} passed."
    return f"Hidden tests: {len(report.hidden) - 1} passed, then {last.verdict.value}; {total} in all."


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + " ..."


def _indented(text: str) -> str:
    return "\n".join("    " + _printable(line) for line in text.splitlines() or [""])


def _printable(line: str) -> str:
    """Return ``line`` with control characters escaped: a program's output must not drive the terminal."""
    return "".join(one if one.isprintable() or one == "\t" else repr(one)[1:-1] for one in line)


def check_document(result: CheckResult) -> dict[str, object]:
    """Return the one document of ``--json``: verdicts and costs, no outputs, no hidden data."""
    report = result.report
    return {
        "problem": result.problem.id,
        "passed": report.passed,
        "verdict": report.verdict.value,
        "public": [_measured(result) for result in report.public],
        "hidden": [_measured(result) for result in report.hidden or ()],
        "tier": report.environment.tier,
        "interpreter": report.environment.interpreter,
        "matcher": report.environment.matcher,
    }
