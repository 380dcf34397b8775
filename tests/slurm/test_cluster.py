"""Runs over a real SLURM: whatever happens to its jobs, the files are those of the run on one machine."""

import json
import os
import pwd
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from cluster_run import ANSWERS, PROFILE, ClusterRun, Start, assert_equal_runs, wait_for_end
from scale import TASK, record_of
from virtual_cluster import VirtualCluster, wait_for

from turnwise.records.run_folder import RunFolder, cut_shards, plan_order
from turnwise.runners.work import freeze
from turnwise.slurm.profile import ClusterProfile
from turnwise.slurm.submission import Array, ClusterFolder, Jobs, SubmissionRecord, freeze_submission

BUNDLED_PROMPTS = Path(__file__).resolve().parents[2] / "tasks" / "prompts" / "turnwise-2"

# One cluster for all of them, so one process of the test run.
pytestmark = [pytest.mark.slurm, pytest.mark.slow, pytest.mark.xdist_group("slurm")]


def _check_scripts(run: ClusterRun, planned: str) -> None:
    """Check that a dry run printed what was submitted, to the letter but for the jobs that are waited for."""
    sections = re.findall(r"==> (\w+)[^\n]* <==\n(.*?)\n(?=\n==>|Nothing was submitted)", planned, re.DOTALL)
    assert [step for step, _ in sections] == ["sample", "judge", "close"]
    for step, text in sections:
        (path,) = run.output.glob(f"cluster/submissions/0001/jobs/{step}/*_submission.sh")
        submitted = re.sub(r"(--dependency=\w+):[\d:]+", r"\1:JOBS", path.read_text())
        assert submitted.strip() == re.sub(r"SAMPLING_1|ALL_OF_THEM", "JOBS", text).strip()


def test_a_run_on_the_cluster_is_that_on_one_machine(cluster: VirtualCluster, start: Start) -> None:
    """Samplers, judges and the closing job make the same files, verdicts and scores; no call is made twice.

    A dry run before has printed their scripts.
    """
    run = start()
    planned = run.submit("--dry-run").stdout
    done = run.submit()
    assert done.returncode == 0, done.stderr
    assert "Submitted: 2 sampling workers" in done.stdout
    _check_scripts(run, planned)
    wait_for_end(cluster)
    calls = run.calls()
    assert set(calls.values()) == {1}
    assert (run.output / "scores.json").exists() and (run.output / "site" / "index.html").exists()
    assert_equal_runs(run.output, run.on_one_machine())
    again = run.submit()
    assert again.returncode == 0 and "Merged: 14 dialogues of 14 shards" in again.stdout


def test_a_power_cut_loses_nothing(cluster: VirtualCluster, start: Start) -> None:
    """A node that goes with all it runs: its shards are sampled elsewhere, and only calls in flight are repeated."""
    run = start(delay=0.4)
    assert run.submit().returncode == 0
    wait_for(lambda: run.committed() >= 2, 60, "the first shards")
    number = next(node for job, state, node, _ in cluster.jobs() if state == "RUNNING").removeprefix("node")
    cluster.cut_power(int(number))
    wait_for(lambda: cluster.idle_nodes() < cluster.nodes, 60, "SLURM to see it")
    cluster.start_node(int(number))
    wait_for_end(cluster)
    assert run.repeated_calls() <= 8  # those in flight on the node
    assert_equal_runs(run.output, run.on_one_machine())


def test_a_cancelled_run_goes_on_with_resume(cluster: VirtualCluster, start: Start) -> None:
    """After scancel no job comes back; submitted again, only what is missing is asked, and the files are the same."""
    run = start(delay=0.4)
    assert run.submit().returncode == 0
    wait_for(lambda: run.committed() >= 2, 60, "the first shards")
    cluster.cancel_all()
    assert 0 < run.committed() < 14
    status = run.command("status", str(run.output)).stdout
    assert f"no job comes back: turnwise resume {run.output} goes on" in status and "cancelled" in status
    answered = sum(run.calls().values())
    assert run.command("resume", str(run.output)).returncode == 0
    wait_for_end(cluster)
    assert answered and run.repeated_calls() <= 8  # those in flight: at most as many as dialogues were open
    assert_equal_runs(run.output, run.on_one_machine())


