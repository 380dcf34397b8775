"""The job of a training without a cluster: on this machine, as several processes, and what it refuses."""

import importlib.util
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from cluster_run import environment_of
from training_run import STEPS, Training
from virtual_cluster import wait_for

from turnwise.commands.collect import collect_command
from turnwise.commands.status import cancel_command, status_command
from turnwise.commands.submit import resume_command
from turnwise.commands.submit_training import check_no_job, submit_training_command, training_of
from turnwise.commands.training_options import RftJobOptions, RlefJobOptions
from turnwise.commands.training_worker import train_on
from turnwise.commands.trainings import RftTraining, RlefTraining
from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.records.choices import ClusterKind, EngineName
from turnwise.records.codec import to_json
from turnwise.slurm.events import CRASH, RANK, read_events
from turnwise.slurm.profile import ClusterProfile
from turnwise.slurm.signals import NeverStop
from turnwise.slurm.submission import ClusterFolder, Jobs, Submission, SubmissionRecord, freeze_submission

ACCELERATE = "compute_environment: LOCAL_MACHINE\ndistributed_type: MULTI_GPU\nnum_machines: 1\nmixed_precision: 'no'\n"


@pytest.fixture
def training(tmp_path: Path, cache_dir: Path) -> Training:
    """A training that is not begun."""
    return Training(tmp_path, environment_of(cache_dir))


def _submitted(folder: Path, *, gpus: int = 1) -> Submission:
    """Return the submission of a training of data that lie where they lay."""
    data = folder / "data"
    data.mkdir()
    (data / "report.json").write_text("{}")
    options = RftJobOptions(output_path=folder / "out", cluster=ClusterKind.LOCAL)
    record = SubmissionRecord(
        options=to_json(RftTraining(options, "turnwise rft", data)),
        profile=ClusterProfile(gpus=gpus),
        code="0",
        folder=str(folder),
        workers=1,
        submitted=time.time(),
        trains=True,
        steps=STEPS,
        data_sha256=sha256(b"{}").hexdigest(),
    )
    return freeze_submission(ClusterFolder(folder / "out"), record, [])


def test_the_job_can_run_on_this_machine(training: Training) -> None:
    """Stopped by Ctrl-C it keeps a checkpoint of the step at hand, and resume makes no step again.

    It trains on the frozen copy of its data, whatever becomes of these.
    """
    training.environment["TURNWISE_TEST_DELAY"] = "0.2"
    process = training.start_local()
    wait_for(lambda: len(training.steps()) >= 2, 30, "the first steps")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130 and "Traceback" not in said
    assert f"Stopped: turnwise resume {training.output} goes on from step {training.steps()[-1]}." in said
    assert "The training on this machine: told to end" in training.status()
    shutil.rmtree(training.data)
    done = training.command("resume", "out", TURNWISE_TEST_DELAY="0")
    assert done.returncode == 0 and f"all {STEPS} steps are made" in done.stdout, done.stderr
    assert training.steps() == list(range(1, STEPS + 1)) and training.is_whole()
    assert "The training on this machine: done" in training.status()
    shown = training.command("status", "out", "--json")
    assert json.loads(shown.stdout) == training.document() and training.document()["state"] == "done"


def test_a_reinforcement_learning_can_be_a_job_on_this_machine(tmp_path: Path, cache_dir: Path) -> None:
    """As a fine-tuning: its steps are iterations, and it trains on frozen copies of what its options name."""
    training = Training(tmp_path, environment_of(cache_dir), delay=0.2, method="rlef")
    process = training.start_local()
    wait_for(lambda: len(training.steps()) >= 2, 30, "the first iterations")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130 and "Traceback" not in said, said
    assert f"Stopped: turnwise resume {training.output} goes on from iteration {training.steps()[-1]}." in said
    status = training.status()
    assert f"Training: iteration {training.steps()[-1]} of {STEPS}, 25.0% of dialogues solved, 0.2 s an it" in status
    assert f"Checkpoints: of iteration {training.steps()[-1]}." in status
    training.benchmark.unlink()
    done = training.command("resume", "out", TURNWISE_TEST_DELAY="0")
    assert done.returncode == 0 and f"all {STEPS} iterations are made" in done.stdout, done.stderr
    assert training.steps() == list(range(1, STEPS + 1)) and training.is_whole()
    frozen = re.findall("Frozen: (.*)", said + done.stderr)
    assert len(frozen) == 2 and all(f"{training.output}/cluster/inputs/" in path for path in frozen)
    document = training.document()
    assert (document["iteration"], document["iterations"], document["solved"]) == (STEPS, STEPS, 0.25)
    assert (document["state"], document["checkpoints"][-1]) == ("done", STEPS)


