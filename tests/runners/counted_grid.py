"""A grid over a synthetic model that logs every call before it answers; a process of its own, for tests that kill it.

Arguments: experiment folder, cache folder, call log, globs of cells, task, data folder (- for none), problems,
samples of each.
"""

import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from synthetic import SyntheticSampler

from turnwise.records.settings import RunSettings
from turnwise.runners.execution.hardened import HardenedExecutor
from turnwise.runners.grid import Axes, Grid, plan_cells, run_grid
from turnwise.runners.judging.judge import Judge
from turnwise.runners.loading import Machine, load_task, open_task
from turnwise.tasks.catalog import TASKS
from turnwise.tasks.prompts import PromptSet


def main() -> None:
    """Run, or go on with, the grid in the folder."""
    output, cache_dir, log = map(Path, sys.argv[1:4])
    task, data_dir = TASKS[sys.argv[5]], None if sys.argv[6] == "-" else Path(sys.argv[6])
    settings = RunSettings(seed=3, samples_per_problem=int(sys.argv[8]))
    with closing(HardenedExecutor()) as executor:
        machine = Machine(executor, cache_dir, data_dir, workers=2)
        found = open_task(task, settings, data_dir=data_dir)
        judge = Judge(executor)
        solved = [one for one in found.asked if one.solutions and judge.judge(one, one.solutions[0]).passed]
        chosen = [one.id for one in solved][: int(sys.argv[7])]
        settings = replace(settings, samples={task.name: tuple(chosen)})
        loaded = load_task(task, settings, machine)
        model = SyntheticSampler(loaded.asked, first=0.5, repair={"failed_tests": 0.5}, log=log, delay=0.002)
        cells = plan_cells(settings, Axes(sys.argv[4]), PromptSet.load())
        grid = Grid(cells, [loaded], lambda _: model, PromptSet.load(), {})
        for ran in run_grid(grid, machine, output=output):
            print(ran.cell.name, "finished before" if ran.sampled is None else "run", flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
