"""``turnwise judge``: the verdicts on what a model wrote."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from turnwise.benchmarks.checkers.checker_sets import is_own_set
from turnwise.benchmarks.own import find_benchmarks
from turnwise.commands.machine import check_output, open_machine, show_progress
from turnwise.commands.options import JudgeOptions
from turnwise.errors import TurnwiseError
from turnwise.records.report import Verdict
from turnwise.records.run_folder import RunFolder
from turnwise.records.settings import EQUALITY, JudgeRecord, JudgeSettings
from turnwise.runners.judging_step import (
    Changes,
    Judged,
    compare_judges,
    copy_for_judge,
    judge,
    load_run,
    settings_of,
)
from turnwise.runners.settings import check_time_factor
from turnwise.texts import printable


def judge_command(path: Path, options: JudgeOptions, *, environ: dict[str, str]) -> str:
    """Judge what has not been judged in a run folder, or all of it anew in a copy; return what to print.

    Raises TurnwiseError for another judge than the run's without a folder for the copy.
    """
    output, time_factor = options.output_path, options.time_factor
    if time_factor is not None:
        check_time_factor(time_factor)
    folder = RunFolder(path)
    frozen = folder.record.judge
    is_own = is_own_set(frozen.answers) and not (options.matcher or options.stub_imports or options.tests)
    if output is None and options.judges_anew and not (is_own and time_factor is None):
        raise TurnwiseError(
            "A run has one judge: give -o NEW_FOLDER to judge it with another --matcher, --time_factor, --answers or "
            "--tests, or with --stub-imports."
        )
    if output is None and not frozen.matcher:
        raise TurnwiseError(
            f"The run {str(path)!r} was imported, and its verdicts are not ours: give -o NEW_FOLDER to judge it there."
        )
    benchmarks = find_benchmarks(options.benchmark)
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
        settings = _settings(frozen, options, is_new=output is not None)
        before = folder
        loaded = load_run(folder, machine, benchmarks, settings)
        if output is not None:
            check_output(output)
            folder = copy_for_judge(folder, output, machine, settings, loaded)
        judged = judge(folder, loaded, machine, settings)
    untestable = [problem.id for one in loaded for problem in one.untestable]
    said = [*_describe_judged(judged), *_describe_untestable(untestable), *describe_near_limits(folder)]
    if output is not None:
        said += describe_changes(compare_judges(before, folder))
    return "\n".join([*said, f"Judged: {folder.path}; next: turnwise score {folder.path}"])


def _settings(frozen: JudgeRecord, options: JudgeOptions, *, is_new: bool) -> JudgeSettings:
    """Return how to judge: as the run says, or with what the options say in place of that."""
    if not is_new:
        return settings_of(frozen, answers=options.answers)
    ours = JudgeSettings()
    if frozen.matcher:  # else it was imported, and does not know its own
        ours = settings_of(replace(frozen, answers=EQUALITY) if options.answers else frozen)
    return replace(
        ours,
        matcher=options.matcher.value if options.matcher else ours.matcher,
        time_factor=frozen.time_factor if options.time_factor is None else options.time_factor,
        stub_imports=options.stub_imports or frozen.stub_imports,
        answers=options.answers or ours.answers,
        tests=options.tests.value if options.tests else ours.tests,
    )


def _describe_judged(judged: Judged) -> list[str]:
    said = []
    if judged.not_sampled:
        said.append(f"{judged.not_sampled} of {judged.sampled + judged.not_sampled} dialogues are not sampled yet.")
    if judged.unjudged:
        said.append(f"The machine failed on {judged.unjudged} programs: run the same line again to judge them.")
    return said


def _describe_untestable(problems: Sequence[str]) -> list[str]:
    if not problems:
        return []
    return [
        f"Programs of {', '.join(problems)} are missing, since no hidden test of theirs keeps to its statement: "
        "--tests all judges them by those that do not."
    ]


def describe_changes(changes: Changes) -> list[str]:
    """Return what the new judge changed, one sentence a finding; nothing where the other's verdicts are not known."""
    if not changes.programs:
        return []
    pairs = sorted(changes.verdicts.items(), key=lambda item: (-item[1], item[0]))
    total = sum(changes.verdicts.values())
    listed = "; ".join(f"{before} to {after}: {count}" for (before, after), count in pairs)
    said = [f"{total} of {changes.programs} verdicts changed" + (f" ({listed})." if listed else ".")]
    if changes.told_wrong:
        said.append(
            f"{changes.told_wrong} of {changes.dialogues} dialogues had been told that a program fails which this "
            "judge passes: what they did after it, no judging repairs."
        )
    if changes.told_right:
        said.append(
            f"{changes.told_right} of {changes.dialogues} dialogues had been told that a program passes the public "
            "tests which fails them here."
        )
    return said


def describe_near_limits(folder: RunFolder) -> list[str]:
    """Return the sentence on programs within a factor of two of their time limit, or none if there is none."""
    judgements = list(folder.judgements().values())
    near = [one for one in judgements if one.is_near_limit]
    if not near:
        return []
    over = sum(one.verdict is Verdict.TIME_LIMIT for one in near)
    models = ", ".join(sorted({printable(one.cpu, limit=80) for one in near}))
    return [
        f"{len(near)} of {len(judgements)} judged programs took half their time limit or more ({over} ran out of "
        f"it) on {models}: a CPU of another speed could judge them otherwise; they stand in verdicts/."
    ]
