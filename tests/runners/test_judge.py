"""The Judge compares, stops early, retries the machine's failures, and lets nothing hidden out."""

import asyncio
import gc
import json
import threading
import weakref
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from turnwise.benchmarks import values
from turnwise.errors import TurnwiseError
from turnwise.records.codec import to_json
from turnwise.records.problem import Comparison, Limits, MatchRule, Problem, TestCase
from turnwise.records.report import Report, Verdict
from turnwise.runners.execution.interface import Ending, Execution, Executor, Program
from turnwise.runners.judging.judge import Judge, JudgeRequest
from turnwise.runners.judging.verdicts import SharedCache

DOUBLE = Problem(
    id="codecontests/double",
    benchmark="codecontests",
    split="test",
    statement="Double it.",
    public_tests=(TestCase("1\n", "2\n"), TestCase("2\n", "4\n")),
    hidden_tests=(TestCase("3\n", "6\n"), TestCase("40\n", "80\n"), TestCase("5\n", "10\n")),
    limits=Limits(1.0, 256_000_000),
)
RIGHT = "print(2 * int(input()))"


@dataclass
class PlannedExecutor:
    """A fake executor: each run ends as planned, and what it was given is kept."""

    plan: list[Execution]
    name: str = "planned 1"
    tier: str = "none"
    interpreter: str = "no Python"
    seen: list[bytes] = field(default_factory=list)
    opened: list[Program] = field(default_factory=list)

    def open(self, program: Program, language: str, limits: Limits) -> "PlannedExecutor":
        self.opened.append(program)
        return self

    def run(self, inputs: Iterable[bytes]) -> Iterator[Execution]:
        for data in inputs:
            self.seen.append(data)
            yield self.plan.pop(0)

    def close(self) -> None: ...

    def __enter__(self) -> "PlannedExecutor":
        return self

    def __exit__(self, *error: object) -> None: ...


def _good(output: str) -> Execution:
    return Execution(Ending.FINISHED, output.encode())


def test_a_right_program_passes_everything(executor: Executor) -> None:
    """All public and all hidden tests are run and reported, with costs."""
    report = Judge(executor).judge(DOUBLE, RIGHT)
    assert report.passed and report.public_passed
    assert [result.index for result in report.hidden or ()] == [0, 1, 2]
    assert all(result.cpu_seconds > 0 and result.peak_memory_bytes > 0 for result in report.public)


def test_public_tests_all_run_and_hidden_ones_wait_for_them(executor: Executor) -> None:
    """After a public failure the other public tests still run, hidden ones do not."""
    report = Judge(executor).judge(DOUBLE, "x = int(input())\nprint(2 * x if x == 2 else 0)")
    assert [result.verdict for result in report.public] == [Verdict.WRONG_ANSWER, Verdict.PASSED]
    assert (report.verdict, report.hidden, report.passed) == (Verdict.WRONG_ANSWER, (), False)


def test_hidden_tests_stop_at_the_first_failure_and_show_nothing(executor: Executor) -> None:
    """A hidden result is a verdict and costs; outputs and errors of hidden tests are nowhere in the report."""
    source = "x = int(input())\nassert x != 40, 'secret %d' % x\nprint(2 * x)"
    report = Judge(executor).judge(DOUBLE, source)
    assert report.public_passed
    assert [result.verdict for result in report.hidden or ()] == [Verdict.PASSED, Verdict.RUNTIME_ERROR]
    assert [(result.output, result.error) for result in report.hidden or ()] == [("", ""), ("", "")]
    assert "secret" not in json.dumps(to_json(report))


def test_public_only_reports_say_nothing_of_hidden_tests(executor: Executor) -> None:
    """Without the hidden tests a program cannot have passed, only its public tests can."""
    report = Judge(executor).judge(DOUBLE, RIGHT, hidden=False)
    assert (report.hidden, report.verdict, report.public_passed, report.passed) == (None, Verdict.PASSED, True, False)


