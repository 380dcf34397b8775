"""``turnwise export`` and ``import``: runs as files of other tools, and such files as runs.

Importing runs no program and asks no model. It compares the files with the problems of the task, so the data
have to be at hand (exchange/imported.py).
"""

import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from turnwise.commands.machine import check_output
from turnwise.errors import TurnwiseError
from turnwise.exchange.contents import check_files
from turnwise.exchange.formats import find_format
from turnwise.exchange.imported import Fitted, Options, write_imported
from turnwise.exchange.runs import runs_at
from turnwise.leaderboard.outcomes import Gap, read_outcomes
from turnwise.records.run_folder import RunFolder, RunRecord, TaskRecord
from turnwise.runners.machines import check_data_dir

# Of the files that several runs become; lm-eval has a folder for each.
_ENDINGS = {"evalplus": ".jsonl", "livecodebench": ".json", "csv": ".csv", "parquet": ".parquet"}
_NOT_FINISHED = (Gap.NOT_SAMPLED, Gap.REQUEST_FAILED, Gap.INFRASTRUCTURE_FAILURE)


def export_command(
    paths: Sequence[Path], name: str, output: Path, *, tasks: str = "", allow_missing: bool = False
) -> str:
    """Write the runs at ``paths`` in the format ``name``; return what to print.

    One run becomes ``output``, several a file (of lm-eval a folder) each in the folder ``output``. Raises TurnwiseError
    for what the format cannot hold, a file that is there already, or missing dialogues.
    """
    find_format(name)
    runs = list(dict.fromkeys(runs_at(paths).runs))
    if results := next((run for run in runs if not run.is_dir()), None):
        raise TurnwiseError(f"{str(results)!r} is a file of lm-eval: make a run of it with turnwise import first.")
    if len(runs) == 1:
        return _export(runs[0], name, output, tasks=tasks, allow_missing=allow_missing)
    if output.is_file():
        raise TurnwiseError(
            f"There are {len(runs)} runs, and --output_path {str(output)!r} is a file: give a folder, or one run."
        )
    names = _names(runs)
    return "\n".join(
        _export(run, name, output / f"{names[run]}{_ENDINGS.get(name, '')}", tasks=tasks, allow_missing=allow_missing)
        for run in runs
    )


def _names(runs: Sequence[Path]) -> dict[Path, str]:
    """Return a name for each run: that of its folder, with those above it where it takes them to tell runs apart."""
    parts = {run: [one for one in run.absolute().parts if one != run.anchor] for run in runs}
    for depth in range(1, max(map(len, parts.values())) + 1):
        names = {run: "-".join(of_run[-depth:]) for run, of_run in parts.items()}
        if len(set(names.values())) == len(runs):
            return names
    return {run: f"{run.name}-{number}" for number, run in enumerate(runs, 1)}


def _export(path: Path, name: str, output: Path, *, tasks: str, allow_missing: bool) -> str:
    form = find_format(name)
    folder = RunFolder(path)
    chosen = _recorded_tasks(folder.record, tasks)
    if form.holds_one_task and len(chosen) > 1:
        raise TurnwiseError(
            f"The run holds {len(chosen)} tasks, and a file of {name} holds one: choose with --tasks one of "
            f"{', '.join(task.task for task in chosen)}."
        )
    check_output(output.parent)
    if output.is_file() or (output.is_dir() and name != "lm-eval"):
        raise TurnwiseError(f"The output {str(output)!r} exists already: remove it, or give another --output_path.")
    gaps = _missing(path, {task.task for task in chosen})
    if gaps and not allow_missing:
        raise TurnwiseError(
            f"{gaps.total()} dialogues of {str(path)!r} are missing ({_counted(gaps)}): finish the run, or allow "
            "for them with --allow-missing."
        )
    written = form.write(folder, chosen, output)
    said = f"Exported: {written[0]}" if len(written) == 1 else f"Exported: {len(written)} files in {written[0].parent}"
    return said + (f"; {gaps.total()} dialogues are missing ({_counted(gaps)})" if gaps else "")


def import_command(
    paths: Sequence[Path], options: Options, output: Path, *, environ: dict[str, str], arguments: Sequence[str]
) -> str:
    """Write what files of another tool hold as the run folder ``output``; return what to print.

    Raises TurnwiseError for files that are damaged, of another version, or do not fit the data; writes nothing then.
    """
    form = find_format(options.format)
    check_output(output)
    check_data_dir(options.data_dir)
    if output.is_dir() and any(output.iterdir()):
        raise TurnwiseError(f"The folder {str(output)!r} is not empty: give another --output_path.")
    files = _expanded(paths)
    check_files(files)
    contents = form.read(files)
    fitted = Fitted(contents, options, environ)
    record = fitted.record(files, shlex.join(["turnwise", *arguments]))
    write_imported(output, record, fitted.trajectories, fitted.judgements)
    asked = sum(len(task.asked) for task in record.tasks) * record.samples_per_problem
    names = ", ".join(task.task for task in record.tasks)
    said = [f"Imported: {len(fitted.trajectories)} of {asked} dialogues of {names} into {output}"]
    said += contents.notes
    if fitted.left_out:
        said.append(f"{fitted.left_out} answers to problems that cannot be scored were left out (turnwise tasks).")
    judge = f"judge {output}" if record.judge.matcher else f"judge {output} -o NEW"
    said.append(f"Next: turnwise score {output}" if fitted.judgements else f"Next: turnwise {judge}")
    return "\n".join(said)


def _expanded(paths: Iterable[Path]) -> list[Path]:
    """Return the files, with those of lm-eval's folders in place of the folder."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted([*path.rglob("results_*.json"), *path.rglob("samples_*.jsonl")])
            if not inside:
                raise TurnwiseError(f"The folder {str(path)!r} holds no file of lm-eval: name the files to import.")
            if link := next((one for one in inside if one.is_symlink()), None):
                raise TurnwiseError(f"{str(link)!r} is a link, and links in folders are not followed: name the file.")
            found += inside
        else:
            found.append(path)
    return found


def _recorded_tasks(record: RunRecord, names: str) -> list[TaskRecord]:
    wanted = [name.strip() for name in names.split(",") if name.strip()] or ["*"]
    chosen = [task for task in record.tasks if any(fnmatchcase(task.task, one) for one in wanted)]
    if not chosen:
        raise TurnwiseError(
            f"--tasks {names} names no task of the run: choose from {', '.join(task.task for task in record.tasks)}."
        )
    return chosen


def _missing(path: Path, tasks: set[str]) -> Counter[Gap]:
    gaps: Counter[Gap] = Counter()
    for task in read_outcomes(path).tasks:
        if task.record.task in tasks:
            gaps.update({gap: count for gap, count in task.gaps.items() if gap in _NOT_FINISHED and count})
    return gaps


def _counted(gaps: Counter[Gap]) -> str:
    return ", ".join(f"{count} {gap.replace('_', ' ')}" for gap, count in sorted(gaps.items()))
