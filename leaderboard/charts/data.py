"""The data of charts: flat rows of numbers, the same for the page and for files.

A chart that the runs have nothing for is not among them. A point whose mean leaves problems out is not drawn, since
it is about other problems than its neighbours.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from turnwise.errors import TurnwiseError
from turnwise.leaderboard.curves import Point, draw_curve
from turnwise.leaderboard.intervals import Interval
from turnwise.leaderboard.paper_cells import find_estimate
from turnwise.leaderboard.papers import Shown
from turnwise.leaderboard.tables import ScoredTask
from turnwise.records.choices import Along, Over
from turnwise.records.metrics import NAtK
from turnwise.records.report import Verdict
from turnwise.tasks.behaviour import Behaviour, TurnBehaviour, mean_of, ratio

_SEED = 0
_BINS = 10
COMPARED_CHARACTERS = 8000
KINDS = {
    "passed": (Verdict.PASSED,),
    "wrong output": (Verdict.WRONG_ANSWER,),
    "exception": (Verdict.RUNTIME_ERROR, Verdict.COMPILE_ERROR),
    "time": (Verdict.TIME_LIMIT,),
    "memory": (Verdict.MEMORY_LIMIT, Verdict.OUTPUT_LIMIT),
    "no code": (Verdict.NO_CODE,),
}

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """One run's task in charts: its key, the name shown, scores, and behaviour where dialogues were read."""

    key: str
    name: str
    scored: ScoredTask
    behaviour: Behaviour | None = None


@dataclass(frozen=True, slots=True)
class ChartData:
    """Rows of cells by ``columns``, of which the first two are the run's key and name."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def records(self) -> list[dict[str, object]]:
        """Return each row as an object by column."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def chart_data(several: Sequence[Series]) -> dict[str, ChartData]:
    """Return the data of every chart that these runs of one task have something for, by the chart's name."""
    found = {
        **_curves(several),
        "difficulty": _gather(_POINT, "level", several, _difficulty),
        "failures": ChartData(
            ("run", "model", "turn", "outcome", "share", "dialogues"), _behaviours(several, _failures)
        ),
        "similarity": ChartData(("run", "model", "similarity", "share"), _behaviours(several, _similarity)),
        "prose": ChartData(("run", "model", "turn", "value"), _behaviours(several, _prose)),
        "grid": _grid(several),
    }
    return {name: data for name, data in found.items() if data.rows}


_POINT = ("value", "lower", "upper")


def similarity_of_beginnings(first: str, second: str) -> float:
    """Return difflib's ratio of two programs, of long ones that of their beginnings: its time is quadratic."""
    return ratio(first[:COMPARED_CHARACTERS], second[:COMPARED_CHARACTERS])


def headline(one: ScoredTask) -> str:
    """Return the metric that a task is ranked by unless another is chosen: 1@T for T turns, pass@1 for one."""
    turns = one.outcomes.record.max_turns
    return str(NAtK(1, turns)) if turns > 1 else "pass@1"


def _gather(
    ends: Sequence[str], at: str, several: Sequence[Series], rows_of: Callable[[Series], Iterable[Row]]
) -> ChartData:
    rows = tuple((one.key, one.name, *row) for one in several for row in rows_of(one))
    return ChartData(("run", "model", at, *ends), rows)


