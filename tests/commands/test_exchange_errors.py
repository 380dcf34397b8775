"""Files that are damaged, of another form, or do not fit: one sentence each, exit status 2, nothing written."""

import csv
import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from turnwise.commands.exchange import export_command, import_command
from turnwise.errors import TurnwiseError
from turnwise.exchange.imported import Options

WriteSampleRun = Callable[..., Path]
WriteJson = Callable[..., Path]
Change = Callable[[dict[str, Any]], object]

SINGLE = "sample_mbpp_plus_singleturn"
DATE = "2026-01-02T03-04-05.678901"


def _refused(files: list[Path], form: str, output: Path, **options: Any) -> str:
    """Return the sentence an import is refused with; what it would have written is not there."""
    with pytest.raises(TurnwiseError) as caught:
        import_command(files, Options(form, **options), output, environ={}, arguments=[])
    said = str(caught.value)
    assert caught.value.exit_status == 2 and not output.exists()
    assert said.isprintable() and len(said) < 1000, said
    return said


def _samples(names: list[str], count: int = 1) -> list[dict[str, Any]]:
    return [{"task_id": name, "solution": f"x = {number}"} for name in names for number in range(count)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[1:], "hold no answer to 1 of the 3 problems of sample_mbpp_plus_singleturn (first "),
        (lambda rows: rows + rows[:1], "hold 2 answers to some problems and fewer to 2 of the 3 problems"),
        (lambda rows: [], "m.jsonl holds no answer: name a file that evalplus wrote."),
        (lambda rows: [*rows, {"task_id": "Mbpp/99999", "solution": ""}], "which is none of the 3 problems of"),
        (
            lambda rows: [*rows, {"task_id": "x", "text": "y"}],
            "m.jsonl row 4 (x) is no sample of evalplus (field 'solution' or 'completion' is missing)",
        ),
        (
            lambda rows: [*rows, {"task_id": "x", "completion": ["y"]}],
            "m.jsonl row 4 (x) is no sample of evalplus (completion: input should be a valid string",
        ),
        (lambda rows: [*rows, {"task_id": "x", "solution": None}], "input should be a valid string, not None"),
        (
            lambda rows: [*rows, *[{"task_id": name, "solution": ""} for name in ("Mbpp/0", "Mbpp/1", "a")]],
            "answers 'sample_mbpp_plus/Mbpp/0', which is none of the 3 problems of "
            "sample_mbpp_plus_singleturn (as for 2 more answers)",
        ),
        (
            lambda rows: [*rows, {"task_id": ["x"], "solution": "y"}],
            "task_id: input should be a valid string, not ['x']",
        ),
        (lambda rows: [*rows, ["x"]], "m.jsonl row 4: is a JSON list, not an object."),
        (lambda rows: [*rows, {"task_id": "\u202e\0" * 300, "solution": ""}], "answers 'sample_mbpp_plus/\\u202e\\x00"),
    ],
)
def test_samples_of_evalplus_that_do_not_fit(
    tmp_path: Path, write_json: WriteJson, problem_names: list[str], change: Callable[..., Any], message: str
) -> None:
    """A missing task, a duplicate, an unknown one, a row of another form."""
    path = write_json("m.jsonl", change(_samples(problem_names)))
    assert message in _refused([path], "evalplus", tmp_path / "run", tasks=SINGLE)


