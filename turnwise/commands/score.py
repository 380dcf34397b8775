"""``turnwise score``: tables from run folders, without a model and without running a program."""

from collections.abc import Sequence
from pathlib import Path

from turnwise.errors import TurnwiseError
from turnwise.leaderboard.formats import Style, render_notes, render_tables
from turnwise.leaderboard.intervals import Over
from turnwise.leaderboard.paper_tables import paper_tables
from turnwise.leaderboard.report import LEGEND, render_report, score_runs, settings_lines, write_report
from turnwise.leaderboard.runs import find_runs
from turnwise.leaderboard.tables import By, ScoredTask


def score_command(
    paths: Sequence[Path],
    *,
    by: str = By.TASK,
    n_at_k: str = "",
    interval: str = Over.SAMPLES,
    style: str = Style.TEXT,
    table: str = "",
) -> str:
    """Score the runs at ``paths`` (run folders, or folders of them), write the report into each and return the table.

    ``interval`` says what the intervals beside the scores are over; "none" shows none. ``table`` names one of
    the papers' tables in place of ours. Raises TurnwiseError for a damaged run, an unknown ``by``,
    ``interval``, ``style`` or ``table``, or an n@k that the samples cannot support.
    """
    for option, value, known in (
        ("--by", by, [*By]),
        ("--format", style, [*Style]),
        ("--interval", interval, [*Over, "none"]),
    ):
        if value not in known:
            raise TurnwiseError(f"{option} is {value!r}: choose one of {', '.join(known)}.")
    over = None if interval == "none" else Over(interval)
    wanted = [name for name in n_at_k.split(",") if name.strip()]
    scored: list[ScoredTask] = []
    for path in paths:
        runs = find_runs(path)
        of_path = []
        for run in runs:
            of_run = score_runs([run], n_at_k=wanted)
            if run.is_dir():
                write_report(run, of_run, over=over)
            of_path += of_run
        if runs != [path] or not path.is_dir():
            write_report(_folder_of(path), of_path, over=over)
        scored += of_path
    chosen = Style(style)
    if table:
        around = render_notes(["", LEGEND, *settings_lines(scored)], chosen)
        return "\n".join([render_tables(paper_tables(table, scored), chosen), *around])
    said = render_report(scored, by=By(by), over=over, style=chosen)
    if chosen is not Style.TEXT:
        return said
    written = ", ".join(str(_folder_of(path) / "scores.json") for path in paths)
    return f"{said}\nWritten: {written} and tables/ beside it."


def _folder_of(path: Path) -> Path:
    """Return where the report on ``path`` is written: beside lm_eval's results, or in the run folder."""
    return path if path.is_dir() else path.parent
