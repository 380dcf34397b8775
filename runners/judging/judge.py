"""The Judge: the only holder of expected outputs; everything that needs a verdict calls it.

>>> judge = Judge(ReferenceExecutor())
>>> judge.judge(problem, "print(input())").verdict
<Verdict.PASSED: 'passed'>

It runs all public tests (feedback needs them), then hidden tests up to the first that fails, compares
with the run's matcher and the problem's rule, asks the problem's checker where that does not accept, and
makes a Report. Public tests that its cache knows are
not run again: the full judgement goes on where they ended. A run that the machine spoiled is repeated
once; if it is spoiled again the verdict is infrastructure_failure, which is never the program's fault
and never cached. The judge starts no process itself.
"""

import asyncio
import weakref
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from threading import Event

from turnwise.benchmarks.checkers.checker_sets import load_checkers, validators_of
from turnwise.benchmarks.digests import read_digest
from turnwise.benchmarks.matching import check_matcher, output_matches
from turnwise.benchmarks.results import show_result
from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.records.choices import TestsChoice
from turnwise.records.problem import Checker, Comparison, MatchRule, Problem, TestCase
from turnwise.records.report import Environment, Report, TestResult, Trace, Verdict
from turnwise.records.settings import DEFAULT_MATCHER, JudgeRecord, JudgeSettings
from turnwise.runners.execution.host import cpu_model
from turnwise.runners.execution.interface import PYTHON, Closable, Ending, Execution, Executor, Program, Session
from turnwise.runners.execution.tracing import trace_run
from turnwise.runners.judging.checking import Checkers, CheckerSession, Word, text_of
from turnwise.runners.judging.verdicts import NoCache, VerdictCache, digest_tests, verdict_key
from turnwise.runners.models.gate import Gate

OUTPUT_CHARACTERS = 4096
UNREADABLE_NOTE = "the checker could not read it"
INVALID_INPUT_NOTE = "the input breaks the statement, so the expected output alone is right"
NO_ANSWER_NOTE = "the checker fails on the expected output, too"
_TRACED = b"traced 1"  # the tracer's version

_VERDICT_BY_ENDING = {
    Ending.FAILED: Verdict.RUNTIME_ERROR,
    Ending.COMPILE_ERROR: Verdict.COMPILE_ERROR,
    Ending.CPU_LIMIT: Verdict.TIME_LIMIT,
    Ending.IDLE_LIMIT: Verdict.TIME_LIMIT,
    Ending.MEMORY_LIMIT: Verdict.MEMORY_LIMIT,
    Ending.OUTPUT_LIMIT: Verdict.OUTPUT_LIMIT,
    Ending.STARVED: Verdict.INFRASTRUCTURE_FAILURE,
    Ending.INFRASTRUCTURE: Verdict.INFRASTRUCTURE_FAILURE,
}


@dataclass(frozen=True, slots=True)
class JudgeRequest:
    """One program to judge; ``program`` None means that the reply held no code."""

    problem: Problem
    program: str | None
    hidden: bool = True
    traced: bool = False


