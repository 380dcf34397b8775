"""kill -9 at any moment of a run, then the same line again: the same files, and no call made twice."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ANSWERS = Path(__file__).resolve().parents[2] / "benchmarks" / "sample" / "answers" / "repairing.jsonl"
TASKS = "sample_codecontests_multiturn,sample_mbpp_plus_multiturn"


def _start(output: Path, cache_dir: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "turnwise", "run", "-M", "replay", "-a", f"path={ANSWERS}", "-t", TASKS]
    command += ["-o", str(output), "--metadata", '{"samples_per_problem": 2}', "--unsafe-reference-executor"]
    environment = dict(os.environ, TURNWISE_CACHE=str(cache_dir))
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _finish(output: Path, cache_dir: Path) -> bytes:
    process = _start(output, cache_dir)
    printed, _ = process.communicate()
    assert process.returncode == 0
    return printed.replace(str(output).encode(), b"RUN")


def _trajectories(output: Path) -> dict[str, bytes]:
    folder = output / "trajectories"
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def _kill_and_resume(tmp_path: Path, cache_dir: Path, *, kills: int) -> None:
    started = time.monotonic()
    table = _finish(tmp_path / "whole", cache_dir)
    duration = time.monotonic() - started
    moments = random.Random(kills)
    for number in range(kills):
        output = tmp_path / f"killed{number}"
        process = _start(output, cache_dir)
        time.sleep(moments.uniform(0.1, 0.95) * duration)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert _finish(output, cache_dir) == table
        assert _trajectories(output) == _trajectories(tmp_path / "whole")


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_files(tmp_path: Path, cache_dir: Path) -> None:
    """Trajectories byte-identical to an undisturbed run, no attempt file left, the same table."""
    _kill_and_resume(tmp_path, cache_dir, kills=3)


@pytest.mark.long
def test_twenty_killed_runs_go_on_to_the_same_files(tmp_path: Path, cache_dir: Path) -> None:
    """The same at twenty random moments."""
    _kill_and_resume(tmp_path, cache_dir, kills=20)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_run_says_how_to_go_on(number: signal.Signals, tmp_path: Path, cache_dir: Path) -> None:
    """One sentence, exit status 130, no traceback; the same line then finishes the run."""
    output = tmp_path / "run"
    process = _start(output, cache_dir)
    while not list(output.glob("trajectories/*/*.part")):
        time.sleep(0.01)
        assert process.poll() is None
    process.send_signal(number)
    _, said = process.communicate()
    assert process.returncode == 130
    assert b"turnwise: interrupted; run the same line again to go on." in said and b"Traceback" not in said
    assert b"repairing" in _finish(output, cache_dir)
