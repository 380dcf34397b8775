"""What the page says of a task and all its rows together: places, comparisons, and who solved what."""

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from turnwise.leaderboard.comparison import compare_tasks, difference_document
from turnwise.leaderboard.outcomes import MISSING
from turnwise.leaderboard.page.rows import PageRow
from turnwise.leaderboard.ranks import rank_tasks
from turnwise.records.choices import Over
from turnwise.records.metrics import NAtK

_SEED = 0  # of the resamples and permutations, as in turnwise compare
MOST_COMPARED = 20  # rows of a task whose pairs are all compared; the page names the command for other pairs
Progress = Callable[[str, int, int], None]


def describe_task(rows: Sequence[PageRow], on_progress: Progress) -> dict[str, Any]:
    """Return what the page knows of the task of these rows, which all have the same."""
    record = rows[0].scored.outcomes.record
    problems = {
        one.id: [one.id, one.difficulty, list(one.flags)] for row in rows for one in row.scored.outcomes.problems
    }
    return {
        "task": record.task,
        "benchmark": record.benchmark,
        "split": record.split,
        "loaded": max(row.scored.outcomes.record.loaded for row in rows),
        "turns": max(row.scored.outcomes.record.max_turns for row in rows),
        "problems": list(problems.values()),
        "solved": {row.key: _solved(row, list(problems)) for row in rows},
        "places": _places(rows),
        "pairs": _pairs(rows, on_progress),
    }


def _solved(row: PageRow, problems: Sequence[str]) -> list[list[int] | None]:
    """Return ``[solved, known]`` dialogues of each problem, None where the row was not asked it."""
    outcomes = row.scored.outcomes
    last = outcomes.passed[..., -1]
    counts = zip((last == 1).sum(axis=1).tolist(), (last != MISSING).sum(axis=1).tolist(), strict=True)
    by_id = {problem.id: list(count) for problem, count in zip(outcomes.problems, counts, strict=True)}
    return [by_id.get(problem) for problem in problems]


def _n_at_k(rows: Sequence[PageRow]) -> list[NAtK]:
    return list(dict.fromkeys(metric for row in rows for metric in row.scored.n_at_k))


def _places(rows: Sequence[PageRow]) -> dict[str, Any]:
    """Return by ``metric|turns`` the problems that all rows know and the ``[best, worst]`` place of each row."""
    if len(rows) < 2:
        return {}
    rankings = rank_tasks(
        [row.scored.outcomes for row in rows],
        over=Over.PROBLEMS,
        generator=np.random.default_rng(_SEED),
        n_at_k=_n_at_k(rows),
    )
    return {
        f"{one.metric}|{one.turns}": {
            "problems": one.problems,
            "ranks": {row.key: [rank.best, rank.worst] for row, rank in zip(rows, one.ranks, strict=True)},
        }
        for one in rankings
    }


def _pairs(rows: Sequence[PageRow], on_progress: Progress) -> dict[str, Any]:
    """Return by ``A B`` the differences of two rows, each metric with interval, p-value and flipped problems."""
    found: dict[str, Any] = {}
    pairs = list(combinations(rows[:MOST_COMPARED], 2))
    for number, (a, b) in enumerate(pairs):
        on_progress(f"comparing on {a.task}", number, len(pairs))
        generator = np.random.default_rng(_SEED)
        outcomes = a.scored.outcomes, b.scored.outcomes
        differences = compare_tasks(*outcomes, over=Over.PROBLEMS, generator=generator, n_at_k=_n_at_k([a, b]))
        found[f"{a.key} {b.key}"] = [difference_document(one) for one in differences]
    return found
