"""Tables of scores; every table says what was asked, what was left out and what is missing.

As text, GitHub's markdown or LaTeX a table is what a person reads; as CSV it is a row an estimate, with bounds,
costs and settings, for programs. The seconds of judging, which no two runs share, are not in the text.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from turnwise.benchmarks.taco import DIFFICULTIES
from turnwise.errors import TurnwiseError
from turnwise.leaderboard.formats import Table, render_notes, render_table, to_csv
from turnwise.leaderboard.intervals import Interval
from turnwise.leaderboard.judges import group_text, ranked_together
from turnwise.leaderboard.outcomes import RunOutcomes, TaskOutcomes
from turnwise.leaderboard.papers import Shown
from turnwise.leaderboard.scores import ALL, CLEAN, Estimate
from turnwise.records.choices import By, Over, Parity, Style
from turnwise.records.codec import to_json
from turnwise.records.metrics import NAtK
from turnwise.records.report import Verdict
from turnwise.records.trajectory import End
from turnwise.texts import printable

ODD = "\N{DAGGER}"  # of rows with many replies that a provider withheld, or prompts that a server cut
_FEW = 0.01
BY_EQUALITY = (
    "- by equality: the score had only outputs that equal the expected ones been right; dialogues, tests and what is "
    "submitted are the same."
)


@dataclass(frozen=True, slots=True)
class ScoredTask:
    """One task of one run: its outcomes and all estimates made of them; ``n_at_k`` are those asked for."""

    run: RunOutcomes
    outcomes: TaskOutcomes
    estimates: tuple[Estimate, ...]
    n_at_k: tuple[NAtK, ...] = ()


@dataclass(frozen=True, slots=True)
class _Row:
    scored: ScoredTask
    group: str
    turns: int
    label: str

    def find(self, metric: str, turns: int | None = None) -> Estimate | None:
        wanted = (self.group, metric, self.turns if turns is None else turns)
        estimates = self.scored.estimates
        return next((one for one in estimates if (one.group, one.metric, one.turns) == wanted), None)


def render_scores(
    scored: Sequence[ScoredTask], *, by: By = By.TASK, over: Shown | None = None, style: Style = Style.TEXT
) -> str:
    """Return the table of ``scored``, percentages with one decimal, with a footnote where something is missing.

    With ``over``, the interval follows a score: ±4.1, or its upper and lower reach where these differ.
    """
    table = scores_table(scored, by=by, over=over, with_seconds=style != Style.TEXT)
    return "\n".join([render_table(table, style), *render_notes(table.notes, style)])


def scores_table(
    scored: Sequence[ScoredTask], *, by: By = By.TASK, over: Shown | None = None, with_seconds: bool = False
) -> Table:
    """Return the table of ``scored``; ``with_seconds`` adds the CPU seconds of judging to its costs."""
    names = run_names(scored)
    rows = [row for one in scored for row in _rows(one, by)]
    columns = metric_columns(scored, by)
    profiles = {one.run.record.settings.profile for one in scored} != {"default"}
    headers = ["model", *(["profile"] if profiles else []), "task"]
    headers += ["turns"] if by is By.TURNS else []
    headers += ["problems", "dialogues", *columns]
    texts = headers.index("task") + 1
    if by is not By.DIFFICULTY:
        costs = {"calls": True, "tokens": _know_tokens(scored), "judge s": with_seconds}
        headers += [name for name, is_shown in costs.items() if is_shown]
    body = []
    for row in rows:
        cells = {**_cells(row, columns, by, names, over), **(_costs(row) if by is not By.DIFFICULTY else {})}
        body.append(tuple(cells.get(name, "") for name in headers))
        if equal := _cells_by_equality(row, columns, by, names):
            body.append(tuple(equal.get(name, "") for name in headers))
    said = [*notes(scored), *(_absent_levels(scored) if by is By.DIFFICULTY else ())]
    said += [BY_EQUALITY] if len(body) > len(rows) else []
    return Table(tuple(headers), tuple(body), texts, notes=tuple(said))


def estimates_csv(scored: Sequence[ScoredTask], settings: Sequence[str]) -> str:
    """Return every estimate as a row of CSV: where it is from, the estimate, costs of its task, and the settings."""
    rows: list[Sequence[object]] = []
    names = run_names(scored)
    for one, text in zip(scored, settings, strict=True):
        costs = one.outcomes.costs
        start = {"model": names[one.run.path], "run": one.run.path.name, "task": one.outcomes.record.task}
        end = {name: getattr(costs, name) for name in costs.__slots__} | {"settings": text}
        for estimate in one.estimates:
            cells = {**start, **flat(estimate), **end}
            rows += [list(cells)] if not rows else []
            rows.append(list(cells.values()))
    return to_csv(rows)


def flat(estimate: Estimate) -> dict[str, object]:
    """Return an estimate as cells: the ends of each kind of interval in columns of their own."""
    cells: dict[str, object] = to_json(estimate)
    del cells["intervals"]
    cells["by_equality"] = "" if estimate.by_equality is None else estimate.by_equality
    for over in (*Over, *Parity):
        interval = estimate.intervals.get(over)
        cells[f"lower_over_{over}"] = "" if interval is None else interval.lower
        cells[f"upper_over_{over}"] = "" if interval is None else interval.upper
    return cells


def without_training(scored: Sequence[ScoredTask]) -> tuple[list[ScoredTask], str]:
    """Return those of ``scored`` that may stand on a board, and the names of the others, which are training tasks.

    Raises TurnwiseError where no other is there.
    """
    names = run_names(scored)
    training = [one for one in scored if one.outcomes.record.is_training]
    left_out = ", ".join(
        f"{names[one.run.path]} on {printable(one.outcomes.record.task, limit=80)}" for one in training
    )
    kept = [one for one in scored if not one.outcomes.record.is_training]
    if training and not kept:
        raise TurnwiseError(
            f"These are runs on training problems alone, which no board shows ({left_out}): give runs of evaluation "
            "tasks; turnwise score shows these."
        )
    return kept, left_out


def run_names(scored: Sequence[ScoredTask]) -> dict[Path, str]:
    """Return what each run is called: its model, with the folder's name where a model has several runs."""
    models = {one.run.path: one.run.label for one in scored}
    names = {path: f"{model} ({path.name})" for path, model in models.items()}
    several = {model for model, count in Counter(models.values()).items() if count > 1}
    same = {name for name, count in Counter(names.values()).items() if count > 1}
    return {
        path: model if model not in several else f"{model} ({path})" if names[path] in same else names[path]
        for path, model in models.items()
    }


