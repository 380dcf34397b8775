"""Imported runs: dialogues and judgements that came from elsewhere, written as an ordinary run folder.

Judging and scoring read it like any other. Nothing is asked, run or judged here, and what the dialogues hold
is checked by who read them. A dialogue that is not there makes a gap in the plan: not sampled, never wrong.
"""

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from turnwise.files import sync_folder, write_atomically, write_synced
from turnwise.records.codec import to_line
from turnwise.records.judgement import Judgement
from turnwise.records.run_folder import (
    DialogueKey,
    RunFolder,
    RunRecord,
    Shard,
    digest_file,
    digest_line,
    plan_lines,
    plan_order,
)
from turnwise.records.trajectory import Trajectory
from turnwise.runners.store import SHARD_DIALOGUES

Imported = Mapping[tuple[str, str, int], Trajectory]


def write_imported(path: Path, record: RunRecord, trajectories: Imported, judgements: Iterable[Judgement]) -> RunFolder:
    """Write the run ``record`` with ``trajectories`` (by task, problem, sample); return its folder.

    Verdicts stand under the name of the judge that gave them. run.json is written last, so that a folder
    with one is whole; what cannot be written to its end is removed, so that it can be tried again.
    """
    folder = RunFolder(path)
    try:
        _write(folder, record, trajectories, judgements)
    except BaseException:
        for name in ("trajectories", "verdicts"):
            shutil.rmtree(path / name, ignore_errors=True)
        (path / "shards.jsonl").unlink(missing_ok=True)
        raise
    sync_folder(path)
    return folder


def _write(folder: RunFolder, record: RunRecord, trajectories: Imported, judgements: Iterable[Judgement]) -> None:
    shards = [shard for task in record.tasks for shard in _cut(task.task, _plan(record, task.task), trajectories)]
    for shard in shards:
        lines = [to_line(trajectories[shard.task, *key]) for key in shard.keys if (shard.task, *key) in trajectories]
        if lines:
            _write_shard(folder, shard, lines)
    verdicts = "".join(to_line(one) + "\n" for one in judgements)
    if verdicts:
        write_atomically(folder.verdicts(_file_name(record.judge.executor)), verdicts)
    write_atomically(folder.plan, plan_lines(shards))
    folder.write_record(record)


def _plan(record: RunRecord, task: str) -> list[DialogueKey]:
    return next(plan_order(one, record.samples_per_problem) for one in record.tasks if one.task == task)


def _cut(task: str, keys: Sequence[DialogueKey], trajectories: Imported) -> Iterator[Shard]:
    """Yield the shards of a plan, each all there or not there at all."""
    number = 0
    for _, group in groupby(keys, key=lambda key: (task, *key) in trajectories):
        run = tuple(group)
        for start in range(0, len(run), SHARD_DIALOGUES):
            yield Shard(task, number, run[start : start + SHARD_DIALOGUES])
            number += 1


def _write_shard(folder: RunFolder, shard: Shard, lines: Sequence[str]) -> None:
    path, data = folder.shard_file(shard), "\n".join([*lines, ""]).encode("ascii")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_synced(path, data)
    write_atomically(digest_file(path), digest_line(path, data))


def _file_name(judge: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", judge)[:60] or "imported"
