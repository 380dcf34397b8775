"""The tables of Zheng et al. (2410.08105), in their layout, from runs of ours: prompts, feedback, turns, TACO.

With an interval asked for, it stands beside each score. Nothing is estimated here.
"""

from collections.abc import Sequence
from itertools import product

from turnwise.benchmarks.taco import DIFFICULTIES
from turnwise.errors import TurnwiseError
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
from turnwise.leaderboard.paper_names import (
    family_of,
    feedback_of,
    instruction_of,
    known_first,
    model_of,
    name_of,
    prompts_of,
    reasoning_of,
    size_of,
    those,
)
from turnwise.leaderboard.papers import Shown
from turnwise.leaderboard.published import published_table_of
from turnwise.leaderboard.scores import ALL
from turnwise.leaderboard.tables import ScoredTask, percent
from turnwise.records.prompt_names import FEEDBACK_KINDS, INSTRUCTIONS, NONE, REASONING

COT_METRIC = "pass@100"


def grid_tables(scored: Sequence[ScoredTask], over: Shown | None = None) -> list[Table]:
    """Return pass@k of one turn, a table for each k and model: reasoning prompts down, instructions across."""
    single = those(scored, lambda one: one.outcomes.record.max_turns == 1, "grid", "a single-turn task")
    found: dict[tuple[str, str, str], Cells] = {}
    for one in single:
        for metric in passes_of(one):
            table = found.setdefault((metric, *name_of(one)), {})
            put(table, (reasoning_of(one), instruction_of(one)), one, percent(find_estimate(one, metric), over))
    return [_grid_table(*name, cells) for name, cells in found.items()]


def _grid_table(metric: str, model: str, task: str, cells: Cells) -> Table:
    across = known_first((NONE, *INSTRUCTIONS), (instruction for _, instruction in cells))
    down = known_first((NONE, *REASONING), (reasoning for reasoning, _ in cells))
    rows = tuple((reasoning, *(cell_of(cells, reasoning, one) for one in across)) for reasoning in down)
    title = f"{metric} of {model} on {task}, percent, by reasoning prompt and instruction"
    return Table(("reasoning", *across), rows, 1, title, notes_on(cells))


def feedback_tables(scored: Sequence[ScoredTask], over: Shown | None = None) -> list[Table]:
    """Return n@k by the kind of execution feedback."""
    several = those(scored, lambda one: one.outcomes.record.max_turns > 1, "feedback", "a multi-turn task")
    cells: Cells = {}
    for one in several:
        kind = feedback_of(one)
        for metric in n_at_k_of(one):
            put(cells, (*name_of(one), prompts_of(one), metric, kind), one, percent(find_estimate(one, metric), over))
    kinds = known_first(FEEDBACK_KINDS, (key[-1] for key in cells))
    return [pivot(cells, ("model", "task", "prompts", "metric"), kinds, "Execution feedback, percent solved")]


def turns_tables(scored: Sequence[ScoredTask], over: Shown | None = None) -> list[Table]:
    """Return n@k and pass@k by the budget of turns."""
    several = those(scored, lambda one: one.outcomes.record.max_turns > 1, "turns", "a multi-turn task")
    cells: Cells = {}
    for one in several:
        kind = feedback_of(one)
        for metric, turns in product([*asked_of(one), *passes_of(one)], range(1, one.outcomes.record.max_turns + 1)):
            name = (*name_of(one), prompts_of(one), kind, metric, str(turns))
            put(cells, name, one, percent(find_estimate(one, metric, turns), over))
    most = max(one.outcomes.record.max_turns for one in several)
    budgets = [str(turns) for turns in range(1, most + 1)]
    headers = ("model", "task", "prompts", "feedback", "metric")
    return [pivot(cells, headers, budgets, "By budget of turns, percent solved")]


def cot_gain_tables(scored: Sequence[ScoredTask], over: Shown | None = None) -> list[Table]:
    """Return what the best prompts gain at pass@100, by the size of the model, and the published rows apart."""
    single = those(scored, lambda one: one.outcomes.record.max_turns == 1, "cot-gain", "a single-turn task")
    groups: dict[tuple[str, str], Cells] = {}
    for one in single:
        estimate = find_estimate(one, COT_METRIC)
        if estimate is None:
            samples = one.outcomes.passed.shape[1]
            raise TurnwiseError(
                f"--table cot-gain shows {COT_METRIC}, and {str(one.run.path)!r} has {samples} samples a problem: "
                "name runs with at least 100."
            )
        put(groups.setdefault(name_of(one), {}), (reasoning_of(one), instruction_of(one)), one, percent(estimate, over))
    rows = sorted(
        (_gain_row(*name, cells) for name, cells in groups.items()), key=lambda row: (size_of(row[1]) or 0.0, row)
    )
    headers = ("size", "model", "task", "without CoT", "best CoT", "gain", "prompts of the best")
    title = f"Gain of reasoning prompts and instructions at {COT_METRIC}, percent solved"
    return [Table(headers, tuple(rows), 3, title, notes_on(*groups.values())), *published_table_of(["taco_very_hard"])]


def _gain_row(model: str, task: str, cells: Cells) -> tuple[str, ...]:
    values = {key: value_of(one, COT_METRIC) for key, (one, _) in cells.items()}
    base = values.pop((NONE, NONE), None)
    known = {key: value for key, value in values.items() if value is not None}
    best = max(known, key=lambda key: (known[key], key), default=None)
    size = size_of(model)
    return (
        f"{size:g}B" if size else "",
        model,
        task,
        cell_of(cells, NONE, NONE),
        "" if best is None else cells[best][1],
        "" if best is None or base is None else f"{100 * (known[best] - base):+.1f}",
        "" if best is None else " + ".join(best),
    )


def taco_tables(scored: Sequence[ScoredTask], over: Shown | None = None) -> list[Table]:
    """Return pass@k and n@k on TACO by difficulty, and the published rows apart."""
    of_taco = those(scored, lambda one: family_of(one) == "taco", "taco", "TACO")
    cells: Cells = {}
    for one in of_taco:
        levels = [
            level
            for level in DIFFICULTIES
            if find_estimate(one, passes_of(one)[0], group=f"difficulty {level}") is not None
        ]
        for metric in [*asked_of(one), *passes_of(one)]:
            name = (model_of(one), prompts_of(one), str(one.outcomes.record.max_turns), metric)
            for level in levels:
                put(cells, (*name, level), one, percent(find_estimate(one, metric, group=f"difficulty {level}"), over))
            if len(levels) != 1:
                put(cells, (*name, ALL), one, percent(find_estimate(one, metric), over))
    headers = ("model", "prompts", "turns", "metric")
    table = pivot(cells, headers, [*DIFFICULTIES, ALL], "TACO by difficulty, percent solved")
    return [table, *published_table_of(["taco_very_hard"])]
