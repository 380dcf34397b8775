"""What is left to do of a run: shards without a committed file, and those with dialogues that are missing."""

from turnwise.slurm.claims import Claim, Claims, Ended, ShardState
from turnwise.slurm.layout import JUDGE, SAMPLE, ClusterFolder
from turnwise.tasks.run_folder import RunFolder, Shard

# What a line of a trajectory holds if its request failed, or the machine did.
_MISSING = (b'"request_failed"', b'"infrastructure_failure"')


def unfinished_shards(folder: RunFolder, cluster: ClusterFolder, *, nobody_works: bool) -> list[Shard]:
    """Return the shards to sample or to judge, in plan order; raises TurnwiseError for a damaged one.

    Those that are to be sampled again, or crashed too often, can be claimed anew from now on; and if
    ``nobody_works`` those that somebody had.
    """
    sampling, judging = (Claims(cluster.claims(step), "submit") for step in (SAMPLE, JUDGE))
    states = {task.task: (sampling.states(task.task), judging.states(task.task)) for task in folder.record.tasks}
    found = []
    for shard in folder.shards:
        sampled, judged = (one.get(shard.number, ShardState()) for one in states[shard.task])
        is_whole = _is_whole(folder, shard)
        for claims, state in ((sampling, sampled), (judging, judged)):
            if nobody_works and state.is_open:
                claims.end(Claim(shard, state.last), Ended.LOST)
        if not is_whole and (sampled.is_done or sampled.is_poison):
            sampling.reset(shard, sampled)
        if (not is_whole and judged.is_done) or judged.is_poison:
            judging.reset(shard, judged)
        if not is_whole or not judged.is_done:
            found.append(shard)
    return found


def _is_whole(folder: RunFolder, shard: Shard) -> bool:
    """Return whether ``shard`` is committed and none of its dialogues is missing."""
    data = folder.check_shard(shard)
    if data is None:
        return False
    if not any(word in data for word in _MISSING):
        return True
    return not any(one.is_missing for one in folder.read_shard(shard) or ())