def test_several_processes_are_started_by_accelerate(training: Training, tmp_path: Path) -> None:
    """Both save and leave when they are told to, and say so through accelerate, which tells neither."""
    pytest.importorskip("accelerate", reason="accelerate is not installed: pip install 'turnwise[train]'")
    config = tmp_path / "hf" / "accelerate" / "default_config.yaml"
    config.parent.mkdir(parents=True)
    config.write_text(ACCELERATE)
    training.environment.update(TURNWISE_TEST_DELAY="0.2", TURNWISE_TEST_SLOW_SAVE="1", HF_HOME=str(tmp_path / "hf"))
    process = training.start_local(gpus=2)
    wait_for(lambda: len(training.steps()) >= 2, 60, "the first steps")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130 and "Traceback" not in said, said
    assert [event.status for event in training.events(RANK)] == [75, 75] and not training.events(CRASH)
    assert max(training.document()["checkpoints"]) == training.steps()[-1] < STEPS


@pytest.mark.long
@pytest.mark.skipif(
    importlib.util.find_spec("trl") is None, reason="trl is not installed: pip install 'turnwise[train]'"
)
def test_two_processes_train_a_tiny_model_as_a_job(training: Training, tmp_path: Path) -> None:
    """For real: told to stop at different moments they agree on a step, and save it."""
    pytest.importorskip("trl", reason="trl is not installed: pip install 'turnwise[train]'")
    line = training.train_for_real(steps=2000)
    config = tmp_path / "hf" / "accelerate" / "default_config.yaml"
    config.parent.mkdir(parents=True)
    config.write_text(ACCELERATE)
    training.environment["HF_HOME"] = str(tmp_path / "hf")
    training.arguments(gpus=2)
    command = [sys.executable, "-m", "turnwise", *line, "-o", "out", "--cluster", "local", "-p", "profile.yaml"]
    process = subprocess.Popen(command, env=training.environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: len(training.steps()) >= 2, 60, "the first steps")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 130 and "Traceback" not in said, said
    assert training.document()["checkpoints"][-1] == training.steps()[-1] < 2000
    assert [event.status for event in training.events(RANK)] == [75, 75] and not training.events(CRASH)


@pytest.mark.long
def test_a_tiny_model_learns_by_its_dialogues_as_a_job(training: Training, tmp_path: Path) -> None:
    """For real: stopped after an iteration it goes on, on the frozen benchmark, to the weights of one in one piece."""
    pytest.importorskip("torch", reason="torch is not installed: pip install 'turnwise[train]'")
    line = training.reinforce_for_real(iterations=6)
    alone = training.command(*line, "-o", "alone")
    assert alone.returncode == 0, alone.stderr
    training.arguments(environment={"OMP_NUM_THREADS": "1"})
    command = [sys.executable, "-m", "turnwise", *line, "-o", "out", "--cluster", "local", "-p", "profile.yaml"]
    process = subprocess.Popen(command, env=training.environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: len(training.steps()) >= 1, 300, "the first iteration")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 130 and "Traceback" not in said, said
    stopped = training.steps()[-1]
    assert f"goes on from iteration {stopped}" in said and stopped < 6
    training.benchmark.unlink()
    resumed = training.command("resume", "out")
    assert resumed.returncode == 0, resumed.stderr
    weights = [(tmp_path / out / "checkpoint" / "model.safetensors").read_bytes() for out in ("alone", "out")]
    assert weights[0] == weights[1] and training.steps() == [1, 2, 3, 4, 5, 6]
    assert training.document()["state"] == "done"


def test_processes_that_accelerate_does_not_start_are_missed(tmp_path: Path) -> None:
    """It starts a single one where it sees no two GPUs: said, instead of training with less than was asked for."""
    submission = _submitted(tmp_path, gpus=2)
    with pytest.raises(InfrastructureError, match=r"asks for 2 GPUs, but accelerate started 1 process\(es\)"):
        train_on(submission, stop=NeverStop(), environ={})
    (rank,) = read_events(submission.cluster.events("0001-train-0000"))
    assert (rank.event, rank.status) == (RANK, 3) and "mend gpus in the profile" in rank.log[0]


