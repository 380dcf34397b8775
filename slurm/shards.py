"""The shards of a run on many nodes: how they are cut and who begins with which, what is left, what is merged.

A shard is cut by the tokens that its dialogues may take, where the profile says how many a replica makes in a
second; without, it has as many dialogues as on one machine. The plan decides no dialogue and no reply. Left are
shards without a committed file, and those with dialogues that are missing. What is committed is merged, checked and in
plan order, one shard in memory at a time, equal runs to equal files:

    merged/<task>.jsonl.gz    every dialogue, one per line: what --model replay and turnwise's readers take
"""

import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from turnwise.files import inside, replacing
from turnwise.records.problem import Problem
from turnwise.records.run_folder import RunFolder, RunRecord, Shard, plan_order
from turnwise.runners.models.chat import CHARACTERS_PER_TOKEN
from turnwise.runners.sampling import Job
from turnwise.runners.work import cut_evenly
from turnwise.slurm.claims import Claim, Claims, Ended, ShardState
from turnwise.slurm.profile import ClusterProfile
from turnwise.slurm.submission import JUDGE, SAMPLE, ClusterFolder
from turnwise.tasks.plan import turns_of

_REPLY_TOKENS = 1000  # where no limit is given
_PROMPT_SHARE = 0.05  # of a completion token's time; a prompt is read many tokens at a time
# What a line of a trajectory holds if its request failed, or the machine did.
_MISSING = (b'"request_failed"', b'"infrastructure_failure"')
_GZIP_LEVEL = 1  # a quarter of the time of the default for a tenth more bytes


def dialogue_tokens(problem: Problem, *, turns: int, max_tokens: int | None) -> float:
    """Return roughly the completion tokens' worth of time that one dialogue about ``problem`` takes."""
    reply = min(max_tokens or _REPLY_TOKENS, _REPLY_TOKENS)
    prompt = len(problem.statement) / CHARACTERS_PER_TOKEN
    return turns * (reply + _PROMPT_SHARE * prompt)


def job_tokens(job: Job, *, reply_limit: int | None) -> dict[str, float]:
    """Return, by problem id, what one dialogue of ``job`` may take; ``reply_limit`` in tokens, None for no limit."""
    return {
        problem.id: dialogue_tokens(problem, turns=turns_of(job.settings, loaded.task), max_tokens=reply_limit)
        for loaded in job.tasks
        for problem in loaded.asked
    }


def cut_by_tokens(record: RunRecord, tokens: Mapping[str, float], profile: ClusterProfile) -> list[Shard]:
    """Return shards of ``profile.shard_minutes`` each, or of equal size if the speed of a replica is unknown.

    ``tokens`` are those of one dialogue by problem id.
    """
    if not profile.tokens_per_second:
        return cut_evenly(record)
    budget = profile.shard_minutes * 60 * profile.tokens_per_second
    shards = []
    for task in record.tasks:
        keys: list[tuple[str, int]] = []
        number, spent = 0, 0.0
        for key in plan_order(task, record.samples_per_problem):
            if keys and spent + tokens[key[0]] > budget:
                shards.append(Shard(task.task, number, tuple(keys)))
                keys, number, spent = [], number + 1, 0.0
            keys.append(key)
            spent += tokens[key[0]]
        shards.append(Shard(task.task, number, tuple(keys)))
    return shards


def longest_first(shards: Sequence[Shard], tokens: Mapping[str, float]) -> list[Shard]:
    """Return ``shards`` by the tokens they may take, those with most first; of equal ones in plan order."""
    return sorted(shards, key=lambda shard: -sum(tokens[problem] for problem, _ in shard.keys))


def order_for(slot: int, shards: Sequence[Shard], *, workers: int) -> Iterator[Shard]:
    """Yield the order in which the worker in ``slot`` looks for shards: its own, then those of its neighbours."""
    for offset in range(workers):
        yield from shards[(slot + offset) % workers :: workers]


@dataclass(frozen=True, slots=True)
class _Progress:
    """How far one shard is: whether it is committed without a gap, and what the claims on it say."""

    shard: Shard
    is_whole: bool
    sampled: ShardState
    judged: ShardState

    @property
    def is_finished(self) -> bool:
        return self.is_whole and self.judged.is_done


def unfinished_shards(folder: RunFolder, cluster: ClusterFolder) -> list[Shard]:
    """Return the shards to sample or to judge, in plan order; raises TurnwiseError for a damaged one."""
    return [one.shard for one in _look(folder, cluster) if not one.is_finished]


def open_unfinished(folder: RunFolder, cluster: ClusterFolder, *, nobody_works: bool) -> list[Shard]:
    """Return ``unfinished_shards``, which workers may claim from now on.

    Those that are to be sampled again, or crashed too often, can be claimed anew; and if ``nobody_works`` those
    that somebody had.
    """
    sampling, judging = _claims(cluster)
    found = list(_look(folder, cluster))
    for one in found:
        for claims, state in ((sampling, one.sampled), (judging, one.judged)):
            if nobody_works and state.is_open:
                claims.end(Claim(one.shard, state.last), Ended.LOST)
        if not one.is_whole and (one.sampled.is_done or one.sampled.is_poison):
            sampling.reset(one.shard, one.sampled)
        if (not one.is_whole and one.judged.is_done) or one.judged.is_poison:
            judging.reset(one.shard, one.judged)
    return [one.shard for one in found if not one.is_finished]


def _look(folder: RunFolder, cluster: ClusterFolder) -> Iterator[_Progress]:
    sampling, judging = _claims(cluster)
    states = {task.task: (sampling.states(task.task), judging.states(task.task)) for task in folder.record.tasks}
    for shard in folder.shards:
        sampled, judged = (one.get(shard.number, ShardState()) for one in states[shard.task])
        yield _Progress(shard, _is_whole(folder, shard), sampled, judged)


def _claims(cluster: ClusterFolder) -> tuple[Claims, Claims]:
    sampling, judging = (Claims(cluster.claims(step), "submit") for step in (SAMPLE, JUDGE))
    return sampling, judging


def count_missing(folder: RunFolder, shard: Shard, data: bytes) -> int:
    """Return how many dialogues of a committed shard, whose file holds ``data``, are missing."""
    if not any(word in data for word in _MISSING):
        return 0
    return sum(one.is_missing for one in folder.read_shard(shard) or ())


def _is_whole(folder: RunFolder, shard: Shard) -> bool:
    """Return whether ``shard`` is committed and none of its dialogues is missing."""
    data = folder.check_shard(shard)
    return data is not None and not count_missing(folder, shard, data)


@dataclass(frozen=True, slots=True)
class Merged:
    """How many shards and dialogues there were, and how many of those are missing (a request or a machine failed)."""

    shards: int
    dialogues: int
    missing: int


def merge_run(folder: RunFolder) -> Merged:
    """Write the merged files of what is committed; raises TurnwiseError for a shard that is damaged."""
    shards = dialogues = missing = 0
    for task in folder.record.tasks:
        with (
            replacing(inside(folder.path, "merged", f"{task.task}.jsonl.gz")) as path,
            path.open("wb") as raw,
            gzip.GzipFile("", "wb", _GZIP_LEVEL, raw, mtime=0) as merged,
        ):
            for shard in folder.shards:
                data = folder.check_shard(shard) if shard.task == task.task else None
                if data is not None:
                    merged.write(data)
                    shards += 1
                    dialogues += len(shard.keys)
                    missing += count_missing(folder, shard, data)
    return Merged(shards, dialogues, missing)
