"""``turnwise submit``: a run carried out by workers on a cluster, or by a pool of them on this machine."""

import re
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from turnwise.benchmarks.own import is_benchmark_file
from turnwise.commands.cluster_dry_run import ClusterOptions, plan_dry_run, render_dry_run
from turnwise.commands.collect import collect_command
from turnwise.commands.inputs import named_inputs, with_inputs
from turnwise.commands.run import RunRequest, command_line, open_job
from turnwise.commands.status import enter_folder
from turnwise.commands.worker import freeze_request, thaw_request, work_on
from turnwise.errors import TurnwiseError
from turnwise.locks import Lock
from turnwise.records.run_folder import RunFolder, RunRecord
from turnwise.runners.models.back_end import Wanted
from turnwise.runners.models.catalog import describe_model, find_back_end, models_to_fetch
from turnwise.runners.models.counters import CharacterCounter
from turnwise.runners.work import freeze
from turnwise.slurm.cluster import Accepted, Slurm, submit_jobs
from turnwise.slurm.freeze import freeze_code, freeze_inputs, is_whole_input
from turnwise.slurm.layout import JUDGE, SAMPLE, ClusterFolder
from turnwise.slurm.local import run_locally
from turnwise.slurm.plan import cut_by_tokens, job_tokens, longest_first
from turnwise.slurm.prefetch import fetch_model
from turnwise.slurm.preflight import ClusterLimits, ask_limits
from turnwise.slurm.profile import ClusterProfile
from turnwise.slurm.status import jobs_left
from turnwise.slurm.submission import Submission, SubmissionRecord, freeze_submission, latest_submission
from turnwise.slurm.supervisor import Told
from turnwise.slurm.todo import open_unfinished
from turnwise.slurm.worker import NeverStop


class StoppedError(TurnwiseError):
    """The user ended a pool on this machine."""

    exit_status = 130


_SECRET_URL = re.compile(r"base_url=\w+://(?:[^/\s,@]+@|[^\s,]*\?)")
CLUSTERS = ("slurm", "local", "debug")


def submit_command(
    request: RunRequest, *, options: ClusterOptions, environ: dict[str, str], arguments: Sequence[str]
) -> str:
    """Freeze the run and hand it to a cluster, or carry it out here; return what to print.

    Raises TurnwiseError for what the user got wrong, or if jobs of this run are still there.
    """
    return _submit(_absolute(request), options, environ, command_line(arguments))


def resume_command(
    run: Path, *, cluster: str, profile: ClusterProfile | None, exclude: str, force: bool, environ: dict[str, str]
) -> str:
    """Submit what the run lacks, as it was submitted before but for what is given here; return what to print.

    Raises TurnwiseError if it was never submitted, or its jobs are still there.
    """
    run = run.absolute()
    before = latest_submission(run)
    enter_folder(before)
    chosen = profile or before.record.profile
    if exclude:
        chosen = chosen.model_copy(update={"extra": {**chosen.extra, "exclude": exclude}})
    request = replace(thaw_request(before.record.options), output=run)
    options = ClusterOptions(cluster or before.record.cluster, chosen, force)
    frozen = {name: path for name, path in before.inputs().items() if is_whole_input(path)}
    return _submit(request, options, environ, RunFolder(run).record.command, frozen=frozen)


def _submit(
    request: RunRequest,
    options: ClusterOptions,
    environ: dict[str, str],
    command: str,
    *,
    frozen: Mapping[str, Path] = MappingProxyType({}),
) -> str:
    """Submit ``request``, with ``frozen`` copies in place of what its options name."""
    if options.cluster not in CLUSTERS:
        raise TurnwiseError(f"--cluster is {options.cluster!r}: choose one of {', '.join(CLUSTERS)}.")
    if _SECRET_URL.search(request.model_args):
        raise TurnwiseError(
            "base_url holds a password or a query, and what is submitted keeps its options in files: set "
            "OPENAI_BASE_URL instead, which jobs are given and no file holds."
        )
    cluster, wanted = ClusterFolder(request.output), Wanted(request.model_args, environ)
    found = ask_limits(options.profile) if options.cluster == "slurm" else None
    if found is not None and request.dry_run is None:
        _check_limits(found)
    with ExitStack() as stack:
        with open_job(
            with_inputs(request, frozen),
            environ=environ,
            command=command,
            stand_in=lambda back_end: describe_model(back_end, wanted, served_in_job=bool(options.profile.server)),
        ) as (job, machine):
            record = job.to_record(machine)
            back_end, asked = find_back_end(request.model), replace(wanted, settings=job.settings)
            limit = back_end.reply_limit(asked)
            if request.dry_run is not None:
                is_there = not (back_end.in_process or options.profile.server)  # to be asked for its context
                counter = back_end.count(asked) if is_there else CharacterCounter()
                planned = plan_dry_run(job, record, request.output, options.profile, counter=counter, reply_limit=limit)
                return render_dry_run(planned, options, found)
            for name, revision in models_to_fetch(find_back_end(request.model), wanted):
                fetch_model(name, revision)
            stack.enter_context(_one_at_a_time(cluster))  # a pool holds it until it ends
            _refuse_if_queued(cluster, force=options.force)
            tokens = job_tokens(job, reply_limit=limit)
            submission = _freeze(cluster, tokens, record, request, options, frozen)
        if submission is None:
            return collect_command(request.output, environ=environ)
        return _start(submission, environ, largest=found.array_elements if found is not None else 0)


