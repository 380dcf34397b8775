"""The rows that a model learns from: token ids and labels, checked against the report on them, then read by number.

The rows stand in the data as lines of JSON (tokens.jsonl.gz). Training reads them in an order of its own, so that they
are written once more, as a file that is mapped into memory and not held there. The folder may be somebody else's: its
lines are read up to a size, and no more of them than the report counts.
"""

import gzip
import hashlib
import json
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from turnwise.errors import TurnwiseError
from turnwise.files import inside, replacing
from turnwise.records.training import NOT_LEARNT, TOKENS, DataFile, DataReport
from turnwise.texts import printable

BYTES_PER_TOKEN = 8  # in the file that is mapped: an id and a label of 32 bits
_LONGEST_LINE = 2**28  # bytes
_PIECE = 2**20
_ROWS_AT_A_TIME = 256


@dataclass(frozen=True, slots=True)
class RowSizes:
    """What each row holds: its tokens and those with labels, int64[rows]; ``largest_id`` of all of them."""

    tokens: Any
    labels: Any
    largest_id: int


def tokens_of(report: DataReport, folder: Path) -> DataFile:
    """Return what the report says of the rows; raises TurnwiseError if there are none."""
    file = report.files.get(TOKENS)
    if file is None or report.tokenizer is None:
        raise TurnwiseError(
            f"The training data {str(folder)!r} hold no tokens: make them with turnwise rft-data RUN... -o DIR "
            "--tokenizer MODEL, of the model to train."
        )
    if file.rows < 1 or file.tokens < file.rows or file.labels < 1:
        raise TurnwiseError(f"The training data {str(folder)!r} hold no rows to learn from: make the data again.")
    return file


def check_rows(folder: Path, file: DataFile) -> RowSizes:
    """Return the sizes of the rows in ``folder``; raises TurnwiseError unless they are those of the report."""
    path = inside(folder, TOKENS)
    if _sha256(path) != file.sha256:
        raise _damaged(path, f"its sha256 is not the {printable(file.sha256, limit=12)} of the report")
    sizes, learnt_sizes = array("q"), array("q")  # as long as the file, whatever the report says
    largest = 0
    for ids, learnt in read_rows(folder):
        if len(sizes) == file.rows:
            raise _damaged(path, f"it has more than the {file.rows:,} rows of the report")
        sizes.append(len(ids))
        learnt_sizes.append(int((learnt != NOT_LEARNT).sum()))
        largest = max(largest, int(ids.max()))
    tokens, labels = np.array(sizes, np.int64), np.array(learnt_sizes, np.int64)
    if (len(sizes), int(tokens.sum()), int(labels.sum())) != (file.rows, file.tokens, file.labels):
        raise _damaged(path, "its rows, tokens or labels are not as many as the report says")
    return RowSizes(tokens, labels, largest)


def read_rows(folder: Path) -> Iterator[tuple[Any, Any]]:
    """Yield the ids and labels of each row, int32[tokens] both; raises TurnwiseError for what is no row."""
    path = inside(folder, TOKENS)
    number = 0
    try:
        with gzip.open(path) as lines:
            while line := lines.readline(_LONGEST_LINE):
                number += 1
                yield _row(line)
    except (OSError, EOFError, zlib.error, ValueError, RecursionError, KeyError, TypeError, OverflowError) as error:
        reason = str(error) if isinstance(error, _RowError) else "it is cut off or no row"
        raise _damaged(path, f"line {max(number, 1)}: {reason}") from None


class _RowError(ValueError):
    """What makes a line no row."""


def _row(line: bytes) -> tuple[Any, Any]:
    data = json.loads(line)
    ids, labels = np.asarray(data["input_ids"]), np.asarray(data["labels"])
    if ids.ndim != 1 or ids.shape != labels.shape or not len(ids) or {ids.dtype.kind, labels.dtype.kind} != {"i"}:
        raise _RowError("its ids and labels are no two lists of whole numbers, equally long")
    if ids.min() < 0 or ids.max() >= 2**31:
        raise _RowError("it has an id that no token has")
    if not (learnt := labels != NOT_LEARNT).any() or (labels[learnt] != ids[learnt]).any():
        raise _RowError(f"its labels are neither its ids nor {NOT_LEARNT}, or it has nothing to learn")
    return ids.astype(np.int32), labels.astype(np.int32)


def write_rows(folder: Path, path: Path) -> None:
    """Write the rows of the data in ``folder`` to ``path``, as Arrow has them."""
    import pyarrow as pa

    schema = pa.schema([("input_ids", pa.list_(pa.int32())), ("labels", pa.list_(pa.int32()))])
    with (
        replacing(path) as temporary,
        pa.OSFile(str(temporary), "wb") as sink,
        pa.ipc.new_stream(sink, schema) as writer,
    ):
        batch: list[tuple[Any, Any]] = []
        for row in read_rows(folder):
            batch.append(row)
            if len(batch) == _ROWS_AT_A_TIME:
                writer.write_batch(_columns(batch, schema))
                batch = []
        if batch:
            writer.write_batch(_columns(batch, schema))


def _columns(batch: list[tuple[Any, Any]], schema: Any) -> Any:
    import pyarrow as pa

    columns = [pa.array(list(values), type=pa.list_(pa.int32())) for values in zip(*batch, strict=True)]
    return pa.record_batch(columns, schema=schema)


def row_order(rows: int, *, needed: int, seed: int) -> Any:
    """Return the numbers of the rows as they are learnt, int64[needed]: all of them in each epoch, each time anew."""
    epochs = -(-needed // rows)
    orders = [np.random.default_rng([seed, epoch]).permutation(rows) for epoch in range(epochs)]
    return np.concatenate(orders)[:needed]


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    except FileNotFoundError:
        raise _damaged(path, "there is no such file") from None
    return digest.hexdigest()


def _damaged(path: Path, reason: str) -> TurnwiseError:
    return TurnwiseError(f"The training data {str(path)!r} cannot be used ({reason}): make the data again.")