def test_files_that_the_options_name_may_change_after_submit(
    cluster: VirtualCluster, start: Start, tmp_path: Path
) -> None:
    """Prompts, strategy file and answers: the jobs spoil all of them before their workers begin; the run is whole."""
    run = start()
    prompts, strategy, answers = tmp_path / "prompts", tmp_path / "own.yaml", tmp_path / "answers.jsonl"
    shutil.copytree(BUNDLED_PROMPTS, prompts)
    strategy.write_text("turns:\n  - instruction: none\n  - feedback: failed_tests\n")
    shutil.copyfile(ANSWERS, answers)
    profile = tmp_path / "profile.yaml"
    spoil = [f"echo '{{{{ gone }}}}' > {prompts}/statement.j2", f"echo spoilt > {strategy}", f"rm -f {answers}"]
    profile.write_text(json.dumps({**PROFILE, "workers": 1, "setup": spoil}))
    options = ["-M", "replay", "-a", f"path={answers}", "-t", "sample_mbpp_plus_multiturn", "--workers", "1"]
    options += ["--prompts", str(prompts), "--strategy", strategy.name, "-o", str(run.output)]
    done = run.command("submit", *options, "-p", str(profile), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    wait_for_end(cluster)
    collected = run.command("collect", str(run.output))
    assert collected.returncode == 0, collected.stderr
    assert strategy.read_text() == "spoilt\n" and not answers.exists()
    again = run.command("resume", str(run.output))
    assert again.returncode == 0, again.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="jobs of two users take root")
def test_a_colleague_sees_the_jobs_of_the_owner(cluster: VirtualCluster, start: Start) -> None:
    """Whoever asks: the jobs of a submission are those of the user who made it."""
    run, owner = start(), pwd.getpwnam("nobody")
    folder, record = RunFolder(run.output), record_of(2, 1)
    freeze(folder, record, lambda one: cut_shards(TASK, plan_order(one.tasks[0], 1), size=1))
    submission = freeze_submission(
        ClusterFolder(run.output),
        SubmissionRecord(options={}, profile=ClusterProfile(), code="", folder="/", workers=1, submitted=0.0),
        folder.shards,
    )
    sbatch = ["sbatch", "--parsable", "--hold", "-o", "/dev/null", "--wrap", "true"]
    done = subprocess.run(
        sbatch, env=cluster.environment, cwd="/", user=owner.pw_uid, group=owner.pw_gid, capture_output=True, check=True
    )
    submission.write_jobs(Jobs((Array(done.stdout.decode().strip(), 0, 1),)))
    os.chown(submission.path, owner.pw_uid, owner.pw_gid)
    assert "Jobs: 1 PENDING (JobHeldUser)." in run.command("status", str(run.output)).stdout
    assert "Cancelled" in run.command("cancel", str(run.output)).stdout


# SLURM's own, after whose answer number {calls} the process that asked is gone.
KILLS_AFTER = """#!/bin/bash
sbatch=$(PATH={rest} type -p sbatch)
"$sbatch" "$@" || exit
echo >> {log}
(($(wc -l < {log}) < {calls})) || kill -9 $PPID
"""


@pytest.mark.parametrize("calls", [1, pytest.param(2, marks=pytest.mark.long), pytest.param(3, marks=pytest.mark.long)])
def test_jobs_of_a_submission_that_was_killed_are_known(
    cluster: VirtualCluster, start: Start, tmp_path: Path, calls: int
) -> None:
    """By kill -9 right after a job was accepted: it is shown, keeps others from submitting, and can be cancelled."""
    run, own = start(), tmp_path / "bin" / "sbatch"
    own.parent.mkdir()
    rest = cluster.environment["PATH"]
    own.write_text(KILLS_AFTER.format(rest=shlex.quote(rest), log=shlex.quote(str(tmp_path / "log")), calls=calls))
    own.chmod(0o755)
    killed = run.command("submit", *run.options, "-p", str(run.profile(workers=1)), PATH=f"{own.parent}:{rest}")
    assert killed.returncode == -9, killed.stderr
    status = run.command("status", str(run.output)).stdout
    assert "1 PENDING (JobHeldUser)" in status and f"turnwise cancel {run.output}, then" in status, status
    again = run.submit(workers=1)
    assert again.returncode == 2 and f"{calls} jobs of" in again.stderr and "are still there" in again.stderr
    assert "Cancelled" in run.command("cancel", str(run.output)).stdout
    wait_for(lambda: not cluster.jobs(), 30, "the jobs to be gone")
    resumed = run.command("resume", str(run.output))
    assert resumed.returncode == 0, resumed.stderr


def test_a_poison_shard_is_left_out_and_named(cluster: VirtualCluster, start: Start) -> None:
    """What kills its worker three times is left out; all else is done, and the report names it."""
    run = start(poison="sample_mbpp_plus/Sample/101")
    assert run.submit().returncode == 0
    wait_for_end(cluster)
    crashes = run.events("crash")
    assert crashes and all(event.status == -9 for event in crashes)
    collected = run.command("collect", str(run.output))
    assert collected.returncode == 3
    assert "left out after crashing three times" in collected.stderr
    status = run.command("status", str(run.output)).stdout
    assert "Sampling: 12 done, 0 running, 0 waiting, 2 poison of 14 shards." in status
    assert "crashed 3 times" in status and "SIGKILL" in status and "to see it again" in status
    assert run.committed() == 12
