"""What a program did on one public test, basic block by basic block: the values of variables before and after.

Values are texts as the sandbox sent them, cleaned and bounded (runners/execution/tracing.py); the lines are those
of the program. Only a public test is ever traced.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BlockRun:
    """One run of a block: its first and last line (from 1), and its variables before and after, by name."""

    line: int
    last_line: int
    before: Mapping[str, str]
    after: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Trace:
    """The first and last runs of blocks in a program's run on public test ``test``; ``executed`` counts all."""

    test: int
    executed: int
    runs: tuple[BlockRun, ...]
