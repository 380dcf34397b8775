"""One run on a cluster, as a user drives it by the command line; and the same run on one machine beside it."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from virtual_cluster import VirtualCluster, wait_for

from turnwise.leaderboard.outcomes import read_outcomes
from turnwise.records.run_folder import RunFolder
from turnwise.slurm.events import Event, read_events
from turnwise.slurm.status import read_ends
from turnwise.slurm.submission import ClusterFolder

ANSWERS = Path(__file__).resolve().parents[2] / "benchmarks" / "sample" / "answers" / "repairing.jsonl"
HOOKS = Path(__file__).with_name("hooks")
TASKS = "sample_codecontests_multiturn,sample_mbpp_plus_multiturn"
# One dialogue a shard, with jobs as small as they can be.
PROFILE: dict[str, Any] = {
    "workers": 2,
    "tokens_per_second": 100,
    "shard_minutes": 0.6,
    "gpus": 1,
    "cpus": 1,
    "memory_gb": 0.5,
    "time_minutes": 10,
    "judge": {"cpus": 1, "memory_gb": 0.5, "time_minutes": 10},
    "close": {"cpus": 1, "memory_gb": 0.5, "time_minutes": 10},
}


class ClusterRun:
    """A run folder and the commands on it; ``delay`` is what each call to the model takes."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        *,
        delay: float = 0.0,
        poison: str = "",
        output: Path | None = None,
    ) -> None:
        self.folder = folder
        self.output = output or folder / "run"
        self.calls_folder = folder / "calls"
        self.calls_folder.mkdir(parents=True)
        self._environment = {
            **environment,
            "PYTHONPATH": str(HOOKS),
            "TURNWISE_TEST_CALLS": str(self.calls_folder),
            "TURNWISE_TEST_DELAY": str(delay),
            "TURNWISE_TEST_POISON": poison,
        }

    def command(self, *arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of turnwise to its end."""
        command = [sys.executable, "-m", "turnwise", *arguments]
        return subprocess.run(
            command, env={**self._environment, **environment}, cwd=cwd, capture_output=True, text=True, check=False
        )

    def submit(self, *more: str, **profile: Any) -> subprocess.CompletedProcess[str]:
        """Submit the run."""
        return self.command("submit", *self.options, "-p", str(self.profile(**profile)), *more)

    def profile(self, **changes: Any) -> Path:
        """Write a profile of the cluster's jobs; return where."""
        path = self.folder / "profile.yaml"
        path.write_text(json.dumps({**PROFILE, **changes}))
        return path

    def start_local(self) -> "subprocess.Popen[str]":
        """Begin the run as a pool of processes of this machine."""
        command = [sys.executable, "-m", "turnwise", "submit", *self.options, "--cluster", "local"]
        return subprocess.Popen(
            [*command, "-p", str(self.profile())],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def on_one_machine(self) -> Path:
        """Carry out the same plan in one process, once for all tests of a session; return its folder."""
        process = os.environ.get("PYTEST_XDIST_WORKER", "")
        alone = Path(self._environment["TURNWISE_CACHE"]) / f"alone{process}"
        if (alone / "scores.json").exists():
            return alone
        alone.mkdir(exist_ok=True)
        for name in ("run.json", "shards.jsonl"):
            shutil.copyfile(self.output / name, alone / name)
        done = self.command("run", *self._options(alone), TURNWISE_TEST_DELAY="0", TURNWISE_TEST_POISON="")
        assert done.returncode == 0, done.stderr
        return alone

    @property
    def options(self) -> list[str]:
        """The options of the run."""
        return self._options(self.output)

    def _options(self, output: Path) -> list[str]:
        metadata = json.dumps({"samples_per_problem": 2})
        model = ["-M", "replay", "-a", f"path={ANSWERS}"]
        return [*model, "-t", TASKS, "--metadata", metadata, "--workers", "1", "-o", str(output)]

    def calls(self) -> Counter[tuple[Any, ...]]:
        """Return how often each call was made to the model, by all workers so far."""
        lines = [line for path in self.calls_folder.iterdir() for line in path.read_text().splitlines()]
        return Counter(tuple(json.loads(line)) for line in lines)

    def repeated_calls(self) -> int:
        """Return how many calls were made again, and so paid twice; they are printed as a figure."""
        calls = self.calls()
        repeated = sum(calls.values()) - len(calls)
        print(f"repeated {repeated} of {len(calls)} calls")
        return repeated

    def committed(self) -> int:
        """Return how many shards are committed."""
        return len(list(self.output.glob("trajectories/*/*.jsonl")))

    def events(self, name: str) -> list[Event]:
        """Return the events of a kind of all workers."""
        logs = ClusterFolder(self.output).logs()
        return [event for path in logs for event in read_events(path) if event.event == name]

    def ends(self) -> list[str]:
        """Return what batch scripts said of jobs that were told to end."""
        return list(read_ends(ClusterFolder(self.output)).values())


def trajectory_files(output: Path) -> dict[str, bytes]:
    """Return the committed files of a run."""
    folder = output / "trajectories"
    found = [path for path in folder.rglob("*") if path.suffix in (".jsonl", ".sha256")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def verdicts(output: Path) -> list[tuple[object, ...]]:
    """Return the verdicts of a run, sorted."""
    return sorted((*place, one.verdict, one.key) for place, one in RunFolder(output).judgements().items())


def outcomes(output: Path) -> list[Any]:
    """Return what came of each dialogue."""
    return [task.passed.tolist() for task in read_outcomes(output).tasks]


def assert_equal_runs(output: Path, alone: Path) -> None:
    """Check that both runs hold the same files, verdicts and outcomes."""
    assert trajectory_files(output) == trajectory_files(alone)
    assert verdicts(output) == verdicts(alone)
    assert outcomes(output) == outcomes(alone)


def environment_of(cache_dir: Path, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment of commands that keep their caches in ``cache_dir``."""
    return {**environ, "TURNWISE_CACHE": str(cache_dir)}


Start = Callable[..., ClusterRun]


def wait_for_end(cluster: VirtualCluster, seconds: float = 240) -> None:
    """Wait until no job is left, letting requeued ones begin at once."""

    def has_ended() -> bool:
        cluster.release()
        return not cluster.jobs()

    wait_for(has_ended, seconds, "the jobs to end")
