"""``turnwise checkers validate``: whether the checkers of a set do what they are for, and the set.json that says so."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tabulate import tabulate

from turnwise.benchmarks.benchmark import Benchmark
from turnwise.benchmarks.catalog import load_problems
from turnwise.benchmarks.checkers.checker_sets import (
    BUNDLED,
    RESULTS,
    Validation,
    Validations,
    checker_files,
    digest_of,
    folder_of,
    read_results,
    reading_text,
    write_results,
)
from turnwise.benchmarks.own import find_benchmarks
from turnwise.commands.machine import open_machine, show_progress
from turnwise.commands.options import ValidateOptions
from turnwise.errors import TurnwiseError
from turnwise.json_text import json_text
from turnwise.records.problem import Problem
from turnwise.records.settings import EQUALITY
from turnwise.runners.judging.expected import resolve_expected
from turnwise.runners.judging.labels import Label, read_labels
from turnwise.runners.judging.validating import CheckerReport, Survivor, validate_set
from turnwise.runners.loading import Machine
from turnwise.tasks.catalog import find_tasks
from turnwise.texts import printable, shown

_HEADERS = ("problem", "tests", "valid", "labels", "mutations", "survivors", "brute force", "hostile")
_SHOWN_CHARACTERS = 300
_COUNTS = ("tests", "valid", "labels", "mutations", "survivors", "brute_force", "hostile")


@dataclass(frozen=True, slots=True)
class Validated:
    """What the command says, and whether every checker validates."""

    text: str
    is_valid: bool


def validate_command(
    answers: str, options: ValidateOptions, *, environ: dict[str, str], as_json: bool = False
) -> Validated:
    """Validate the set that ``answers`` names, and write its set.json if that was asked for.

    Raises TurnwiseError for an unknown set, a folder without checkers, and labels or data that cannot be used.
    """
    folder = _folder_of(answers)
    if options.table:
        return Validated(render_table(read_results(folder).checkers, "github"), is_valid=True)
    files = list(checker_files(folder))
    if not files:
        raise TurnwiseError(
            f"The folder {str(folder)!r} holds no checker: write <benchmark>/p<name>.py (docs/checkers.md)."
        )
    earlier, mistake = _earlier_results(folder, answers)
    if options.write and not os.access(folder, os.W_OK):
        raise TurnwiseError(f"The folder {str(folder)!r} cannot be written: leave out --write, or give another.")
    names = list(dict.fromkeys(benchmark for benchmark, _ in files))
    with (
        show_progress() as on_progress,
        open_machine(environ, on_progress, data_dir=options.data_dir, workers=options.workers) as machine,
    ):
        problems = _load(names, folder, options, machine)
        labels = read_labels(options.labels, problems) if options.labels else {}
        reports = validate_set(
            folder,
            problems,
            machine.checkers,
            labels=labels,
            earlier={one.file: one for one in earlier.checkers},
            workers=machine.workers,
            on_progress=lambda done, total: machine.report("checkers", done, total),
        )
    results = Validations(
        earlier.name,
        digest_of(reading_text()),
        tuple(one.validation for one in reports),
        earlier.origin,
        earlier.licence,
    )
    if options.write:
        write_results(folder, results)
    notes = [mistake] if mistake else []
    notes += _notes(answers, folder, earlier, reports, labels, is_written=options.write)
    is_valid = all(one.is_valid for one in reports)
    if as_json:
        return Validated(json_text(_document(results, reports, notes), indent=1), is_valid)
    return Validated("\n".join(_render(reports, notes, with_survivors=options.survivors)), is_valid)


def _folder_of(answers: str) -> Path:
    if answers == EQUALITY:
        raise TurnwiseError(f"{EQUALITY} has no checkers: give {', '.join(BUNDLED)}, or a folder of checkers.")
    return folder_of(answers)


def _earlier_results(folder: Path, answers: str) -> tuple[Validations, str]:
    """Return what the set's file says, and why it cannot be read, if there is one and it cannot."""
    mistake = ""
    try:
        results = read_results(folder)
    except TurnwiseError as error:
        results = Validations(answers if answers in BUNDLED else folder.resolve().name, "", ())
        mistake = str(error) if os.path.lexists(folder / RESULTS) else ""
    if answers not in BUNDLED and results.name in (EQUALITY, *BUNDLED):
        raise TurnwiseError(
            f"The set in {str(folder)!r} is called {results.name!r}, which is the package's own: give another name in "
            f"its {RESULTS}, or rename the folder."
        )
    return results, mistake


