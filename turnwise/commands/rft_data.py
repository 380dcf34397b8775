"""``turnwise rft-data``: training data out of runs, without a model."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tabulate import tabulate

import turnwise
from turnwise.benchmarks.catalog import load_problems
from turnwise.benchmarks.own import find_benchmarks
from turnwise.commands.contamination import find_sets, overlap
from turnwise.commands.machine import check_output, open_machine, show_progress
from turnwise.commands.training_options import DataOptions
from turnwise.errors import TurnwiseError
from turnwise.exchange.runs import runs_at
from turnwise.leaderboard.page.site import asset
from turnwise.records.contamination import Contamination, ContaminationSettings
from turnwise.records.problem import Problem
from turnwise.records.run_folder import TaskRecord
from turnwise.records.training import DataReport, DataSettings
from turnwise.runners.judging_step import settings_of
from turnwise.runners.loading import Machine, load_recorded
from turnwise.runners.machines import check_data_dir
from turnwise.tasks.catalog import Task, tasks_of
from turnwise.tasks.prompts import PromptSet, is_bundled_set
from turnwise.texts import encodable, shown
from turnwise.training.contamination.search import find_contamination
from turnwise.training.data.blocks import DataJob
from turnwise.training.data.conversations import Replay
from turnwise.training.data.counting import KINDS
from turnwise.training.data.folder import find_finished, make_data
from turnwise.training.data.selection import TrainingRun, open_runs
from turnwise.training.data.token_rows import TokenRows
from turnwise.training.tokenizer import open_tokenizer, tokenizer_record

_NO_TASKS = "none"


def rft_data_command(
    paths: Sequence[Path], options: DataOptions, *, environ: dict[str, str], arguments: Sequence[str]
) -> str:
    """Make training data of the runs at ``paths`` as the options say; return what to print.

    Raises TurnwiseError for what cannot be, before anything is written.
    """
    output = options.output_path
    check_output(output)
    check_data_dir(options.data_dir)
    if options.max_length < 1:
        raise TurnwiseError(f"--max-length is {options.max_length}: give a number of tokens.")
    if options.embed and options.against == _NO_TASKS:
        raise TurnwiseError(
            "--embed compares statements with those of --against, which is none: leave one of them out."
        )
    benchmarks = find_benchmarks(options.benchmark)
    train_on_test = _names(",".join(options.train_on_test))
    tasks = tasks_of(benchmarks)
    with show_progress() as on_progress:
        runs = open_runs(runs_at(paths).runs, tasks, train_on_test=train_on_test, on_progress=on_progress)
    prompts = _prompts(runs, options.prompts)
    tokenizer = open_tokenizer(options.tokenizer) if options.tokenizer else None
    records = {task.task: task for run in runs for task in run.tasks}
    against = _against(options.against, options.benchmark, [tasks[name] for name in records])
    begun = DataReport(
        turnwise=turnwise.__version__,
        command=encodable(shlex.join(["turnwise", *arguments])),
        settings=DataSettings(
            turns=options.turns.value,
            learn=options.learn.value,
            max_length=options.max_length,
            against=tuple(task.name for task in against),
            embed=options.embed,
            train_on_test=train_on_test,
        ),
        runs=tuple(run.source for run in runs),
        tasks={name: record.data_sha256 for name, record in records.items()},
        loaded={name: record.loaded for name, record in records.items()},
        asked=len({problem.id for run in runs for task in run.tasks for problem in task.asked}),
        judge=runs[0].folder.record.judge,
        prompts=runs[0].folder.record.prompts,
        tokenizer=None if tokenizer is None else tokenizer_record(tokenizer, options.tokenizer),
        steps=(),
        contamination=None,
        files={},
    )
    finished = find_finished(begun, output)
    if finished is not None:
        return "\n".join([*_describe(finished, runs), f"The data are done already: {output}; nothing was changed."])
    with (
        show_progress() as on_progress,
        open_machine(environ, on_progress, data_dir=options.data_dir, workers=options.workers) as machine,
    ):
        problems = _load(runs, tasks, machine, options.answers)
        if against:
            begun = replace(begun, contamination=_contamination(problems, against, begun.settings, machine))
        problems = _told(problems)
    replays = {
        (number, task.task): Replay(run.folder.record.settings, tasks[task.task], task, prompts)
        for number, run in enumerate(runs)
        for task in run.tasks
    }
    rows = None
    if tokenizer is not None:  # a system message is part of the first question where that is how it was asked
        system_role = all(run.source.model.get("system_role") != "user" for run in runs)
        rows = TokenRows(tokenizer, learn=options.learn.value, system_role=system_role)
    with show_progress() as on_progress:
        job = DataJob(runs, problems, replays, begun, rows)
        report = make_data(job, output, style=asset("page.css"), on_progress=on_progress)
    return "\n".join([*_describe(report, runs), *_next(report, output)])


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _prompts(runs: Sequence[TrainingRun], given: Path | None) -> PromptSet:
    """Return the prompts of the runs; raises TurnwiseError if those at hand are others."""
    record = runs[0].folder.record.prompts
    if given is None and not is_bundled_set(Path(record.set)):
        raise TurnwiseError(f"The runs have prompts of their own, {shown(record.set)}: give --prompts their folder.")
    prompts = PromptSet.load(given or Path(record.set))
    if dict(prompts.hashes) != dict(record.hashes):
        changed = [
            key for key in {**prompts.hashes, **record.hashes} if prompts.hashes.get(key) != record.hashes.get(key)
        ]
        raise TurnwiseError(
            f"The prompts {shown(prompts.name)} are not those of the runs ({sorted(changed)[0]} is another): give "
            "--prompts the folder that the runs had."
        )
    return prompts


def _against(names: str, benchmark: str, trained: Sequence[Task]) -> tuple[Task, ...]:
    """Return the test tasks to compare with; one whose problems are trained on by the user's wish is left out.

    Raises TurnwiseError for one whose problems are trained on as those of a training task.
    """
    if names == _NO_TASKS:
        return ()
    found = find_sets(names, benchmark)
    for task in found:
        if task.is_training and any(overlap(task, other) for other in trained):
            raise TurnwiseError(
                f"--against names {task.name}, whose problems are those that are trained on: name test sets, or none."
            )
    return tuple(task for task in found if not any(overlap(task, other) for other in trained))


def _load(runs: Sequence[TrainingRun], tasks: Mapping[str, Task], machine: Machine, answers: str) -> dict[str, Problem]:
    """Return the problems of all runs as their judge has them."""
    judge = settings_of(runs[0].folder.record.judge, answers=answers)
    records: dict[str, TaskRecord] = {}
    for run in runs:
        for task in run.tasks:
            before = records.get(task.task)
            asked = dict.fromkeys((*(before.asked if before else ()), *task.asked))
            records[task.task] = replace(task, asked=tuple(asked))
    problems: dict[str, Problem] = {}
    for name, record in records.items():
        loaded = load_recorded(tasks[name], record, machine, judge)
        problems |= {problem.id: problem for problem in (*loaded.asked, *loaded.untestable)}
    return problems


def _contamination(
    problems: Mapping[str, Problem], against: Sequence[Task], settings: DataSettings, machine: Machine
) -> Contamination:
    """Return which problems stand in the test sets ``against``, all of whose problems count, scorable or not."""
    sets = {
        task.name: load_problems(
            task.benchmark,
            split=task.split,
            data_dir=machine.data_dir,
            difficulties=(task.difficulty,) if task.difficulty else (),
            environ=machine.environ,
        )
        for task in against
    }
    found = find_contamination(
        list(problems.values()),
        {name: source.problems for name, source in sets.items()},
        ContaminationSettings(settings.containment, settings.embed),
        machine,
        on_progress=machine.report,
    )
    return replace(found, data_sha256={name: source.digest for name, source in sets.items()})


def _told(problems: Mapping[str, Problem]) -> dict[str, Problem]:
    """Return the problems without what no dialogue tells: hidden tests and solutions."""
    bare: dict[str, Any] = {"hidden_tests": (), "solutions": (), "incorrect_solutions": (), "generated_tests": 0}
    return {name: replace(problem, **bare) for name, problem in problems.items()}


def _describe(report: DataReport, runs: Sequence[TrainingRun]) -> list[str]:
    """Return the table of the steps, and what a reader must know of the data."""
    rows = []
    for step in report.steps:
        row: list[object] = [step.name]
        for kind in KINDS:
            count = getattr(step, kind)
            numbers = (count.problems, count.dialogues, count.tokens)
            row += ["-" if number is None else f"{number:,}" for number in numbers]
        rows.append(row)
    headers = ["step"] + [what for kind in KINDS for what in (f"{kind}-turn: problems", "dialogues", "tokens")]
    aligned = ("left", *("right",) * (len(headers) - 1))
    lines = tabulate(rows, headers, colalign=aligned, disable_numparse=True).splitlines()
    for step in report.steps:
        for kind in KINDS:
            dropped = getattr(step, kind).dropped
            if dropped:
                reasons = ", ".join(f"{reason} {number:,}" for reason, number in dropped.items())
                lines.append(f"Dropped at {step.name}, {kind}-turn: {reasons}.")
    left_out = dict.fromkeys(name for run in runs for name in run.left_out)
    if left_out:
        lines.append(f"Left out, since they are tests: {', '.join(left_out)}.")
    lines += [f"Trained on the test task {task}." for task in report.settings.train_on_test]
    return lines


def _next(report: DataReport, output: Path) -> list[str]:
    said = [f"Written: {', '.join(str(output / name) for name in (*report.files, 'report.json', 'report.html'))}"]
    if report.tokenizer is None:
        return [*said, "There are no tokens yet: turnwise rft needs them, so make the data with --tokenizer MODEL."]
    line = shlex.join(["turnwise", "rft", str(output), "-M", "hf", "-a", f"model={report.tokenizer.name}", "-o", "OUT"])
    return [*said, f"Next: {line}"]
