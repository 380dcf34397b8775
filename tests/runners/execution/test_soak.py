"""20,000 programs in one executor, hostile ones among them: nothing grows."""

import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from hostile import Form, HostileProgram, hostile_programs
from processes import descendants
from tiers import TIERS, executor_in

from turnwise.records.problem import Limits
from turnwise.records.report import Verdict
from turnwise.runners.execution.hardened import HardenedExecutor
from turnwise.runners.execution.interface import Ending, Program
from turnwise.runners.judging.judge import Judge

PROGRAMS, ROUND = 20_000, 2_000
HOSTILE_EVERY = 50
THREADS = 2
GROWTH_KILOBYTES = 8192
LIMITS = Limits(0.3, 128 << 20, output_limit_bytes=1 << 20)
SOURCES = (
    b"print(sum(map(int, input().split())))",
    b"1 +",
    b"1/0",
    b"import os\nos._exit(3)",
    b"x = [0] * 10**8",
    b"import threading\nthreading.Thread(target=print).start()",
    b"import json, heapq\nprint(json.dumps([heapq.nsmallest(2, [3, 1, 2])]))",
    b"def f(x):\n    return [x]",
)


@dataclass(frozen=True)
class Footprint:
    """What an executor holds: counts, and resident memory in kilobytes."""

    descriptors: int
    processes: int
    temporary_files: int
    judge_kilobytes: int
    workers_kilobytes: int


def _resident(pid: int | str) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") // 1024
    return 0


def _measure() -> Footprint:
    processes = descendants(os.getpid())
    return Footprint(
        len(list(Path("/proc/self/fd").iterdir())),
        len(processes),
        len(list(Path(tempfile.gettempdir()).iterdir())),
        _resident("self"),
        sum(_resident(pid) for pid in processes),
    )


def _hostile() -> Iterator[HostileProgram]:
    """Endlessly those that end by themselves soon: the others take seconds, and test_hostile_programs has them."""
    slow = {Verdict.TIME_LIMIT, Verdict.MEMORY_LIMIT, Verdict.OUTPUT_LIMIT}
    while True:
        yield from (one for one in hostile_programs().values() if not slow & set(one.expected.verdicts))


def _run_usual(executor: HardenedExecutor, number: int) -> Ending:
    source = SOURCES[number % len(SOURCES)]
    entry_point = "f" if source.startswith(b"def") else ""
    with executor.open(Program(source, entry_point), "python", LIMITS) as session:
        return next(iter(session.run([b"[1]" if entry_point else b"1 2"]))).ending


def _judge_hostile(executor: HardenedExecutor, program: HostileProgram) -> Verdict:
    with closing(Judge(executor)) as judge:
        return judge.judge(program.problem({"nonce": "n"}), program.source.decode("latin-1")).verdict


def _start_workers(executor: HardenedExecutor) -> None:
    """Let the pool grow to its full size, a worker of each kind for each thread."""
    kinds = (Program(b"1"), Program(b"import numpy"), Program(b"1", output_file="out"))
    with ExitStack() as stack:
        for program in kinds * THREADS:
            session = stack.enter_context(executor.open(program, "python", LIMITS))
            assert next(iter(session.run([b""]))).ending is Ending.FINISHED


@pytest.mark.long
@pytest.mark.parametrize("tier", TIERS)
def test_20_000_programs_leave_nothing(tier: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many descriptors, processes and files as after the first 2,000, and no more memory than some pages."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    hostile = _hostile()
    endings: Counter[str] = Counter()
    with executor_in(tier) as executor, ThreadPoolExecutor(THREADS) as pool:
        _start_workers(executor)

        def one(number: int, program: HostileProgram | None) -> str:
            return _judge_hostile(executor, program) if program else _run_usual(executor, number)

        footprints = []
        for start in range(0, PROGRAMS, ROUND):
            numbers = range(start, start + ROUND)
            programs = [next(hostile) if number % HOSTILE_EVERY == 0 else None for number in numbers]
            endings.update(pool.map(one, numbers, programs))
            footprints.append(_measure())
            print(tier, start + ROUND, footprints[-1], flush=True)
    first, last = footprints[0], footprints[-1]
    assert endings[Ending.INFRASTRUCTURE] + endings[Verdict.INFRASTRUCTURE_FAILURE] == 0, endings
    counts = [(one.descriptors, one.processes, one.temporary_files) for one in (first, last)]
    assert counts[0] == counts[1]
    assert last.judge_kilobytes - first.judge_kilobytes < GROWTH_KILOBYTES
    assert last.workers_kilobytes - first.workers_kilobytes < GROWTH_KILOBYTES


def test_hostile_programs_of_the_soak_are_of_both_forms() -> None:
    """The filter that keeps it short leaves stdin programs and functions."""
    program = _hostile()
    forms = {next(program).expected.form for _ in range(300)}
    assert forms == {Form.STDIN, Form.FUNCTION}
