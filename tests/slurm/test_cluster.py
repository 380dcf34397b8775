"""Runs over a real SLURM: whatever happens to its jobs, the files are those of the run on one machine."""

import re

import pytest
from cluster_run import ClusterRun, Start, assert_equal_runs, wait_for_end
from virtual_cluster import VirtualCluster, wait_for

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


def test_a_poison_shard_is_left_out_and_named(cluster: VirtualCluster, start: Start) -> None:
    """What kills its worker three times is left out; all else is done, and the report names it."""
    run = start(poison="sample_mbpp_plus/Sample/101")
    assert run.submit().returncode == 0
    wait_for_end(cluster)
    crashes = run.events("crash")
    assert crashes and all(event["status"] == -9 for event in crashes)
    collected = run.command("collect", str(run.output))
    assert collected.returncode == 3
    assert "left out after crashing three times" in collected.stderr
    status = run.command("status", str(run.output)).stdout
    assert "Sampling: 12 done, 0 running, 0 waiting, 2 poison of 14 shards." in status
    assert "crashed 3 times" in status and "SIGKILL" in status and "to see it again" in status
    assert run.committed() == 12
