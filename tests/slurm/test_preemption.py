"""Preemption on sites that send TERM for it, as most do: told apart from scancel, on a real slurmctld.

The batch scripts are those of a run; their worker is a stand-in that saves for a moment and ends as a worker does.
"""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cluster_run import PROFILE, ClusterRun, assert_equal_runs, environment_of, wait_for_end
from scale import TASK, record_of
from virtual_cluster import VirtualCluster, require_slurm, wait_for

from turnwise.records.run_folder import RunFolder, cut_shards, plan_order
from turnwise.runners.work import freeze
from turnwise.slurm.cluster import script_text
from turnwise.slurm.profile import ClusterProfile, read_profile
from turnwise.slurm.status import JobAttempt, read_attempts, read_ends
from turnwise.slurm.submission import SAMPLE, Array, ClusterFolder, Jobs, SubmissionRecord, freeze_submission

pytestmark = [pytest.mark.slurm, pytest.mark.slow, pytest.mark.xdist_group("slurm")]

WORKER = """#!/bin/bash
trap 'sleep 1; exit 75' TERM
trap 'sleep 1; exit 76' USR2
echo "$SLURM_RESTART_COUNT" >> {begun}
while :; do sleep 0.1; done
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[VirtualCluster]:
    """A cluster that sends no warning of a preemption."""
    require_slurm()
    with VirtualCluster(warns_preempted=False) as one:
        yield one


@dataclass
class StandIn:
    """A job of a submission's script in a partition; ``scontrol`` takes the place of that command in it."""

    cluster: VirtualCluster
    folder: Path
    partition: str
    scontrol: str = ""
    job: str = ""
    setup: list[str] = field(default_factory=list)

    def submit(self) -> None:
        """Submit it, and let it begin."""
        (self.folder / "jobs").mkdir(parents=True)
        self.ends.ends.mkdir(parents=True)
        setup = list(self.setup)
        if self.scontrol:
            (self.folder / "bin").mkdir()
            self._write("bin/scontrol", f"#!/bin/bash\n{self.scontrol}\n")
            setup.append(f"export PATH={shlex.quote(str(self.folder / 'bin'))}:$PATH")
        worker = self._write("worker", WORKER.format(begun=shlex.quote(str(self.begun))))
        changed = {"workers": 1, "partition": self.partition, "python": worker, "setup": setup}
        profile = read_profile(Path(self._write("profile.yaml", json.dumps({**PROFILE, **changed}))))
        text = script_text(
            profile, SAMPLE, self.folder / "jobs", cluster=self.ends, code=self.folder / "code", count=None
        )
        script = self._write("script", text)
        self.job = self.cluster.run("sbatch", "--parsable", script).strip()
        self.cluster.run("scontrol", "release", self.job)

    @property
    def begun(self) -> Path:
        """The file in which each attempt of the worker leaves a line."""
        return self.folder / "begun"

    @property
    def ends(self) -> ClusterFolder:
        """Where the script says what became of the job."""
        return ClusterFolder(self.folder / "run")

    @property
    def word(self) -> str:
        """What the script said of the first attempt."""
        return read_ends(self.ends).get(JobAttempt(self.job, 0), "")

    def state(self) -> dict[str, str]:
        """Return what SLURM says of the job."""
        said = self.cluster.run("scontrol", "show", "job", "--oneliner", self.job).split()
        return dict(part.split("=", 1) for part in said if "=" in part)

    def has_stayed_away(self) -> bool:
        """Return whether the job has ended for good."""
        facts = self.state()
        return facts["JobState"] in ("FAILED", "CANCELLED") and facts["Restarts"] == "0"

    def comes_back(self) -> bool:
        """Return whether the job waits for its second attempt, or makes it."""
        facts = self.state()
        return facts["Restarts"] == "1" and facts["JobState"] in ("PENDING", "RUNNING")

    def _write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o755)
        return str(path)


REAL = 'exec /usr/bin/scontrol "$@"'
CANCELLED_FIRST = f"[[ $1 == show ]] && scancel $4 && sleep 0.5; {REAL}"
CANCELLED_BETWEEN = f"[[ $1 == requeue ]] && scancel $3 && sleep 0.5; {REAL}"


