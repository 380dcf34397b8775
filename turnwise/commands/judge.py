"""``turnwise judge``: the verdicts on what a model wrote."""

from pathlib import Path

from turnwise.benchmarks.own import find_benchmarks
from turnwise.commands.machine import check_output, check_time_factor, open_machine, show_progress
from turnwise.commands.options import JudgeOptions
from turnwise.errors import TurnwiseError
from turnwise.records.report import Verdict
from turnwise.records.run_folder import RunFolder
from turnwise.records.settings import DEFAULT_MATCHER
from turnwise.runners.judging_step import Judged, copy_for_judge, judge, load_run
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
    if output is None and (options.matcher or time_factor is not None or options.stub_imports):
        raise TurnwiseError(
            "A run has one judge: give -o NEW_FOLDER to judge it with another --matcher or --time_factor, or with "
            "--stub-imports."
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
        if output is not None:
            check_output(output)
            matcher = options.matcher.value if options.matcher else ""
            folder = copy_for_judge(
                folder,
                output,
                machine,
                matcher=matcher or frozen.matcher or DEFAULT_MATCHER,  # an imported run may not know its own
                time_factor=frozen.time_factor if time_factor is None else time_factor,
                stub_imports=options.stub_imports or folder.record.judge.stub_imports,
            )
        judged = judge(folder, load_run(folder, machine, benchmarks), machine)
    said = [*_describe_judged(judged), *describe_near_limits(folder)]
    return "\n".join([*said, f"Judged: {folder.path}; next: turnwise score {folder.path}"])


def _describe_judged(judged: Judged) -> list[str]:
    said = []
    if judged.not_sampled:
        said.append(f"{judged.not_sampled} of {judged.sampled + judged.not_sampled} dialogues are not sampled yet.")
    if judged.unjudged:
        said.append(f"The machine failed on {judged.unjudged} programs: run the same line again to judge them.")
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
