"""One submission, frozen: what was asked, on which profile, which shards in which order, and with which code.

It lies in RUN/cluster/, beside the files that every run has; ClusterFolder knows where each of its files is.

submission.json   this record
shards.jsonl      the shards to do, those with most to do first: one [task, number] a line; none of a training
jobs.json         what the cluster accepted, written after it did
jobs/             scripts and logs; SLURM tells where the script of a job lay, so that those which it accepted before
                  jobs.json could say so are known, too
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from turnwise.errors import TurnwiseError
from turnwise.files import files_inside, inside, read_whole, sync_folder, write_atomically
from turnwise.json_text import json_text
from turnwise.records.codec import from_json, if_set, reason_of, to_json
from turnwise.records.rlef import RLEF as RLEF_RECORD
from turnwise.records.run_folder import RunFolder, Shard
from turnwise.records.training import FINE_TUNING
from turnwise.slurm.profile import ClusterProfile
from turnwise.texts import shown

SAMPLE, JUDGE, CLOSE = "sample", "judge", "close"
TRAIN = "train"
RFT, RLEF = "rft", "rlef"  # how a training trains: what its command is called
_RECORDS = {RFT: FINE_TUNING, RLEF: RLEF_RECORD}
_LARGEST = 2**29  # bytes, of a file of a submission


class ClusterFolder:
    """The folder ``cluster`` of a run."""

    def __init__(self, run: Path) -> None:
        self.run = run
        self.path = inside(run, "cluster")

    def submission(self, number: int) -> Path:
        """Return the folder of one submission."""
        return inside(self.path, "submissions", f"{number:04d}")

    def submissions(self) -> list[int]:
        """Return the numbers of the submissions, oldest first."""
        folder = inside(self.path, "submissions")
        return sorted(int(path.name) for path in folder.glob("[0-9]*") if re.fullmatch(r"[0-9]{4,9}", path.name))

    def claims(self, step: str) -> Path:
        """Return the folder of the claims on shards of one step."""
        return inside(self.path, "claims", step)

    def heartbeat(self, worker: str) -> Path:
        """Return the file that ``worker`` touches."""
        return inside(self.path, "heartbeats", worker)

    def events(self, worker: str) -> Path:
        """Return the log of ``worker``."""
        return inside(self.path, "events", f"{worker}.jsonl")

    def logs(self) -> list[Path]:
        """Return the logs of all workers, by name."""
        return files_inside(inside(self.path, "events"), ending=".jsonl")

    @property
    def code(self) -> Path:
        """The folder of frozen code, a folder for each digest."""
        return inside(self.path, "code")

    @property
    def lock(self) -> Path:
        """The file that whoever submits locks."""
        return inside(self.path, "submitting")

    @property
    def inputs(self) -> Path:
        """The folder of copies of what the options of the run name."""
        return inside(self.path, "inputs")

    @property
    def ends(self) -> Path:
        """The folder in which batch scripts say what became of jobs that were told to end, a file for each job."""
        return inside(self.path, "ends")


def worker_name(submission: int, step: str, slot: int) -> str:
    """Return the name of the worker in ``slot`` (from 0) of a step."""
    return f"{submission:04d}-{step}-{slot:04d}"


@dataclass(frozen=True, slots=True)
class SubmissionRecord:
    """submission.json; ``options`` are those of ``turnwise submit``, which commands/worker.py reads.

    ``inputs`` says by name where copies of what they name lie in the folder of inputs. ``trains`` says that it is a
    training, of ``steps`` (iterations, of rlef), by the ``method`` whose command's options they are; ``data_sha256`` is
    the digest of the report of its data, "" where its own folder tells them.
    """

    options: Mapping[str, object]
    profile: ClusterProfile
    code: str
    folder: str
    workers: int
    submitted: float
    inputs: Mapping[str, str] = field(default_factory=dict)
    trains: bool = if_set(False)
    method: str = if_set(RFT)
    steps: int = if_set(0)
    data_sha256: str = if_set("")


@dataclass(frozen=True, slots=True)
class Array:
    """An accepted array of jobs: its id, the slot of its first element, how many elements."""

    job: str
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class Jobs:
    """What the cluster accepted of a submission."""

    sample: tuple[Array, ...] = ()
    judge: tuple[Array, ...] = ()
    close: str = ""
    train: str = if_set("")

    @property
    def ids(self) -> list[str]:
        """All job ids, without the elements of arrays."""
        return [*(one.job for one in (*self.sample, *self.judge)), *filter(None, [self.close, self.train])]


class Submission:
    """One submission of a run; raises TurnwiseError if it is not there or damaged."""

    def __init__(self, cluster: ClusterFolder, number: int) -> None:
        self.cluster = cluster
        self.number = number
        self.path = cluster.submission(number)

    @cached_property
    def record(self) -> SubmissionRecord:
        """What was frozen."""
        path = inside(self.path, "submission.json")
        try:
            return from_json(SubmissionRecord, json.loads(self._read(path)))
        except (OSError, ValueError, RecursionError) as error:
            raise TurnwiseError(
                f"The submission {str(path)!r} cannot be read ({reason_of(error)}): submit the run again."
            ) from None

    @cached_property
    def shards(self) -> list[Shard]:
        """The shards to do, in the order of the plan's length."""
        by_key = {(shard.task, shard.number): shard for shard in RunFolder(self.cluster.run).shards}
        path = inside(self.path, "shards.jsonl")
        try:
            return [by_key[task, number] for task, number in map(json.loads, self._read(path).splitlines())]
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise TurnwiseError(
                f"The list of shards {str(path)!r} cannot be read ({reason_of(error)}): submit the run again."
            ) from None

    @property
    def jobs(self) -> Jobs:
        """What the cluster accepted so far."""
        path = inside(self.path, "jobs.json")
        try:
            return from_json(Jobs, json.loads(self._read(path)))
        except FileNotFoundError:
            return Jobs()
        except (OSError, ValueError, RecursionError) as error:
            raise TurnwiseError(
                f"The jobs in {str(path)!r} cannot be read ({reason_of(error)}): remove it once squeue shows "
                "none of this run."
            ) from None

    @staticmethod
    def _read(path: Path) -> bytes:
        return read_whole(path, limit=_LARGEST, follow=False)

    def write_jobs(self, jobs: Jobs) -> None:
        """Say what the cluster accepted so far."""
        write_atomically(self.path / "jobs.json", json_text(to_json(jobs)) + "\n")

    @property
    def owner(self) -> int:
        """The number of the user who made it, whose its jobs are."""
        return self.path.stat().st_uid

    def scripts(self) -> list[Path]:
        """Return the folders from which jobs were submitted, which are there before the first of them is."""
        return [
            folder for step in (SAMPLE, JUDGE, CLOSE, TRAIN) if (folder := inside(self.path, "jobs", step)).is_dir()
        ]

    def code(self) -> Path:
        """Return the folder of the frozen code."""
        return inside(self.cluster.code, self.record.code)

    def inputs(self) -> dict[str, Path]:
        """Return the copies of what the options name."""
        return {name: self._copy(path) for name, path in self.record.inputs.items()}

    def _copy(self, path: str) -> Path:
        """Return where a copy lies: a file or a folder, no link or pipe, under whatever name the user gave it."""
        digest, _, name = path.partition("/")
        copy = inside(self.cluster.inputs, digest) / name
        is_name = copy.name == name and name != ".." and "\0" not in name
        if not is_name or copy.is_symlink() or (copy.exists() and not (copy.is_file() or copy.is_dir())):
            raise TurnwiseError(f"{shown(path)} in {str(self.cluster.inputs)!r} is no copy: submit the run again.")
        return copy


