"""The places that several runs can have, as text: a row for each run, a column for each metric."""

from collections.abc import Mapping, Sequence

from tabulate import tabulate

from turnwise.leaderboard.outcomes import RunOutcomes
from turnwise.leaderboard.ranks import Rank, Ranking
from turnwise.records.choices import Over
from turnwise.texts import printable

_TESTS = {
    Over.SAMPLES: "each problem's dialogues dealt anew to two runs: about these very problems",
    Over.PROBLEMS: "two runs exchanged problem by problem: about problems like these",
    Over.CONTESTS: "two runs exchanged contest by contest: about contests like these",
}


def render_rankings(
    runs: Sequence[RunOutcomes], found: Mapping[str, Sequence[Ranking]], over: Over, notes: Sequence[str]
) -> str:
    """Return a table for each task, best run first by its pass@1, and what a place means."""
    parts = [_table(name, runs, rankings) for name, rankings in found.items() if rankings]
    meaning = (
        "Score, then places: from 1 + the runs that are significantly better to the last that is not significantly "
        f"worse, on the problems that all runs know. Tested by {_TESTS[over]}; Holm's correction keeps the chance of "
        "any false claim in a column at 5 %."
    )
    return "\n".join(["\n\n".join(parts), "", meaning, *notes])


def _table(task: str, runs: Sequence[RunOutcomes], rankings: Sequence[Ranking]) -> str:
    first = next((one for one in rankings if one.metric == "pass@1"), rankings[0])
    order = sorted(range(len(runs)), key=lambda run: (-first.ranks[run].value, run))
    headers = ["model", "run", *(one.metric for one in rankings)]
    rows = [
        [
            printable(runs[run].model, limit=80),
            str(runs[run].path),
            *(_cell(one.ranks[run]) for one in rankings),
        ]
        for run in order
    ]
    rows.append(["", "problems", *(str(one.problems) for one in rankings)])
    align = ["left", "left"] + ["right"] * len(rankings)
    return f"{task}\n{tabulate(rows, headers=headers, disable_numparse=True, colalign=align)}"


def _cell(rank: Rank) -> str:
    places = f"{rank.best}" if rank.best == rank.worst else f"{rank.best}-{rank.worst}"
    return f"{100 * rank.value:.1f}  ({places})"