def test_too_few_samples_are_told_with_both_numbers(
    tmp_path: Path, write_json: WriteJson, problem_names: list[str]
) -> None:
    """How many there are elsewhere, how many the first that lacks has, and what to do."""
    path = write_json("m.jsonl", _samples(problem_names, 3)[:-1])
    assert _refused([path], "evalplus", tmp_path / "run", tasks=SINGLE) == (
        "The files hold 3 answers to some problems and fewer to 1 of the 3 problems of sample_mbpp_plus_singleturn "
        f"(2 to sample_mbpp_plus/{problem_names[-1]}): give each as many, or count those that lack as missing with "
        "--allow-missing."
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "is no result of evalplus 0.2 or later"),
        (
            {"eval": {"Mbpp/2": {"nfiles": 1, "base": [["success", []]]}}},
            "is no result of evalplus 0.2 or later (eval.Mbpp/2",
        ),
        ({"eval": {}}, "holds no answer"),
        (
            {"eval": {"Mbpp/2": [{"solution": "", "base_status": "success"}]}},
            "input should be 'pass', 'fail' or 'timeout'",
        ),
    ],
)
def test_results_of_evalplus_of_another_version(
    tmp_path: Path, write_json: WriteJson, data: object, message: str
) -> None:
    """The form before 0.2 is named, with what to do."""
    assert message in _refused([write_json("m_eval_results.json", data)], "evalplus", tmp_path / "run")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"question_id": 1}, "holds no custom outputs of LiveCodeBench"),
        ([["print(1)"]], "holds no custom outputs of LiveCodeBench (0: "),
        ([{"question_id": "a", "code_list": ["x", 1]}], "(0.code_list.1: input should be a valid string, not 1)"),
        ([{"question_id": True, "code_list": ["x"]}], "input should be a valid string, not True)"),
        ([{"question_id": 10**4000, "code_list": ["x"]}], "m.json names a question 1000000"),
        (
            [{"question_id": "a", "code_list": ["x"], "graded_list": ["yes"]}],
            "input should be a valid boolean, not 'yes'",
        ),
        ([{"question_id": "a", "code_list": []}] * 2, "holds the question 'a' twice: keep one of the two entries."),
        ([{"question_id": "a", "code_list": ["x"], "graded_list": []}], "has 1 programs and 0 grades"),
        (
            [{"question_id": "a", "code_list": ["x"]}],
            "m.json ('a') does not say of which task it is: say it with --tasks",
        ),
    ],
)
def test_outputs_of_livecodebench_of_another_form(
    tmp_path: Path, write_json: WriteJson, data: object, message: str
) -> None:
    """Another scenario's list, an entry twice, grades that do not fit, no task."""
    assert message in _refused([write_json("m.json", data)], "livecodebench", tmp_path / "run")


def _row(number: int, name: str, **changes: Any) -> dict[str, Any]:
    return {"doc_id": number, "doc": {"task_id": name}, "resps": [["x"]], "filtered_resps": ["x"], **changes}


@pytest.mark.parametrize(
    ("rows", "summary", "message"),
    [
        ([_row(0, "a"), _row(0, "a")], {}, "the document 0 stands there twice: remove one of the rows."),
        ([_row(0, "a")], {"n-samples": {"t": {"effective": 9}}}, "holds 1 documents, and results_2026"),
        ([_row(0, "a")], {"lm_eval_version": "0.5.0"}, "was written by lm-eval '0.5.0', and only 0.4 is read"),
        ([_row(0, "a")], {"results": []}, "is no results file of lm-eval (results: "),
        ([_row(0, "a", doc={"text": "a"})], {}, "its document names no problem: one of problem, task_id"),
        ([_row(0, "a", resps=[[0.5]])], {}, "a reply in it is no text: log a task that generates text."),
        ([{"doc_id": 0}], {}, "is no sample of lm-eval (doc: field required"),
        ([_row(0, "a")], {}, "names the task 't': say it with --tasks"),
        ([], {}, "comes with no sample: name the samples_<task>_<date>.jsonl, too."),
        ([_row(0, "a", doc={"turnwise_schema": 1})], {}, "a dialogue in it is no JSON"),
    ],
)
def test_files_of_lm_eval_that_do_not_fit(
    tmp_path: Path, write_json: WriteJson, rows: list[dict[str, Any]], summary: dict[str, Any], message: str
) -> None:
    """A document twice, a file that is cut off, another version, rows without what is needed."""
    samples = write_json(f"samples_t_{DATE}.jsonl", rows)
    results = write_json(f"results_{DATE}.json", {"results": {}, **summary})
    assert message in _refused([results, samples], "lm-eval", tmp_path / "run")