def push_out(cluster: VirtualCluster) -> None:
    """Submit a short job that takes all nodes."""
    cluster.run("sbatch", "-p", "high", "--exclusive", "-N4", "-o", "/dev/null", "--wrap", "sleep 1")


def test_a_preempted_job_comes_back_and_a_cancelled_one_does_not(cluster: VirtualCluster, tmp_path: Path) -> None:
    """With and without a grace time, whether SLURM would requeue or cancel it, however a profile sets its shell.

    A job that scancel ends in the grace time stays away, even between the script's question and its requeue; so does
    one of which SLURM says nothing, and one whose worker somebody else ends. One that is warned comes back.
    """
    jobs = {
        "grace": StandIn(cluster, tmp_path / "grace", "low", setup=["set -euo pipefail"]),
        "none": StandIn(cluster, tmp_path / "none", "low0"),
        "doomed": StandIn(cluster, tmp_path / "doomed", "doomed"),
        "cancelled": StandIn(cluster, tmp_path / "cancelled", "low", scontrol=CANCELLED_FIRST),
        "between": StandIn(cluster, tmp_path / "between", "low", scontrol=CANCELLED_BETWEEN),
        "unanswered": StandIn(cluster, tmp_path / "unanswered", "low", scontrol="exit 1", setup=["sleep() { :; }"]),
        "warned": StandIn(cluster, tmp_path / "warned", "low"),
        "ended": StandIn(cluster, tmp_path / "ended", "low"),
    }
    for one in jobs.values():
        one.submit()
    wait_for(lambda: all(one.begun.exists() for one in jobs.values()), 30, "the workers")
    cluster.run("scancel", "--signal=USR2", jobs["warned"].job)
    cluster.run("scancel", "--signal=TERM", jobs["ended"].job)
    wait_for(lambda: jobs["warned"].word and jobs["ended"].has_stayed_away(), 30, "those that are signalled")
    push_out(cluster)
    back = [jobs[name] for name in ("grace", "none", "doomed", "warned")]
    away = [jobs[name] for name in ("cancelled", "between", "unanswered", "ended")]
    wait_for(lambda: all(one.comes_back() for one in back), 30, "the preempted jobs to be requeued")
    wait_for(lambda: all(one.has_stayed_away() for one in away), 30, "the others to end")
    assert {name: one.word for name, one in jobs.items()} == {
        "grace": "requeued",
        "none": "requeued",
        "doomed": "requeued",
        "cancelled": "cancelled",
        "between": "cancelled",
        "unanswered": "unanswered",
        "warned": "requeued",
        "ended": "",
    }
    cluster.release()
    wait_for(lambda: all(one.begun.read_text() == "\n1\n" for one in back), 30, "the second attempts")
    assert all(one.begun.read_text() == "\n" for one in away)
    cluster.cancel_all()


def test_a_preemption_that_cancels_is_told_from_scancel(
    cluster: VirtualCluster, tmp_path: Path, cache_dir: Path
) -> None:
    """Without a grace time nobody can requeue its jobs; ``status`` names it afterwards, and resume."""
    run = ClusterRun(tmp_path, environment_of(cache_dir, cluster.environment))
    folder = RunFolder(run.output)
    freeze(folder, record_of(2, 1), lambda one: cut_shards(TASK, plan_order(one.tasks[0], 1), size=1))
    record = SubmissionRecord(options={}, profile=ClusterProfile(), code="", folder="/", workers=2, submitted=0.0)
    submission = freeze_submission(ClusterFolder(run.output), record, folder.shards)
    sbatch = ("sbatch", "--parsable", "-p", "doomed0", "-o", "/dev/null", "--wrap", "sleep 60")
    jobs = [cluster.run(*sbatch).strip() for _ in range(2)]
    submission.write_jobs(Jobs(tuple(Array(job, slot, 1) for slot, job in enumerate(jobs))))
    wait_for(lambda: [state for _, state, *_ in cluster.jobs()] == ["RUNNING"] * 2, 30, "the jobs")
    cluster.run("scancel", jobs[1])
    wait_for(lambda: len(cluster.jobs()) == 1, 30, "the end of one")
    assert "preemption" not in run.command("status", str(run.output)).stdout
    push_out(cluster)
    wait_for(lambda: jobs[0] not in [job for job, *_ in cluster.jobs()], 30, "the end of the other")
    status = run.command("status", str(run.output)).stdout
    assert "SLURM ended 1 of them by a preemption that requeues none (PreemptMode=CANCEL)." in status, status
    assert f"turnwise resume {run.output} goes on" in status
    cluster.cancel_all()