def notes(scored: Sequence[ScoredTask]) -> list[str]:
    """Return the sentences on each task with rows judged differently, missing outcomes or odd ends."""
    found = list(_judged_differently(scored))
    names = run_names(scored)
    for one in scored:
        name = f"{names[one.run.path]}, {one.outcomes.record.task}"
        if one.outcomes.missing:
            found.append(f"* {name}: {_missing(one)}")
        found += [f"{name}: {note}" for note in _odd_ends(one.outcomes)]
        found += [f"{name}: {note}" for note in _odd_replies(one)]
    return found


def _judged_differently(scored: Sequence[ScoredTask]) -> Iterator[str]:
    """Yield a sentence on each task whose rows other answers or tests judged."""
    by_task: dict[str, list[ScoredTask]] = {}
    for one in scored:
        by_task.setdefault(one.outcomes.record.task, []).append(one)
    for task, several in by_task.items():
        groups = ranked_together([(one.run.record.judge, one.outcomes.record) for one in several])
        if len(groups) > 1:
            judges = " / ".join(group_text([several[at].run.record.judge for at in group]) for group in groups)
            said = f"{task}: rows were judged differently"
            yield f"{said}, so their differences are not those of the models alone: {judges}."


def _absent_levels(scored: Sequence[ScoredTask]) -> Iterator[str]:
    """Yield a sentence on each task of all of TACO that has no problem of some levels, which therefore have no row."""
    names = run_names(scored)
    for one in scored:
        record = one.outcomes.record
        levels = {problem.difficulty for problem in one.outcomes.problems}
        absent = [level for level in DIFFICULTIES if level not in levels]
        if absent and record.benchmark == "taco" and record.task in ("taco_multiturn", "taco_singleturn"):
            name = f"{names[one.run.path]}, {record.task}"
            yield f"{name}: no problem of difficulty {', '.join(absent)} is among those asked."


