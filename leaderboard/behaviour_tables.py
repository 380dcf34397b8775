"""The tables of behaviour: a row for each turn of each task of a run, and how its dialogues ended."""

from collections.abc import Sequence

from turnwise.leaderboard.behaviour import Behaviour, Similarity, TurnBehaviour, load_chrf, mean_of, measure, ratio
from turnwise.leaderboard.formats import Table
from turnwise.leaderboard.papers import Shown
from turnwise.leaderboard.tables import ScoredTask, notes, odd_mark, run_names
from turnwise.records.report import Verdict
from turnwise.records.trajectory import End

_KINDS = {
    "wrong output": (Verdict.WRONG_ANSWER,),
    "exception": (Verdict.RUNTIME_ERROR, Verdict.COMPILE_ERROR),
    "time": (Verdict.TIME_LIMIT,),
    "memory": (Verdict.MEMORY_LIMIT,),
    "output size": (Verdict.OUTPUT_LIMIT,),
    "no code": (Verdict.NO_CODE,),
}
_MEANS = ("non-code", "characters", "tokens")


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
