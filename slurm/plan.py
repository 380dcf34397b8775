"""The plan of a run on many nodes: shards of some minutes each, and which worker begins with which.

A shard is cut by the tokens that its dialogues may take, where the profile says how many a replica makes in a
second; without, it has as many dialogues as on one machine. The plan decides no dialogue and no reply.
"""

from collections.abc import Iterator, Mapping, Sequence

from turnwise.records.problem import Problem
from turnwise.records.run_folder import RunRecord, Shard, plan_order
from turnwise.runners.models.counters import CHARACTERS_PER_TOKEN
from turnwise.runners.sampling import Job
from turnwise.runners.work import cut_evenly
from turnwise.slurm.profile import ClusterProfile
from turnwise.tasks.plan import turns_of

_REPLY_TOKENS = 1000  # where no limit is given
_PROMPT_SHARE = 0.05  # of a completion token's time; a prompt is read many tokens at a time


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
