"""Runs as flat tables of dialogues x turns, csv or parquet: a row a turn, for pandas, duckdb or a spreadsheet.

The first columns are for reading: who answered what, the program, the reply, verdicts, tokens. The last three
(``turn_json``, ``judgement_json``, ``run_json``) hold the same without loss, for flat_input.py. A dialogue without
a turn has one row with an empty ``turn``. What is no Unicode shows as "?" in the columns for reading; in csv a text
that a spreadsheet would take for a formula has ``'`` before it. Parquet needs pyarrow, csv nothing.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from turnwise.errors import MissingExtraError
from turnwise.exchange.contents import Dialogue, RunHeader, dialogues_of
from turnwise.files import replacing
from turnwise.json_text import json_line
from turnwise.leaderboard.formats import no_formula
from turnwise.records.codec import to_json, to_line
from turnwise.records.run_folder import RunFolder, TaskRecord
from turnwise.records.trajectory import SCHEMA

_COLUMNS: dict[str, type] = {
    "schema": int,
    "model": str,
    "task": str,
    "problem": str,
    "difficulty": str,
    "sample": int,
    "seed": int,
    "end": str,
    "turns": int,
    "turn": int,
    "program": str,
    "reply": str,
    "finish_reason": str,
    "calls": int,
    "prompt_tokens": int,
    "completion_tokens": int,
    "public_verdict": str,
    "public_passed": bool,
    "verdict": str,
    "passed": bool,
    "tests_run": int,
    "cpu_seconds": float,
    "tier": str,
    "turn_json": str,
    "judgement_json": str,
    "run_json": str,
}

Cells = dict[str, Any]


def write_csv(folder: RunFolder, tasks: Sequence[TaskRecord], path: Path) -> list[Path]:
    """Write the dialogues of ``tasks`` as one csv table; return the file."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(_COLUMNS), lineterminator="\n")
        writer.writeheader()
        for row in _rows(folder, tasks):
            writer.writerow(
                {name: str(one).lower() if isinstance(one, bool) else no_formula(one) for name, one in row.items()}
            )
    return [path]


def write_parquet(folder: RunFolder, tasks: Sequence[TaskRecord], path: Path) -> list[Path]:
    """Write the dialogues of ``tasks`` as one parquet table; return the file. Raises MissingExtraError."""
    pyarrow, parquet = import_pyarrow(f"Writing {path.name}")
    types = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64(), bool: pyarrow.bool_()}
    schema = pyarrow.schema([(name, types[kind]) for name, kind in _COLUMNS.items()])
    with replacing(path) as temporary, parquet.ParquetWriter(temporary, schema, compression="zstd") as writer:
        for task in tasks:
            for batch in _batches(_rows(folder, [task])):
                writer.write_table(pyarrow.Table.from_pylist(batch, schema=schema))
    return [path]


def import_pyarrow(purpose: str) -> tuple[Any, Any]:
    """Return pyarrow and pyarrow.parquet; raises MissingExtraError naming ``purpose``."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError(purpose, "pyarrow", "data") from None
    return pyarrow, pyarrow.parquet


def _rows(folder: RunFolder, tasks: Sequence[TaskRecord]) -> Iterator[Cells]:
    header = RunHeader.of(folder.record)
    run_json = json_line(to_json(header))
    for task in tasks:
        difficulties = {one.id: one.difficulty for one in task.asked}
        for dialogue in dialogues_of(folder, task.task):
            trajectory = dialogue.trajectory
            start = {
                "schema": SCHEMA,
                "model": _readable(header.model.get("model", "")),
                "task": task.task,
                "problem": trajectory.problem,
                "difficulty": difficulties[trajectory.problem],
                "sample": trajectory.sample,
                "seed": trajectory.seed,
                "end": trajectory.end.value,
                "turns": len(trajectory.turns),
                "run_json": run_json,
            }
            for number in range(max(1, len(trajectory.turns))):
                yield {**dict.fromkeys(_COLUMNS), **start, **_turn_cells(dialogue, number)}


def _turn_cells(dialogue: Dialogue, number: int) -> Cells:
    if not dialogue.trajectory.turns:
        return {}
    turn = dialogue.trajectory.turns[number]
    replies = [call.reply for call in turn.calls]
    judgement = next((one for one in dialogue.judgements if one.turn == number), None)
    cells = {
        "turn": number,
        "program": _readable(turn.program),
        "reply": _readable(replies[-1].text if replies else None),
        "finish_reason": _readable(replies[-1].finish_reason if replies else None),
        "calls": len(replies),
        "prompt_tokens": _total([reply.prompt_tokens for reply in replies]),
        "completion_tokens": _total([reply.completion_tokens for reply in replies]),
        "public_verdict": turn.public_report.verdict.value,
        "public_passed": turn.public_report.public_passed,
        "turn_json": json_line(to_json(turn)),
    }
    if judgement is not None:
        cells |= {
            name: getattr(judgement, name) for name in ("public_passed", "passed", "tests_run", "cpu_seconds", "tier")
        }
        cells |= {"verdict": judgement.verdict.value, "judgement_json": to_line(judgement)}
    return cells


def _batches(rows: Iterator[Cells], *, size: int = 256) -> Iterator[list[Cells]]:
    batch: list[Cells] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _total(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if counts and len(known) == len(counts) else None


def _readable(text: str | None) -> str | None:
    return None if text is None else text.encode("utf-8", "replace").decode("utf-8")
