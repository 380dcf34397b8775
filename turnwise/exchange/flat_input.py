"""Flat tables of dialogues x turns (flat_output.py), csv or parquet, read back into dialogues.

Only the columns of JSON count, with ``task``, ``problem``, ``sample``, ``seed``, ``end`` and ``turn``: changing
another column changes nothing. Rows may stand in any order; those of one dialogue have to be all there, once.
Tables that others made are not read.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from turnwise.benchmarks.rows import OF_ANSWERS, load_json, refuse_size, unpacked_size
from turnwise.errors import TurnwiseError
from turnwise.exchange.contents import Contents, Dialogue, RunHeader, read_dialogue, read_header
from turnwise.exchange.flat_output import Cells, import_pyarrow
from turnwise.leaderboard.formats import as_written
from turnwise.texts import shown

_READ = ("schema", "task", "problem", "sample", "seed", "end", "turn", "turn_json", "judgement_json", "run_json")
_LONGEST_FIELD = OF_ANSWERS.document


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


def _whole_number(value: Any, name: str, origin: str) -> int:
    text = str(value)
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise TurnwiseError(f"{origin}: {name} is {shown(value)}, and has to be a whole number.")
    return int(text)
