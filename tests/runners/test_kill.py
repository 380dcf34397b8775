"""kill -9 at any moment of a run, then the same line again: the same files, and no call made twice."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from turnwise.leaderboard.outcomes import read_outcomes
from turnwise.records.run_folder import RunFolder

COUNTED_RUN = Path(__file__).with_name("counted_run.py")
ANSWERS = Path(__file__).resolve().parents[2] / "benchmarks" / "sample" / "answers" / "repairing.jsonl"


class Attempts:
    """Attempts at one run folder, and the calls each of them made to the model."""

    def __init__(self, folder: Path, cache_dir: Path) -> None:
        self.output, self.cache_dir = folder / "run", folder / "cache"
        shutil.copytree(cache_dir / "expected", self.cache_dir / "expected")  # but not what is judged
        self.logs: list[Path] = []

    def start(self) -> subprocess.Popen[bytes]:
        """Begin another attempt."""
        self.logs.append(self.output.parent / f"calls{len(self.logs)}")
        self.logs[-1].parent.mkdir(parents=True, exist_ok=True)
        self.logs[-1].touch()
        command = [sys.executable, COUNTED_RUN, self.output, self.cache_dir, self.logs[-1]]
        return subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE)

    def finish(self) -> None:
        """Let an attempt run to its end."""
        process = self.start()
        _, said = process.communicate()
        assert process.returncode == 0, said.decode()

    def calls(self) -> list[list[Any]]:
        """Return the calls of the latest attempt."""
        return [json.loads(line) for line in self.logs[-1].read_text().splitlines()]

    def answered(self) -> list[list[Any]]:
        """Return the calls whose replies are kept in the run folder so far."""
        found = []
        for path in self.output.glob("trajectories/*/*.part"):
            for line in path.read_text().splitlines():
                if line.endswith("}"):
                    found.append([path.parent.name, *json.loads(line)["call"]])
        for path in self.output.glob("trajectories/*/*.jsonl"):
            for line in path.read_text().splitlines():
                one = json.loads(line)
                found += [[one["task"], one["problem"], one["sample"], turn, 0] for turn in range(len(one["turns"]))]
        return found

    def result(self) -> tuple[dict[str, bytes], list[Any], list[Any]]:
        """Return what must not depend on the kills: trajectory files, verdicts, outcomes."""
        folder = self.output / "trajectories"
        files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        verdicts = sorted((*place, one.verdict, one.key) for place, one in RunFolder(self.output).judgements().items())
        outcomes = [task.passed.tolist() for task in read_outcomes(self.output).tasks]
        return files, verdicts, outcomes


def _kill_and_resume(tmp_path: Path, cache_dir: Path, *, kills: int) -> None:
    (cache_dir / "expected").mkdir(parents=True, exist_ok=True)
    whole = Attempts(tmp_path / "whole", cache_dir)
    whole.finish()
    total = len(whole.calls())
    moments = random.Random(kills)
    were_cut = 0
    for number in range(kills):
        attempts = Attempts(tmp_path / f"killed{number}", cache_dir)
        process = attempts.start()
        wanted = moments.randint(0, total)
        while attempts.logs[-1].read_bytes().count(b"\n") < wanted and process.poll() is None:
            time.sleep(0.001)
        time.sleep(moments.uniform(0, 0.03))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        answered = attempts.answered()
        were_cut += 0 < len(answered) < total
        attempts.finish()
        assert not [call for call in attempts.calls() if call in answered]
        assert attempts.result() == whole.result()
    assert were_cut  # else nothing was tested


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_files(tmp_path: Path, cache_dir: Path) -> None:
    """Trajectories byte-identical to an undisturbed run, equal verdicts, no answered call made again."""
    _kill_and_resume(tmp_path, cache_dir, kills=3)


@pytest.mark.long
def test_twenty_killed_runs_go_on_to_the_same_files(tmp_path: Path, cache_dir: Path) -> None:
    """The same at twenty random moments."""
    _kill_and_resume(tmp_path, cache_dir, kills=20)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_run_says_how_to_go_on(number: signal.Signals, tmp_path: Path, cache_dir: Path) -> None:
    """At once, and again when it has ended; exit status 130, no traceback; the same line then finishes the run."""
    output = tmp_path / "run"
    command = [sys.executable, "-m", "turnwise", "run", "-M", "replay", "-a", f"path={ANSWERS}", "-o", str(output)]
    command += ["-t", "sample_codecontests_multiturn"]
    environment = dict(os.environ, TURNWISE_CACHE=str(cache_dir))
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not list(output.glob("trajectories/*/*.part")):
        time.sleep(0.01)
        assert process.poll() is None
    process.send_signal(number)
    _, said = process.communicate()
    assert process.returncode == 130
    assert said.count(b"turnwise: stopping; once more to stop at once.\n") == 1
    assert b"turnwise: interrupted; run the same line again to go on." in said and b"Traceback" not in said
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == 0 and b"repairing" in done.stdout
