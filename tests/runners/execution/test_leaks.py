"""Whatever dies, and however often programs run, nothing is left: processes, descriptors, files."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import descendants, holds_soon, runs
from tiers import TIERS, executor_in

from turnwise.records.problem import Limits
from turnwise.runners.execution.hardened import CallSession, HardenedExecutor, StdinSession
from turnwise.runners.execution.interface import Ending, Program
from turnwise.runners.execution.worker import only_child

LIMITS = Limits(1.0, 256_000_000, output_limit_bytes=1 << 20)
SOURCES = (
    b"print(1)",
    b"1 +",
    b"1/0",
    b"import os\nos._exit(3)",
    b"import threading, time\nthreading.Thread(target=time.sleep, args=(9,), daemon=True).start()",
    b"while True: print('a' * 10**6)",
    b"import ctypes\nctypes.string_at(0)",
)


@pytest.fixture(params=TIERS)
def executor(request: pytest.FixtureRequest) -> Iterator[HardenedExecutor]:
    """One executor per tier and test."""
    with executor_in(request.param) as hardened_executor:
        yield hardened_executor


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _finishes(executor: HardenedExecutor) -> bool:
    with executor.open(Program(b"print(1)"), "python", LIMITS) as session:
        return [one.output for one in session.run([b""])] == [b"1\n"]


def test_300_programs_leave_nothing(executor: HardenedExecutor) -> None:
    """Good and bad ones, stdin and calls: as many descriptors and processes as before, and no folder."""
    assert _finishes(executor)
    with executor.open(Program(b"def f(x): return x", "f"), "python", LIMITS) as session:
        list(session.run([b"[1]"]))
    descriptors, processes = _descriptors(), descendants(os.getpid())
    for number in range(300):
        source = SOURCES[number % len(SOURCES)]
        entry_point = "f" if number % 3 == 0 else ""
        with executor.open(Program(source, entry_point), "python", LIMITS) as session:
            next(session.run([b"[1]"]))
    assert _descriptors() == descriptors
    assert holds_soon(lambda: descendants(os.getpid()) == processes)


def test_closing_ends_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No process, descriptor or folder outlives the executor, which may be closed twice."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    descriptors, processes = _descriptors(), descendants(os.getpid())
    executor = executor_in("B")
    program = Program(b"print(1, file=open('out', 'w'))", output_file="out")
    with executor.open(program, "python", LIMITS) as session:
        assert next(session.run([b""])).output == b"1\n"
    executor.close()
    executor.close()
    assert list(tmp_path.iterdir()) == []
    assert _descriptors() == descriptors
    assert descendants(os.getpid()) == processes


@pytest.mark.parametrize("whom", ["zygote", "runner", "first"])
def test_a_killed_worker_is_replaced_and_blamed_on_nobody(executor: HardenedExecutor, whom: str) -> None:
    """The run that meets it is an infrastructure failure, the next one works, and no process stays behind."""
    with executor.open(Program(b"import time\ntime.sleep(float(input()))\nprint(1)"), "python", LIMITS) as session:
        assert isinstance(session, StdinSession)
        assert next(session.run([b"0"])).ending is Ending.FINISHED
        assert session._opened is not None
        worker = session._opened.worker
        family = descendants(os.getpid())
        victim = {"zygote": worker.zygote(), "runner": worker.runner(), "first": worker._process.pid}[whom]
        assert victim is not None
        runner = worker.runner()
        os.kill(victim, signal.SIGKILL)
        assert holds_soon(lambda: not runs(runner))
        assert next(session.run([b"0"])).ending is Ending.INFRASTRUCTURE
        assert next(session.run([b"0"])).ending is Ending.FINISHED
        assert holds_soon(lambda: victim not in descendants(os.getpid()))
    assert _finishes(executor)
    assert len(descendants(os.getpid())) <= len(family)


@pytest.mark.parametrize(
    ("program", "given", "patience"),
    [
        (Program(b"import time\ntime.sleep(float(input()))\nprint(1)"), b"0", b"60"),
        (Program(b"import time\ndef f(x): time.sleep(x)", "f"), b"[0]", b"[60]"),
    ],
    ids=["stdin", "call"],
)
def test_a_child_killed_from_outside_is_the_machines_failure(
    executor: HardenedExecutor, program: Program, given: bytes, patience: bytes
) -> None:
    """So the kernel kills when memory is short: nothing says that the program was wrong, and the worker goes on."""
    patient = Limits(20.0, 256_000_000)  # its idle clock leaves the killer time to start
    with executor.open(program, "python", patient) as session:
        assert isinstance(session, StdinSession | CallSession)
        assert next(session.run([given])).ending is Ending.FINISHED
        assert session._opened is not None
        worker = session._opened.worker
        depth = 1 if executor.tier == "B" else 2
        first = str(worker._process.pid)
        helper = subprocess.Popen([sys.executable, "-c", _KILL_DESCENDANT, first, str(depth)])
        execution = next(session.run([patience]))
        helper.wait()
        assert next(session.run([given])).ending is Ending.FINISHED
    assert execution.ending is Ending.INFRASTRUCTURE
    assert "SIGKILL" in execution.error
    assert _finishes(executor)


# Kills the program's process, which is that deep below the given one, as soon as it is there.
_KILL_DESCENDANT = """
import os, pathlib, sys, time
def below(pid, depth):
    found = []
    for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        found += [int(child)] if depth == 0 else below(child, depth - 1)
    return found
for _ in range(500):
    found = below(sys.argv[1], int(sys.argv[2]))
    if found:
        os.kill(found[0], 9)
        break
    time.sleep(0.01)
"""


@pytest.mark.parametrize("tier", TIERS)
def test_a_killed_judge_leaves_no_process_and_no_folder(tier: str, tmp_path: Path) -> None:
    """SIGKILL amid a busy program: everything goes with the judge, and its folder with the next worker."""
    executor_in(tier).close()
    code = f"""
import tempfile, time
from turnwise.records.problem import Limits
from turnwise.runners.execution.hardened import HardenedExecutor
from turnwise.runners.execution.interface import Program
executor = HardenedExecutor(tier={tier!r})
program = Program(b"while True: pass", output_file="out")
with executor.open(program, "python", Limits(60.0)) as session:
    print("started", flush=True)
    list(session.run([b""]))
"""
    environment = dict(os.environ, TMPDIR=str(tmp_path))
    tmp_path.chmod(0o755)
    judge = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment)
    assert judge.stdout is not None
    judge.stdout.readline()
    # First process, zygote, runner and child of two workers, or fewer without a pid namespace.
    assert holds_soon(lambda: len(descendants(judge.pid)) >= (4 if tier == "B" else 6))
    family = descendants(judge.pid)
    judge.kill()
    judge.wait()
    judge.stdout.close()
    assert holds_soon(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family))


def test_only_a_child_is_found() -> None:
    """A process without children has none, and one that does not exist neither."""
    sleeper = subprocess.Popen(["sleep", "60"])
    try:
        assert only_child(os.getpid()) is not None
        assert only_child(sleeper.pid) is None
    finally:
        sleeper.kill()
        sleeper.wait()
    assert only_child(sleeper.pid) is None
