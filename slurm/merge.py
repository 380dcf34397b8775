"""Merging: the committed shards of a run, checked and in plan order, as one compressed file per task.

    merged/<task>.jsonl.gz    every dialogue, one per line: what --model replay and turnwise's readers take

One shard is in memory at a time. Equal runs give equal files.
"""

import gzip
from dataclasses import dataclass

from turnwise.files import inside, replacing
from turnwise.records.run_folder import RunFolder
from turnwise.slurm.todo import count_missing

_LEVEL = 1  # a quarter of the time of the default for a tenth more bytes


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
            gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0) as merged,
        ):
            for shard in folder.shards:
                data = folder.check_shard(shard) if shard.task == task.task else None
                if data is not None:
                    merged.write(data)
                    shards += 1
                    dialogues += len(shard.keys)
                    missing += count_missing(folder, shard, data)
    return Merged(shards, dialogues, missing)
