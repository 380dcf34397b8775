"""Training data of a few rows, made where a test wants them, with their report."""

import gzip
import hashlib
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from turnwise.records.settings import JudgeRecord, PromptsRecord
from turnwise.records.training import (
    TOKENS,
    DataFile,
    DataReport,
    DataSettings,
    TokenizerRecord,
    write_report,
)

Row = tuple[list[int], list[int]]


def make_rows(count: int = 10, *, seed: int = 0, shortest: int = 6, longest: int = 20) -> list[Row]:
    """Return rows of tokens of which the later ones have labels, more or fewer."""
    draw = random.Random(seed)
    rows = []
    for _ in range(count):
        ids = [draw.randrange(10, 200) for _ in range(draw.randrange(shortest, longest))]
        learnt = draw.randrange(1, len(ids) - 1)
        rows.append((ids, [-100] * (len(ids) - learnt) + ids[-learnt:]))
    return rows


def write_data(folder: Path, tokenizer: TokenizerRecord | None, rows: Sequence[Row], **settings: Any) -> Path:
    """Write rows and the report on them to ``folder``, and return it; ``settings`` are of DataSettings."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps({"input_ids": ids, "labels": labels}) + "\n" for ids, labels in rows)
    data = gzip.compress(lines.encode(), mtime=0)
    (folder / TOKENS).write_bytes(data)
    file = DataFile(
        hashlib.sha256(data).hexdigest(),
        len(rows),
        sum(len(ids) for ids, _ in rows),
        sum(label != -100 for _, labels in rows for label in labels),
    )
    report = DataReport(
        turnwise="0",
        command="turnwise rft-data run",
        settings=DataSettings(**settings),
        runs=(),
        tasks={"codecontests_train_multiturn": "0" * 64},
        judge=JudgeRecord("hardened", "python", "tokens", 1.0),
        prompts=PromptsRecord("turnwise-2", {}),
        tokenizer=tokenizer,
        steps=(),
        contaminated={},
        files={TOKENS: file} if tokenizer is not None else {},
    )
    write_report(folder, report)
    return folder