def _load(names: Sequence[str], folder: Path, options: ValidateOptions, machine: Machine) -> tuple[Problem, ...]:
    """Return the problems of the set's benchmarks, or of the tasks chosen, each once, expected outputs computed."""
    benchmarks = find_benchmarks(options.benchmark, tasks=options.tasks)
    sources: dict[tuple[str, str], tuple[Benchmark, set[str]]] = {}
    if options.tasks:
        for task in find_tasks(options.tasks, benchmarks):
            if task.benchmark.name in names:
                place = (task.benchmark.name, task.split)
                sources.setdefault(place, (task.benchmark, set()))[1].add(task.difficulty)
        if not sources:
            raise TurnwiseError(
                f"No task of {shown(options.tasks)} is of a benchmark that {str(folder)!r} has checkers for: there are "
                f"{', '.join(names)}."
            )
    else:
        for name in names:
            if name not in benchmarks:
                raise TurnwiseError(
                    f"The folder {name!r} of {str(folder)!r} is named like no benchmark: name it like one of "
                    f"{', '.join(benchmarks)}, or give --benchmark."
                )
            sources[name, ""] = (benchmarks[name], {""})
    problems: dict[str, Problem] = {}
    for (_, split), (benchmark, levels) in sources.items():
        loaded = load_problems(
            benchmark,
            split=split,
            data_dir=machine.data_dir,
            difficulties=() if "" in levels else sorted(levels),
            environ=machine.environ,
        )
        problems |= {one.id: one for one in loaded.problems}
    return resolve_expected(
        tuple(problems.values()), machine.executor, cache_dir=machine.cache_dir, workers=machine.workers
    )


def _notes(
    answers: str,
    folder: Path,
    earlier: Validations,
    reports: Sequence[CheckerReport],
    labels: Mapping[str, Sequence[Label]],
    *,
    is_written: bool,
) -> Iterator[str]:
    """Yield what a reader has to know besides the counts."""
    without_data = [_shown(one.validation.file) for one in reports if not one.has_data]
    if without_data:
        yield f"Not validated, since the data at hand do not have their problems: {', '.join(without_data)}."
    for report in reports:
        if report.labels_left_out:
            yield (
                f"{_shown(report.validation.problem)}: {report.labels_left_out} right outputs are of tests that the "
                "validator calls invalid, and were not tried."
            )
    checked = {one.validation.problem for one in reports if one.validation.hostile}
    if without_check := sum(len(found) for problem, found in labels.items() if problem not in checked):
        yield f"{without_check} right outputs are of problems without a checker to try them on."
    if answers in BUNDLED and (changed := _changed(earlier, reports)):
        yield (
            f"{', '.join(map(_shown, changed))}: changed, gone or no longer valid since {answers} was validated; once "
            f"it is released, its version has to rise ({_next_name(answers)})."
        )
    path = folder / RESULTS
    yield f"Written: {path}." if is_written else f"{path} was not written: --write does it."


def _changed(earlier: Validations, reports: Sequence[CheckerReport]) -> list[str]:
    """Return the checkers of an earlier file that are other ones now."""
    now = {one.validation.file: one for one in reports}
    return [
        one.file
        for one in earlier.checkers
        if one.file not in now
        or now[one.file].validation.sha256 != one.sha256
        or (not one.failures and now[one.file].validation.failures)
    ]


def _next_name(name: str) -> str:
    stem, _, number = name.rpartition("-")
    return f"{stem}-{int(number) + 1}"