def test_no_program_is_no_code_and_runs_nothing() -> None:
    """A reply without code is a verdict of its own."""
    fake = PlannedExecutor([])
    report = Judge(fake).judge(DOUBLE, None)
    assert (report.verdict, report.public_passed, fake.opened) == (Verdict.NO_CODE, False, [])


def test_a_compile_error_carries_its_message(executor: Executor) -> None:
    """The error is shown once, without tests."""
    report = Judge(executor).judge(DOUBLE, "print(")
    assert (report.verdict, report.public, report.public_passed) == (Verdict.COMPILE_ERROR, (), False)
    assert "SyntaxError" in report.error and "solution.py" in report.error


def test_lone_surrogates_reach_the_program_as_bytes(executor: Executor) -> None:
    """A program that is no text is a compile error, not a crash of the judge."""
    assert Judge(executor).judge(DOUBLE, "x = '\ud800'").verdict is Verdict.COMPILE_ERROR


@pytest.mark.parametrize(
    ("ending", "verdict"),
    [
        (Ending.FAILED, Verdict.RUNTIME_ERROR),
        (Ending.CPU_LIMIT, Verdict.TIME_LIMIT),
        (Ending.IDLE_LIMIT, Verdict.TIME_LIMIT),
        (Ending.MEMORY_LIMIT, Verdict.MEMORY_LIMIT),
        (Ending.OUTPUT_LIMIT, Verdict.OUTPUT_LIMIT),
    ],
)
def test_an_ending_decides_even_after_a_right_output(ending: Ending, verdict: Verdict) -> None:
    """A run that did not finish is not saved by what it printed."""
    fake = PlannedExecutor([Execution(ending, b"2\n"), _good("4")])
    assert Judge(fake).judge(DOUBLE, RIGHT).verdict is verdict


@pytest.mark.parametrize("ending", [Ending.STARVED, Ending.INFRASTRUCTURE])
def test_the_machines_failure_is_retried_once(ending: Ending) -> None:
    """A spoiled run is repeated; if the repetition is well, nothing is seen of it."""
    fake = PlannedExecutor([Execution(ending), _good("2"), _good("4"), _good("6"), _good("80"), _good("10")])
    assert Judge(fake).judge(DOUBLE, RIGHT).passed
    assert fake.seen[:2] == [b"1\n", b"1\n"]


def test_the_machines_failure_is_never_the_programs(tmp_path: Path) -> None:
    """Spoiled twice is infrastructure_failure, which is not cached; a genuine failure beside it counts."""
    spoiled = Execution(Ending.STARVED)
    cache = SharedCache(tmp_path)
    fake = PlannedExecutor([spoiled, spoiled, _good("4"), _good("2"), _good("4"), _good("6"), _good("80"), _good("10")])
    judge = Judge(fake, cache=cache)
    assert judge.judge(DOUBLE, RIGHT).verdict is Verdict.INFRASTRUCTURE_FAILURE
    assert judge.judge(DOUBLE, RIGHT).passed
    fake.plan[:] = [spoiled, spoiled, _good("5")]
    assert Judge(fake).judge(DOUBLE, RIGHT).verdict is Verdict.WRONG_ANSWER
    cache.close()


def test_the_full_judgement_goes_on_where_the_public_tests_ended(tmp_path: Path) -> None:
    """Each test runs once, and the report is that of a judge that ran them all; a public failure is final."""
    fake = PlannedExecutor([_good("2"), _good("4"), _good("6"), _good("80"), _good("10"), _good("2"), _good("5")])
    with closing(SharedCache(tmp_path)) as cache:
        judge = Judge(fake, cache=cache)
        assert judge.judge(DOUBLE, RIGHT, hidden=False).public_passed
        report = judge.judge(DOUBLE, RIGHT)
        assert fake.seen == [b"1\n", b"2\n", b"3\n", b"40\n", b"5\n"]
        assert judge.judge(DOUBLE, "print(5)", hidden=False).verdict is Verdict.WRONG_ANSWER
        failed = judge.judge(DOUBLE, "print(5)")
    assert report == Judge(PlannedExecutor([_good(text) for text in ("2", "4", "6", "80", "10")])).judge(DOUBLE, RIGHT)
    assert failed == Judge(PlannedExecutor([_good("2"), _good("5")])).judge(DOUBLE, "print(5)")