class Judge:
    """Judges programs with one executor, matcher and cache, blocking, in batches or awaited.

    ``workers`` bounds how many programs are judged at a time in batches and when awaited. Of those awaited,
    public tests go first, since a dialogue waits for them, and one worker is kept for them alone.
    """

    def __init__(
        self,
        executor: Executor,
        *,
        matcher: str = DEFAULT_MATCHER,
        cache: VerdictCache | None = None,
        time_factor: float = 1.0,
        workers: int = 1,
        checkers: Checkers | None = None,
    ) -> None:
        self._executor = executor
        self._checkers = checkers or Checkers()
        self._owns_checkers = checkers is None
        self._cache = cache or NoCache()
        self._time_factor = time_factor
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="judge")
        self._is_closing = Event()
        self._gate = Gate(workers, reserved=1)
        self._digests = _TestDigests()
        self.environment = Environment(executor.name, executor.tier, executor.interpreter, check_matcher(matcher))

    def judge(self, problem: Problem, program: str | None, *, hidden: bool = True, traced: bool = False) -> Report:
        """Return the report on ``program``; ``hidden=False`` runs the public tests only.

        With ``traced`` it holds a trace of the first public test with a wrong output or an exception, if there is one
        and the program can be traced. Raises TurnwiseError if a test has no expected output yet (see expected.py).
        """
        if program is None:
            return Report(problem.id, Verdict.NO_CODE, (), () if hidden else None, self.environment)
        tests = problem.public_tests + (problem.hidden_tests if hidden else ())
        if any(test.output is None for test in tests):
            raise TurnwiseError(f"{problem.id}: its expected outputs have not been computed yet.")
        key = self.key(problem, program, hidden=hidden, traced=traced)
        report = self._cache.get(problem.id, key)
        if report is None and traced:
            report = self._trace(problem, program, self.judge(problem, program, hidden=hidden))
            self._cache.put(problem.id, key, report)
        elif report is None:
            begun = self._begun(problem, program) if hidden else None
            report = self._run(self._with_limits(problem), program_of(problem, program), hidden=hidden, begun=begun)
            self._cache.put(problem.id, key, report)
        return report

    def _begun(self, problem: Problem, program: str) -> Report | None:
        """Return the report on the public tests if it is known from a CPU of this model: they need not run again."""
        key = self.key(problem, program, hidden=False)
        report = self._cache.get(problem.id, key)
        return report if report is not None and self._cache.cpu(problem.id, key) == cpu_model() else None

    def key(self, problem: Problem, program: str, *, hidden: bool = True, traced: bool = False) -> str:
        """Return the verdict key of ``program``: a hash of all that can change its verdict, or its trace."""
        runnable = program_of(problem, program)
        tests = self._digests.find(problem, hidden=hidden) + (_TRACED if traced else b"")
        return verdict_key(self._with_limits(problem), runnable, tests, self.environment, language=PYTHON)

    def time_limit_seconds(self, problem: Problem) -> float:
        """Return the time limit of a test of ``problem``, this judge's factor included."""
        return self._with_limits(problem).limits.time_limit_seconds

    def cpu(self, problem: Problem, key: str) -> str:
        """Return the model name of the CPU on which the verdict under ``key`` was given."""
        return self._cache.cpu(problem.id, key)

    def _with_limits(self, problem: Problem) -> Problem:
        if self._time_factor == 1.0:
            return problem
        return replace(problem, limits=problem.limits.scaled(self._time_factor))

    def _trace(self, problem: Problem, program: str, report: Report) -> Report:
        """Return ``report`` with a trace; a program that ran out of time or memory would do so again, only longer."""
        for result in report.public:
            if result.verdict in (Verdict.WRONG_ANSWER, Verdict.RUNTIME_ERROR):
                data = problem.public_tests[result.index].input.encode("utf-8", "surrogatepass")
                try:
                    found = trace_run(self._executor, program_of(problem, program), data, problem.limits)
                except InfrastructureError as error:  # else other feedback would follow than on a sound machine
                    return replace(report, verdict=Verdict.INFRASTRUCTURE_FAILURE, error=str(error))
                return (
                    report if found is None else replace(report, trace=Trace(result.index, found.executed, found.runs))
                )
        return report

    def judge_many(self, requests: Iterable[JudgeRequest]) -> Iterator[Report]:
        """Yield the reports of ``requests`` in their order, judged by all workers."""
        yield from self._pool.map(
            lambda one: self.judge(one.problem, one.program, hidden=one.hidden, traced=one.traced), requests
        )

    async def judge_async(
        self, problem: Problem, program: str | None, *, hidden: bool = True, traced: bool = False
    ) -> Report:
        """Await the report on ``program`` without blocking the event loop."""
        judge = partial(self.judge, problem, program, hidden=hidden, traced=traced)
        async with self._gate.slot(urgent=not hidden):
            return await asyncio.get_running_loop().run_in_executor(self._pool, judge)

    def close(self) -> None:
        """End the workers; waits for the test that each is at, and drops what is judged by half."""
        self._is_closing.set()
        self._pool.shutdown(cancel_futures=True)
        if self._owns_checkers:
            self._checkers.close()

    def _run(self, problem: Problem, program: Program, *, hidden: bool, begun: Report | None = None) -> Report:
        """Run the public tests, unless they have ``begun`` the report, and the hidden ones where they are asked for."""
        if begun is not None and begun.verdict is not Verdict.PASSED:
            return replace(begun, hidden=())
        with (
            self._executor.open(program, PYTHON, problem.limits) as session,
            OutputComparison(problem, self.environment.matcher, self._checkers) as comparison,
        ):
            public, error = self._run_public(problem, session, comparison) if begun is None else (begun.public, None)
            if error is not None:
                hidden_results = () if hidden else None
                return Report(problem.id, Verdict.COMPILE_ERROR, (), hidden_results, self.environment, error)
            shown: tuple[TestResult, ...] | None = None
            if hidden:
                failed = any(result.verdict is not Verdict.PASSED for result in public)
                shown = () if failed else self._run_hidden(problem, session, comparison)
        return Report(problem.id, _overall(public, shown or ()), public, shown, self.environment)

    def _run_public(
        self, problem: Problem, session: Session, comparison: "OutputComparison"
    ) -> tuple[tuple[TestResult, ...], str | None]:
        results = []
        for index, (test, execution) in enumerate(self._executions(session, problem.public_tests)):
            if execution.ending is Ending.COMPILE_ERROR:
                return (), execution.error
            found = comparison.compare(test, execution)
            is_spoiled = found.verdict is Verdict.INFRASTRUCTURE_FAILURE
            results.append(
                TestResult(
                    index,
                    found.verdict,
                    execution.cpu_seconds,
                    execution.peak_memory_bytes,
                    _shown_output(problem, execution),
                    execution.error or (execution.hampered if is_spoiled else ""),
                    found.checked,
                    ": ".join(filter(None, (found.note, found.reason))),
                )
            )
        return tuple(results), None

    def _run_hidden(self, problem: Problem, session: Session, comparison: "OutputComparison") -> tuple[TestResult, ...]:
        results = []
        for index, (test, execution) in enumerate(self._executions(session, problem.hidden_tests)):
            found = comparison.compare(test, execution)
            used = (execution.cpu_seconds, execution.peak_memory_bytes)
            results.append(TestResult(index, found.verdict, *used, checked=found.checked, note=found.note))
            if found.verdict is not Verdict.PASSED:
                break
        return tuple(results)

    def _executions(self, session: Session, tests: Sequence[TestCase]) -> Iterator[tuple[TestCase, Execution]]:
        """Run the tests in order; a run that the machine spoiled is repeated once."""
        for test in tests:
            if self._is_closing.is_set():
                raise CancelledError  # who asked has gone
            data = test.input.encode("utf-8", "surrogatepass")
            for attempt in (1, 2):
                execution = next(iter(session.run([data])))
                spoiled = execution.ending in (Ending.STARVED, Ending.INFRASTRUCTURE)
                if not spoiled or attempt == 2:
                    break
            yield test, execution
            if execution.ending is Ending.COMPILE_ERROR:
                return