def test_data_that_were_changed_after_submission_are_refused(tmp_path: Path) -> None:
    """Or are gone; by the digest of their report."""
    submission = _submitted(tmp_path)
    assert training_of(submission).inputs() == {"data": tmp_path / "data"}
    (tmp_path / "data" / "report.json").write_text('{"another": 1}')
    with pytest.raises(TurnwiseError, match=r"data' are others than those that were submitted \(the sha256 of report"):
        train_on(submission, stop=NeverStop(), environ={})
    shutil.rmtree(tmp_path / "data")
    with pytest.raises(TurnwiseError, match="cannot be read"):
        training_of(submission)


def test_a_training_that_cannot_be_a_job_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below its own data, as one worker in this process, without SLURM or a folder; nothing is written then."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    data, out = tmp_path / "data", tmp_path / "out"
    data.mkdir()
    refused = {
        "inside of its data": RftJobOptions(output_path=data / "out", cluster=ClusterKind.LOCAL),
        "--cluster debug is for runs alone": RftJobOptions(output_path=out, cluster=ClusterKind.DEBUG),
        "SLURM does not answer here": RftJobOptions(output_path=out, cluster=ClusterKind.SLURM),
        "needs --output_path": RftJobOptions(cluster=ClusterKind.LOCAL),
    }
    for sentence, options in refused.items():
        with pytest.raises(TurnwiseError, match=sentence):
            submit_training_command(RftTraining(options, "", data), environ={})
    with pytest.raises(TurnwiseError, match="--cluster-profile is about a job"):
        check_no_job(RftJobOptions(output_path=out, cluster_profile=tmp_path / "profile.yaml"))
    engine = RlefJobOptions(output_path=out, cluster=ClusterKind.SLURM, engine=EngineName.SKYRL)
    with pytest.raises(TurnwiseError, match="--engine skyrl writes files for another trainer"):
        submit_training_command(RlefTraining(engine, ""), environ={})
    with pytest.raises(TurnwiseError, match="and turnwise rlef trains in this process"):
        submit_training_command(RlefTraining(replace(engine, cluster=ClusterKind.DEBUG), ""), environ={})
    assert list(tmp_path.iterdir()) == [data] and not list(data.iterdir())


def test_a_job_that_slurm_hides_keeps_others_from_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where squeue does not answer that is not the same as no job: for resume, another job, and training here."""
    submission, out = _submitted(tmp_path), tmp_path / "out"
    submission.write_jobs(Jobs(train="7"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.chdir(tmp_path)
    options = RftJobOptions(output_path=out, cluster=ClusterKind.LOCAL)
    hidden = "SLURM does not say whether jobs of .* are still there"
    with pytest.raises(TurnwiseError, match=hidden):
        resume_command(out, environ={})
    with pytest.raises(TurnwiseError, match=hidden):
        submit_training_command(RftTraining(options, "", tmp_path / "data"), environ={})
    with pytest.raises(TurnwiseError, match=hidden):
        check_no_job(RftJobOptions(output_path=out))
    with pytest.raises(TurnwiseError, match="cancel on a node that reaches it"):
        cancel_command(out)
    said = status_command(out)
    assert "SLURM does not answer here" in said and f"Training: step 0 of {STEPS}." in said
    assert "Job 7: unknown" in said and "comes back" not in said and "Checkpoints: none yet." in said


def test_a_training_is_told_apart_from_a_run(tmp_path: Path) -> None:
    """There is nothing to collect; and one that was never submitted is named."""
    _submitted(tmp_path)
    with pytest.raises(TurnwiseError, match="is a training, of which nothing is to be collected"):
        collect_command(tmp_path / "out", environ={})
    (tmp_path / "alone").mkdir()
    for method in ("rft", "rlef"):
        record = tmp_path / "alone" / f"{method}.json"
        record.write_text("{}")
        for command in (status_command, cancel_command):
            with pytest.raises(TurnwiseError, match=f"was never submitted to a cluster: see turnwise {method} --clus"):
                command(tmp_path / "alone")
        record.unlink()
