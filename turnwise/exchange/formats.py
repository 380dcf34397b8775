"""The formats that runs are exported to and imported from, by the name that --format takes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from turnwise.errors import TurnwiseError
from turnwise.exchange import evalplus, flat, livecodebench, lm_eval
from turnwise.exchange.contents import Contents
from turnwise.records.choices import FileFormat
from turnwise.records.run_folder import RunFolder, TaskRecord


@dataclass(frozen=True, slots=True)
class Format:
    """How files of one tool are read and written; ``holds_one_task`` is how many of a run one file takes."""

    read: Callable[[Sequence[Path]], Contents]
    write: Callable[[RunFolder, Sequence[TaskRecord], Path], list[Path]]
    holds_one_task: bool = False


FORMATS: dict[str, Format] = {
    FileFormat.LM_EVAL: Format(lm_eval.read, lm_eval.write),
    FileFormat.EVALPLUS: Format(evalplus.read, evalplus.write, holds_one_task=True),
    FileFormat.LIVECODEBENCH: Format(livecodebench.read, livecodebench.write, holds_one_task=True),
    FileFormat.CSV: Format(flat.read_csv, flat.write_csv),
    FileFormat.PARQUET: Format(flat.read_parquet, flat.write_parquet),
}


def find_format(name: str) -> Format:
    """Return the format called ``name``; raises TurnwiseError listing the known ones."""
    if name not in FORMATS:
        raise TurnwiseError(f"--format is {name!r}: choose one of {', '.join(FORMATS)}.")
    return FORMATS[name]
