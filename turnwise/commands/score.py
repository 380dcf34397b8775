"""``turnwise score``: tables and curves from run folders, without a model and without running a program."""

from collections.abc import Sequence
from pathlib import Path

from turnwise.errors import TurnwiseError
from turnwise.exchange.runs import Found, read_runs, runs_at
from turnwise.leaderboard.curves import render_curves
from turnwise.leaderboard.formats import render_notes, render_tables
from turnwise.leaderboard.paper_tables import paper_tables
from turnwise.leaderboard.papers import Shown
from turnwise.leaderboard.report import (
    LEGEND,
    draw_curves,
    interval_lines,
    render_report,
    score_runs,
    settings_lines,
    training_lines,
    write_report,
)
from turnwise.leaderboard.tables import ScoredTask
from turnwise.records.choices import Along, By, IntervalChoice, Over, Parity, Style


def score_command(
    paths: Sequence[Path],
    *,
    by: str = By.TASK,
    n_at_k: str = "",
    interval: str = "",
    style: str = Style.TEXT,
    table: str = "",
    curve: str = "",
) -> str:
    """Score the runs at ``paths`` (run folders, or folders of them), write the report into each and return the table.

    ``interval`` says what the intervals beside the scores are over, or which paper's they are; "none" shows none, and
    "" those over samples, but none in a paper's table. ``table`` names one of the papers' tables, ``curve`` what a
    curve runs along, in place of our table. Raises TurnwiseError for a damaged
    run, an unknown option, or an n@k that the samples cannot support.
    """
    for option, value, known in (
        ("--by", by, [*By]),
        ("--format", style, [*Style]),
        ("--interval", interval or IntervalChoice.NONE, [*IntervalChoice]),
        ("--curve", curve or Along.K, [*Along]),
    ):
        if value not in known:
            raise TurnwiseError(f"{option} is {value!r}: choose one of {', '.join(known)}.")
    if table and curve:
        raise TurnwiseError(f"--table {table} and --curve {curve} are two tables: ask for one of them at a time.")
    over = _chosen(interval, table)
    if curve and isinstance(over, Parity):
        raise TurnwiseError(f"--curve {curve} has no interval of a paper: choose one over {', '.join(Over)}.")
    wanted = [name for name in n_at_k.split(",") if name.strip()]
    found = runs_at(paths)
    scored = _score_all(found, wanted, over)
    chosen = Style(style)
    if table:
        lines = [*interval_lines(scored, over), *training_lines(scored), *settings_lines(scored)]
        around = render_notes(["", LEGEND, *lines], chosen)
        return "\n".join([render_tables(paper_tables(table, scored, over=over), chosen), *around])
    if curve:
        along = Along(curve)
        shown = over if isinstance(over, Over) else None
        remarks = [*training_lines(scored), *settings_lines(scored)]
        return render_curves(draw_curves(scored, along), along, remarks, over=shown, style=chosen)
    said = render_report(scored, by=By(by), over=over, style=chosen)
    if chosen is not Style.TEXT:
        return said
    written = ", ".join(str(_folder_of(path) / "scores.json") for path in found.by_path)
    return f"{said}\nWritten: {written} and tables/ beside it."


def _chosen(interval: str, table: str) -> Shown | None:
    """Return the interval that stands beside the scores, None where there is none."""
    if interval == IntervalChoice.NONE or (table and not interval):
        return None
    return Parity(interval) if interval in [*Parity] else Over(interval or Over.SAMPLES)


def _score_all(found: Found, n_at_k: Sequence[str], over: Shown | None) -> list[ScoredTask]:
    """Return the scores of all runs ``found``, and write the report into each, and into folders of them."""
    parity = over if isinstance(over, Parity) else None
    scored: list[ScoredTask] = []
    by_run: dict[Path, list[ScoredTask]] = {}
    for run in found.runs:
        if run.resolve() not in by_run:
            of_run = by_run[run.resolve()] = score_runs(read_runs([run]), n_at_k=n_at_k, parity=parity)
            if run.is_dir():
                write_report(run, of_run, over=over)
        scored += by_run[run.resolve()]
    for path, runs in found.by_path.items():
        if runs != [path] or not path.is_dir():
            write_report(_folder_of(path), [one for run in runs for one in by_run[run.resolve()]], over=over)
    return scored


def _folder_of(path: Path) -> Path:
    """Return where the report on ``path`` is written: beside lm_eval's results, or in the run folder."""
    return path if path.is_dir() else path.parent
