"""Where the files of a run on many nodes lie: RUN/cluster/, beside the files that every run has."""

import re
from pathlib import Path

from turnwise.files import files_inside, inside

SAMPLE, JUDGE, CLOSE = "sample", "judge", "close"


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
