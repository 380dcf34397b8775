"""Runs of ours as files of lm-evaluation-harness 0.4: results_<date>.json, samples_<task>_<date>.jsonl beside it.

They are as our lm-eval tasks write them: ``resps`` holds a dialogue a sample as JSON and ``filtered_resps`` its
submission and judgements, so nothing is lost; the run's settings stand in each task's metadata
(lm_eval_header.py). The date is that of the run, so that the same run gives the same files. lm_eval itself is not
needed, and fields that only it knows (versions of its packages, few-shot settings) are left out or null.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import turnwise
from turnwise.exchange.contents import Dialogue, RunHeader, dialogues_of
from turnwise.exchange.evalplus import program_of
from turnwise.exchange.lm_eval_header import KEY, TaskHeader
from turnwise.exchange.problem_values import Values, aggregate, names_of, problem_values
from turnwise.files import write_atomically
from turnwise.json_text import json_text
from turnwise.leaderboard.outcomes import TaskOutcomes, read_outcomes
from turnwise.records.codec import to_json, to_line
from turnwise.records.run_folder import RunFolder, TaskRecord
from turnwise.records.trajectory import SCHEMA

MARK = "turnwise_schema"
_UNSAFE = re.compile(r'["<>:/|\\?*\[\]\x00-\x1f]+')


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
        "model_name": name,
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
) -> dict[str, Any]:
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
