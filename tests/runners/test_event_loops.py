"""A signal ends work in an event loop between two of its steps; none is lost, and none leaves a loop that waits."""

import asyncio
import os
import random
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from turnwise.runners.event_loops import InterruptibleRunner

ANSWERS = Path(__file__).resolve().parents[2] / "benchmarks" / "sample" / "answers" / "repairing.jsonl"


class StopError(BaseException):
    """What the handler of these tests raises."""


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM])
def number(request: pytest.FixtureRequest) -> Iterator[signal.Signals]:
    """Return a signal whose handler raises StopError."""

    def stop(*_: object) -> None:
        raise StopError

    before = {one: signal.signal(one, stop) for one in (signal.SIGINT, signal.SIGTERM)}
    yield request.param
    for one, handler in before.items():
        signal.signal(one, handler)


async def _sleep(log: list[str]) -> None:
    try:
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0)
        log.append("ended")


def test_a_signal_in_a_callback_is_not_swallowed(number: signal.Signals) -> None:
    """asyncio reports what a callback raises and goes on; here the work is cancelled, ends, and the signal is told."""
    log: list[str] = []

    async def work() -> None:
        asyncio.get_running_loop().call_soon(signal.raise_signal, number)
        await _sleep(log)

    with InterruptibleRunner() as runner, pytest.raises(StopError):
        runner.run(work())
    assert log == ["ended"]


def test_a_signal_within_a_task_lets_the_others_end(number: signal.Signals) -> None:
    """It is no exception of the task that ran when it came."""
    log: list[str] = []

    async def work() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(_sleep(log))
            await asyncio.sleep(0)
            signal.raise_signal(number)
            log.append("went on")
            await asyncio.sleep(60)

    with InterruptibleRunner() as runner, pytest.raises(StopError):
        runner.run(work())
    assert log == ["went on", "ended"]


def test_a_signal_from_outside_wakes_a_loop_that_waits(number: signal.Signals) -> None:
    """Nothing else has to happen in the loop."""
    log: list[str] = []
    killer = threading.Timer(0.2, os.kill, (os.getpid(), number))
    killer.start()
    with InterruptibleRunner() as runner, pytest.raises(StopError):
        runner.run(_sleep(log))
    killer.join()
    assert log == ["ended"]


def test_work_that_returns_in_spite_of_it_is_interrupted_all_the_same(number: signal.Signals) -> None:
    """A signal is told even if nobody let it cancel anything."""

    async def work() -> str:
        signal.raise_signal(number)
        return "done"

    with InterruptibleRunner() as runner, pytest.raises(StopError):
        runner.run(work())


def test_the_second_signal_is_not_held_back(number: signal.Signals) -> None:
    """Work that does not let itself be cancelled is left by force."""
    log: list[str] = []

    async def work() -> None:
        signal.raise_signal(number)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            log.append("cancelled")
            signal.raise_signal(number)
            log.append("not reached")

    with InterruptibleRunner() as runner, pytest.raises(StopError):
        runner.run(work())
    assert log == ["cancelled"]


def test_a_handler_that_wants_to_know_is_told_at_the_first_signal() -> None:
    """Before the work has ended, once; it is called itself when the work has, with no frame."""
    log: list[object] = []

    class Handler:
        def __call__(self, _: int, frame: object) -> None:
            log.append(frame)
            raise StopError

        def notice(self) -> None:
            log.append("noticed")

    async def work() -> None:
        signal.raise_signal(signal.SIGTERM)
        try:
            await asyncio.sleep(60)
        finally:
            log.append("ended")

    before = signal.signal(signal.SIGTERM, Handler())
    try:
        with InterruptibleRunner() as runner, pytest.raises(StopError):
            runner.run(work())
    finally:
        signal.signal(signal.SIGTERM, before)
    assert log == ["noticed", "ended", None]


def test_a_signal_between_two_pieces_of_work_is_not_kept(number: signal.Signals) -> None:
    """Outside of ``run`` the handler is the one that was there; the loop can be used again."""

    async def value() -> int:
        return 7

    with InterruptibleRunner() as runner:
        assert runner.run(value()) == 7
        with pytest.raises(StopError):
            signal.raise_signal(number)
        assert runner.run(value()) == 7


def test_ctrl_c_is_a_keyboard_interrupt_where_nobody_else_takes_it() -> None:
    """Python's own handler is held back too; a signal that has no handler in Python stays as it is."""
    log: list[str] = []
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)

    async def work() -> None:
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGINT)
        await _sleep(log)

    try:
        with InterruptibleRunner() as runner, pytest.raises(KeyboardInterrupt):
            runner.run(work())
    finally:
        signal.signal(signal.SIGTERM, before)
    assert log == ["ended"]


def test_it_runs_in_other_threads_as_well() -> None:
    """They get no signals."""
    found: list[int] = []

    async def value() -> int:
        return 7

    def run() -> None:
        with InterruptibleRunner() as runner:
            found.append(runner.run(value()))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [7]


def _interrupt_at_random_moments(tmp_path: Path, cache_dir: Path, *, times: int) -> None:
    environment = dict(os.environ, TURNWISE_CACHE=str(cache_dir))
    moments = random.Random(times)
    for attempt in range(times):
        output = tmp_path / f"run{attempt}"
        command = [sys.executable, "-m", "turnwise", "run", "-M", "replay", "-a", f"path={ANSWERS}", "-o", str(output)]
        command += ["-t", "sample_codecontests_multiturn"]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while not list(output.glob("trajectories/*/*.part")) and process.poll() is None:
            time.sleep(0.001)
        time.sleep(moments.uniform(0, 0.1))
        process.send_signal(moments.choice([signal.SIGINT, signal.SIGTERM]))
        try:
            _, said = process.communicate(timeout=120)
        finally:
            process.kill()
        # It may have been done, and its interpreter on the way out, when the signal came.
        assert process.returncode in (0, 130, -signal.SIGINT, -signal.SIGTERM), said.decode()
        assert b"Traceback" not in said and b"never retrieved" not in said, said.decode()


def test_a_signal_when_all_is_done_is_no_traceback() -> None:
    """It comes upon the very step that gives the signals back."""
    source = (
        "import os, signal, sys\n"
        "from turnwise.cli import main\n"
        "close = main.Interrupter.close\n"
        "def late(self):\n"
        "    main.Interrupter.close = close\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "main.Interrupter.close = late\n"
        "sys.argv = ['turnwise', '--help']\n"
        "main.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (130, "turnwise: interrupted; run the same line again to go on.\n")


@pytest.mark.slow
def test_an_interrupted_run_ends_at_whatever_moment_it_comes(tmp_path: Path, cache_dir: Path) -> None:
    """No traceback, and no process that waits for ever."""
    _interrupt_at_random_moments(tmp_path, cache_dir, times=4)


@pytest.mark.long
def test_a_hundred_interrupted_runs_end(tmp_path: Path, cache_dir: Path) -> None:
    """The same a hundred times."""
    _interrupt_at_random_moments(tmp_path, cache_dir, times=100)


@pytest.mark.long
def test_the_tests_of_signals_pass_in_the_background() -> None:
    """Where a shell has SIGINT ignored, as in ``nohup make test &``."""
    tests = Path(__file__).resolve().parents[1]
    files = [tests / "runners/test_event_loops.py", tests / "cli/test_process.py", tests / "runners/test_kill.py"]
    line = f"trap '' INT; exec {shlex.join([sys.executable, '-m', 'pytest', '-q', '-m', 'not long', *map(str, files)])}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, cwd=tests.parent, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