def test_dialogues_of_ours_need_their_results_file(write_sample_run: WriteSampleRun, tmp_path: Path) -> None:
    """It says what the run was."""
    export_command([write_sample_run("run")], "lm-eval", tmp_path / "lm")
    (samples,) = (tmp_path / "lm").rglob("samples_*.jsonl")
    assert "name results_<date>.json and its samples" in _refused([samples], "lm-eval", tmp_path / "again")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[1:], "lacks a turn: export the run again."),
        (lambda rows: [*rows, rows[-1]], "stands there twice: remove one of the rows."),
        (lambda rows: rows[:0], "run.csv holds no row: export the run again."),
        (lambda rows: [{**row, "schema": "2"} for row in rows], "has schema 2, and this version of turnwise reads 1"),
        (lambda rows: [{**row, "task": "t"} for row in rows[2:5]], "names the task 't', which is unknown here"),
        (
            lambda rows: [{**row, "problem": "b/a"} for row in rows[2:5]],
            "answers 'b/a', which is none of the 3 problems",
        ),
        (lambda rows: [{**row, "sample": "-1"} for row in rows], "sample is '-1', and has to be a whole number."),
        (lambda rows: [{**row, "sample": str(10**18)} for row in rows[2:5]], "none of the 2 samples of its run"),
        (lambda rows: [{**row, "end": "bored"} for row in rows], "the dialogue is damaged (end: "),
        (lambda rows: [{**row, "turn_json": "[" * 9999} for row in rows], "a column of JSON in it is damaged"),
        (
            lambda rows: [{**row, "turn_json": "{}"} for row in rows],
            "the dialogue is damaged (turns.0.calls: field requ",
        ),
        (lambda rows: [{**row, "run_json": "{}"} for row in rows], "what it says of its run is damaged (model: field"),
        (lambda rows: [rows[0], {**rows[1], "run_json": "{}"}], "is of another run than those before"),
        (lambda rows: [rows[0], {**rows[1], "seed": "9"}], "has seed '9', and its dialogue began with '7'"),
    ],
)
def test_tables_that_were_changed(
    write_sample_run: WriteSampleRun, tmp_path: Path, change: Callable[..., Any], message: str
) -> None:
    """Rows that are gone, doubled or edited where it matters."""
    export_command([write_sample_run("run")], "csv", tmp_path / "run.csv")
    with (tmp_path / "run.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with (tmp_path / "run.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(change(rows))
    assert message in _refused([tmp_path / "run.csv"], "csv", tmp_path / "again")


def _with_header(change: Change) -> Change:
    def apply(row: dict[str, Any]) -> None:
        header = json.loads(row["run_json"])
        change(header)
        row["run_json"] = json.dumps(header)

    return apply


def _with_judgement(change: Change) -> Change:
    def apply(row: dict[str, Any]) -> None:
        if row["judgement_json"]:
            judgement = json.loads(row["judgement_json"])
            change(judgement)
            row["judgement_json"] = json.dumps(judgement)

    return apply


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_with_header(lambda one: one["settings"].update(samples_per_problem=10**9)), "samples_per_problem"),
        (_with_header(lambda one: one["settings"].update(limit=float("nan"))), "settings.limit"),
        (_with_header(lambda one: one["settings"].update(max_turns=1)), "has 2 turns, and its run at most 1"),
        (
            _with_header(lambda one: one["settings"].update(n_at_k=["9@9"])),
            "n_at_k 9@9 ",
        ),
        (_with_header(lambda one: one["settings"].update(extra="\ud800")), "settings.extra: unknown field"),
        (_with_judgement(lambda one: one.update(public_passed=False, verdict="passed")), "does not fit its dialogue"),
        (_with_judgement(lambda one: one.update(program="0" * 16)), "the judgement on turn 1 does not fit"),
        (_with_judgement(lambda one: one.update(cpu_seconds=float("inf"))), "does not fit its dialogue"),
        (_with_judgement(lambda one: one.update(verdict="infrastructure_failure")), "does not fit its dialogue"),
        (_with_judgement(lambda one: one.update(verdict="great")), "the dialogue is damaged (0.verdict: "),
    ],
)
def test_tables_that_claim_what_no_run_could(
    write_sample_run: WriteSampleRun, tmp_path: Path, change: Change, message: str
) -> None:
    """Sizes without bounds, judgements that are no judge's: refused before anything is made of them."""
    export_command([write_sample_run("run")], "csv", tmp_path / "run.csv")
    with (tmp_path / "run.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        change(row)
    with (tmp_path / "run.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    assert message in _refused([tmp_path / "run.csv"], "csv", tmp_path / "again")


@pytest.mark.parametrize(
    ("form", "name", "message"),
    [
        ("evalplus", "m.jsonl", "is no JSON"),
        ("evalplus", "m_eval_results.json", "is no JSON document"),
        ("livecodebench", "m.json", "is no JSON document"),
        ("lm-eval", "m.jsonl", "'m.jsonl' is not named samples_<task>_<date>.jsonl"),
        ("lm-eval", f"samples_t_{DATE}.jsonl", "is no JSON"),
        ("lm-eval", f"results_{DATE}.json", "is no JSON document"),
        ("csv", "m.csv", "m.csv is no"),
        ("parquet", "m.parquet", "m.parquet is no parquet table"),
    ],
)
@pytest.mark.parametrize(
    "content",
    [
        b"\x00\xff\xfe PK\x03\x04",
        b"{" * 200_000,
        b"[" * 200_000,
        b'{"a": ' + b"9" * 5000 + b"\n",
        b"a,b\n1\n",
        b"PAR1PAR1",
    ],
    ids=["bytes", "braces", "brackets", "a number", "a table", "empty parquet"],
)
def test_no_content_is_more_than_a_sentence(tmp_path: Path, form: str, name: str, message: str, content: bytes) -> None:
    """Bytes, nests, numbers without end and other formats: the file is named, and never a traceback."""
    (tmp_path / name).write_bytes(content)
    assert message in _refused([tmp_path / name], form, tmp_path / "run")


def test_the_output_and_the_files_are_looked_at_first(tmp_path: Path, write_json: WriteJson) -> None:
    """A folder with something in it, a file that is not there or named twice, two kinds in one line."""
    samples, results = write_json("m.jsonl", []), write_json("m_eval_results.json", {"eval": {}})
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("")
    (tmp_path / "none").mkdir()
    with pytest.raises(TurnwiseError, match="full' is not empty: give another --output_path"):
        import_command([samples], Options("evalplus"), tmp_path / "full", environ={}, arguments=[])
    target = tmp_path / "run"
    assert "nowhere.jsonl' does not exist" in _refused([tmp_path / "nowhere.jsonl"], "evalplus", target)
    assert "A file is named twice" in _refused([samples, samples], "evalplus", target)
    assert "Samples and results are named together" in _refused([samples, results], "evalplus", target)
    assert "holds no file of lm-eval" in _refused([tmp_path / "none"], "lm-eval", target)
    assert "--format is 'xml'" in _refused([samples], "xml", target)
    assert "Unknown task 'x'" in _refused([write_json("n.jsonl", _samples(["a"]))], "evalplus", target, tasks="x")


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.just("Sample/100"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)
_ROWS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("task_id", "solution", "completion", "question_id", "code_list", "doc_id", "doc"), _VALUES),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_ROWS | _VALUES, max_size=2), st.sampled_from(["evalplus", "livecodebench", "lm-eval"]))
def test_no_values_are_more_than_a_sentence(tmp_path: Path, write_json: WriteJson, data: list[Any], form: str) -> None:
    """Of any type, in any field, in lines and in documents."""
    for name in ("m.jsonl", "m.json", "m_eval_results.json", f"samples_t_{DATE}.jsonl", f"results_{DATE}.json"):
        with suppress(TurnwiseError):
            options = Options(form, SINGLE, allow_missing=True)
            import_command([write_json(name, data)], options, tmp_path / "run", environ={}, arguments=[])
        shutil.rmtree(tmp_path / "run", ignore_errors=True)
