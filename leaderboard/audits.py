"""Audits as tables: how often a judge calls right programs right and wrong ones wrong, beside published rates.

Intervals are Wilson's over programs (or outputs), as if they were drawn one by one. Programs of one problem resemble
each other, so where few problems hold many of them the truth is wider.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from turnwise.errors import TurnwiseError
from turnwise.leaderboard.formats import Table, render_tables
from turnwise.leaderboard.intervals import LEVEL, Interval, wilson
from turnwise.leaderboard.judges import answers_text, tests_text
from turnwise.leaderboard.tables import ScoredTask
from turnwise.records.audit import Audit, Disagreements, ProblemAudit, Rate, Truth, read_audit
from turnwise.records.codec import to_json
from turnwise.records.settings import JudgeRecord
from turnwise.texts import printable

ON_PAGE = 10  # problems of an audit that its text names, worst first
_TEXT_CHARACTERS = 200
_LABELS = {Truth.RIGHT: "TPR", Truth.WRONG: "TNR"}


@dataclass(frozen=True, slots=True)
class PublishedRates:
    """What others measured of the tests of a data set: shares of right programs accepted and wrong ones refused."""

    tests: str
    right_accepted: float
    wrong_refused: float


PUBLISHED_SOURCE = "README of CodeContests-O, on 11 million labelled submissions"
PUBLISHED = (
    PublishedRates("CodeContests, by equality", 0.8505, 0.8152),
    PublishedRates("CodeContests+", 0.7900, 0.8304),
    PublishedRates("CodeContests-O", 0.8937, 0.9089),
)


def interval_of(rate: Rate) -> Interval | None:
    """Return the interval of a rate, or None where nothing was judged."""
    return wilson(rate.rate, trials=rate.judged) if rate.rate is not None else None


def rates_table(audit: Audit) -> Table:
    """Return a row for each source: counts, rate and interval; notes say what is not counted."""
    rows = tuple(_rate_row(rate) for rate in audit.rates)
    headers = ("source", "known", "of", "accepted", "refused", "missing", "rate", f"{100 * LEVEL:g} % interval")
    title = f"{printable(audit.task, limit=_TEXT_CHARACTERS)}, {printable(audit.split, limit=_TEXT_CHARACTERS)}"
    return Table(headers, rows, 3, f"{title}: {_counted(audit.problems, 'problem')}", _notes(audit))


def published_table() -> Table:
    """Return the published rates."""
    rows = tuple((rates.tests, _percent(rates.right_accepted), _percent(rates.wrong_refused)) for rates in PUBLISHED)
    return Table(("tests", "TPR", "TNR"), rows, 1, f"Published: {PUBLISHED_SOURCE}; not measured here")


def problems_table(problems: Sequence[ProblemAudit]) -> Table:
    """Return the problems that refuse right programs or accept wrong ones, worst first, as many as are named."""
    rows = tuple(
        (
            problem.problem,
            f"{problem.refused} of {problem.right}",
            f"{problem.accepted} of {problem.wrong}",
            f"{problem.unnoticed} of {problem.mutants}",
            _first_refused(problem),
        )
        for problem in problems[:ON_PAGE]
    )
    notes = (f"And {_counted(len(problems) - ON_PAGE, 'more problem')}.",) if len(problems) > ON_PAGE else ()
    headers = ("problem", "right refused", "wrong accepted", "mutants unnoticed", "first right program refused")
    return Table(headers, rows, 1, "Problems whose tests misjudge, worst first", notes)


def render_disagreements(disagreements: Disagreements) -> str:
    """Return the disagreements that are named, and how many programs are wrong at least."""
    lines = ["Disagreements of programs that pass, on new valid inputs"]
    for example in disagreements.examples:
        pair = f"{example.first}, {example.second}" if example.second else example.first
        lines.append(f"{example.problem}: {pair}: {example.reason}")
        lines += [f"    input: {example.input}", f"    output: {example.first_output}"]
        lines += [f"    other output: {example.second_output}"] if example.second else []
    programs, inputs = _counted(disagreements.programs, "program"), _counted(disagreements.inputs, "input")
    left_out = (
        f"{_counted(disagreements.without_validator, 'problem')} without a validator",
        f"{disagreements.without_checker} with several answers and no checker",
        f"{disagreements.few_programs} with fewer than two passing programs",
    )
    lines += [
        f"At least {disagreements.wrong} of {programs} are wrong although they pass: false positives on "
        f"{_counted(disagreements.problems, 'problem')}, {inputs}.",
        f"Left out: {', '.join(left_out)}.",
    ]
    return "\n".join(lines)


def judge_line(audit: Audit) -> str:
    """Return what gave the verdicts."""
    judge = audit.judge
    parts = [
        f"matcher {judge.matcher}",
        f"time factor {judge.time_factor:g}",
        answers_text(judge),
        tests_text(judge),
        *(["with the stub's imports and helpers (--stub-imports)"] if judge.stub_imports else []),
        judge.interpreter,
        f"executor {judge.executor} (isolation: {audit.tier})",
    ]
    return f"Judge: {printable(', '.join(parts), limit=1000)}."


def render_audit(audit: Audit) -> str:
    """Return the audit for a reader."""
    tables = [rates_table(audit), published_table()]
    if audit.by_problem:
        tables.append(problems_table(audit.by_problem))
    pairs = [] if audit.disagreements is None else ["", render_disagreements(audit.disagreements)]
    legend = (
        "TPR: the share of right ones that the judge accepts. TNR: the share of wrong ones that it refuses. "
        "Intervals are Wilson's."
    )
    return "\n".join([render_tables(tables), *pairs, "", legend, judge_line(audit)])


def audit_document(audit: Audit) -> dict[str, object]:
    """Return the one document of ``--json``: the audit, its rates with their intervals, the published rates."""
    data: dict[str, object] = to_json(audit)
    intervals = [interval_of(rate) for rate in audit.rates]
    rates = [
        {**to_json(rate), "interval": None if interval is None else to_json(interval)}
        for rate, interval in zip(audit.rates, intervals, strict=True)
    ]
    published = {"source": PUBLISHED_SOURCE, "rates": [to_json(rates) for rates in PUBLISHED]}
    return {**data, "rates": rates, "published": published}


def read_audits(paths: Iterable[Path]) -> list[Audit]:
    """Return the audits in files, and in the .json files of folders; raises TurnwiseError for one that is none."""
    files: list[Path] = []
    for path in paths:
        inside = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not inside:
            raise TurnwiseError(
                f"The folder {str(path)!r} holds no .json file: give --audit what turnwise audit -o wrote."
            )
        files += inside
    return [read_audit(path) for path in dict.fromkeys(files)]


def fits(audit: Audit, scored: Sequence[ScoredTask]) -> bool:
    """Return whether an audit is of the data and the judge settings of one of the scored tasks."""
    place = (audit.benchmark, audit.split, audit.data_sha256, _stem(audit.task))
    return any(
        (record.benchmark, record.split, record.data_sha256, _stem(record.task)) == place
        and _deciding(task.run.record.judge) == _deciding(audit.judge)
        for task in scored
        for record in [task.outcomes.record]
    )


def _stem(task: str) -> str:
    """Return the name of a task without its number of turns, which decides no verdict."""
    return task.rpartition("_")[0]


def _deciding(judge: JudgeRecord) -> JudgeRecord:
    """Return the settings of a judge without what ran the programs."""
    return replace(judge, executor="", interpreter="", judged_anew=False)


def _rate_row(rate: Rate) -> tuple[str, ...]:
    interval = interval_of(rate)
    share = "-" if rate.rate is None else f"{_LABELS[rate.truth]} {_percent(rate.rate)}"
    reach = "-" if interval is None else f"{100 * interval.lower:.1f} to {100 * interval.upper:.1f}"
    counts = (str(rate.accepted), str(rate.refused), str(rate.missing))
    return (printable(rate.source, limit=_TEXT_CHARACTERS), rate.truth.value, rate.unit.value, *counts, share, reach)


def _notes(audit: Audit) -> tuple[str, ...]:
    notes = [f"Labels: {printable(audit.labels, limit=_TEXT_CHARACTERS)}."] if audit.labels else []
    if audit.unknown:
        notes.append(f"{_counted(audit.unknown, 'program')} of unknown truth left out.")
    if audit.left_out:
        notes.append(f"{_counted(audit.left_out, 'label')} left out: their problem or test is not judged here.")
    if audit.mutants:
        notes.append(f"{_counted(audit.mutants, 'mutant')} made; those that an original test shows wrong are counted.")
    return tuple(notes)


def _first_refused(problem: ProblemAudit) -> str:
    refused = [misjudged for misjudged in problem.misjudged if misjudged.truth is Truth.RIGHT]
    if not refused:
        return "-"
    parts = (refused[0].test, refused[0].verdict, refused[0].note)
    return printable(": ".join(part for part in parts if part), limit=_TEXT_CHARACTERS)


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
