"""``turnwise rft`` and ``rlef`` with ``--cluster``: a training as one job that comes back until it is done; ``resume``.

What is frozen below OUT/cluster is what ``turnwise submit`` freezes: the options with absolute paths, the profile, the
code, and what the options name (of rft the training data) where that is not too large to copy. The digest of rft's data
is kept in any case, and the job compares it. All else in OUT is what training on one machine makes.
"""

import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from turnwise.commands.submissions import (
    StoppedError,
    check_limits,
    copy_inputs,
    one_at_a_time,
    refuse_if_queued,
)
from turnwise.commands.training_options import RftJobOptions, RlefJobOptions
from turnwise.commands.training_status import UNITS, read_training_progress
from turnwise.commands.trainings import FrozenTraining, read_training
from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.records.choices import ClusterKind
from turnwise.records.codec import to_json
from turnwise.records.training import checkpoints_in
from turnwise.slurm.cluster import Slurm, script_text, submit_training
from turnwise.slurm.freeze import code_digest, fetch_model, freeze_code, is_whole_input
from turnwise.slurm.profile import ClusterProfile, read_profile
from turnwise.slurm.queue import ClusterLimits, ask_limits
from turnwise.slurm.signals import Told
from turnwise.slurm.submission import TRAIN, ClusterFolder, Submission, SubmissionRecord, freeze_submission
from turnwise.slurm.supervisor import BAD_INPUT, JobFacts
from turnwise.slurm.training import TrainingSupervisor


def submit_training_command(training: FrozenTraining, *, environ: dict[str, str]) -> str:
    """Freeze a training and hand it to a cluster, or carry it out here as its job would; return what to print.

    Raises TurnwiseError for what the user got wrong, or if a job of it is still there.
    """
    if training.options.cluster is ClusterKind.DEBUG:
        raise TurnwiseError(
            f"--cluster debug is for runs alone: leave it out, and turnwise {training.method} trains in this process."
        )
    if training.options.output_path is None:
        raise TurnwiseError(f"turnwise {training.method} needs --output_path: the folder of the trained model.")
    profile = read_profile(training.options.cluster_profile)
    return _submit(training.absolute(), profile, environ)


def check_no_job(options: RftJobOptions | RlefJobOptions) -> None:
    """Raise TurnwiseError where a job trains in the folder of ``options``, which are to train in this process."""
    if options.cluster_profile is not None:
        raise TurnwiseError("--cluster-profile is about a job: give --cluster slurm or local, or leave it out.")
    if options.output_path is not None:
        refuse_if_queued(ClusterFolder(options.output.absolute()), force=options.force)


def resume_training(
    before: Submission,
    *,
    environ: dict[str, str],
    cluster: ClusterKind | None,
    profile: ClusterProfile,
    force: bool,
) -> str:
    """Submit a training again, which goes on from its latest checkpoint; return what to print."""
    whole = {name: path for name, path in before.inputs().items() if is_whole_input(path)}
    training = read_training(before).with_inputs(whole)
    return _submit(training.at(before.cluster.run, cluster=cluster, force=force), profile, environ)


def training_of(submission: Submission) -> FrozenTraining:
    """Return the training of a submission on what it froze; raises TurnwiseError for other data than at submission."""
    training = read_training(submission).with_inputs(submission.inputs())
    training.check_data(submission.record.data_sha256)
    return training


def _submit(training: FrozenTraining, profile: ClusterProfile, environ: dict[str, str]) -> str:
    options = training.options
    cluster = ClusterFolder(options.output)
    on_slurm = options.cluster is ClusterKind.SLURM
    found = ask_limits(profile, steps=(TRAIN,)) if on_slurm else None
    if found is not None and not options.dry_run:
        check_limits(found)
    if not options.dry_run:
        refuse_if_queued(cluster, force=options.force)  # and once more below, when nobody else can submit it
    processes = max(1, profile.gpus)
    planned = training.plan(environ=environ, processes=processes)
    if options.dry_run:
        ends = "Nothing was submitted or written: the same line without --dry-run begins."
        return "\n".join([*planned.lines, *_dry_run_lines(cluster, profile, found), ends])
    for name, revision in planned.models if on_slurm else ():
        fetch_model(name, revision)
    with one_at_a_time(cluster):  # on this machine until the training ends
        refuse_if_queued(cluster, force=options.force)
        if read_training_progress(training.method, cluster.run, planned.steps).is_done:
            return _trained(training.method, planned.steps, cluster.run)
        submission = _freeze(cluster, training, profile, planned.steps)
        if on_slurm:
            return _describe(submission, submit_training(submission, Slurm()))
        return _train_here(submission, environ)


def _freeze(cluster: ClusterFolder, training: FrozenTraining, profile: ClusterProfile, steps: int) -> Submission:
    code = freeze_code(cluster.code)
    record = SubmissionRecord(
        options=to_json(training),
        profile=profile,
        code=code.name,
        folder=str(Path.cwd()),
        inputs=copy_inputs(cluster, training.inputs()),
        workers=1,
        submitted=time.time(),
        trains=True,
        method=training.method,
        steps=steps,
        data_sha256=training.digest(),
    )
    return freeze_submission(cluster, record, [])


def _describe(submission: Submission, job: str) -> str:
    output, profile = submission.cluster.run, submission.record.profile
    return "\n".join(
        [
            f"Submitted: job {job} trains on {profile.gpus} GPU(s) and {profile.cpus} cores of one node, "
            f"{profile.time_minutes} minutes at a time.",
            f"Watch: turnwise status {output}",
        ]
    )


def _train_here(submission: Submission, environ: dict[str, str]) -> str:
    """Carry the job out on this machine."""
    told, output, record = Told(), submission.cluster.run, submission.record
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in the background, where Ctrl-C is another's
        told.listen()
    else:
        told.listen(signal.SIGINT)
    supervisor = TrainingSupervisor.of(submission, JobFacts.of(environ), told, log=sys.stderr)
    status = supervisor.run()
    if status == 0:
        return _trained(record.method, record.steps, output)
    saved = max(checkpoints_in(output), default=0)
    goes_on = f"turnwise resume {output} goes on from {UNITS[record.method]} {saved}."
    if told.reason:
        raise StoppedError(f"Stopped: {goes_on}")
    failure = InfrastructureError if status != BAD_INPUT else TurnwiseError
    raise failure(f"The training ended with {status}: see the lines above; then {goes_on}")


def _trained(method: str, steps: int, output: Path) -> str:
    return f"Trained: all {steps} {UNITS[method]}s are made and saved in {output}."


def _dry_run_lines(cluster: ClusterFolder, profile: ClusterProfile, found: ClusterLimits | None) -> Iterator[str]:
    yield (
        f"Job: one, on one node with {profile.gpus} GPU(s), {profile.cpus} cores and {profile.memory_gb:g} GB, "
        f"{profile.time_minutes} minutes at a time; it comes back until the training is done."
    )
    if found is None:
        return
    if not found.answers:
        yield "SLURM does not answer here: its limits are not checked."
    yield from (f"SLURM would refuse: {problem}." for problem in found.problems)
    folder = cluster.submission(max(cluster.submissions(), default=0) + 1) / "jobs" / TRAIN
    text = script_text(profile, TRAIN, folder, cluster=cluster, code=cluster.code / code_digest(), count=None)
    yield f"\n==> {TRAIN} <==\n{text}"