class _TestDigests:
    """The digests of the tests of problems, each made once while its problem lives; no problem is kept for it."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[weakref.ref[Problem], dict[bool, bytes]]] = {}

    def find(self, problem: Problem, *, hidden: bool) -> bytes:
        """Return the digest of the tests of ``problem``, of all or of the public ones."""
        place = id(problem)
        reference, digests = self._found.get(place, (None, {}))
        if reference is None or reference() is not problem:
            # Told when the problem is gone, before another can have its id.
            self._found[place] = (weakref.ref(problem, lambda _: self._found.pop(place, None)), digests := {})
        if hidden not in digests:
            digests[hidden] = digest_tests(problem, hidden=hidden)
        return digests[hidden]


@dataclass(frozen=True, slots=True)
class ComparedOutput:
    """The verdict on one output; ``reason`` is the checker's own and may speak of the test, ``note`` never does."""

    verdict: Verdict
    checked: bool = False
    note: str = ""
    reason: str = ""


class OutputComparison(Closable):
    """Compares the outputs of one program with what is expected, and asks the problem's checker about the others."""

    def __init__(self, problem: Problem, matcher: str, checkers: Checkers) -> None:
        self._problem = problem
        self._matcher = matcher
        self._checkers = checkers
        self._session: CheckerSession | None = None

    def compare(self, test: TestCase, execution: Execution) -> ComparedOutput:
        """Return the verdict on what one run of the program on ``test`` showed."""
        problem = self._problem
        if execution.ending is not Ending.FINISHED:
            return ComparedOutput(_VERDICT_BY_ENDING[execution.ending])
        try:
            right = self._matches(problem.stated or problem.rule, test, execution)
        except ValueError:
            right = False
            if not execution.hampered:
                return ComparedOutput(Verdict.RUNTIME_ERROR)  # what came back is no value
        if right:
            checked = problem.stated is not None and not self._matches(problem.rule, test, execution)
            return ComparedOutput(Verdict.PASSED, checked)
        if problem.checker is not None and problem.checker.checks:
            found = self._ask(problem.checker, test, text_of(execution.output))
        else:
            found = ComparedOutput(Verdict.WRONG_ANSWER)
        is_spoiled = execution.hampered and found.verdict is not Verdict.PASSED
        return ComparedOutput(Verdict.INFRASTRUCTURE_FAILURE) if is_spoiled else found

    def _matches(self, rule: MatchRule, test: TestCase, execution: Execution) -> bool:
        return output_matches(rule, test, execution.output, matcher=self._matcher)

    def _ask(self, checker: Checker, test: TestCase, output: str) -> ComparedOutput:
        """Return what the checker makes of an output; where it gives no answer, what it makes of the expected one."""
        if self._session is None:
            self._session = self._checkers.open(checker)
        expected = test.output or ""
        answer = self._session.ask(test.input, output, expected)
        if answer.word is Word.RIGHT:
            return ComparedOutput(Verdict.PASSED, checked=True)
        if answer.word is Word.WRONG:
            return ComparedOutput(Verdict.WRONG_ANSWER, reason=answer.reason)
        if answer.word is Word.INVALID_INPUT:
            return ComparedOutput(Verdict.WRONG_ANSWER, note=INVALID_INPUT_NOTE, reason=answer.reason)
        again = answer if answer.is_spoiled else self._session.ask(test.input, expected, expected)
        if again.word is Word.RIGHT:
            return ComparedOutput(Verdict.WRONG_ANSWER, note=UNREADABLE_NOTE, reason=answer.reason)
        note = "" if again.is_spoiled else NO_ANSWER_NOTE
        return ComparedOutput(Verdict.INFRASTRUCTURE_FAILURE, note=note, reason=answer.reason)

    def close(self) -> None:
        """End the checker."""
        if self._session is not None:
            self._session.close()


