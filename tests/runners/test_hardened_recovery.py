"""Whatever dies, nothing is lost and nothing is left: workers, runners, the judge itself."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from turnwise.benchmarks import values
from turnwise.benchmarks.limits import Limits
from turnwise.benchmarks.records import Problem, TestCase
from turnwise.runners.execution.hardened import HardenedExecutor
from turnwise.runners.execution.interface import Ending, Program
from turnwise.runners.judge import Judge, JudgeRequest

LIMITS = Limits(1.0, 256_000_000, output_limit_bytes=1 << 20)
DOUBLE = Program(b"print(2 * int(input()))")
CALL = Program(b"def f(x): return 2 * x", entry_point="f")
PROBLEM = Problem("b/p", "b", "test", "", (TestCase("1", "2"),), (TestCase("4", "8"),), limits=LIMITS)


def _below(pid: int) -> set[int]:
    """Return the pids of all processes below ``pid``."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent = path.read_text(errors="replace").rpartition(") ")[2].split()[:2]
            if state not in "ZX":
                parents[int(path.parent.name)] = int(parent)
    found: set[int] = set()
    front = {pid}
    while front:
        front = {child for child, parent in parents.items() if parent in front}
        found |= front
    return found


def _alive(pids: set[int]) -> set[int]:
    alive = set()
    for pid in pids:
        with suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(") ")[2].split()[0] not in "ZX":
                alive.add(pid)
    return alive


def _await_end(pids: set[int]) -> set[int]:
    """Return those of ``pids`` that still run after a while."""
    end = time.monotonic() + 20
    while (left := _alive(pids)) and time.monotonic() < end:
        time.sleep(0.02)
    return left


@pytest.fixture(params=["A", "B", "C"])
def executor(request: pytest.FixtureRequest) -> Iterator[HardenedExecutor]:
    """A fresh executor in each tier."""
    with closing(HardenedExecutor(tier=str(request.param))) as one:
        yield one


def test_a_killed_worker_costs_a_retry_and_nothing_else(executor: HardenedExecutor) -> None:
    """The run it spoiled is the machine's failure, so the judge repeats it and the verdict is right."""
    judge = Judge(executor)
    assert judge.judge(PROBLEM, "print(2 * int(input()))").passed
    for pid in _below(os.getpid()):
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
        for pid in _below(os.getpid()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        endings = [one.ending for one in session.run([given] * 3)]
    assert endings[-1] is Ending.FINISHED
    assert set(endings[:-1]) <= {Ending.FINISHED, Ending.INFRASTRUCTURE, Ending.FAILED}


def test_many_programs_leave_nothing_behind(executor: HardenedExecutor) -> None:
    """No descriptor, process or file more after two hundred programs, bad ones among them, than after a few."""
    sources = [
        b"print(1)",
        b"1 +",
        b"1/0",
        b"import os\nos._exit(3)",
        b"import os\nos.kill(os.getpid(), 11)",
        b"x = [0] * 10**9",
    ]

    def run_all() -> tuple[int, int, int]:
        for source in sources:
            with executor.open(Program(source), "python", LIMITS) as session:
                list(session.run([b"", b""]))
        with executor.open(CALL, "python", LIMITS) as session:
            list(session.run([values.dumps([1]).encode()] * 3))
        descriptors = len(list(Path("/proc/self/fd").iterdir()))
        return descriptors, len(_below(os.getpid())), len(list(Path("/dev/shm").iterdir()))

    run_all()
    before = run_all()
    for _ in range(28):
        after = run_all()
    assert after == before


def test_closing_ends_every_process(executor: HardenedExecutor) -> None:
    """Nothing of the sandbox runs on."""
    with executor.open(DOUBLE, "python", LIMITS) as session:
        list(session.run([b"1"]))
    started = _below(os.getpid())
    assert started
    executor.close()
    assert _await_end(started) == set()


@pytest.mark.parametrize("tier", ["A", "B", "C"])
def test_a_killed_judge_takes_everything_with_it(tier: str) -> None:
    """kill -9 of the judge in the middle of an endless program: no process of the sandbox is left."""
    code = (
        "import sys\n"
        "from turnwise.benchmarks.limits import Limits\n"
        "from turnwise.runners.execution.hardened import HardenedExecutor\n"
        "from turnwise.runners.execution.interface import Program\n"
        "executor = HardenedExecutor(tier=sys.argv[1])\n"
        "session = executor.open(Program(b'while True: pass'), 'python', Limits(60.0))\n"
        "print('begun', flush=True)\n"
        "list(session.run([b'']))\n"
    )
    judge = subprocess.Popen([sys.executable, "-c", code, tier], stdout=subprocess.PIPE)
    assert judge.stdout is not None and judge.stdout.readline() == b"begun\n"
    time.sleep(0.5)
    below = _below(judge.pid)
    assert len(below) >= 3
    judge.kill()
    judge.communicate()
    assert _await_end(below) == set()


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
        started = _below(os.getpid())
        judge = Judge(executor, workers=2)
        requests = [JudgeRequest(PROBLEM, program) for program in ("print(2 * int(input()))", "import numpy") * 3]
        assert [report.passed for report in judge.judge_many(requests)] == [True, False] * 3
        judge.close()
        assert _below(os.getpid()) == started
    assert not _await_end(started)
