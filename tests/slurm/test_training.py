"""A fine-tuning as one job of a real SLURM: whatever happens to it, the weights are those of an uninterrupted one."""

import importlib.util
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster_run import environment_of, wait_for_end
from training_run import STEPS, Training
from virtual_cluster import VirtualCluster, wait_for

from turnwise.commands.status import cancel_command
from turnwise.commands.submit_training import submit_training_command
from turnwise.commands.training_options import RftJobOptions
from turnwise.commands.trainings import RftTraining
from turnwise.errors import TurnwiseError
from turnwise.records.choices import ClusterKind
from turnwise.slurm.status import read_ends
from turnwise.slurm.submission import ClusterFolder

pytestmark = [pytest.mark.slurm, pytest.mark.slow, pytest.mark.xdist_group("slurm")]


@pytest.fixture
def training(
    cluster: VirtualCluster, tmp_path: Path, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Training]]:
    """Return a function that makes a training on the cluster; its job is ended with the test."""
    for name in ("SLURM_CONF", "PATH"):  # for what is asked in this process
        monkeypatch.setenv(name, cluster.environment[name])

    def make(**options: Any) -> Training:
        return Training(tmp_path, environment_of(cache_dir, cluster.environment), **options)

    yield make
    cluster.cancel_all()


def test_a_training_that_is_warned_comes_back(cluster: VirtualCluster, training: Callable[..., Training]) -> None:
    """It saves, is requeued and goes on, making no step again; each stage shows in ``status``.

    So does what kill -9 did to the trainer before, which went on from its checkpoint in the same job. Meanwhile nobody
    submits it again.
    """
    one = training(delay=0.25)
    one.environment["TURNWISE_TEST_CRASH"] = "8"
    done = one.submit()
    assert done.returncode == 0, done.stderr
    (job,) = [job for job, *_ in cluster.jobs()]
    assert f"Submitted: job {job} trains" in done.stdout and f"turnwise status {one.output}" in done.stdout
    wait_for(lambda: len(one.steps()) >= 10, 60, "steps after the crash")
    running = one.document()
    assert (running["state"], running["requeued"]) == ("running", 0)
    assert running["node"].startswith("node") and 10 <= running["step"] < STEPS
    assert [error["status"] for error in running["errors"]] == [-signal.SIGKILL]
    cluster.run("scancel", "--signal=USR2", job)  # as SLURM's --signal does
    wait_for(lambda: "PENDING" in [state for _, state, *_ in cluster.jobs()], 30, "the job to be requeued")
    stopped = one.steps()[-1]
    assert f"Job {job}: queued (BeginTime), requeued 1 time(s)" in one.status()
    again = one.submit()
    assert again.returncode == 2 and f"1 jobs of '{one.output}' are still there" in again.stderr
    wait_for_end(cluster)
    assert one.steps() == list(range(1, STEPS + 1)) and one.is_whole() and stopped < STEPS
    assert one.begun() == [0, 1] and list(read_ends(ClusterFolder(one.output)).values()) == ["requeued"]
    status = one.status()
    assert f"Training: step {STEPS} of {STEPS}, loss 0.025" in status
    assert f"Job {job}: done, requeued 1 time(s)" in status and "ended" in status and "requeued;" not in status


@pytest.mark.long
def test_a_reinforcement_learning_that_is_warned_comes_back(
    cluster: VirtualCluster, training: Callable[..., Training]
) -> None:
    """It ends the iteration at hand, saves, is requeued and goes on; ``status`` counts its iterations."""
    one = training(delay=0.25, method="rlef")
    done = one.submit()
    assert done.returncode == 0, done.stderr
    (job,) = [job for job, *_ in cluster.jobs()]
    wait_for(lambda: len(one.steps()) >= 3, 60, "the first iterations")
    cluster.run("scancel", "--signal=USR2", job)
    wait_for(lambda: "PENDING" in [state for _, state, *_ in cluster.jobs()], 30, "the job to be requeued")
    stopped = one.steps()[-1]
    assert f"Training: iteration {stopped} of {STEPS}, 25.0% of dialogues solved" in one.status()
    assert one.document()["checkpoints"] == [stopped]
    wait_for_end(cluster)
    assert one.steps() == list(range(1, STEPS + 1)) and one.is_whole() and stopped < STEPS
    assert one.begun() == [0, 1] and one.document()["state"] == "done"


