"""``turnwise contamination``: which problems of one task are also in the test sets of others."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from tabulate import tabulate

from turnwise.benchmarks.benchmark import TWINS
from turnwise.benchmarks.catalog import ProblemSet, load_problems
from turnwise.benchmarks.own import find_benchmarks
from turnwise.commands.machine import check_output, open_machine, show_progress
from turnwise.commands.training_options import ContaminationOptions
from turnwise.errors import TurnwiseError
from turnwise.files import write_atomically
from turnwise.json_text import json_text
from turnwise.records.codec import to_json
from turnwise.records.contamination import Contamination, ContaminationSettings, Pair, Reason, write_contamination
from turnwise.runners.machines import check_data_dir
from turnwise.tasks.catalog import Task, find_tasks
from turnwise.training.contamination.page import page_of
from turnwise.training.contamination.search import PUBLISHED, check_settings, find_contamination

_FILE, _PAGE = "contamination.json", "contamination.html"
_MOST_SHOWN = 20  # pairs of a test set


@dataclass(frozen=True, slots=True)
class _Files:
    """Where the record and the page go."""

    record: Path
    page: Path


def contamination_command(options: ContaminationOptions, *, environ: dict[str, str]) -> Contamination:
    """Return which problems are also in the test sets that the options name, and write it where they say.

    Raises TurnwiseError for options that cannot be, before anything is read or run.
    """
    settings = ContaminationSettings(options.containment, options.embed, options.solutions)
    check_settings(settings)
    task, against = _tasks(options)
    check_data_dir(options.data_dir)
    files = _files(options.output_path)
    sets = {
        one: load_problems(
            one.benchmark,
            split=one.split,
            data_dir=options.data_dir,
            difficulties=(one.difficulty,) if one.difficulty else (),
            environ=environ,
        )
        for one in (task, *against)
    }
    with ExitStack() as stack:
        on_progress = stack.enter_context(show_progress())
        machine = None
        if settings.solutions:
            machine = stack.enter_context(
                open_machine(environ, on_progress, data_dir=options.data_dir, workers=options.workers)
            )
        tests = {_name(one): sets[one].problems for one in against}
        found = find_contamination(sets[task].problems, tests, settings, machine, on_progress=on_progress)
    digests = {_name(one): loaded.digest for one, loaded in sets.items()}
    found = replace(found, task=_name(task), data_sha256=digests)
    if files is not None:
        write_contamination(files.record, found)
        statements = {_name(one): _statements(loaded) for one, loaded in sets.items()}
        write_atomically(files.page, page_of(found, statements))
    return found


def contamination_document(found: Contamination) -> dict[str, object]:
    """Return the one document of ``--json``: the record, its counts by test set, and the published number."""
    return {**to_json(found), "counts": _counts(found), "published": PUBLISHED}


def render_contamination(found: Contamination) -> str:
    """Return the counts by test set, the pairs that are most alike, and the published number."""
    headers = ["test set", "problems", "contaminated", "by statement", "by solutions", "near pairs"]
    rows = [[name, found.against[name], *counts.values()] for name, counts in _counts(found).items()]
    settings = found.settings
    looked = "with solutions run across" if settings.solutions else "solutions not run"
    parts = [
        f"{found.task}: {len(found.problems)} of {found.compared} problems are also in a test set (containment of word "
        f"8-grams from {settings.containment:g}"
        + (f"; embeddings of {settings.embed}" if settings.embed else "")
        + f"; {looked}).",
        tabulate(rows, headers=headers),
    ]
    for name in found.against:
        pairs = [pair for pair in found.pairs if pair.task == name]
        if pairs:
            parts.append(_table(name, pairs, with_cosine=bool(settings.embed)))
    return "\n\n".join([*parts, PUBLISHED])


def _table(name: str, pairs: list[Pair], *, with_cosine: bool) -> str:
    headers = ["containment", *(["cosine"] if with_cosine else []), "problem", f"problem of {name}", "why"]
    shown = sorted(pairs, key=lambda pair: pair.reason is Reason.NEAR)[:_MOST_SHOWN]
    rows = [
        [
            f"{pair.containment:.2f}",
            *([f"{pair.cosine:.2f}" if pair.cosine is not None else ""] if with_cosine else []),
            pair.problem,
            pair.other,
            pair.reason.value + (f": {pair.note}" if pair.note else ""),
        ]
        for pair in shown
    ]
    table = tabulate(rows, headers=headers, disable_numparse=True)
    more = len(pairs) - len(shown)
    return table + (f"\n... and {more} more: -o writes all." if more else "")


def _counts(found: Contamination) -> dict[str, dict[str, int]]:
    """Return the numbers of problems of each test set, and of near pairs; by solutions are those not by statement."""
    counts = {}
    for name in found.against:
        by = {
            reason: {pair.problem for pair in found.pairs if pair.task == name and pair.reason is reason}
            for reason in (Reason.STATEMENT, Reason.SOLUTIONS)
        }
        by_solutions = by[Reason.SOLUTIONS] - by[Reason.STATEMENT]
        counts[name] = {
            "contaminated": len(by[Reason.STATEMENT]) + len(by_solutions),
            "by_statement": len(by[Reason.STATEMENT]),
            "by_solutions": len(by_solutions),
            "near_pairs": sum(pair.task == name and pair.reason is Reason.NEAR for pair in found.pairs),
        }
    return counts


def _tasks(options: ContaminationOptions) -> tuple[Task, list[Task]]:
    """Return the task asked about and those of the test sets, one for each set of problems."""
    if not options.against.strip(" ,"):
        raise TurnwiseError("--against names no task: name test sets, such as taco,humaneval_plus.")
    asked = find_sets(options.tasks, options.benchmark)
    if len(asked) > 1:
        names = ", ".join(map(_name, asked[:3]))
        raise TurnwiseError(
            f"--tasks {options.tasks!r} names {len(asked)} sets of problems ({names}, ...): give one of them."
        )
    task = asked[0]
    against = find_sets(options.against, options.benchmark)
    for other in against:
        if overlap(task, other):
            raise TurnwiseError(
                f"--against names {_name(other)}, whose problems are among those of {_name(task)} itself: name another "
                "test set."
            )
    return task, against


def find_sets(names: str, benchmark: str) -> list[Task]:
    """Return a task for each set of problems named: by a task, a glob, or what stands before _multiturn."""
    typed = [name.strip() for name in names.split(",") if name.strip()]
    twin = next(iter(TWINS))
    benchmarks = find_benchmarks(benchmark, tasks=",".join([*typed, *(f"{name}_{twin}" for name in typed)]))
    stems = {stem.name for one in benchmarks.values() for stem in one.asked}
    wanted = ",".join(f"{name}_{twin}" if name in stems else name for name in typed)
    return list({_name(task): task for task in find_tasks(wanted, benchmarks)}.values())


def _name(task: Task) -> str:
    """Return the name of a task's problems, however many turns it has."""
    return next((task.name.removesuffix(f"_{twin}") for twin in TWINS if task.name.endswith(f"_{twin}")), task.name)


def overlap(task: Task, other: Task) -> bool:
    """Return whether two tasks have problems in common."""
    levels = {task.difficulty, other.difficulty}
    is_same = (task.benchmark.name, task.split) == (other.benchmark.name, other.split)
    return is_same and (len(levels) == 1 or "" in levels)


def _files(output: Path | None) -> _Files | None:
    """Return where the two files go; raises TurnwiseError if they cannot be written."""
    if output is None:
        return None
    if output.suffix in (".json", ".html") and not output.is_dir():
        check_output(output.parent)
        files = _Files(output.with_suffix(".json"), output.with_suffix(".html"))
    else:
        check_output(output)
        files = _Files(output / _FILE, output / _PAGE)
    for path in (files.record, files.page):
        if path.is_dir():
            raise TurnwiseError(f"The output {str(path)!r} is a folder: give another --output_path.")
    return files


def _statements(loaded: ProblemSet) -> Mapping[str, str]:
    return {problem.id: problem.statement for problem in loaded.problems}


def contamination_text(found: Contamination, *, as_json: bool) -> str:
    """Return what the command prints."""
    return json_text(contamination_document(found), indent=1) if as_json else render_contamination(found)