# A container without SLURM's commands.
NO_SLURM = "env PATH=/usr/sbin:/sbin"


def _run_of(cluster: VirtualCluster, tmp_path: Path, cache_dir: Path, partition: str, delay: float) -> ClusterRun:
    """Submit a run whose workers give way, and wait for its first shards."""
    run = ClusterRun(tmp_path, environment_of(cache_dir, cluster.environment), delay=delay)
    done = run.submit(partition=partition, container=NO_SLURM)
    assert done.returncode == 0, done.stderr
    wait_for(lambda: run.committed() >= 2, 60, "the first shards")
    return run


@pytest.mark.long
def test_a_run_that_is_told_to_give_way_goes_on(cluster: VirtualCluster, tmp_path: Path, cache_dir: Path) -> None:
    """By TERM alone, from a container that lacks scontrol: workers save, come back, and finish the run.

    They are billed as requeued.
    """
    run = _run_of(cluster, tmp_path, cache_dir, "low", 0.4)
    push_out(cluster)
    wait_for(lambda: len(run.ends()) == 2, 60, "the workers to be pushed out")
    assert run.ends() == ["requeued"] * 2
    wait_for_end(cluster)
    assert run.repeated_calls() <= 8
    causes = [one.cause for one in read_attempts(ClusterFolder(run.output), 0.0) if "-sample-" in one.worker]
    assert sorted(causes) == ["ended", "ended", "requeued", "requeued"]
    assert_equal_runs(run.output, run.on_one_machine())


@pytest.mark.long
@pytest.mark.parametrize("partition", ["low0", "low60", "doomed"])
def test_any_grace_time_will_do(cluster: VirtualCluster, tmp_path: Path, cache_dir: Path, partition: str) -> None:
    """None, one that the workers do not need, and one after which SLURM would cancel the job."""
    run = _run_of(cluster, tmp_path, cache_dir, partition, 1.0)
    push_out(cluster)
    wait_for(lambda: len(run.ends()) == 2, 60, "the workers to be pushed out")
    wait_for_end(cluster)
    assert run.repeated_calls() <= 8
    assert_equal_runs(run.output, run.on_one_machine())


@pytest.mark.long
@pytest.mark.parametrize("warns", [True, False], ids=["warned", "told to end"])
def test_what_is_cancelled_in_its_grace_time_stays_away(tmp_path: Path, cache_dir: Path, warns: bool) -> None:
    """Whether its worker still saves or has been requeued; ``status`` names resume, which goes on."""
    with VirtualCluster(warns_preempted=warns) as own:
        run = _run_of(own, tmp_path, cache_dir, "low60", 1.0)
        push_out(own)
        wait_for(lambda: any(one["PreemptTime"] != "None" for one in _facts(own)), 30, "the preemption")
        assert "Cancelled" in run.command("cancel", str(run.output)).stdout
        wait_for_end(own)
        assert {event.restarts for event in run.events("start")} == {0}  # a requeued one was cancelled as it waited
        assert f"turnwise resume {run.output} goes on" in run.command("status", str(run.output)).stdout
        assert run.command("resume", str(run.output)).returncode == 0
        wait_for_end(own)
        assert_equal_runs(run.output, run.on_one_machine())


def _facts(cluster: VirtualCluster) -> list[dict[str, str]]:
    said = cluster.run("scontrol", "show", "job", "--oneliner").splitlines()
    known = [dict(part.split("=", 1) for part in line.split() if "=" in part) for line in said]
    return [{"PreemptTime": "None", **facts} for facts in known]
