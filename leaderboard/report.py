"""The report on runs: their scores, tables and settings, as text and as files in the run folder.

    scores.json                every estimate, with costs, gaps and all settings
    tables/by_task.txt, ...    the tables a person reads (by task, difficulty, turns)

Scoring runs no program and asks no model: it reads what sampling and judging wrote.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np

from turnwise.files import inside, write_atomically
from turnwise.json_text import json_text
from turnwise.leaderboard.curves import Curve, draw_curve
from turnwise.leaderboard.formats import render_notes
from turnwise.leaderboard.intervals import LEVEL
from turnwise.leaderboard.judges import answers_text, tests_text
from turnwise.leaderboard.outcomes import Gap, RunOutcomes, TaskOutcomes
from turnwise.leaderboard.papers import Shown
from turnwise.leaderboard.scores import estimate_document, score_task
from turnwise.leaderboard.tables import ScoredTask, estimates_csv, render_scores, run_names
from turnwise.records.choices import Along, By, Parity, Style
from turnwise.records.codec import to_json
from turnwise.records.metrics import check_support, parse_n_at_k
from turnwise.records.settings import RunSettings
from turnwise.records.training import training_text
from turnwise.texts import encodable, printable

# Settings that have words of their own, or decide no number; others are named where they are not the default.
_IN_WORDS = frozenset(
    {
        *("profile", "samples_per_problem", "seed", "strategy", "turns", "reasoning", "instruction", "feedback"),
        *("keep_reasoning", "extraction", "extraction_version", "prefill", "max_turns", "n_at_k", "sampling"),
        *("on_error", "strict_context", "decoys", "chat_template", "seeds_sent"),
    }
)
_LONGEST_SETTINGS = 4096
LEGEND = "n@k counts replies, pass@k dialogues; percent of the problems scored."
_SEED = 0  # of the resamples: scoring twice gives the same intervals


def score_runs(
    runs: Iterable[RunOutcomes], *, n_at_k: Sequence[str] = (), parity: Parity | None = None
) -> list[ScoredTask]:
    """Return the scores of every task of the runs, with ``n_at_k`` beside the n@k each run was made for.

    With ``parity`` each estimate has an interval as that paper made it, too.

    Raises TurnwiseError for an n@k that the samples of a run cannot support.
    """
    return [_score(run, task, n_at_k, parity) for run in runs for task in run.tasks]


def draw_curves(scored: Sequence[ScoredTask], along: Along) -> list[Curve]:
    """Return the curves of scored tasks, with the n@k that they were scored by; raises TurnwiseError without tokens."""
    return [
        Curve(one, draw_curve(one.outcomes, along, n_at_k=one.n_at_k, generator=np.random.default_rng(_SEED)))
        for one in scored
    ]


def render_report(
    scored: Sequence[ScoredTask], *, by: By = By.TASK, over: Shown | None = None, style: Style = Style.TEXT
) -> str:
    """Return the table, what it means, what to do about gaps, and the settings it rests on.

    As CSV it is every estimate with its settings, as JSON the document of scores.json.
    """
    if style == Style.JSON:
        return to_document(scored)
    if style == Style.CSV:
        return estimates_csv(scored, [settings_text(one) for one in scored])
    notes = ["", LEGEND, *interval_lines(scored, over), *_remedies(scored)]
    notes += [*training_lines(scored), *judged_lines(scored), *settings_lines(scored)]
    return "\n".join([render_scores(scored, by=by, over=over, style=style), *render_notes(notes, style)])


def to_document(scored: Sequence[ScoredTask]) -> str:
    """Return the document of scores.json."""
    data = {"format": 1, "tasks": [_to_json(one) for one in scored]}
    return json_text(data, indent=1, ensure_ascii=False)


def write_report(folder: Path, scored: Sequence[ScoredTask], *, over: Shown | None = None) -> None:
    """Write scores.json and the tables into ``folder``."""
    write_atomically(inside(folder, "scores.json"), encodable(to_document(scored)) + "\n")
    for by in By:
        table = inside(folder, "tables", f"by_{by}.txt")
        write_atomically(table, encodable(render_report(scored, by=by, over=over)) + "\n")


def _score(run: RunOutcomes, task: TaskOutcomes, n_at_k: Sequence[str], parity: Parity | None) -> ScoredTask:
    samples, turns = task.passed.shape[1:]
    own = [parse_n_at_k(str(name)) for name in run.record.settings.n_at_k]
    metrics = [one for one in own if one.is_supported(samples=samples, turns=turns)]
    metrics += [check_support(parse_n_at_k(name), samples=samples, turns=turns) for name in n_at_k]
    metrics = list(dict.fromkeys(metrics))
    generator = np.random.default_rng(_SEED)
    return ScoredTask(run, task, score_task(task, n_at_k=metrics, generator=generator, parity=parity), tuple(metrics))


def interval_lines(scored: Sequence[ScoredTask], over: Shown | None) -> list[str]:
    """Return what the intervals of the table are, where it has some."""
    found = [one.intervals.get(over) for task in scored for one in task.estimates] if over else []
    methods = "; ".join(sorted({interval.method for interval in found if interval}))
    if isinstance(over, Parity):
        return [f"Intervals: {methods}; for comparison with the paper, no coverage is claimed."] if methods else []
    return [f"{100 * LEVEL:g} % intervals: {methods}."] if methods else []


def _remedies(scored: Sequence[ScoredTask]) -> list[str]:
    found = []
    for _, group in groupby(scored, key=lambda one: one.run.path):
        several = list(group)
        run = several[0].run
        gaps = {gap for one in several for gap, count in one.outcomes.gaps.items() if count}
        if not _is_imported(run) and gaps & {Gap.NOT_SAMPLED, Gap.REQUEST_FAILED, Gap.INFRASTRUCTURE_FAILURE}:
            again = f"its command ({run.path}/run.json), run again, asks for them."
            if run.record.judge.judged_anew:
                again = "complete the run that it is a copy of, and judge that anew into another folder."
            found.append(f"{run.path} lacks dialogues: {again}")
        if Gap.NOT_JUDGED in gaps:
            target = f"judge {run.path}" + ("" if run.record.judge.matcher else " -o NEW")
            if not run.path.is_dir():
                target = f"import {run.path.parent} --format lm-eval -o NEW, then turnwise judge NEW"
            found.append(f"{run.path} holds programs that are not judged yet: turnwise {target}")
    return list(dict.fromkeys(found))


def training_lines(scored: Sequence[ScoredTask]) -> list[str]:
    """Return a sentence on each task whose problems are for training: which of them were asked."""
    found = []
    for record in (one.outcomes.record for one in scored if one.outcomes.record.is_training):
        which = (
            f"kept by up to {record.own_solutions} of their own solutions" if record.own_solutions else "all of them"
        )
        found.append(
            f"{printable(record.task, limit=80)}: training problems, {which}, so this score is no evaluation and "
            "stands on no board."
        )
    return list(dict.fromkeys(found))


def judged_lines(scored: Sequence[ScoredTask]) -> list[str]:
    """Return of each task how many problems checkers or stated tolerances decide, and how many tests were left out."""
    found = []
    for one in scored:
        record = one.outcomes.record
        left_out = sum(record.invalid_tests.values())
        parts = [f"checkers or stated tolerances decide {record.checked} of {len(record.asked)} problems"]
        parts += [f"tests left out, since their input breaks the statement: {left_out}"] if left_out else []
        if record.checked or left_out:
            found.append(f"{printable(record.task, limit=80)}: {'; '.join(parts)}.")
    return list(dict.fromkeys(found))


def settings_lines(scored: Sequence[ScoredTask]) -> list[str]:
    """Return the settings of the runs, each once, with the names of their runs where there are several."""
    by_text: dict[str, list[str]] = {}
    names = run_names(scored)
    for one in scored:
        by_text.setdefault(settings_text(one), []).append(f"{names[one.run.path]}, {one.outcomes.record.task}")
    if len(by_text) == 1:
        return [f"Settings: {text}." for text in by_text]
    return [f"Settings of {'; '.join(names)}: {text}." for text, names in by_text.items()]


def _is_imported(run: RunOutcomes) -> bool:
    return "imported_from" in run.record.model


def settings_text(scored: ScoredTask) -> str:
    """Return the settings that a task's numbers rest on, on one line."""
    return printable(", ".join([*_sampling_text(scored), *_judge_text(scored)]), limit=_LONGEST_SETTINGS)


