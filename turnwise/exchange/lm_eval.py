"""lm-evaluation-harness 0.4: results_<date>.json, samples_<task>_<date>.jsonl beside it, a row a document.

What our tasks in lm_eval write and what a run of ours is exported to are the same: ``resps`` holds a dialogue a sample
as JSON and ``filtered_resps`` its submission and judgements, and ``configs.<task>.metadata.turnwise`` the settings of
the run and the problems asked and left out, so that nothing is lost and no data are needed to read it back. The date is
that of the run, so that the same run gives the same files. lm_eval itself is not needed, and fields that only it knows
(versions of its packages, few-shot settings) are left out or null.

Of other tasks' rows the replies are read, with programs where the task's filter made them, and pass@1 where it is 0 or
1. lm-eval's humaneval and mbpp tasks run the base tests only: what passes them is not judged yet. Scores of tasks and
groups are not read.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

import turnwise
from turnwise.benchmarks.differences import differences
from turnwise.benchmarks.ids import source_name
from turnwise.benchmarks.rows import Row, load_json
from turnwise.errors import TurnwiseError
from turnwise.exchange.contents import (
    Answer,
    Contents,
    Dialogue,
    Found,
    RunHeader,
    dialogues_of,
    only,
    read_dialogue,
    read_document,
    read_header,
    read_samples,
)
from turnwise.exchange.evalplus import program_of
from turnwise.exchange.problem_values import Values, aggregate, names_of, problem_values
from turnwise.files import write_atomically
from turnwise.json_text import json_text
from turnwise.leaderboard.outcomes import TaskOutcomes, read_outcomes
from turnwise.records.codec import reason_of, to_json, to_line
from turnwise.records.report import Verdict
from turnwise.records.run_folder import RunFolder, TaskRecord
from turnwise.records.settings import JudgeRecord, PromptsRecord, RunSettings
from turnwise.records.training import model_label
from turnwise.records.trajectory import SCHEMA
from turnwise.texts import shown

KEY = "turnwise"
MARK = "turnwise_schema"
_UNSAFE = re.compile(r'["<>:/|\\?*\[\]\x00-\x1f]+')
JUDGE = "lm-eval"
_SAMPLES_NAME = re.compile(r"samples_(?P<task>.+)_\d{4}-\d\d-\d\dT[\d.-]+\.jsonl")
_PROBLEM_FIELDS = ("problem", "task_id", "question_id", "name", "id")
_VERDICT_FIELDS = ("pass@1", "pass_at_1")


@dataclass(frozen=True, slots=True)
class TaskHeader:
    """The settings, judge and prompts of a run, and what one task of it asked.

    lm_eval says itself which ``model`` it was; of an exported run it stands here.
    """

    turnwise: str
    settings: RunSettings
    judge: JudgeRecord
    prompts: PromptsRecord
    task: TaskRecord
    model: Mapping[str, str] = field(default_factory=dict)


def read_task_header(metadata: object, origin: str) -> TaskHeader:
    """Return the header in a task's metadata; raises TurnwiseError where there is none, or a damaged one."""
    data = metadata.get(KEY) if isinstance(metadata, dict) else None
    return read_header(TaskHeader, data, origin)


def join_headers(headers: Iterable[TaskHeader], model: dict[str, str], origin: str) -> RunHeader:
    """Return the header of the run that all ``headers`` are of; which problems each asked is put together.

    Raises TurnwiseError if they differ: then they are of several runs.
    """
    joined: RunHeader | None = None
    for one in headers:
        header = RunHeader(model=one.model or model, settings=one.settings, judge=one.judge, prompts=one.prompts)
        if joined is None:
            joined = header
            continue
        samples = {**joined.settings.samples, **header.settings.samples}
        joined, header = (replace(each, settings=replace(each.settings, samples=samples)) for each in (joined, header))
        if joined != header:
            first = next(differences(to_json(joined), to_json(header)))
            there, here = first.values()
            raise TurnwiseError(
                f"{origin} holds tasks that were run in different ways ({one.task.task}: {first.place} is {here}, and "
                f"{there} before): import each on its own."
            )
    if joined is None:
        raise TurnwiseError(f"{origin} says nothing of a run of turnwise: export it again.")
    return joined