def _odd_replies(scored: ScoredTask) -> Iterator[str]:
    """Yield a sentence on what providers withheld and on what servers cut, after the mark that the row has for it."""
    outcomes = scored.outcomes
    total = f"of {outcomes.dialogues} dialogues"
    if outcomes.withheld:
        mark = f"{ODD} " if _withholds_many(scored) else ""
        names = ", ".join(f"{count} {name}" for name, count in sorted(outcomes.withheld.items()))
        many = sum(outcomes.withheld.values())
        yield f"{mark}in {many} {total} the provider withheld a reply ({names}), which counts as a reply without code."
    if outcomes.cut_prompts:
        yield (
            f"{ODD} in {outcomes.cut_prompts} {total} the server cut the prompt without a word, since it counted no "
            "more tokens than before: give it a larger context; --strict-context ends such dialogues."
        )


def _withholds_many(scored: ScoredTask) -> bool:
    """Return whether more than 1 % of the run's dialogues met a reply that was withheld."""
    withheld = sum(sum(task.withheld.values()) for task in scored.run.tasks)
    return withheld > _FEW * sum(task.dialogues for task in scored.run.tasks)


def odd_mark(scored: ScoredTask) -> str:
    """Return the mark of a task with many withheld replies or cut prompts, after a space; "" for others."""
    outcomes = scored.outcomes
    is_odd = outcomes.cut_prompts or (outcomes.withheld and _withholds_many(scored))
    return f" {ODD}" if is_odd else ""


def _odd_ends(outcomes: TaskOutcomes) -> Iterator[str]:
    """Yield a sentence on each way in which dialogues ended that says more than a wrong program does."""
    total = f"of {outcomes.dialogues} dialogues"
    if early := outcomes.ends.get(End.NO_MORE_ANSWERS, 0):
        yield (f"in {early} {total} the recorded answers end before the turn limit; the last one is the submission.")
    if without := outcomes.verdicts.get(Verdict.NO_CODE, 0):
        yield f"{without} {total} ended with a reply without code, which counts as wrong."
    if overflown := outcomes.ends.get(End.CONTEXT_OVERFLOW, 0):
        yield f"{overflown} {total} outgrew the model's context, which counts as wrong."
    if outcomes.costs.cut_replies:
        yield f"the token limit cut {outcomes.costs.cut_replies} of {outcomes.costs.model_calls} replies."


def _missing(scored: ScoredTask) -> str:
    outcomes = scored.outcomes
    reasons = ", ".join(f"{count} {gap.replace('_', ' ')}" for gap, count in sorted(outcomes.gaps.items()))
    bounds = ", ".join(
        f"{metric} {100 * one.lower_bound:.1f} to {100 * one.upper_bound:.1f} ({one.counted} of {one.asked} problems)"
        for metric in metric_columns([scored], By.TASK)
        if (one := _at_budget(_Row(scored, ALL, outcomes.record.max_turns, ""), metric)) is not None
        and not one.is_certain
    )
    return (
        f"{outcomes.missing} of {outcomes.dialogues} dialogues are missing ({reasons}), which is not counted as "
        f"wrong; all wrong to all right: {bounds}."
    )


def _rows(scored: ScoredTask, by: By) -> list[_Row]:
    record = scored.outcomes.record
    if by is By.TURNS:
        return [_Row(scored, ALL, turns, record.task) for turns in range(1, record.max_turns + 1)]
    groups = list(dict.fromkeys(estimate.group for estimate in scored.estimates))
    shown = (ALL, CLEAN) if by is By.TASK else [group for group in groups if group != CLEAN]
    labels = {ALL: record.task, CLEAN: "- with one right answer"}
    return [
        _Row(scored, group, record.max_turns, labels.get(group, f"- {group}")) for group in shown if group in groups
    ]


def metric_columns(scored: Sequence[ScoredTask], by: By = By.TASK) -> list[str]:
    """Return the metrics that tables show: 1@t for each turn budget, the n@k asked for, then pass@k."""
    turns = max((one.outcomes.record.max_turns for one in scored), default=1)
    budgets = [NAtK(1, t) for t in range(1, turns + 1)] if turns > 1 and by is not By.TURNS else []
    asked = sorted({*budgets, *(metric for one in scored for metric in one.n_at_k)}, key=lambda one: (one.k, one.n))
    passes = {estimate.metric for one in scored for estimate in one.estimates if estimate.metric.startswith("pass@")}
    return [*map(str, asked), *sorted(passes, key=lambda name: int(name.removeprefix("pass@")))]