def test_public_tests_of_another_cpu_run_again(tmp_path: Path) -> None:
    """How long they took there says nothing of the limit here."""
    with closing(SharedCache(tmp_path, cpu="another")) as cache:
        fake = PlannedExecutor([_good(text) for text in ("2", "4", "2", "4", "6", "80", "10")])
        judge = Judge(fake, cache=cache)
        judge.judge(DOUBLE, RIGHT, hidden=False)
        assert judge.judge(DOUBLE, RIGHT).passed
        assert fake.seen.count(b"1\n") == 2


def test_no_expected_output_reaches_the_executor() -> None:
    """Programs and inputs are all an executor gets."""
    fake = PlannedExecutor([_good("2"), _good("4"), _good("6"), _good("80"), _good("10")])
    secret = replace(DOUBLE, hidden_tests=(TestCase("3\n", "424242"),))
    Judge(fake).judge(secret, RIGHT)
    assert fake.seen == [b"1\n", b"2\n", b"3\n"]
    assert "424242" not in repr(fake.opened)


def test_a_test_without_expected_output_is_refused(executor: Executor) -> None:
    """Judging before the expected outputs are computed is an error, never a pass."""
    unresolved = replace(DOUBLE, hidden_tests=(TestCase("3\n", None),))
    with pytest.raises(TurnwiseError, match=r"codecontests/double"):
        Judge(executor).judge(unresolved, RIGHT)


def test_calls_are_compared_by_value_and_shown_as_python(executor: Executor) -> None:
    """A call's result is shown as its repr, for feedback."""
    problem = replace(
        DOUBLE,
        entry_point="f",
        rule=MatchRule(Comparison.VALUE),
        public_tests=(TestCase(values.dumps([2]), values.dumps([[1, 2]])), TestCase(values.dumps([0]), "[[]]")),
        hidden_tests=(),
    )
    report = Judge(executor).judge(problem, "def f(n): return tuple(range(1, n + 1)) if n else {'x'}")
    assert [result.verdict for result in report.public] == [Verdict.PASSED, Verdict.WRONG_ANSWER]
    assert [result.output for result in report.public] == ["(1, 2)", "{'x'}"]


def test_objects_equal_to_everything_do_not_pass(executor: Executor) -> None:
    """Results cross as plain data, so a lying __eq__ stays behind."""
    source = "class E(str):\n    def __eq__(self, other): return True\n    __hash__ = None\ndef f(n): return E('x')"
    problem = replace(DOUBLE, entry_point="f", rule=MatchRule(Comparison.VALUE), public_tests=(TestCase("[1]", "2"),))
    assert Judge(executor).judge(problem, source).verdict is Verdict.WRONG_ANSWER


def test_the_time_factor_scales_limits(executor: Executor) -> None:
    """A program over the limit passes with a larger factor."""
    slow = "import time\nx = int(input())\nwhile time.process_time() < 0.3: pass\nprint(2 * x)"
    tight = replace(DOUBLE, limits=Limits(0.15, 256_000_000), hidden_tests=())
    assert Judge(executor).judge(tight, slow).verdict is Verdict.TIME_LIMIT
    assert Judge(executor, time_factor=10).judge(tight, slow).passed


def test_an_unknown_matcher_is_refused(executor: Executor) -> None:
    """The error lists the known ones."""
    with pytest.raises(TurnwiseError, match=r"'fuzzy'.*tokens, exact, deepmind"):
        Judge(executor, matcher="fuzzy")