def write(folder: RunFolder, tasks: Sequence[TaskRecord], path: Path) -> list[Path]:
    """Write a run below the folder ``path``, as lm-eval would have; return the files. Its date is the run's."""
    header = RunHeader.of(folder.record)
    made = datetime.fromtimestamp(folder.run_json.stat().st_mtime, UTC).replace(tzinfo=None)
    date = made.isoformat().replace(":", "-")
    name = header.model.get("model", "")
    target = path / (_UNSAFE.sub("__", name).strip(".") or "model")
    outcomes = {one.record.task: one for one in read_outcomes(folder.path).tasks}
    written: list[Path] = []
    hashes: dict[str, str] = {}
    documents: dict[str, int] = {}
    values: dict[str, Values] = {}
    for task in tasks:
        trajectories = folder.trajectories(task.task)
        values[task.task] = problem_values(outcomes[task.task], trajectories, n_at_k=header.settings.n_at_k)
        rows = _rows(folder, outcomes[task.task], header, values[task.task])
        documents[task.task] = len(rows)
        hashes[task.task] = _sha256("".join(row["doc_hash"] + row["prompt_hash"] + row["target_hash"] for row in rows))
        written.append(target / f"samples_{task.task}_{date}.jsonl")
        write_atomically(written[-1], "".join(json_text(row) + "\n" for row in rows))
    summary = {
        **_summary(tasks, header, documents, values),
        "date": made.replace(tzinfo=UTC).timestamp(),
        "task_hashes": hashes,
        "model_source": header.model.get("back_end", "turnwise"),
        "model_name": model_label(header.model),
        "model_name_sanitized": target.name,
        "system_instruction": header.settings.system_instruction or None,
        "chat_template": None,
        "chat_template_sha": None,
    }
    written.append(target / f"results_{date}.json")
    write_atomically(written[-1], json_text(summary, indent=2) + "\n")
    return written


def _rows(folder: RunFolder, outcomes: TaskOutcomes, header: RunHeader, values: Values) -> list[dict[str, Any]]:
    """Return the rows of the samples file, in lm-eval's fields; a problem without any dialogue has none."""
    dialogues: dict[str, list[Dialogue]] = {}
    for one in dialogues_of(folder, outcomes.record.task):
        dialogues.setdefault(one.trajectory.problem, []).append(one)
    rows = []
    for number, problem in enumerate(outcomes.problems):
        if problem.id not in dialogues:
            continue
        doc = {MARK: SCHEMA, "problem": problem.id, "difficulty": problem.difficulty, "flags": problem.flags}
        prompt, resps, filtered = "", [], []
        for one in dialogues[problem.id]:
            calls = [call for turn in one.trajectory.turns for call in turn.calls][:1]
            prompt = prompt or json_text([{"role": m.role, "content": m.content} for c in calls for m in c.messages])
            resps.append(to_line(one.trajectory))
            judgements = [to_json(judgement) for judgement in one.judgements]
            filtered.append(json_text({"program": program_of(one), "judgements": judgements}))
        rows.append(
            {
                "doc_id": number,
                "doc": doc,
                "target": "",
                "arguments": {"gen_args_0": {"arg_0": prompt, "arg_1": to_json(header.settings.sampling)}},
                "resps": [resps],
                "filtered_resps": [filtered],
                "filter": "none",
                "metrics": list(values),
                "doc_hash": _sha256(json_text(doc, indent=2)),
                "prompt_hash": _sha256(prompt),
                "target_hash": _sha256(""),
                **{name: of_problem[number] for name, of_problem in values.items()},
            }
        )
    return rows


def _summary(
    tasks: Sequence[TaskRecord], header: RunHeader, documents: Mapping[str, int], values: Mapping[str, Values]
) -> dict[str, object]:
    """Return the results document, in lm-eval's fields, without what only the files know."""
    document: dict[str, Any] = {"results": {}, "group_subtasks": {}, "configs": {}, "versions": {}, "n-shot": {}}
    document |= {"higher_is_better": {}, "n-samples": {}}
    for one in tasks:
        name = one.task
        shown = {"name": name, "alias": name, "sample_len": documents[name]}
        document["results"][name] = {**shown, **aggregate(values[name])}
        document["configs"][name] = {
            "task": name,
            "dataset_path": one.benchmark,
            "test_split": one.split,
            "output_type": "generate_multiturn",
            "repeats": header.settings.samples_per_problem,
            "num_fewshot": 0,
            "metadata": {"version": 1, KEY: to_json(_task_header(one, header))},
        }
        document["versions"][name], document["n-shot"][name] = 1, 0
        samples, n_at_k = header.settings.samples_per_problem, header.settings.n_at_k
        document["higher_is_better"][name] = names_of(one, samples=samples, n_at_k=n_at_k)
        document["n-samples"][name] = {"original": one.loaded, "effective": documents[name]}
    document["config"] = {
        "model": header.model.get("back_end", "turnwise"),
        "model_args": None,
        "limit": header.settings.limit,
        "gen_kwargs": to_json(header.settings.sampling),
        "random_seed": header.settings.seed,
    }
    return document | {"git_hash": None}


