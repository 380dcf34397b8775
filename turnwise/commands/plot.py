"""``turnwise plot``: a chart of the page as a file, from run folders, without a browser."""

import sys
from collections.abc import Sequence
from pathlib import Path

from turnwise.commands.machine import check_output
from turnwise.errors import TurnwiseError
from turnwise.exchange.runs import read_runs, runs_at
from turnwise.leaderboard.charts.data import Series, chart_data, similarity_of_beginnings
from turnwise.leaderboard.charts.files import FORMATS, Look, write_chart
from turnwise.leaderboard.charts.specs import charts
from turnwise.leaderboard.report import score_runs
from turnwise.leaderboard.tables import ScoredTask, run_names, without_training
from turnwise.tasks.behaviour import measure
from turnwise.texts import encodable


def plot_command(
    paths: Sequence[Path],
    output: Path,
    *,
    chart: str = "turns",
    task: str = "",
    n_at_k: str = "",
    width: int = 420,
    dark: bool = False,
) -> str:
    """Draw ``chart`` of the runs at ``paths`` into the file ``output``; say where it is and what it shows.

    Raises TurnwiseError for an unknown chart or file format, runs of several tasks without ``task``, and runs that
    have nothing for this chart.
    """
    known = charts()
    if chart not in known:
        raise TurnwiseError(f"--chart is {chart!r}: choose one of {', '.join(known)}.")
    if output.suffix not in FORMATS:
        raise TurnwiseError(f"The file {str(output)!r} cannot be drawn: let its name end in {', '.join(FORMATS)}.")
    if not 100 <= width <= 4000:
        raise TurnwiseError(f"--width is {width}: give 100 to 4000 points.")
    check_output(output.parent)
    runs = list(dict.fromkeys(runs_at(paths).runs))
    read, left_out = without_training(
        score_runs(read_runs(runs), n_at_k=[name for name in n_at_k.split(",") if name.strip()])
    )
    if left_out:
        print(f"turnwise: runs on training problems are in no chart: left out {left_out}.", file=sys.stderr)
    scored = _of_task(read, task)
    names = run_names(scored)
    behaves = chart in ("failures", "similarity", "prose")
    data = chart_data([_series(one, names[one.run.path], behaves=behaves) for one in scored])
    if chart not in data:
        raise TurnwiseError(f"The runs have nothing to draw for --chart {chart}: they have {', '.join(data)}.")
    output.parent.mkdir(parents=True, exist_ok=True)
    write_chart(output, chart, data[chart], Look(width, dark))
    return f"Chart: {output} ({known[chart].title}, {scored[0].outcomes.record.task}). {known[chart].about}"


def _of_task(scored: Sequence[ScoredTask], task: str) -> list[ScoredTask]:
    names = list(dict.fromkeys(one.outcomes.record.task for one in scored))
    if (not task and len(names) > 1) or (task and task not in names):
        given = f"--tasks is {task!r}" if task else "The runs have several tasks"
        raise TurnwiseError(f"{given}: choose one of {', '.join(names)} with --tasks.")
    return [one for one in scored if one.outcomes.record.task == (task or names[0])]


def _series(one: ScoredTask, name: str, *, behaves: bool) -> Series:
    if not behaves:
        return Series(encodable(str(one.run.path)), encodable(name), one)
    trajectories, judgements = one.run.dialogues(one.outcomes.record.task)
    return Series(
        encodable(str(one.run.path)),
        encodable(name),
        one,
        measure(trajectories, judgements, similarity=similarity_of_beginnings),
    )
