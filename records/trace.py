"""What a program did on one public test, basic block by basic block: the values of variables before and after.

Values are texts as the sandbox sent them, cleaned and bounded (runners/execution/tracing.py); the lines are those
of the program. Only a public test is ever traced.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class BlockRun:
    """One run of a block: its first and last line (from 1), and its variables before and after, by name."""

    line: int
    last_line: int
    before: Mapping[str, str]
    after: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object that ``from_json`` reads."""
        return {"line": self.line, "last_line": self.last_line, "before": dict(self.before), "after": dict(self.after)}


@dataclass(frozen=True, slots=True)
class Trace:
    """The first and last runs of blocks in a program's run on public test ``test``; ``executed`` counts all."""

    test: int
    executed: int
    runs: tuple[BlockRun, ...]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object that ``from_json`` reads."""
        return {"test": self.test, "executed": self.executed, "runs": [run.to_json() for run in self.runs]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Trace":
        """Return the trace that ``to_json`` wrote."""
        return cls(data["test"], data["executed"], tuple(BlockRun(**run) for run in data["runs"]))
