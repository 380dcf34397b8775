"""What is left to do of a run: shards without a committed file, and those with dialogues that are missing."""

from collections.abc import Iterator
from dataclasses import dataclass

from turnwise.records.run_folder import RunFolder, Shard
from turnwise.slurm.claims import Claim, Claims, Ended, ShardState
from turnwise.slurm.layout import JUDGE, SAMPLE, ClusterFolder

# What a line of a trajectory holds if its request failed, or the machine did.
_MISSING = (b'"request_failed"', b'"infrastructure_failure"')


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
