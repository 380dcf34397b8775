"""``turnwise grid``: many combinations of prompts, strategies, feedback, temperatures and turn limits in one folder."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from turnwise.commands.machine import check_runs_output, open_machine, show_progress
from turnwise.commands.options import GridOptions
from turnwise.commands.run import command_line, describe_sampled
from turnwise.commands.settings import check_decoys, config_of_options, tasks_of_options
from turnwise.commands.verify import verified_problems
from turnwise.errors import TurnwiseError
from turnwise.exchange.runs import find_runs, read_runs
from turnwise.files import inside, write_atomically
from turnwise.leaderboard.formats import render_notes, render_tables
from turnwise.leaderboard.grid import grid_tables, heat_map
from turnwise.leaderboard.paper_tables import paper_tables
from turnwise.leaderboard.report import LEGEND, score_runs, settings_lines, training_lines, write_report
from turnwise.leaderboard.scores import PASS_AT
from turnwise.leaderboard.tables import ScoredTask
from turnwise.records.choices import Style
from turnwise.records.settings import JudgeSettings, RunConfig, RunSettings
from turnwise.runners.grid import Axes, Cell, Grid, distinct_cells, plan_cells, run_grid
from turnwise.runners.loading import LoadedTask, Machine, load_decoys, load_task
from turnwise.runners.models.back_end import Wanted
from turnwise.runners.models.catalog import find_back_end, recorded_model
from turnwise.runners.models.sampler import Model
from turnwise.runners.settings import check_settings, with_prompts
from turnwise.tasks.catalog import Task
from turnwise.tasks.decoys import DecoyPool
from turnwise.tasks.plan import strategy_of, turns_of, with_supported_metrics
from turnwise.tasks.prompts import PromptSet


def grid_command(options: GridOptions, *, environ: dict[str, str], arguments: Sequence[str]) -> str:
    """Run what is left of the grid's cells, score them and return its tables; both are written, too.

    Raises TurnwiseError for what the user got wrong, before the model is asked anything.
    """
    options.check_needed("turnwise grid needs {}.")
    find_back_end(options.model)
    tasks, prompts = tasks_of_options(options), PromptSet.load(options.prompts)
    base = config_of_options(options, tasks)
    cells = _plan(options, base, tasks, prompts)
    check_runs_output(options.output)
    if options.dry_run:
        return "\n".join([*(cell.name for cell in cells), f"{len(cells)} cells; nothing was run."])
    said = _run(options, cells, base.judge, tasks, prompts, environ=environ, command=command_line(arguments))
    return "\n".join([summarise(options.output, metric=options.metric), *said])


def summarise(output: Path, *, metric: str = "") -> str:
    """Score the runs of an experiment folder, write its tables and heat-map data, and return the tables."""
    scored: list[ScoredTask] = []
    for path in find_runs(output):
        of_run = score_runs(read_runs([path]))
        write_report(path, of_run)
        scored += of_run
    write_report(output, scored)
    kinds = ["grid"] if any(one.outcomes.record.max_turns == 1 for one in scored) else []
    tables = render_tables(
        [*grid_tables(scored, metric=metric), *(table for kind in kinds for table in paper_tables(kind, scored))]
    )
    write_atomically(inside(output, "tables", "grid.txt"), tables + "\n")
    write_atomically(output / "heat_map.json", heat_map(scored, metric=metric) + "\n")
    first = "Settings of the first cell; what others have instead is in their names and run.json. "
    settings = first + " ".join(settings_lines(scored[:1]))
    notes = render_notes(["", LEGEND, *training_lines(scored), settings], Style.TEXT)
    return "\n".join([tables, *notes, f"Written: {output / 'scores.json'}, heat_map.json and tables/ beside it."])


def _plan(options: GridOptions, base: RunConfig, tasks: Sequence[Task], prompts: PromptSet) -> list[Cell]:
    axes = Axes(
        options.cells,
        _strategies(_split(options.strategy)) or None,
        _split(options.feedback),
        _numbers(options.temperatures, "--temperatures", float),
        _numbers(options.max_turns, "--max-turns", int),
    )
    cells = []
    for cell in plan_cells(base.settings, axes, prompts):
        settings = with_supported_metrics(cell.settings, tasks)
        check_settings(replace(base, settings=settings), tasks)
        for task in tasks:
            prompts.check(strategy_of(settings, task).prompt_ids)
            _check_metric(options.metric, settings, task)
        cells.append(replace(cell, settings=settings))
    check_decoys(options.incorrect_programs, [cell.settings for cell in cells], tasks)
    return distinct_cells(cells, tasks)


def _check_metric(metric: str, settings: RunSettings, task: Task) -> None:
    """Raise TurnwiseError, before anything is asked, for a metric that the table of ``task`` will not have."""
    samples, turns = settings.samples_per_problem, turns_of(settings, task)
    known = [f"1@{budget}" for budget in range(1, turns + 1) if turns > 1]
    known += [*settings.n_at_k, *(f"pass@{k}" for k in sorted({*PASS_AT, samples}) if k <= samples)]
    if metric and metric not in known:
        raise TurnwiseError(
            f"--metric is {metric!r}, which {task.name} will not have: choose one of {', '.join(known)}."
        )


def _strategies(names: Sequence[str]) -> dict[str, Mapping[str, object]]:
    """Return the settings of each strategy by its name; raises TurnwiseError for two of one name."""
    found: dict[str, Mapping[str, object]] = {}
    for name in dict.fromkeys(names):
        given = with_prompts({"strategy": name})
        if given["strategy"] in found:
            raise TurnwiseError(
                f"--strategy {name!r} has the name {given['strategy']!r} as another one has: rename it."
            )
        found[given["strategy"]] = given
    return found


def _run(
    options: GridOptions,
    cells: Sequence[Cell],
    judge: JudgeSettings,
    tasks: Sequence[Task],
    prompts: PromptSet,
    *,
    environ: dict[str, str],
    command: str,
) -> list[str]:
    said: list[str] = []
    first, back_end = cells[0].settings, find_back_end(options.model)
    with (
        show_progress() as on_progress,
        open_machine(
            environ,
            on_progress,
            data_dir=options.data_dir,
            interpreter=options.interpreter or judge.interpreter,
            workers=options.workers,
            back_end=back_end,
        ) as machine,
    ):

        def model(settings: RunSettings) -> Model:
            return back_end.open(Wanted(options.model_args, environ, settings, tasks, problems))

        def recorded(folder: Path) -> Model | None:
            return recorded_model(back_end, Wanted(options.model_args, environ), folder)

        begun = next((folder for cell in cells if (folder := options.output / cell.name / "run.json").is_file()), None)
        verified = verified_problems(
            options, RunConfig(first, judge), machine, run=begun.parent if begun is not None else None
        )
        loaded = [load_task(task, first, machine, judge, verified=verified) for task in tasks]
        problems = [problem for one in loaded for problem in one.source.problems]
        decoys = _decoys(cells, loaded, machine, judge, options.incorrect_programs)
        grid = Grid(cells, loaded, model, prompts, decoys, command, recorded, judge)
        for ran in run_grid(grid, machine, output=options.output):
            folder = options.output / ran.cell.name
            said += describe_sampled(ran.sampled, folder) if ran.sampled is not None else []
    return said


def _decoys(
    cells: Sequence[Cell],
    loaded: Sequence[LoadedTask],
    machine: Machine,
    judge: JudgeSettings,
    path: Path | None,
) -> dict[str, DecoyPool]:
    pools: dict[str, DecoyPool] = {}
    for cell in cells:
        missing = [one for one in loaded if one.task.name not in pools]
        pools |= load_decoys(missing, cell.settings, machine, judge, path=path)
    return pools


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _numbers(text: str, option: str, kind: type[Any]) -> list[Any]:
    found = []
    for part in _split(text):
        try:
            value = kind(part)
        except ValueError:
            value = -1
        least = 0 if kind is float else 1
        if not least <= value < 10**6:
            raise TurnwiseError(f"{option} has the value {part!r}: give numbers from {least} on, separated by commas.")
        found.append(value)
    return found
