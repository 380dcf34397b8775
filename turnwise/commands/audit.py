"""``turnwise audit``: how far the verdicts of a judge setting can be trusted."""

from dataclasses import replace
from pathlib import Path

from turnwise.benchmarks.own import find_benchmarks
from turnwise.commands.machine import check_output, open_machine, show_progress
from turnwise.commands.options import AuditOptions
from turnwise.commands.settings import judge_of_options
from turnwise.errors import TurnwiseError
from turnwise.records.audit import Audit, write_audit
from turnwise.runners.audit import AuditPlan, audit_task
from turnwise.runners.settings import check_limit
from turnwise.tasks.catalog import Task, find_tasks


def audit_command(options: AuditOptions, *, environ: dict[str, str]) -> Audit:
    """Return the audit that the options ask for, and write it where they say.

    Raises TurnwiseError for options that cannot be, before any program runs.
    """
    task = _task(options)
    check_limit(options.limit)
    settings = judge_of_options(options)
    if options.mutants < 0:
        raise TurnwiseError(
            f"--mutants is {options.mutants}: give a number of mutants for each problem, or 0 for none."
        )
    if options.output_path is not None:
        _check_file(options.output_path)
    plan = AuditPlan(options.limit, options.labels, options.mutants, options.disagreements)
    with (
        show_progress() as on_progress,
        open_machine(
            environ,
            on_progress,
            data_dir=options.data_dir,
            interpreter=options.interpreter,
            workers=options.workers,
        ) as machine,
    ):
        audit = audit_task(task, machine, settings, plan)
    if options.output_path is not None:
        write_audit(options.output_path, audit)
    return audit


def _task(options: AuditOptions) -> Task:
    """Return the one task to audit, of the split that is asked for."""
    tasks = find_tasks(options.tasks, find_benchmarks(options.benchmark, tasks=options.tasks))
    if len(tasks) > 1:
        names = ", ".join(task.name for task in tasks[:3])
        raise TurnwiseError(f"--tasks {options.tasks!r} names {len(tasks)} tasks ({names}, ...): give one of them.")
    return replace(tasks[0], split=options.split or tasks[0].split)


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise TurnwiseError(f"The output {str(path)!r} is a folder: give --output_path a file, such as audit.json.")
    check_output(path.parent)
