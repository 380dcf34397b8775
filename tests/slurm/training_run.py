"""One training on a cluster, as a user drives it by the command line, with a trainer that counts (fake_trainer.py)."""

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cluster_run import HOOKS
from fake_trainer import LOGS, weights, weights_after

from turnwise.commands.status import status_command, status_document
from turnwise.slurm.events import START, Event, read_events
from turnwise.slurm.submission import ClusterFolder

MAKE_DATA = """
import sys
from pathlib import Path
from tiny_model import make_tiny_model
from training_data import make_rows, write_data
from turnwise.training.tokenizer import open_tokenizer, tokenizer_record
folder = Path(sys.argv[1])
model = str(make_tiny_model(folder / "model", context=64))
write_data(folder / "my data", tokenizer_record(open_tokenizer(model), model), make_rows(10))
"""
MAKE_PROBLEMS = """
import shlex
import sys
from pathlib import Path
from small_rlef import small_line, write_toy
from tiny_model import make_tiny_model
folder = Path(sys.argv[1])
make_tiny_model(folder / "model", context=2048)
write_toy(folder)
line = small_line(Path("model"), Path("toy_train.jsonl"), Path("out"))
places = [line.index(name) for name in ("-o", "--iterations")]
print(shlex.join(word for at, word in enumerate(line) if at not in places and at - 1 not in places))
"""
PROFILE: dict[str, Any] = {"gpus": 1, "cpus": 1, "memory_gb": 0.5, "time_minutes": 10, "warn_seconds": 60}
STEPS = 40


class Training:
    """A training of STEPS steps, and the commands on it; ``delay`` is what each step takes.

    Of the ``method`` rlef the steps are iterations, and the options name a benchmark of the user's own.
    """

    def __init__(
        self, folder: Path, environment: Mapping[str, str], *, delay: float = 0.0, method: str = "rft"
    ) -> None:
        self.folder = folder
        self.method = method
        self.output = folder / "out"
        self.data = folder / "my data"
        self.data.mkdir()
        (self.data / "report.json").write_text("{}")
        self.benchmark = folder / "toy_train.jsonl"
        self.benchmark.write_text("{}\n")
        self.environment = {
            **environment,
            "PYTHONPATH": str(HOOKS),
            "TURNWISE_TEST_STEPS": str(STEPS),
            "TURNWISE_TEST_DELAY": str(delay),
        }

    def command(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of turnwise to its end."""
        command = [sys.executable, "-m", "turnwise", *arguments]
        environ = {**self.environment, **environment}
        return subprocess.run(command, env=environ, cwd=self.folder, capture_output=True, text=True, check=False)

    def train_for_real(self, *, steps: int) -> list[str]:
        """Make a tiny model and data for it; return the words of the command that trains it, but for its folder."""
        del self.environment["TURNWISE_TEST_STEPS"]
        self.environment["OMP_NUM_THREADS"] = "1"
        shutil.rmtree(self.data)
        path = str(Path(__file__).parents[1] / "runners")
        made = [sys.executable, "-c", MAKE_DATA, str(self.folder)]
        subprocess.run(made, env={**self.environment, "PYTHONPATH": path}, check=True, capture_output=True)
        numbers = ["--steps", str(steps), "--tokens-per-step", "40", "--learning-rate", "1e-2", "--save-steps", "10"]
        return ["rft", "my data", "-M", "hf", "-a", "model=model,dtype=float32,device=cpu", *numbers]

    def reinforce_for_real(self, *, iterations: int) -> list[str]:
        """Make a tiny model and problems; return the words of the command that trains it by dialogues."""
        self.method = "rlef"
        del self.environment["TURNWISE_TEST_STEPS"]
        self.environment["OMP_NUM_THREADS"] = "1"
        tests = Path(__file__).parents[1]
        path = f"{tests / 'runners'}:{tests / 'training'}"
        made = [sys.executable, "-c", MAKE_PROBLEMS, str(self.folder)]
        done = subprocess.run(
            made, env={**self.environment, "PYTHONPATH": path}, check=True, capture_output=True, text=True
        )
        words = shlex.split(done.stdout)
        return [*words, "--iterations", str(iterations)]

    def arguments(self, *more: str, **profile: Any) -> list[str]:
        """Return the words of the command that trains, with relative paths."""
        (self.folder / "profile.yaml").write_text(json.dumps({**PROFILE, **profile}))
        own = {"rft": ["my data"], "rlef": ["-t", "toy_train_multiturn", "--benchmark", self.benchmark.name]}
        words = [self.method, *own[self.method], "-M", "hf", "-a", "model=m", "-o", "out", "-p", "profile.yaml"]
        return [*words, *more]

    def start_local(self, **profile: Any) -> "subprocess.Popen[str]":
        """Begin the job on this machine."""
        command = [sys.executable, "-m", "turnwise", *self.arguments("--cluster", "local", **profile)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=self.environment, cwd=self.folder, stdout=pipe, stderr=pipe, text=True)

    def submit(self, *more: str, **profile: Any) -> subprocess.CompletedProcess[str]:
        """Submit the training."""
        return self.command(*self.arguments("--cluster", "slurm", *more, **profile))

    def status(self) -> str:
        """Return what status says, asked in this process."""
        return status_command(self.output)

    def document(self) -> dict[str, Any]:
        """Return what status says as a document, asked in this process."""
        return status_document(self.output)

    def steps(self) -> list[int]:
        """Return the steps that were made, in the order of the log."""
        path, name = self.output / LOGS[self.method], "step" if self.method == "rft" else "iteration"
        return [json.loads(line)[name] for line in path.read_text().splitlines()] if path.exists() else []

    def is_whole(self) -> bool:
        """Return whether the weights are those of an uninterrupted training."""
        return weights(self.output, STEPS) == weights_after(STEPS)

    def events(self, name: str) -> list[Event]:
        """Return the events of a kind, of all jobs."""
        logs = ClusterFolder(self.output).logs()
        return [event for path in logs for event in read_events(path) if event.event == name]

    def begun(self) -> list[int]:
        """Return how often SLURM had restarted the job at each start."""
        return [event.restarts for event in self.events(START)]
