"""lm_eval as a user runs it: its command line, and what it wrote."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chat_server import ChatServer

EXECUTABLE = Path(sys.executable).parent / "lm_eval"


@dataclass(frozen=True)
class Done:
    """How lm_eval ended, and the folder it wrote to."""

    process: subprocess.CompletedProcess[str]
    folder: Path

    @property
    def said(self) -> str:
        """All that it printed."""
        return self.process.stdout + self.process.stderr

    @property
    def results(self) -> dict[str, Any]:
        """The results file."""
        (path,) = self.folder.rglob("results_*.json")
        data: dict[str, Any] = json.loads(path.read_text())
        return data

    def metrics(self, task: str) -> dict[str, Any]:
        """The metrics of a task by their names, without filter and standard errors."""
        found = self.results["results"][task]
        return {
            name[: -len(",none")]: found[name] for name in found if name.endswith(",none") and "_stderr" not in name
        }

    def samples(self, task: str) -> list[dict[str, Any]]:
        """The rows of the samples file of a task."""
        (path,) = self.folder.rglob(f"samples_{task}_*.jsonl")
        return [json.loads(line) for line in path.read_text().splitlines()]

    def dialogues(self, task: str) -> list[dict[str, Any]]:
        """The dialogues of a task, as they were logged."""
        return [json.loads(line) for row in self.samples(task) for line in row["resps"][0]]


def command(
    *arguments: str,
    server: ChatServer | None = None,
    metadata: dict[str, Any] | None = None,
    model_args: Sequence[str] = (),
) -> list[str]:
    """Return the command of a run that logs its samples to out/, over the chats of ``server`` if there is one."""
    found = [str(EXECUTABLE), *arguments, "--confirm_run_unsafe_code", "--log_samples", "-o", "out"]
    if server is not None:
        of_server = [f"base_url={server.base_url}/chat/completions", "model=org/m", "num_concurrent=8", *model_args]
        found += ["--model", "local-chat-completions", "--apply_chat_template", "--model_args", ",".join(of_server)]
    if metadata is not None:
        found += ["--metadata", json.dumps(metadata)]
    return found
