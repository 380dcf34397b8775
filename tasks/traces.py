"""A trace as a reader sees it: each block's lines between the values of its variables before and after.

What is told of a value is what changed, so that a trace fits into the feedback.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from turnwise.records.report import BlockRun, Trace

_BLOCK_LINES = 10
_LINE_END = re.compile(r"\r\n|\r|\n")  # Python's own: str.splitlines knows more
_LINE_CHARACTERS = 120


def describe_runs(trace: Trace, program: str) -> list[dict[str, Any]]:
    """Return what the template ``ldb`` shows of each run of a block; ``number`` counts all runs from 1."""
    lines = _LINE_END.split(program)
    first = (len(trace.runs) + 1) // 2
    found = []
    for index, run in enumerate(trace.runs):
        is_early = trace.executed == len(trace.runs) or index < first
        number = index + 1 if is_early else trace.executed - len(trace.runs) + index + 1
        found.append({"number": number, "skipped": 0, **_describe(run, lines)})
    return found


def fewer_runs(runs: Sequence[dict[str, Any]], shown: int) -> list[dict[str, Any]]:
    """Return ``shown`` of the runs, the first and the last ones, each with how many were ``skipped`` before it."""
    early = (shown + 1) // 2
    kept = [*runs[:early], *runs[len(runs) - (shown - early) :]] if shown else []
    before = [0, *(run["number"] for run in kept)]
    return [{**run, "skipped": run["number"] - last - 1} for run, last in zip(kept, before, strict=False)]


def _describe(run: BlockRun, lines: Sequence[str]) -> dict[str, Any]:
    code = [line[:_LINE_CHARACTERS].rstrip() for line in lines[run.line - 1 : run.last_line]]
    if len(code) > _BLOCK_LINES:
        half = _BLOCK_LINES // 2
        code = [*code[:half], "...", *code[-half:]]
    changed = {name: text for name, text in run.after.items() if run.before.get(name) != text}
    return {"line": run.line, "code": "\n".join(code), "before": _said(run.before), "after": _said(changed)}


def _said(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name} = {text}" for name, text in values.items())
