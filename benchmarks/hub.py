"""Rows from the hub, for machines with internet: CodeContests and TACO by datasets, the rest by evalplus.

TACO's repository carries a loading script that current versions of datasets refuse, so its parquet files
are read directly. The hub's copies of HumanEval+ and MBPP+ lack the inputs; evalplus downloads its
release files, which have them. Both packages are extras and are imported only here.
"""

import json
from collections.abc import Iterable
from typing import Any

from turnwise.benchmarks.rows import Row
from turnwise.errors import InfrastructureError, MissingExtraError, TurnwiseError

_TACO_FILES = "hf://datasets/BAAI/TACO/ALL/{split}-*.parquet"


def read_hub_rows(benchmark: str, split: str) -> tuple[list[Row], str, str]:
    """Return the rows of a split, where they come from and a fingerprint of that version.

    Raises MissingExtraError without the package that downloads, InfrastructureError if it fails.
    """
    if benchmark in ("codecontests", "taco"):
        return _read_datasets(benchmark, split)
    return _read_evalplus(benchmark)


def _read_datasets(benchmark: str, split: str) -> tuple[list[Row], str, str]:
    try:
        import datasets
    except ImportError:
        raise _missing(benchmark, "datasets", "data") from None
    source = "deepmind/code_contests" if benchmark == "codecontests" else "BAAI/TACO"
    try:
        if benchmark == "codecontests":
            table = datasets.load_dataset(source, split=split)
        else:
            files = {split: _TACO_FILES.format(split=split)}
            table = datasets.load_dataset("parquet", data_files=files, split=split)
    except Exception as error:  # datasets and its HTTP stack raise a dozen unrelated kinds
        raise _unreachable(source, error) from error
    fingerprint = str(table._fingerprint)
    return _number_rows(f"{source}/{split}", table), f"hub {source}, split {split}", fingerprint


def _read_evalplus(benchmark: str) -> tuple[list[Row], str, str]:
    try:
        from evalplus import data
    except ImportError:
        raise _missing(benchmark, "evalplus", "evalplus") from None
    try:
        if benchmark == "humaneval_plus":
            tasks, digest = data.get_human_eval_plus(), data.get_human_eval_plus_hash()
        else:
            tasks, digest = data.get_mbpp_plus(), data.get_mbpp_plus_hash()
    except Exception as error:  # evalplus lets the errors of its downloader through
        raise _unreachable(f"evalplus's {benchmark} release", error) from error
    return _number_rows(benchmark, tasks.values()), f"evalplus release of {benchmark}", str(digest)


def _number_rows(file: str, items: Iterable[dict[str, Any]]) -> list[Row]:
    return [Row(file, position + 1, dict(item), position=position) for position, item in enumerate(items)]


def _missing(benchmark: str, package: str, extra: str) -> TurnwiseError:
    purpose = f"{benchmark} without --data-dir or TURNWISE_DATA is downloaded, which"
    return MissingExtraError(purpose, package, extra)


def _unreachable(source: str, error: Exception) -> InfrastructureError:
    reason = json.dumps(str(error).split("\n")[0][:200])
    return InfrastructureError(
        f"{source} could not be downloaded ({reason}): try again, or give local files with --data-dir."
    )
