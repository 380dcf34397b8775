"""``turnwise compare``: two runs problem by problem, or the places that three or more runs can have."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tabulate import tabulate

from turnwise.errors import TurnwiseError
from turnwise.leaderboard.comparison import Difference, compare_tasks
from turnwise.leaderboard.intervals import LEVEL, Over
from turnwise.leaderboard.outcomes import RunOutcomes
from turnwise.leaderboard.runs import find_runs, read_run
from turnwise.tasks.metrics import parse_n_at_k

_SEED = 0
_TESTS = {
    Over.SAMPLES: "the dialogues of each problem dealt anew to the two runs: about these very problems",
    Over.PROBLEMS: "the runs exchanged problem by problem: about problems like these",
    Over.CONTESTS: "the runs exchanged contest by contest: about contests like these",
}


def compare_command(
    first: Path, second: Path, *, over: str = Over.PROBLEMS, n_at_k: str = "", as_json: bool = False
) -> str:
    """Return the comparison of two run folders, as text or as one JSON document.

    Raises TurnwiseError where there is no such run, no task that both have, or no problem that both know.
    """
    if over not in list(Over):
        raise TurnwiseError(f"--interval is {over!r}: choose one of {', '.join(Over)}.")
    runs = [_read(path) for path in (first, second)]
    own = [name for run in runs for name in run.record.settings.get("n_at_k", [])]
    wanted = list(dict.fromkeys(parse_n_at_k(name) for name in [*own, *n_at_k.split(",")] if name.strip()))
    tasks = [{task.record.task: task for task in run.tasks} for run in runs]
    shared = [name for name in tasks[0] if name in tasks[1]]
    if not shared:
        has = "; ".join(f"{run.path} has {', '.join(names)}" for run, names in zip(runs, tasks, strict=True))
        raise TurnwiseError(f"The runs have no task in common: {has}.")
    generator = np.random.default_rng(_SEED)
    found = {
        name: compare_tasks(tasks[0][name], tasks[1][name], over=Over(over), n_at_k=wanted, generator=generator)
        for name in shared
    }
    if not any(found.values()):
        raise TurnwiseError(f"The runs know no problem of {', '.join(shared)} in common: sample or judge them first.")
    notes = [
        f"{name}: the data files of the two runs differ; problems are compared by id."
        for name in shared
        if tasks[0][name].record.data_sha256 != tasks[1][name].record.data_sha256
    ]
    if as_json:
        return json.dumps(_to_json(runs, found, over, notes), indent=1, ensure_ascii=False)
    return _render(runs, found, Over(over), notes)


def _read(path: Path) -> RunOutcomes:
    runs = find_runs(path)
    if len(runs) > 1:
        names = ", ".join(run.name for run in runs)
        raise TurnwiseError(f"{str(path)!r} holds {len(runs)} runs ({names}): name one of them.")
    return read_run(runs[0])


def _render(runs: Sequence[RunOutcomes], found: dict[str, list[Difference]], over: Over, notes: Sequence[str]) -> str:
    headers = ["task", "metric", "problems", "A", "B", "B - A", f"{100 * LEVEL:g} % interval", "p", "only A", "only B"]
    rows = [[name, *_cells(one)] for name, differences in found.items() for one in differences]
    align = ["left", "left"] + ["right"] * (len(headers) - 2)
    parts = [f"{letter}: {run.model} ({run.path})" for letter, run in zip("AB", runs, strict=True)]
    parts += ["", tabulate(rows, headers=headers, disable_numparse=True, colalign=align), ""]
    methods = sorted({one.interval.method for differences in found.values() for one in differences if one.interval})
    parts.append(f"Intervals: {'; '.join(methods) or 'none, as a draw of all samples shows no spread'}.")
    parts.append(f"p: {_TESTS[over]}. Not corrected for the number of rows.")
    parts += [*notes, *(line for name, differences in found.items() for line in _flips(name, differences))]
    return "\n".join(parts)


def _cells(one: Difference) -> list[str]:
    ends = f"{100 * one.interval.lower:+.1f} to {100 * one.interval.upper:+.1f}" if one.interval else "-"
    only = [sum(flip.first > flip.second for flip in one.flips), sum(flip.first < flip.second for flip in one.flips)]
    p_value = f"{one.p_value:.4f}" if one.p_value >= 0.0001 else "<0.0001"
    scores = [f"{100 * one.first:.1f}", f"{100 * one.second:.1f}", f"{100 * one.value:+.1f}"]
    return [one.metric, str(one.problems), *scores, ends, p_value, *map(str, only)]


def _flips(task: str, differences: Sequence[Difference]) -> list[str]:
    """Return the flipped problems of the first pass@k, which is pass@1."""
    one = next((one for one in differences if one.metric == "pass@1"), None)
    if one is None or not one.flips:
        return []
    lines = [f"Flipped in {task}, pass@1 (above 50 in one run and below in the other), A then B:"]
    for flip in one.flips:
        lines.append(f"  {100 * flip.first:5.1f} {100 * flip.second:5.1f}  {flip.problem}")
    return lines


def _to_json(
    runs: Sequence[RunOutcomes], found: dict[str, list[Difference]], over: str, notes: Sequence[str]
) -> dict[str, object]:
    return {
        "first": {"model": runs[0].model, "run": str(runs[0].path)},
        "second": {"model": runs[1].model, "run": str(runs[1].path)},
        "over": over,
        "notes": list(notes),
        "tasks": {name: [one.to_json() for one in differences] for name, differences in found.items()},
    }
