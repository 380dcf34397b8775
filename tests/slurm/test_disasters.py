"""What else can happen to the jobs of a run, on a real SLURM; each takes a minute or so."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster_run import ClusterRun, Start, assert_equal_runs, environment_of, wait_for_end
from virtual_cluster import VirtualCluster, wait_for

pytestmark = [pytest.mark.slurm, pytest.mark.long, pytest.mark.xdist_group("slurm")]


def test_preempted_jobs_go_on(cluster: VirtualCluster, start: Start) -> None:
    """Jobs that a better partition pushes out save what they have, come back, and finish the run."""
    run = start(delay=0.5)
    assert run.submit(partition="low").returncode == 0
    wait_for(lambda: run.committed() >= 2, 60, "the first shards")
    cluster.run("sbatch", "-p", "high", "--exclusive", "-N4", "-o", "/dev/null", "--wrap", "sleep 5")
    wait_for(lambda: len(run.ends()) >= 2, 60, "the workers to be pushed out")
    assert run.ends() == ["requeued"] * 2
    wait_for_end(cluster)
    assert run.repeated_calls() <= 8
    assert_equal_runs(run.output, run.on_one_machine())


def test_a_time_limit_is_no_end(cluster: VirtualCluster, start: Start) -> None:
    """A worker warned before its time limit gives back what it has, is requeued, and goes on."""
    run = start(delay=2.0)
    assert run.submit(workers=1, time_minutes=1, warn_seconds=30).returncode == 0
    wait_for(run.ends, 120, "the warning")
    assert run.ends() == ["requeued"]
    assert run.committed() < 14
    wait_for_end(cluster, 400)
    assert run.repeated_calls() <= 4
    assert_equal_runs(run.output, run.on_one_machine())


def test_a_full_disk_is_named_and_gone_on_from(cluster: VirtualCluster, start: Start, tmpfs: Path) -> None:
    """Workers say that no space is left; with space, resume finishes the run."""
    run = start(delay=0.4, output=tmpfs / "run")
    assert run.submit().returncode == 0
    wait_for(lambda: run.committed() >= 2, 60, "the first shards")
    filler = tmpfs / "filler"
    with filler.open("wb", buffering=0) as file:
        while True:
            try:
                file.write(bytes(4096))
            except OSError:
                break
    wait_for_end(cluster)
    collected = run.command("collect", str(run.output))
    assert collected.returncode != 0
    logs = "".join(path.read_text() for path in run.output.glob("cluster/submissions/*/jobs/sample/*.out"))
    assert "No space left on device" in logs
    filler.unlink()
    assert run.command("resume", str(run.output)).returncode == 0
    wait_for_end(cluster)
    assert run.repeated_calls() <= 8  # those whose replies found no room
    assert_equal_runs(run.output, run.on_one_machine())


def test_of_two_submissions_at_once_one_is_refused(cluster: VirtualCluster, start: Start) -> None:
    """The second is told that the first is there; forced, both share the shards and no call is made twice."""
    run = start(delay=0.4)
    assert run.submit().returncode == 0
    refused = run.submit()
    assert refused.returncode == 2 and "are still there" in refused.stderr
    assert run.submit("--force").returncode == 0
    wait_for_end(cluster)
    assert run.repeated_calls() == 0
    assert_equal_runs(run.output, run.on_one_machine())


def test_a_restart_of_the_controller_changes_nothing(cluster: VirtualCluster, start: Start) -> None:
    """Jobs go on while slurmctld is away, and what waits begins after it; nobody submits them again meanwhile."""
    run = start(delay=0.4)
    assert run.submit().returncode == 0
    wait_for(lambda: run.committed() >= 2, 60, "the first shards")
    cluster.stop_controller()
    away = run.command("status", str(run.output))
    assert away.returncode == 0 and "SLURM does not answer here" in away.stdout
    again = run.command("resume", str(run.output), "--cluster", "local")
    assert again.returncode == 2 and "SLURM does not say whether jobs of" in again.stderr
    cluster.start_controller()
    wait_for(lambda: cluster.idle_nodes() == cluster.nodes, 30, "the nodes")
    wait_for_end(cluster)
    assert run.repeated_calls() == 0
    assert_equal_runs(run.output, run.on_one_machine())


def test_without_accounting_the_workers_tell_what_was_billed(cluster: VirtualCluster, start: Start) -> None:
    """GPU-hours come from the workers' logs; cancel ends the run, and its jobs are named so."""
    run = start(delay=0.5)
    assert run.submit().returncode == 0
    wait_for(lambda: run.committed() >= 2, 60, "the first shards")
    said = run.command("status", str(run.output)).stdout
    assert "by the workers' logs" in said and "running" in said and "2 RUNNING" in said
    assert "Cancelled" in run.command("cancel", str(run.output)).stdout
    wait_for_end(cluster)
    assert "cancelled" in run.command("status", str(run.output)).stdout


def test_arrays_beyond_the_limit_are_split(tmp_path: Path, cache_dir: Path) -> None:
    """Where an array has at most two elements, five workers are three arrays."""
    with VirtualCluster(max_array=2) as small:
        run = ClusterRun(tmp_path, environment_of(cache_dir, small.environment))
        done = run.submit(workers=5)
        assert done.returncode == 0 and "5 sampling workers" in done.stdout, done.stderr
        wait_for_end(small)
        assert_equal_runs(run.output, run.on_one_machine())


@pytest.fixture
def tmpfs(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=12m", "turnwise-test", str(folder)]
    if os.getuid() or subprocess.run(command, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here: it takes root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