def _sampling_text(scored: ScoredTask) -> list[str]:
    """Return how the dialogues came about; of another tool's run that is its files."""
    record, task = scored.run.record, scored.outcomes.record
    settings, model = record.settings, record.model
    sampling = [f"{name} {value}" for name, value in settings.sampling.told().items()]
    source = []
    if _is_imported(scored.run):
        first, *others = model["files"].split(", ")
        files = f"{first} and {len(others)} more" if others else first
        source = [f"imported from {model['imported_from']} {files} (sha256 {model['sha256'][:12]})"]
    if settings.profile == "imported":
        return [*source, *training_text(model), f"samples per problem: {settings.samples_per_problem}", *sampling]
    feedback = "its own" if settings.turns else settings.feedback
    turns = f"at most {task.max_turns} turns with {feedback} feedback" if task.max_turns > 1 else "one turn"
    request = [f"request {model['request']}"] if model.get("request") else []
    return [
        *source,
        *training_text(model),
        *request,
        f"profile {settings.profile}, {turns}, samples per problem: {settings.samples_per_problem}",
        *_prompts_text(settings, scored),
        f"seed {settings.seed}",
        *sampling,
        f"extraction {settings.extraction} {settings.extraction_version}" + (", prefilled" if settings.prefill else ""),
        *(f"{name} {value!r}" for name, value in to_json(settings).items() if name not in _IN_WORDS and value),
        f"prompts {record.prompts.set}",
    ]


