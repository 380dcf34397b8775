"""The rows of the page and its ranking, as it stands there before any script.

A row stands for each task of each run, with every estimate, its facets and what is known of its model; a task has its
places, comparisons, and who solved what. Numbers are those of scores.json, unchanged; the page rounds them where it
shows them. Facts on a model that a run does not hold (its size, whether its weights are open, a link) come from a file
of the user's, ``ModelFacts``.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from turnwise.benchmarks.mappings import read_mapping
from turnwise.errors import TurnwiseError
from turnwise.leaderboard.charts.data import headline
from turnwise.leaderboard.comparison import compare_tasks, difference_document, rank_tasks
from turnwise.leaderboard.judges import answers_text, group_text, ranked_together, tests_text
from turnwise.leaderboard.outcomes import MISSING
from turnwise.leaderboard.paper_cells import find_estimate, size_of
from turnwise.leaderboard.scores import Estimate
from turnwise.leaderboard.tables import ScoredTask, notes, odd_mark, percent, percent_by_equality, run_names
from turnwise.records.choices import Over, Parity
from turnwise.records.codec import first_mistake
from turnwise.records.metrics import NAtK
from turnwise.texts import printable, shown

_TO = _NONE = "\u2013"  # the dash between two numbers, and where there is none
_STEPS = 1000  # the width of a bar
_SEED = 0  # of the resamples and permutations, as in turnwise compare
MOST_COMPARED = 20  # rows of a task whose pairs are all compared; the page names the command for other pairs
Progress = Callable[[str, int, int], None]


class ModelFacts(BaseModel):
    """What the user says of a model: billions of parameters, open weights, a link, how to cite it."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")
    size_billions: float | None = None
    open_weights: bool | None = None
    url: str = ""
    license: str = ""
    bibtex: str = ""


@dataclass(frozen=True, slots=True)
class PageRow:
    """One task of one run as the page knows it; ``key`` names it in permalinks."""

    key: str
    name: str
    scored: ScoredTask
    facts: ModelFacts
    notes: tuple[str, ...]

    @property
    def task(self) -> str:
        """The task's name."""
        return self.scored.outcomes.record.task

    def facets(self) -> dict[str, str]:
        """Return what the page can filter by; an empty text where it is not known."""
        settings, record = self.scored.run.record.settings, self.scored.outcomes.record
        judge = self.scored.run.record.judge
        size, is_open = self.facts.size_billions, self.facts.open_weights
        return {
            "benchmark": record.benchmark,
            "split": record.split,
            "turns": str(record.max_turns),
            "strategy": record.strategy,
            "reasoning": " + ".join(map(str, settings.reasoning or [])) or "none",
            "instruction": str(settings.instruction or "none"),
            "feedback": str(settings.feedback) if record.max_turns > 1 else "none",
            "profile": str(settings.profile),
            "temperature": _text(settings.sampling.temperature),
            "size": _size_band(size),
            "weights": "" if is_open is None else "open" if is_open else "closed",
            "answers": answers_text(judge).removeprefix("answers ") if judge.matcher else "",
            "tests": tests_text(judge).removeprefix("tests ") if judge.matcher else "",
        }


def make_rows(scored: Sequence[ScoredTask], facts: Mapping[str, ModelFacts]) -> list[PageRow]:
    """Return the rows in the order of ``scored``, with keys that no two of them share."""
    names = run_names(scored)
    seen: dict[str, int] = {}
    rows = []
    for one in scored:
        key = re.sub(r"[^\w.-]+", "-", f"{one.run.path.name}.{one.outcomes.record.task}")
        seen[key] = seen.get(key, 0) + 1
        unique = key if seen[key] == 1 else f"{key}.{seen[key]}"
        name = one.run.record.model.get("model", "")
        known = facts.get(name, ModelFacts())
        if known.size_billions is None:
            known = known.model_copy(update={"size_billions": size_of(name)})
        rows.append(PageRow(unique, names[one.run.path], one, known, tuple(notes([one]))))
    return rows


def read_facts(path: Path) -> dict[str, ModelFacts]:
    """Return the facts of a yaml or JSON file, ``{model: {size_billions, open_weights, url, license, bibtex}}``.

    Raises TurnwiseError, naming the file and the model, for anything else.
    """
    otherwise = "is no mapping of model names"
    remedy = "write 'MODEL: {size_billions: 7.6}' and the like, as docs/leaderboard.md has it"
    document = read_mapping(path, "The file of facts on models", otherwise=otherwise, remedy=remedy)
    found = {}
    for model, data in document.items():
        try:
            found[str(model)] = ModelFacts.model_validate(data)
        except ValidationError as error:
            mistake = first_mistake(error)
            name = printable(str(model), limit=80)
            problem = f"{mistake.where}: {mistake.reason.lower()}" if mistake.place else f"{shown(data)} is no mapping"
            raise TurnwiseError(
                f"The facts on models {str(path)!r} are not usable ({name}, {printable(problem, limit=200)}): "
                f"known are {', '.join(ModelFacts.model_fields)}."
            ) from None
    return found