def program_of(problem: Problem, source: str) -> Program:
    """Return what an executor needs to run ``source`` as an answer to ``problem``."""
    return Program(
        source.encode("utf-8", "surrogatepass"),
        problem.entry_point,
        problem.prelude,
        problem.input_file,
        problem.output_file,
        digests=any(read_digest(test.output or "") for test in problem.public_tests + problem.hidden_tests),
    )


def _overall(public: Sequence[TestResult], hidden: Sequence[TestResult]) -> Verdict:
    """The first verdict that is not passed; a genuine failure goes before the machine's."""
    failures = [result.verdict for result in (*public, *hidden) if result.verdict is not Verdict.PASSED]
    genuine = [verdict for verdict in failures if verdict is not Verdict.INFRASTRUCTURE_FAILURE]
    return (genuine or failures or [Verdict.PASSED])[0]


def _shown_output(problem: Problem, execution: Execution) -> str:
    """Return the output as a reader of feedback sees it: text, or the result as Python writes it."""
    if problem.rule.comparison is Comparison.TEXT:
        return execution.output[: 4 * OUTPUT_CHARACTERS].decode("utf-8", "replace")[:OUTPUT_CHARACTERS]
    return show_result(execution.output, OUTPUT_CHARACTERS) if execution.output else ""


def judge_record(environment: Environment, settings: JudgeSettings, *, judged_anew: bool = False) -> JudgeRecord:
    """Return what run.json says of a judge; its isolation tier decides no result and is left out."""
    answers = load_checkers(settings.answers)
    return JudgeRecord(
        executor=environment.executor,
        interpreter=environment.interpreter,
        matcher=environment.matcher,
        time_factor=settings.time_factor,
        stub_imports=settings.stub_imports,
        judged_anew=judged_anew,
        answers=answers.name,
        answers_sha256=validators_of(settings).sha256 if settings.tests == TestsChoice.VALID else answers.sha256,
        tests=settings.tests,
    )
