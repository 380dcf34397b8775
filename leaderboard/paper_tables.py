"""The tables of the two papers, in their layout, from runs of ours.

    grid       pass@k of one turn: reasoning prompts down, instructions across (2410.08105, section 4.1)
    feedback   n@k by the kind of execution feedback (2410.08105, section 4.2)
    turns      n@k and pass@k by the budget of turns (both)
    cot-gain   what the best prompts gain at pass@100, by the size of the model (2410.08105)
    taco       pass@k and n@k on TACO by difficulty (2410.08105)
    behaviour  failures, repairs, similarity, answers by turn (both; behaviour-chrf: with chrF)
    rlef       n@k on the valid and test splits of CodeContests (2410.02089, table 1)
    rft        before and after fine-tuning: n@k, by turn, and how the answers look (2410.08105, section 5)
    rlef-ablation   before and after each of several trainings by rlef (ablations.py; 2410.02089, appendix)

A cell without a run is empty; two runs for one cell are an error. Published numbers stand in a table of their
own with their citations. Nothing is estimated here.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import product

from turnwise.benchmarks.taco import DIFFICULTIES
from turnwise.errors import TurnwiseError
from turnwise.leaderboard.ablations import ablation_tables
from turnwise.leaderboard.formats import Table
from turnwise.leaderboard.paper_cells import (
    Cells,
    asked_of,
    cell_of,
    family_of,
    feedback_of,
    find_estimate,
    instruction_of,
    known_first,
    model_of,
    n_at_k_of,
    name_of,
    notes_on,
    passes_of,
    pivot,
    prompts_of,
    put,
    reasoning_of,
    size_of,
    those,
    value_of,
)
from turnwise.leaderboard.papers import Shown
from turnwise.leaderboard.published import published_fine_tuning, published_table_of
from turnwise.leaderboard.scores import ALL, Estimate
from turnwise.leaderboard.tables import ScoredTask, notes, odd_mark, percent, run_names
from turnwise.records.choices import PaperTable
from turnwise.records.metrics import NAtK
from turnwise.records.report import Verdict
from turnwise.records.settings import FEEDBACK_KINDS, INSTRUCTIONS, NONE, REASONING
from turnwise.records.trajectory import End
from turnwise.tasks.behaviour import Behaviour, Similarity, TurnBehaviour, load_chrf, mean_of, measure, ratio
from turnwise.texts import printable

COT_METRIC = "pass@100"
_KINDS = {
    "wrong output": (Verdict.WRONG_ANSWER,),
    "exception": (Verdict.RUNTIME_ERROR, Verdict.COMPILE_ERROR),
    "time": (Verdict.TIME_LIMIT,),
    "memory": (Verdict.MEMORY_LIMIT,),
    "output size": (Verdict.OUTPUT_LIMIT,),
    "no code": (Verdict.NO_CODE,),
}
_MEANS = ("non-code", "characters", "tokens")


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


def rlef_tables(scored: Sequence[ScoredTask], over: Shown | None = None) -> list[Table]:
    """Return n@k on the valid and test splits of CodeContests, and the published rows apart."""
    splits = {"valid": "valid", "test": "test"}
    contests = those(
        scored,
        lambda one: one.outcomes.record.benchmark == "codecontests" and one.outcomes.record.split in splits,
        "rlef",
        "CodeContests (valid or test)",
    )
    cells: Cells = {}
    for one in contests:
        settings = one.run.record.settings
        temperature = settings.sampling.temperature
        how = (
            printable(settings.profile, limit=80),
            str(one.outcomes.record.max_turns),
            "" if temperature is None else f"{temperature:g}",
        )
        for metric in n_at_k_of(one):
            key = (model_of(one), *how, metric, one.outcomes.record.split)
            put(cells, key, one, percent(find_estimate(one, metric), over))
    headers = ("model", "profile", "turns", "temperature", "n@k")
    table = pivot(cells, headers, list(splits), "CodeContests, measured here, percent solved")
    return [table, *published_table_of(["codecontests"])]


def rft_tables(scored: Sequence[ScoredTask], over: Shown | None = None) -> list[Table]:
    """Return the runs in the order given, the gain below each pair of a task, then each by turn, and what is published.

    The gains are differences of the numbers above them; ``turnwise compare`` says how far chance goes.
    """
    several = those(scored, lambda one: one.outcomes.record.max_turns > 1, "rft", "a multi-turn task")
    names = run_names(several)
    metrics = list(dict.fromkeys(metric for one in several for metric in _budgets_and_asked(one)))
    by_task: dict[str, list[ScoredTask]] = {}
    for one in several:
        by_task.setdefault(one.outcomes.record.task, []).append(one)
    rows: list[tuple[str, ...]] = []
    for task, runs in by_task.items():
        values = []
        for one in runs:
            behaviour = measure(*one.run.dialogues(task), similarity=ratio)
            looks = [_mean_over_turns(behaviour, name) for name in _LOOKS]
            values.append([*(_value_at(one, metric) for metric in metrics), *looks])
            cells = [percent(_estimate_at(one, metric), over) for metric in metrics]
            shown = [_mean(value, decimals) for value, decimals in zip(looks, _LOOKS.values(), strict=True)]
            rows.append((names[one.run.path], task + odd_mark(one), *cells, *shown))
        if len(runs) == 2:
            rows.append(("gain", "", *_gains(*values, scores=len(metrics))))
    headers = ("model", "task", *metrics, *_LOOKS)
    title = (
        "Before and after fine-tuning, percent solved; difflib the similarity of consecutive programs, the rest means "
        "over answers"
    )
    first = Table(headers, tuple(rows), 2, title, tuple(notes(several)))
    return [first, *_tables(several, ratio, "difflib")[:1], *published_fine_tuning()]


_LOOKS = {"non-code": 3, "difflib": 3, "characters": 0, "tokens": 0}  # with their decimals


def _budgets_and_asked(one: ScoredTask) -> list[str]:
    budgets = [str(NAtK(1, turns)) for turns in range(1, one.outcomes.record.max_turns + 1)]
    return list(dict.fromkeys([*budgets, *asked_of(one)]))


def _estimate_at(one: ScoredTask, metric: str) -> Estimate | None:
    """Return the estimate of an n@k at k turns, or at all turns where that is fewer."""
    return find_estimate(one, metric, min(one.outcomes.record.max_turns, int(metric.partition("@")[2])))


def _value_at(one: ScoredTask, metric: str) -> float | None:
    estimate = _estimate_at(one, metric)
    return None if estimate is None else estimate.value


def _mean_over_turns(behaviour: Behaviour, name: str) -> float | None:
    values = {
        "non-code": [value for turn in behaviour.turns for value in turn.non_code],
        "difflib": [value for turn in behaviour.turns for value in turn.similarities],
        "characters": [float(value) for turn in behaviour.turns for value in turn.characters],
        "tokens": [float(value) for turn in behaviour.turns for value in turn.tokens],
    }
    return mean_of(values[name])


def _gains(before: Sequence[float | None], after: Sequence[float | None], *, scores: int) -> Iterator[str]:
    """Yield the cells of what the second of two rows has more than the first; the first ``scores`` in percent."""
    decimals = [*([1] * scores), *_LOOKS.values()]
    for place, (old, new, digits) in enumerate(zip(before, after, decimals, strict=True)):
        difference = None if old is None or new is None else (new - old) * (100 if place < scores else 1)
        yield "" if difference is None else f"{difference:+.{digits}f}"


def behaviour_tables(scored: Sequence[ScoredTask], _: Shown | None = None) -> list[Table]:
    """Return the tables with difflib's ratio as the similarity of consecutive programs; they have no intervals."""
    return _tables(scored, ratio, "difflib")