def _curves(several: Sequence[Series]) -> Mapping[str, ChartData]:
    points = {one.key: _points(one.scored) for one in several}

    def choose(
        along: Along, series: str, wanted: Callable[[Point, int], bool], label: Callable[[Point], str]
    ) -> ChartData:
        rows = tuple(
            (one.key, one.name, label(point), point.at, *_ends(point.estimate.value, point.estimate.intervals))
            for one in several
            for point in points[one.key].get(along, ())
            if wanted(point, one.scored.outcomes.record.max_turns)
        )
        return ChartData(("run", "model", series, along.value, *_POINT), rows)

    return {
        "turns": choose(Along.TURNS, "metric", lambda one, _: one.estimate.metric == "pass@1", lambda _: "pass@1"),
        "pass_at_k": choose(
            Along.K, "metric", lambda one, most: one.n is None and one.estimate.turns == most, lambda _: "pass@k"
        ),
        "n_at_k": choose(
            Along.K,
            "metric",
            lambda one, most: one.n is not None and one.estimate.turns == most,
            lambda one: f"{one.n}@k",
        ),
        "tokens": choose(
            Along.TOKENS,
            "budget",
            lambda one, most: one.n is None and one.estimate.turns in (1, most),
            lambda one: f"{one.estimate.turns} turn" + ("s" if one.estimate.turns > 1 else ""),
        ),
    }


def _points(scored: ScoredTask) -> dict[Along, list[Point]]:
    """Return the points of each curve that count every problem; none along tokens where they are not known."""
    found = {}
    for along in Along:
        generator = np.random.default_rng(_SEED)
        try:
            points = draw_curve(scored.outcomes, along, n_at_k=scored.n_at_k, generator=generator)
        except TurnwiseError:
            continue  # no reply says how many tokens it took
        found[along] = [
            one for one in points if one.estimate.value is not None and one.estimate.counted == one.estimate.asked
        ]
    return found


def _ends(value: float | None, intervals: Mapping[Shown, Interval]) -> tuple[float | None, float | None, float | None]:
    interval = intervals.get(Over.PROBLEMS)
    return (value, interval.lower, interval.upper) if interval else (value, None, None)


def _difficulty(one: Series) -> list[Row]:
    groups = dict.fromkeys(found.group for found in one.scored.estimates if found.group.startswith("difficulty "))
    rows: list[Row] = []
    for group in groups:
        estimate = find_estimate(one.scored, headline(one.scored), group=group)
        if estimate is not None and estimate.value is not None:
            rows.append((group.removeprefix("difficulty "), *_ends(estimate.value, estimate.intervals)))
    return rows


def _behaviours(several: Sequence[Series], rows_of: Callable[[Behaviour], Iterable[Row]]) -> tuple[Row, ...]:
    return tuple(
        (one.key, one.name, *row) for one in several if one.behaviour is not None for row in rows_of(one.behaviour)
    )


def _failures(behaviour: Behaviour) -> list[Row]:
    return [
        (number, kind, sum(turn.verdicts[one] for one in verdicts) / turn.dialogues, turn.dialogues)
        for number, turn in enumerate(behaviour.turns, 1)
        if turn.dialogues
        for kind, verdicts in KINDS.items()
    ]


def _similarity(behaviour: Behaviour) -> list[Row]:
    values = [value for turn in behaviour.turns for value in turn.similarities]
    if not values:
        return []
    counts, edges = np.histogram(values, bins=_BINS, range=(0, 1))
    return [(float(edge), float(count) / len(values)) for count, edge in zip(counts, edges[:-1], strict=True)]


def _prose(behaviour: Behaviour) -> list[Row]:
    def share(turn: TurnBehaviour) -> float | None:
        return mean_of(turn.non_code)

    return [(number, value) for number, turn in enumerate(behaviour.turns, 1) if (value := share(turn)) is not None]


def _grid(several: Sequence[Series]) -> ChartData:
    """Return the cells of reasoning by instruction, where runs differ in either."""
    rows: list[Row] = []
    for one in several:
        settings = one.scored.run.record.settings
        estimate = find_estimate(one.scored, headline(one.scored))
        reasoning = " + ".join(map(str, settings.reasoning or [])) or "none"
        if estimate is not None and estimate.value is not None:
            cell = (reasoning, str(settings.instruction or "none"), estimate.value)
            rows.append((one.key, one.scored.run.model, *cell))
    columns = ("run", "model", "reasoning", "instruction", "value")
    is_grid = len({row[2:4] for row in rows}) > 1
    return ChartData(columns, tuple(rows) if is_grid else ())
