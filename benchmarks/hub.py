"""Rows from the hub, for machines with internet: the parquet files of CodeContests and TACO, evalplus's release files.

Only the files of the split are fetched, into the hub's own cache, which serves machines without internet later
(HF_HUB_OFFLINE); they are read as local files are (rows.py), and no loading script is run. The hub's copies of
HumanEval+ and MBPP+ lack the inputs, so evalplus fetches and keeps its release. The packages that fetch are extras and
are imported only here.
"""

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path

from turnwise.benchmarks.benchmark import Source
from turnwise.benchmarks.rows import Row, check_shards, read_all
from turnwise.errors import InfrastructureError, MissingExtraError, TurnwiseError


def read_repository(repository: str, pattern: str, benchmark: str, split: str) -> Source:
    """Return the rows of the files of a split in a ``repository`` of the hub.

    Raises MissingExtraError without the package that downloads, InfrastructureError if it fails.
    """
    rows, digest = read_all(_fetch(benchmark, repository, pattern.format(split=split)))
    return Source(rows, f"hub {repository}, split {split}", digest)


def _fetch(benchmark: str, repository: str, pattern: str) -> list[Path]:
    """Return the files of ``repository`` that ``pattern`` matches, from the hub or its cache."""
    try:
        import huggingface_hub
    except ImportError:
        raise _missing(benchmark, "huggingface_hub", "data") from None
    try:
        folder = huggingface_hub.snapshot_download(repository, repo_type="dataset", allow_patterns=[pattern])
        files = sorted(Path(folder).glob(pattern))
        if not files:
            raise FileNotFoundError(f"there is no {pattern}")
        check_shards(files)  # without internet an interrupted download may be what there is
    except Exception as error:  # the hub's client and its HTTP stack raise a dozen unrelated kinds
        raise _unreachable(repository, error) from error
    return files


def read_release(name: str, benchmark: str, _split: str) -> Source:
    """Return the rows of the release that evalplus calls ``name``; its digest is evalplus's hash.

    Raises as ``read_repository`` does.
    """
    try:
        from evalplus import data
    except ImportError:
        raise _missing(benchmark, "evalplus", "evalplus") from None
    try:
        with redirect_stdout(sys.stderr):  # evalplus prints its progress
            tasks, digest = getattr(data, f"get_{name}")(), getattr(data, f"get_{name}_hash")()
    except Exception as error:  # evalplus lets the errors of its downloader through
        raise _unreachable(f"evalplus's {benchmark} release", error) from error
    rows = [Row(benchmark, number, dict(task), position=number - 1) for number, task in enumerate(tasks.values(), 1)]
    return Source(rows, f"evalplus release of {benchmark}", str(digest))


def _missing(benchmark: str, package: str, extra: str) -> TurnwiseError:
    purpose = f"{benchmark} without --data-dir or TURNWISE_DATA is downloaded, which"
    return MissingExtraError(purpose, package, extra)


def _unreachable(source: str, error: Exception) -> InfrastructureError:
    reason = json.dumps(str(error).split("\n")[0][:200])
    return InfrastructureError(
        f"{source} could not be downloaded ({reason}): try again, or give local files with --data-dir."
    )
