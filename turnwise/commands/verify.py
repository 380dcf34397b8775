"""``turnwise verify``: which problems of a training task are kept, by what the judge says of their own solutions."""

from dataclasses import replace
from pathlib import Path

from tabulate import tabulate

from turnwise.benchmarks.own import find_benchmarks
from turnwise.commands.machine import open_machine, show_progress
from turnwise.commands.options import DialogueOptions
from turnwise.commands.settings import judge_of_options
from turnwise.commands.training_options import VerifyOptions
from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.records.own_solutions import Verification
from turnwise.records.settings import RunConfig
from turnwise.runners.loading import Machine
from turnwise.runners.settings import check_limit
from turnwise.runners.verification import verify_task
from turnwise.runners.verified import VerifiedProblems
from turnwise.tasks.catalog import Task, find_tasks

_NAMED = 5  # problems, in the sentence on those that are not decided


def verify_command(options: VerifyOptions, *, environ: dict[str, str]) -> Verification:
    """Return what the own solutions of the task's problems show; raises TurnwiseError for options that cannot be."""
    task = _task(options)
    check_limit(options.limit)
    judge = judge_of_options(options)
    if options.solutions < 1:
        raise TurnwiseError(f"--solutions is {options.solutions}: give a number of solutions for each problem.")
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
        return verify_task(
            task,
            machine,
            judge,
            solutions=options.solutions,
            limit=options.limit,
            on_error="skip" if options.skip_broken_rows else "raise",
        )


def render_verification(found: Verification) -> str:
    """Return how many problems are kept, and the others by name with the reason."""
    lines = [
        f"{found.task}: {found.kept} of {found.judged} problems are kept ({found.loaded} loaded; at most "
        f"{found.solutions} of a problem's own solutions judged)."
    ]
    if found.left_out:
        rows = [[one.problem, one.finding.value, ", ".join(one.verdicts)] for one in found.left_out]
        lines += ["", tabulate(rows, headers=["left out", "reason", "verdicts"], disable_numparse=True)]
    return "\n".join(lines)


def refuse_undecided(found: Verification) -> None:
    """Raise InfrastructureError if the machine failed on a problem, so that it is not decided."""
    if names := found.undecided:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        raise InfrastructureError(
            f"The machine failed on the solutions of {', '.join(names[:_NAMED])}{more}, which are not decided: run the "
            "same line again to judge them."
        )


def verified_problems(
    options: DialogueOptions, config: RunConfig, machine: Machine, *, run: Path | None
) -> VerifiedProblems:
    """Return what is known of the problems that a run asks, at ``run`` if it has begun."""
    judge = replace(config.judge, interpreter=options.interpreter or config.judge.interpreter)
    return VerifiedProblems(
        machine.executor,
        machine.cache_dir,
        judge,
        solutions=config.settings.own_solutions,
        data_dir=machine.data_dir,
        run=run,
    )


def _task(options: VerifyOptions) -> Task:
    """Return the one training task that the options name."""
    tasks = find_tasks(options.tasks, find_benchmarks(options.benchmark, tasks=options.tasks))
    if len(tasks) > 1:
        names = ", ".join(task.name for task in tasks[:3])
        raise TurnwiseError(f"--tasks {options.tasks!r} names {len(tasks)} tasks ({names}, ...): give one of them.")
    if not tasks[0].is_training:
        raise TurnwiseError(
            f"{tasks[0].name} is no training task, and asks all its problems: give one over a train split, or see "
            "turnwise audit."
        )
    return tasks[0]
