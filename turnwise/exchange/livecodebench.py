"""LiveCodeBench's custom outputs: [{"question_id", "code_list"}], one entry a problem, one program a sample.

Its evaluated form ("graded_list" beside the programs) is read, too. Question ids are the names of problems
within their benchmark, so importing has to be told the task. Test-output and execution tasks are not read.
"""

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from turnwise.benchmarks.ids import source_name
from turnwise.benchmarks.markdown import MarkdownPrograms
from turnwise.errors import TurnwiseError
from turnwise.exchange.contents import Answer, Contents, Found, dialogues_of, read_document
from turnwise.exchange.evalplus import program_of
from turnwise.files import write_atomically
from turnwise.json_text import json_text
from turnwise.records.codec import reason_of
from turnwise.records.report import Verdict
from turnwise.records.run_folder import RunFolder, TaskRecord
from turnwise.texts import shown

JUDGE = "livecodebench"


class _Entry(BaseModel):
    model_config = ConfigDict(strict=True)
    question_id: str | int
    code_list: list[str]
    graded_list: list[bool] | None = None


_ENTRIES = TypeAdapter(list[_Entry])


def read(paths: Sequence[Path]) -> Contents:
    """Return what one file of custom outputs holds; raises TurnwiseError for anything else."""
    if len(paths) != 1:
        raise TurnwiseError(f"{len(paths)} files are named, and LiveCodeBench keeps a model's answers in one: name it.")
    path = paths[0]
    try:
        entries = _ENTRIES.validate_python(read_document(path, "the custom outputs of LiveCodeBench"))
    except ValidationError as error:
        raise TurnwiseError(
            f"{path.name} holds no custom outputs of LiveCodeBench ({reason_of(error)}): it is a list of "
            '{"question_id": ..., "code_list": [...]}.'
        ) from None
    answers: dict[str, list[Answer]] = {}
    for entry in entries:
        name = source_name(entry.question_id)
        if name is None:
            raise TurnwiseError(f"{path.name} names a question {shown(entry.question_id)}: write its name.")
        if name in answers:
            raise TurnwiseError(f"{path.name} holds the question {shown(name)} twice: keep one of the two entries.")
        answers[name] = _answers(f"{path.name} ({shown(name)})", name, entry)
    found = tuple(answer for several in answers.values() for answer in several)
    programs = MarkdownPrograms()
    for one in found:
        programs.add("code_list", one.text)
    note = programs.warning(path.name)
    judge = JUDGE if any(one.found for one in found) else ""
    return Contents(path.stem, found, judge=judge, notes=(note,) if note else ())


def write(folder: RunFolder, tasks: Sequence[TaskRecord], path: Path) -> list[Path]:
    """Write one task of a run as custom outputs; missing dialogues are left out. Return the file written."""
    (task,) = tasks
    programs: dict[str, list[str]] = {}
    for one in dialogues_of(folder, task.task):
        if not one.trajectory.is_missing:
            programs.setdefault(one.trajectory.problem.partition("/")[2], []).append(program_of(one))
    entries = [{"question_id": name, "code_list": programs[name]} for name in sorted(programs)]
    write_atomically(path, json_text(entries, indent=4) + "\n")
    return [path]


def _answers(origin: str, name: str, entry: _Entry) -> list[Answer]:
    grades: Sequence[bool | None] = (
        entry.graded_list if entry.graded_list is not None else [None] * len(entry.code_list)
    )
    if len(grades) != len(entry.code_list):
        raise TurnwiseError(
            f"{origin} has {len(entry.code_list)} programs and {len(grades)} grades: there has to be one for each."
        )
    return [
        Answer(origin, name, code, code if code.strip() else None, found=_found(grade) if code.strip() else None)
        for code, grade in zip(entry.code_list, grades, strict=True)
    ]


def _found(grade: bool | None) -> Found | None:
    """Return what a grade says: wrong may mean any test, so the public ones count as failed, too."""
    if grade is None:
        return None
    return Found(Verdict.PASSED if grade else Verdict.WRONG_ANSWER, public_passed=grade)