def _prompts_text(settings: RunSettings, scored: ScoredTask) -> list[str]:
    """Return the strategy and its prompts where they are not the plain ones."""
    found = [f"strategy {scored.outcomes.record.strategy}"] if settings.strategy else []
    if settings.reasoning:
        found.append(f"reasoning {' + '.join(settings.reasoning)}")
    if settings.instruction:
        found.append(f"instruction {settings.instruction}")
    if settings.keep_reasoning is False:
        found.append("reasoning forgotten after its turn")
    return found


def _judge_text(scored: ScoredTask) -> list[str]:
    """Return what gave the verdicts; of another tool's judge only its name is known."""
    judge = scored.run.record.judge
    if not judge.matcher:
        return [f"judged by {judge.executor}" if judge.executor else "not judged"]
    return [
        f"matcher {judge.matcher}",
        answers_text(judge),
        tests_text(judge),
        f"time factor {judge.time_factor:g}",
        *(["with the stub's imports and helpers (--stub-imports)"] if scored.run.record.judge.stub_imports else []),
        judge.interpreter,
        *(["judged anew: the feedback came from another judge"] if scored.run.record.judge.judged_anew else []),
        f"executor {judge.executor} (isolation: {' and '.join(scored.outcomes.tiers) or 'unknown'})",
    ]


def _to_json(scored: ScoredTask) -> dict[str, object]:
    run, outcomes = scored.run, scored.outcomes
    costs = outcomes.costs
    return {
        "model": dict(run.record.model),
        "task": outcomes.record.task,
        "run": run.path.name,
        "command": run.record.command,
        "turnwise": run.record.turnwise,
        "settings": to_json(run.record.settings),
        "judge": {**to_json(run.record.judge), "tiers": list(outcomes.tiers)},
        "prompts": to_json(run.record.prompts),
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
        **({"checked": outcomes.record.checked} if outcomes.record.checked else {}),
        **({"invalid_tests": dict(outcomes.record.invalid_tests)} if outcomes.record.invalid_tests else {}),
        "dialogues": outcomes.dialogues,
        "missing": {gap.value: count for gap, count in sorted(outcomes.gaps.items())},
        "ends": {end.value: count for end, count in sorted(outcomes.ends.items())},
        **({"withheld": dict(sorted(outcomes.withheld.items()))} if outcomes.withheld else {}),
        **({"cut_prompts": outcomes.cut_prompts} if outcomes.cut_prompts else {}),
        "verdicts": {verdict.value: count for verdict, count in sorted(outcomes.verdicts.items())},
        "costs": {name: getattr(costs, name) for name in costs.__slots__},
        "estimates": [estimate_document(estimate) for estimate in scored.estimates],
    }
