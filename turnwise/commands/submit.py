"""``turnwise submit``: a run carried out by workers on a cluster, or by a pool of them on this machine."""

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from turnwise.commands.collect import collect_command
from turnwise.commands.models import describe_model
from turnwise.commands.run import RunRequest, command_line, open_job
from turnwise.commands.worker import freeze_request, work_on
from turnwise.errors import TurnwiseError
from turnwise.runners.sampling import Job
from turnwise.runners.work import freeze
from turnwise.slurm.cluster import Accepted, submit_jobs, submit_to_slurm
from turnwise.slurm.freeze import freeze_code
from turnwise.slurm.layout import JUDGE, SAMPLE, ClusterFolder
from turnwise.slurm.local import run_locally
from turnwise.slurm.plan import cut_by_tokens, dialogue_tokens, longest_first
from turnwise.slurm.profile import ClusterProfile
from turnwise.slurm.queue import queued_jobs
from turnwise.slurm.submission import Submission, SubmissionRecord, freeze_submission
from turnwise.slurm.supervisor import Told
from turnwise.slurm.todo import unfinished_shards
from turnwise.slurm.worker import NeverStop
from turnwise.tasks.run_folder import RunFolder, RunRecord

CLUSTERS = ("slurm", "local", "debug")


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """The options of ``turnwise submit`` beside those of ``turnwise run``."""

    cluster: str
    profile: ClusterProfile
    force: bool = False


def submit_command(
    request: RunRequest, *, options: ClusterOptions, environ: dict[str, str], arguments: Sequence[str]
) -> str:
    """Freeze the run and hand it to a cluster, or carry it out here; return what to print.

    Raises TurnwiseError for what the user got wrong, or if jobs of this run are still there.
    """
    if options.cluster not in CLUSTERS:
        raise TurnwiseError(f"--cluster is {options.cluster!r}: choose one of {', '.join(CLUSTERS)}.")
    request = _absolute(request)
    cluster = ClusterFolder(request.output)
    with open_job(
        request,
        environ=environ,
        command=command_line(arguments),
        stand_in=lambda back_end: describe_model(back_end, request.model_args, environ),
    ) as (job, machine):
        record = job.to_record(machine)
        with _one_at_a_time(cluster):
            _refuse_if_queued(cluster, force=options.force)
            submission = _freeze(cluster, job, record, request, options)
    if submission is None:
        return collect_command(request.output)
    return _start(submission, environ)


def _absolute(request: RunRequest) -> RunRequest:
    """Return the request with paths that mean the same in every job."""
    host = request.host
    data_dir = host.data_dir.absolute() if host.data_dir is not None else None
    prompts = request.prompts.absolute() if request.prompts is not None else None
    return replace(request, output=request.output.absolute(), prompts=prompts, host=replace(host, data_dir=data_dir))


@contextmanager
def _one_at_a_time(cluster: ClusterFolder) -> Iterator[None]:
    """Let one process at a time freeze a submission."""
    cluster.path.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(cluster.path / "submitting", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise TurnwiseError(
            f"Another process is submitting {str(cluster.run)!r}: wait until it has, then see turnwise status."
        ) from None
    try:
        yield
    finally:
        os.close(descriptor)


def _refuse_if_queued(cluster: ClusterFolder, *, force: bool) -> None:
    for number in () if force else cluster.submissions():
        submission = Submission(cluster, number)
        waiting = queued_jobs(submission.jobs.ids) if submission.record.cluster == "slurm" else []
        if waiting:
            raise TurnwiseError(
                f"{len(waiting)} jobs of {str(cluster.run)!r} are still there (submission {number}): see turnwise "
                f"status, or turnwise cancel, or give --force."
            )


def _freeze(
    cluster: ClusterFolder, job: Job, record: RunRecord, request: RunRequest, options: ClusterOptions
) -> Submission | None:
    """Freeze the run, its plan, its code and this submission; None if nothing is left to do."""
    folder = RunFolder(request.output)
    tokens = _tokens(job)
    freeze(folder, record, lambda one: cut_by_tokens(one, tokens, options.profile))
    todo = unfinished_shards(folder, cluster)
    if not todo:
        return None
    code = freeze_code(cluster.path / "code")
    frozen = SubmissionRecord(
        cluster=options.cluster,
        options=freeze_request(request),
        profile=options.profile,
        code=code.name,
        folder=str(Path.cwd()),
        workers=min(options.profile.workers, len(todo)),
        submitted=time.time(),
    )
    return freeze_submission(cluster, frozen, longest_first(todo, tokens))


def _tokens(job: Job) -> dict[str, float]:
    """Return by problem id what one dialogue may take."""
    limit = job.settings.sampling.max_tokens
    return {
        problem.id: dialogue_tokens(problem, turns=job.settings.turns_of(loaded.task), max_tokens=limit)
        for loaded in job.tasks
        for problem in loaded.asked
    }


def _start(submission: Submission, environ: dict[str, str]) -> str:
    """Start the workers of ``submission``; return what to print."""
    run, cluster = submission.cluster.run, submission.record.cluster
    if cluster == "slurm":
        return _describe(submission, submit_jobs(submission, submit_to_slurm))
    if cluster == "local":
        told = Told()
        told.listen()
        run_locally(submission, told, environ)
        if told.reason:
            raise TurnwiseError("Stopped; turnwise resume goes on.")
    else:
        for step in (SAMPLE, JUDGE):
            work_on(run, submission.number, step, 0, stop=NeverStop(), environ=environ)
    return collect_command(run)


def _describe(submission: Submission, accepted: Accepted) -> str:
    jobs, run = accepted.jobs, submission.cluster.run
    samplers, judges = (sum(one.count for one in arrays) for arrays in (jobs.sample, jobs.judge))
    ids = ", ".join(one.job for one in jobs.sample)
    return "\n".join(
        [
            f"Submitted: {samplers} sampling workers (job {ids}) and {judges} judging ones for "
            f"{len(submission.shards)} shards; {jobs.close or 'no job'} closes the run.",
            *accepted.refusals,
            f"Watch: turnwise status {run}",
        ]
    )
