"""``turnwise collect``: a run of many workers made one result: checked, merged, scored, published, its gaps named."""

from pathlib import Path

from turnwise.commands.judge import describe_near_limits
from turnwise.commands.publish import write_page
from turnwise.commands.score import score_command
from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.files import inside
from turnwise.records.run_folder import RunFolder
from turnwise.slurm.claims import Claims, ShardState
from turnwise.slurm.shards import merge_run
from turnwise.slurm.submission import JUDGE, SAMPLE, ClusterFolder, latest_submission


def collect_command(run: Path, *, environ: dict[str, str]) -> str:
    """Check and merge what is there, score it, make its page, and return the table with what is missing.

    Raises InfrastructureError (exit status 3), after all of that, if the run is not complete.
    """
    submission = latest_submission(run)
    if submission.record.trains:
        raise TurnwiseError(f"{str(run)!r} is a training, of which nothing is to be collected: see turnwise status.")
    folder = RunFolder(submission.cluster.run)
    merged = merge_run(folder)
    said = score_command([run]) if merged.dialogues else "No dialogue has been sampled yet."
    lines = [said, f"Merged: {merged.dialogues} dialogues of {merged.shards} shards in {run / 'merged'}."]
    if merged.dialogues and all(task.is_training for task in folder.record.tasks):
        lines.append("Page: none, since training problems are on no board.")
    elif merged.dialogues:
        page = write_page([run], inside(run, "site"), environ=environ, title=run.name, allow_missing=True)
        lines.append(f"Page: {page}")
    lines += describe_near_limits(folder)
    gaps = _gaps(folder)
    if merged.missing:
        gaps.append(f"{merged.missing} dialogues are missing, since requests or the machine failed")
    if gaps:
        print("\n".join(lines), flush=True)
        raise InfrastructureError(
            f"The run {str(run)!r} is not complete: {'; '.join(gaps)}. See turnwise status {run}, then turnwise "
            f"resume {run}."
        )
    return "\n".join(lines)


def _gaps(folder: RunFolder) -> list[str]:
    cluster = ClusterFolder(folder.path)
    unsampled, unjudged, poison = [], [], []
    known = {
        task.task: [Claims(cluster.claims(step), "").states(task.task) for step in (SAMPLE, JUDGE)]
        for task in folder.record.tasks
    }
    for shard in folder.shards:
        sampled, judged = (states.get(shard.number, ShardState()) for states in known[shard.task])
        name = f"{shard.task}/{shard.name}"
        if sampled.is_poison or judged.is_poison:
            poison.append(name)
        elif not folder.shard_file(shard).exists():
            unsampled.append(name)
        elif not judged.is_done:
            unjudged.append(name)
    named = (("not sampled", unsampled), ("not judged", unjudged), ("left out after crashing three times", poison))
    return [f"{len(shards)} shards {what} ({', '.join(shards[:5])})" for what, shards in named if shards]
