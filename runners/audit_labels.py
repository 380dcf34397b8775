"""The labels of an audit: programs and outputs of which somebody says that they are right or wrong, from JSON lines.

    {"problem", "program", "verdict"}                       a program (or ``solution``, ``code``): right, wrong, unknown
    {"problem", "program", "group", "index", "output"}      what a right program, of which ``program`` is the hash,
                                                            prints on a test of the data set

``right`` (true or false) may stand in place of ``verdict``; a program without either is of unknown truth. ``source``
names where a program comes from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from turnwise.benchmarks.catalog import ProblemSet
from turnwise.benchmarks.ids import problem_id, source_name
from turnwise.benchmarks.rows import OF_ANSWERS, Row, RowError, digest_files, read_rows, validated
from turnwise.errors import TurnwiseError
from turnwise.records.audit import Truth
from turnwise.records.problem import Problem, TestCase
from turnwise.runners.judging.labels import OutputRow, place_of
from turnwise.texts import encodable, printable, shown

UNKNOWN = "unknown"
_PROGRAMS, _OUTPUTS = "labels", "right outputs"  # the sources of those that name none
_PROGRAM = ("program", "solution", "code")
_LONGEST_SOURCE = 80


@dataclass(frozen=True, slots=True)
class LabelledProgram:
    """A program as an answer to the problem of this id, and what it is known to be; None for unknown."""

    problem: str
    program: str
    source: str
    truth: Truth | None


@dataclass(frozen=True, slots=True)
class LabelledOutput:
    """A right answer to a test of the problem of this id, printed by the program of this hash."""

    problem: str
    program: str
    source: str
    test: TestCase
    output: str


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of a file on the problems that are asked; ``left_out`` counts the rows on others.

    ``name`` is the file's, with its digest.
    """

    name: str = ""
    programs: tuple[LabelledProgram, ...] = ()
    outputs: tuple[LabelledOutput, ...] = ()
    left_out: int = 0


def read_labels(path: Path, source: ProblemSet, asked: Sequence[Problem]) -> Labels:
    """Return the labels in ``path`` on the problems ``asked``, which are as the data have them.

    Raises TurnwiseError for a file that is not there or without verdicts, and for a row that is no label.
    """
    try:
        rows = list(read_rows(path, bounds=OF_ANSWERS))
        digest = digest_files([path])[:12]
    except OSError as error:
        raise TurnwiseError(
            f"The labels {str(path)!r} cannot be read ({error.strerror or error}): give --labels another file."
        ) from None
    known, by_id = {problem.id for problem in source.problems}, {problem.id: problem for problem in asked}
    programs, outputs, left_out, has_verdicts = [], [], 0, False
    for row in rows:
        if row.error is not None:
            raise row.error.without_option()
        has_verdicts |= bool({"output", "verdict", "right"} & row.data.keys())
        problem = _problem(row, source, known)
        if "output" in row.data:
            try:
                label = _output(row, problem, by_id.get(problem))
            except RowError as error:
                raise error.without_option() from None
            if label is not None:
                outputs.append(label)
            left_out += label is None
            continue
        program = LabelledProgram(problem, _text(row, *_PROGRAM), _source(row, _PROGRAMS), _truth(row))
        if problem in by_id:
            programs.append(program)
        left_out += problem not in by_id
    if not has_verdicts:
        raise TurnwiseError(
            f"The labels {str(path)!r} hold no verdict in {len(rows)} rows: give each program a 'verdict', which is "
            f"right, wrong or {UNKNOWN}."
        )
    name = f"{encodable(path.name)} (sha256 {digest})"
    return Labels(name, tuple(dict.fromkeys(programs)), tuple(dict.fromkeys(outputs)), left_out)


def _problem(row: Row, source: ProblemSet, known: set[str]) -> str:
    name = source_name(row.data.get("problem", row.data.get("task_id")))
    if name is None:
        raise _fail(row, "a label lacks the field 'problem'; give it the name of one.")
    identifier = problem_id(source.benchmark, name)
    if identifier not in known:
        try:
            source.find(name)
        except TurnwiseError as error:
            raise _fail(row, str(error)) from None
    return identifier


def _truth(row: Row) -> Truth | None:
    right, verdict = row.data.get("right"), row.data.get("verdict")
    if right is not None and verdict is not None:
        raise _fail(row, "a label has both 'verdict' and 'right'; leave one of them out.")
    if right is not None:
        if not isinstance(right, bool):
            raise _fail(row, f"'right' is {shown(right)}; give true or false.")
        return Truth.RIGHT if right else Truth.WRONG
    if verdict is None or verdict == UNKNOWN:
        return None
    if verdict not in tuple(Truth):
        raise _fail(row, f"the verdict is {shown(verdict)}; give {', '.join(Truth)} or {UNKNOWN}.")
    return Truth(str(verdict))


def _source(row: Row, default: str) -> str:
    source = row.data.get("source", default)
    if not isinstance(source, str) or not source.strip():
        raise _fail(row, f"'source' is {shown(source)}; give a text, or leave it out.")
    return printable(source, limit=_LONGEST_SOURCE)


def _text(row: Row, *names: str) -> str:
    for name in names:
        if isinstance(text := row.data.get(name), str):
            return text
    raise _fail(row, f"a label lacks the field {names[0]!r}; give it the text.")


def _output(row: Row, problem: str, asked: Problem | None) -> LabelledOutput | None:
    """Return the label on an output, or None where its problem or its test is not at hand."""
    fields, program = validated(row, OutputRow), _text(row, "program")
    for field in ("verdict", "right"):
        if row.data.get(field) not in (None, True, Truth.RIGHT):
            raise _fail(row, f"{field!r} of an output is {shown(row.data[field])}; outputs are right ones alone.")
    if asked is None:
        return None
    start, count = place_of(asked, fields.group)
    if fields.index >= count:
        return None
    test = (*asked.public_tests, *asked.hidden_tests)[start + fields.index]
    return LabelledOutput(problem, program, _source(row, _OUTPUTS), test, fields.output)


def _fail(row: Row, problem: str) -> TurnwiseError:
    return TurnwiseError(f"{row.origin}: {problem[:1].upper()}{problem[1:]}")
