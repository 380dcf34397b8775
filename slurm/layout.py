"""Where the files of a run on many nodes lie: RUN/cluster/, beside the files that every run has."""

from pathlib import Path

SAMPLE, JUDGE, CLOSE = "sample", "judge", "close"


class ClusterFolder:
    """The folder ``cluster`` of a run."""

    def __init__(self, run: Path) -> None:
        self.run = run
        self.path = run / "cluster"

    def submission(self, number: int) -> Path:
        """Return the folder of one submission."""
        return self.path / "submissions" / f"{number:04d}"

    def submissions(self) -> list[int]:
        """Return the numbers of the submissions, oldest first."""
        return sorted(int(path.name) for path in (self.path / "submissions").glob("[0-9]*") if path.name.isdigit())

    def claims(self, step: str) -> Path:
        """Return the folder of the claims on shards of one step."""
        return self.path / "claims" / step

    def heartbeat(self, worker: str) -> Path:
        """Return the file that ``worker`` touches."""
        return self.path / "heartbeats" / worker

    def events(self, worker: str) -> Path:
        """Return the log of ``worker``."""
        return self.path / "events" / f"{worker}.jsonl"

    @property
    def inputs(self) -> Path:
        """The folder of copies of what the options of the run name."""
        return self.path / "inputs"

    @property
    def ends(self) -> Path:
        """The folder in which batch scripts say what became of jobs that were told to end, a file for each job."""
        return self.path / "ends"


def worker_name(submission: int, step: str, slot: int) -> str:
    """Return the name of the worker in ``slot`` (from 0) of a step."""
    return f"{submission:04d}-{step}-{slot:04d}"
