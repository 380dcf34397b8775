"""The job of a training without a cluster: on this machine, as several processes, and what it refuses."""

import json
import shutil
import signal
from pathlib import Path

import pytest
from cluster_run import environment_of
from training_run import STEPS, Training
from virtual_cluster import wait_for

from turnwise.commands.submit_training import check_data
from turnwise.errors import TurnwiseError
from turnwise.slurm.events import CRASH, FAILED, RANK
from turnwise.slurm.submission import ClusterFolder, Jobs, Submission

ACCELERATE = "compute_environment: LOCAL_MACHINE\ndistributed_type: MULTI_GPU\nnum_machines: 1\nmixed_precision: 'no'\n"


@pytest.fixture
def training(tmp_path: Path, cache_dir: Path) -> Training:
    """A training that is not begun."""
    return Training(tmp_path, environment_of(cache_dir))


def test_the_job_can_run_on_this_machine(training: Training) -> None:
    """Stopped by Ctrl-C it keeps a checkpoint of the step at hand, and resume makes no step again."""
    training.environment["TURNWISE_TEST_DELAY"] = "0.2"
    process = training.start_local()
    wait_for(lambda: len(training.steps()) >= 2, 30, "the first steps")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130 and "turnwise resume" in said and "Traceback" not in said
    assert "The training on this machine: told to end" in training.status()
    done = training.command("resume", "out", TURNWISE_TEST_DELAY="0")
    assert done.returncode == 0 and f"all {STEPS} steps are made" in done.stdout, done.stderr
    assert training.steps() == list(range(1, STEPS + 1)) and training.is_whole()
    assert "The training on this machine: done" in training.status()
    assert training.command("cancel", "out").returncode == 0


def test_several_processes_are_started_by_accelerate(training: Training, tmp_path: Path) -> None:
    """Both save and leave when they are told to, and say so through accelerate, which tells neither."""
    config = tmp_path / "hf" / "accelerate" / "default_config.yaml"
    config.parent.mkdir(parents=True)
    config.write_text(ACCELERATE)
    training.environment.update(TURNWISE_TEST_DELAY="0.2", TURNWISE_TEST_SLOW_SAVE="1", HF_HOME=str(tmp_path / "hf"))
    process = training.start_local(gpus=2)
    wait_for(lambda: len(training.steps()) >= 2, 60, "the first steps")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130 and "Traceback" not in said, said
    assert [event.status for event in training.events(RANK)] == [75, 75]
    assert max(training.document()["checkpoints"]) == training.steps()[-1] < STEPS
    refused = training.command("resume", "out", TURNWISE_TEST_REFUSAL="2")
    assert refused.returncode == 2, refused.stderr
    assert training.events(FAILED)[-1].log == ("turnwise: the model is not there: mend -a model=.",)
    assert not training.events(CRASH)


def test_processes_that_accelerate_does_not_start_are_missed(training: Training, tmp_path: Path) -> None:
    """It starts a single one where it sees no two GPUs: said, instead of training with less than was asked for."""
    training.environment["HF_HOME"] = str(tmp_path / "hf")
    done = training.command(*training.arguments("--cluster", "local", gpus=2))
    assert done.returncode == 3 and "asks for 2 GPUs, but accelerate started 1 process(es)" in done.stderr
    assert not training.steps()


def test_data_that_were_changed_after_submission_are_refused(training: Training) -> None:
    """Those that were too large to copy; of others the frozen copy is trained on, and a damaged one is refused."""
    assert training.command(*training.arguments("--cluster", "local")).returncode == 0
    (training.data / "report.json").write_text('{"another": 1}')
    submission = Submission(ClusterFolder(training.output), 1)
    copy = check_data(submission)
    assert (copy / "report.json").read_text() == "{}"
    record = json.loads((submission.path / "submission.json").read_text())
    (submission.path / "submission.json").write_text(json.dumps({**record, "inputs": {}}))
    with pytest.raises(TurnwiseError, match=r"data' are others than those that were submitted \(the sha256 of report"):
        check_data(Submission(ClusterFolder(training.output), 1))
    shutil.rmtree(training.data)
    with pytest.raises(TurnwiseError, match="cannot be read"):
        check_data(Submission(ClusterFolder(training.output), 1))


def test_a_training_that_cannot_be_a_job_is_refused(training: Training) -> None:
    """Below its own data, as one worker in this process, or without SLURM; nothing is written then."""
    (training.folder / "bin").mkdir()
    lines = {
        "inside of its data": training.arguments("--cluster", "local", "-o", "data/out"),
        "--cluster debug is for runs alone": training.arguments("--cluster", "debug"),
        "SLURM does not answer here": training.arguments("--cluster", "slurm"),
    }
    for sentence, line in lines.items():
        done = training.command(*line, PATH=str(training.folder / "bin"))
        assert done.returncode == 2 and sentence in done.stderr and "Traceback" not in done.stderr, done.stderr
        assert not training.output.exists() and not (training.data / "out").exists()


def test_a_training_has_nothing_to_be_collected(training: Training) -> None:
    """Which is told apart from a run."""
    assert training.command(*training.arguments("--cluster", "local")).returncode == 0
    done = training.command("collect", "out")
    assert done.returncode == 2 and "is a training" in done.stderr


def test_a_job_that_slurm_hides_keeps_others_from_submitting(training: Training) -> None:
    """Where squeue does not answer that is not the same as no job, for resume and for training here."""
    assert training.command(*training.arguments("--cluster", "local")).returncode == 0
    Submission(ClusterFolder(training.output), 1).write_jobs(Jobs(train="7"))
    (training.folder / "bin").mkdir()
    here = ["rft", "data", "-M", "hf", "-a", "model=m", "-o", "out"]
    for command in (["resume", "out"], [*here, "--cluster", "local"], here):
        done = training.command(*command, PATH=str(training.folder / "bin"))
        assert done.returncode == 2 and "SLURM does not say whether jobs of" in done.stderr, done.stderr
    status = training.command("status", "out", PATH=str(training.folder / "bin")).stdout
    assert "SLURM does not answer here" in status and "Job 7: done" in status
