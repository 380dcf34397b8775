"""The tables of the two papers, in their layout, from runs of ours.

    grid       pass@k of one turn: reasoning prompts down, instructions across (2410.08105, section 4.1)
    feedback   n@k by the kind of execution feedback (2410.08105, section 4.2)
    turns      n@k and pass@k by the budget of turns (both)
    cot-gain   what the best prompts gain at pass@100, by the size of the model (2410.08105)
    taco       pass@k and n@k on TACO by difficulty (2410.08105)
    rlef       n@k on the valid and test splits of CodeContests (2410.02089, table 1)
    behaviour  failures, repairs, similarity, answers by turn (both; behaviour-chrf: with chrF)

A cell without a run is empty; two runs for one cell are an error. Published numbers stand in a table of their
own with their citations. Nothing is estimated here.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import product

from turnwise.benchmarks.texts import printable
from turnwise.errors import TurnwiseError
from turnwise.leaderboard.behaviour_tables import behaviour_tables, chrf_tables
from turnwise.leaderboard.formats import Table
from turnwise.leaderboard.paper_cells import (
    Cells,
    asked_of,
    cell_of,
    find_estimate,
    n_at_k_of,
    notes_on,
    passes_of,
    pivot,
    put,
    value_of,
)
from turnwise.leaderboard.published import PublishedRow, published_rows
from turnwise.leaderboard.scores import ALL
from turnwise.leaderboard.tables import ScoredTask, percent

NONE = "none"
REASONING = (
    NONE,
    "self_reflection",
    "explain_io",
    "problem_tag",
    "difficulty",
    "natural_language_solution",
    "multiple_solutions",
    "helper_docstring",
    "intermediate_variables",
)
INSTRUCTIONS = (
    NONE,
    "helper_functions",
    "double_check",
    "line_comments",
    "docstrings",
    "weak_then_better",
    "step_by_step",
)
FEEDBACK = ("binary", "failed_tests", "failed_and_passed", "ldb", NONE, "random")
LEVELS = ("EASY", "MEDIUM", "MEDIUM_HARD", "HARD", "VERY_HARD")
COT_METRIC = "pass@100"
_SIZE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)\s?B(?![a-z])", re.IGNORECASE)


def paper_tables(kind: str, scored: Sequence[ScoredTask]) -> list[Table]:
    """Return the tables called ``kind``; raises TurnwiseError for another name, or runs that fill no cell."""
    if kind not in PAPER_TABLES:
        raise TurnwiseError(f"--table is {kind!r}: choose one of {', '.join(PAPER_TABLES)}.")
    return PAPER_TABLES[kind](scored)


def _grid(scored: Sequence[ScoredTask]) -> list[Table]:
    single = _those(scored, lambda one: one.outcomes.record.max_turns == 1, "grid", "a single-turn task")
    found: dict[tuple[str, str, str], Cells] = {}
    for one in single:
        for metric in passes_of(one):
            table = found.setdefault((metric, _model(one) + _at_temperature(one), one.outcomes.record.task), {})
            put(table, (_reasoning(one), _instruction(one)), one, percent(find_estimate(one, metric)))
    return [_grid_table(*name, cells) for name, cells in found.items()]


def _grid_table(metric: str, model: str, task: str, cells: Cells) -> Table:
    across = _known(INSTRUCTIONS, (instruction for _, instruction in cells))
    down = _known(REASONING, (reasoning for reasoning, _ in cells))
    rows = tuple((reasoning, *(cell_of(cells, reasoning, one) for one in across)) for reasoning in down)
    title = f"{metric} of {model} on {task}, percent, by reasoning prompt and instruction"
    return Table(("reasoning", *across), rows, 1, title, notes_on(cells))


def _feedback(scored: Sequence[ScoredTask]) -> list[Table]:
    several = _those(scored, lambda one: one.outcomes.record.max_turns > 1, "feedback", "a multi-turn task")
    cells: Cells = {}
    for one in several:
        kind = _feedback_of(one)
        for metric in n_at_k_of(one):
            put(cells, (*_name(one), _prompts(one), metric, kind), one, percent(find_estimate(one, metric)))
    kinds = _known(FEEDBACK, (key[-1] for key in cells))
    return [pivot(cells, ("model", "task", "prompts", "metric"), kinds, "Execution feedback, percent solved")]


def _turns(scored: Sequence[ScoredTask]) -> list[Table]:
    several = _those(scored, lambda one: one.outcomes.record.max_turns > 1, "turns", "a multi-turn task")
    cells: Cells = {}
    for one in several:
        kind = _feedback_of(one)
        for metric, turns in product([*asked_of(one), *passes_of(one)], range(1, one.outcomes.record.max_turns + 1)):
            name = (*_name(one), _prompts(one), kind, metric, str(turns))
            put(cells, name, one, percent(find_estimate(one, metric, turns)))
    most = max(one.outcomes.record.max_turns for one in several)
    budgets = [str(turns) for turns in range(1, most + 1)]
    headers = ("model", "task", "prompts", "feedback", "metric")
    return [pivot(cells, headers, budgets, "By budget of turns, percent solved")]


def _cot_gain(scored: Sequence[ScoredTask]) -> list[Table]:
    single = _those(scored, lambda one: one.outcomes.record.max_turns == 1, "cot-gain", "a single-turn task")
    groups: dict[tuple[str, str], Cells] = {}
    for one in single:
        estimate = find_estimate(one, COT_METRIC)
        if estimate is None:
            samples = one.outcomes.passed.shape[1]
            raise TurnwiseError(
                f"--table cot-gain shows {COT_METRIC}, and {str(one.run.path)!r} has {samples} samples a problem: "
                "name runs with at least 100."
            )
        put(groups.setdefault(_name(one), {}), (_reasoning(one), _instruction(one)), one, percent(estimate))
    rows = sorted((_gain_row(*name, cells) for name, cells in groups.items()), key=lambda row: (_size_of(row[1]), row))
    headers = ("size", "model", "task", "without CoT", "best CoT", "gain", "prompts of the best")
    title = f"Gain of reasoning prompts and instructions at {COT_METRIC}, percent solved"
    return [Table(headers, tuple(rows), 3, title, notes_on(*groups.values())), *_published_apart(["taco_very_hard"])]


def _gain_row(model: str, task: str, cells: Cells) -> tuple[str, ...]:
    values = {key: value_of(one, COT_METRIC) for key, (one, _) in cells.items()}
    base = values.pop((NONE, NONE), None)
    known = {key: value for key, value in values.items() if value is not None}
    best = max(known, key=lambda key: (known[key], key), default=None)
    size = _size_of(model)
    return (
        f"{size:g}B" if size else "",
        model,
        task,
        cell_of(cells, NONE, NONE),
        "" if best is None else cells[best][1],
        "" if best is None or base is None else f"{100 * (known[best] - base):+.1f}",
        "" if best is None else " + ".join(best),
    )


def _taco(scored: Sequence[ScoredTask]) -> list[Table]:
    of_taco = _those(scored, lambda one: _family(one) == "taco", "taco", "TACO")
    cells: Cells = {}
    for one in of_taco:
        levels = [
            level for level in LEVELS if find_estimate(one, passes_of(one)[0], group=f"difficulty {level}") is not None
        ]
        for metric in [*asked_of(one), *passes_of(one)]:
            name = (_model(one), _prompts(one), str(one.outcomes.record.max_turns), metric)
            for level in levels:
                put(cells, (*name, level), one, percent(find_estimate(one, metric, group=f"difficulty {level}")))
            if len(levels) != 1:
                put(cells, (*name, ALL), one, percent(find_estimate(one, metric)))
    headers = ("model", "prompts", "turns", "metric")
    table = pivot(cells, headers, [*LEVELS, ALL], "TACO by difficulty, percent solved")
    return [table, *_published_apart(["taco_very_hard"])]


def _rlef(scored: Sequence[ScoredTask]) -> list[Table]:
    splits = {"valid": "valid", "test": "test"}
    contests = _those(
        scored,
        lambda one: one.outcomes.record.benchmark == "codecontests" and one.outcomes.record.split in splits,
        "rlef",
        "CodeContests (valid or test)",
    )
    cells: Cells = {}
    for one in contests:
        settings = one.run.record.settings
        temperature = settings["sampling"].get("temperature")
        how = (
            printable(settings["profile"], limit=80),
            str(one.outcomes.record.max_turns),
            "" if temperature is None else f"{temperature:g}",
        )
        for metric in n_at_k_of(one):
            put(cells, (_model(one), *how, metric, one.outcomes.record.split), one, percent(find_estimate(one, metric)))
    headers = ("model", "profile", "turns", "temperature", "n@k")
    table = pivot(cells, headers, list(splits), "CodeContests, measured here, percent solved")
    return [table, *_published_apart(["codecontests"])]


def _published_apart(benchmarks: Sequence[str]) -> list[Table]:
    """Return what was published on ``benchmarks``, valid and test side by side where both were."""
    found: dict[tuple[str, ...], dict[str, PublishedRow]] = {}
    for row in published_rows(benchmarks=benchmarks):
        temperature = "" if row.temperature is None else f"{row.temperature:g}"
        name = (row.model, row.method, row.metric, row.mode, temperature, row.citation)
        found.setdefault(name, {})[row.split] = row
    splits = [split for split in ("valid", "test") if any(split in rows for rows in found.values())]
    body = tuple(
        (*name[:-1], *(rows[split].cell if split in rows else "" for split in splits), name[-1])
        for name, rows in found.items()
    )
    headers = ("model", "method", "metric", "turns", "temperature", *splits, "source")
    return [Table(headers, body, 2, f"{', '.join(benchmarks)}, published (not measured here), percent solved")]


PAPER_TABLES: dict[str, Callable[[Sequence[ScoredTask]], list[Table]]] = {
    "grid": _grid,
    "feedback": _feedback,
    "turns": _turns,
    "cot-gain": _cot_gain,
    "taco": _taco,
    "rlef": _rlef,
    "behaviour": behaviour_tables,
    "behaviour-chrf": chrf_tables,
}


def _those(
    scored: Sequence[ScoredTask], wanted: Callable[[ScoredTask], bool], kind: str, what: str
) -> list[ScoredTask]:
    found = [one for one in scored if wanted(one)]
    if not found:
        raise TurnwiseError(f"--table {kind} needs a run of {what}, and none of those named is one: name another run.")
    return found


def _known(order: Sequence[str], there: Iterable[str]) -> list[str]:
    return [*order, *sorted(set(there) - set(order))]


def _model(one: ScoredTask) -> str:
    return printable(one.run.model, limit=80)


def _name(one: ScoredTask) -> tuple[str, str]:
    return _model(one) + _at_temperature(one), one.outcomes.record.task


def _at_temperature(one: ScoredTask) -> str:
    """Return what tells the runs of one model apart that were sampled at several temperatures."""
    temperature = one.run.record.settings["sampling"].get("temperature")
    return "" if temperature is None else f" (T={temperature:g})"


def _family(one: ScoredTask) -> str:
    return one.outcomes.record.benchmark.removeprefix("sample_")


def _reasoning(one: ScoredTask) -> str:
    """Return the reasoning prompts of a run, joined where there are several; a strategy of the user's has its name."""
    given = one.run.record.settings.get("reasoning") or [NONE]
    if one.run.record.settings.get("turns"):
        given = one.outcomes.record.strategy
    return printable(" + ".join([given] if isinstance(given, str) else map(str, given)), limit=80)


def _instruction(one: ScoredTask) -> str:
    return printable(str(one.run.record.settings.get("instruction") or NONE), limit=80)


def _feedback_of(one: ScoredTask) -> str:
    return printable(str(one.run.record.settings.get("feedback", NONE)), limit=80)


def _prompts(one: ScoredTask) -> str:
    """Return the prompts of a run, after the strategy where that says more than they do."""
    used = [part for part in (_reasoning(one), _instruction(one)) if part != NONE]
    strategy = one.outcomes.record.strategy
    if strategy in ("cot_every_turn", "cot_retry"):
        used.insert(0, strategy)
    return " + ".join(used) or NONE


def _size_of(model: str) -> float:
    """Return the billions of parameters that a model's name says, 0 where it says none."""
    match = _SIZE.search(model.replace("-", " ").replace("_", " "))
    return float(match[1]) if match else 0.0
