"""``turnwise rft --cluster``: a fine-tuning as one job that comes back until it is done; and its ``resume``.

What is frozen below OUT/cluster is what ``turnwise submit`` freezes: the options with absolute paths, the profile, the
code, and the training data where they are not too large to copy. The digest of their report is kept in any case, and
the job compares it. All else in OUT is what training on one machine makes.
"""

import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from turnwise.commands.options import RftJobOptions
from turnwise.commands.rft import plan_job
from turnwise.commands.submissions import (
    StoppedError,
    check_limits,
    copy_inputs,
    one_at_a_time,
    refuse_if_queued,
)
from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.files import inside, read_whole
from turnwise.records.choices import ClusterKind
from turnwise.records.codec import from_json, reason_of, to_json
from turnwise.records.training import REPORT, checkpoints_in
from turnwise.slurm.cluster import Slurm, script_text, submit_training
from turnwise.slurm.freeze import code_digest, fetch_model, freeze_code, is_whole_input
from turnwise.slurm.profile import ClusterProfile, read_profile
from turnwise.slurm.queue import ClusterLimits, ask_limits
from turnwise.slurm.signals import Told
from turnwise.slurm.submission import TRAIN, ClusterFolder, Submission, SubmissionRecord, freeze_submission
from turnwise.slurm.supervisor import BAD_INPUT, JobFacts
from turnwise.slurm.training import TrainingSupervisor
from turnwise.training.fine_tuning.progress import read_progress

DATA = "data"


@dataclass(frozen=True, slots=True)
class FrozenTraining:
    """What a submission keeps of a training: the folder of its data, the options of ``turnwise rft``, and its line."""

    data: Path
    options: RftJobOptions
    command: str


def submit_training_command(training: FrozenTraining, *, environ: dict[str, str]) -> str:
    """Freeze a training and hand it to a cluster, or carry it out here as its job would; return what to print.

    Raises TurnwiseError for what the user got wrong, or if a job of it is still there.
    """
    if training.options.cluster is ClusterKind.DEBUG:
        raise TurnwiseError("--cluster debug is for runs alone: leave it out, and turnwise rft trains in this process.")
    if training.options.output_path is None:
        raise TurnwiseError("turnwise rft needs --output_path: the folder of the trained model.")
    profile = read_profile(training.options.cluster_profile)
    return _submit(_absolute(training), profile, environ)


def check_no_job(options: RftJobOptions) -> None:
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
    training = read_training(before)
    options = replace(
        training.options,
        output_path=before.cluster.run,
        cluster=cluster or training.options.cluster,
        force=force,
    )
    copy = before.inputs().get(DATA)
    data = copy if copy is not None and is_whole_input(copy) else training.data
    return _submit(replace(training, data=data, options=options), profile, environ)


def read_training(submission: Submission) -> FrozenTraining:
    """Return what a submission keeps of a training; raises TurnwiseError for anything else."""
    try:
        return from_json(FrozenTraining, submission.record.options)
    except ValueError as error:
        raise TurnwiseError(
            f"The options in its submission.json cannot be read ({reason_of(error)}): submit the training again."
        ) from None


def check_data(submission: Submission) -> Path:
    """Return the folder of a submission's training data; raises TurnwiseError if they are others than at submission."""
    frozen = submission.inputs().get(DATA)
    data = frozen or read_training(submission).data
    digest = _digest(data)
    if digest != submission.record.data_sha256:
        raise TurnwiseError(
            f"The training data {str(data)!r} are others than those that were submitted (the sha256 of {REPORT} was "
            f"{submission.record.data_sha256[:12]} and is {digest[:12]}): restore them."
        )
    return data


def _digest(data: Path) -> str:
    try:
        return sha256(read_whole(inside(data, REPORT), limit=2**26)).hexdigest()
    except OSError as error:
        raise TurnwiseError(
            f"The training data {str(data)!r} cannot be read ({reason_of(error)}): restore them."
        ) from None


def _absolute(training: FrozenTraining) -> FrozenTraining:
    """Return the training with paths that mean the same in its job."""
    options = replace(training.options, output_path=training.options.output.absolute())
    return replace(training, data=training.data.absolute(), options=options)


def _submit(training: FrozenTraining, profile: ClusterProfile, environ: dict[str, str]) -> str:
    options = training.options
    cluster = ClusterFolder(options.output)
    on_slurm = options.cluster is ClusterKind.SLURM
    found = ask_limits(profile, steps=(TRAIN,)) if on_slurm else None
    if found is not None and not options.dry_run:
        check_limits(found)
    if training.data.resolve() in (options.output.resolve(), *options.output.resolve().parents):
        raise TurnwiseError(
            f"The training would be written to {str(options.output)!r}, inside of its data {str(training.data)!r}: "
            "give another --output_path."
        )
    if not options.dry_run:
        refuse_if_queued(cluster, force=options.force)  # and once more below, when nobody else can submit it
    processes = max(1, profile.gpus)
    planned = plan_job(training.data, options, command=training.command, environ=environ, processes=processes)
    if options.dry_run:
        ends = "Nothing was submitted or written: the same line without --dry-run begins."
        return "\n".join([*planned.lines, *_dry_run_lines(cluster, profile, found), ends])
    for name, revision in planned.models if on_slurm else ():
        fetch_model(name, revision)
    with one_at_a_time(cluster):  # on this machine until the training ends
        refuse_if_queued(cluster, force=options.force)
        if read_progress(cluster.run, planned.steps).is_done:
            return f"Trained: all {planned.steps} steps are made and saved in {cluster.run}."
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
        inputs=copy_inputs(cluster, {DATA: training.data}),
        workers=1,
        submitted=time.time(),
        trains=True,
        steps=steps,
        data_sha256=_digest(training.data),
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
    told, output = Told(), submission.cluster.run
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in the background, where Ctrl-C is another's
        told.listen()
    else:
        told.listen(signal.SIGINT)
    supervisor = TrainingSupervisor.of(submission, JobFacts.of(environ), told, log=sys.stderr)
    status = supervisor.run()
    if status == 0:
        return f"Trained: all {submission.record.steps} steps are made and saved in {output}."
    goes_on = f"turnwise resume {output} goes on from step {max(checkpoints_in(output), default=0)}."
    if told.reason:
        raise StoppedError(f"Stopped: {goes_on}")
    failure = InfrastructureError if status != BAD_INPUT else TurnwiseError
    raise failure(f"The training ended with {status}: see the lines above; then {goes_on}")


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
