"""``turnwise submit`` and ``resume``: a run carried out by workers on a cluster, or by a pool of them here.

With --dry-run: plan, scripts and limits, without submitting or writing anything.
"""

import re
import shutil
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from turnwise.commands.collect import collect_command
from turnwise.commands.inputs import named_inputs, with_absolute_paths, with_inputs
from turnwise.commands.options import SubmitOptions
from turnwise.commands.run import command_line, open_job, prompt_lines
from turnwise.commands.submissions import (
    StoppedError,
    check_limits,
    copy_inputs,
    enter_folder,
    one_at_a_time,
    refuse_if_queued,
)
from turnwise.commands.submit_training import resume_training
from turnwise.commands.worker import read_options, work_on
from turnwise.errors import TurnwiseError
from turnwise.records.choices import ClusterKind
from turnwise.records.codec import to_json
from turnwise.records.run_folder import RunFolder, RunRecord, Shard
from turnwise.runners.models.back_end import Wanted
from turnwise.runners.models.catalog import describe_model, find_back_end, models_to_fetch
from turnwise.runners.models.chat import CharacterCounter, TokenCounter
from turnwise.runners.preflight import FirstPrompts, count_first_prompts, estimate_run
from turnwise.runners.sampling import Job
from turnwise.runners.work import check_same_run, freeze
from turnwise.slurm.cluster import Accepted, Slurm, cut_arrays, script_text, submit_jobs
from turnwise.slurm.freeze import code_digest, fetch_model, freeze_code, is_whole_input
from turnwise.slurm.jobs import run_locally
from turnwise.slurm.profile import ClusterProfile, read_profile
from turnwise.slurm.queue import ClusterLimits, ask_limits, jobs_of
from turnwise.slurm.shards import cut_by_tokens, job_tokens, longest_first, open_unfinished, unfinished_shards
from turnwise.slurm.signals import NeverStop, Told
from turnwise.slurm.submission import (
    CLOSE,
    JUDGE,
    SAMPLE,
    ClusterFolder,
    Submission,
    SubmissionRecord,
    freeze_submission,
    latest_submission,
)

_SECRET_URL = re.compile(r"base_url=\w+://(?:[^/\s,@]+@|[^\s,]*\?)")


def submit_command(options: SubmitOptions, *, environ: dict[str, str], arguments: Sequence[str]) -> str:
    """Freeze the run and hand it to a cluster, or carry it out here; return what to print.

    Raises TurnwiseError for what the user got wrong, or if jobs of this run are still there.
    """
    profile = read_profile(options.cluster_profile)
    options.check("submit")
    return _submit(with_absolute_paths(options), profile, environ, command_line(arguments))


def resume_command(
    run: Path,
    *,
    environ: dict[str, str],
    cluster: ClusterKind | None = None,
    profile: Path | None = None,
    exclude: str = "",
    force: bool = False,
) -> str:
    """Submit what the run lacks, as it was submitted before but for what is given here; return what to print.

    Raises TurnwiseError if it was never submitted, or its jobs are still there.
    """
    chosen = read_profile(profile) if profile is not None else None
    run = run.absolute()
    before = latest_submission(run)
    enter_folder(before)
    chosen = chosen or before.record.profile
    if exclude:
        chosen = replace(chosen, extra={**chosen.extra, "exclude": exclude})
    if before.record.trains:
        return resume_training(before, environ=environ, cluster=cluster, profile=chosen, force=force)
    options = read_options(before)
    options = replace(options, output_path=run, cluster=cluster or options.cluster, force=force)
    frozen = {name: path for name, path in before.inputs().items() if is_whole_input(path)}
    return _submit(options, chosen, environ, RunFolder(run).record.command, frozen=frozen)


