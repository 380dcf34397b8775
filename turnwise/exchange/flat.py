"""Runs as flat tables of dialogues x turns, csv or parquet: a row a turn, for pandas, duckdb or a spreadsheet.

The first columns are for reading: who answered what, the program, the reply, verdicts, tokens. The last three
(``turn_json``, ``judgement_json``, ``run_json``) hold the same without loss, for reading it back. A dialogue without
a turn has one row with an empty ``turn``. What is no Unicode shows as "?" in the columns for reading; in csv a text
that a spreadsheet would take for a formula has ``'`` before it. Parquet needs pyarrow, csv nothing.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from turnwise.benchmarks.rows import OF_ANSWERS, load_json, refuse_size, unpacked_size
from turnwise.errors import MissingExtraError, TurnwiseError
from turnwise.exchange.contents import Contents, Dialogue, RunHeader, dialogues_of, read_dialogue, read_header
from turnwise.files import replacing
from turnwise.json_text import json_line
from turnwise.leaderboard.formats import as_written, no_formula
from turnwise.records.codec import to_json, to_line
from turnwise.records.run_folder import RunFolder, TaskRecord
from turnwise.records.training import model_label
from turnwise.records.trajectory import SCHEMA
from turnwise.texts import shown

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
_READ = ("schema", "task", "problem", "sample", "seed", "end", "turn", "turn_json", "judgement_json", "run_json")
_LONGEST_FIELD = OF_ANSWERS.document


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
                "model": _readable(model_label(header.model)),
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


def read_csv(paths: Sequence[Path]) -> Contents:
    """Return what csv tables of one run hold; raises TurnwiseError for anything else."""
    return _contents([(path, _csv_rows(path)) for path in paths])


def read_parquet(paths: Sequence[Path]) -> Contents:
    """Return what parquet tables of one run hold; raises TurnwiseError for anything else, or without pyarrow."""
    return _contents([(path, _parquet_rows(path)) for path in paths])


def _contents(tables: Sequence[tuple[Path, Iterator[tuple[str, Cells]]]]) -> Contents:
    header: RunHeader | None = None
    seen_run: str | None = None
    parts: dict[tuple[str, str, int], _Parts] = {}
    for path, rows in tables:
        for origin, cells in rows:
            if header is None or cells["run_json"] != seen_run:
                if seen_run is not None:
                    raise TurnwiseError(f"{origin} is of another run than those before: import each run by itself.")
                seen_run = cells["run_json"]
                header = read_header(RunHeader, _json(cells["run_json"], origin), origin)
            key = (str(cells["task"]), str(cells["problem"]), _whole_number(cells["sample"], "sample", origin))
            parts.setdefault(key, _Parts(origin, cells)).add(origin, cells)
        if header is None:
            raise TurnwiseError(f"{path.name} holds no row: export the run again.")
    dialogues = tuple(one.dialogue() for one in parts.values())
    return Contents(header.model.get("model", "") if header else "", dialogues=dialogues, header=header)


class _Parts:
    """The rows of one dialogue as they are collected."""

    def __init__(self, origin: str, first: Cells) -> None:
        self._origin = origin
        self._first = first
        self._turns: dict[int, Cells] = {}
        self._is_empty = False

    def add(self, origin: str, cells: Cells) -> None:
        """Take one row; raises TurnwiseError if its turn is there already, or it belongs to another dialogue."""
        for name in ("schema", "seed", "end"):
            if cells[name] != self._first[name]:
                raise TurnwiseError(
                    f"{origin} has {name} {shown(cells[name])}, and its dialogue began with "
                    f"{shown(self._first[name])}: export the run again."
                )
        number = None if cells["turn"] in (None, "") else _whole_number(cells["turn"], "turn", origin)
        if self._is_empty or number in self._turns or (number is None and self._turns):
            raise TurnwiseError(
                f"{origin}: turn {number} of {shown(cells['problem'])}, sample {cells['sample']}, stands there twice: "
                "remove one of the rows."
            )
        if number is None:
            self._is_empty = True
        else:
            self._turns[number] = cells

    def dialogue(self) -> Dialogue:
        """Return the dialogue; raises TurnwiseError if a turn is missing or damaged."""
        numbers = sorted(self._turns)
        if numbers != list(range(len(numbers))):
            raise TurnwiseError(f"{self._origin}: the dialogue that begins there lacks a turn: export the run again.")
        cells = [self._turns[number] for number in numbers]
        judgements = [_json(one["judgement_json"], self._origin) for one in cells if one["judgement_json"]]
        data = {name: self._first[name] for name in ("task", "problem", "end")}
        for name in ("schema", "sample", "seed"):
            data[name] = _whole_number(self._first[name], name, self._origin)
        data["turns"] = [_json(one["turn_json"], self._origin) for one in cells]
        return read_dialogue({**data, "judgements": judgements}, self._origin)


def _csv_rows(path: Path) -> Iterator[tuple[str, Cells]]:
    csv.field_size_limit(_LONGEST_FIELD)
    if path.stat().st_size > OF_ANSWERS.file:
        refuse_size(path.name, OF_ANSWERS.file)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            _check_columns(path, reader.fieldnames or [])
            for number, row in enumerate(reader, 1):
                origin = f"{path.name} row {number}"
                if None in row.values() or None in row:
                    raise TurnwiseError(f"{origin} has not the columns of the first line: is the file cut off?")
                yield origin, {name: as_written(row[name]) for name in _READ}
    except (csv.Error, UnicodeDecodeError) as error:
        raise TurnwiseError(
            f"{path.name} is no csv table ({shown(str(error), limit=80)}): export the run again."
        ) from None


def _parquet_rows(path: Path) -> Iterator[tuple[str, Cells]]:
    pyarrow, parquet = import_pyarrow(f"Reading {path.name}")
    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            _check_columns(path, file.schema_arrow.names)
            if unpacked_size(file) > OF_ANSWERS.file:
                refuse_size(path.name, OF_ANSWERS.file)
            for batch in file.iter_batches(batch_size=64, columns=list(_READ)):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{path.name} row {number}", row
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = shown(str(error), limit=80)
        raise TurnwiseError(f"{path.name} is no parquet table ({reason}): export the run again.") from None


def _check_columns(path: Path, names: Sequence[str]) -> None:
    lacking = [name for name in _READ if name not in names]
    if lacking:
        raise TurnwiseError(
            f"{path.name} is no table of turnwise, since it lacks the columns {', '.join(lacking)}: "
            "name one that turnwise export wrote."
        )


def _json(text: Any, origin: str) -> Any:
    try:
        return load_json(text)
    except (ValueError, TypeError):
        raise TurnwiseError(f"{origin}: a column of JSON in it is damaged: export the run again.") from None


def _whole_number(value: object, name: str, origin: str) -> int:
    text = str(value)
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise TurnwiseError(f"{origin}: {name} is {shown(value)}, and has to be a whole number.")
    return int(text)
