"""Runs by their paths: a run folder, or the results file that lm_eval wrote of our tasks."""

from collections.abc import Iterator
from pathlib import Path

from turnwise.errors import TurnwiseError
from turnwise.leaderboard.exchange.lm_eval_run import is_results, lm_eval_dialogues, read_lm_eval_run
from turnwise.leaderboard.outcomes import RunOutcomes, read_outcomes
from turnwise.tasks.judgement import Judgement, Place
from turnwise.tasks.run_folder import RunFolder
from turnwise.tasks.trajectory import Trajectory


def find_runs(path: Path) -> list[Path]:
    """Return the runs at ``path``: itself, or those directly in it; raises TurnwiseError if there is none."""
    if (path / "run.json").is_file() or is_results(path):
        return [path]
    results = (one for pattern in ("results_*.json", "*/results_*.json") for one in path.glob(pattern))
    found = sorted([*(one.parent for one in path.glob("*/run.json")), *filter(is_results, results)])
    if not found:
        raise TurnwiseError(
            f"{str(path)!r} is no run folder and holds none: name a folder that turnwise run or turnwise sample "
            "wrote, or lm_eval's --output_path."
        )
    return found


def read_run(path: Path) -> RunOutcomes:
    """Return the outcomes of the run at ``path``, one that ``find_runs`` found; no program is run.

    Raises TurnwiseError, naming the file, for what is missing or damaged.
    """
    return read_lm_eval_run(path) if is_results(path) else read_outcomes(path)


def trajectories_of(run: RunOutcomes, task: str) -> tuple[Iterator[Trajectory], dict[Place, Judgement]]:
    """Return the dialogues of a task of a run that ``read_run`` read, problem by problem, and their judgements."""
    if run.path.is_dir():
        folder = RunFolder(run.path)
        return folder.trajectories(task), folder.judgements()
    dialogues = lm_eval_dialogues(run.path)
    order = {problem.id: number for one in run.tasks for number, problem in enumerate(one.problems)}
    chosen = [one.trajectory for one in dialogues if one.trajectory.task == task]
    chosen.sort(key=lambda one: (order[one.problem], one.sample))
    return iter(chosen), {one.place: one for dialogue in dialogues for one in dialogue.judgements}
