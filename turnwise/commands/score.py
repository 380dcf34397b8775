"""``turnwise score``: tables from run folders, without a model and without running a program."""

from collections.abc import Sequence
from pathlib import Path

from turnwise.errors import TurnwiseError
from turnwise.leaderboard.report import find_runs, render_report, score_runs, write_report
from turnwise.leaderboard.tables import By


def score_command(paths: Sequence[Path], *, by: str = By.TASK, n_at_k: str = "") -> str:
    """Score the runs at ``paths`` (run folders, or folders of them), write the report into each and return the table.

    Raises TurnwiseError for a damaged run, an unknown ``by``, or an n@k that the samples cannot support.
    """
    if by not in list(By):
        raise TurnwiseError(f"--by is {by!r}: choose one of {', '.join(By)}.")
    wanted = [name for name in n_at_k.split(",") if name.strip()]
    scored = []
    for path in paths:
        runs = find_runs(path)
        of_path = []
        for run in runs:
            of_run = score_runs([run], n_at_k=wanted)
            write_report(run, of_run)
            of_path += of_run
        if runs != [path]:
            write_report(path, of_path)
        scored += of_path
    written = ", ".join(str(path / "scores.json") for path in paths)
    return f"{render_report(scored, by=By(by))}\nWritten: {written} and tables/ beside it."