def _at_budget(row: _Row, metric: str) -> Estimate | None:
    """Return the estimate of a column: at the row's turn budget, or at k turns for n@k with k below it."""
    if metric.startswith("pass@"):
        return row.find(metric)
    return row.find(metric, min(row.turns, int(metric.partition("@")[2])))


def _estimates(row: _Row, columns: Sequence[str], by: By) -> list[tuple[str, Estimate | None]]:
    """Return the estimate of each column of a row."""
    find = row.find if by is By.TURNS else partial(_at_budget, row)
    return [(metric, find(metric)) for metric in columns]


def _cells(row: _Row, columns: Sequence[str], by: By, names: Mapping[Path, str], over: Shown | None) -> dict[str, str]:
    """Return the cells of a row by header, but for the costs."""
    outcomes = row.scored.outcomes
    estimates = dict(_estimates(row, columns, by))
    asked = next((estimate.asked for estimate in estimates.values() if estimate is not None), 0)
    return {
        "model": names[row.scored.run.path],
        "profile": printable(str(row.scored.run.record.settings.profile), limit=80),
        "task": row.label + odd_mark(row.scored),
        "turns": str(row.turns),
        "problems": f"{asked} of {outcomes.record.loaded}" if row.group == ALL else str(asked),
        "dialogues": str(asked * outcomes.passed.shape[1]),
        **{metric: percent(estimate, over) for metric, estimate in estimates.items()},
    }


def _cells_by_equality(row: _Row, columns: Sequence[str], by: By, names: Mapping[Path, str]) -> dict[str, str]:
    """Return the cells of the row below: the scores by equality; none where they are the same."""
    estimates = _estimates(row, columns, by)
    if not any(one is not None and one.differs_by_equality for _, one in estimates):
        return {}
    cells = _cells(row, columns, by, names, None)
    label = f"{row.label}, by equality" if row.label.startswith("- ") else "- by equality"
    equal = {metric: percent_by_equality(estimate) for metric, estimate in estimates}
    return {**cells, "task": label, "problems": cells["problems"].partition(" ")[0], **equal}


def percent(estimate: Estimate | None, over: Shown | None = None) -> str:
    """Return the cell of an estimate: empty without one, marked where what is missing could change it."""
    if estimate is None:
        return ""
    if estimate.value is None:
        return "missing"
    mark = "" if estimate.is_certain else "*"
    interval = estimate.intervals.get(over) if over else None
    if interval is not None and isinstance(over, Parity):  # as papers print it; it need not hold the score
        return f"{100 * estimate.value:.1f}{mark} [{100 * interval.lower:.1f}, {100 * interval.upper:.1f}]"
    return f"{100 * estimate.value:.1f}{mark}{_reach(estimate.value, interval)}"


def percent_by_equality(estimate: Estimate | None) -> str:
    """Return the cell of the value by equality: empty where it is not known."""
    if estimate is None or estimate.by_equality is None:
        return ""
    return f"{100 * estimate.by_equality:.1f}" + ("" if estimate.is_certain else "*")


def _reach(value: float, interval: Interval | None) -> str:
    if interval is None:
        return ""
    above, below = f"{100 * (interval.upper - value):.1f}", f"{100 * (value - interval.lower):.1f}"
    if above == below:
        return f" ±{above}"
    return "".join(f" {sign}{reach}" for sign, reach in (("+", above), ("-", below)) if reach != "0.0")


def _know_tokens(scored: Sequence[ScoredTask]) -> bool:
    return any(one.outcomes.costs.completion_tokens is not None for one in scored)


def _costs(row: _Row) -> dict[str, str]:
    """Return the costs of a whole task by header; those of a part of it are not known."""
    outcomes = row.scored.outcomes
    if row.group != ALL or row.turns != outcomes.record.max_turns:
        return {}
    costs = outcomes.costs
    known = costs.prompt_tokens is not None and costs.completion_tokens is not None
    return {
        "calls": str(costs.model_calls),
        "tokens": f"{costs.prompt_tokens} + {costs.completion_tokens}" if known else "-",
        "judge s": f"{costs.judge_cpu_seconds:.1f}" if row.scored.run.record.judge.matcher else "-",
    }
