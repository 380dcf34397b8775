"""``turnwise submit --dry-run``: plan, scripts and limits, without submitting or writing anything."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from turnwise.commands.preflight import prompt_lines
from turnwise.records.run_folder import RunFolder, RunRecord, Shard
from turnwise.runners.models.chat import TokenCounter
from turnwise.runners.preflight import FirstPrompts, count_first_prompts, estimate_run
from turnwise.runners.sampling import Job
from turnwise.runners.work import check_same_run
from turnwise.slurm.cluster import cut_arrays, script_text
from turnwise.slurm.freeze import code_digest
from turnwise.slurm.profile import ClusterProfile
from turnwise.slurm.queue import ClusterLimits, jobs_of
from turnwise.slurm.shards import cut_by_tokens, job_tokens, unfinished_shards
from turnwise.slurm.submission import CLOSE, JUDGE, SAMPLE, ClusterFolder


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """The options of ``turnwise submit`` beside those of ``turnwise run``."""

    cluster: str
    profile: ClusterProfile
    force: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """What a submission would be: the shards to do of all, their tokens, the disk they need, the first prompts."""

    run: Path
    todo: Sequence[Shard]
    shards: int
    tokens: float
    disk_bytes: int
    prompts: FirstPrompts


def plan_dry_run(
    job: Job, record: RunRecord, run: Path, profile: ClusterProfile, *, counter: TokenCounter, reply_limit: int | None
) -> Planned:
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
    return Planned(run, todo, len(shards), spent, estimate.disk_bytes, prompts)


def render_dry_run(planned: Planned, options: ClusterOptions, found: ClusterLimits | None) -> str:
    """Return the plan, what the cluster says of it, and every script."""
    profile = options.profile
    workers = min(profile.workers, len(planned.todo))
    if not workers:
        return f"Shards: none to do of {planned.shards}: the same line without --dry-run scores what is there."
    known = prompt_lines(planned.prompts) if planned.prompts.max_length is not None else []
    lines = [*_plan_lines(planned, profile, workers), *known, _disk_line(planned)]
    if found is not None:
        lines += _limit_lines(found, workers)
        lines += _script_lines(planned, profile, workers, found.array_elements)
    return "\n".join([*lines, "Nothing was submitted or written: the same line without --dry-run begins."])


def _plan_lines(planned: Planned, profile: ClusterProfile, workers: int) -> Iterator[str]:
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


def _disk_line(planned: Planned) -> str:
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


def _script_lines(planned: Planned, profile: ClusterProfile, workers: int, largest: int) -> Iterator[str]:
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