def estimate_key(one: Estimate) -> str:
    """Return the name of an estimate in the page's data."""
    return f"{one.group}|{one.metric}|{one.turns}"


def estimate_cells(one: Estimate) -> list[object]:
    """Return ``[value, counted, asked, lower bound, upper bound, {over: [lower, upper]}, by equality if another]``."""
    intervals = {
        over.value: [interval.lower, interval.upper]
        for over, interval in one.intervals.items()
        if not isinstance(over, Parity)
    }
    cells: list[object] = [one.value, one.counted, one.asked, one.lower_bound, one.upper_bound, intervals]
    return [*cells, one.by_equality] if one.differs_by_equality else cells


def tokens_per_dialogue(scored: ScoredTask) -> float | None:
    """Return the mean tokens of prompts and replies of a dialogue; None where the model does not tell."""
    costs, known = scored.outcomes.costs, scored.outcomes.dialogues - scored.outcomes.missing
    if costs.prompt_tokens is None or costs.completion_tokens is None or not known:
        return None
    return (costs.prompt_tokens + costs.completion_tokens) / known


def _size_band(size: float | None) -> str:
    if size is None:
        return ""
    for upper, name in ((4, "up to 4B"), (15, "4B to 15B"), (40, "15B to 40B"), (100, "40B to 100B")):
        if size <= upper:
            return name
    return "over 100B"


def _text(value: object) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True, slots=True)
class Cell:
    """One score of a row; where it is the usual one, the ends of its interval and the score by equality if another."""

    metric: str
    text: str
    reach: str = ""
    by_equality: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A score and its interval in thousandths; ``point`` is None where there is no score."""

    start: float
    width: float
    point: float | None


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row as text; ``mark`` follows the name of one with odd replies."""

    key: str
    name: str
    mark: str
    place: str
    settings: str
    chosen: Bar
    cells: tuple[Cell, ...]
    problems: str
    tokens: str


@dataclass(frozen=True, slots=True)
class TaskTable:
    """Rows of a task that are ranked together, what is said beside its name, and its usual score.

    ``judged`` says how the rows were judged, where others of the task were judged differently.
    """

    name: str
    judged: str
    about: str
    metric: str
    rows: tuple[TableRow, ...]


def judged_of(rows: Sequence[PageRow]) -> dict[str, str]:
    """Return by the key of each row of one task how those ranked with it were judged; "" where all are."""
    groups = ranked_together([(row.scored.run.record.judge, row.scored.outcomes.record) for row in rows])
    if len(groups) == 1:
        return {row.key: "" for row in rows}
    texts = [(group, group_text([rows[at].scored.run.record.judge for at in group])) for group in groups]
    return {rows[at].key: text for group, text in texts for at in group}


def task_tables(rows: Sequence[PageRow], task: Mapping[str, Any], metrics: Sequence[str]) -> list[TaskTable]:
    """Return the tables of the rows of one task, which ``describe_task`` describes: one for each group with places."""
    groups: dict[str, list[PageRow]] = {}
    for row in rows:
        groups.setdefault(task["judged"][row.key], []).append(row)
    return [_task_table(several, task, metrics, judged) for judged, several in groups.items()]


def _task_table(rows: Sequence[PageRow], task: Mapping[str, Any], metrics: Sequence[str], judged: str) -> TaskTable:
    metric = headline(rows[0].scored)
    ranks: dict[str, list[int]] = {}
    for row in rows:
        if rank := _rank(row, task):
            ranks[row.key] = rank

    def order(row: PageRow) -> tuple[float, float]:
        estimate = find_estimate(row.scored, headline(row.scored))
        value = -1.0 if estimate is None or estimate.value is None else estimate.value
        best, worst = ranks.get(row.key, (len(rows), len(rows)))
        return best * 1000 + worst, -value

    record = rows[0].scored.outcomes.record
    common = [part for part in settings_of(rows[0]) if all(part in settings_of(row) for row in rows)]
    about = f"{task['benchmark']}, {task['split']}: {len(task['problems'])} of {task['loaded']} problems"
    about = " · ".join([about, *common, *([judged] if judged else [])])
    shown = tuple(_table_row(row, ranks.get(row.key), metrics, common) for row in sorted(rows, key=order))
    return TaskTable(record.task, judged, about, metric, shown)


