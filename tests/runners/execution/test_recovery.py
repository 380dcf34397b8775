"""A worker that is killed costs a repetition at most: no verdict is lost, none is wrong."""

import os
import signal
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest
from processes import descendants, holds_soon, runs
from tiers import TIERS, executor_in

from turnwise.benchmarks import values
from turnwise.records.problem import Limits, Problem, TestCase
from turnwise.runners.execution.hardened import HardenedExecutor
from turnwise.runners.execution.interface import Ending, Program
from turnwise.runners.judging.judge import Judge, JudgeRequest

LIMITS = Limits(1.0, 256_000_000, output_limit_bytes=1 << 20)
DOUBLE = Program(b"print(2 * int(input()))")
CALL = Program(b"def f(x): return 2 * x", entry_point="f")
PROBLEM = Problem("b/p", "b", "test", "", (TestCase("1", "2"),), (TestCase("4", "8"),), limits=LIMITS)


@pytest.fixture(params=TIERS)
def executor(request: pytest.FixtureRequest) -> Iterator[HardenedExecutor]:
    """A fresh executor in each tier."""
    with closing(executor_in(request.param)) as one:
        yield one


def test_a_killed_worker_costs_a_retry_and_nothing_else(executor: HardenedExecutor) -> None:
    """The run it spoiled is the machine's failure, so the judge repeats it and the verdict is right."""
    judge = Judge(executor)
    assert judge.judge(PROBLEM, "print(2 * int(input()))").passed
    for pid in descendants(os.getpid()):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert judge.judge(PROBLEM, "print(2 * int(input()))").passed
    judge.close()


@pytest.mark.parametrize("program", [DOUBLE, CALL])
def test_a_worker_killed_between_runs_is_replaced(executor: HardenedExecutor, program: Program) -> None:
    """In the middle of a session: at most one run is spoiled, then it goes on with another worker."""
    given = values.dumps([3]).encode() if program.entry_point else b"3"
    with executor.open(program, "python", LIMITS) as session:
        assert next(iter(session.run([given]))).ending is Ending.FINISHED
        for pid in descendants(os.getpid()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        endings = [one.ending for one in session.run([given] * 3)]
    assert endings[-1] is Ending.FINISHED
    assert set(endings[:-1]) <= {Ending.FINISHED, Ending.INFRASTRUCTURE}


def test_threads_share_an_executor(executor: HardenedExecutor) -> None:
    """Forty programs by four workers, reports in order."""
    judge = Judge(executor, workers=4)
    requests = [JudgeRequest(PROBLEM, f"print({2 + number % 2} * int(input()))") for number in range(40)]
    assert [report.passed for report in judge.judge_many(requests)] == [number % 2 == 0 for number in range(40)]
    judge.close()


def test_workers_can_be_started_beforehand() -> None:
    """As many of each kind as are judged at a time, and programs then use those."""
    with HardenedExecutor() as executor:
        executor.start_workers(2)
        started = descendants(os.getpid())
        judge = Judge(executor, workers=2)
        requests = [JudgeRequest(PROBLEM, program) for program in ("print(2 * int(input()))", "import numpy") * 3]
        assert [report.passed for report in judge.judge_many(requests)] == [True, False] * 3
        judge.close()
        assert descendants(os.getpid()) == started
    assert holds_soon(lambda: not any(runs(pid) for pid in started))