@pytest.mark.long
def test_a_training_on_a_node_that_is_lost_comes_back(
    cluster: VirtualCluster, training: Callable[..., Training]
) -> None:
    """SLURM requeues it, and it goes on from its latest whole checkpoint."""
    one = training(delay=0.25)
    assert one.submit().returncode == 0
    wait_for(lambda: len(one.steps()) >= 7, 60, "the first checkpoint")
    number = next(node for _, state, node, _ in cluster.jobs() if state == "RUNNING").removeprefix("node")
    cluster.cut_power(int(number))
    wait_for(lambda: cluster.idle_nodes() < cluster.nodes, 60, "SLURM to see it")
    cluster.start_node(int(number))
    wait_for_end(cluster)
    assert one.is_whole() and one.begun() == [0, 1]
    assert one.document()["state"] == "done" and one.document()["requeued"] == 1


def test_a_cancelled_training_goes_on_with_resume(cluster: VirtualCluster, training: Callable[..., Training]) -> None:
    """With a checkpoint of the step at hand; the job stays away until then.

    A dry run before has printed its script. One that the trainer refuses fails at once, with its sentence.
    """
    one = training(delay=0.25)
    planned = one.submit("--dry-run").stdout
    assert not one.output.exists() and "Steps: as many as the test says." in planned
    assert one.submit().returncode == 0
    (path,) = one.output.glob("cluster/submissions/0001/jobs/train/*_submission.sh")
    assert path.read_text().strip() in planned
    wait_for(lambda: len(one.steps()) > 2, 30, "the first steps")
    assert "Cancelled" in cancel_command(one.output)
    wait_for(lambda: not cluster.jobs(), 30, "the job to end")
    saved = one.steps()[-1]
    goes_on = f"turnwise resume {one.output} goes on from step {saved}"
    assert goes_on in one.status() and "cancelled" in one.status()
    assert one.command("resume", "out", TURNWISE_TEST_REFUSAL="2").returncode == 0
    wait_for_end(cluster)
    status = one.status()
    assert ": failed: turnwise: the model is not there: mend -a model=." in status and goes_on in status
    assert one.begun() == [0, 0]  # of each job once
    profile = one.folder / "short.yaml"
    profile.write_text("partition: short\ntime_minutes: 40\n")
    options = RftJobOptions(output_path=one.output, cluster=ClusterKind.SLURM, cluster_profile=profile)
    with pytest.raises(TurnwiseError, match="train jobs ask for 40 minutes, but partition 'short' allows 30"):
        submit_training_command(RftTraining(options, "", one.data), environ={})
    resumed = one.command("resume", "out", TURNWISE_TEST_DELAY="0")
    assert resumed.returncode == 0, resumed.stderr
    wait_for_end(cluster)
    assert one.steps() == list(range(1, STEPS + 1)) and one.is_whole()


@pytest.mark.long
@pytest.mark.skipif(
    importlib.util.find_spec("trl") is None, reason="trl is not installed: pip install 'turnwise[train]'"
)
def test_a_tiny_model_has_the_weights_of_an_uninterrupted_training(
    cluster: VirtualCluster, training: Callable[..., Training]
) -> None:
    """Trained for real: warned before its limit, then killed with its node, it is requeued both times."""
    one = training()
    line = one.train_for_real(steps=120)
    alone = one.command(*line, "-o", "alone", OMP_NUM_THREADS="1")
    assert alone.returncode == 0, alone.stderr
    one.arguments(environment={"OMP_NUM_THREADS": "1"})
    done = one.command(*line, "-o", "out", "--cluster", "slurm", "-p", "profile.yaml")
    assert done.returncode == 0, done.stderr
    wait_for(lambda: len(one.steps()) > 2, 60, "the first steps")
    (job,) = [job for job, *_ in cluster.jobs()]
    cluster.run("scancel", "--signal=USR2", job)
    wait_for(lambda: "PENDING" in [state for _, state, *_ in cluster.jobs()], 60, "the job to be requeued")
    stopped = one.steps()[-1]

    def has_gone_on() -> bool:
        cluster.release()
        return len(one.steps()) > stopped

    wait_for(has_gone_on, 60, "the second attempt")
    number = next(node for _, state, node, _ in cluster.jobs() if state == "RUNNING").removeprefix("node")
    cluster.cut_power(int(number))
    wait_for(lambda: cluster.idle_nodes() < cluster.nodes, 60, "SLURM to see it")
    cluster.start_node(int(number))
    wait_for_end(cluster)
    weights = [(one.folder / out / "checkpoint" / "model.safetensors").read_bytes() for out in ("alone", "out")]
    assert weights[0] == weights[1] and one.begun() == [0, 1, 2] and stopped < 120
    document = one.document()
    assert document["state"] == "done" and document["step"] == 120 and document["tokens_per_second"] > 0
    assert one.steps() == list(range(1, 121))