def _rank(row: PageRow, task: Mapping[str, Any]) -> list[int] | None:
    metric = headline(row.scored)
    turns = row.scored.outcomes.record.max_turns
    found: list[int] | None = task["places"].get(f"{metric}|{turns}", {}).get(row.key)
    return found


def _table_row(row: PageRow, rank: list[int] | None, metrics: Sequence[str], common: Sequence[str]) -> TableRow:
    usual = headline(row.scored)
    chosen = find_estimate(row.scored, usual)
    cells = []
    for metric in metrics:
        estimate = find_estimate(row.scored, metric)
        is_usual = metric == usual
        other = percent_by_equality(estimate) if is_usual and estimate and estimate.differs_by_equality else ""
        cells.append(Cell(metric, percent(estimate), _reach(estimate) if is_usual else "", other))
    tokens = tokens_per_dialogue(row.scored)
    return TableRow(
        row.key,
        row.name,
        odd_mark(row.scored),
        _NONE if rank is None else f"{rank[0]}" if rank[0] == rank[1] else f"{rank[0]}{_TO}{rank[1]}",
        " · ".join(part for part in settings_of(row) if part not in common),
        _bar(chosen),
        tuple(cells),
        ""
        if chosen is None
        else f"{chosen.asked}"
        if chosen.counted == chosen.asked
        else f"{chosen.counted} of {chosen.asked}",
        "" if tokens is None else f"{tokens:,.0f}",
    )


def settings_of(row: PageRow) -> list[str]:
    """Return what tells runs of one model apart, a few words each."""
    record, settings = row.scored.outcomes.record, row.scored.run.record.settings
    samples = settings.samples_per_problem
    parts = [record.strategy.replace("_", "-")]
    if record.max_turns > 1:
        parts.append(f"{record.max_turns} turns, {settings.feedback.replace('_', ' ')}")
    parts.append(f"{samples} sample" + ("s" if samples != 1 else "") + " a problem")
    temperature = settings.sampling.temperature
    parts += [f"temperature {temperature:g}"] if isinstance(temperature, int | float) else []
    return [printable(part, limit=100) for part in parts]


def _reach(estimate: Estimate | None) -> str:
    interval = estimate.intervals.get(Over.PROBLEMS) if estimate else None
    return f"{100 * interval.lower:.1f}{_TO}{100 * interval.upper:.1f}" if interval else ""


def _bar(estimate: Estimate | None) -> Bar:
    if estimate is None or estimate.value is None:
        return Bar(0, 0, None)
    interval = estimate.intervals.get(Over.PROBLEMS)
    lower, upper = (interval.lower, interval.upper) if interval else (estimate.value, estimate.value)
    point = min(_STEPS - 8, max(0, _STEPS * estimate.value - 4))
    return Bar(round(_STEPS * lower, 2), round(_STEPS * (upper - lower), 2), round(point, 2))


def describe_task(rows: Sequence[PageRow], on_progress: Progress) -> dict[str, object]:
    """Return what the page knows of the task of these rows, which all have the same."""
    record = rows[0].scored.outcomes.record
    judged = judged_of(rows)
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
        "judged": judged,
        "places": _places(rows, judged),
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


def _places(rows: Sequence[PageRow], judged: Mapping[str, str]) -> dict[str, dict[str, list[int]]]:
    """Return by ``metric|turns`` the ``[best, worst]`` place of each row among those that were ``judged`` alike."""
    found: dict[str, dict[str, list[int]]] = {}
    for judge in dict.fromkeys(judged.values()):
        group = [row for row in rows if judged[row.key] == judge]
        if len(group) > 1:
            outcomes, generator = [row.scored.outcomes for row in group], np.random.default_rng(_SEED)
            for one in rank_tasks(outcomes, over=Over.PROBLEMS, generator=generator, n_at_k=_n_at_k(group)):
                places = found.setdefault(f"{one.metric}|{one.turns}", {})
                places |= {row.key: [rank.best, rank.worst] for row, rank in zip(group, one.ranks, strict=True)}
    return found


def _pairs(rows: Sequence[PageRow], on_progress: Progress) -> dict[str, object]:
    """Return by ``A B`` the differences of two rows, each metric with interval, p-value and flipped problems."""
    found: dict[str, object] = {}
    pairs = list(combinations(rows[:MOST_COMPARED], 2))
    for number, (a, b) in enumerate(pairs):
        on_progress(f"comparing on {a.task}", number, len(pairs))
        generator = np.random.default_rng(_SEED)
        outcomes = a.scored.outcomes, b.scored.outcomes
        differences = compare_tasks(*outcomes, over=Over.PROBLEMS, generator=generator, n_at_k=_n_at_k([a, b]))
        found[f"{a.key} {b.key}"] = [difference_document(one) for one in differences]
    return found