def freeze_submission(cluster: ClusterFolder, record: SubmissionRecord, shards: list[Shard]) -> Submission:
    """Write a submission under the next number; of two processes that try, each gets its own."""
    number = max(cluster.submissions(), default=0) + 1
    while True:
        path = cluster.submission(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            path.mkdir()
            break
        except FileExistsError:
            number += 1
    cluster.ends.mkdir(exist_ok=True)
    lines = [json_text([shard.task, shard.number]) + "\n" for shard in shards]
    write_atomically(path / "shards.jsonl", "".join(lines))
    write_atomically(path / "submission.json", json_text(to_json(record), indent=1) + "\n")
    for folder in (path, path.parent, cluster.path, cluster.run):  # so that no job is there before what it is to do
        sync_folder(folder)
    return Submission(cluster, number)


def latest_submission(run: Path) -> Submission:
    """Return the latest submission of a run; raises TurnwiseError if it has none."""
    cluster = ClusterFolder(run)
    numbers = cluster.submissions()
    if not numbers:
        for method, record in _RECORDS.items():
            if (run / record).is_file():
                raise TurnwiseError(
                    f"The training {str(run)!r} was never submitted to a cluster: see turnwise {method} --cluster."
                )
        if not (run / "run.json").is_file():
            raise TurnwiseError(f"{str(run)!r} is no run folder: name one that turnwise submit wrote.")
        raise TurnwiseError(f"The run {str(run)!r} was never submitted to a cluster: see turnwise submit.")
    return Submission(cluster, numbers[-1])
