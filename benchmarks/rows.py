"""Rows of a data set from local files: jsonl, jsonl.gz and parquet; each row knows its file and number.

A row that cannot be read or understood becomes a RowError, one sentence naming file, row and what is
wrong; whether that ends the loading or leaves the row out is the caller's choice (``on_error``).
"""

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from turnwise.benchmarks.integers import parse_integer
from turnwise.benchmarks.texts import printable, shown
from turnwise.errors import MissingExtraError, TurnwiseError

OnError = Literal["raise", "skip"]
Model = TypeVar("Model", bound=BaseModel)
Record = TypeVar("Record")

_SHARD = re.compile(r"-[0-9]{5}-of-([0-9]{5})")


class RowError(TurnwiseError):
    """One row of a data file is broken."""

    def __init__(self, origin: str, problem: str) -> None:
        self.origin = origin
        self._said = f"{origin}: {printable(problem, limit=240)}"
        super().__init__(f"{self._said} Mend the row, or leave it out with --skip-broken-rows.")

    def without_option(self) -> TurnwiseError:
        """Return the error of a file whose rows no option leaves out."""
        return TurnwiseError(f"{self._said} Mend the row.")


@dataclass(frozen=True, slots=True)
class Row:
    """One row as read: its content, or the error that reading it met.

    ``number`` counts from 1 in the file, ``position`` from 0 over all files of the split.
    """

    file: str
    number: int
    data: dict[str, Any]
    error: RowError | None = None
    position: int = -1

    @property
    def origin(self) -> str:
        """Where the row stands, as a user would look it up."""
        name = self.data.get("name") or self.data.get("task_id")
        return f"{self.file} row {self.number}" + (f" ({printable(name, limit=60)})" if isinstance(name, str) else "")

    def fail(self, problem: str) -> RowError:
        """Return the error that says what is wrong with this row."""
        return RowError(self.origin, problem)


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of one .jsonl, .jsonl.gz or .parquet file; broken lines come as rows with an error."""
    if path.suffix == ".parquet":
        yield from _read_parquet(path)
        return
    number = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _parse_line(path, number, line)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        yield _broken(path, number + 1, f"the compressed file is cut off or damaged here ({error}).")


def check_shards(paths: Sequence[Path]) -> None:
    """Raise TurnwiseError where names such as test-00000-of-00003.parquet tell of files that are not there."""
    for path in paths:
        shard = _SHARD.search(path.name)
        if shard and int(shard[1]) != len(paths):
            raise TurnwiseError(
                f"Of the {int(shard[1])} files like {path.name!r} {len(paths)} stand in {str(path.parent)!r}: "
                "fetch all of them, and no others."
            )


def read_all(paths: Iterable[Path]) -> tuple[list[Row], str]:
    """Return the rows of all ``paths``, numbered on from file to file, and the digest of the files."""
    rows: list[Row] = []
    files = list(paths)
    for path in files:
        start = len(rows)
        rows += [replace(row, position=start + offset) for offset, row in enumerate(read_rows(path))]
    return rows, digest_files(files)


def parse_rows(
    rows: Iterable[Row], parse: Callable[[Row], Record], *, on_error: OnError = "raise"
) -> tuple[list[Record], list[RowError]]:
    """Return what ``parse`` makes of each row, and the errors of the rows left out (``on_error="skip"``)."""
    records: list[Record] = []
    errors: list[RowError] = []
    for row in rows:
        try:
            if row.error is not None:
                raise row.error
            records.append(parse(row))
        except RowError as error:
            if on_error == "raise":
                raise
            errors.append(error)
    return records, errors


def validated(row: Row, model: type[Model]) -> Model:
    """Return ``row`` as ``model``; raises RowError naming the first field that is missing or of a wrong type."""
    try:
        return model.model_validate(row.data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        if first["type"] == "missing":
            raise row.fail(f"field {field!r} is missing.") from None
        given = f"{type(first['input']).__name__} {shown(first['input'])}"
        raise row.fail(f"field {field!r} is {given}: {first['msg'].rstrip('.').lower()}.") from None


def load_json(text: str | bytes) -> Any:
    """Return the JSON document ``text``, integers of any length included; raises ValueError."""
    try:
        return json.loads(text, parse_int=parse_integer)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def digest_files(paths: Iterable[Path]) -> str:
    """Return sha256 over the bytes of ``paths`` in order, hexadecimal."""
    total = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def _parse_line(path: Path, number: int, line: bytes) -> Row:
    try:
        data = load_json(line)
    except ValueError as error:
        return _broken(path, number, f"is no JSON ({str(error).split(':')[0].lower()}; is the file cut off?).")
    if not isinstance(data, dict):
        return _broken(path, number, f"is a JSON {type(data).__name__}, not an object.")
    return Row(path.name, number, data)


def _broken(path: Path, number: int, problem: str) -> Row:
    return Row(path.name, number, {}, RowError(f"{path.name} row {number}", problem))


def _read_parquet(path: Path) -> Iterator[Row]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError(f"Reading {path.name}", "pyarrow", "data") from None
    last = 0
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=64):
                for index in range(batch.num_rows):
                    last += 1
                    yield _parquet_row(path, last, batch.slice(index, 1))
    except (pyarrow.ArrowException, OSError) as error:
        yield _broken(path, last + 1, f"the parquet file is cut off or damaged here ({error}).")


def _parquet_row(path: Path, number: int, row: Any) -> Row:
    try:
        return Row(path.name, number, row.to_pylist()[0])
    except UnicodeDecodeError as error:
        return _broken(path, number, f"a text is no UTF-8 ({error.reason}).")