def _task_header(task: TaskRecord, header: RunHeader) -> TaskHeader:
    return TaskHeader(
        turnwise=turnwise.__version__,
        settings=header.settings,
        judge=header.judge,
        prompts=header.prompts,
        task=task,
        model=header.model,
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class _Sample(BaseModel):
    doc_id: int
    doc: dict[str, Any]
    resps: list[object]
    filtered_resps: list[object] = []
    filter: str = "none"


class _Count(BaseModel):
    effective: int


class _Results(BaseModel):
    results: dict[str, dict[str, object]]
    counts: dict[str, _Count] = Field(default={}, alias="n-samples")
    configs: dict[str, dict[str, object]] = {}
    config: dict[str, object] = {}
    model_name: str | None = None
    lm_eval_version: str = "0.4"


_SAMPLE, _RESULTS = TypeAdapter(_Sample), TypeAdapter(_Results)


def read(paths: Sequence[Path]) -> Contents:
    """Return what one results file and its samples files (or the folder of both) hold; samples alone will do.

    Raises TurnwiseError for another version or form, a samples file that is cut off, or a document that is twice.
    """
    results = [path for path in paths if path.suffix == ".json"]
    if len(results) > 1:
        raise TurnwiseError(
            f"{len(results)} results files are named ({results[0].name}, ...): name one, with its samples."
        )
    summary = _read_results(results[0]) if results else None
    answers: list[Answer] = []
    dialogues: list[Dialogue] = []
    seen: dict[str, str] = {}
    for task, path in sorted(_tasks_of(paths, results), key=lambda one: _position(one[0], summary)):
        if task in seen:
            raise TurnwiseError(f"{path.name} holds the task {task}, as {seen[task]} does: name one of the two.")
        seen[task] = path.name
        rows = _read_samples(path)
        if summary is not None and task in summary.counts and len(rows) != summary.counts[task].effective:
            raise TurnwiseError(
                f"{path.name} holds {len(rows)} documents, and {results[0].name} counts "
                f"{summary.counts[task].effective}: it is cut off, or of another run."
            )
        for row, sample in rows:
            if MARK in sample.doc:
                dialogues += _dialogues(row, sample)
            else:
                answers += _answers(row, sample, task)
    return _contents(paths, summary, answers, dialogues)


def _read_results(path: Path) -> _Results:
    try:
        results = _RESULTS.validate_python(read_document(path, "the results file of lm-eval"))
    except ValidationError as error:
        raise TurnwiseError(
            f"{path.name} is no results file of lm-eval ({reason_of(error)}): name results_<date>.json."
        ) from None
    if not results.lm_eval_version.startswith("0.4"):
        raise TurnwiseError(
            f"{path.name} was written by lm-eval {shown(results.lm_eval_version)}, and only 0.4 is read: name another."
        )
    return results


def _tasks_of(paths: Sequence[Path], results: Sequence[Path]) -> list[tuple[str, Path]]:
    """Return the samples files with the tasks that their names say."""
    found = []
    for path in paths:
        match = _SAMPLES_NAME.fullmatch(path.name)
        if match is not None:
            found.append((match["task"], path))
        elif path not in results:
            raise TurnwiseError(
                f"{shown(path.name)} is not named samples_<task>_<date>.jsonl, as lm-eval does: the name says the task."
            )
    return found


def _position(task: str, summary: _Results | None) -> int:
    """Return where a task stands among the results, so that the order of a run's tasks is kept."""
    tasks = list(summary.results) if summary is not None else []
    return tasks.index(task) if task in tasks else len(tasks)


def _read_samples(path: Path) -> list[tuple[Row, _Sample]]:
    """Return the rows of the file's first filter; each document may stand there once."""
    found: dict[int, tuple[Row, _Sample]] = {}
    wanted = None
    for row, sample in read_samples(path, _SAMPLE, "sample of lm-eval", remedy="log them with --log_samples"):
        wanted = wanted or sample.filter
        if sample.filter != wanted:
            continue
        if sample.doc_id in found:
            raise TurnwiseError(
                f"{row.origin}: the document {sample.doc_id} stands there twice: remove one of the rows."
            )
        found[sample.doc_id] = (row, sample)
    return list(found.values())


def _dialogues(row: Row, sample: _Sample) -> list[Dialogue]:
    """Return the dialogues of a row that turnwise wrote."""
    texts, filtered = _texts(row, sample.resps), _texts(row, sample.filtered_resps)
    if len(texts) != len(filtered):
        raise TurnwiseError(
            f"{row.origin} has {len(texts)} dialogues and {len(filtered)} submissions: export it again."
        )
    found = []
    for text, submission in zip(texts, filtered, strict=True):
        try:
            data, judged = load_json(text), load_json(submission)
        except ValueError:
            raise TurnwiseError(f"{row.origin}: a dialogue in it is no JSON: export it again.") from None
        judgements = judged.get("judgements", []) if isinstance(judged, dict) else []
        found.append(read_dialogue({**data, "judgements": judgements} if isinstance(data, dict) else data, row.origin))
    return found


def _answers(row: Row, sample: _Sample, task: str) -> list[Answer]:
    """Return the replies of a row of another task."""
    names = (source_name(sample.doc.get(field)) for field in _PROBLEM_FIELDS)
    name = next((one for one in names if one is not None), None)
    if name is None:
        raise TurnwiseError(f"{row.origin}: its document names no problem: one of {', '.join(_PROBLEM_FIELDS)} has to.")
    texts, programs = _texts(row, sample.resps), _texts(row, sample.filtered_resps)
    has_programs = len(programs) == len(texts) and programs != texts
    known = next((row.data[field] for field in _VERDICT_FIELDS if row.data.get(field) in (0, 1)), None)
    return [
        Answer(
            row.origin,
            name,
            text,
            (programs[index] if programs[index].strip() else None) if has_programs else None,
            is_reply=not has_programs,
            task=_our_task(task),
            found=None if known is None else _found(task, passed=bool(known)),
        )
        for index, text in enumerate(texts)
    ]


def _found(task: str, *, passed: bool) -> Found:
    if not passed:
        return Found(Verdict.WRONG_ANSWER, public_passed=False)
    return Found(Verdict.PASSED if task.startswith("humaneval_plus") else None, public_passed=True)


def _our_task(name: str) -> str:
    """Return our task for a name of lm-eval's, or the name as it is."""
    if name.endswith(("_multiturn", "_singleturn")):
        return name
    ours = {"humaneval": "humaneval_plus_singleturn", "mbpp": "mbpp_plus_singleturn"}
    return next((task for start, task in ours.items() if name.startswith(start)), name)


def _texts(row: Row, value: list[Any]) -> list[str]:
    """Return the texts of ``resps`` (a list in a list) or of ``filtered_resps`` (the same, or the first one only)."""
    flat = [text for one in value for text in (one if isinstance(one, list) else [one])]
    if not all(isinstance(text, str) for text in flat):
        raise TurnwiseError(f"{row.origin}: a reply in it is no text: log a task that generates text.")
    return flat


def _contents(
    paths: Sequence[Path], summary: _Results | None, answers: list[Answer], dialogues: list[Dialogue]
) -> Contents:
    if not answers and not dialogues:
        raise TurnwiseError(f"{paths[0].name} comes with no sample: name the samples_<task>_<date>.jsonl, too.")
    if dialogues and (summary is None or answers):
        raise TurnwiseError(
            "Dialogues of turnwise stand alone, with their results: name results_<date>.json and its samples."
        )
    folder = only((path.parent.resolve().name for path in paths), what="folders")
    model = (summary.model_name if summary is not None else None) or folder
    header = None
    tasks: tuple[TaskRecord, ...] = ()
    if dialogues and summary is not None:
        headers = [
            read_task_header(summary.configs.get(task, {}).get("metadata"), f"The results file ({shown(task)})")
            for task in dict.fromkeys(one.trajectory.task for one in dialogues)
        ]
        said = {"model": model, "back_end": f"lm_eval {summary.config.get('model', '')}".strip()}
        header = join_headers(headers, said, "The results file")
        tasks = tuple(one.task for one in headers)
        model = header.model.get("model", model)
    judge = JUDGE if any(one.found for one in answers) else ""
    return Contents(model, tuple(answers), tuple(dialogues), judge, header, tasks=tasks)
