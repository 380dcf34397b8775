"""The report on runs: their scores, tables and settings, as text and as files in the run folder.

    scores.json                every estimate, with costs, gaps and all settings
    tables/by_task.txt, ...    the tables a person reads (by task, difficulty, turns)

Scoring runs no program and asks no model: it reads what sampling and judging wrote.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from turnwise.errors import TurnwiseError
from turnwise.files import write_atomically
from turnwise.leaderboard.outcomes import Gap, RunOutcomes, TaskOutcomes, read_outcomes
from turnwise.leaderboard.scores import score_task
from turnwise.leaderboard.tables import By, ScoredTask, render_scores, run_names
from turnwise.tasks.metrics import check_support, parse_n_at_k

_NAMED_WHERE_SET = ("system_instruction", "limit", "samples")
LEGEND = "n@k counts replies, pass@k dialogues; percent of the problems scored."


def find_runs(path: Path) -> list[Path]:
    """Return the run folders at ``path``: itself, or those directly in it; raises TurnwiseError if there is none."""
    if (path / "run.json").is_file():
        return [path]
    found = sorted(one.parent for one in path.glob("*/run.json"))
    if not found:
        raise TurnwiseError(
            f"{str(path)!r} is no run folder and holds none: name a folder that turnwise run or turnwise sample wrote."
        )
    return found


def score_runs(paths: Sequence[Path], *, n_at_k: Sequence[str] = ()) -> list[ScoredTask]:
    """Return the scores of every task of the runs, with ``n_at_k`` beside the n@k each run was made for.

    Raises TurnwiseError for a damaged run, or an n@k that its samples cannot support.
    """
    return [_score(run, task, n_at_k) for path in paths for run in [read_outcomes(path)] for task in run.tasks]


def render_report(scored: Sequence[ScoredTask], *, by: By = By.TASK) -> str:
    """Return the table, what it means, what to do about gaps, and the settings it rests on."""
    parts = [render_scores(scored, by=by), "", LEGEND, *_remedies(scored), *_settings(scored)]
    return "\n".join(parts)


def write_report(folder: Path, scored: Sequence[ScoredTask]) -> None:
    """Write scores.json and the tables into ``folder``."""
    data = {"format": 1, "tasks": [_to_json(one) for one in scored]}
    write_atomically(folder / "scores.json", json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    for by in By:
        write_atomically(folder / "tables" / f"by_{by}.txt", render_report(scored, by=by) + "\n")


def _score(run: RunOutcomes, task: TaskOutcomes, n_at_k: Sequence[str]) -> ScoredTask:
    samples, turns = task.passed.shape[1:]
    own = [parse_n_at_k(str(name)) for name in run.record.settings["n_at_k"]]
    metrics = [one for one in own if one.is_supported(samples=samples, turns=turns)]
    metrics += [check_support(parse_n_at_k(name), samples=samples, turns=turns) for name in n_at_k]
    metrics = list(dict.fromkeys(metrics))
    return ScoredTask(run, task, score_task(task, n_at_k=metrics), tuple(metrics))


def _remedies(scored: Sequence[ScoredTask]) -> list[str]:
    found = []
    for run in dict.fromkeys(str(one.run.path) for one in scored):
        gaps = {gap for one in scored if str(one.run.path) == run for gap, count in one.outcomes.gaps.items() if count}
        if gaps & {Gap.NOT_SAMPLED, Gap.REQUEST_FAILED, Gap.INFRASTRUCTURE_FAILURE}:
            found.append(f"{run} lacks dialogues: its command ({run}/run.json), run again, asks for them.")
        if Gap.NOT_JUDGED in gaps:
            found.append(f"{run} holds programs that are not judged yet: turnwise judge {run}")
    return found


def _settings(scored: Sequence[ScoredTask]) -> list[str]:
    """Return the settings of the runs, each once, with the names of their runs where there are several."""
    by_text: dict[str, list[str]] = {}
    names = run_names(scored)
    for one in scored:
        by_text.setdefault(_settings_text(one), []).append(f"{names[one.run.path]}, {one.outcomes.record.task}")
    if len(by_text) == 1:
        return [f"Settings: {text}." for text in by_text]
    return [f"Settings of {'; '.join(names)}: {text}." for text, names in by_text.items()]


def _settings_text(scored: ScoredTask) -> str:
    record, task = scored.run.record, scored.outcomes.record
    settings, judge = record.settings, record.judge
    turns = f"at most {task.max_turns} turns with {settings['feedback']} feedback" if task.max_turns > 1 else "one turn"
    sampling = [f"{name} {value}" for name, value in settings["sampling"].items() if value not in (None, [])]
    parts = [
        f"profile {settings['profile']}, {turns}, samples per problem: {settings['samples_per_problem']}",
        f"seed {settings['seed']}",
        *sampling,
        f"{settings['extraction']} code block" + (", prefilled" if settings["prefill"] else ""),
        *(f"{name} {settings[name]!r}" for name in _NAMED_WHERE_SET if settings.get(name)),
        f"prompts {record.prompts['set']}",
        f"matcher {judge['matcher']}",
        f"time factor {judge['time_factor']:g}",
        judge["interpreter"],
        *(["judged anew: the feedback came from another judge"] if record.is_judged_anew else []),
        f"executor {judge['executor']} (isolation: {' and '.join(scored.outcomes.tiers) or 'unknown'})",
    ]
    return ", ".join(parts)


def _to_json(scored: ScoredTask) -> dict[str, Any]:
    run, outcomes = scored.run, scored.outcomes
    costs = outcomes.costs
    return {
        "model": run.record.model,
        "task": outcomes.record.task,
        "run": run.path.name,
        "command": run.record.command,
        "turnwise": run.record.turnwise,
        "settings": run.record.settings,
        "judge": {**run.record.judge, "tiers": list(outcomes.tiers)},
        "prompts": run.record.prompts,
        "benchmark": outcomes.record.benchmark,
        "split": outcomes.record.split,
        "data_sha256": outcomes.record.data_sha256,
        "strategy": outcomes.record.strategy,
        "max_turns": outcomes.record.max_turns,
        "problems": {
            "loaded": outcomes.record.loaded,
            "asked": len(outcomes.record.asked),
            "left_out": len(outcomes.record.left_out),
        },
        "dialogues": outcomes.dialogues,
        "missing": {gap.value: count for gap, count in sorted(outcomes.gaps.items())},
        "ends": {end.value: count for end, count in sorted(outcomes.ends.items())},
        "verdicts": {verdict.value: count for verdict, count in sorted(outcomes.verdicts.items())},
        "costs": {name: getattr(costs, name) for name in costs.__slots__},
        "estimates": [estimate.to_json() for estimate in scored.estimates],
    }