def _submit(
    options: SubmitOptions,
    profile: ClusterProfile,
    environ: dict[str, str],
    command: str,
    *,
    frozen: Mapping[str, Path] = MappingProxyType({}),
) -> str:
    """Submit a run, with ``frozen`` copies in place of what its options name."""
    if _SECRET_URL.search(options.model_args):
        raise TurnwiseError(
            "base_url holds a password or a query, and what is submitted keeps its options in files: set "
            "OPENAI_BASE_URL instead, which jobs are given and no file holds."
        )
    cluster, wanted = ClusterFolder(options.output), Wanted(options.model_args, environ)
    found = ask_limits(profile) if options.cluster is ClusterKind.SLURM else None
    if found is not None and not options.dry_run:
        check_limits(found)
    with ExitStack() as stack:
        with open_job(
            with_inputs(options, frozen),
            environ=environ,
            command=command,
            stand_in=lambda back_end: describe_model(back_end, wanted, served_in_job=bool(profile.server)),
        ) as (job, machine):
            record = job.to_record(machine)
            back_end, asked = find_back_end(options.model), replace(wanted, settings=job.settings)
            limit = back_end.reply_limit(asked)
            if options.dry_run:
                is_there = not (back_end.in_process or profile.server)  # to be asked for its context
                counter = back_end.count(asked) if is_there else CharacterCounter()
                planned = _plan_dry_run(job, record, options.output, profile, counter=counter, reply_limit=limit)
                return _render_dry_run(planned, profile, found)
            for name, revision in models_to_fetch(back_end, wanted):
                fetch_model(name, revision)
            stack.enter_context(one_at_a_time(cluster))  # a pool holds it until it ends
            refuse_if_queued(cluster, force=options.force)
            tokens = job_tokens(job, reply_limit=limit)
            submission = _freeze(cluster, tokens, record, options, profile, frozen)
        if submission is None:
            return collect_command(options.output, environ=environ)
        return _start(submission, options.cluster, environ, largest=found.array_elements if found is not None else 0)


def _freeze(
    cluster: ClusterFolder,
    tokens: Mapping[str, float],
    record: RunRecord,
    options: SubmitOptions,
    profile: ClusterProfile,
    inputs: Mapping[str, Path],
) -> Submission | None:
    """Freeze the run, its plan, its code, its inputs and this submission; None if nothing is left to do.

    ``tokens`` are those that a dialogue may take, by problem id.
    """
    folder = RunFolder(options.output)
    freeze(folder, record, lambda one: cut_by_tokens(one, tokens, profile))
    todo = open_unfinished(folder, cluster, nobody_works=not options.force)
    if not todo:
        return None
    code = freeze_code(cluster.code)
    frozen = SubmissionRecord(
        options=to_json(options),
        profile=profile,
        code=code.name,
        folder=str(Path.cwd()),
        inputs=copy_inputs(cluster, {**named_inputs(options), **inputs}),
        workers=min(profile.workers, len(todo)),
        submitted=time.time(),
    )
    return freeze_submission(cluster, frozen, longest_first(todo, tokens))


def _start(submission: Submission, cluster: ClusterKind, environ: dict[str, str], *, largest: int) -> str:
    """Start the workers of ``submission``, in arrays of ``largest``; return what to print."""
    run = submission.cluster.run
    if cluster is ClusterKind.SLURM:
        return _describe(submission, submit_jobs(submission, Slurm(), largest=largest))
    if cluster is ClusterKind.LOCAL:
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


@dataclass(frozen=True, slots=True)
class _Planned:
    """What a submission would be: the shards to do of all, their tokens, the disk they need, the first prompts."""

    run: Path
    todo: Sequence[Shard]
    shards: int
    tokens: float
    disk_bytes: int
    prompts: FirstPrompts


def _plan_dry_run(
    job: Job, record: RunRecord, run: Path, profile: ClusterProfile, *, counter: TokenCounter, reply_limit: int | None
) -> _Planned:
    """Return what would be submitted, with replies of ``reply_limit`` tokens at most; writes nothing.

    ``counter`` counts the tokens of prompts.

    Raises TurnwiseError for a damaged run folder, or another's.
    """
    folder = RunFolder(run)
    tokens = job_tokens(job, reply_limit=reply_limit)
    check_same_run(folder, record)
    if folder.run_json.exists():
        shards: Sequence[Shard] = folder.shards
        todo = unfinished_shards(folder, ClusterFolder(run))
    else:
        todo = shards = cut_by_tokens(record, tokens, profile)
    prompts = count_first_prompts(job, counter, reply_limit=reply_limit)
    estimate = estimate_run(job, prompts, None)
    spent = sum(tokens[problem] for shard in todo for problem, _ in shard.keys)
    return _Planned(run, todo, len(shards), spent, estimate.disk_bytes, prompts)


