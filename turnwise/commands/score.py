"""``turnwise score``: tables and curves from run folders, without a model and without running a program."""

from collections.abc import Sequence
from pathlib import Path

from turnwise.errors import TurnwiseError
from turnwise.leaderboard.curve_tables import render_curves
from turnwise.leaderboard.curves import Along
from turnwise.leaderboard.formats import Style, render_notes, render_tables
from turnwise.leaderboard.intervals import Over
from turnwise.leaderboard.paper_tables import paper_tables
from turnwise.leaderboard.report import (
    LEGEND,
    draw_curves,
    find_runs,
    render_report,
    score_runs,
    settings_lines,
    write_report,
)
from turnwise.leaderboard.tables import By, ScoredTask


def score_command(
    paths: Sequence[Path],
    *,
    by: str = By.TASK,
    n_at_k: str = "",
    interval: str = Over.SAMPLES,
    style: str = Style.TEXT,
    table: str = "",
    curve: str = "",
) -> str:
    """Score the runs at ``paths`` (run folders, or folders of them), write the report into each and return the table.

    ``interval`` says what the intervals beside the scores are over; "none" shows none. ``table`` names one of
    the papers' tables, ``curve`` what a curve runs along, in place of our table. Raises TurnwiseError for a damaged
    run, an unknown option, or an n@k that the samples cannot support.
    """
    for option, value, known in (
        ("--by", by, [*By]),
        ("--format", style, [*Style]),
        ("--interval", interval, [*Over, "none"]),
        ("--curve", curve or Along.K, [*Along]),
    ):
        if value not in known:
            raise TurnwiseError(f"{option} is {value!r}: choose one of {', '.join(known)}.")
    if table and curve:
        raise TurnwiseError(f"--table {table} and --curve {curve} are two tables: ask for one of them at a time.")
    over = None if interval == "none" else Over(interval)
    wanted = [name for name in n_at_k.split(",") if name.strip()]
    scored = _score_all(paths, wanted, over)
    chosen = Style(style)
    if table:
        around = render_notes(["", LEGEND, *settings_lines(scored)], chosen)
        return "\n".join([render_tables(paper_tables(table, scored), chosen), *around])
    if curve:
        along = Along(curve)
        return render_curves(draw_curves(scored, along), along, settings_lines(scored), over=over, style=chosen)
    said = render_report(scored, by=By(by), over=over, style=chosen)
    if chosen is not Style.TEXT:
        return said
    written = ", ".join(str(path / "scores.json") for path in paths)
    return f"{said}\nWritten: {written} and tables/ beside it."


def _score_all(paths: Sequence[Path], n_at_k: Sequence[str], over: Over | None) -> list[ScoredTask]:
    """Return the scores of all runs at ``paths``, and write the report into each, and into folders of them."""
    scored: list[ScoredTask] = []
    for path in paths:
        runs = find_runs(path)
        of_path = []
        for run in runs:
            of_run = score_runs([run], n_at_k=n_at_k)
            write_report(run, of_run, over=over)
            of_path += of_run
        if runs != [path]:
            write_report(path, of_path, over=over)
        scored += of_path
    return scored
