"""Rows of a data set or of recorded answers from local files; each row knows its file and number.

Read are lines of JSON, one JSON array of objects, both plain or as gzip, and parquet. Apart from parquet a file's
content says what it is, not its name. A row that cannot be read or understood becomes a RowError, one sentence naming
file, row and what is wrong; whether that ends the loading or leaves the row out is the caller's choice (``on_error``).
A file that is no such file at all, or larger than its ``Bounds``, is a TurnwiseError.
"""

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from keyword import iskeyword
from pathlib import Path
from typing import IO, Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from turnwise.benchmarks.integers import parse_integer
from turnwise.errors import MissingExtraError, TurnwiseError
from turnwise.records.codec import first_mistake
from turnwise.records.settings import OnError
from turnwise.texts import printable, shown

Model = TypeVar("Model", bound=BaseModel)
Record = TypeVar("Record")

_SHARD = re.compile(r"-[0-9]{5}-of-([0-9]{5})")

_BOM = b"\xef\xbb\xbf"
_PEEKED = 64
_GZIP = b"\x1f\x8b"
# What is not read here, by how it begins, and how one makes of it what is.
_UNREAD = {
    b"PK\x03\x04": ("a zip archive", "unpack it (unzip)"),
    b"\x28\xb5\x2f\xfd": ("compressed with zstd", "unpack it (unzstd)"),
    b"\xfd7zXZ\x00": ("compressed with xz", "unpack it (unxz)"),
    b"BZh": ("compressed with bzip2", "unpack it (bunzip2)"),
    b"\xff\xfe": ("text in UTF-16 or UTF-32", "convert it to UTF-8 (iconv -f UTF-16 -t UTF-8)"),
    b"\xfe\xff": ("text in UTF-16 or UTF-32", "convert it to UTF-8 (iconv -f UTF-16 -t UTF-8)"),
    b"{\x00": ("text in UTF-16 or UTF-32", "convert it to UTF-8 (iconv -f UTF-16LE -t UTF-8)"),
    b"\x00{": ("text in UTF-16 or UTF-32", "convert it to UTF-8 (iconv -f UTF-16BE -t UTF-8)"),
    b"[\x00": ("text in UTF-16 or UTF-32", "convert it to UTF-8 (iconv -f UTF-16LE -t UTF-8)"),
    b"\x00[": ("text in UTF-16 or UTF-32", "convert it to UTF-8 (iconv -f UTF-16BE -t UTF-8)"),
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many bytes are read, unpacked: of one line, of a JSON array or document, of all lines of a file."""

    line: int
    document: int
    file: int


# Data sets are chosen by the user, and have giant rows; answers may be anybody's.
OF_DATA = Bounds(line=2**30, document=2**30, file=2**40)
OF_ANSWERS = Bounds(line=2**27, document=2**29, file=2**32)


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
    data: dict[str, object]
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


def read_rows(path: Path, *, bounds: Bounds = OF_DATA) -> Iterator[Row]:
    """Yield the rows of one file; broken lines come as rows with an error.

    Raises TurnwiseError for a file in another compression, encoding or form, or one beyond the ``bounds``.
    """
    with path.open("rb") as plain:
        start = plain.read(_PEEKED)
        plain.seek(0)
        if path.suffix == ".parquet":
            yield from _read_parquet(path, bounds)
        elif start.startswith(_GZIP):
            with gzip.open(plain) as unpacked:
                yield from _read_json(path, unpacked, bounds)
        elif path.suffix == ".gz" and start and not _begins_json(start) and not _reason_unread(start):
            yield _broken(path, 1, "the compressed file is damaged here (it is no gzip).")
        else:
            yield from _read_json(path, plain, bounds)


def holds_array(path: Path) -> bool:
    """Return whether a file of JSON begins as an array does."""
    with path.open("rb") as file:
        return _begins_json(file.read(_PEEKED), b"[")


def read_document(path: Path, *, bounds: Bounds = OF_ANSWERS) -> object:
    """Return the one JSON document in ``path``; raises OSError, ValueError, or TurnwiseError beyond the ``bounds``."""
    with path.open("rb") as file:
        return load_json(_decode(_read_document(path, file, bounds)))


def _read_json(path: Path, file: IO[bytes] | gzip.GzipFile, bounds: Bounds) -> Iterator[Row]:
    number = 0
    try:
        start = file.read(_PEEKED)
        if reason := _reason_unread(start):
            raise TurnwiseError(f"{path.name} {reason}")
        file.seek(0)
        if _begins_json(start, b"["):
            document = _read_document(path, file, bounds)
            if not _are_lines(document):
                yield from _read_array(path, document)
                return
            file.seek(0)
        total = 0
        while line := file.readline(bounds.line + 1):
            number += 1
            total += len(line)
            if len(line) > bounds.line:
                refuse_size(f"Row {number} of {path.name}", bounds.line)
            if total > bounds.file:
                refuse_size(path.name, bounds.file)
            if number == 1:
                line = line.removeprefix(_BOM)
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


def _begins_json(start: bytes, brackets: bytes = b"[{") -> bool:
    first = start.removeprefix(_BOM).lstrip()[:1]
    return bool(first) and first in brackets


def _reason_unread(start: bytes) -> str:
    """Return why a file that begins so is not read, "" for one that may be JSON."""
    for beginning, (what, remedy) in _UNREAD.items():
        if start.startswith(beginning):
            return f"is {what}, and JSON lines in UTF-8, plain or as gzip, are read: {remedy}."
    return ""


def refuse_size(what: str, limit: int) -> NoReturn:
    """Raise the TurnwiseError about a file, or a part of one, that is larger than ``limit`` bytes."""
    raise TurnwiseError(f"{what} is larger than {limit / 2**20:g} MiB, more than is read: give a smaller file.")


def _read_document(path: Path, file: IO[bytes] | gzip.GzipFile, bounds: Bounds) -> bytes:
    data = bytearray()
    while piece := file.read(2**20):
        data += piece
        if len(data) > bounds.document:
            refuse_size(path.name, bounds.document)
    return bytes(data)


def _are_lines(data: bytes) -> bool:
    """Return whether a file that begins as an array does holds a line for each row, the first of which is a list."""
    first, _, others = data.strip().partition(b"\n")
    return first.rstrip().endswith(b"]") and others.lstrip()[:1] in (b"{", b"[")


def _read_array(path: Path, data: bytes) -> Iterator[Row]:
    """Yield the objects of one JSON array as rows, numbered from 1."""
    number = 0
    try:
        text = _decode(data)
        position = _skip_blanks(text, text.index("[") + 1)
        while text[position : position + 1] != "]":
            number += 1
            value, position = _decode_at(text, position)
            yield _row(path, number, value)
            position = _skip_blanks(text, position)
            if text[position : position + 1] == ",":
                position = _skip_blanks(text, position + 1)
            elif text[position : position + 1] != "]":
                raise ValueError(
                    "the array goes on without a comma" if position < len(text) else "the array has no end"
                )
        if _skip_blanks(text, position + 1) < len(text):
            raise ValueError("something stands after the array")
    except ValueError as error:
        yield _broken(path, max(number, 1), _no_json(error))


def _skip_blanks(text: str, position: int) -> int:
    while text[position : position + 1] in (" ", "\t", "\n", "\r"):
        position += 1
    return position


def _decode_at(text: str, position: int) -> tuple[object, int]:
    try:
        return _DECODER.raw_decode(text, position)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _decode(data: bytes) -> str:
    """Return the text of JSON in UTF-8, halves of characters included; raises ValueError."""
    try:
        return data.removeprefix(_BOM).decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise ValueError(f"its byte {error.start + 1} is no UTF-8") from None


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
        mistake = first_mistake(error)
        if mistake.kind == "missing":
            raise row.fail(f"field {mistake.where!r} is missing.") from None
        if mistake.kind == "extra_forbidden":
            known = ", ".join(model.model_fields)
            raise row.fail(f"field {shown(mistake.where)} is unknown: a row has {known}.") from None
        given = f"{type(mistake.value).__name__} {shown(mistake.value)}"
        raise row.fail(f"field {mistake.where!r} is {given}: {mistake.reason.rstrip('.').lower()}.") from None


def is_function_name(name: str) -> bool:
    """Return whether a program can define a function of this ``name``."""
    return name.isidentifier() and not iskeyword(name)


_DECODER = json.JSONDecoder(parse_int=parse_integer)


def load_json(text: str | bytes) -> object:
    """Return the JSON document ``text``, integers of any length included; raises ValueError."""
    try:
        return json.loads(text, parse_int=parse_integer)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def digest_files(paths: Iterable[Path]) -> str:
    """Return sha256 over the bytes of ``paths`` in order, hexadecimal."""
    total = hashlib.sha256()
    for path in paths:
        total.update(bytes.fromhex(digest_of(path)))
    return total.hexdigest()


def digest_of(path: Path) -> str:
    """Return sha256 over the bytes of one file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _parse_line(path: Path, number: int, line: bytes) -> Row:
    try:
        return _row(path, number, load_json(_decode(line)))
    except ValueError as error:
        return _broken(path, number, _no_json(error))


def _row(path: Path, number: int, data: object) -> Row:
    if not isinstance(data, dict):
        return _broken(path, number, f"is a JSON {type(data).__name__}, not an object.")
    return Row(path.name, number, data)


def _no_json(error: ValueError) -> str:
    return f"is no JSON ({str(error).split(':')[0].lower()}; is the file cut off?)."


def _broken(path: Path, number: int, problem: str) -> Row:
    return Row(path.name, number, {}, RowError(f"{path.name} row {number}", problem))


def _read_parquet(path: Path, bounds: Bounds) -> Iterator[Row]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError(f"Reading {path.name}", "pyarrow", "data") from None
    last = 0
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            if unpacked_size(file) > bounds.file:
                refuse_size(path.name, bounds.file)
            for batch in file.iter_batches(batch_size=64):
                for index in range(batch.num_rows):
                    last += 1
                    yield _parquet_row(path, last, batch.slice(index, 1))
    except (pyarrow.ArrowException, OSError) as error:
        yield _broken(path, last + 1, f"the parquet file is cut off or damaged here ({error}).")


def unpacked_size(file: Any) -> int:
    """Return how many bytes an open parquet file says that it holds."""
    groups = range(file.metadata.num_row_groups)
    return sum(int(file.metadata.row_group(group).total_byte_size) for group in groups)


def _parquet_row(path: Path, number: int, row: Any) -> Row:
    try:
        return Row(path.name, number, row.to_pylist()[0])
    except UnicodeDecodeError as error:
        return _broken(path, number, f"a text is no UTF-8 ({error.reason}).")