def _render_dry_run(planned: _Planned, profile: ClusterProfile, found: ClusterLimits | None) -> str:
    """Return the plan, what the cluster says of it, and every script."""
    workers = min(profile.workers, len(planned.todo))
    if not workers:
        return f"Shards: none to do of {planned.shards}: the same line without --dry-run scores what is there."
    known = prompt_lines(planned.prompts) if planned.prompts.max_length is not None else []
    lines = [*_plan_lines(planned, profile, workers), *known, _disk_line(planned)]
    if found is not None:
        lines += _limit_lines(found, workers)
        lines += _script_lines(planned, profile, workers, found.array_elements)
    return "\n".join([*lines, "Nothing was submitted or written: the same line without --dry-run begins."])


def _plan_lines(planned: _Planned, profile: ClusterProfile, workers: int) -> Iterator[str]:
    dialogues = sum(len(shard.keys) for shard in planned.todo)
    yield f"Shards: {len(planned.todo)} to do of {planned.shards}, {dialogues} dialogues."
    yield f"Workers: {workers}, each {profile.gpus} GPU(s) and {profile.cpus} cores for {profile.time_minutes} minutes."
    if not profile.tokens_per_second:
        yield "GPU-hours: unknown; give tokens_per_second of one replica in the profile."
        return
    hours = planned.tokens / profile.tokens_per_second / 3600
    yield (
        f"GPU-hours: about {hours * profile.gpus:.1f} at {profile.tokens_per_second:g} tokens/s a worker, "
        f"{hours / max(1, workers):.1f} hours with all workers."
    )


def _disk_line(planned: _Planned) -> str:
    existing = next(path for path in (planned.run, *planned.run.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    needed = f"Disk: about {2 * planned.disk_bytes / 1e9:.2f} GB with the merged files, {free / 1e9:.1f} GB free"
    return f"{needed}." if 2 * planned.disk_bytes < free else f"{needed}: make room, or give another --output_path."


def _limit_lines(found: ClusterLimits, workers: int) -> Iterator[str]:
    if not found.answers:
        yield "SLURM does not answer here: its limits are not checked, and arrays are cut as by its defaults."
        return
    arrays = len(list(cut_arrays(workers, found.array_elements)))
    yield f"Arrays: {arrays} for sampling and {arrays} for judging (at most {found.array_elements} elements each)."
    if found.submit_jobs is not None and jobs_of(workers) > found.submit_jobs:
        yield (
            f"MaxSubmitJobs is {found.submit_jobs}, but {jobs_of(workers)} jobs are wanted: fewer workers will be "
            f"accepted, and do all shards; or set workers to {(found.submit_jobs - 1) // 2}."
        )
    yield from (f"SLURM would refuse: {problem}." for problem in found.problems)


def _script_lines(planned: _Planned, profile: ClusterProfile, workers: int, largest: int) -> Iterator[str]:
    cluster = ClusterFolder(planned.run)
    folder = cluster.submission(max(cluster.submissions(), default=0) + 1) / "jobs"
    code = cluster.code / code_digest()
    for number, (_, count) in enumerate(cut_arrays(workers, largest), 1):
        for step, dependency in ((SAMPLE, ""), (JUDGE, f"aftercorr:SAMPLING_{number}")):
            text = script_text(
                profile,
                step,
                folder / step,
                cluster=cluster,
                code=code,
                count=count if count > 1 else None,
                dependency=dependency,
            )
            yield f"\n==> {step} {number}: {count} workers <==\n{text}"
    close = script_text(
        profile, CLOSE, folder / CLOSE, cluster=cluster, code=code, count=None, dependency="afterany:ALL_OF_THEM"
    )
    yield f"\n==> {CLOSE} <==\n{close}"