def test_batches_and_awaiting_give_the_same_reports(executor: Executor) -> None:
    """judge_many keeps the order; judge_async does not block."""
    judge = Judge(executor, workers=2)
    sources = [RIGHT, "print(0)", None, "print("]
    expected = [judge.judge(DOUBLE, source).verdict for source in sources]
    many = judge.judge_many([JudgeRequest(DOUBLE, source) for source in sources])

    async def awaited() -> list[Report]:
        return list(await asyncio.gather(*(judge.judge_async(DOUBLE, source) for source in sources)))

    assert [report.verdict for report in many] == expected
    assert [report.verdict for report in asyncio.run(awaited())] == expected
    assert expected == [Verdict.PASSED, Verdict.WRONG_ANSWER, Verdict.NO_CODE, Verdict.COMPILE_ERROR]


def test_public_tests_never_wait_for_hidden_ones() -> None:
    """However many hidden judgements wait or run: a dialogue waits for the one, nobody for the others."""
    go_on = threading.Event()

    class SlowHiddenExecutor(PlannedExecutor):
        """Hidden inputs end only when they may."""

        def run(self, inputs: Iterable[bytes]) -> Iterator[Execution]:
            for data in inputs:
                if data in (b"3\n", b"40\n", b"5\n"):
                    go_on.wait(30)
                yield Execution(Ending.FINISHED, b"%d" % (2 * int(data)))

    async def run() -> list[Report]:
        judge = Judge(SlowHiddenExecutor([]), workers=2)
        hidden = [asyncio.create_task(judge.judge_async(DOUBLE, f"{number}")) for number in range(4)]
        await asyncio.sleep(0.05)
        for number in range(3):
            report = await asyncio.wait_for(judge.judge_async(DOUBLE, f"p{number}", hidden=False), 20)
            assert report.public_passed and not any(task.done() for task in hidden)
        go_on.set()
        reports = await asyncio.gather(*hidden)
        judge.close()
        return reports

    assert all(report.passed for report in asyncio.run(run()))


def test_of_a_giant_result_the_beginning_is_shown(executor: Executor) -> None:
    """The rest is not read: as objects it would take the judge's memory."""
    problem = replace(
        DOUBLE,
        rule=MatchRule(comparison=Comparison.VALUE),
        entry_point="f",
        public_tests=(TestCase("[1]", "2"),),
        limits=Limits(20.0, 256_000_000),
    )
    judge = Judge(executor)
    (result,) = judge.judge(problem, "def f(x): return [[]] * 500_000", hidden=False).public
    assert (result.verdict, result.output) == (Verdict.WRONG_ANSWER, ("[" + "[], " * 1024)[:4096])
    judge.close()


def test_a_judge_that_is_closed_ends_after_the_test_it_is_at() -> None:
    """Nobody waits for the others any more: an interrupted run ends, and nothing half judged is kept."""
    began, goes_on = threading.Event(), threading.Event()

    class Waiting(PlannedExecutor):
        def run(self, inputs: Iterable[bytes]) -> Iterator[Execution]:
            began.set()
            goes_on.wait()
            return super().run(inputs)

    executor = Waiting([_good("2\n")] * 5)
    judge = Judge(executor)

    async def leave() -> None:
        asked = asyncio.ensure_future(judge.judge_async(DOUBLE, RIGHT))
        await asyncio.to_thread(began.wait)
        asked.cancel()
        closing = asyncio.ensure_future(asyncio.to_thread(judge.close))
        await asyncio.to_thread(judge._is_closing.wait)
        goes_on.set()
        await closing

    asyncio.run(leave())
    assert executor.seen == [b"1\n"]


def test_a_judge_keeps_no_problem() -> None:
    """One made anew for each program is gone after it, with its tests, and another with its id has its own key."""
    judge, keys, problems = Judge(PlannedExecutor([])), set(), []
    for number in range(50):
        problem = replace(DOUBLE, hidden_tests=(TestCase("3\n", f"{number}\n"),))
        keys.add(judge.key(problem, RIGHT))
        assert judge.key(problem, RIGHT) in keys and judge.key(problem, RIGHT, hidden=False) not in keys
        problems.append(weakref.ref(problem))
        del problem
    gc.collect()
    assert len(keys) == 50 and not any(reference() for reference in problems) and not judge._digests._found
    judge.close()