def chrf_tables(scored: Sequence[ScoredTask], _: Shown | None = None) -> list[Table]:
    """Return the tables with chrF; raises MissingExtraError without sacrebleu."""
    return _tables(scored, load_chrf(), "chrF")


def _tables(scored: Sequence[ScoredTask], similarity: Similarity, name: str) -> list[Table]:
    names = run_names(scored)
    found = []
    for one in scored:
        task = one.outcomes.record.task
        behaviour = measure(*one.run.dialogues(task), similarity=similarity)
        found.append(((names[one.run.path], task + odd_mark(one)), behaviour))
    headers = ("model", "task", "turn", "dialogues", "solved", *_KINDS, "repaired", name, *_MEANS)
    rows = [
        (*label, str(number), *_cells(seen))
        for label, behaviour in found
        for number, seen in enumerate(behaviour.turns, 1)
    ]
    title = (
        "Behaviour by turn: percent of the turn's dialogues; repaired is the percent of those wrong the turn before, "
        f"{name} the similarity to the program before, the rest means over answers"
    )
    return [Table(headers, tuple(rows), 2, title, tuple(notes(scored))), _ends_table(found)]


def _cells(seen: TurnBehaviour) -> tuple[str, ...]:
    kinds = [_percent(sum(seen.verdicts[one] for one in verdicts), seen.dialogues) for verdicts in _KINDS.values()]
    known = seen.dialogues - seen.public_only
    return (
        str(seen.dialogues),
        _percent(seen.solved, known) + ("*" if seen.public_only else ""),
        *kinds,
        _percent(seen.repairs, seen.repairable),
        _mean(mean_of(seen.similarities), 3),
        _mean(mean_of(seen.non_code), 3),
        _mean(mean_of(seen.characters), 0),
        _mean(mean_of(seen.tokens), 0),
    )


def _ends_table(found: Sequence[tuple[tuple[str, str], Behaviour]]) -> Table:
    rows = []
    for label, behaviour in found:
        total = sum(behaviour.ends.values())
        rows.append((*label, str(total), *(_percent(behaviour.ends.get(end, 0), total) for end in End)))
    headers = ("model", "task", "dialogues", *(end.replace("_", " ") for end in End))
    return Table(headers, tuple(rows), 2, "How dialogues ended, percent")


def _percent(count: int, total: int) -> str:
    return f"{100 * count / total:.1f}" if total else ""


def _mean(value: float | None, decimals: int) -> str:
    return "" if value is None else f"{value:.{decimals}f}"


PAPER_TABLES: dict[str, Callable[[Sequence[ScoredTask], Shown | None], list[Table]]] = {
    PaperTable.GRID: grid_tables,
    PaperTable.FEEDBACK: feedback_tables,
    PaperTable.TURNS: turns_tables,
    PaperTable.COT_GAIN: cot_gain_tables,
    PaperTable.TACO: taco_tables,
    PaperTable.RLEF: rlef_tables,
    PaperTable.RFT: rft_tables,
    PaperTable.RLEF_ABLATION: ablation_tables,
    PaperTable.BEHAVIOUR: behaviour_tables,
    PaperTable.BEHAVIOUR_CHRF: chrf_tables,
}


def paper_tables(kind: str, scored: Sequence[ScoredTask], *, over: Shown | None = None) -> list[Table]:
    """Return the tables called ``kind``, with intervals where they are asked for.

    Raises TurnwiseError for another name, or runs that fill no cell.
    """
    if kind not in PAPER_TABLES:
        raise TurnwiseError(f"--table is {kind!r}: choose one of {', '.join(PAPER_TABLES)}.")
    return PAPER_TABLES[kind](scored, over)