def render_table(validations: Sequence[Validation], style: str = "simple") -> str:
    """Return the table of counts, a row for each checker; "-" where something does not apply."""
    rows = [[_shown(one.problem), *_cells(one)] for one in sorted(validations, key=lambda one: one.problem)]
    align = ("left", *["right"] * len(_COUNTS))
    return tabulate(rows, headers=_HEADERS, tablefmt=style, disable_numparse=True, colalign=align if rows else None)


def _cells(validation: Validation) -> list[str]:
    is_tried = bool(validation.hostile or validation.mutations)
    counts = [getattr(validation, name) for name in _COUNTS]
    return [
        str(count) if count or name in ("tests", "valid") or (name == "survivors" and is_tried) else "-"
        for name, count in zip(_COUNTS, counts, strict=True)
    ]


def _render(reports: Sequence[CheckerReport], notes: Iterable[str], *, with_survivors: bool) -> Iterator[str]:
    yield render_table([one.validation for one in reports])
    left_out = [
        f"  {_shown(one.validation.problem)}: {count} x {constraint}"
        for one in reports
        for constraint, count in one.constraints.items()
    ]
    if left_out:
        yield from ("", "Tests left out, by the constraint that their input breaks:", *left_out)
    kinds = Counter(survivor.kind for one in reports for survivor in one.survivors)
    if kinds:
        counted = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
        shown_by = "" if with_survivors else "; --survivors shows them"
        yield from ("", f"Mutants accepted, to be read: {counted}{shown_by}.")
    if with_survivors:
        for one in reports:
            for survivor in one.survivors:
                yield from ("", f"{_shown(one.validation.problem)}, {survivor.test}, {survivor.kind}:")
                yield from (f"  {name:9}{_cut(text)!r}" for name, text in _texts(survivor).items())
    failures = [f"  {_shown(one.validation.file)}: {why}" for one in reports for why in one.validation.failures]
    if failures:
        yield from ("", "Not valid, and not used:", *failures)
    yield from ("", *notes, _totals(reports))


def _totals(reports: Sequence[CheckerReport]) -> str:
    """Return the last line: all counts."""
    total = _sums(reports)
    return (
        f"{total['valid_checkers']} of {len(reports)} checkers validate: {total['valid']} of {total['tests']} tests "
        f"valid, {total['labels']} right outputs accepted, {total['mutations']} mutations refused and "
        f"{total['survivors']} accepted, {total['brute_force']} outputs as brute force has it, {total['hostile']} "
        "hostile outputs refused."
    )


def _sums(reports: Sequence[CheckerReport]) -> dict[str, int]:
    counts = {name: sum(getattr(one.validation, name) for one in reports) for name in _COUNTS}
    return {"checkers": len(reports), "valid_checkers": sum(one.is_valid for one in reports), **counts}


def _document(results: Validations, reports: Sequence[CheckerReport], notes: Sequence[str]) -> dict[str, object]:
    """Return the one document of ``--json``."""
    return {
        "set": results.name,
        "checkers": [_checker_document(one) for one in reports],
        "totals": _sums(reports),
        "notes": list(notes),
    }


def _checker_document(report: CheckerReport) -> dict[str, object]:
    validation = report.validation
    return {
        "problem": validation.problem,
        "file": validation.file,
        "sha256": validation.sha256,
        "has_data": report.has_data,
        **{name: getattr(validation, name) for name in _COUNTS},
        "labels_left_out": report.labels_left_out,
        "failures": list(validation.failures),
        "constraints": dict(report.constraints),
        "survivors_by_kind": dict(sorted(Counter(one.kind for one in report.survivors).items())),
        "survivors_to_read": [
            {"kind": one.kind, "test": one.test, **{name: _cut(text) for name, text in _texts(one).items()}}
            for one in report.survivors
        ],
    }


def _texts(survivor: Survivor) -> Mapping[str, str]:
    return {"input": survivor.input, "expected": survivor.expected, "accepted": survivor.output}


def _shown(name: str) -> str:
    return printable(name, limit=60)


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