def _check_limits(found: ClusterLimits) -> None:
    if not found.answers:
        raise TurnwiseError(
            "SLURM does not answer here (scontrol show config): submit on a node that reaches it, or give "
            "--cluster local."
        )
    if found.problems:
        raise TurnwiseError(f"SLURM would refuse this run: {'; '.join(found.problems)}.")


def _absolute(request: RunRequest) -> RunRequest:
    """Return the request with paths that mean the same in every job."""
    host = request.host
    data_dir = host.data_dir.absolute() if host.data_dir is not None else None
    prompts = request.prompts.absolute() if request.prompts is not None else None
    programs = request.incorrect_programs.absolute() if request.incorrect_programs is not None else None
    benchmark = str(Path(host.benchmark).absolute()) if is_benchmark_file(host.benchmark) else host.benchmark
    return replace(
        request,
        output=request.output.absolute(),
        prompts=prompts,
        incorrect_programs=programs,
        host=replace(host, data_dir=data_dir, benchmark=benchmark),
    )


@contextmanager
def _one_at_a_time(cluster: ClusterFolder) -> Iterator[None]:
    """Let one process at a time submit the run, or carry it out by a pool."""
    cluster.path.mkdir(parents=True, exist_ok=True)
    try:
        lock = Lock(cluster.lock)
    except BlockingIOError:
        raise TurnwiseError(
            f"Another process is submitting {str(cluster.run)!r} or works on it: wait until it has ended, or see "
            "turnwise status."
        ) from None
    try:
        yield
    finally:
        lock.release()


def _refuse_if_queued(cluster: ClusterFolder, *, force: bool) -> None:
    for number in () if force else cluster.submissions():
        waiting = jobs_left([Submission(cluster, number)])
        if waiting is None:
            raise TurnwiseError(
                f"SLURM does not say whether jobs of {str(cluster.run)!r} are still there (squeue): try again where it "
                f"answers, or give --force if none is (submission {number})."
            )
        if waiting:
            raise TurnwiseError(
                f"{len(waiting)} jobs of {str(cluster.run)!r} are still there (submission {number}): see turnwise "
                f"status, or turnwise cancel, or give --force."
            )


def _freeze(
    cluster: ClusterFolder,
    tokens: Mapping[str, float],
    record: RunRecord,
    request: RunRequest,
    options: ClusterOptions,
    inputs: Mapping[str, Path],
) -> Submission | None:
    """Freeze the run, its plan, its code, its inputs and this submission; None if nothing is left to do.

    ``tokens`` are those that a dialogue may take, by problem id.
    """
    folder = RunFolder(request.output)
    freeze(folder, record, lambda one: cut_by_tokens(one, tokens, options.profile))
    todo = open_unfinished(folder, cluster, nobody_works=not options.force)
    if not todo:
        return None
    code = freeze_code(cluster.code)
    frozen = SubmissionRecord(
        cluster=options.cluster,
        options=freeze_request(request),
        profile=options.profile,
        code=code.name,
        folder=str(Path.cwd()),
        inputs=_freeze_inputs(cluster, {**named_inputs(request), **inputs}),
        workers=min(options.profile.workers, len(todo)),
        submitted=time.time(),
    )
    return freeze_submission(cluster, frozen, longest_first(todo, tokens))


def _freeze_inputs(cluster: ClusterFolder, paths: Mapping[str, Path]) -> dict[str, str]:
    try:
        return freeze_inputs(cluster.inputs, paths)
    except OSError as error:
        raise TurnwiseError(
            f"What the options name cannot be copied to {str(cluster.inputs)!r} ({error}): make it "
            "readable, or make room."
        ) from None


def _start(submission: Submission, environ: dict[str, str], *, largest: int) -> str:
    """Start the workers of ``submission``, in arrays of ``largest``; return what to print."""
    run, cluster = submission.cluster.run, submission.record.cluster
    if cluster == "slurm":
        return _describe(submission, submit_jobs(submission, Slurm(), largest=largest))
    if cluster == "local":
        told = Told()
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in the background, where Ctrl-C is another's
            told.listen()
        else:
            told.listen(signal.SIGINT)
        run_locally(submission, told, environ)
        if told.reason:
            raise StoppedError(f"Stopped, with all that was sampled kept; turnwise resume {run} goes on.")
    else:
        for step in (SAMPLE, JUDGE):
            work_on(run, submission.number, step, 0, stop=NeverStop(), environ=environ)
    return collect_command(run, environ=environ)


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
